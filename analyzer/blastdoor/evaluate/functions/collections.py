"""Terraform's collection functions.

Source: Terraform language documentation, "Functions", section "Collection Functions".
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.functions.base import (
    EVERY,
    Call,
    Mismatch,
    Number,
    Stop,
    Table,
    certain_prefix,
    convert_to,
    distribute_items,
    element_type,
    identity,
    is_single,
    part_of,
    push,
    pushed,
    same,
    set_of,
    unknown_like,
)
from blastdoor.evaluate.functions.numbers import total
from blastdoor.evaluate.functions.text import graphemes
from blastdoor.evaluate.kinds import common, is_open
from blastdoor.value import (
    MAX_ALTERNATIVES,
    MAX_SIZE,
    OPEN_TYPE,
    Alternative,
    Encoded,
    Inherited,
    Known,
    Many,
    Mapping,
    OneOf,
    Reason,
    Text,
    Unknown,
    Value,
    one_of,
    type_of,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from blastdoor.span import Span
    from blastdoor.value import Type

MAX_RANGE: Final = 1024
"""Most numbers that ``range`` gives; beyond it Terraform reports an error."""


def _keeps_meaning(value: Value) -> bool:
    return isinstance(value, Unknown) and value.meaning is not None


def _rest(value: Value, span: Span) -> Unknown:
    """The item that stands for elements of unknown number."""
    if isinstance(value, Unknown):
        if isinstance(value, Inherited):
            return Unknown(value.reason, value.subject, span, value.via)
        return value
    return unknown_like(value, span) if not value.resolved else Unknown(Reason.RANGE, "", span)


# Truth


def _alltrue(call: Call, arguments: Sequence[Value]) -> Value:
    return _truth(call, arguments[0], decisive=False)


def _anytrue(call: Call, arguments: Sequence[Value]) -> Value:
    return _truth(call, arguments[0], decisive=True)


def _truth(call: Call, value: Value, *, decisive: bool) -> Value:
    many = call.items(value)
    missing: Value | None = None if many.complete else many
    for item in many.items:
        if isinstance(item, Known):
            if (item.data is not None and call.boolean(item)) is decisive:
                return call.known(decisive)
        elif isinstance(item, (Many, Mapping)):
            call.boolean(item)
        elif missing is None or missing is many:
            missing = item
    if missing is not None:
        raise call.missing(missing)
    return call.known(not decisive)


# Lists


def _chunklist(call: Call, arguments: Sequence[Value]) -> Value:
    many = call.items(arguments[0])
    size = call.whole(arguments[1])
    if size < 0:
        message = "negative size"
        raise call.invalid(message)
    if many.is_set and not many.resolved:
        raise call.missing(many)
    items = call.unify(pushed(many))
    if not many.complete:
        items = items[: certain_prefix(many)]
        if size == 0:
            return call.listed([call.listed(items, complete=False)])
        items = items[: len(items) - len(items) % size]
    inner = ("list", element_type(items))
    if size == 0:
        return call.many([call.listed(items)] if items else [], element=inner)
    chunks = [call.listed(items[at : at + size]) for at in range(0, len(items), size)]
    return call.many(chunks, complete=many.complete, element=inner)


def _coalescelist(call: Call, arguments: Sequence[Value]) -> Value:
    possible: list[Value] = []
    for argument in arguments:
        if isinstance(argument, Known) and argument.data is None:
            continue
        if isinstance(argument, Many) and not argument.is_set:
            if argument.items:
                return _first_of(call, possible, argument)
            if argument.complete:
                continue
        elif not isinstance(argument, Unknown):
            message = "lists required"
            raise call.invalid(message)
        if isinstance(argument, Unknown) and argument.reason is Reason.INVALID:
            return argument
        possible.append(argument)
    if possible:
        return _first_of(call, possible[:-1], possible[-1])
    message = "no non-empty list"
    raise call.invalid(message)


def _first_of(call: Call, possible: Sequence[Value], last: Value) -> Value:
    """One of the values that may be the first that is there, or the last that is."""
    if not possible:
        return last
    return one_of([Alternative(value, "") for value in (*possible, last)], call.span)


def _coalesce(call: Call, arguments: Sequence[Value]) -> Value:
    possible: list[Value] = []
    found = common([type_of(argument) for argument in arguments])
    if found is None:
        message = "arguments have no common type"
        raise call.invalid(message)
    candidates = [convert_to(call, argument, found) for argument in arguments]
    for argument in candidates:
        if isinstance(argument, Known) and argument.data in (None, ""):
            continue
        if isinstance(argument, Unknown):
            if argument.reason is Reason.INVALID:
                return argument
            if not isinstance(argument, Inherited) and argument.meaning is None:
                possible.append(argument)
                continue
        if isinstance(argument, Text) and not argument.pattern(""):
            possible.append(argument)
            continue
        return _first_of(call, possible, argument)
    if possible:
        return _first_of(call, possible[:-1], possible[-1])
    message = "no argument that is neither null nor empty"
    raise call.invalid(message)


def _compact(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if _keeps_meaning(value):
        return value
    many = call.items(value)

    def apply(items: Sequence[Value]) -> Value:
        kept: list[Value] = []
        complete = many.complete
        for item in items:
            if isinstance(item, Known):
                if item.data is None or item.data == "":
                    continue
                kept.append(
                    item
                    if isinstance(item.data, str)
                    else Known(call.text(item), item.span, item.via)
                )
            elif isinstance(item, (Many, Mapping)):
                message = "list of strings required"
                raise call.invalid(message)
            else:
                kept.append(item)
                if not (isinstance(item, Encoded) or _not_empty(item)):
                    complete = False
        return call.many(kept, complete=complete, element="string")

    items = pushed(many)
    if sum(isinstance(item, OneOf) for item in items) > 3:  # noqa: PLR2004
        return apply(items)
    return distribute_items(call, items, _may_be_empty, apply)


def _not_empty(item: Value) -> bool:
    if isinstance(item, Text):
        return bool(item.pattern(""))
    if isinstance(item, OneOf):
        return not _may_be_empty(item)
    return isinstance(item, Inherited) or _keeps_meaning(item)


def _may_be_empty(item: OneOf) -> bool:
    return any(isinstance(a.value, Known) and a.value.data in (None, "") for a in item.alternatives)


def _concat(call: Call, arguments: Sequence[Value]) -> Value:
    items: list[Value] = []
    complete = True
    gap: Value | None = None
    known = False
    for argument in arguments:
        if isinstance(argument, Unknown):
            if argument.reason is Reason.INVALID:
                return argument
            if gap is not None:
                items.append(_rest(gap, call.span))
            gap = argument
            complete = False
            continue
        many = call.items(argument)
        if many.is_set:
            message = "lists required"
            raise call.invalid(message)
        known = True
        if gap is not None and many.items:
            items.append(_rest(gap, call.span))
            gap = None
        items.extend(pushed(many))
        if len(items) > MAX_SIZE:
            message = "list too long"
            raise call.budget(message)
        if not many.complete:
            complete = False
            if gap is None:
                gap = many
    if gap is not None and isinstance(gap, Unknown):
        if not known and not items:
            return (
                gap if len(arguments) == 1 or _keeps_meaning(gap) else unknown_like(gap, call.span)
            )
        items.append(_rest(gap, call.span))
    types = [type_of(argument) for argument in arguments]
    if all(type_[0] == "list" for type_ in types):
        found = common(types)
        if found is not None and found[0] == "list":
            return convert_to(call, call.many(items, complete=complete), found)
    return call.many(items, complete=complete)


def _contains(call: Call, arguments: Sequence[Value]) -> Value:
    many = call.items(arguments[0])
    needle = arguments[1]
    missing: Value | None = None if many.complete else many
    for item in many.items:
        equal = same(item, needle)
        if equal:
            return call.known(data=True)
        if equal is None and (missing is None or missing is many):
            missing = needle if item.resolved else item
    if missing is not None:
        raise call.missing(missing)
    return call.known(data=False)


def _distinct(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if _keeps_meaning(value):
        return value
    many = call.items(value)
    items = call.unify(pushed(many))
    unique: dict[Hashable, Value] = {}
    for item in items:
        unique.setdefault(identity(item), item)
    certain = len(unique) == 1 or all(item.resolved for item in unique.values())
    return call.many(
        unique.values(), complete=many.complete and certain, element=_element_of(many, items)
    )


def _element_of(many: Many, items: Sequence[Value]) -> Type:
    """The type of the elements of a list that is made of another's elements, unified."""
    return many.element if many.element is not None else element_type(items)


