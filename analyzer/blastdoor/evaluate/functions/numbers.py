"""Terraform's numeric functions.

Source: Terraform language documentation, "Functions", section "Numeric Functions". ``pow`` and
``log`` are computed in double precision there as here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.functions.base import MAX_DIGITS, Call, Number, Table
from blastdoor.value import Known, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def total(numbers: Iterable[Number]) -> Number:
    """The sum, exact for decimal fractions as they are written."""
    held = list(numbers)
    if all(isinstance(number, int) for number in held):
        return sum(held)
    from decimal import Context, Decimal

    context = Context(prec=160)
    result = Decimal(0)
    for number in held:
        result = context.add(result, Decimal(repr(number)))
    return int(result) if result == result.to_integral_value() else float(result)


def _abs(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(abs(call.number(arguments[0])))


def _ceil(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(math.ceil(call.number(arguments[0])))


def _floor(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(math.floor(call.number(arguments[0])))


def _log(call: Call, arguments: Sequence[Value]) -> Value:
    number, base = (float(call.number(argument)) for argument in arguments)
    if number <= 0 or base < 0 or base == 1:
        message = "no logarithm"
        raise call.invalid(message)
    if base == 0:
        return call.known(0)
    return call.result(math.log(number) / math.log(base))


def _max(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(max([call.number(argument) for argument in arguments]))


def _min(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(min([call.number(argument) for argument in arguments]))


def _parseint(call: Call, arguments: Sequence[Value]) -> Value:
    if isinstance(arguments[0], Known) and not isinstance(arguments[0].data, str):
        message = "string required"
        raise call.invalid(message)
    text = call.text(arguments[0])
    base = call.whole(arguments[1])
    if not 2 <= base <= 62:  # noqa: PLR2004
        message = "base must be between 2 and 62"
        raise call.invalid(message)
    if len(text) > MAX_DIGITS:
        message = "number too long"
        raise call.budget(message)
    digits = text[1:] if text[:1] in ("+", "-") else text
    number = 0
    for character in digits:
        digit = _digit(character, base)
        if digit is None or digit >= base:
            message = f"cannot parse {text[:80]!r} as base {base}"
            raise call.invalid(message)
        number = number * base + digit
    if not digits:
        message = "no digits"
        raise call.invalid(message)
    return call.result(-number if text.startswith("-") else number)


def _digit(character: str, base: int) -> int | None:
    if "0" <= character <= "9":
        return ord(character) - ord("0")
    if "a" <= character <= "z":
        return ord(character) - ord("a") + 10
    if "A" <= character <= "Z":
        # Beyond base 36 capital letters are digits of their own.
        return ord(character) - ord("A") + (10 if base <= 36 else 36)  # noqa: PLR2004
    return None


def _pow(call: Call, arguments: Sequence[Value]) -> Value:
    number, power = (float(call.number(argument)) for argument in arguments)
    try:
        return call.result(math.pow(number, power))
    except (OverflowError, ValueError):
        message = "result out of range"
        raise call.invalid(message) from None


def _signum(call: Call, arguments: Sequence[Value]) -> Value:
    number = call.whole(arguments[0])
    return call.known((number > 0) - (number < 0))


FUNCTIONS: Final[Table] = {
    "abs": (_abs, 1, 1),
    "ceil": (_ceil, 1, 1),
    "floor": (_floor, 1, 1),
    "log": (_log, 2, 2),
    "max": (_max, 1, None),
    "min": (_min, 1, None),
    "parseint": (_parseint, 2, 2),
    "pow": (_pow, 2, 2),
    "signum": (_signum, 1, 1),
}
