"""Terraform's type conversions, ``try`` and ``can``.

Source: Terraform language documentation, "Functions", section "Type Conversion Functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.functions.base import EVERY, Call, Mismatch, Table, convert_to, pushed
from blastdoor.value import (
    SECRET,
    Alternative,
    Encoded,
    Inherited,
    Known,
    Many,
    Mapping,
    Reason,
    Text,
    Unknown,
    Value,
    alternatives,
    one_of,
    type_of,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.value import Type

_ERRORS: Final = frozenset({Reason.INVALID, Reason.UNRESOLVED, Reason.UNDECLARED})
_SETTLED: Final = frozenset({Reason.NO_VALUE, Reason.CALLER})


def _is_error(value: Value) -> bool:
    """Whether evaluating the expression is an error in Terraform."""
    return any(isinstance(part, Unknown) and part.reason in _ERRORS for part in walk(value))


def _is_certain(value: Value) -> bool:
    """Whether the expression certainly has a value, known or not."""
    for part in walk(value):
        if not isinstance(part, Unknown) or isinstance(part, Inherited) or part.meaning is not None:
            continue
        if part.reason is Reason.COMPUTED and "[" not in part.subject:
            continue
        # A variable itself has a value; what is within it may be absent.
        if part.reason in _SETTLED and part.subject.count(".") == 1 and "[" not in part.subject:
            continue
        return False
    return True


def _try(call: Call, arguments: Sequence[Value]) -> Value:
    possible: list[Value] = []
    for argument in arguments:
        options = alternatives(argument)
        kept = [option for option in options if not _is_error(option.value)]
        if not kept:
            continue
        possible.append(
            argument
            if len(kept) == len(options)
            else one_of(kept, argument.span or call.span, argument.via)
        )
        if len(kept) == len(options) and _is_certain(argument):
            break
    if not possible:
        message = "no expression succeeded"
        raise call.invalid(message)
    if len(possible) == 1:
        return possible[0]
    return one_of([Alternative(value, "") for value in possible], call.span)


def _can(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if _is_error(value):
        return call.known(data=False)
    if _is_certain(value):
        return call.known(data=True)
    raise call.missing(value)


def _same(_: Call, arguments: Sequence[Value]) -> Value:
    return arguments[0]


def _tobool(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Known):
        if value.data is None:
            return convert_to(call, value, "bool")
        if isinstance(value.data, bool):
            return value
        if not isinstance(value.data, str):
            message = "cannot convert a number"
            raise call.invalid(message)
        return Known(call.boolean(value), value.span, value.via)
    if isinstance(value, Unknown):
        return value
    call.boolean(value)
    raise call.missing(value)


def _tonumber(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Known):
        if value.data is None:
            return convert_to(call, value, "number")
        number = call.number(value)
        return value if number is value.data else Known(number, value.span, value.via)
    if isinstance(value, Unknown):
        return value
    call.number(value)
    raise call.missing(value)


def _tostring(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Known):
        if value.data is None:
            return convert_to(call, value, "string")
        if isinstance(value.data, str):
            return value
        return Known(call.text(value), value.span, value.via)
    if isinstance(value, (Text, Encoded, Unknown)):
        return value
    return call.known(call.text(value))


def _tolist(call: Call, arguments: Sequence[Value]) -> Value:
    return _collection(call, arguments[0], ("list", "any"))


def _toset(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Many) and not value.is_set:
        items: Sequence[Value] = pushed(value)
        if not value.complete:
            # The marks of elements of unknown number say nothing in a set, unless they mean something.
            items = [
                item
                for item in items
                if not isinstance(item, Unknown)
                or item.reason is not Reason.RANGE
                or item.meaning in EVERY
            ]
        value = Many(tuple(items), value.span, complete=value.complete, element=value.element)
    return _collection(call, value, ("set", "any"))


def _tomap(call: Call, arguments: Sequence[Value]) -> Value:
    return _collection(call, arguments[0], ("map", "any"))


def _collection(call: Call, value: Value, wanted: Type) -> Value:
    if isinstance(value, Known) and value.data is None:
        return value
    if isinstance(value, Unknown) and not isinstance(value, Inherited):
        return value
    if isinstance(value, (Many, Mapping)) and type_of(value)[0] == wanted[0]:
        return value
    if wanted[0] == "map":
        call.mapping(value)
    else:
        call.items(value)
    try:
        return convert_to(call, value, wanted)
    except Mismatch:
        message = "elements have no common type"
        raise call.invalid(message) from None


def _issensitive(call: Call, arguments: Sequence[Value]) -> Value:
    return call.known(bool(arguments[0].marks & SECRET))


def _sensitive(_: Call, arguments: Sequence[Value]) -> Value:
    return arguments[0].hidden()


def _nonsensitive(_: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if not value.marks & SECRET:
        return value
    return value.shown()


FUNCTIONS: Final[Table] = {
    "can": (_can, 1, 1),
    "ephemeralasnull": (_same, 1, 1),
    "issensitive": (_issensitive, 1, 1),
    "nonsensitive": (_nonsensitive, 1, 1),
    "sensitive": (_sensitive, 1, 1),
    "tobool": (_tobool, 1, 1),
    "tolist": (_tolist, 1, 1),
    "tomap": (_tomap, 1, 1),
    "tonumber": (_tonumber, 1, 1),
    "toset": (_toset, 1, 1),
    "tostring": (_tostring, 1, 1),
    "try": (_try, 1, None),
}
