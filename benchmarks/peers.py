"""blastdoor and Checkov on the same files, run in turn: CPU, wall and peak memory as ratios.

    python -m benchmarks.peers --blastdoor .venv/bin/blastdoor --checkov PATH/bin/checkov TARGET...

Each program comes from an environment of its own. One run of each comes first and is not counted,
so that both find their files in the page cache and their modules compiled; then they run in turn,
A B A B, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, median, run, table

CHECKOV: Final = ("--framework", "terraform", "--quiet", "--compact", "--skip-download")
BLASTDOOR_CODES: Final = frozenset({0, 1, 2})
"""Codes of a run that analysed: found nothing, found something, could not analyse all."""
CHECKOV_CODES: Final = frozenset({0, 1})


@dataclass(frozen=True)
class Pair:
    """All runs on one target; no Checkov runs where only blastdoor was measured."""

    target: Path
    files: int
    blastdoor: list[Cost]
    checkov: list[Cost]

    def row(self) -> list[str]:
        """The medians and their ratios as a row of the table."""
        ours = median(self.blastdoor)
        cells = [self.target.name, str(self.files)]
        theirs = median(self.checkov) if self.checkov else None
        for name, digits, unit in (("cpu", 2, " s"), ("wall", 2, " s"), ("memory", 0, " MB")):
            mine: float = getattr(ours, name)
            cells.append(f"{mine:.{digits}f}{unit}")
            if theirs is None:
                cells += ["", ""]
            else:
                other: float = getattr(theirs, name)
                cells += [f"{other:.{digits}f}{unit}", f"{other / mine:.1f}x"]
        return cells

    def to_json(self) -> dict[str, object]:
        """The name of the target, never its path, with every run and the ratios."""
        found: dict[str, object] = {
            "target": self.target.name,
            "files": self.files,
            "blastdoor": [cost.to_json() for cost in self.blastdoor],
            "checkov": [cost.to_json() for cost in self.checkov],
        }
        if self.checkov:
            ours, theirs = median(self.blastdoor), median(self.checkov)
            found["ratios"] = {
                "cpu": theirs.cpu / ours.cpu,
                "wall": theirs.wall / ours.wall,
                "memory": theirs.memory / ours.memory,
            }
        return found


HEAD: Final = (
    "target",
    "files",
    *(
        f"{figure} {column}"
        for figure in ("CPU", "wall", "peak")
        for column in ("ours", "Checkov", "ratio")
    ),
)


def terraform_files(target: Path) -> int:
    """How many Terraform files a target holds."""
    if target.is_file():
        return 1
    endings = (".tf", ".tf.json", ".tofu", ".tofu.json")
    return sum(
        name.endswith(endings) for _folder, _folders, names in os.walk(target) for name in names
    )


def checked(command: list[str], allowed: frozenset[int], cwd: Path) -> Cost:
    """The cost of a run that did its work. Effect: ends the script when it did not."""
    cost = run(command, cwd=cwd)
    if cost.code not in allowed:
        sys.exit(f"{Path(command[0]).name} ended with {cost.code}: {' '.join(command[1:])}")
    return cost


def compare(target: Path, blastdoor: Path, checkov: Path | None, runs: int) -> Pair:
    """The runs on one target. Effect: runs the programs, in the target's own folder."""
    whole = target.resolve()
    if whole.is_dir():
        return _compare(target, whole, blastdoor, checkov, runs)
    with tempfile.TemporaryDirectory() as scratch:
        # A single file stands alone, or blastdoor would read the repository around it.
        return _compare(target, Path(shutil.copy(whole, scratch)), blastdoor, checkov, runs)


def _compare(target: Path, place: Path, blastdoor: Path, checkov: Path | None, runs: int) -> Pair:
    single = place.is_file()
    folder = place.parent if single else place
    ours = [str(blastdoor), "check", str(place)]
    theirs = [str(checkov), "-f" if single else "-d", str(place), *CHECKOV]
    pair = Pair(target, terraform_files(place), [], [])
    for turn in range(runs + 1):
        cost = checked(ours, BLASTDOOR_CODES, folder)
        if turn:
            pair.blastdoor.append(cost)
        if checkov is not None:
            cost = checked(theirs, CHECKOV_CODES, folder)
            if turn:
                pair.checkov.append(cost)
    return pair


def program(text: str) -> Path:
    """A program given by its path, made absolute: the runs have another working directory."""
    path = Path(os.path.abspath(text))  # noqa: PTH100  resolve() would leave the environment
    if not os.access(path, os.X_OK):
        raise argparse.ArgumentTypeError(f"{text} is no program")
    return path


def existing(text: str) -> Path:
    """A file or folder that is there."""
    path = Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text} does not exist")
    return path


def main() -> None:
    """Effect: runs the comparison, prints the table and writes the runs as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="+", type=existing, metavar="TARGET")
    parser.add_argument("--blastdoor", type=program, required=True, metavar="PATH")
    parser.add_argument(
        "--checkov", type=program, metavar="PATH", help="without it only blastdoor is measured"
    )
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every run, not only medians")
    options = parser.parse_args()
    pairs = []
    for target in options.targets:
        print(f"{target.name} …", file=sys.stderr, flush=True)
        pairs.append(compare(target, options.blastdoor, options.checkov, max(1, options.runs)))
    print(table(HEAD, [pair.row() for pair in pairs]))
    if options.json is not None:
        text = json.dumps([pair.to_json() for pair in pairs], indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
