"""What a page shows, wherever it comes from: one report or the store of many audits."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from blastdoor.record import dataclass

Quote = tuple[str, str, str]
"""A line of source: what is before, within and behind the place."""
LEVELS: Final = ("error", "warning", "note")


@dataclass(slots=True)
class RepositoryRow:
    """One repository and what it counts."""

    name: str
    owner: str = ""
    units: int = 0
    resources: int = 0
    failed: str = ""
    """Why it could not be analysed."""
    sarif: str = ""
    """Where its SARIF log is, relative to the page."""


@dataclass(slots=True)
class FindingRow:
    """One finding."""

    repository: int
    """Its place in `Page.repositories`."""
    rule: str
    level: str
    path: str
    line: int
    unit: str
    axis: str
    message: str
    contain: str
    new: bool = False
    agent: str = ""
    """The mark of an AI agent on its line."""
    quote: Quote | None = None
    related: list[tuple[str, int, str, Quote | None]] = field(default_factory=list)
    """(path, line, message, its line of source) of what decides it."""
    evidence: list[str] = field(default_factory=list)
    reach: list[tuple[str, str]] = field(default_factory=list)
    """(axis, extent in words)."""


@dataclass(slots=True)
class ReachRow:
    """How far one unit reaches on one axis."""

    repository: int
    unit: str
    environment: str
    axis: str
    reach: str
    known: bool
    broad: bool
    resources: int
    path: str
    line: int | None
    via: str


@dataclass(slots=True)
class RuleRow:
    """A rule as the page names it."""

    code: str
    title: str
    uri: str = ""


@dataclass(slots=True)
class Page:
    """One page."""

    title: str
    about: str
    """What it is of: the audit, the day, the version."""
    repositories: list[RepositoryRow]
    findings: list[FindingRow]
    """Worst first."""
    rules: dict[str, RuleRow]
    reaches: list[ReachRow] = field(default_factory=list)
    """Widest first."""
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    """(repository, path, message)."""
    trend: tuple[int, int, int, str] | None = None
    """(new, gone, unchanged, since when)."""
