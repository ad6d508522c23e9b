"""What Terraform's functions share: arguments as Python data, conversions, sets, templates.

Sources: Terraform language documentation, "Types and Values" and "Type Conversion" (primitive
conversions, unification of element types, the order of sets); "Functions" for the rest.

A list some of whose parts are not known is an incomplete `Many`. Where elements of unknown number
stand in front of known ones, an `Unknown` item marks the place: the elements behind it are in the
list, but their positions are not certain (`certain_prefix`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as AbstractMapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final, Protocol

from blastdoor.evaluate.kinds import (
    PRIMITIVE,
    apart,
    attributes,
    common,
    converts,
    kind,
    places,
)
from blastdoor.record import dataclass
from blastdoor.span import Document, Span
from blastdoor.value import (
    MAX_ALTERNATIVES,
    MAX_SIZE,
    MAX_TEXT,
    OPEN_TYPE,
    SECRET,
    Alternative,
    Encoded,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    Null,
    OneOf,
    Piece,
    Reason,
    Text,
    Unknown,
    Value,
    one_of,
    type_of,
    walk,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Hashable
    from fractions import Fraction
    from typing import Self

    from blastdoor.value import Evidence, Scalar, Type

Number = int | float


class Inexact(float):
    """A number with more digits than a float keeps; ``held`` is what Terraform has of it, if known."""

    __slots__ = ("held",)

    held: Fraction | None

    def __new__(cls, number: float, held: Fraction | None) -> Self:
        """The float next to it, with what is held."""
        made = super().__new__(cls, number)
        made.held = held
        return made

    def negated(self) -> Inexact:
        """The same number with the other sign."""
        return Inexact(-self, None if self.held is None else -self.held)


MAX_DIGITS: Final = 4000
"""Longest whole number, in decimal digits."""
_MAX_BITS: Final = 13_000

EVERY: Final = frozenset({Meaning.EVERY_REGION, Meaning.EVERY_ACCOUNT})
"""Meanings of unknown collections."""
SINGLE: Final = frozenset(
    {
        Meaning.EACH_REGION,
        Meaning.CURRENT_REGION,
        Meaning.CURRENT_PARTITION,
        Meaning.CURRENT_ACCOUNT,
        Meaning.ORGANIZATION_ROOT,
        Meaning.ORGANIZATION,
    }
)
"""Meanings of unknown strings."""


class Files(Protocol):
    """The files that functions may read: those of the analysed root."""

    def read(self, path: str) -> str | None:
        """The text of a file; ``None`` when it is outside the root, absent or not readable."""

    def document(self, path: str) -> Document | None:
        """The file as a document, the same one each time; ``None`` where `read` gives none."""

    def template(self, path: str, variables: AbstractMapping[str, Value], span: Span) -> Value:
        """The template file ``path`` rendered with ``variables``."""

    def names(self, directory: str, pattern: str) -> list[str] | None:
        """The files below ``directory`` that match ``pattern``; ``None`` outside the root."""


class Stop(Exception):  # noqa: N818  ends a call, not an error of the program
    """Ends the evaluation of a call with a value that says why."""

    def __init__(self, value: Unknown) -> None:
        super().__init__()
        self.value = value


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function: its name, where it stands, the files it may read.

    The conversions take an argument and give Python data; where they cannot, they raise `Stop` with
    what the call is then known to be.
    """

    name: str
    span: Span
    files: Files

    def invalid(self, why: str) -> Stop:
        """The call is an error in Terraform."""
        return Stop(Unknown(Reason.INVALID, f"{self.name}(): {why}", self.span))

    def budget(self, why: str) -> Stop:
        """The result is beyond what evaluation may spend."""
        return Stop(Unknown(Reason.BUDGET, f"{self.name}(): {why}", self.span))

    def unsupported(self, why: str = "") -> Stop:
        """The result is not worked out here."""
        return Stop(Unknown(Reason.FUNCTION, f"{self.name}(){why and ': '}{why}", self.span))

    def missing(self, value: Value) -> Stop:
        """The result depends on ``value``, which is not known."""
        return Stop(unknown_like(value, self.span))

    def known(self, data: str | Number | bool | None) -> Known:  # noqa: FBT001  any scalar
        """A known result."""
        return Known(data, self.span)

    def many(
        self, items: Iterable[Value], *, complete: bool = True, element: Type | None = None
    ) -> Value:
        """A tuple, or a list when the type of its elements is given."""
        return within_budget(Many(tuple(items), self.span, complete=complete, element=element))

    def listed(self, items: Iterable[Value], *, complete: bool = True) -> Value:
        """A list of elements of one type."""
        held = tuple(items)
        return self.many(held, complete=complete, element=element_type(held))

    def text(self, value: Value) -> str:
        """A string argument; numbers and booleans are converted."""
        if isinstance(value, Known):
            data = value.data
            if isinstance(data, str):
                return data
            if data is None:
                message = "argument must not be null"
                raise self.invalid(message)
            return self.scalar_text(data)
        if isinstance(value, Encoded):
            return self.json(value)
        if isinstance(value, (Many, Mapping)):
            message = "string required"
            raise self.invalid(message)
        raise self.missing(value)

    def scalar_text(self, data: str | bool | Number) -> str:  # noqa: FBT001  any scalar
        """A primitive as Terraform writes it in a string."""
        if isinstance(data, str):
            return data
        if isinstance(data, bool):
            return "true" if data else "false"
        text = number_text(data)
        if text is None:
            message = "number out of range"
            raise self.budget(message)
        return text

    def number(self, value: Value) -> Number:
        """A number argument; strings are converted."""
        if isinstance(value, Known):
            data = value.data
            if isinstance(data, str):
                parsed = parse_number(data)
                if parsed is not None:
                    return parsed
            elif (
                data is not None
                and not isinstance(data, bool)
                and data - data == 0
                and (isinstance(data, float) or data.bit_length() < _MAX_BITS)
            ):
                return data
            message = "number required"
            raise self.invalid(message)
        if isinstance(value, (Many, Mapping)):
            message = "number required"
            raise self.invalid(message)
        raise self.missing(value)

    def whole(self, value: Value) -> int:
        """A number argument that must be whole."""
        number = self.number(value)
        if isinstance(number, float):
            if not number.is_integer():
                message = "whole number required"
                raise self.invalid(message)
            number = int(number)
        return number

    def result(self, number: Number) -> Known:
        """A known number; whole ones are integers."""
        if isinstance(number, float):
            if number - number != 0:
                message = "result out of range"
                raise self.invalid(message)
            if number.is_integer() and not isinstance(number, Inexact):
                number = int(number_text(number) or 0)
        elif number.bit_length() >= _MAX_BITS:
            message = "number too large"
            raise self.budget(message)
        return Known(number, self.span)

    def boolean(self, value: Value) -> bool:
        """A boolean argument; strings are converted."""
        if isinstance(value, Known):
            if isinstance(value.data, bool):
                return value.data
            if value.data in ("true", "1"):
                return True
            if value.data in ("false", "0"):
                return False
            message = "boolean required"
            raise self.invalid(message)
        if isinstance(value, (Many, Mapping)):
            message = "boolean required"
            raise self.invalid(message)
        raise self.missing(value)

    def items(self, value: Value) -> Many:
        """A list, set or tuple argument, complete or not."""
        if isinstance(value, Many):
            return value
        if isinstance(value, (Known, Mapping, Text, Encoded)):
            message = "list required"
            raise self.invalid(message)
        raise self.missing(value)

    def complete(self, value: Value) -> tuple[Value, ...]:
        """The elements of a list argument of which every element is there."""
        many = self.items(value)
        if not many.complete:
            raise self.missing(value)
        return pushed(many)

    def mapping(self, value: Value) -> Mapping:
        """A map or object argument, complete or not."""
        if isinstance(value, Mapping):
            return value
        if isinstance(value, (Known, Many, Text, Encoded)):
            message = "map required"
            raise self.invalid(message)
        raise self.missing(value)

    def texts(self, items: Iterable[Value]) -> list[str]:
        """Known strings of a list of strings."""
        return [self.text(item) for item in items]

    def json(self, value: Encoded) -> str:
        """The JSON text of an encoded value, as Terraform writes it."""
        if not value.resolved:
            raise self.missing(value.inner)
        parts: list[str] = []
        _write_json(self, value.inner, parts, [MAX_TEXT])
        return "".join(parts)

    def unify(self, items: Sequence[Value]) -> Sequence[Value]:
        """The elements converted to the one type that Terraform finds for all of them."""
        unified = unify(self, items)
        if unified is None:
            message = "elements have no common type"
            raise self.invalid(message)
        return unified


