"""What an audit costs: CPU, wall and memory for each repository, Checkov beside, kills, a large store.

    python -m benchmarks.audit repositories PATH... [--checkov PATH/bin/checkov] [--only N]
    python -m benchmarks.audit kills PATH... [--rounds N]
    python -m benchmarks.audit store [--repositories N] [--findings N]

``repositories`` audits the same sources with one worker, with two, and once more unchanged; with
``--checkov`` it runs Checkov on each of the sources that are folders, one after the other, as one would
in a shell loop. ``kills`` ends audits at random moments, with all that they started or alone, until they
have come to an end, and compares the store with that of an audit that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, run, table
from tests.audit.conftest import dump
from tests.audit.made import filled

from blastdoor.audit.query import QUERIES, ask
from blastdoor.audit.report import document
from blastdoor.audit.store import Store

CHECKOV: Final = (
    *("--framework", "terraform", "cloudformation"),
    *("--quiet", "--compact", "--skip-download"),
)
TIMEOUT: Final = 600


def audit(sources: list[str], store: Path, *further: str) -> list[str]:
    """The command of an audit."""
    begin = [sys.executable, "-m", "blastdoor", "audit", *sources]
    return [*begin, "--store", str(store), "--allow-failures", "--quiet", *further]


def rows(store: Path, sql: str) -> list[sqlite3.Row]:
    """The answer of a store."""
    connection = sqlite3.connect(store)
    connection.row_factory = sqlite3.Row
    try:
        return list(connection.execute(sql))
    finally:
        connection.close()


def repositories(options: argparse.Namespace, scratch: Path) -> None:
    """Effect: audits the sources and prints what that cost."""
    sources = [str(path.resolve()) for path in options.sources]
    one, two = scratch / "one.sqlite", scratch / "two.sqlite"
    costs = {
        "one worker": run(audit(sources, one, "--jobs", "1")),
        "two workers": run(audit(sources, two, "--jobs", "2")),
        "once more, unchanged": run(audit(sources, two, "--jobs", "2")),
    }
    lines = [
        [name, f"{cost.wall:.1f} s", f"{cost.cpu:.1f} s", f"{cost.memory:.0f} MB"]
        for name, cost in costs.items()
    ]
    print(table(("run", "wall", "CPU", "largest process"), lines))
    first, second = costs["one worker"], costs["two workers"]
    again = costs["once more, unchanged"]
    (sums,) = rows(
        one,
        "SELECT count(*) AS number, sum(l.state = 'failed') AS failed, max(l.memory) AS memory,"
        " sum(l.cpu) AS cpu, sum(s.resources) AS resources, sum(s.errors + s.warnings + s.notes)"
        " AS findings FROM ledger l LEFT JOIN result s ON s.id = l.result",
    )
    print(
        f"\n{sums['number']} repositories, {sums['failed']} failed, {sums['resources']} resources, "
        f"{sums['findings']} findings; {first.cpu / sums['number']:.2f} s of CPU each, "
        f"peak {sums['memory'] / 1e6:.0f} MB a worker; "
        f"two workers: {first.wall / second.wall:.2f} times the throughput; "
        f"unchanged: {second.cpu / again.cpu:.0f} times less CPU"
    )
    if options.checkov is not None:
        beside(options, one)


def beside(options: argparse.Namespace, store: Path) -> None:
    """Effect: runs Checkov on the folders, one after the other, and prints both."""
    found = {
        row["name"]: row["cpu"]
        for row in rows(
            store, "SELECT r.name, l.cpu FROM ledger l JOIN repository r ON r.id = l.repository"
        )
    }
    lines: list[list[str]] = []
    mine = theirs = 0.0
    for path in options.sources[: options.only]:
        folder = path.resolve()
        if folder.name not in found:
            continue
        cost = checkov(options.checkov, folder)
        lines.append(
            [folder.name, f"{found[folder.name]:.2f} s", f"{cost.cpu:.1f} s", str(cost.code)]
        )
        mine += found[folder.name]
        theirs += cost.cpu
        print(f"{folder.name}: {cost.cpu:.1f} s", file=sys.stderr, flush=True)
    print()
    print(table(("repository", "ours, CPU", "Checkov, CPU", "its exit code"), lines))
    print(f"\ntogether {mine:.1f} s and {theirs:.1f} s: {theirs / mine:.0f} times")


def checkov(program: Path, folder: Path) -> Cost:
    """The cost of Checkov on a folder; 124 is the code of a run that was ended after `TIMEOUT`."""
    return run(["timeout", str(TIMEOUT), str(program), "-d", str(folder), *CHECKOV], cwd=folder)


def kills(options: argparse.Namespace, scratch: Path) -> None:
    """Effect: ends audits at random moments, and says whether they come to the same."""
    sources = [str(path.resolve()) for path in options.sources]
    whole = scratch / "whole.sqlite"
    began = time.perf_counter()
    subprocess.run(audit(sources, whole, "--jobs", "2"), check=True)
    length = time.perf_counter() - began
    expected = dump(whole)
    chance = random.Random(options.seed)  # noqa: S311  moments, not secrets
    total = 0
    for round_ in range(options.rounds):
        store = scratch / f"killed{round_}.sqlite"
        count, resume = 0, False
        while True:
            given = ["--resume"] if resume else sources
            process = subprocess.Popen(audit(given, store, "--jobs", "2"), start_new_session=True)
            try:
                process.wait(chance.uniform(0.05, length * 0.6))
            except subprocess.TimeoutExpired:
                count += 1
                victims = [process.pid]
                if count % 2:
                    # Only a worker: the audit itself goes on.
                    victims = children(process.pid)[:1] or victims
                for pid in victims:
                    os.kill(pid, signal.SIGKILL)
                if process.pid not in victims:
                    time.sleep(0.3)
                    os.kill(process.pid, signal.SIGKILL)
                process.wait()
                resume = begun(store)
                continue
            break
        total += count
        same = dump(store) == expected
        print(
            f"round {round_ + 1}: {count} kills, {'the same' if same else 'ANOTHER RESULT'}",
            flush=True,
        )
        if not same:
            sys.exit(1)
    print(f"{options.rounds} audits, {total} kills, every store the same")


def begun(store: Path) -> bool:
    """Whether a store holds an audit that can be resumed."""
    try:
        return bool(rows(store, "SELECT 1 FROM audit WHERE finished IS NULL"))
    except sqlite3.OperationalError:
        return False


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found = subprocess.run(
        ["/usr/bin/env", "ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def store(options: argparse.Namespace, scratch: Path) -> None:
    """Effect: fills a store with made findings, asks every question, and prints the times."""
    path = scratch / "large.sqlite"
    lines = []
    began = time.perf_counter()
    with Store(str(path), write=True) as opened:
        filled(opened, options.repositories, options.findings)
        lines.append(["entered, in two audits", f"{time.perf_counter() - began:.1f} s", ""])
        (count,) = opened.connection.execute(
            "SELECT count(*) FROM findings WHERE audit = 2"
        ).fetchone()
        for name in QUERIES:
            start = time.perf_counter()
            number = sum(1 for _ in ask(opened.connection, name).rows)
            lines.append([name, f"{time.perf_counter() - start:.2f} s", f"{number:,}"])
        start = time.perf_counter()
        size = len(document(opened.connection))
        lines.append(
            ["the HTML report", f"{time.perf_counter() - start:.1f} s", f"{size / 1e6:.1f} MB"]
        )
    print(table((f"{count:,} findings", "wall", "rows"), lines))
    print(f"\nall of it {time.perf_counter() - began:.1f} s; {path.stat().st_size / 1e6:.0f} MB")


def main() -> None:
    """Effect: runs what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("repositories")
    one.add_argument("sources", nargs="+", type=Path)
    one.add_argument("--checkov", type=Path)
    one.add_argument("--only", type=int, help="folders that Checkov runs on")
    one.set_defaults(do=repositories)
    two = commands.add_parser("kills")
    two.add_argument("sources", nargs="+", type=Path)
    two.add_argument("--rounds", type=int, default=3)
    two.add_argument("--seed", type=int, default=1)
    two.set_defaults(do=kills)
    three = commands.add_parser("store")
    three.add_argument("--repositories", type=int, default=1_000)
    three.add_argument("--findings", type=int, default=1_000, help="of each repository")
    three.set_defaults(do=store)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="blastdoor-benchmark-"))
    try:
        options.do(options, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
