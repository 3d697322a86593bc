"""What happens to a model in production: its prediction log, drift against reference data, quality once labels are known."""