# Unknowns


def unknown_like(value: Value, span: Span | None) -> Unknown:
    """An unknown for the reason that makes ``value`` not known; it means nothing by itself."""
    for inner in walk(value):
        if isinstance(inner, Unknown):
            return Unknown(inner.reason, inner.subject, span, value.via or inner.via)
    if isinstance(value, OneOf):
        return Unknown(Reason.NO_VALUE, "condition", span, value.via)
    if any(isinstance(inner, OneOf) for inner in walk(value)):
        return Unknown(Reason.NO_VALUE, "condition", span, value.via)
    return Unknown(Reason.RANGE, "", span, value.via)


def failure_in(value: Value) -> Value:
    """The part of a value with the mark `FAILS` whose evaluation is an error in Terraform."""
    for inner in walk(value):
        if isinstance(inner, Unknown) and inner.reason is Reason.INVALID:
            return inner
    return value


def part_of(value: Value, suffix: str, span: Span | None) -> Unknown:
    """The unknown part ``suffix`` (``.name``, ``[0]``) of a value that is not known."""
    base = unknown_like(value, span)
    subject = (base.subject + suffix)[:200] if base.subject else suffix.lstrip(".")
    each = isinstance(value, Unknown) and value.meaning is Meaning.EVERY_REGION
    return Unknown(
        base.reason,
        subject,
        span,
        base.via,
        meaning=Meaning.EACH_REGION if each and suffix == "[*]" else None,
        partition=value.partition if each and isinstance(value, Unknown) else None,
    )


