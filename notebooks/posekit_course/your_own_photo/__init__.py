"""Figures, probes and widgets of notebook 10."""
