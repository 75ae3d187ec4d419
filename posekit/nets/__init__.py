"""Networks, one per file, named for what they are."""
