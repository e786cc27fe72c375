"""What the labels say, and whether each row has its own."""
