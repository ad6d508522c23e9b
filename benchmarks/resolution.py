"""How much of what a repository alone decides blastdoor resolves, by kind of value.

python -m benchmarks.resolution --blastdoor PROGRAM FOLDER... [--reasons N]

A value is decidable unless it depends on what is not in the repository: a variable without a value,
the environment that runs it, another state, text that does not parse. The table gives what is
resolved of what is decidable, and beside it how many values are not decidable; ``--reasons`` also
the commonest reasons why a value stays unknown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import table


def report(program: str, folder: Path) -> dict[str, Any]:
    """The JSON report on a folder. Raises RuntimeError when there is none."""
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "report.json")
        done = subprocess.run(
            [
                program,
                "check",
                str(folder),
                "--isolated",
                "--exit-zero",
                "--output",
                f"json={file}",
            ],
            capture_output=True,
            check=False,
            text=True,
        )
        if not file.is_file():
            words = f"no report on {folder}: {done.stderr.strip()[-500:]}"
            raise RuntimeError(words)
        read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def cell(kind: dict[str, Any] | None) -> str:
    """``resolved of decidable = share (not decidable)``."""
    if kind is None:
        return "none"
    decidable = kind["resolved"] + kind["unresolved"]
    share = f"{kind['resolved'] / decidable:.0%}" if decidable else "none"
    return f"{kind['resolved']} of {decidable} = {share} ({kind['undecidable']})"


def main() -> None:
    """Effect: runs blastdoor and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--blastdoor", required=True, metavar="PROGRAM")
    parser.add_argument("--reasons", type=int, default=0, metavar="N")
    options = parser.parse_args()
    reports = {folder.name: report(options.blastdoor, folder) for folder in options.folders}
    kinds = sorted({kind for found in reports.values() for kind in found["coverage"]["kinds"]})
    rows = []
    for name, found in reports.items():
        summary = found["summary"]
        counts = [str(summary["files"]), str(summary["units"]), str(summary["resources"])]
        failures = str(sum(summary["failures"].values()))
        rows.append(
            [
                name,
                *counts,
                *(cell(found["coverage"]["kinds"].get(kind)) for kind in kinds),
                failures,
            ]
        )
    print(table(("repository", "files", "units", "resources", *kinds, "failures"), rows))
    for name, found in reports.items() if options.reasons else ():
        reasons = sorted(found["coverage"]["reasons"].items(), key=lambda pair: -pair[1])
        print(f"\n{name}:")
        for reason, count in reasons[: options.reasons]:
            print(f"  {count} {reason}")


if __name__ == "__main__":
    main()
