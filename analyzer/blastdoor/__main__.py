"""``python -m blastdoor``: the command line."""

from blastdoor.cli import main

if __name__ == "__main__":
    main()
