"""``blastdoor export``: attribute rules for another tool."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from blastdoor.beside.policies import HEADER, PolicyError, written
from blastdoor.cli import names
from blastdoor.cli.places import from_here
from blastdoor.cli.streams import CallerError, replacing, show
from blastdoor.report.escape import sanitise
from blastdoor.report.text import counted
from blastdoor.source import MAX_SIZE, read_regular

DONE, NOTHING = 0, 3


class Request(NamedTuple):
    """What the command line says."""

    folder: str
    config_file: str | None = None
    isolated: bool = False
    detectors: tuple[str, ...] = ()
    dry_run: bool = False


def checkov(request: Request) -> int:
    """The exit code. Effect: writes policies, says what is left out. Raises CallerError."""
    rules = names.rules_here(request.config_file, request.detectors, isolated=request.isolated)
    policies: dict[str, str] = {}
    left_out: dict[str, list[str]] = {}
    for rule in rules:
        try:
            policies[rule.id] = written(rule)
        except PolicyError as error:
            left_out.setdefault(str(error), []).append(rule.id)
    folder = Path(request.folder)
    lines = []
    for slug, text in policies.items():
        file = folder / f"{slug}.yaml"
        lines.append(f"{sanitise(from_here(file))}\n")
        if not request.dry_run:
            _write(file, text)
    verb = "would be written" if request.dry_run else "written"
    count = len(policies)
    lines.append(f"{count} {'policy' if count == 1 else 'policies'} {verb}\n")
    for reason, slugs in left_out.items():
        lines.append(f"\n{counted(len(slugs), 'rule')} left out, {sanitise(reason)}:\n")
        lines += [f"  {sanitise(slug)}\n" for slug in slugs]
    show("".join(lines))
    return DONE if policies else NOTHING


def _write(file: Path, text: str) -> None:
    """Effect: writes a policy; only over one that was written before. Raises CallerError."""
    shown = sanitise(from_here(file))
    if os.path.lexists(file) and not (read_regular(file, MAX_SIZE) or b"").startswith(
        HEADER.encode()
    ):
        raise CallerError(f"{shown} is there already, and not written by this command")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(str(file)) as stream:
            stream.write(text)
    except OSError as error:
        raise CallerError(f"{shown}: {error.strerror}") from error
