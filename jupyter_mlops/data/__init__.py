"""What a notebook reads: versions of its files (DVC), expectations about its tables (Great Expectations)."""
