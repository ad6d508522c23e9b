r"""blastdoor, cfn-lint and Checkov on the same CloudFormation templates, run in turn: CPU as ratios.

    python -m benchmarks.templates --blastdoor .venv/bin/blastdoor --cfn-lint PATH/bin/cfn-lint \
        --checkov PATH/bin/checkov FOLDER...

The first templates of the folders, by name, are copied into one scratch folder under plain names, so
that nothing around them counts. One run of each program comes first and is not counted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measure import Cost, median, table
from benchmarks.peers import BLASTDOOR_CODES, CHECKOV_CODES, checked, existing, program

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT: Final = 200
ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
CFN_LINT_CODES: Final = frozenset(range(16))
"""cfn-lint adds 2 for errors, 4 for warnings and 8 for remarks."""
RAIN: Final = "Rain::"
"""Templates with Rain's directives end Checkov's whole run: they are left out."""


def templates(folders: list[Path]) -> Iterator[Path]:
    """The templates of the folders, in the order of their paths."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in ENDINGS and path.is_file():
                text = path.read_text(encoding="utf-8", errors="replace")
                if "AWSTemplateFormatVersion" in text and RAIN not in text:
                    yield path


def laid_out(paths: list[Path], scratch: Path) -> list[str]:
    """Effect: copies templates into a folder. Returns the names that they have there."""
    names = []
    for number, path in enumerate(paths):
        ending = ".json" if path.read_text(encoding="utf-8").lstrip().startswith("{") else ".yaml"
        names.append(f"t{number:03}{ending}")
        (scratch / names[-1]).write_bytes(path.read_bytes())
    return names


def main() -> None:
    """Effect: runs the comparison and prints the table, as JSON too where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=existing, metavar="FOLDER")
    parser.add_argument("--blastdoor", type=program, required=True, metavar="PATH")
    parser.add_argument("--cfn-lint", type=program, metavar="PATH")
    parser.add_argument("--checkov", type=program, metavar="PATH")
    parser.add_argument("--count", type=int, default=COUNT, help=f"templates (default: {COUNT})")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every run, not only medians")
    options = parser.parse_args()
    paths = list(templates(options.folders))[: options.count]
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        names = laid_out(paths, scratch)
        commands = {
            "blastdoor": ([str(options.blastdoor), "check", "."], BLASTDOOR_CODES),
        }
        if options.cfn_lint is not None:
            commands["cfn-lint"] = ([str(options.cfn_lint), "--", *names], CFN_LINT_CODES)
        if options.checkov is not None:
            frame = ("--framework", "cloudformation", "--quiet", "--compact", "--skip-download")
            commands["checkov"] = ([str(options.checkov), "-d", ".", *frame], CHECKOV_CODES)
        for turn in range(options.runs + 1):
            for name, (command, codes) in commands.items():
                print(f"{name}, run {turn} …", file=sys.stderr, flush=True)
                cost = checked(command, codes, scratch)
                if turn:
                    costs.setdefault(name, []).append(cost)
    ours = median(costs["blastdoor"])
    rows = []
    for name, found in costs.items():
        cost = median(found)
        rows.append(
            [
                name,
                f"{cost.cpu:.2f} s",
                f"{cost.wall:.2f} s",
                f"{cost.memory:.0f} MB",
                f"{cost.cpu / ours.cpu:.1f}x",
            ]
        )
    print(f"{len(paths)} templates")
    print(table(("program", "CPU", "wall", "peak", "CPU ratio"), rows))
    if options.json is not None:
        runs = {name: [cost.to_json() for cost in found] for name, found in costs.items()}
        text = json.dumps({"templates": len(paths), "runs": runs}, indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
