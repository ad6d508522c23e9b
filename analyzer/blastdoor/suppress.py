"""``# blastdoor: ignore[rule] reason="…" until=2027-01-01``: findings that someone answers for.

A comment behind code speaks of that line, or of the block whose header it stands behind. A comment
on a line of its own speaks of the next line (of the whole block, when a block begins there) and of
the block it stands in. What a comment does wrong is a `Failure` of kind ``suppression``: no reason,
a rule that does not exist, one that can only be acknowledged, a date that has passed, nothing to
suppress. There is no way to ignore everything.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from blastdoor.finding import Failure, FailureKind, Finding, Suppression
from blastdoor.span import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from blastdoor.parse.tree import Comment
    from blastdoor.span import Document

ACKNOWLEDGED: Final = frozenset({"widening", "review"})
"""Families whose findings nobody can suppress in the code, only acknowledge in a review."""
MAX_COMMENTS: Final = 2_000
"""Most comments of one file that are read."""
MAX_RULES: Final = 20
"""Most rules that one comment may name."""

_DIRECTIVE: Final = re.compile(r"\bblastdoor:[ \t]*(?P<rest>ignore\b.*)", re.DOTALL)
_FOREIGN: Final = re.compile(r"blastdoor:[ \t]*(?P<word>[\w-]*)")
_RULES: Final = re.compile(r"ignore[ \t]*\[(?P<names>[^\]\n]*)\]")
_FIELD: Final = re.compile(
    r'\s*(?P<key>[\w-]+)=(?:"(?P<text>(?:[^"\\\n]|\\[^\n])*)"|(?P<word>[^\s"]*))'
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_COMMENT_LINE: Final = ("#", "//", "/*", "*/")


class RuleLike(Protocol):
    """What this module asks of a rule."""

    @property
    def id(self) -> str:
        """The slug."""

    @property
    def code(self) -> str:
        """The alias."""

    @property
    def family(self) -> str:
        """The family."""


class Outcome(NamedTuple):
    """The findings parted in two, and what is wrong with the comments."""

    kept: list[Finding]
    suppressed: list[Finding]
    """Each with its `Suppression`."""
    failures: list[Failure]


class _File(NamedTuple):
    """One file with its comments for blastdoor."""

    path: str
    document: Document | None
    comments: Sequence[Comment]
    blocks: Sequence[tuple[int, int]]


class _Directive(NamedTuple):
    """What one comment says, as far as it can be used."""

    comment: Comment
    slugs: tuple[str, ...]
    suppression: Suppression


def apply(  # noqa: PLR0913  what it takes to judge a comment
    findings: Iterable[Finding],
    comments: Mapping[str, Sequence[Comment]],
    blocks: Mapping[str, Sequence[tuple[int, int]]],
    rules: Iterable[RuleLike],
    today: date | None,
    *,
    documents: Mapping[str, Document] = MappingProxyType({}),
    active: Collection[str] | None = None,
) -> Outcome:
    """The findings that stay, those that comments suppress, and what is wrong with the comments.

    ``comments`` and ``blocks`` (offsets, half-open) are by path, of the files whose findings are
    reported. ``today`` is the day on which nothing may have expired; ``None`` lets nothing expire.
    ``documents`` give failures in files without findings their place. ``active`` are the slugs of
    the rules that ran, ``None`` for all: a comment for another rule is not called unused.
    """
    found = list(findings)
    known = dict(documents)
    places: defaultdict[tuple[str, str], _Places] = defaultdict(_Places)
    for number, finding in enumerate(found):
        places[finding.span.path, finding.rule].add(number, finding.span)
        known.setdefault(finding.span.path, finding.span.document)
    named = {name.lower(): rule for rule in rules for name in (rule.id, rule.code)}
    silenced: dict[int, Suppression] = {}
    failures: list[Failure] = []
    for path, written in sorted(comments.items()):
        file = _File(path, known.get(path), written, blocks.get(path, ()))
        for directive in _directives(file, named, today, failures):
            scope = _scope(file, directive.comment)
            for slug in directive.slugs:
                here = places.get((path, slug))
                hits = here.covered(scope) if here and scope else []
                for number in hits:
                    silenced.setdefault(number, directive.suppression)
                if not hits and (active is None or slug in active):
                    message = f"suppression of {slug} that suppresses nothing: remove it"
                    failures.append(_failure(file, directive.comment, message, slug))
    kept, suppressed = [], []
    for number, finding in enumerate(found):
        if number in silenced:
            suppressed.append(replace(finding, suppression=silenced[number]))
        else:
            kept.append(finding)
    return Outcome(kept, suppressed, failures)


class _Scope(NamedTuple):
    """Where a comment works."""

    line: int
    """The line that it speaks of."""
    offset: int
    """Where it stands itself: a finding around it is meant too."""
    ranges: tuple[tuple[int, int], ...]
    """The blocks that it speaks of."""


class _Places:
    """Where the findings of one rule in one file stand, by their numbers."""

    __slots__ = ("_long", "_sorted", "_starts", "by_line")

    def __init__(self) -> None:
        self.by_line: defaultdict[int, list[int]] = defaultdict(list)
        self._long: list[tuple[int, int, int]] = []
        self._starts: list[tuple[int, int]] = []
        self._sorted = True

    def add(self, number: int, span: Span) -> None:
        """Effect: takes in one finding."""
        line = span.begin.line
        self.by_line[line].append(number)
        self._starts.append((span.start, number))
        self._sorted = False
        if span.finish.line > line:
            self._long.append((span.start, span.end, number))

    def covered(self, scope: _Scope) -> list[int]:
        """The findings that a scope covers; some may stand twice."""
        if not self._sorted:
            self._starts.sort()
            self._sorted = True
        found = list(self.by_line.get(scope.line, ()))
        found += [number for start, end, number in self._long if start <= scope.offset < end]
        for start, end in scope.ranges:
            first = bisect_left(self._starts, (start, -1))
            behind = bisect_left(self._starts, (end, -1))
            found += [number for _start, number in self._starts[first:behind]]
        return found


def _directives(
    file: _File, rules: Mapping[str, RuleLike], today: date | None, failures: list[Failure]
) -> Iterator[_Directive]:
    """The comments of a file that work. Effect: adds what is wrong with the others."""
    for number, comment in enumerate(file.comments):
        if number == MAX_COMMENTS:
            message = f"more than {MAX_COMMENTS} comments for blastdoor; the rest is not read"
            failures.append(Failure(FailureKind.LIMIT, file.path, message))
            return
        match = _DIRECTIVE.search(comment.text)
        if match is None:
            foreign = _FOREIGN.match(comment.text)
            if foreign is not None:
                message = (
                    f"{foreign['word']!r} is nothing a comment can say to blastdoor; ignore[…] is"
                )
                failures.append(_failure(file, comment, message))
            continue
        try:
            names, reason, until = _read(match["rest"])
        except ValueError as error:
            failures.append(_failure(file, comment, str(error)))
            continue
        slugs = []
        for name in names:
            rule = rules.get(name.lower())
            if rule is None:
                failures.append(
                    _failure(file, comment, f"suppression of a rule that does not exist: {name!r}")
                )
            elif rule.family in ACKNOWLEDGED:
                message = f"suppression of {rule.id}, which can only be acknowledged in a review"
                failures.append(_failure(file, comment, message, rule.id))
            elif rule.id not in slugs:
                slugs.append(rule.id)
        if not slugs:
            continue
        if until is not None and today is not None and until < today:
            message = f"suppression that expired on {until.isoformat()}"
            failures.append(_failure(file, comment, message, slugs[0]))
            continue
        text = None if until is None else until.isoformat()
        span = _span(file, comment)
        yield _Directive(comment, tuple(slugs), Suppression(reason, span, text))


def _read(text: str) -> tuple[list[str], str, date | None]:
    """(names, reason, last day) of ``ignore[…] …``. Raises ValueError saying what is wrong."""
    match = _RULES.match(text)
    names = [] if match is None else [name.strip() for name in match["names"].split(",")]
    if match is None or not all(names) or {"*", "all", "ALL"} & set(names):
        raise ValueError("suppression that does not name the rules it ignores: ignore[rule, rule]")
    if len(names) > MAX_RULES:
        raise ValueError(f"suppression of more than {MAX_RULES} rules")
    fields: dict[str, str] = {}
    at = match.end()
    while text[at:].strip():
        field = _FIELD.match(text, at)
        if field is None:
            raise ValueError('suppression where more than reason="…" until=YYYY-MM-DD follows')
        key = field["key"]
        if key not in ("reason", "until") or key in fields:
            said = "twice" if key in fields else "which is not known"
            raise ValueError(f"suppression that says {key}, {said}")
        if key == "reason" and field["text"] is None:
            raise ValueError('suppression whose reason does not stand in quotes: reason="…"')
        quoted = field["text"]
        fields[key] = field["word"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = field.end()
    if not fields.get("reason", "").strip():
        raise ValueError('suppression without a reason: add reason="…"')
    return names, fields["reason"].strip(), _day(fields.get("until"))


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"suppression until {text!r}, which is no date: until=YYYY-MM-DD")


def _scope(file: _File, comment: Comment) -> _Scope | None:
    """Where a comment works; ``None`` in a file without findings."""
    document = file.document
    if document is None:
        return None
    first = document.position(comment.start)
    if comment.block is not None:
        # Several blocks may stand on one line of JSON: the line says nothing.
        return _Scope(0, comment.start, (comment.block,))
    before = document.line(first.line)[: first.column - 1]
    own = file.path.endswith(".json") or not before.strip(" \t\ufeff")
    line = first.line
    ranges = []
    if own:
        line = document.position(max(comment.start, comment.end - 1)).line + 1
        while document.line(line).lstrip().startswith(_COMMENT_LINE):
            line += 1
        around = [block for block in file.blocks if block[0] <= comment.start < block[1]]
        if around:
            ranges.append(max(around))
    begun = [block for block in file.blocks if document.position(block[0]).line == line]
    if begun and (own or min(begun)[0] <= comment.start < min(begun)[1]):
        ranges.append(min(begun))
    return _Scope(line, comment.start, tuple(ranges))


def _span(file: _File, comment: Comment) -> Span | None:
    return None if file.document is None else Span(file.document, comment.start, comment.end)


def _failure(file: _File, comment: Comment, message: str, rule: str | None = None) -> Failure:
    return Failure(FailureKind.SUPPRESSION, file.path, message, _span(file, comment), rule)
