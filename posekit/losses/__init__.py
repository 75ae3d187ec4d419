"""Losses, one per file; every one is a mean over the batch and has no weight of its own."""
