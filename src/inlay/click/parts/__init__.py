"""What click engines are made of."""
