"""What leaves the analysis: findings, failures, coverage, and the fingerprint of a finding."""

from __future__ import annotations

import hashlib
import posixpath
from collections import Counter
from dataclasses import field, replace
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastdoor.reach import Reach
    from blastdoor.span import Span


class Level(IntEnum):
    """SARIF level of a result, ordered by weight."""

    NOTE = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The SARIF spelling: ``note``, ``warning``, ``error``."""
        return self.name.lower()

    @classmethod
    def named(cls, word: str) -> Level:
        """The level of a SARIF spelling. Raises KeyError for any other word."""
        return cls[word.upper()]

    def lowered(self) -> Level:
        """One level less, never below a note."""
        return Level(max(self - 1, Level.NOTE))


_DIGITS: Final = 12
"""Digits of an object id that people are shown."""
_MOST_MARKS: Final = 3
"""Marks of one finding that people are shown."""
LINE: Final = "line"
"""A mark on a commit that wrote, or took away, a line that a finding stands on."""
FILE: Final = "file"
"""A mark on a commit that changed the file: which commit is behind the finding is not known."""


@dataclass(frozen=True, slots=True)
class Related:
    """A further place that explains a finding, with what it says there."""

    span: Span
    message: str
    decides: bool = False
    """Whether it is a condition without which there is nothing to be found."""


class Mark(NamedTuple):
    """One mark of an agent or robot on a commit."""

    agent: str
    """Its name; ``""`` for a robot that is no AI agent."""
    where: str
    """``author``, ``committer``, ``co-author``, or ``trailer``."""
    text: str
    """What stands there."""
    commit: str = ""
    """The id of the commit, where it is known."""
    scope: str = LINE
    """What the commit wrote: `LINE`, or only `FILE`."""

    def __str__(self) -> str:
        return f"{self.agent or 'a bot'}: {self.where} {self.text}"

    @property
    def words(self) -> str:
        """The mark, the commit, and what is known of how far it goes."""
        commit = f", commit {self.commit[:_DIGITS]}" if self.commit else ""
        only = " (another line of the file)" if self.scope == FILE else ""
        return f"{self}{commit}{only}"


class Act(StrEnum):
    """What a remedy does to the text that it names."""

    SET = "set"
    """Writes another literal in place of a whole value."""
    TEXT = "text"
    """Writes other characters in place of a stretch within a string."""
    REMOVE = "remove"
    """Takes out the argument, property or entry that a value belongs to, name and all."""
    REFER = "refer"
    """Writes a reference to an attribute of another resource in place of a whole value."""
    ADD = "add"
    """Writes one more argument into a block."""
    POINT = "point"
    """Writes one more argument into a block, which refers to something."""
    DISSOLVE = "dissolve"
    """Takes out a whole block, all of whose arguments another step has moved elsewhere."""
    OWN = "own"
    """Makes an object of its own, by a name, of what is set for the whole process."""
    DERIVE = "derive"
    """Writes, for a stretch within a string, what the notation has for the place of a thing."""
    DECLARE = "declare"
    """Writes a data source or a variable behind everything else in the file."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """One step that would mend a finding, without the notation of a language.

    `blastdoor.fixes` turns it into an edit of the text.
    """

    act: Act
    span: Span
    """What is written now: the value, the stretch of the string, or the header of the block."""
    words: str
    """What the step does, an imperative clause: ``set deletion_protection to true``."""
    data: str | int | float | bool | None = None
    """What to write: a literal, characters, the address to refer to; of what is derived, ``partition``
    or ``region``; of what is declared, the type of a data source, or ``variable``."""
    name: str = ""
    """The name of the argument to add, or to declare; the address that is derived from."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a finding is silenced and where that is written."""

    reason: str
    span: Span | None = None
    until: str | None = None
    """ISO date after which it no longer holds."""
    accepted: bool = True
    """False while somebody still has to say yes (SARIF status ``underReview``)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One judgement of one rule at one place."""

    rule: str
    """The rule's slug: the SARIF ``ruleId``."""
    level: Level
    message: str
    """What reaches how far, from where: one sentence."""
    span: Span
    """The value that is wrong, not the block around it."""
    unit: str
    """Address of what the finding is about, such as ``module.net.aws_s3_bucket.logs``."""
    axis: str = ""
    """The reach axis it concerns, one of `blastdoor.reach.AXES`, or ``""``."""
    attribute: str = ""
    """Path of the attribute within the unit."""
    value: str = ""
    """The offending value, normalised: part of the fingerprint."""
    contain: str = ""
    """What would contain it: one imperative clause, or ``""``."""
    related: tuple[Related, ...] = ()
    """The chain of evidence, from the cause to the use, and the callers."""
    reach: Reach | None = None
    covers: tuple[Span, ...] = ()
    """The places at which no superseded rule needs to speak of the same attribute; none for its own
    place and whatever stands there."""
    evidence: tuple[str, ...] = ()
    """Why the level differs from the rule's own, in words."""
    suppression: Suppression | None = None
    fingerprint: str = ""
    """``blastdoor/v1``, hexadecimal; set by `fingerprinted`."""
    before: str = ""
    """In a diff: what base reaches on the axis, in words."""
    after: str = ""
    """In a diff: what head reaches."""
    provenance: tuple[Mark, ...] = ()
    """Marks of AI agents on the commits that wrote its place."""
    remedies: tuple[Remedy, ...] = ()
    """The steps that together would mend it; the rule says whether they are safe."""
    baseline: str = ""
    """In a diff: ``new`` or ``unchanged`` against base (SARIF ``baselineState``)."""
    also: tuple[str, ...] = ()
    """In a diff: addresses of the other things to which the same happens for the same cause."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Its provenance with each mark once, whatever number of commits bear it."""
        return tuple({str(mark): mark for mark in reversed(self.provenance)}.values())[::-1]

    @property
    def written_by(self) -> tuple[str, ...]:
        """Its provenance in words, for people: the first marks, and how many more there are."""
        marks = self.marks
        shown = tuple(mark.words for mark in marks[:_MOST_MARKS])
        more = len(marks) - len(shown)
        return (*shown, f"and {more} more") if more else shown


