"""Losses, of pixels and of masks."""