def is_single(value: Value) -> bool:
    """Whether an unresolved value is certainly one scalar, not a collection."""
    if isinstance(value, OneOf):
        return all(is_single(a.value) for a in value.alternatives)
    if isinstance(value, Unknown):
        return isinstance(value, Inherited) or value.meaning in SINGLE
    return isinstance(value, (Known, Text, Encoded))


def push(value: Value, via: tuple[Evidence, ...]) -> Value:
    """An element taken out of a collection that came by the steps ``via``."""
    return value.through(*via) if via else value


def pushed(many: Many) -> tuple[Value, ...]:
    """The elements of a list with the steps that brought the list."""
    if not many.via:
        return many.items
    return tuple([item.through(*many.via) for item in many.items])


def certain_prefix(many: Many) -> int:
    """How many elements of a list have a certain position."""
    if many.complete:
        return 0 if many.is_set and not many.resolved else len(many.items)
    if many.is_set:
        return 0
    for position, item in enumerate(many.items):
        if isinstance(item, Unknown):
            return position
    return len(many.items)


# Alternatives


def distribute(
    call: Call, arguments: Sequence[Value], apply: Callable[[Sequence[Value]], Value]
) -> Value:
    """``apply`` over every combination of the arguments' alternatives, joined."""
    count = 1
    for argument in arguments:
        if isinstance(argument, OneOf):
            count *= len(argument.alternatives)
            if count > MAX_ALTERNATIVES:
                message = "too many alternatives"
                raise call.budget(message)
    options = [
        [(push(a.value, argument.via), a.condition) for a in argument.alternatives]
        if isinstance(argument, OneOf)
        else [(argument, "")]
        for argument in arguments
    ]
    results = []
    for combination in product(*options):
        conditions = dict.fromkeys([condition for _, condition in combination if condition])
        value = apply([value for value, _ in combination])
        results.append(Alternative(value, " and ".join(conditions)))
    possible = [r for r in results if not _is_error(r.value)]
    if possible and all(isinstance(r.value, Unknown) for r in possible):
        # What cannot work adds nothing to what is not known.
        results = possible
    return one_of(results, call.span)


