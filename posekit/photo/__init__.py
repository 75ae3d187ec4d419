"""Photographs of real people: joints and silhouette by a pose model that runs on any processor."""
