"""The figures we claim, each made by a command: `make bench` (speed, memory) and `make quality` (right and wrong)."""
