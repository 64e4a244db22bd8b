"""What becomes of findings: one module for each kind of file."""
