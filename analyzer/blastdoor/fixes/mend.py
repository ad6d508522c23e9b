"""Fixes made and judged: a fix stays only when the analysis says that it mends and breaks nothing.

All fixes that do not touch one another are made and the texts analysed again. Where the outcome is not
what it must be (a finding stays, another comes, a text no longer parses), half of them are tried, and
so on; one that fails alone is refused. It ends when there is nothing left to fix.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from typing import TYPE_CHECKING, Final

from blastdoor.fixes import chosen, fix_of, texts
from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from blastdoor.finding import Finding, Report
    from blastdoor.fixes import Fix

    Analyse = Callable[[Mapping[str, str]], Report]

MAX_ANALYSES: Final = 64
"""Analyses after which what is left is left."""

Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class Mended:
    """What fixing came to."""

    report: Report
    """What the analysis says of the texts as they are now."""
    texts: dict[str, str] = field(default_factory=dict)
    """Path → new text of the files that changed."""
    before: dict[str, str] = field(default_factory=dict)
    """Path → what they said."""
    done: list[tuple[Finding, Fix]] = field(default_factory=list)
    refused: list[tuple[Finding, Fix]] = field(default_factory=list)
    """Fixes that would not have mended, or would have broken something."""


def mend(
    report: Report,
    analyse: Analyse,
    kinds: Mapping[str, str],
    *,
    unsafe: bool,
    accepted: Collection[str] = frozenset(),
) -> Mended:
    """The outcome of making every fix of a report that is allowed.

    ``analyse`` gives the report with some texts in place of those of the source; ``kinds`` is slug →
    ``safe``, ``unsafe`` or ``none``; without ``unsafe`` only safe fixes are made. ``accepted`` are
    fingerprints of findings that are to stay as they are.
    """
    state = Mended(report)
    refused: set[Key] = set()
    analyses = 0
    while analyses < MAX_ANALYSES:
        batch = [
            one
            for one in _offered(state.report, kinds, refused, unsafe=unsafe)
            if one[0].fingerprint not in accepted
        ]
        if not batch:
            break
        while analyses < MAX_ANALYSES:
            analyses += 1
            if _made(state, batch, analyse):
                break
            if len(batch) == 1:
                refused.add(_key(batch[0][0]))
                state.refused.append(batch[0])
                break
            batch = batch[: len(batch) // 2]
    return state


def _offered(
    report: Report, kinds: Mapping[str, str], refused: Collection[Key], *, unsafe: bool
) -> list[tuple[Finding, Fix]]:
    """The fixes of a report that are allowed, without those that touch an earlier one."""
    offered = {
        id(fix): (finding, fix)
        for finding in report.findings
        if (fix := fix_of(finding, kinds.get(finding.rule, "none"))) is not None
        and (fix.safe or unsafe)
        and _key(finding) not in refused
    }
    return [offered[id(fix)] for fix in chosen(fix for _finding, fix in offered.values())]


def _made(state: Mended, batch: Sequence[tuple[Finding, Fix]], analyse: Analyse) -> bool:
    """Whether some fixes hold together. Effect: then they are made."""
    now = {**state.texts, **texts((fix for _finding, fix in batch), state.texts)}
    after = analyse(now)
    if not holds(state.report, after, [finding for finding, _fix in batch]):
        return False
    for _finding, fix in batch:
        for edit in fix.edits:
            document = edit.span.document
            state.before.setdefault(document.path, document.text)
    state.report = after
    state.texts = now
    state.done.extend(batch)
    return True


def holds(before: Report, after: Report, mended: Iterable[Finding]) -> bool:
    """Whether what was to go is gone, nothing else has come, and everything still parses."""
    if Counter((f.path, f.kind) for f in after.failures) - Counter(
        (f.path, f.kind) for f in before.failures
    ):
        return False
    old = Counter(_about(finding) for finding in before.findings)
    new = Counter(_about(finding) for finding in after.findings)
    gone = Counter(_about(finding) for finding in mended)
    return not new - (old - gone)


def _about(finding: Finding) -> tuple[str, str, str, str]:
    """What a finding is about, whatever the value: another fix may have written a part of that."""
    return (finding.rule, finding.unit, finding.attribute, finding.axis)


def _key(finding: Finding) -> Key:
    """What a finding is about: its fingerprint without the count among equals."""
    return (finding.rule, finding.unit, finding.attribute, finding.axis, finding.value)
