"""JSON Schemas of what crosses to other programs."""
