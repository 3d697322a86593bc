"""Rules that find what would not survive production in a notebook; `registry` says how one is added."""
