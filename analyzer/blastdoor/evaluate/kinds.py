"""Types of values: when one converts to another, and the one that several have in common.

Source: Terraform language documentation, "Types and Values" and "Type Constraints"; the rules that it
leaves out (objects next to maps, tuples next to lists, tuples of one length) are those that
`terraform console` 1.11 follows, which the tests ask.

`OPEN_TYPE` stands for what is not known: it goes with everything and decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.value import OPEN_TYPE, Type

if TYPE_CHECKING:
    from collections.abc import Sequence

PRIMITIVE: Final = frozenset({"string", "number", "bool"})
_FREE: Final = frozenset({"any", OPEN_TYPE})
_PREFERENCE: Final = {"list": 0, "set": 1, "map": 0, "tuple": 2, "object": 2}


def kind(type_: Type) -> str:
    """The outermost word of a type."""
    return type_ if isinstance(type_, str) else str(type_[0])


def attributes(type_: Type) -> dict[str, Type]:
    """The attributes of an object type."""
    return dict(type_[1])


def is_open(type_: Type) -> bool:
    """Whether part of a type is not known, or is that of a null."""
    stack = [type_]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            if current in _FREE:
                return True
        elif current[0] == "tuple":
            stack.extend(current[1])
        elif current[0] == "object":
            stack.extend(inner for _name, inner in current[1])
        elif current[1] != "any":
            stack.append(current[1])
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
            if len(one[1]) != len(other[1]):
                return True
            pairs.extend(zip(one[1], other[1], strict=True))
        elif one[0] == "object":
            if [name for name, _ in one[1]] != [name for name, _ in other[1]]:
                return True
            pairs.extend((a, b) for (_, a), (_, b) in zip(one[1], other[1], strict=True))
        elif OPEN_TYPE not in (one[1], other[1]) and "any" in (one[1], other[1]):
            return True
        else:
            pairs.append((one[1], other[1]))
    return False


def converts(source: Type, target: Type) -> bool:
    """Whether values of one type may convert to another; the value itself may still refuse."""
    if source == target or source in _FREE or target in _FREE:
        return True
    have, want = kind(source), kind(target)
    if want in PRIMITIVE:
        return want == "string" and have in PRIMITIVE or have == "string"
    if want in ("list", "set"):
        if have in ("list", "set"):
            return converts(source[1], target[1])
        return have == "tuple" and _all_convert(source[1], target[1])
    if want == "map":
        if have == "map":
            return converts(source[1], target[1])
        return have == "object" and _all_convert([inner for _, inner in source[1]], target[1])
    if want == "tuple":
        return (
            have == "tuple"
            and len(source[1]) == len(target[1])
            and all(converts(a, b) for a, b in zip(source[1], target[1], strict=True))
        )
    if have == "map":
        return all(converts(source[1], inner) for _, inner in target[1])
    if have != "object":
        return False
    held = attributes(source)
    return all(name in held and converts(held[name], inner) for name, inner in target[1])


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
    if kinds <= {"map", "object"}:
        return _of("map", [part for type_ in known for part in _parts(type_)])
    if kinds <= {"list", "tuple"}:
        return _of("list", [part for type_ in known for part in _parts(type_)])
    if kinds == {"set"}:
        return _of("set", [type_[1] for type_ in known])
    for wanted in sorted(known, key=lambda type_: _PREFERENCE.get(kind(type_), 3)):
        if all(converts(type_, wanted) for type_ in known):
            return wanted
    return None


def _parts(type_: Type) -> Sequence[Type]:
    if type_[0] == "object":
        return [inner for _, inner in type_[1]]
    return type_[1] if type_[0] == "tuple" else (type_[1],)


def _of(word: str, parts: Sequence[Type]) -> Type | None:
    element = common(parts)
    return None if element is None else (word, element)


def _common_object(types: Sequence[Type]) -> Type | None:
    names = [name for name, _ in types[0][1]]
    if any([name for name, _ in type_[1]] != names for type_ in types):
        return _of("map", [inner for type_ in types for _, inner in type_[1]])
    found = []
    for position, name in enumerate(names):
        inner = common([type_[1][position][1] for type_ in types])
        if inner is None:
            return None
        found.append((name, inner))
    return ("object", tuple(found))


def _common_tuple(types: Sequence[Type]) -> Type | None:
    length = len(types[0][1])
    if any(len(type_[1]) != length for type_ in types):
        return _of("list", [inner for type_ in types for inner in type_[1]])
    found = []
    for position in range(length):
        inner = common([type_[1][position] for type_ in types])
        if inner is None:
            return None
        found.append(inner)
    return ("tuple", tuple(found))
