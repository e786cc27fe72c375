"""What the recorded source says: the person's own classes, calls and expressions."""
