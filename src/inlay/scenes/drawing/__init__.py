"""Shapes, textures and the stage on which every scene is drawn."""
