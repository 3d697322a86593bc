"""Subcommands of the command line: each parses, calls its workflow and prints."""
