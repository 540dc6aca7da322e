"""`python -m visual_foresight`: the same as the command `visual-foresight`."""

from visual_foresight.cli import main

if __name__ == "__main__":
    main()
