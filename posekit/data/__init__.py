"""Readers of the field's files, data sets of rendered people, and the noise of an estimator."""
