"""Raw tensors of a model into segmentations."""