def _is_error(value: Value) -> bool:
    return isinstance(value, Unknown) and value.reason is Reason.INVALID


def distribute_items(
    call: Call,
    items: Sequence[Value],
    split: Callable[[OneOf], bool],
    apply: Callable[[Sequence[Value]], Value],
) -> Value:
    """``apply`` over every combination of the alternatives of the items that ``split`` chooses."""
    count = 1
    chosen = False
    for item in items:
        if isinstance(item, OneOf) and split(item):
            chosen = True
            count *= len(item.alternatives)
            if count > MAX_ALTERNATIVES:
                message = "too many alternatives"
                raise call.budget(message)
    if not chosen:
        return apply(items)
    held = {id(item) for item in items if isinstance(item, OneOf) and not split(item)}
    if not held:
        return distribute(call, items, apply)
    # Items that stay whole are wrapped out of the way of `distribute`.
    places = [n for n, item in enumerate(items) if isinstance(item, OneOf) and id(item) not in held]

    def fill(values: Sequence[Value]) -> Value:
        filled = list(items)
        for place, value in zip(places, values, strict=True):
            filled[place] = value
        return apply(filled)

    return distribute(call, [items[place] for place in places], fill)


# Numbers

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def parse_number(text: str) -> Number | None:
    """The number that a string converts to; ``None`` when it is none, or out of reach."""
    if len(text) > MAX_DIGITS or not _NUMBER.fullmatch(text):
        return None
    mantissa, _, exponent = text.lower().partition("e")
    if not exponent and "." not in mantissa:
        return int(mantissa)
    if len(exponent) > 5:  # noqa: PLR2004
        return None
    shift = int(exponent or 0)
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    if shift > MAX_DIGITS:
        return None
    if len(fraction) <= shift or not fraction:
        digits = whole + fraction + "0" * max(shift - len(fraction), 0)
        if shift >= 0:
            return int(digits if digits.lstrip("+-") else "0")
    number = float(text)
    if number - number != 0:
        return None
    if number.is_integer():
        return int(number_text(number) or 0)
    return number


def number_text(number: Number) -> str | None:
    """A number in digits, never with an exponent; ``None`` when it is not finite or too long."""
    if isinstance(number, int):
        return str(number) if number.bit_length() < _MAX_BITS else None
    if number - number != 0:
        return None
    if isinstance(number, Inexact):
        return _inexact_text(number)
    text = repr(number)
    mantissa, _, exponent = text.partition("e")
    if exponent:
        sign = "-" if mantissa.startswith("-") else ""
        whole, _, fraction = mantissa.lstrip("-").partition(".")
        shift = int(exponent)
        if shift >= 0:
            digits = whole + fraction
            text = sign + digits + "0" * (len(whole) + shift - len(digits))
        else:
            text = sign + "0." + "0" * (-shift - len(whole)) + whole + fraction
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text


def _inexact_text(number: Inexact) -> str | None:
    """The shortest digits that stand for the 512 bits that Terraform holds; ``None`` if unknown."""
    exact = number.held
    if exact is None or not 1e-30 < abs(number) < 1e30:  # noqa: PLR2004
        return None
    from decimal import ROUND_HALF_EVEN, Context, Decimal
    from fractions import Fraction

    from blastdoor.evaluate.functions.numbers import rounded

    for digits in range(16, 170):
        context = Context(prec=digits, rounding=ROUND_HALF_EVEN)
        text = format(context.divide(Decimal(exact.numerator), Decimal(exact.denominator)), "f")
        if rounded(Fraction(text)) == exact:
            return text.rstrip("0").rstrip(".") if "." in text else text
    return None


