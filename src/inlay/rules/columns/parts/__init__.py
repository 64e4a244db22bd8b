"""What serves the families of columns: runs, hulls, words."""
