"""What a street is made of."""
