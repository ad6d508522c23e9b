r"""blastdoor and bandit on the same Python files, and `ast.parse` alone: CPU as ratios.

    python -m benchmarks.programs --blastdoor .venv/bin/blastdoor [--bandit PATH/bin/bandit] FOLDER...

The first files of the folders, by path, that blastdoor takes for code about a cloud are copied into one
scratch folder, each below a folder of its own. One run of each program comes first and is not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import Cost, median, table
from benchmarks.peers import BLASTDOOR_CODES, checked, existing, program

from blastdoor.source.content import kind_of_content
from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT: Final = 300
PARSE: Final = """
import ast, pathlib, sys
for path in pathlib.Path(".").rglob("*.py"):
    try:
        ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        pass
"""


def programs(folders: list[Path]) -> Iterator[Path]:
    """The Python files of the folders that say something of a cloud, in the order of their paths."""
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            if path.is_file() and kind_of_content(path.name, path.read_bytes()) is Kind.PYTHON:
                yield path


def main() -> None:
    """Effect: runs the comparison and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=existing, metavar="FOLDER")
    parser.add_argument("--blastdoor", type=program, required=True, metavar="PATH")
    parser.add_argument("--bandit", type=program, metavar="PATH")
    parser.add_argument("--count", type=int, default=COUNT, help=f"files (default: {COUNT})")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each (default: 3)")
    options = parser.parse_args()
    each = -(-options.count // len(options.folders))
    paths = [path for folder in options.folders for path in list(programs([folder]))[:each]]
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for number, path in enumerate(paths[: options.count]):
            place = scratch / f"p{number:03}"
            place.mkdir()
            (place / path.name).write_bytes(path.read_bytes())
        commands = {
            "blastdoor": ([str(options.blastdoor), "check", "."], BLASTDOOR_CODES),
            "ast.parse": ([sys.executable, "-c", PARSE], frozenset({0})),
            "nothing": ([sys.executable, "-c", ""], frozenset({0})),
        }
        if options.bandit is not None:
            command = [str(options.bandit), "-r", "-q", "."]
            commands["bandit"] = (command, frozenset({0, 1}))
        for turn in range(options.runs + 1):
            for name, (command, codes) in commands.items():
                cost = checked(command, codes, scratch)
                if turn:
                    costs.setdefault(name, []).append(cost)
    ours = median(costs["blastdoor"]).cpu
    rows = [
        [name, f"{cost.cpu:.2f} s", f"{cost.memory:.0f} MB", f"{cost.cpu / ours:.2f}x"]
        for name, cost in ((name, median(found)) for name, found in costs.items())
    ]
    print(f"{min(len(paths), options.count)} Python files")
    print(table(("program", "CPU", "peak", "CPU ratio"), rows))


if __name__ == "__main__":
    main()
