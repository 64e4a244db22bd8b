"""A trained model over HTTP: an image in, its segmentation in any format out."""
