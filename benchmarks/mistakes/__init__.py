"""Injectors: clean samples in, samples with one known error out."""