class FailureKind(StrEnum):
    """Why something could not be analysed."""

    SYNTAX = "syntax"
    LIMIT = "limit"
    UNREADABLE = "unreadable"
    TIMEOUT = "timeout"
    INTERNAL = "internal"
    CONFIGURATION = "configuration"
    SUPPRESSION = "suppression"
    INCOMPLETE = "incomplete"
    """The input says of itself that a part of it is missing; what is there was analysed."""
    DUPLICATE = "duplicate"
    """Something is written twice and the language takes one of the two, which was analysed."""
    PEER = "peer"
    """Another tool that runs beside could not do its part; the analysis is not touched by it."""


_REMARKS: Final = frozenset(
    {
        FailureKind.SUPPRESSION,
        FailureKind.INCOMPLETE,
        FailureKind.DUPLICATE,
        FailureKind.PEER,
    }
)
"""Kinds that keep no run from passing."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be analysed: a result, never a pass (SARIF tool notification)."""

    kind: FailureKind
    path: str
    message: str
    span: Span | None = None
    rule: str | None = None
    """The rule whose detector failed, for internal failures."""

    @property
    def fatal(self) -> bool:
        """Whether it makes the run exit with 2 unless failures are allowed."""
        return self.kind not in _REMARKS

    @property
    def word(self) -> str:
        """What people call it: a remark when the run passes all the same."""
        return "failure" if self.fatal else "remark"


@dataclass(slots=True)
class Coverage:
    """How much of what matters could be known, by kind (``region``, ``provider``, ``policy``, …)."""

    resolved: Counter[str] = field(default_factory=Counter)
    unresolved: Counter[str] = field(default_factory=Counter)
    """Not known although the repository alone could decide it."""
    undecidable: Counter[str] = field(default_factory=Counter)
    """Not known, and the repository alone cannot decide it."""
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: Coverage) -> None:
        """Effect: counts another coverage in."""
        self.resolved.update(other.resolved)
        self.unresolved.update(other.unresolved)
        self.undecidable.update(other.undecidable)
        self.reasons.update(other.reasons)

    def share(self, kind: str) -> float | None:
        """Resolved share of what is decidable, 0 to 1; ``None`` where nothing was."""
        known = self.resolved[kind]
        total = known + self.unresolved[kind]
        return known / total if total else None


@dataclass(slots=True)
class Report:
    """Everything one analysis has to say."""

    findings: list[Finding] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    units: int = 0
    files: int = 0
    resources: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    """Files not analysed, by reason."""
    suppressed: list[Finding] = field(default_factory=list)
    baselined: int = 0
    planned: Counter[str] = field(default_factory=Counter)
    """What the plans among the files do to managed resources, by word (``destroy``, ``replace``)."""


def raised_at(error: Exception) -> str:
    """Where an error came up, ``iam.py:12``, without the directory; ``""`` when that is not known."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    name = posixpath.basename(trace.tb_frame.f_code.co_filename.replace("\\", "/"))
    return f"{name}:{trace.tb_lineno}"


def _digest(*parts: str) -> str:
    joined = "\0".join(part.replace("\\", "\\\\").replace("\0", "\\0") for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def fingerprinted(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in report order, each with its ``blastdoor/v1`` fingerprint.

    The fingerprint covers rule, unit address, attribute path, axis, normalised value and, last, the
    occurrence among equals; no line number and no file hash, so that a rebase keeps it and two equal
    mistakes differ.
    """
    ordered = sorted(
        findings, key=lambda f: (f.span.path, f.span.start, f.span.end, f.rule, f.unit, f.message)
    )
    seen: Counter[str] = Counter()
    result = []
    for finding in ordered:
        base = _digest(finding.rule, finding.unit, finding.attribute, finding.axis, finding.value)
        occurrence = seen[base]
        seen[base] += 1
        result.append(replace(finding, fingerprint=_digest(base, str(occurrence))))
    return result
