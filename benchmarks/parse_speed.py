"""How fast `blastdoor.parse.hcl` reads the native Terraform files of a folder, in MB/s of CPU time.

python -m benchmarks.parse_speed FOLDER...

needs blastdoor in the environment of this Python. Reading from disk and decoding are not counted;
building the tree with all its places is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.measure import table

from blastdoor.parse.hcl import parse_hcl
from blastdoor.span import Document

ENDINGS: Final = (".tf", ".tofu", ".tfvars")


class Speed(NamedTuple):
    """What parsing one folder came to."""

    name: str
    files: int
    size: int
    """Bytes."""
    broken: int
    """Files with a syntax error; they take a second pass."""
    seconds: list[float]
    """CPU time of each run."""

    @property
    def rate(self) -> float:
        """MB/s of the median run."""
        return self.size / 1e6 / statistics.median(self.seconds)

    def row(self) -> list[str]:
        """The figures as a row of the table."""
        size = f"{self.size / 1e6:.2f} MB"
        return [self.name, str(self.files), size, str(self.broken), f"{self.rate:.2f} MB/s"]


def texts(folder: Path) -> list[tuple[str, str, int]]:
    """Name, text and size of the native files of a folder, those that are UTF-8."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix not in ENDINGS or path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        try:
            found.append((path.name, data.decode("utf-8"), len(data)))
        except UnicodeDecodeError:
            continue
    return found


def measured(folder: Path, runs: int) -> Speed:
    """The speed over one folder; the first run is not counted."""
    files = texts(folder)
    seconds = []
    broken = 0
    for turn in range(runs + 1):
        begin = time.process_time()
        broken = 0
        for name, text, _size in files:
            broken += bool(parse_hcl(Document(name, text)).faults)
        if turn:
            seconds.append(time.process_time() - begin)
    return Speed(folder.name, len(files), sum(size for _, _, size in files), broken, seconds)


def main() -> None:
    """Effect: parses, prints the table and writes the figures as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=5, help="counted runs (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    speeds = [measured(folder, max(1, options.runs)) for folder in options.folders]
    speeds = [speed for speed in speeds if speed.files]
    print(table(("folder", "files", "size", "broken", "speed"), [s.row() for s in speeds]))
    if options.json is not None:
        text = json.dumps([speed._asdict() for speed in speeds], indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
