"""Values without an order: whether two surely differ, what they say, and a digest of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.facts.reading import words_of
from blastdoor.value import (
    Encoded,
    Known,
    Many,
    Mapping,
    OneOf,
    Piece,
    Reason,
    Text,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Resource
    from blastdoor.span import Span

_LONG: Final = 80
_MAX_NODES: Final = 5_000
"""Values of one thing that its digest is made of."""


def differ(base: Value, head: Value) -> bool:
    """Whether two values are not the same, whatever is not known turns out to be."""
    if base.key() == head.key():
        return False
    if isinstance(base, Known) and isinstance(head, Known):
        return _plain(base) != _plain(head)
    if isinstance(base, Text) and isinstance(head, Text):
        # The same holes with other words between them.
        holes = [
            [part.key() for part in value.parts if isinstance(part, Value)]
            for value in (base, head)
        ]
        return holes[0] == holes[1] and not any(map(_says_nothing, base.parts))
    if isinstance(base, Encoded) and isinstance(head, Encoded):
        return differ(base.inner, head.inner)
    if isinstance(base, Many) and isinstance(head, Many):
        if not base.resolved or not head.resolved:
            return False
        # An argument may be a set of its provider's where the code writes a list.
        return sorted(i.key().digest for i in base.items) != sorted(
            i.key().digest for i in head.items
        )
    return base.resolved and head.resolved


def _says_nothing(part: Value | Piece) -> bool:
    """Whether a hole is there because evaluation failed: two such holes need not be the same."""
    return isinstance(part, Unknown) and part.reason is Reason.INVALID


def _plain(value: Known) -> str:
    """A scalar as text: languages convert between text, numbers and truth.

    Case and a last dot are left out, which names of engines, places and zones may have or not.
    """
    return "" if value.data is None else str(value.data).casefold().rstrip(".")


class Changed(NamedTuple):
    """One part of a value that is another one."""

    path: str
    """``role_arn`` within the value; ``""`` for the value itself."""
    before: str
    after: str
    span: Span | None


def changes(base: Value, head: Value) -> list[Changed]:
    """The parts of two values that surely differ, blocks and maps taken apart."""
    if not differ(base, head) and not isinstance(head, (Many, Mapping)):
        return []
    old, new = dict(_leaves(base)), dict(_leaves(head))
    found = []
    for path in sorted({*old, *new}):
        before, after = old.get(path), new.get(path)
        if before is None or after is None:
            value = after or before
            if value is not None and value.resolved and not _nothing(value):
                at = None if after is None else after.span
                found.append(Changed(path, _said(before), _said(after), at or head.span))
        elif differ(before, after):
            found.append(Changed(path, said(before), said(after), after.span or head.span))
    return found


def _nothing(value: Value) -> bool:
    return isinstance(value, Known) and value.data is None


def _said(value: Value | None) -> str:
    return "nothing" if value is None else said(value)


def _leaves(value: Value) -> Iterator[tuple[str, Value]]:
    stack: list[tuple[str, Value]] = [("", value)]
    nodes = 0
    while stack and nodes < _MAX_NODES:
        path, current = stack.pop()
        nodes += 1
        dot = f"{path}." if path else ""
        if isinstance(current, Mapping):
            stack.extend((f"{dot}{name}", inner) for name, inner in current.entries.items())
        elif isinstance(current, Many) and any(isinstance(i, Mapping) for i in current.items):
            if len(current.items) == 1:
                stack.append((path, current.items[0]))
            else:
                stack.extend((f"{dot}{n}", inner) for n, inner in enumerate(current.items))
        else:
            yield path, current


def said(value: Value) -> str:
    """A value in a message."""
    text = words_of(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}\u2026"


def content(resource: Resource) -> str:
    """What a resource says, but not its name: equal for equal things, references left out."""
    parts = [resource.type]
    nodes = 0
    stack: list[Value | str] = []
    for name in sorted(resource.names(), reverse=True):
        value = resource.get(name)
        if value is not None:
            stack += [value, f"\0{name}="]
    if resource.region is not None:
        stack.append(resource.region)
    while stack and nodes < _MAX_NODES:
        current = stack.pop()
        nodes += 1
        if isinstance(current, str):
            parts.append(current)
        elif isinstance(current, Known):
            parts.append(f"\1{_plain(current)}")
        elif isinstance(current, Unknown):
            parts.append(f"\2{current.reason.name}")
        elif isinstance(current, Text):
            stack.extend(
                f"\3{part.text}" if isinstance(part, Piece) else part
                for part in reversed(current.parts)
            )
        elif isinstance(current, Encoded):
            stack.append(current.inner)
        elif isinstance(current, OneOf):
            stack.extend(a.value for a in reversed(current.alternatives))
        elif isinstance(current, Many):
            stack.extend(["\4", *reversed(current.items), "\5"])
        elif isinstance(current, Mapping):
            for name, value in sorted(current.entries.items(), reverse=True):
                stack += [value, f"\6{name}="]
    return "".join(parts)
