"""Figures, probes and widgets of notebook 11."""
