"""Pretrained networks of `transformers`: their folders, and what makes them speak in segmentations."""
