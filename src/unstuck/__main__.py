"""`python -m unstuck`."""

from unstuck.cli import main

if __name__ == "__main__":
    main(prog_name="unstuck")
