"""The one type and what it is made of: segmentations, masks, classes, samples, datasets."""
