"""Terraform's numeric functions.

Source: Terraform language documentation, "Functions", section "Numeric Functions". ``pow`` and
``log`` are computed in double precision there as here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.functions.base import MAX_DIGITS, Call, Inexact, Number, Table
from blastdoor.value import Known, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction


_PRECISION: Final = 512
"""Bits of the mantissa of Terraform's numbers."""
_DIGITS: Final = 15
"""Significant digits of which a float keeps every one."""


def rounded(number: Fraction) -> Fraction:
    """The binary fraction of 512 bits that stands for a number, half to even."""
    if not number:
        return number
    from fractions import Fraction

    size = abs(number)
    shift = _PRECISION - (size.numerator.bit_length() - size.denominator.bit_length())
    scale = Fraction(2) ** shift
    scaled = round(size * scale)
    if scaled.bit_length() != _PRECISION:  # the quotient of the lengths is one off
        scale *= Fraction(2) ** (_PRECISION - scaled.bit_length())
        scaled = round(size * scale)
    return (scaled if number > 0 else -scaled) / scale


def held(number: Number) -> Fraction | None:
    """What Terraform holds of a number; ``None`` where that depends on how it came about."""
    from fractions import Fraction

    if isinstance(number, Inexact):
        return number.held
    if isinstance(number, int):
        return Fraction(number)
    return rounded(Fraction(repr(number)))


def combine(operator: str, one: Number, other: Number) -> Number:
    """``one`` operator ``other``, as Terraform computes it. Raises ZeroDivisionError, OverflowError."""
    if isinstance(one, int) and isinstance(other, int):
        result = _combine_whole(operator, one, other)
        if result is not None:
            return result
    left, right = held(one), held(other)
    if left is None or right is None:
        return Inexact(_approximate(operator, one, other), None)
    if operator == "%":
        exact = rounded(left - rounded(right * int(rounded(left / right))))
    else:
        exact = (
            left + right
            if operator == "+"
            else left - right
            if operator == "-"
            else left * right
            if operator == "*"
            else left / right
        )
    if not exact:
        negative = operator in "*/" and (_is_negative(one) is not _is_negative(other))
        return -0.0 if negative else 0
    kept = rounded(exact)
    if kept.denominator == 1:
        return kept.numerator
    number = float(kept)
    from fractions import Fraction

    short = float(f"{number:.{_DIGITS}g}")
    if rounded(Fraction(repr(short))) == kept:
        return short
    # Whole numbers are held with 64 bits or with 512, which decides the digits of their quotient.
    whole = isinstance(one, int) and isinstance(other, int)
    return Inexact(number, None if whole else kept)


def _combine_whole(operator: str, one: int, other: int) -> Number | None:
    """The result for whole numbers where it is whole."""
    if operator == "+":
        return one + other
    if operator == "-":
        return one - other
    if operator == "*":
        result = one * other
    elif operator == "%":
        rest = abs(one) % abs(other)
        return -rest if one < 0 else rest
    elif one % other:
        return None
    else:
        result = one // other
    return -0.0 if not result and (one < 0) is not (other < 0) else result


def _is_negative(number: Number) -> bool:
    return math.copysign(1, number) < 0


def _approximate(operator: str, one: float, other: float) -> float:
    if operator == "%":
        return math.fmod(one, other)
    return (
        one + other
        if operator == "+"
        else one - other
        if operator == "-"
        else one * other
        if operator == "*"
        else one / other
    )


def total(numbers: Iterable[Number]) -> Number:
    """The sum of several numbers."""
    result: Number | None = None
    for number in numbers:
        result = number if result is None else combine("+", result, number)
    return 0 if result is None else result


def _abs(call: Call, arguments: Sequence[Value]) -> Value:
    number = call.number(arguments[0])
    if isinstance(number, Inexact):
        return Known(number if number > 0 else number.negated(), call.span)
    return call.result(abs(number))


def _ceil(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(math.ceil(_settled(call, arguments[0])))


def _floor(call: Call, arguments: Sequence[Value]) -> Value:
    return call.result(math.floor(_settled(call, arguments[0])))


def _settled(call: Call, value: Value) -> Number | Fraction:
    """A number of which one can say between which whole numbers it lies."""
    number = call.number(value)
    if isinstance(number, Inexact):
        if number.held is not None:
            return number.held
        if math.isclose(number, round(number)):
            message = "digits of a quotient"
            raise call.budget(message)
    return number


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
