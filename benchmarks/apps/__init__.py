"""The servers that the generated service is measured against, as one would write them by hand."""