# Unicode

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def valid_text(text: str) -> str:
    """The text with lone surrogates replaced, so that it has an encoding."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def utf8(text: str) -> bytes:
    """The text in UTF-8."""
    return valid_text(text).encode()


# JSON


def quote_json(text: str) -> str:
    """A string as ``jsonencode`` writes it: ``<``, ``>``, ``&`` and line separators escaped."""
    from json import encoder

    return (
        encoder.encode_basestring(text)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


def _write_json(call: Call, value: Value, parts: list[str], left: list[int]) -> None:
    """Effect: appends the JSON text of a resolved value to ``parts``."""
    if isinstance(value, Known):
        data = value.data
        if data is None:
            text = "null"
        elif isinstance(data, str):
            text = quote_json(data)
        else:
            text = call.scalar_text(data)
        _emit(call, text, parts, left)
    elif isinstance(value, Many):
        _emit(call, "[", parts, left)
        for number, item in enumerate(value.items):
            if number:
                _emit(call, ",", parts, left)
            _write_json(call, item, parts, left)
        _emit(call, "]", parts, left)
    elif isinstance(value, Mapping):
        _emit(call, "{", parts, left)
        for number, (name, item) in enumerate(sorted(value.entries.items())):
            if number:
                _emit(call, ",", parts, left)
            _emit(call, quote_json(name) + ":", parts, left)
            _write_json(call, item, parts, left)
        _emit(call, "}", parts, left)
    elif isinstance(value, Encoded):
        _emit(call, quote_json(call.json(value)), parts, left)
    else:
        raise call.missing(value)


def _emit(call: Call, text: str, parts: list[str], left: list[int]) -> None:
    left[0] -= len(text)
    if left[0] < 0:
        message = "string too long"
        raise call.budget(message)
    parts.append(text)


# Types


def unify(call: Call, items: Sequence[Value]) -> Sequence[Value] | None:
    """The elements converted to their common type; ``None`` when they have none."""
    types = [type_of(item) for item in items]
    if len(set(types)) <= 1:
        return items
    found = common(types)
    if found in (None, "any"):
        return None
    try:
        converted = [
            item if type_ == found else convert_to(call, item, found)
            for item, type_ in zip(items, types, strict=True)
        ]
    except Mismatch:
        return None
    kept = [type_of(item) for item in converted if not _is_null(item)]
    if any(apart(kept[0], type_) for type_ in kept[1:]):
        return None
    same_items = all(a is b for a, b in zip(converted, items, strict=True))
    return items if same_items else converted


def _is_null(item: Value) -> bool:
    return isinstance(item, Known) and item.data is None


def element_type(items: Iterable[Value]) -> Type:
    """The type of the elements of a list whose elements have been unified."""
    found: Type = "any"
    for item in items:
        type_ = type_of(item)
        if type_ == OPEN_TYPE:
            return OPEN_TYPE
        if type_ != "any":
            found = type_
    return found


class Mismatch(Exception):  # noqa: N818  an answer, not an error of the program
    """A value that does not convert to a type."""


def convert_to(call: Call, value: Value, wanted: Type) -> Value:
    """``value`` as one of the type ``wanted``. Raises `Mismatch` where Terraform reports an error."""
    if wanted in (OPEN_TYPE, "any") or isinstance(value, Unknown) or type_of(value) == wanted:
        return value
    if isinstance(value, Known) and value.data is None:
        have = type_of(value)
        # A null object goes where an object with further optional attributes is wanted.
        if kind(have) != kind(wanted) and not converts(have, wanted):
            raise Mismatch
        null = Null(wanted, value.span, value.via)
        null.marks = value.marks
        return null
    if isinstance(value, OneOf):
        return one_of(
            [
                Alternative(convert_to(call, a.value, wanted), a.condition)
                for a in value.alternatives
            ],
            value.span,
            value.via,
        )
    converted = _converted(call, value, wanted)
    return converted.hidden() if value.marks & SECRET else converted


def _converted(call: Call, value: Value, wanted: Type) -> Value:
    word = wanted if isinstance(wanted, str) else wanted[0]
    if word in PRIMITIVE:
        return _primitive(call, value, word)
    if word in ("list", "set"):
        return _listed(call, value, word, wanted[1])
    if word == "map" and isinstance(value, Mapping):
        entries = _each(call, value.entries, wanted[1])
        return _mapped(value, entries, element=wanted[1])
    if (
        word == "tuple"
        and isinstance(value, Many)
        and value.element is None
        and not value.is_set
        and value.complete
        and len(value.items) == len(places(wanted))
    ):
        pairs = zip(value.items, places(wanted), strict=True)
        items = tuple([convert_to(call, item, inner) for item, inner in pairs])
        return Many(items, value.span, value.via)
    if word == "object" and isinstance(value, Mapping):
        entries = {}
        for name, inner in attributes(wanted):
            item = value.entries.get(name)
            if item is None:
                if value.complete:
                    raise Mismatch
                continue
            entries[name] = convert_to(call, item, inner)
        return _mapped(value, entries, element=None)
    raise Mismatch


def _primitive(call: Call, value: Value, word: str) -> Value:
    if isinstance(value, (Text, Encoded)):
        if word == "string":
            return value
        return unknown_like(value, value.span)
    if not isinstance(value, Known):
        raise Mismatch
    data = value.data
    try:
        if word == "string":
            assert data is not None
            result: str | bool | Number = call.scalar_text(data)
        elif word == "bool":
            if isinstance(data, (int, float)) and not isinstance(data, bool):
                raise Mismatch
            result = call.boolean(value)
        else:
            if isinstance(data, bool):
                raise Mismatch
            result = call.number(value)
    except Stop as stop:
        if stop.value.reason is Reason.INVALID:
            raise Mismatch from None
        return stop.value
    return Known(result, value.span, value.via, value.pieces if isinstance(result, str) else ())


def _listed(call: Call, value: Value, word: str, element: Type) -> Value:
    if not isinstance(value, Many):
        raise Mismatch
    items: Sequence[Value] = value.items
    if element == "any":
        unified = unify(call, items)
        if unified is None:
            raise Mismatch
        items, element = unified, element_type(unified)
    else:
        items = [convert_to(call, item, element) for item in items]
    if word == "set":
        return set_of(call, items, value.span, value.via, complete=value.complete, element=element)
    # The position of what is not known in a set is not known.
    complete = value.complete and (not value.is_set or value.resolved)
    return within_budget(
        Many(tuple(items), value.span, value.via, complete=complete, element=element)
    )


def _each(call: Call, entries: dict[str, Value], element: Type) -> dict[str, Value]:
    if element != "any":
        return {name: convert_to(call, item, element) for name, item in entries.items()}
    unified = unify(call, list(entries.values()))
    if unified is None:
        raise Mismatch
    return dict(zip(entries, unified, strict=True))


def _mapped(value: Mapping, entries: dict[str, Value], *, element: Type | None) -> Value:
    if element == "any":
        element = element_type(entries.values())
    return within_budget(
        Mapping(
            entries,
            value.span,
            value.via,
            complete=value.complete,
            key_spans=value.key_spans,
            element=element,
        )
    )


# Sets


def identity(value: Value) -> Hashable:
    """A key that is equal for elements that a set holds once."""
    if isinstance(value, Known) and isinstance(value.data, float) and value.data.is_integer():
        return Known(int(value.data)).key()
    return value.key()


def set_of(
    call: Call,
    items: Iterable[Value],
    span: Span | None = None,
    via: tuple[Evidence, ...] = (),
    *,
    complete: bool = True,
    element: Type | None = None,
) -> Value:
    """A set of elements of one type: without duplicates, in Terraform's order."""
    items = list(items)
    if element is None:
        element = element_type(items)
    unique: dict[Hashable, Value] = {}
    for item in items:
        unique.setdefault(identity(item), item)
    known = [item for item in unique.values() if item.resolved]
    unknown = [item for item in unique.values() if not item.resolved]
    try:
        known.sort(key=lambda item: _rank(call, item))
    except TypeError:
        known.sort(key=lambda item: (item.__class__.__name__, _order(call, item)))
    return within_budget(
        Many(
            (*known, *unknown),
            span or call.span,
            via,
            complete=complete,
            is_set=True,
            element=element,
        )
    )


