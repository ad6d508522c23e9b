"""What Python's operators, displays and methods make of values. What is not known stays so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.expression import joined
from blastdoor.value import (
    TURN,
    Alternative,
    Encoded,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Piece,
    Reason,
    Text,
    Unknown,
    Value,
    known_text,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.span import Span

MAX_ITEMS: Final = 20_000
"""Most elements of a collection that is built."""
_EACH: Final = (Meaning.EVERY_REGION, Meaning.EACH_REGION)
_ANSWERS: Final = {
    Meaning.ORGANIZATION: frozenset({"Organization", "Arn"}),
    Meaning.ORGANIZATION_ROOT: frozenset({"Roots", "Id", "Arn"}),
}
"""Meaning of an answer → the keys of it that lead to what it means."""


def unknown(subject: str, span: Span | None = None, reason: Reason = Reason.COMPUTED) -> Unknown:
    """What only a run knows."""
    return Unknown(reason, subject[:80], span)


def add(left: Value, right: Value, span: Span) -> Value:
    """``left + right``: texts and lists; sums are of no interest."""
    if isinstance(left, Many) and isinstance(right, Many):
        if len(left.items) + len(right.items) > MAX_ITEMS:
            return unknown("a long list", span, Reason.BUDGET)
        return Many(left.items + right.items, span, complete=left.complete and right.complete)
    if _is_text(left) or _is_text(right):
        return text([left, right], span)
    if isinstance(left, Known) and isinstance(right, Known):
        one, other = left.data, right.data
        if _is_number(one) and _is_number(other):
            return Known(one + other, span)  # type: ignore[operator]  # numbers both
    return unknown("a sum", span)


def _is_number(data: object) -> bool:
    return isinstance(data, (int, float)) and not isinstance(data, bool)


def _is_text(value: Value) -> bool:
    return isinstance(value, Text) or (isinstance(value, Known) and isinstance(value.data, str))


def text(parts: list[Value], span: Span) -> Value:
    """The text of several values behind one another."""
    pieces: list[Piece | Value] = []
    for part in parts:
        if isinstance(part, Known) and isinstance(part.data, str):
            pieces.extend(part.pieces or (Piece(part.data, span.document, span.start, span.end),))
        elif isinstance(part, Text):
            pieces.extend(part.parts)
        else:
            pieces.append(part)
    return joined(pieces, span)


def merged(layers: list[Value], span: Span) -> Value:
    """The mapping of several layers, the last one wins."""
    entries: dict[str, Value] = {}
    spans: dict[str, Span] = {}
    complete = True
    for layer in layers:
        if isinstance(layer, Mapping):
            entries.update(layer.entries)
            spans.update(layer.key_spans)
            complete = complete and layer.complete
        else:
            complete = False
    if len(entries) > MAX_ITEMS:
        return unknown("a large mapping", span, Reason.BUDGET)
    return Mapping(entries, span, complete=complete, key_spans=spans)


def item(base: Value, key: Value, span: Span) -> Value:
    """``base[key]``."""
    if isinstance(base, OneOf):
        return one_of(
            [Alternative(item(a.value, key, span), a.condition) for a in base.alternatives]
        )
    if isinstance(base, Unknown):
        return _within(base, key, span)
    if isinstance(key, OneOf):
        return one_of(
            [Alternative(item(base, a.value, span), a.condition) for a in key.alternatives]
        )
    if not isinstance(key, Known):
        return unknown("an element", span, Reason.RANGE)
    if isinstance(base, Mapping):
        found = base.entries.get(key_text(key) or "")
        if found is not None:
            return found
        return unknown("a key that is not there", span)
    data = key.data
    if isinstance(base, Many) and isinstance(data, int) and not isinstance(data, bool):
        if -len(base.items) <= data < len(base.items) and (base.complete or data >= 0):
            return base.items[data]
        return unknown("an element", span, Reason.RANGE)
    return unknown("an element", span)


def _within(base: Unknown, key: Value, span: Span) -> Unknown:
    """A part of what is not known: the list in an answer that lists every region lists them too."""
    if base.meaning is Meaning.EVERY_REGION and isinstance(key, Known):
        if isinstance(key.data, int):
            return Unknown(base.reason, base.subject, span, meaning=Meaning.EACH_REGION)
        return base
    if base.meaning is Meaning.EACH_REGION:
        return base
    keys = _ANSWERS.get(base.meaning) if base.meaning is not None else None
    if keys is not None and isinstance(key, Known) and (key.data in keys or key.data == 0):
        return Unknown(base.reason, base.subject, span, meaning=base.meaning)
    if base.reason is Reason.ENVIRONMENT:
        name = known_text(key)
        if name is not None and base.subject == "os.environ":
            return Unknown(Reason.ENVIRONMENT, f"os.environ[{name!r}]", span)
    return Unknown(base.reason, base.subject, span)


def element(collection: Value, span: Span) -> Value:
    """What a loop's variable is, whichever turn it is."""
    if isinstance(collection, Unknown):
        if collection.meaning in _EACH:
            return Unknown(Reason.RANGE, collection.subject, span, meaning=Meaning.EACH_REGION)
        if collection.meaning is Meaning.ORGANIZATION_ROOT:
            return Unknown(Reason.RANGE, collection.subject, span, meaning=collection.meaning)
        return Unknown(Reason.RANGE, collection.subject, span)
    items: list[Value] = []
    if isinstance(collection, Many):
        items = list(collection.items)
        if not collection.complete:
            items.append(unknown("an element", span, Reason.RANGE))
    elif isinstance(collection, Mapping):
        items = [Known(name, collection.key_spans.get(name, span)) for name in collection.entries]
        if not collection.complete:
            items.append(unknown("a key", span, Reason.RANGE))
    if not items:
        return unknown("an element", span, Reason.RANGE)
    if len(items) == 1:
        return items[0]
    return one_of([Alternative(value, TURN) for value in items], span)