def _element(call: Call, arguments: Sequence[Value]) -> Value:
    value, where = arguments
    if isinstance(value, Unknown):
        if isinstance(where, Known):
            return part_of(value, f"[{call.whole(where)}]", call.span)
        return part_of(value, "[…]", call.span)
    many = call.items(value)
    if many.is_set:
        message = "cannot read elements from set"
        raise call.invalid(message)
    items = pushed(many)
    if not isinstance(where, Known):
        call_items = list(items)
        if (
            many.complete
            and 0 < len(call_items) <= MAX_ALTERNATIVES
            and not isinstance(where, (Many, Mapping))
        ):
            return one_of([Alternative(item, "") for item in call_items], call.span)
        call.whole(where)
    index = call.whole(where)
    if many.complete and not items:
        message = "empty list"
        raise call.invalid(message)
    # Terraform 1.11 takes the multiples of the length among the negative numbers.
    if index < 0 and (not many.complete or (many.element is None and index % len(items))):
        message = "negative index"
        raise call.invalid(message)
    if many.complete:
        return items[index % len(items)]
    if index < certain_prefix(many):
        return items[index]
    return Unknown(Reason.RANGE, str(index), call.span, many.via)


def _flatten(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if _keeps_meaning(value):
        return value
    many = call.items(value)
    return distribute_items(call, pushed(many), _may_be_list, _Flattening(call, many))


def _may_be_list(item: OneOf) -> bool:
    return not is_single(item)


class _Flattening:
    """Flattens the items of one list."""

    def __init__(self, call: Call, many: Many) -> None:
        self.call = call
        self.many = many
        self.complete = True

    def __call__(self, items: Sequence[Value]) -> Value:
        self.complete = self.many.complete
        result: list[Value] = []
        self._add(items, result)
        return self.call.many(result, complete=self.complete)

    def _add(self, items: Iterable[Value], result: list[Value]) -> None:
        for item in items:
            if isinstance(item, Many):
                self._add(pushed(item), result)
                if not item.complete:
                    self.complete = False
                    if not result or not isinstance(result[-1], Unknown):
                        result.append(Unknown(Reason.RANGE, "", self.call.span, item.via))
            else:
                if not isinstance(item, Mapping) and not is_single(item):
                    self.complete = False
                result.append(item)
            if len(result) > MAX_SIZE:
                message = "list too long"
                raise self.call.budget(message)


def _index(call: Call, arguments: Sequence[Value]) -> Value:
    many = call.items(arguments[0])
    if many.is_set:
        message = "list required"
        raise call.invalid(message)
    if many.complete and not many.items:
        message = "cannot search an empty list"
        raise call.invalid(message)
    prefix = certain_prefix(many)
    for position, item in enumerate(many.items[:prefix]):
        equal = same(item, arguments[1])
        if equal:
            return call.known(position)
        if equal is None:
            raise call.missing(arguments[1] if item.resolved else item)
    if not many.complete:
        raise call.missing(many)
    message = "item not found"
    raise call.invalid(message)


def _length(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Many):
        if not value.complete or (value.is_set and len(value.items) > 1 and not value.resolved):
            raise call.missing(value)
        return call.known(len(value.items))
    if isinstance(value, Mapping):
        if not value.complete:
            raise call.missing(value)
        return call.known(len(value.entries))
    if isinstance(value, Known) and not isinstance(value.data, str):
        message = "string, list or map required"
        raise call.invalid(message)
    return call.known(len(graphemes(call.text(value))))


def _matchkeys(call: Call, arguments: Sequence[Value]) -> Value:
    values = call.complete(arguments[0])
    keys = call.complete(arguments[1])
    if len(values) != len(keys):
        message = "length of keys and values differ"
        raise call.invalid(message)
    search = call.items(arguments[2])
    unified = call.unify([*keys, *search.items])
    keys, wanted = tuple(unified[: len(keys)]), unified[len(keys) :]
    if len(keys) * len(wanted) > MAX_SIZE * 10:
        message = "too many comparisons"
        raise call.budget(message)
    plain = {identity(item) for item in wanted if item.resolved}
    open_items = [item for item in wanted if not item.resolved]
    kept = []
    unified_values = call.unify(values)
    for key, value in zip(keys, unified_values, strict=True):
        if key.resolved and identity(key) in plain:
            kept.append(value)
            continue
        if key.resolved and not open_items and search.complete:
            continue
        results = [same(key, item) for item in wanted]
        if True in results:
            kept.append(value)
        elif None in results or not search.complete:
            undecided = next((i for i in (key, *open_items) if not i.resolved), search)
            raise call.missing(undecided)
    return call.many(kept, element=element_type(unified_values))


def _one(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Unknown):
        return part_of(value, "[0]", call.span)
    many = call.items(value)
    items = pushed(many)
    if len(items) > 1 and (many.complete or certain_prefix(many) > 1):
        if many.is_set and not many.resolved:
            raise call.missing(many)
        message = "more than one element"
        raise call.invalid(message)
    if not many.complete:
        raise call.missing(many)
    return items[0] if items else Known(None, call.span, many.via)


def _range(call: Call, arguments: Sequence[Value]) -> Value:
    numbers: list[Number] = [call.number(argument) for argument in arguments]
    start: Number = 0
    if len(numbers) == 1:
        end = numbers[0]
    else:
        start, end = numbers[0], numbers[1]
    step = numbers[2] if len(numbers) > 2 else (1 if end >= start else -1)  # noqa: PLR2004
    if step == 0:
        message = "step must not be zero"
        raise call.invalid(message)
    if (step > 0 and end < start) or (step < 0 and end > start):
        message = "step does not lead to the end"
        raise call.invalid(message)
    items: list[Value] = []
    current = start
    while current < end if step > 0 else current > end:
        if len(items) >= MAX_RANGE:
            message = "more than 1024 values"
            raise call.invalid(message)
        items.append(call.result(current))
        current = total((current, step))
    return call.many(items, element="number")


def _reverse(call: Call, arguments: Sequence[Value]) -> Value:
    if _keeps_meaning(arguments[0]):
        return arguments[0]
    many = call.items(arguments[0])
    items = list(pushed(many))
    if many.complete:
        certain = not many.is_set or many.resolved
        return call.many(reversed(items), complete=certain, element=many.element)
    marked = [Unknown(Reason.RANGE, "", call.span), *reversed(items)]
    return call.many(marked, complete=False, element=many.element)


def _slice(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    start, end = call.whole(arguments[1]), call.whole(arguments[2])
    if start < 0 or end < 0:
        message = "negative index"
        raise call.invalid(message)
    if start > end:
        message = "start behind end"
        raise call.invalid(message)
    if isinstance(value, Unknown):
        raise call.missing(value)
    many = call.items(value)
    if many.is_set:
        message = "cannot slice a set"
        raise call.invalid(message)
    items = pushed(many)
    if many.complete and end > len(items):
        message = "index out of range"
        raise call.invalid(message)
    prefix = certain_prefix(many)
    if end <= prefix:
        return call.many(items[start:end], element=many.element)
    if end - start > MAX_RANGE:
        raise call.missing(many)
    missing = [Unknown(Reason.RANGE, str(i), call.span) for i in range(max(start, prefix), end)]
    return call.many([*items[start:prefix], *missing], element=many.element)


def _sort(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if _keeps_meaning(value):
        return value
    many = call.items(value)
    known = []
    unknown: list[Value] = []
    for item in pushed(many):
        if isinstance(item, Known):
            text = call.text(item)
            known.append((text, item if item.data == text else Known(text, item.span, item.via)))
        elif isinstance(item, (Many, Mapping)):
            message = "list of strings required"
            raise call.invalid(message)
        else:
            unknown.append(item)
    known.sort(key=lambda pair: pair[0])
    ordered = [item for _, item in known]
    if many.complete and (not unknown or (not ordered and len(unknown) == 1)):
        return call.many([*ordered, *unknown], element="string")
    if not any(isinstance(item, Unknown) for item in unknown):
        unknown.insert(0, Unknown(Reason.RANGE, "", call.span))
    unknown.sort(key=lambda item: not isinstance(item, Unknown))
    return call.many([*unknown, *ordered], complete=False, element="string")


def _sum(call: Call, arguments: Sequence[Value]) -> Value:
    many = call.items(arguments[0])
    if many.complete and not many.items:
        message = "cannot sum an empty list"
        raise call.invalid(message)
    numbers = [call.number(item) for item in many.items]
    if not many.complete or (many.is_set and not many.resolved):
        raise call.missing(many)
    return call.result(total(numbers))


# Sets


def _as_set(call: Call, value: Value) -> Many:
    """A set argument; `Stop` when it is not known at all."""
    return _as_sets(call, [value])[0]


def _as_sets(call: Call, values: Sequence[Value]) -> list[Many]:
    """Set arguments with one element type."""
    manies = [call.items(value) for value in values]
    parts: list[Type] = []
    for many in manies:
        type_ = type_of(many)
        if type_[0] == "tuple" and (type_[1] or len(manies) == 1):
            parts.extend(type_[1])
        elif type_[0] == "tuple":
            continue
        elif type_ == OPEN_TYPE:
            parts.extend(type_of(item) for item in many.items)
        else:
            parts.append(type_[1])
    element = common(parts)
    if element is None:
        message = "elements have no common type"
        raise call.invalid(message)
    if is_open(element):
        call.unify([item for many in manies for item in many.items])
    result = []
    for many in manies:
        try:
            items = [convert_to(call, item, element) for item in pushed(many)]
        except Mismatch:
            message = "elements have no common type"
            raise call.invalid(message) from None
        part = set_of(call, items, many.span, complete=many.complete, element=element)
        if not isinstance(part, Many):
            raise Stop(unknown_like(part, call.span))
        result.append(part)
    return result


def _setunion(call: Call, arguments: Sequence[Value]) -> Value:
    open_arguments = [a for a in arguments if isinstance(a, Unknown)]
    for argument in open_arguments:
        if argument.reason is Reason.INVALID:
            return argument
    sets = _as_sets(call, [a for a in arguments if not isinstance(a, Unknown)])
    meanings = {a.key(): a for a in open_arguments if a.meaning in EVERY}
    items = [item for one in sets for item in one.items]
    if not items and open_arguments:
        if len(open_arguments) == 1 or len({a.key() for a in open_arguments}) == 1:
            return open_arguments[0]
        for argument in meanings.values():
            return argument
        raise call.missing(open_arguments[0])
    complete = not open_arguments and all(one.complete for one in sets)
    element = sets[0].element if sets and not meanings else None
    return set_of(call, [*items, *meanings.values()], complete=complete, element=element)


def _setintersection(call: Call, arguments: Sequence[Value]) -> Value:
    open_arguments = [a for a in arguments if isinstance(a, Unknown)]
    if open_arguments:
        if len({a.key() for a in arguments}) == 1 and open_arguments[0].meaning in EVERY:
            return open_arguments[0]
        if any(isinstance(a, Many) and a.complete and not a.items for a in arguments):
            return set_of(call, ())
        raise call.missing(open_arguments[0])
    sets = _as_sets(call, arguments)
    plain = [{identity(item): item for item in one.items if item.resolved} for one in sets]
    certain = [item for key, item in plain[0].items() if all(key in held for held in plain)]
    closed = [
        held
        for one, held in zip(sets, plain, strict=True)
        if one.complete and len(held) == len(one.items)
    ]
    # What all sets share is in the set that is wholly known, if there is one.
    complete = bool(closed) and all(
        all(key in held for held in plain) or any(key not in held for held in closed)
        for key in closed[0]
    )
    if not certain and not complete:
        missing = next(one for one in sets if not one.resolved)
        raise call.missing(missing)
    return set_of(call, certain, complete=complete, element=sets[0].element)


def _setsubtract(call: Call, arguments: Sequence[Value]) -> Value:
    left, right = arguments
    if isinstance(left, Unknown):
        if isinstance(right, Many) and left.meaning in EVERY:
            return left
        raise call.missing(left)
    minuend = _as_set(call, left)
    if isinstance(right, Unknown):
        if minuend.complete and not minuend.items:
            return set_of(call, ())
        raise call.missing(right)
    minuend, subtrahend = _as_sets(call, arguments)
    removed = {identity(item) for item in subtrahend.items if item.resolved}
    open_items = [item for item in subtrahend.items if not item.resolved]
    kept = []
    complete = minuend.complete
    missing: Value = minuend
    for item in minuend.items:
        if item.resolved and identity(item) in removed:
            continue
        if not subtrahend.complete:
            complete, missing = False, subtrahend
            continue
        if any(same(item, other) is not False for other in open_items):
            complete, missing = False, open_items[0]
            continue
        if not item.resolved and any(same(item, o) is not False for o in subtrahend.items):
            complete, missing = False, item
            continue
        kept.append(item)
    if not kept and not complete:
        raise call.missing(missing)
    return set_of(call, kept, complete=complete, element=minuend.element)


def _setproduct(call: Call, arguments: Sequence[Value]) -> Value:
    manies = []
    missing: Value | None = None
    for argument in arguments:
        if isinstance(argument, Unknown):
            missing = missing or argument
        else:
            manies.append(call.items(argument))
    if any(one.complete and not one.items for one in manies):
        columns = [_element_of(one, call.unify(one.items)) for one in manies]
        return Many(
            (),
            call.span,
            is_set=any(one.is_set for one in manies),
            element=("tuple", tuple(columns)) if missing is None else OPEN_TYPE,
        )
    if missing is not None:
        raise call.missing(missing)
    count = 1
    for one in manies:
        count *= len(one.items)
        if count * len(manies) > MAX_SIZE:
            message = "too many combinations"
            raise call.budget(message)
    unified = [call.unify(pushed(one)) for one in manies]
    rows = [Many(tuple(row), call.span) for row in product(*unified)]
    complete = all(one.complete for one in manies)
    if any(one.is_set for one in manies):
        return set_of(call, rows, complete=complete)
    if not complete:
        marked = [Unknown(Reason.RANGE, "", call.span), *rows]
        return call.many(marked, complete=False, element=OPEN_TYPE)
    return call.listed(rows)


# Maps


def _keys(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    mapping = call.mapping(value)
    spans = mapping.key_spans
    names: list[Value] = [
        Known(name, spans.get(name, mapping.span or call.span), mapping.via)
        for name in sorted(mapping.entries)
    ]
    if not mapping.complete:
        names.insert(0, Unknown(Reason.RANGE, "", call.span))
    element = None if mapping.element is None else "string"
    return call.many(names, complete=mapping.complete, element=element)


def _values(call: Call, arguments: Sequence[Value]) -> Value:
    mapping = call.mapping(arguments[0])
    items = [push(item, mapping.via) for _, item in sorted(mapping.entries.items())]
    if not mapping.complete:
        items.insert(0, Unknown(Reason.RANGE, "", call.span))
    return call.many(items, complete=mapping.complete, element=mapping.element)


def _lookup(call: Call, arguments: Sequence[Value]) -> Value:
    value, key = arguments[0], arguments[1]
    default = arguments[2] if len(arguments) > 2 else None  # noqa: PLR2004
    if isinstance(value, Unknown):
        name = call.text(key) if isinstance(key, Known) else "[…]"
        if value.reason is Reason.INVALID:
            return value
        part = part_of(value, f".{name}" if isinstance(key, Known) else name, call.span)
        return part if default is None else _first_of(call, [part], default)
    mapping = call.mapping(value)
    if default is not None and mapping.element is not None:
        try:
            default = convert_to(call, default, mapping.element)
        except Mismatch:
            message = "the default is not of the type of the map's elements"
            raise call.invalid(message) from None
    if not isinstance(key, Known):
        if isinstance(key, Encoded) and key.resolved:
            key = call.known(call.text(key))
        elif isinstance(key, (Many, Mapping)):
            call.text(key)
        else:
            return _lookup_any(call, mapping, key, default)
    name = call.text(key)
    found = mapping.entries.get(name)
    if found is not None:
        return push(found, mapping.via)
    if mapping.complete:
        if default is not None:
            return default
        message = f"no key {name!r}"
        raise call.invalid(message)
    part = Unknown(Reason.RANGE, name, call.span, mapping.via)
    return part if default is None else _first_of(call, [part], default)


def _lookup_any(call: Call, mapping: Mapping, key: Value, default: Value | None) -> Value:
    """The result for a key that is not known: any value of a small complete map, or the default."""
    if isinstance(key, Unknown) and key.reason is Reason.INVALID:
        return key
    if mapping.complete and len(mapping.entries) < MAX_ALTERNATIVES:
        options = [
            Alternative(push(item, mapping.via), "")
            for name, item in sorted(mapping.entries.items())
            if same(Known(name), key) is not False
        ]
        if default is not None:
            options.append(Alternative(default, ""))
        if options:
            return one_of(options, call.span)
        message = "no such key"
        raise call.invalid(message)
    raise call.missing(key)


def _merge(call: Call, arguments: Sequence[Value]) -> Value:
    given = [a for a in arguments if not (isinstance(a, Known) and a.data is None)]
    if not given:
        return Mapping({}, call.span)
    if len(given) == 1 and isinstance(given[0], (Mapping, Unknown)):
        if len(arguments) > 1 and _is_map(given[0]):
            only = call.mapping(given[0])
            return Mapping(
                only.entries, only.span, only.via, complete=only.complete, key_spans=only.key_spans
            )
        return given[0]
    entries: dict[str, Value] = {}
    key_spans: dict[str, Span] = {}
    complete = True
    known = False
    for argument in given:
        if isinstance(argument, Unknown):
            if argument.reason is Reason.INVALID:
                return argument
            _cast_doubt(call, entries, argument)
            complete = False
            continue
        mapping = call.mapping(argument)
        known = True
        if not mapping.complete:
            complete = False
            _cast_doubt(call, entries, mapping)
        if mapping.via:
            for name, item in mapping.entries.items():
                entries[name] = item.through(*mapping.via)
        else:
            entries.update(mapping.entries)
        key_spans.update(mapping.key_spans)
        if len(entries) > MAX_SIZE:
            message = "map too large"
            raise call.budget(message)
    if not known:
        raise call.missing(given[-1])
    types = {type_of(argument) for argument in arguments}
    element = types.pop()[1] if len(types) == 1 and _is_map(arguments[0]) else None
    return within_budget(
        Mapping(entries, call.span, complete=complete, key_spans=key_spans, element=element)
    )


def _is_map(value: Value) -> bool:
    return isinstance(value, Mapping) and value.element is not None


def _cast_doubt(call: Call, entries: dict[str, Value], argument: Value) -> None:
    """Effect: each entry is as it was or what a later map, not wholly known, has in its place."""
    held = argument.entries.keys() if isinstance(argument, Mapping) else ()
    subject = argument.subject if isinstance(argument, Unknown) else ""
    condition = f"{subject} does not override it" if subject else ""
    for name, item in entries.items():
        if name in held:
            continue
        part = (
            part_of(argument, f".{name}", call.span)
            if isinstance(argument, Unknown)
            else Unknown(Reason.RANGE, name, call.span, argument.via)
        )
        entries[name] = one_of(
            [Alternative(item, condition), Alternative(part, "")], item.span or call.span
        )


def _transpose(call: Call, arguments: Sequence[Value]) -> Value:
    mapping = call.mapping(arguments[0])
    if not mapping.resolved:
        raise call.missing(mapping)
    result: dict[str, list[str]] = {}
    count = 0
    for name, item in sorted(mapping.entries.items()):
        for text in call.texts(call.complete(item)):
            result.setdefault(text, []).append(name)
            count += 1
            if count > MAX_SIZE:
                message = "map too large"
                raise call.budget(message)
    return within_budget(
        Mapping(
            {
                text: call.many([call.known(name) for name in names], element="string")
                for text, names in sorted(result.items())
            },
            call.span,
            element=("list", "string"),
        )
    )


def _zipmap(call: Call, arguments: Sequence[Value]) -> Value:
    keys = call.items(arguments[0])
    values = arguments[1]
    held = values if isinstance(values, Unknown) else call.items(values)
    key_items = pushed(keys)
    if isinstance(held, Many):
        if held.is_set:
            message = "list of values required"
            raise call.invalid(message)
        if keys.complete and held.complete and len(key_items) != len(held.items):
            message = "number of keys and values differ"
            raise call.invalid(message)
        prefix = min(certain_prefix(held), certain_prefix(keys))
        if held.complete and keys.complete and not keys.is_set:
            prefix = len(key_items)
        items = tuple(pushed(held))
    else:
        if held.reason is Reason.INVALID:
            return held
        prefix = 0
        items = ()
    entries: dict[str, Value] = {}
    key_spans: dict[str, Span] = {}
    complete = keys.complete
    for position, key in enumerate(key_items):
        item = (
            items[position]
            if position < min(prefix, len(items))
            else part_of(values, f"[{position}]", call.span)
        )
        if not isinstance(key, Known):
            if isinstance(key, (Many, Mapping)):
                call.text(key)
            complete = False
            for name, earlier in entries.items():
                entries[name] = one_of([Alternative(earlier, ""), Alternative(item, "")], call.span)
            continue
        name = call.text(key)
        entries[name] = item
        if key.span is not None:
            key_spans[name] = key.span
    if not complete and not entries:
        raise call.missing(keys)
    element = held.element if isinstance(held, Many) else OPEN_TYPE
    return within_budget(
        Mapping(entries, call.span, complete=complete, key_spans=key_spans, element=element)
    )


FUNCTIONS: Final[Table] = {
    "alltrue": (_alltrue, 1, 1),
    "anytrue": (_anytrue, 1, 1),
    "chunklist": (_chunklist, 2, 2),
    "coalesce": (_coalesce, 1, None),
    "coalescelist": (_coalescelist, 1, None),
    "compact": (_compact, 1, 1),
    "concat": (_concat, 1, None),
    "contains": (_contains, 2, 2),
    "distinct": (_distinct, 1, 1),
    "element": (_element, 2, 2),
    "flatten": (_flatten, 1, 1),
    "index": (_index, 2, 2),
    "keys": (_keys, 1, 1),
    "length": (_length, 1, 1),
    "lookup": (_lookup, 2, 3),
    "matchkeys": (_matchkeys, 3, 3),
    "merge": (_merge, 0, None),
    "one": (_one, 1, 1),
    "range": (_range, 1, 3),
    "reverse": (_reverse, 1, 1),
    "setintersection": (_setintersection, 1, None),
    "setproduct": (_setproduct, 2, None),
    "setsubtract": (_setsubtract, 2, 2),
    "setunion": (_setunion, 1, None),
    "slice": (_slice, 3, 3),
    "sort": (_sort, 1, 1),
    "sum": (_sum, 1, 1),
    "transpose": (_transpose, 1, 1),
    "values": (_values, 1, 1),
    "zipmap": (_zipmap, 2, 2),
}
