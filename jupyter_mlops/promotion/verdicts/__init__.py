"""Verdicts from numbers alone: nothing here waits, asks a server, or knows what a promotion is."""
