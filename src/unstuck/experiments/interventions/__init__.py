"""The changes that experiments try, one a file."""
