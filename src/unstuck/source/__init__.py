"""READ: what scripts and notebooks say, without running them. Standard library only; imports no Keras, no NumPy."""
