"""``python -m blastdoor``: the command line."""

import os
import sys

if __name__ == "__main__":
    # Python puts the working directory first on the search path, and that is what is analysed: no
    # module may come from it.
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:  # noqa: PTH109  no import for it
        del sys.path[0]
    from blastdoor.cli import main

    main()
