"""What held-out rows have in common with training rows, and where either came from."""