def _rank(call: Call, item: Value) -> tuple[int, str | Number]:
    if isinstance(item, Encoded):
        return (0, call.json(item))
    if isinstance(item, Known):
        data = item.data
        if data is None:
            return (2, "")
        return (0, data)
    return (1, _order(call, item))


_RANKED: Final = 200
"""How much of each string orders elements that are collections."""


def _order(call: Call, item: Value) -> str:
    """The text by which Terraform orders elements that are collections."""
    if isinstance(item, Known):
        data = item.data
        if data is None:
            return "~"
        if isinstance(data, bool):
            return "T" if data else "F"
        if isinstance(data, str):
            return quote_json(data[:_RANKED])
        return f"{data:.10g}" if isinstance(data, float) or abs(data) < 10**15 else str(data)
    if isinstance(item, Encoded):
        return quote_json(call.json(item)[:_RANKED])
    if isinstance(item, Many):
        inner = "".join([_order(call, i) + ";" for i in item.items])
        return f"<{inner}>" if item.element is None else f"[{inner}]"
    if isinstance(item, Mapping):
        ordered = sorted(item.entries.items())
        if item.element is not None:
            pairs = [f"{quote_json(k[:_RANKED])}:{_order(call, i)};" for k, i in ordered]
            return f"{{{''.join(pairs)}}}"
        return f"<{''.join([_order(call, i) + ';' for _, i in ordered])}>"
    return "?"


