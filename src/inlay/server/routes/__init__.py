"""Routes: one file for each noun. A route translates, calls the store, and translates back."""
