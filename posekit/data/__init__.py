"""Readers of the field's files, data sets of their folders and of rendered people, and the noise of an estimator."""
