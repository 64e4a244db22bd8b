"""What the formats share, and what the larger ones are made of."""