# Equality


def same(left: Value, right: Value) -> bool | None:
    """Whether two values are equal, types included; ``None`` when that cannot be known."""
    if isinstance(left, Known) and isinstance(right, Known):
        return _same_scalars(left.data, right.data)
    if isinstance(left, OneOf) or isinstance(right, OneOf):
        lefts = left.alternatives if isinstance(left, OneOf) else (Alternative(left, ""),)
        rights = right.alternatives if isinstance(right, OneOf) else (Alternative(right, ""),)
        results = {same(a.value, b.value) for a in lefts for b in rights}
        return results.pop() if len(results) == 1 else None
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    if isinstance(left, (Many, Mapping)) and isinstance(right, (Many, Mapping)):
        one, other = type_of(left), type_of(right)
        if apart(one, other):
            return False
        found = (
            _same_items(left, right)
            if isinstance(left, Many) and isinstance(right, Many)
            else _same_entries(left, right)
            if isinstance(left, Mapping) and isinstance(right, Mapping)
            else None
        )
        # A null within may be one of a type, which is another than none.
        return None if found and one != other and _holds_null(left) else found
    for one_value, other_value in ((left, right), (right, left)):
        if isinstance(one_value, Encoded) and one_value.resolved and isinstance(other_value, Known):
            text = _json_text(one_value)
            return None if text is None else text == other_value.data
        if isinstance(one_value, (Many, Mapping)):
            return False
        if isinstance(other_value, Known) and not isinstance(other_value.data, str):
            return False
        if isinstance(one_value, Text) and one_value.parts and isinstance(other_value, Known):
            first, last = one_value.parts[0], one_value.parts[-1]
            data = str(other_value.data)
            if isinstance(first, Piece) and not data.startswith(first.text):
                return False
            if isinstance(last, Piece) and not data.endswith(last.text):
                return False
    if isinstance(left, Encoded) and isinstance(right, Encoded) and left.resolved:
        return same(left.inner, right.inner)
    return None


def _json_text(value: Encoded) -> str | None:
    nowhere = Span(Document("", ""), 0, 0)
    try:
        return Call("jsonencode", value.span or nowhere, _NoFiles()).json(value)
    except Stop:
        return None


class _NoFiles:
    """No files at all."""

    def read(self, path: str) -> str | None:  # noqa: ARG002  the protocol's
        return None

    def document(self, path: str) -> Document | None:  # noqa: ARG002  the protocol's
        return None

    def template(self, path: str, variables: AbstractMapping[str, Value], span: Span) -> Value:  # noqa: ARG002
        return Unknown(Reason.OUTSIDE_FILE, path, span)

    def names(self, directory: str, pattern: str) -> list[str] | None:  # noqa: ARG002
        return None


