"""What one run of a program costs, as the kernel counts it: CPU time, wall time, peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

NATIVE: Final = (".tf", ".tofu", ".tfvars")
"""Endings of the files in Terraform's native syntax."""


@dataclass(frozen=True)
class Cost:
    """The cost of one run, its children included."""

    cpu: float
    """User and system time, in seconds."""
    wall: float
    """Seconds from start to end."""
    memory: float
    """Peak resident set of the largest process, in MB (10⁶ bytes)."""
    code: int
    """The exit code."""

    def to_json(self) -> dict[str, float | int]:
        """The figures under their names."""
        return asdict(self)


def run(
    command: Sequence[str],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Cost:
    """The cost of a command. Effect: runs it, its output thrown away."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=None if environment is None else {**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    # Popen must not wait for what is already gone.
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return Cost(
        usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit / 1e6, process.returncode
    )


def median(costs: Iterable[Cost]) -> Cost:
    """The cost whose every figure is the median; the exit code is the highest."""
    runs = list(costs)
    return Cost(
        statistics.median(cost.cpu for cost in runs),
        statistics.median(cost.wall for cost in runs),
        statistics.median(cost.memory for cost in runs),
        max(cost.code for cost in runs),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def decoded(folder: Path, endings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Path within the folder and text of its files with these endings, those that are UTF-8."""
    for path in sorted(folder.rglob("*")):
        if not path.name.endswith(endings) or path.is_symlink() or not path.is_file():
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
        yield path.relative_to(folder).as_posix(), text


def native_texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Path within the folder and text of its native Terraform files."""
    return decoded(folder, NATIVE)
