"""Terraform type constraints: what a variable's ``type`` makes of the value it is given.

Source: Terraform language documentation, "Type Constraints" (conversion, ``optional()``). As there,
the defaults of optional attributes are filled in first; then the value is converted, which drops the
attributes that the type does not name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.evaluate.expression import evaluate, to_text
from blastdoor.evaluate.functions.base import Call, Mismatch, convert_to
from blastdoor.parse import tree
from blastdoor.value import (
    OPEN_TYPE,
    SECRET,
    Alternative,
    Known,
    Many,
    Mapping,
    OneOf,
    Reason,
    Type,
    Unknown,
    Value,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.evaluate.expression import Frame

_WORDS = frozenset({"string", "number", "bool", "any"})


def convert(value: Value, constraint: tree.Expression, frame: Frame) -> Value:
    """``value`` as one of the type ``constraint``; `Unknown` where Terraform refuses it."""
    wanted = type_named(constraint, frame)
    where = value.span or frame.span(constraint)
    call = Call("type", where, frame.scope.files)
    if _has_optional(constraint, frame):
        value = _with_defaults(value, constraint, frame)
    if isinstance(value, OneOf):
        return one_of(
            [
                Alternative(_converted(call, a.value, wanted), a.condition)
                for a in value.alternatives
            ],
            value.span,
            value.via,
        )
    return _converted(call, value, wanted)


def _converted(call: Call, value: Value, wanted: Type) -> Value:
    try:
        return convert_to(call, value, wanted)
    except Mismatch:
        return Unknown(Reason.INVALID, "a value that does not fit its type", call.span, value.via)


def type_named(constraint: tree.Expression, frame: Frame) -> Type:
    """The type that a constraint names; `OPEN_TYPE` where it names none."""
    while isinstance(constraint, tree.Parenthesized):
        constraint = constraint.inner
    if isinstance(constraint, tree.Variable):
        if constraint.name in ("list", "map", "set"):
            return (constraint.name, "any")
        return constraint.name if constraint.name in _WORDS else OPEN_TYPE
    if isinstance(constraint, tree.Template):
        # The form of Terraform 0.11, which 1.11 still reads: type = "string", "list", "map".
        word = frame.span(constraint).text.strip('"')
        if word in ("list", "map"):
            return (word, "string")
        return word if word == "string" else OPEN_TYPE
    if not isinstance(constraint, tree.Call) or not constraint.arguments:
        return OPEN_TYPE
    name, inner = constraint.name, constraint.arguments[0]
    if name in ("list", "set", "map"):
        return (name, type_named(inner, frame))
    if name == "optional":
        return type_named(inner, frame)
    if name == "tuple" and isinstance(inner, tree.TupleExpression):
        return ("tuple", tuple([type_named(item, frame) for item in inner.items]))
    if name == "object" and isinstance(inner, tree.ObjectExpression):
        pairs = [
            (to_text(evaluate(item.key, frame)), type_named(item.value, frame))
            for item in inner.items
        ]
        if all(name is not None for name, _type in pairs):
            return ("object", tuple(sorted(pairs, key=lambda pair: str(pair[0]))))
    return OPEN_TYPE


def _has_optional(constraint: tree.Expression, frame: Frame) -> bool:
    text = frame.document.text
    return text.find("optional", constraint.start, constraint.end) >= 0


def _with_defaults(value: Value, constraint: tree.Expression, frame: Frame) -> Value:
    """``value`` with the optional attributes that it lacks."""
    while isinstance(constraint, tree.Parenthesized):
        constraint = constraint.inner
    if not isinstance(constraint, tree.Call) or not constraint.arguments:
        return value
    if isinstance(value, OneOf):
        return one_of(
            [
                Alternative(_with_defaults(a.value, constraint, frame), a.condition)
                for a in value.alternatives
            ],
            value.span,
            value.via,
        )
    name, inner = constraint.name, constraint.arguments[0]
    if name == "optional":
        return _with_defaults(value, inner, frame)
    if isinstance(value, Many):
        kinds: Sequence[tree.Expression] = [inner] * len(value.items)
        if name == "tuple" and isinstance(inner, tree.TupleExpression):
            if len(inner.items) != len(value.items):
                return value
            kinds = inner.items
        pairs = zip(value.items, kinds, strict=True)
        items = tuple([_with_defaults(item, kind, frame) for item, kind in pairs])
        # The elements may have become of different types: only the conversion makes a list of them.
        return _like(Many(items, value.span, value.via, complete=value.complete), value)
    if isinstance(value, Mapping):
        if name == "object" and isinstance(inner, tree.ObjectExpression):
            entries = _object(value, inner, frame)
        else:
            entries = {k: _with_defaults(v, inner, frame) for k, v in value.entries.items()}
        return _like(
            Mapping(
                entries,
                value.span,
                value.via,
                complete=value.complete,
                key_spans=value.key_spans,
            ),
            value,
        )
    return value


def _like(made: Value, value: Value) -> Value:
    return made.hidden() if value.marks & SECRET else made


def _object(value: Mapping, shape: tree.ObjectExpression, frame: Frame) -> dict[str, Value]:
    entries = dict(value.entries)
    for item in shape.items:
        name = to_text(evaluate(item.key, frame))
        kind = item.value
        if name is None:
            continue
        given = entries.get(name)
        optional = isinstance(kind, tree.Call) and kind.name == "optional"
        if given is None and (not optional or not value.complete):
            continue
        if given is None or (isinstance(given, Known) and given.data is None):
            if isinstance(kind, tree.Call) and optional and len(kind.arguments) > 1:
                default = evaluate(kind.arguments[1], frame)
                entries[name] = convert(default, kind.arguments[0], frame)
            elif given is None:
                entries[name] = Known(None, value.span)
        else:
            entries[name] = _with_defaults(given, kind, frame)
    return entries
