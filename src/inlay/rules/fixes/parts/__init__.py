"""What fixes share."""
