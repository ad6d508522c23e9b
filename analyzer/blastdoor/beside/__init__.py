"""Other tools that run beside the analysis: what they found, in a form that reports can take.

They are programs of their own, in environments of their own; nothing of them is imported. What they
say stays theirs: it changes no finding and no exit code.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from blastdoor.finding import Failure, Level
    from blastdoor.span import Span


@dataclass(frozen=True, slots=True)
class PeerFinding:
    """One finding of another tool."""

    rule: str
    """The tool's own id: ``CKV_AWS_20``."""
    title: str
    level: Level
    span: Span
    unit: str
    """Address of what it is about, as the tool names it."""
    uri: str = ""
    """Where the tool documents the rule; ``""`` where it does not."""


@dataclass(slots=True)
class PeerRun:
    """One run of another tool on the same files."""

    tool: str
    version: str = ""
    findings: list[PeerFinding] = field(default_factory=list)
    """In the order of path, place and rule."""
    failures: list[Failure] = field(default_factory=list)
    """What it could not do."""
    same: int = 0
    """Findings left out because a finding of ours says the same."""
