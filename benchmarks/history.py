"""What `blastdoor diff` says of the last commits of a repository, one by one, and what each costs.

    python -m benchmarks.history --blastdoor .venv/bin/blastdoor repositories/*

takes the last commits without merges that touch a file which is analysed, each against its first
parent, and counts commits with widenings and with errors. ``--json FILE`` keeps what was said, for
somebody to judge. A repository is a work tree or a bare one; nothing is checked out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.measure import Cost, run, table
from benchmarks.peers import existing, program

PATHS: Final = ("*.tf", "*.tofu", "*.tf.json", "*.tfvars", "*.hcl")
"""What a commit has to touch to count."""
CODES: Final = frozenset({0, 1, 2, 3})


def commits(directory: Path, number: int, paths: tuple[str, ...], revision: str) -> list[str]:
    """The ids of the last commits that touch one of some paths, the newest first."""
    git = shutil.which("git") or sys.exit("git is needed")
    done = subprocess.run(
        [
            git,
            f"--git-dir={directory}",
            "rev-list",
            "--no-merges",
            "--min-parents=1",
            f"--max-count={number}",
            revision,
            "--",
            *paths,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def git_directory(repository: Path) -> Path:
    """The git directory of a work tree, or a bare repository itself."""
    inner = repository / ".git"
    return inner.resolve() if inner.is_dir() else repository.resolve()


def judge(
    command: list[str], commit: str, place: Path, report: Path
) -> tuple[Cost, dict[str, Any]]:
    """The cost of one commit, and what was said. Effect: runs the program, writes ``report``."""
    report.unlink(missing_ok=True)
    cost = run([*command, "diff", f"{commit}^", commit, "--output", f"json={report}"], cwd=place)
    said = json.loads(report.read_text("utf-8")) if report.exists() else {}
    return cost, said


def row(name: str, runs: list[dict[str, Any]]) -> list[str]:
    """One line of the table."""
    cpu = [run["cpu"] for run in runs]
    return [
        name,
        f"{len(runs)}",
        f"{sum(bool(run['widenings']) for run in runs)}",
        f"{sum(any(w['level'] == 'error' for w in run['widenings']) for run in runs)}",
        f"{sum(bool(run['failures']) for run in runs)}",
        f"{statistics.median(cpu):.2f} s",
        f"{max(cpu):.2f} s",
        f"{max(run['memory'] for run in runs):.0f} MB",
    ]


HEAD: Final = (
    "repository",
    "commits",
    "with widenings",
    "with errors",
    "with failures",
    "median CPU",
    "most CPU",
    "most memory",
)


def _run_of(commit: str, cost: Cost, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "commit": commit,
        **cost.to_json(),
        "widenings": [
            {
                key: widening["finding"][key] if key in ("level", "message") else widening[key]
                for key in ("level", "message", "rule", "unit", "file", "line", "before", "after")
            }
            for widening in said.get("widenings", ())
        ],
        "introduced": [
            {key: finding[key] for key in ("level", "message", "rule")}
            for finding in said.get("introduced", ())
        ],
        "failures": [failure["message"] for failure in said.get("failures", ())],
    }


def main() -> None:
    """Effect: runs, prints the table and writes the runs as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repositories", nargs="+", type=existing, metavar="REPOSITORY")
    parser.add_argument("--blastdoor", type=program, required=True, metavar="PATH")
    parser.add_argument("--commits", type=int, default=300, help="of each (default: 300)")
    parser.add_argument("--revision", default="HEAD", help="where to begin (default: HEAD)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows: list[list[str]] = []
    every: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for repository in options.repositories:
            directory = git_directory(repository)
            place = Path(scratch, f"place{len(rows)}")
            place.mkdir()
            # A work tree with no file in it: whatever is said comes from the objects.
            (place / ".git").write_text(f"gitdir: {directory}\n", "utf-8")
            runs: list[dict[str, Any]] = []
            for commit in commits(directory, options.commits, PATHS, options.revision):
                report = Path(scratch, "report.json")
                cost, said = judge([str(options.blastdoor)], commit, place, report)
                if cost.code not in CODES:
                    sys.exit(f"blastdoor ended with {cost.code} on {commit}")
                runs.append(_run_of(commit, cost, said))
            every[repository.name] = runs
            if runs:
                rows.append(row(repository.name, runs))
            if options.json is not None:
                options.json.write_text(json.dumps(every, indent=1), "utf-8")
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
