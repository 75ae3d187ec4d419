"""Skin and eyes."""
