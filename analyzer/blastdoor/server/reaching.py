"""How far the things of a unit reach, in the few words that fit above a line or into a hover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.delta.footprint import footprints, regions_of
from blastdoor.reach import Reach, Regions
from blastdoor.record import dataclass
from blastdoor.report.redact import legible
from blastdoor.span import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from blastdoor.delta.footprint import Footprint
    from blastdoor.fact import Facts
    from blastdoor.reach import Extent
    from blastdoor.span import Document, Span

_SHORT: Final = 60
"""Code points of one axis in a lens."""
_LONG: Final = 300
"""Code points of one axis in a hover."""
_NAMED: Final = 1
"""Regions that a lens names; more are counted."""
_SILENT: Final = frozenset({"existence", "fixed", "lifecycle", "provider"})
"""Aspects that say nothing of how far something reaches."""
_LENSED: Final = frozenset({"target", "replica", "allow"})
"""Aspects that are worth a line above the thing."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One resource or provider configuration of a unit, and how far it reaches."""

    span: Span
    """The header of its block."""
    name: str
    lines: tuple[str, ...]
    """Axis by axis, for a hover."""
    lens: str
    """For the line above, or ``""``."""


def things(facts: Facts, breathe: Callable[[], None] = lambda: None) -> Iterator[Thing]:
    """The things of a unit that reach somewhere.

    ``breathe`` is called between them; what it raises ends it.
    """
    secrets = facts.unit.secrets
    grouped: dict[str, list[Footprint]] = {}
    heads: dict[str, Span] = {}
    for item in footprints(facts):
        breathe()
        if item.aspect == "existence":
            heads[item.address] = item.span
        elif item.aspect not in _SILENT:
            grouped.setdefault(item.address, []).append(item)
    for address, items in grouped.items():
        breathe()
        head = heads.get(address)
        if head is None:
            continue
        lines: dict[str, None] = {}
        lensed: list[Reach] = []
        for item in items:
            reach = _whole(item)
            lines.update(dict.fromkeys(_lines(item, reach)))
            if item.aspect in _LENSED:
                lensed.append(reach)
        told = [line for line in lines if not _holds(line, secrets)]
        lens = _lens(lensed)
        if told:
            shown = "" if _holds(lens, secrets) else lens
            yield Thing(written(head), address, tuple(told), shown)
    yield from _providers(facts)


def _whole(item: Footprint) -> Reach:
    if item.policy is None:
        return item.reach
    return Reach(grants=item.policy.grants()).join(item.reach)


def _lines(item: Footprint, reach: Reach) -> Iterator[str]:
    for axis, extent in reach.extents().items():
        name = f"{axis} denied" if item.aspect == "deny" else axis
        yield f"{name}: {clipped(extent.describe(), _LONG)}"


def _holds(text: str, secrets: Iterable[str]) -> bool:
    return any(secret in text for secret in secrets)


def _lens(reaches: Sequence[Reach]) -> str:
    parts: dict[str, None] = {}
    for reach in reaches:
        parts.update(dict.fromkeys(short(extent) for extent in reach.extents().values()))
    return " · ".join(parts)


def short(extent: Extent) -> str:
    """An extent in a few words: several regions are counted."""
    if isinstance(extent, Regions):
        pinned = [region for region in extent.elements if isinstance(region, str)]
        if len(pinned) == len(extent.elements) and len(pinned) > _NAMED:
            return f"{len(pinned)} regions"
    return clipped(extent.describe(), _SHORT)


def clipped(text: str, limit: int) -> str:
    """A text that is safe to show, of a limited length."""
    text = legible(text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _providers(facts: Facts) -> Iterator[Thing]:
    users: dict[int, int] = {}
    for resource in facts.unit.resources:
        if resource.provider is not None and not resource.is_data:
            users[id(resource.provider)] = users.get(id(resource.provider), 0) + 1
    for provider in facts.unit.providers:
        if not provider.declared:
            continue
        number = users.get(id(provider), 0)
        used = f"{number} resource{'s' * (number != 1)}"
        regions = regions_of(provider.region)
        if _holds(regions.describe(), facts.unit.secrets):
            continue
        yield Thing(
            written(provider.span),
            provider.address or f"provider.{provider.name}",
            (f"regions: {clipped(regions.describe(), _LONG)}", f"used by: {used}"),
            f"{short(regions)} · {used}",
        )


def around(found: Iterable[Thing], document: Document, offset: int) -> Thing | None:
    """The thing at an offset: the last that begins before it and is not over yet.

    It is over where a later line begins as far left as its header and is no closing bracket.
    """
    best: Thing | None = None
    for thing in found:
        if thing.span.start <= offset and (best is None or thing.span.start > best.span.start):
            best = thing
    if best is None:
        return None
    first, last = best.span.begin.line, document.position(offset).line
    depth = _indent(document.line(first))
    for number in range(first + 1, last + 1):
        line = document.line(number)
        if line.strip() and _indent(line) <= depth and line.lstrip()[0] not in "})]":
            return None
        if line.strip() and _indent(line) <= depth and number < last:
            return None
    return best


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
