"""Terraform type constraints: what a variable's ``type`` makes of the value it is given.

Source: Terraform language documentation, "Type Constraints" (conversion, ``optional()``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.expression import evaluate, to_bool, to_number, to_text
from blastdoor.evaluate.functions.base import Call, Stop, set_of, unify
from blastdoor.parse import tree
from blastdoor.value import (
    Alternative,
    Known,
    Many,
    Mapping,
    OneOf,
    Value,
    one_of,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.evaluate.expression import Frame


def convert(value: Value, constraint: tree.Expression, frame: Frame) -> Value:
    """``value`` converted to ``constraint``; unchanged where the conversion cannot be known."""
    if isinstance(value, OneOf):
        return one_of(
            [
                Alternative(convert(a.value, constraint, frame), a.condition)
                for a in value.alternatives
            ],
            value.span,
            value.via,
        )
    if isinstance(value, Known) and value.data is None:
        return value
    if isinstance(constraint, tree.Parenthesized):
        return convert(value, constraint.inner, frame)
    if isinstance(constraint, tree.Variable):
        return _primitive(value, constraint.name)
    if isinstance(constraint, tree.Call) and constraint.arguments:
        try:
            return _collection(value, constraint.name, constraint.arguments[0], frame)
        except Stop:
            return value
    return value


def _primitive(value: Value, name: str) -> Value:
    if not isinstance(value, Known):
        return value
    data: str | bool | int | float | None
    if name == "string":
        data = to_text(value)
    elif name == "number":
        data = to_number(value)
    elif name == "bool":
        data = to_bool(value)
    else:
        return value
    if data is None or data is value.data:
        return value
    return Known(data, value.span, value.via, value.pieces if isinstance(data, str) else ())


def _collection(value: Value, name: str, element: tree.Expression, frame: Frame) -> Value:
    call = Call(f"{name}()", value.span or frame.span(element), frame.scope.files)
    if name == "tuple" and isinstance(value, Many) and isinstance(element, tree.TupleExpression):
        if len(element.items) != len(value.items):
            return value
        pairs = zip(value.items, element.items, strict=True)
        return _with_items(value, [convert(item, kind, frame) for item, kind in pairs])
    if name in ("list", "set") and isinstance(value, Many):
        items: Sequence[Value] = [convert(item, element, frame) for item in value.items]
        if _is_any(element):
            items = unify(call, items) or items
        if name == "set":
            return set_of(call, items, value.span, value.via, complete=value.complete)
        return _with_items(value, items)
    if name == "map" and isinstance(value, Mapping):
        entries = {k: convert(v, element, frame) for k, v in value.entries.items()}
        if _is_any(element):
            unified = unify(call, list(entries.values()))
            if unified is not None:
                entries = dict(zip(entries, unified, strict=True))
        return _with_entries(value, entries)
    if (
        name == "object"
        and isinstance(value, Mapping)
        and isinstance(element, tree.ObjectExpression)
    ):
        return _object(value, element, frame)
    if name == "optional":
        return convert(value, element, frame)
    return value


def _object(value: Mapping, shape: tree.ObjectExpression, frame: Frame) -> Value:
    entries: dict[str, Value] = {}
    for item in shape.items:
        name = to_text(evaluate(item.key, frame))
        if name is None:
            return value
        given = value.entries.get(name)
        kind = item.value
        optional = isinstance(kind, tree.Call) and kind.name == "optional"
        if given is None and not value.complete:
            continue
        if given is None or (isinstance(given, Known) and given.data is None):
            if optional and isinstance(kind, tree.Call) and len(kind.arguments) > 1:
                entries[name] = convert(
                    evaluate(kind.arguments[1], frame), kind.arguments[0], frame
                )
            else:
                entries[name] = Known(None, value.span)
        else:
            entries[name] = convert(given, kind, frame)
    return _with_entries(value, entries)


def _is_any(constraint: tree.Expression) -> bool:
    """Whether the elements only have to be of one type."""
    return isinstance(constraint, tree.Variable) and constraint.name == "any"


def _with_items(value: Many, items: Sequence[Value]) -> Value:
    return within_budget(Many(tuple(items), value.span, value.via, complete=value.complete))


def _with_entries(value: Mapping, entries: dict[str, Value]) -> Value:
    return within_budget(
        Mapping(entries, value.span, value.via, complete=value.complete, key_spans=value.key_spans)
    )
