"""Metrics: the field's definitions through kept libraries, with the protocol as part of the number."""
