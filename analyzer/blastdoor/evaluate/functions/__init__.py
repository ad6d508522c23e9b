"""Terraform's functions on values of which more or less is known.

Source: Terraform language documentation, "Functions" (Terraform 1.11). `call` never raises: what a
function gives is a value; a use that Terraform rejects is `Unknown(INVALID)`, and what depends on
an argument that is not known is `Unknown` for that argument's reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.functions import (
    collections,
    dates,
    encoding,
    files,
    network,
    numbers,
    text,
    types,
)
from blastdoor.evaluate.functions.base import (
    Call,
    Files,
    Mismatch,
    Stop,
    Table,
    distribute,
    failure_in,
    unknown_like,
)
from blastdoor.value import FAILS, MAX_TEXT, Known, OneOf, Reason, Unknown, Value, within_budget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.span import Span

__all__ = ["NAMES", "Files", "call"]

_TABLE: Final[Table] = {
    **collections.FUNCTIONS,
    **dates.FUNCTIONS,
    **encoding.FUNCTIONS,
    **files.FUNCTIONS,
    **network.FUNCTIONS,
    **numbers.FUNCTIONS,
    **text.FUNCTIONS,
    **types.FUNCTIONS,
}

NAMES: Final = frozenset(_TABLE)
"""The functions that are evaluated here."""

_IMPURE: Final = frozenset({"bcrypt", "plantimestamp", "timestamp", "uuid"})

_NULLABLE: Final = frozenset(
    {
        "can",
        "coalesce",
        "coalescelist",
        "ephemeralasnull",
        "format",
        "formatlist",
        "issensitive",
        "jsonencode",
        "lookup",
        "merge",
        "nonsensitive",
        "sensitive",
        "tobool",
        "tolist",
        "tomap",
        "tonumber",
        "toset",
        "tostring",
        "try",
        "yamlencode",
    }
)
"""Functions that take null for at least one argument; elsewhere null is an error."""

_GUARDS: Final = frozenset({"can", "try"})
"""Functions that take arguments which cannot be evaluated."""
_WHOLE: Final = frozenset({"try"})
"""Functions that look at the alternatives of their arguments themselves."""


def call(name: str, arguments: Sequence[Value], span: Span, files: Files) -> Value:
    """What the function ``name`` gives for evaluated arguments. Never raises."""
    name = name.removeprefix("core::")
    entry = _TABLE.get(name)
    if entry is None:
        reason = Reason.IMPURE if name in _IMPURE else Reason.FUNCTION
        if name.startswith("provider::"):
            reason = Reason.PROVIDER_FUNCTION
        return Unknown(reason, name, span)
    function, least, most = entry
    if len(arguments) < least or (most is not None and len(arguments) > most):
        return Unknown(Reason.INVALID, f"{name}(): wrong number of arguments", span)
    this = Call(name, span, files)

    def apply(values: Sequence[Value]) -> Value:
        if name not in _GUARDS:
            for value in values:
                # What cannot be evaluated cannot be an argument.
                if value.marks & FAILS:
                    return unknown_like(failure_in(value), span)
        if name not in _NULLABLE:
            for value in values:
                if isinstance(value, Known) and value.data is None:
                    return Unknown(Reason.INVALID, f"{name}(): argument must not be null", span)
        try:
            return function(this, values)
        except Stop as stop:
            return stop.value
        except Mismatch:
            return Unknown(Reason.INVALID, f"{name}(): wrong type of argument", span)
        except (OverflowError, RecursionError):
            return Unknown(Reason.BUDGET, f"{name}(): too large", span)

    try:
        if name not in _WHOLE and any(isinstance(value, OneOf) for value in arguments):
            result = distribute(this, arguments, apply)
        else:
            result = apply(arguments)
    except Stop as stop:
        return stop.value
    if isinstance(result, Known):
        if isinstance(result.data, str) and len(result.data) > MAX_TEXT:
            return Unknown(Reason.BUDGET, f"{name}(): string too long", span)
        return result
    return within_budget(result)
