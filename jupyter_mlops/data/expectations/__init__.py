"""Expectations about tables: calls in a cell, suites as files, Great Expectations beneath."""
