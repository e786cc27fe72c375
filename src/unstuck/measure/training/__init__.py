"""What happened in training: losses, rates, logs, how it ended."""
