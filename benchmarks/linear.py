"""Whether `blastdoor check` costs twice as much on twice as much code.

    python -m benchmarks.linear --blastdoor .venv/bin/blastdoor FOLDER

copies the folder 1, 2 and 4 times below one temporary folder (outside any git work tree) and runs
the check on each. What start-up costs is measured on one empty configuration and taken off, or it
would make any growth look flat.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, median, run, table
from benchmarks.peers import BLASTDOOR_CODES, existing, program, terraform_files

SIZES: Final = (1, 2, 4)


def copies(folder: Path, number: int, place: Path) -> Path:
    """A folder that holds copies of another. Effect: writes it."""
    for index in range(number):
        shutil.copytree(
            folder,
            place / f"copy{index}",
            symlinks=True,
            ignore=shutil.ignore_patterns(".git", ".terraform"),
        )
    return place


def main() -> None:
    """Effect: copies, runs, prints the table and writes the runs as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=existing, metavar="FOLDER")
    parser.add_argument("--blastdoor", type=program, required=True, metavar="PATH")
    parser.add_argument("--runs", type=int, default=3, help="counted runs (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        empty = Path(scratch, "empty")
        empty.mkdir()
        (empty / "main.tf").write_text("locals {}\n", encoding="utf-8")
        places = {0: empty}
        for size in SIZES:
            places[size] = copies(options.folder.resolve(), size, Path(scratch, f"times{size}"))
        costs: dict[int, list[Cost]] = {size: [] for size in places}
        for turn in range(max(1, options.runs) + 1):
            for size, place in places.items():
                cost = run([str(options.blastdoor), "check", str(place)], cwd=place)
                if cost.code not in BLASTDOOR_CODES:
                    sys.exit(f"blastdoor ended with {cost.code} on {size} copies")
                if turn:
                    costs[size].append(cost)
        start = median(costs[0]).cpu
        once = median(costs[1]).cpu - start
        rows = []
        for size in SIZES:
            cost = median(costs[size])
            rows.append(
                [
                    f"{size}x {options.folder.resolve().name}",
                    str(terraform_files(places[size])),
                    f"{cost.cpu:.2f} s",
                    f"{(cost.cpu - start) / once:.2f}x",
                    f"{cost.memory:.0f} MB",
                ]
            )
    print(table(("input", "files", "CPU", "CPU without start-up", "peak"), rows))
    print(f"\nStart-up: {start:.2f} s.")
    if options.json is not None:
        found = {size: [cost.to_json() for cost in runs] for size, runs in costs.items()}
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