def _same_scalars(one: Scalar, other: Scalar) -> bool | None:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, str) or isinstance(other, str) or one is None or other is None:
        return one == other
    if isinstance(one, Inexact) or isinstance(other, Inexact):
        if not math.isclose(one, other, rel_tol=1e-9):
            return False
        if isinstance(one, Inexact) and isinstance(other, Inexact):
            return None if None in (one.held, other.held) else one.held == other.held
        return None
    return one == other


def _holds_null(value: Value) -> bool:
    return any(isinstance(inner, Known) and inner.data is None for inner in walk(value))


def _same_items(left: Many, right: Many) -> bool | None:
    if left.resolved and right.resolved and not _holds_inexact(left, right):
        return left.key() == right.key()
    if left.is_set or right.is_set:
        return None
    if left.complete and right.complete and len(left.items) != len(right.items):
        return False
    certain = min(certain_prefix(left), certain_prefix(right))
    for one, other in zip(left.items[:certain], right.items[:certain], strict=False):
        if same(one, other) is False:
            return False
    return None


def _holds_inexact(*values: Value) -> bool:
    return any(
        isinstance(inner, Known) and isinstance(inner.data, Inexact)
        for value in values
        for inner in walk(value)
    )


def _same_entries(left: Mapping, right: Mapping) -> bool | None:
    if left.resolved and right.resolved and not _holds_inexact(left, right):
        return left.key() == right.key()
    for one, other in ((left, right), (right, left)):
        if other.complete and not one.entries.keys() <= other.entries.keys():
            return False
    for name, item in left.entries.items():
        if name in right.entries and same(item, right.entries[name]) is False:
            return False
    return None


# Strings


def concatenate(call: Call, parts: Iterable[str | Value]) -> Value:
    """A string of literal stretches and values, with holes for what is not known."""
    flat: list[Piece | Value] = []
    literal: list[str] = []
    total = 0
    placed = False
    span = call.span

    def flush() -> None:
        text = "".join(literal)
        literal.clear()
        if text:
            flat.append(Piece(text, span.document, span.start, span.end))

    for part in parts:
        if isinstance(part, str) or (isinstance(part, Encoded) and part.resolved):
            text = part if isinstance(part, str) else call.json(part)
            literal.append(text)
            total += len(text)
        elif isinstance(part, Known):
            text = call.text(part)
            total += len(text)
            where = part.span or span
            if part.pieces and text is part.data:
                flush()
                flat.extend(part.pieces)
                placed = True
            elif where is span:
                literal.append(text)
            elif text:
                flush()
                flat.append(Piece(text, where.document, where.start, where.end))
        elif isinstance(part, (Many, Mapping)):
            message = "string required"
            raise call.invalid(message)
        else:
            flush()
            inner = part.parts if isinstance(part, Text) else (part,)
            flat.extend(inner)
            total += sum([len(p.text) for p in inner if isinstance(p, Piece)])
        if total > MAX_TEXT or len(flat) + len(literal) > MAX_SIZE:
            message = "string too long"
            raise call.budget(message)
    flush()
    choices = [len(part.alternatives) for part in flat if isinstance(part, OneOf)]
    if choices and prod(choices) <= MAX_ALTERNATIVES:
        return _distribute_parts(call, flat)
    pieces = [part for part in flat if isinstance(part, Piece)]
    if len(pieces) == len(flat):
        return Known("".join([p.text for p in pieces]), span, (), tuple(pieces) if placed else ())
    return within_budget(Text(tuple(flat), span))


def _distribute_parts(call: Call, flat: Sequence[Piece | Value]) -> Value:
    values = [part for part in flat if isinstance(part, Value)]

    def fill(chosen: Sequence[Value]) -> Value:
        rest = iter(chosen)
        return concatenate(
            call,
            [
                Known(p.text, call.span, (), (p,)) if isinstance(p, Piece) else next(rest)
                for p in flat
            ],
        )

    return distribute(call, values, fill)


Function = Callable[[Call, Sequence[Value]], Value]
Table = dict[str, tuple[Function, int, int | None]]
"""Functions by name, each with its least and most arguments."""