def key_text(value: Value) -> str | None:
    """What a key of a display is called in a mapping, whose keys are texts."""
    if not isinstance(value, Known):
        return None
    data = value.data
    if isinstance(data, bool):
        return "true" if data else "false"
    return None if data is None else str(data)


def truth(value: Value) -> bool | None:
    """Whether a value counts as true; ``None``: not known."""
    if isinstance(value, Known):
        return bool(value.data)
    if isinstance(value, Many):
        return True if value.items else (False if value.complete else None)
    if isinstance(value, Mapping):
        return True if value.entries else (False if value.complete else None)
    if isinstance(value, Encoded):
        return True
    if isinstance(value, OneOf):
        found = {truth(alternative.value) for alternative in value.alternatives}
        return found.pop() if len(found) == 1 else None
    return None


def compared(left: Value, right: Value, operator: str) -> bool | None:
    """What ``==``, ``!=``, ``in``, ``not in``, ``is`` and ``is not`` say; ``None``: not known."""
    if operator in ("In", "NotIn"):
        found = _contains(right, left)
        return None if found is None else found is (operator == "In")
    if isinstance(left, Known) and isinstance(right, Known):
        same = left.data == right.data and isinstance(left.data, bool) == isinstance(
            right.data, bool
        )
        if operator in ("Eq", "Is"):
            return same
        if operator in ("NotEq", "IsNot"):
            return not same
        return None
    none = (isinstance(left, Known) and left.data is None) or (
        isinstance(right, Known) and right.data is None
    )
    other = right if isinstance(left, Known) else left
    if none and isinstance(other, (Many, Mapping, Text, Encoded)):
        return operator in ("NotEq", "IsNot")
    return None


def _contains(collection: Value, wanted: Value) -> bool | None:
    text_ = key_text(wanted)
    if text_ is None:
        return None
    if isinstance(collection, Mapping):
        return True if text_ in collection.entries else (False if collection.complete else None)
    if isinstance(collection, Many):
        keys = [key_text(one) for one in collection.items]
        if text_ in keys:
            return True
        return False if collection.complete and None not in keys else None
    if isinstance(collection, Known) and isinstance(collection.data, str):
        return text_ in collection.data
    return None


