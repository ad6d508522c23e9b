"""Fixes: what would mend a finding, as edits of the text it stands in.

A detector says what would mend a finding without any notation (`blastdoor.finding.Remedy`); here it
becomes text in the notation of the file. Whatever is not written as plainly as the notation expects
(a literal that is an expression by now, a block on one line) has no fix: none is better than a wrong
one. A fix is *safe* when the rule says so: it only narrows, and nobody has to look.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from blastdoor.finding import Act
from blastdoor.record import dataclass
from blastdoor.span import Rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from blastdoor.finding import Finding, Remedy
    from blastdoor.span import Document, Span

SAFE: Final = "safe"
UNSAFE: Final = "unsafe"
"""What pages say of a rule's fix, beside ``none``."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One range of a text and what is to stand there instead."""

    span: Span
    text: str
    declares: str = ""
    """The address in its directory that comes to be by it."""


@dataclass(frozen=True, slots=True)
class Fix:
    """The edits that together mend one finding."""

    title: str
    """What they do, an imperative clause."""
    safe: bool
    edits: tuple[Edit, ...]


def fix_of(finding: Finding, kind: str) -> Fix | None:
    """The fix of a finding whose rule calls its fixes ``kind``; ``None`` where there is none."""
    if not finding.remedies or kind not in (SAFE, UNSAFE):
        return None
    edits: dict[Edit, None] = {}
    for remedy in finding.remedies:
        found = _edits(remedy)
        if not found:
            return None
        edits.update(dict.fromkeys(found))
    if _overlap(edits):
        return None
    title = ", and ".join(dict.fromkeys(remedy.words for remedy in finding.remedies))
    return Fix(title, kind == SAFE, tuple(edits))


def _overlap(edits: Iterable[Edit]) -> bool:
    """Whether two edits would write over one another."""
    places = sorted((edit.span.path, edit.span.start, edit.span.end) for edit in edits)
    return any(one[0] == other[0] and one[2] > other[1] for one, other in pairwise(places))


def _edits(remedy: Remedy) -> Sequence[Edit]:
    """The edits that a remedy is in the notation of its file; none where that is not plain enough."""
    if remedy.span.path.endswith(".py") and remedy.act is not Act.TEXT:
        from blastdoor.fixes import python

        return python.edits(remedy)
    edit = _edit(remedy)
    return () if edit is None else (edit,)


def _edit(remedy: Remedy) -> Edit | None:
    document = remedy.span.document
    if isinstance(document, Rendered):
        return None
    if remedy.act is Act.TEXT:
        return Edit(remedy.span, str(remedy.data))
    if document.path.endswith((".json", ".template")) and _is_json(document):
        from blastdoor.fixes import jsontext

        return jsontext.edit(remedy)
    if document.path.endswith((".yaml", ".yml", ".template")):
        from blastdoor.fixes import yamltext

        return yamltext.edit(remedy)
    if document.path.endswith((".tf", ".tofu", ".tfvars", ".hcl")):
        from blastdoor.fixes import hcl

        return hcl.edit(remedy)
    return None


def _is_json(document: Document) -> bool:
    return document.text.lstrip("\ufeff \t\r\n").startswith(("{", "["))


def applied(text: str, edits: Iterable[Edit]) -> str:
    """A text with some edits made, none of which touch one another."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda e: (e.span.start, e.span.end)):
        if edit.span.start < at:
            message = "two edits of one text overlap"
            raise ValueError(message)
        parts += [text[at : edit.span.start], edit.text]
        at = edit.span.end
    return "".join([*parts, text[at:]])


def chosen(fixes: Iterable[Fix]) -> list[Fix]:
    """The fixes that can be made at the same time: of two that touch, the first.

    Two that declare the same touch, too, wherever they do.
    """
    taken: dict[str, list[tuple[int, int]]] = {}
    declared: set[str] = set()
    result = []
    for fix in fixes:
        places = [(e.span.path, e.span.start, e.span.end) for e in fix.edits]
        declaring = {e.declares for e in fix.edits if e.declares}
        if not declared.isdisjoint(declaring) or any(
            _touches(taken.get(path, ()), start, end) for path, start, end in places
        ):
            continue
        for path, start, end in places:
            taken.setdefault(path, []).append((start, end))
        declared |= declaring
        result.append(fix)
    return result


def _touches(taken: Iterable[tuple[int, int]], start: int, end: int) -> bool:
    return any(start <= last and first <= end for first, last in taken)


def texts(fixes: Iterable[Fix], now: Mapping[str, str]) -> dict[str, str]:
    """Path → text of the files that some fixes change, those in ``now`` as they are given there."""
    by_path: dict[str, list[Edit]] = {}
    whole: dict[str, str] = {}
    for fix in fixes:
        for edit in fix.edits:
            path = edit.span.path
            by_path.setdefault(path, []).append(edit)
            whole[path] = now.get(path, edit.span.document.text)
    return {path: applied(whole[path], edits) for path, edits in by_path.items()}
