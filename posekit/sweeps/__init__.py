"""Notebooks run over parameters and seeds by papermill, and what they record."""