def method(base: Value, name: str, arguments: list[Value], span: Span) -> Value | None:
    """What a method of a value gives; ``None`` for one that is not evaluated."""
    if isinstance(base, OneOf):
        found = [(method(a.value, name, arguments, span), a.condition) for a in base.alternatives]
        if any(value is None for value, _condition in found):
            return None
        return one_of([Alternative(v, c) for v, c in found if v is not None], span)
    if isinstance(base, Mapping):
        return _of_mapping(base, name, arguments, span)
    if isinstance(base, Many) and name == "copy":
        return base
    if isinstance(base, Unknown) and base.meaning in _EACH and name in ("copy", "get"):
        return base
    if isinstance(base, Known) and isinstance(base.data, str):
        return _of_text(base, base.data, name, arguments, span)
    if isinstance(base, Text) and name == "format":
        return None
    return None


def _of_mapping(base: Mapping, name: str, arguments: list[Value], span: Span) -> Value | None:
    if name == "copy":
        return base
    if name in ("get", "pop", "setdefault") and arguments:
        key = key_text(arguments[0])
        default = arguments[1] if len(arguments) > 1 else Known(None, span)
        if key is not None and key in base.entries:
            return base.entries[key]
        if key is not None and base.complete:
            return default
        if isinstance(arguments[0], OneOf):
            return one_of(
                [
                    Alternative(
                        _of_mapping(base, name, [a.value, *arguments[1:]], span)
                        or unknown("an element", span),
                        a.condition,
                    )
                    for a in arguments[0].alternatives
                ],
                span,
            )
        return unknown("an element", span, Reason.RANGE)
    if name == "keys":
        keys = [Known(key, base.key_spans.get(key, span)) for key in base.entries]
        return Many(tuple(keys), base.span, complete=base.complete)
    if name == "values":
        return Many(tuple(base.entries.values()), base.span, complete=base.complete)
    if name == "items":
        pairs = [
            Many((Known(key, base.key_spans.get(key, span)), value))
            for key, value in base.entries.items()
        ]
        return Many(tuple(pairs), base.span, complete=base.complete)
    return None


_TEXT_METHODS: Final[dict[str, Callable[[str], str]]] = {
    "lower": str.lower,
    "upper": str.upper,
    "strip": str.strip,
    "title": str.title,
    "rstrip": str.rstrip,
    "lstrip": str.lstrip,
}


def _of_text(base: Known, data: str, name: str, arguments: list[Value], span: Span) -> Value | None:
    known = [a.data for a in arguments if isinstance(a, Known)]
    if name in _TEXT_METHODS and not arguments:
        return Known(_TEXT_METHODS[name](data), span)
    if name == "format":
        return _formatted(base, data, arguments, span)
    if name == "join" and len(arguments) == 1:
        return _joined(base, arguments[0], span)
    if len(known) != len(arguments):
        return None
    if name == "replace" and len(known) == 2 and all(isinstance(k, str) for k in known):  # noqa: PLR2004
        old, new = str(known[0]), str(known[1])
        if old and len(new) * data.count(old) < MAX_ITEMS:
            return Known(data.replace(old, new), span)
    if (
        name == "split"
        and len(known) <= 1
        and (not known or (known[0] and isinstance(known[0], str)))
    ):
        parts = data.split(str(known[0]) if known else None)
        return Many(tuple(Known(part, span) for part in parts[:MAX_ITEMS]), span)
    if name in ("startswith", "endswith") and len(known) == 1 and isinstance(known[0], str):
        return Known(getattr(data, name)(known[0]), span)
    return None


def _formatted(base: Known, data: str, arguments: list[Value], span: Span) -> Value:
    parts = data.split("{}")
    if len(parts) != len(arguments) + 1 or "{" in "".join(parts):
        return unknown("a formatted text", span)
    pieces: list[Value] = []
    for number, part in enumerate(parts):
        pieces.append(Known(part, base.span))
        if number < len(arguments):
            pieces.append(arguments[number])
    return text(pieces, span)


def _joined(base: Known, collection: Value, span: Span) -> Value | None:
    if not isinstance(collection, Many) or not collection.complete:
        return None
    pieces: list[Value] = []
    for number, part in enumerate(collection.items):
        if number:
            pieces.append(base)
        pieces.append(part)
    return text(pieces, span)
