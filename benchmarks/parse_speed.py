"""How fast the Terraform files of a folder are parsed, in MB/s of CPU time.

python -m benchmarks.parse_speed FOLDER...

needs blastdoor in the environment of this Python. Reading from disk and decoding are not counted;
building the tree with all its places is. Native files (`blastdoor.parse.hcl`) and ``.tf.json`` files
(`blastdoor.parse.terraform_json`) are measured apart.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import decoded, native_texts, table

from blastdoor.parse.hcl import parse_hcl
from blastdoor.parse.terraform_json import parse_terraform_json
from blastdoor.span import Document


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


def measured(folder: Path, runs: int, *, native: bool) -> Speed:
    """The speed over one folder; the first run is not counted."""
    files = [*native_texts(folder)] if native else [*decoded(folder, (".tf.json",))]
    parse = parse_hcl if native else parse_terraform_json
    seconds = []
    broken = 0
    for turn in range(runs + 1):
        begin = time.process_time()
        broken = 0
        for name, text in files:
            broken += bool(parse(Document(name, text)).faults)
        if turn:
            seconds.append(time.process_time() - begin)
    size = sum(len(text.encode("utf-8")) for _, text in files)
    name = folder.name if native else f"{folder.name} (JSON)"
    return Speed(name, len(files), size, broken, seconds)


def main() -> None:
    """Effect: parses, prints the table and writes the figures as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--runs", type=int, default=5, help="counted runs (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    runs = max(1, options.runs)
    speeds = [
        measured(folder, runs, native=native)
        for folder in options.folders
        for native in (True, False)
    ]
    speeds = [speed for speed in speeds if speed.files]
    print(table(("folder", "files", "size", "broken", "speed"), [s.row() for s in speeds]))
    if options.json is not None:
        text = json.dumps([speed._asdict() for speed in speeds], indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
