"""The use cases, each composed once: command line, magics, sidebar and tests call the same functions."""
