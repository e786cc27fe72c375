"""DERIVE: pure, cached quantities from the record. No clock, no environment, no hidden randomness."""
