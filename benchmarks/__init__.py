"""Measurements of speed and of rules on real notebooks."""
