"""Types of values: when one converts to another, and the one that several have in common.

Source: Terraform language documentation, "Types and Values" and "Type Constraints"; the rules that it
leaves out (objects next to maps, tuples next to lists, tuples of one length) are those that
`terraform console` 1.11 follows, which the tests ask.

`OPEN_TYPE` stands for what is not known: it goes with everything and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from blastdoor.value import OPEN_TYPE, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIMITIVE: Final = frozenset({"string", "number", "bool"})
_FREE: Final = frozenset({"any", OPEN_TYPE})
_PREFERENCE: Final = {"list": 0, "set": 1, "map": 0, "tuple": 2, "object": 2}


def kind(type_: Type) -> str:
    """The outermost word of a type."""
    return type_ if isinstance(type_, str) else str(type_[0])


def element_of(type_: Type) -> Type:
    """The elements' type of a list, set or map type."""
    return cast("Type", type_[1])


def places(type_: Type) -> tuple[Type, ...]:
    """The elements' types of a tuple type."""
    return cast("tuple[Type, ...]", type_[1])


def attributes(type_: Type) -> tuple[tuple[str, Type], ...]:
    """The attributes of an object type with their types, sorted by name."""
    return cast("tuple[tuple[str, Type], ...]", type_[1])


def is_open(type_: Type) -> bool:
    """Whether part of a type is not known, or is that of a null."""
    stack = [type_]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            if current in _FREE:
                return True
        elif current[0] == "tuple":
            stack.extend(places(current))
        elif current[0] == "object":
            stack.extend(inner for _name, inner in attributes(current))
        elif element_of(current) != "any":
            stack.append(element_of(current))
    return False


def apart(left: Type, right: Type) -> bool:
    """Whether two types certainly differ."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if one == other or one in _FREE or other in _FREE:
            continue
        if kind(one) != kind(other) or isinstance(one, str):
            return True
        if one[0] == "tuple":
            if len(places(one)) != len(places(other)):
                return True
            pairs.extend(zip(places(one), places(other), strict=True))
        elif one[0] == "object":
            mine, theirs = attributes(one), attributes(other)
            if [name for name, _ in mine] != [name for name, _ in theirs]:
                return True
            pairs.extend((a, b) for (_, a), (_, b) in zip(mine, theirs, strict=True))
        else:
            inner = (element_of(one), element_of(other))
            if "any" in inner and OPEN_TYPE not in inner and inner[0] != inner[1]:
                return True
            pairs.append(inner)
    return False


def converts(source: Type, target: Type) -> bool:
    """Whether values of one type may convert to another; the value itself may still refuse."""
    if source == target or source in _FREE or target in _FREE:
        return True
    have, want = kind(source), kind(target)
    if want in PRIMITIVE:
        return have == "string" or (want == "string" and have in PRIMITIVE)
    if want in ("list", "set"):
        if have in ("list", "set"):
            return converts(element_of(source), element_of(target))
        return have == "tuple" and _all_convert(places(source), element_of(target))
    if want == "map":
        if have == "map":
            return converts(element_of(source), element_of(target))
        return have == "object" and _all_convert(_parts(source), element_of(target))
    if want == "tuple":
        return (
            have == "tuple"
            and len(places(source)) == len(places(target))
            and all(converts(a, b) for a, b in zip(places(source), places(target), strict=True))
        )
    if have == "map":
        return all(converts(element_of(source), inner) for _, inner in attributes(target))
    if have != "object":
        return False
    held = dict(attributes(source))
    return all(name in held and converts(held[name], inner) for name, inner in attributes(target))


def _all_convert(sources: Sequence[Type], target: Type) -> bool:
    if target == "any":
        return common(sources) is not None
    return all(converts(source, target) for source in sources)


def common(types: Sequence[Type]) -> Type | None:
    """The type that values of all the types convert to; ``None`` when there is none."""
    distinct = list(dict.fromkeys(types))
    if len(distinct) == 1:
        return distinct[0]
    known = [type_ for type_ in distinct if type_ != OPEN_TYPE]
    if not known:
        return OPEN_TYPE if distinct else "any"
    if len(known) < len(distinct):
        # What is not known here has some type there: what the others have in common stays open.
        return common(known) or OPEN_TYPE
    kinds = {kind(type_) for type_ in known}
    null = "any" in kinds
    kinds.discard("any")
    if null and kinds & {"tuple", "object", "list", "set", "map"}:
        return "any"
    known = [type_ for type_ in known if type_ != "any"]
    if len(known) == 1:
        return known[0]
    if kinds <= PRIMITIVE:
        if "string" in kinds:
            return "string"
        return None
    if kinds == {"object"}:
        return _common_object(known)
    if kinds == {"tuple"}:
        return _common_tuple(known)
    for word, pair in (("map", {"map", "object"}), ("list", {"list", "tuple"})):
        if kinds <= pair:
            parts = [common(_parts(type_)) for type_ in known if _parts(type_)]
            found = None if None in parts else _of(word, [part for part in parts if part])
            # Next to nulls, maps and objects have nothing in common unless one becomes the other.
            open_ended = kinds == pair and found == (word, "any") and set(parts) != {"any"}
            if found is not None and not open_ended:
                return found
    if kinds == {"set"}:
        return _of("set", [element_of(type_) for type_ in known])
    for wanted in sorted(known, key=lambda type_: _PREFERENCE.get(kind(type_), 3)):
        if all(converts(type_, wanted) for type_ in known):
            return wanted
    return None


def _parts(type_: Type) -> Sequence[Type]:
    """The types of everything directly within a collection type."""
    if type_[0] == "object":
        return [inner for _, inner in attributes(type_)]
    return places(type_) if type_[0] == "tuple" else (element_of(type_),)


def _of(word: str, parts: Sequence[Type]) -> Type | None:
    element = common(parts)
    return None if element is None else (word, element)


def _common_object(types: Sequence[Type]) -> Type | None:
    names = [name for name, _ in attributes(types[0])]
    if any([name for name, _ in attributes(type_)] != names for type_ in types):
        return _of("map", [inner for type_ in types for inner in _parts(type_)])
    found = []
    for position, name in enumerate(names):
        inner = common([attributes(type_)[position][1] for type_ in types])
        if inner is None:
            return None
        found.append((name, inner))
    return ("object", tuple(found))


def _common_tuple(types: Sequence[Type]) -> Type | None:
    length = len(places(types[0]))
    if any(len(places(type_)) != length for type_ in types):
        return _of("list", [inner for type_ in types for inner in places(type_)])
    found = []
    for position in range(length):
        inner = common([places(type_)[position] for type_ in types])
        if inner is None:
            return None
        found.append(inner)
    return ("tuple", tuple(found))
