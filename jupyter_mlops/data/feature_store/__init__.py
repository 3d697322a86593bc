"""The feature store: a Feast repository of a project's raw columns and of its feature program."""
