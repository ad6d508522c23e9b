"""How far a thing reaches: one extent per axis, and the order on each axis.

An extent is in normal form from its constructor on, and never changes. ``head.compare(base)``
asks one question, whether head stays within base, and answers with an `Order`:

- within, and base within head: ``EQUAL``, and then both are the same normal form;
- within, and base is not known to stay within head: ``NARROWER``;
- not within: ``WIDER`` if base stays within head, else ``INCOMPARABLE``, which reaches somewhere
  new as well and counts as a widening (``cn-north-1`` moved to ``us-east-1``);
- nobody can tell from the code: ``UNKNOWN``. It stands outside the order.

So ``UNKNOWN`` is answered only if the question depends on what the code does not say: an
`Unresolved` extent, which account lies in which organizational unit, which account belongs to which
organization. A part of head that surely lies outside base decides the answer whatever else is
unknown.

Extents that are sets hold maximal elements only. A set stays within another if each of its elements
is covered by one element of the other. Covering is decided pair by pair, never by adding up, so it
is sound (what is called covered is covered) and not complete. ``join`` is the union, an upper bound
of both.

Nothing here reads a table: which partition a region belongs to follows from its id.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import field, fields
from enum import Enum
from typing import Any, Final, Generic, Self, TypeVar, final

from blastdoor.record import dataclass

Json = str | int | float | Sequence["Json"] | Mapping[str, "Json"] | None


class Order(Enum):
    """How far head reaches, seen from base."""

    NARROWER = "narrower"
    EQUAL = "equal"
    WIDER = "wider"
    INCOMPARABLE = "incomparable"
    UNKNOWN = "unknown"

    @property
    def widens(self) -> bool:
        """Whether head is known to reach somewhere base does not."""
        return self is Order.WIDER or self is Order.INCOMPARABLE


class Extent(ABC):
    """How far something reaches on one axis."""

    __slots__ = ()

    @abstractmethod
    def within(self, other: Self) -> bool | None:
        """Whether all of this extent lies in ``other``; None if nobody can tell from the code."""

    @abstractmethod
    def union(self, other: Self) -> Self:
        """An extent that holds both."""

    @abstractmethod
    def describe(self) -> str:
        """The extent in words, for humans."""

    @abstractmethod
    def to_json(self) -> Json:
        """The normal form as JSON: equal extents have equal JSON, whatever their spelling."""

    @final
    def compare(self, other: Self | Unresolved) -> Order:
        """How far this extent (head) reaches, seen from ``other`` (base)."""
        if isinstance(self, Unresolved) or isinstance(other, Unresolved):
            return Order.UNKNOWN
        self._same_axis(other)
        inside = self.within(other)
        if inside is None:
            return Order.UNKNOWN
        if inside:
            return Order.EQUAL if other.within(self) else Order.NARROWER
        return Order.WIDER if other.within(self) else Order.INCOMPARABLE

    @final
    def join(self, other: Self | Unresolved) -> Self | Unresolved:
        """The extent that holds both; unresolved if one of them is."""
        if isinstance(other, Unresolved):
            first = isinstance(self, Unresolved) and self.reason <= other.reason
            return self if first else other
        if isinstance(self, Unresolved):
            return self
        self._same_axis(other)
        return self.union(other)

    def _same_axis(self, other: Extent) -> None:
        if type(self) is not type(other):
            message = f"{type(self).__name__} and {type(other).__name__} are different axes"
            raise TypeError(message)


@dataclass(frozen=True, slots=True)
class Unresolved(Extent):
    """An extent of any axis that the code does not settle; it stands outside the order."""

    reason: str

    def within(self, other: Self) -> None:
        """Nobody can tell."""

    def union(self, other: Self) -> Self:
        """One of the two, always the same one."""
        return min(self, other, key=lambda unresolved: unresolved.reason)

    def describe(self) -> str:
        """The reason, in words."""
        return f"unknown: {self.reason}"

    def to_json(self) -> Json:
        """The reason under the key ``unknown``."""
        return {"unknown": self.reason}


E = TypeVar("E", bound=Hashable)

MOST_WORDS: Final = 8
"""Most elements that a description names."""


def _listed(words: Sequence[str]) -> str:
    """Words as an English list, shortened beyond `MOST_WORDS`."""
    if len(words) > MOST_WORDS:
        words = [*words[: MOST_WORDS - 1], f"{len(words) - MOST_WORDS + 1} more"]
    if not words[1:]:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class _Elements(Extent, Generic[E]):
    """An extent that is a set of elements, of which no one covers another."""

    elements: frozenset[E]

    def __init__(self, *elements: E) -> None:
        object.__setattr__(self, "elements", self._maximal(elements))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._sorted()))})"

    def __bool__(self) -> bool:
        """Whether it reaches anything at all."""
        return bool(self.elements)

    @staticmethod
    def _covers(wide: E, narrow: E) -> bool:
        """Whether ``wide``, which is not equal to ``narrow``, surely holds all of it."""
        raise NotImplementedError

    @staticmethod
    def _broad(element: E) -> bool:
        """Whether an element can cover another one."""
        raise NotImplementedError

    @staticmethod
    def _perhaps(narrow: E, wides: Iterable[E]) -> bool:
        """Whether ``wides`` may hold ``narrow``, which is not surely covered."""
        del narrow, wides
        return False

    @staticmethod
    def _word(element: E) -> str:
        """The element in words."""
        return str(element)

    @staticmethod
    def _json(element: E) -> Json:
        """The element as JSON."""
        return str(element)

    @classmethod
    def _nothing(cls) -> str:
        """What an empty set is called."""
        return "nothing"

    @classmethod
    def _maximal(cls, elements: Iterable[E]) -> frozenset[E]:
        distinct = frozenset(elements)
        broad = [element for element in distinct if cls._broad(element)]
        if not broad:
            return distinct
        return frozenset(
            element
            for element in distinct
            if not any(wide != element and cls._covers(wide, element) for wide in broad)
        )

    def _sorted(self) -> list[E]:
        return sorted(self.elements, key=lambda element: str(self._json(element)))

    def holds(self, element: E) -> bool | None:
        """Whether one element is covered; None if nobody can tell from the code."""
        if element in self.elements or any(
            self._broad(wide) and self._covers(wide, element) for wide in self.elements
        ):
            return True
        return None if self._perhaps(element, self.elements) else False

    def within(self, other: Self) -> bool | None:
        """Whether ``other`` covers each element."""
        rest = self.elements - other.elements
        if not rest:
            return True
        broad = [wide for wide in other.elements if self._broad(wide)]
        undecided = False
        for element in rest:
            if any(self._covers(wide, element) for wide in broad):
                continue
            if not self._perhaps(element, other.elements):
                return False
            undecided = True
        return None if undecided else True

    def union(self, other: Self) -> Self:
        """The elements of both."""
        return type(self)(*self.elements, *other.elements)

    def describe(self) -> str:
        """The elements as an English list."""
        words = [self._word(element) for element in self._sorted()]
        return _listed(words) if words else self._nothing()

    def to_json(self) -> Json:
        """The elements in a fixed order."""
        return [self._json(element) for element in self._sorted()]


class _Named:
    """A frozen element with a name; no dataclass, for the sake of a cold start."""

    __slots__ = ("name",)
    __match_args__ = ("name",)

    name: str

    def __init__(self, name: str = "") -> None:
        object.__setattr__(self, "name", name)

    def __setattr__(self, key: str, value: object) -> None:
        message = f"{type(self).__name__} is frozen"
        raise AttributeError(message)

    def __delattr__(self, key: str) -> None:
        self.__setattr__(key, None)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.name == getattr(other, "name", None)

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.name))

    def __reduce__(self) -> tuple[type[Self], tuple[str, ...]]:
        return type(self), (self.name,) if self.name else ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({repr(self.name) if self.name else ''})"


class _Bound(_Named):
    """A frozen element without a name, of which there is one."""

    __slots__ = ()
    __match_args__ = ()

    def __init__(self) -> None:
        super().__init__()


# ---------------------------------------------------------------------------------------- regions

AWS: Final = "aws"
"""The partition of every region id without a prefix of another one."""

_PARTITION_PREFIXES: Final = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
)


def partition_of(region: str) -> str:
    """The partition that a region id belongs to.

    AWS region ids name it by their prefix (botocore, ``partitions.json``, ``regionRegex``). A
    region that is written ``gcp/europe-west1`` belongs to the partition before the slash.
    """
    cloud, slash, _ = region.partition("/")
    if slash:
        return cloud
    for prefix, partition in _PARTITION_PREFIXES:
        if region.startswith(prefix):
            return partition
    return AWS


def region_of(partition: str, region: str) -> str:
    """A region as `Regions` writes it: ids of AWS as they are, others behind their partition."""
    return region if partition.partition("-")[0] == AWS else f"{partition}/{region}"


class AllIn(_Named):
    """Every region of one partition, those that do not exist yet included."""

    __slots__ = ()


class Everywhere(_Bound):
    """Every region of every partition."""

    __slots__ = ()


class Inherited(_Bound):
    """Exactly one region, or the caller's own account, that something outside the code decides."""

    __slots__ = ()


class Global(_Named):
    """A service without regions: what it does holds in all of them."""

    __slots__ = ()


EVERYWHERE: Final = Everywhere()
INHERITED: Final = Inherited()

RegionElement = str | AllIn | Everywhere | Inherited | Global
"""One part of a `Regions` extent; a string is a region id."""


class Regions(_Elements[RegionElement]):
    """The regions in which something acts.

    Inherited is one region, so it lies within several (at least two regions, or all of a
    partition), and neither within a pinned one nor above it.
    """

    __slots__ = ()

    def __init__(self, *elements: RegionElement) -> None:
        super().__init__(
            *(
                element.strip().lower() if isinstance(element, str) else element
                for element in elements
            )
        )

    @property
    def pinned(self) -> bool:
        """Whether the code names every region."""
        return bool(self.elements) and all(isinstance(element, str) for element in self.elements)

    @property
    def several(self) -> bool:
        """Whether it is surely more than one region."""
        if any(isinstance(element, AllIn | Everywhere) for element in self.elements):
            return True
        return sum(isinstance(element, str) for element in self.elements) > 1

    def partitions(self) -> Partitions:
        """The partitions of what is named; an inherited region and a global service name none."""
        found: list[str | Every] = []
        for element in self.elements:
            match element:
                case str():
                    found.append(partition_of(element))
                case AllIn(partition):
                    found.append(partition)
                case Everywhere():
                    found.append(EVERY)
        return Partitions(*found)

    def within(self, other: Self) -> bool | None:
        """Whether ``other`` covers each element, or several regions the single inherited one."""
        if self.elements == _ONE_INHERITED and other.several:
            return True
        return super().within(other)

    @staticmethod
    def _covers(wide: RegionElement, narrow: RegionElement) -> bool:
        if isinstance(wide, Everywhere):
            return not isinstance(narrow, Global)
        return (
            isinstance(wide, AllIn)
            and isinstance(narrow, str)
            and partition_of(narrow) == wide.name
        )

    @staticmethod
    def _broad(element: RegionElement) -> bool:
        return isinstance(element, AllIn | Everywhere)

    @staticmethod
    def _word(element: RegionElement) -> str:
        match element:
            case AllIn(partition):
                return f"every region of {partition}"
            case Everywhere():
                return "every region"
            case Inherited():
                return "one region, decided by the environment"
            case Global(service):
                return f"{service}, a global service"
        return element

    @staticmethod
    def _json(element: RegionElement) -> Json:
        match element:
            case AllIn(partition):
                return f"all-in:{partition}"
            case Everywhere():
                return "everywhere"
            case Inherited():
                return "inherited"
            case Global(service):
                return f"global:{service}"
        return element

    @classmethod
    def _nothing(cls) -> str:
        return "no region"


_ONE_INHERITED: Final[frozenset[RegionElement]] = frozenset({INHERITED})


def unpinned(head: Regions | Unresolved | None, base: Regions | Unresolved | None) -> bool:
    """Whether the code named every region in base, and leaves one to the environment in head."""
    return (
        isinstance(head, Regions)
        and isinstance(base, Regions)
        and base.pinned
        and INHERITED in head.elements
    )


def globalised(head: Regions | Unresolved | None, base: Regions | Unresolved | None) -> bool:
    """Whether head acts through a global service where base acted in regions only."""
    return (
        isinstance(head, Regions)
        and isinstance(base, Regions)
        and bool(base)
        and not any(isinstance(element, Global) for element in base.elements)
        and any(isinstance(element, Global) for element in head.elements)
    )


# ------------------------------------------------------------------------ partitions, environments


class Every(_Bound):
    """All there are, whatever their names."""

    __slots__ = ()


EVERY: Final = Every()


class _Names(_Elements[str | Every]):
    """A set of names, or all of them."""

    __slots__ = ()

    def __init__(self, *names: str | Every) -> None:
        super().__init__(
            *(name.strip().lower() if isinstance(name, str) else name for name in names)
        )

    @staticmethod
    def _covers(wide: str | Every, narrow: str | Every) -> bool:
        del narrow
        return isinstance(wide, Every)

    @staticmethod
    def _broad(element: str | Every) -> bool:
        return isinstance(element, Every)

    @staticmethod
    def _json(element: str | Every) -> Json:
        return element if isinstance(element, str) else "*"


class Partitions(_Names):
    """The partitions (``aws``, ``aws-cn``, …) in which something acts."""

    __slots__ = ()

    @staticmethod
    def _word(element: str | Every) -> str:
        return element if isinstance(element, str) else "every partition"

    @classmethod
    def _nothing(cls) -> str:
        return "no partition"


class Environments(_Names):
    """The environments (``prod``, ``dev``, …) in which something acts."""

    __slots__ = ()

    @staticmethod
    def _word(element: str | Every) -> str:
        return element if isinstance(element, str) else "every environment"

    @classmethod
    def _nothing(cls) -> str:
        return "no environment"


# --------------------------------------------------------------------------------------- accounts

ARN_FIELDS: Final = 6
"""``arn:partition:service:region:account:resource``; the last one may hold colons."""


class OrganizationalUnit(_Named):
    """The accounts of an organizational unit and of the units below it."""

    __slots__ = ()


class Organization(_Named):
    """Every account of an organization, by its id, by the id of its root, or of one not named."""

    __slots__ = ()


class AnyAccount(_Bound):
    """Every account there is."""

    __slots__ = ()


ANY_ACCOUNT: Final = AnyAccount()

AccountElement = str | OrganizationalUnit | Organization | AnyAccount | Inherited
"""One part of an `Accounts` extent; a string is an account id."""


_MANAGEMENT_GROUPS: Final = "/providers/microsoft.management/managementgroups/"


def _account_of_root(text: str) -> str:
    """The account id of ``arn:…:iam::ID:root``; any other text as it is."""
    fields = text.split(":")
    if (
        len(fields) == ARN_FIELDS
        and fields[0] == "arn"
        and fields[2] == "iam"
        and fields[5] == "root"
    ):
        account = fields[4]
        return text if not account or "*" in account or "?" in account else account
    return text


def account(text: str) -> AccountElement:
    """An element of `Accounts` by the form of its id.

    ``*`` is any account. AWS: ``ou-…`` is an organizational unit, ``r-…`` and ``o-…`` an organization.
    Google Cloud: ``folders/…`` and ``organizations/…`` are those, anything else is a project. Azure: a
    management group is a unit of its tenant, and a subscription an account.
    """
    text = text.strip()
    if text == "*":
        return ANY_ACCOUNT
    if text.startswith("organizations/"):
        return Organization(text)
    if text.startswith("folders/"):
        return OrganizationalUnit(text)
    if text.lower().startswith(_MANAGEMENT_GROUPS):
        return OrganizationalUnit(text)
    if text.lower().startswith("/subscriptions/"):
        return text.split("/")[2]
    if text.startswith("ou-"):
        return OrganizationalUnit(text)
    if text.startswith(("r-", "o-")):
        return Organization(text)
    return _account_of_root(text)


def _maybe_same(one: Organization, other: Organization) -> bool:
    """Whether two organizations that are written differently may be one."""
    return not one.name or not other.name or one.name[:2] != other.name[:2]


class Accounts(_Elements[AccountElement]):
    """The accounts in which something acts.

    Account ids, organizational units and the caller's account lie within the organization, which
    lies within any account. Which account lies in which organizational unit the code does not say.
    """

    __slots__ = ()

    def __init__(self, *elements: AccountElement) -> None:
        super().__init__(*map(self._read, elements))

    @staticmethod
    def _read(element: AccountElement) -> AccountElement:
        if isinstance(element, str):
            return _account_of_root(element.strip())
        if isinstance(element, OrganizationalUnit) and element.name.startswith("r-"):
            return Organization(element.name)  # the unit at the root is the organization
        return element

    @staticmethod
    def _covers(wide: AccountElement, narrow: AccountElement) -> bool:
        if isinstance(wide, AnyAccount):
            return True
        return isinstance(wide, Organization) and not isinstance(narrow, Organization | AnyAccount)

    @staticmethod
    def _broad(element: AccountElement) -> bool:
        return isinstance(element, Organization | AnyAccount)

    @staticmethod
    def _perhaps(narrow: AccountElement, wides: Iterable[AccountElement]) -> bool:
        match narrow:
            case AnyAccount():
                return False
            case Organization():
                return any(
                    isinstance(wide, Organization) and _maybe_same(narrow, wide) for wide in wides
                )
            case OrganizationalUnit():
                return any(True for _ in wides)
        return any(isinstance(wide, OrganizationalUnit) for wide in wides)

    @staticmethod
    def _word(element: AccountElement) -> str:
        match element:
            case OrganizationalUnit(unit):
                return f"organizational unit {unit}"
            case Organization(organization):
                return f"organization {organization}" if organization else "the whole organization"
            case AnyAccount():
                return "any account"
            case Inherited():
                return "the caller's own account"
        return f"account {element}"

    @staticmethod
    def _json(element: AccountElement) -> Json:
        match element:
            case OrganizationalUnit(unit):
                return f"ou:{unit}"
            case Organization(organization):
                return f"organization:{organization}"
            case AnyAccount():
                return "any"
            case Inherited():
                return "inherited"
        return element

    @classmethod
    def _nothing(cls) -> str:
        return "no account"


# ------------------------------------------------------------------------------------------ globs

Symbols = Sequence[str]
"""A pattern, symbol by symbol: ``*``, ``?``, a character, or a whole ``${name}``."""


_WILDCARDS: Final = frozenset("*?")


def _symbols(text: str) -> Symbols:
    """The symbols of a pattern; ``${name}`` is one opaque symbol, ``${*}`` and ``${?}`` too."""
    if "${" not in text:
        return text
    found: list[str] = []
    at = 0
    while at < len(text):
        end = text.find("}", at) if text.startswith("${", at) else -1
        end = at if end < 0 else end
        found.append(text[at : end + 1])
        at = end + 1
    return tuple(found)


def _calm(symbols: Symbols) -> Symbols:
    """The same language with each run of wildcards as its ``?`` and then at most one ``*``."""
    if isinstance(symbols, str) and "**" not in symbols and "*?" not in symbols:
        return symbols
    found: list[str] = []
    star = False
    for symbol in symbols:
        if symbol == "*":
            star = True
            continue
        if star and symbol != "?":
            found.append("*")
            star = False
        found.append(symbol)
    if star:
        found.append("*")
    return "".join(found) if isinstance(symbols, str) else tuple(found)


def _fields(symbols: Symbols) -> tuple[Symbols, ...]:
    """The six fields of an ARN pattern, the last with the rest; none if it is no whole ARN."""
    if tuple(symbols[:4]) != ("a", "r", "n", ":"):
        return ()
    colons = [at for at, symbol in enumerate(symbols) if symbol == ":"][: ARN_FIELDS - 1]
    if len(colons) < ARN_FIELDS - 1:
        return ()
    starts = [0, *(at + 1 for at in colons)]
    return tuple(symbols[start:end] for start, end in zip(starts, [*colons, None], strict=True))


class _Masks:
    """Where the symbols of a pattern stand, as sets of positions in integers."""

    __slots__ = ("letters", "single", "size", "stars")

    def __init__(self, symbols: Symbols) -> None:
        self.size = len(symbols)
        self.stars = 0
        self.single = 0
        self.letters: dict[str, int] = {}
        for at, symbol in enumerate(symbols):
            if symbol == "*":
                self.stars |= 1 << at
            elif symbol == "?":
                self.single |= 1 << at
            else:
                self.letters[symbol] = self.letters.get(symbol, 0) | 1 << at


def _glob_covers(wide: Symbols, narrow: Symbols) -> bool:
    """Whether each string of ``narrow`` is one of ``wide``.

    A ``*`` of narrow is a symbol that only a ``*`` of wide takes, a ``?`` one that ``?`` and ``*``
    take. All ways to match are followed at once, one step per symbol.
    """
    if wide in ("*", narrow):
        return True
    if not wide:
        return not narrow
    if wide[0] not in ("*", "?") and (not narrow or narrow[0] != wide[0]):
        return False
    if isinstance(wide, str) and isinstance(narrow, str) and "?" not in wide:
        head, star, rest = wide.partition("*")
        if not star:
            return False
        if not rest:
            return narrow.startswith(head)
    masks = _Masks(wide)
    stars = masks.stars
    at = 1
    for symbol in narrow:
        at |= (at & stars) << 1
        if symbol == "*":
            at &= stars
        else:
            takers = masks.letters.get(symbol, 0)
            if len(symbol) == 1:
                takers |= masks.single
            at = (at & stars) | ((at & takers) << 1)
        if not at:
            return False
    at |= (at & stars) << 1
    return bool(at >> masks.size & 1)


def _loose(symbols: Symbols) -> Symbols:
    """The pattern with ``*`` for each ``${name}``: all that it may come to mean."""
    if isinstance(symbols, str):
        return symbols
    return _calm(tuple(symbol if len(symbol) == 1 else "*" for symbol in symbols))


def _glob_meets(one: Symbols, other: Symbols) -> bool:
    """Whether some string may match both patterns; a ``${name}`` may be any string."""
    one, other = _loose(one), _loose(other)
    if one and other and not {one[0], other[0]} & {"*", "?"} and one[0] != other[0]:
        return False
    masks = _Masks(other)
    stars = masks.stars
    everything = (1 << (masks.size + 1)) - 1
    at = 1
    for symbol in one:
        if symbol == "*":
            at = everything & ~((at & -at) - 1)
            continue
        at |= (at & stars) << 1
        takers = everything if symbol == "?" else masks.letters.get(symbol, 0) | masks.single
        at = (at & stars) | ((at & takers) << 1)
        at &= everything
        if not at:
            return False
    at |= (at & stars) << 1
    return bool(at >> masks.size & 1)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A glob in normal form: ``*`` stands for any characters, ``?`` for one.

    Both are the wildcards of IAM policies (AWS IAM User Guide, "Resource" and "Action" elements); a
    policy variable ``${name}`` is a name that is only equal to itself.
    """

    text: str
    shown: str = field(compare=False)
    """The pattern as it is written in the code."""
    symbols: Symbols = field(compare=False, repr=False)
    fields: tuple[Symbols, ...] = field(default=(), compare=False, repr=False)
    """The six fields of an ARN, if it is compared field by field."""
    wild: bool = field(init=False, compare=False, repr=False)
    """Whether it stands for more than one string."""
    head: str = field(init=False, compare=False, repr=False)
    """The plain characters it begins with."""

    def __post_init__(self) -> None:
        symbols = self.symbols
        ends = (at for at, symbol in enumerate(symbols) if symbol in _WILDCARDS or symbol[1:])
        end = next(ends, len(symbols))
        object.__setattr__(self, "head", "".join(symbols[:end]))
        object.__setattr__(self, "wild", "*" in symbols or "?" in symbols)

    def covers(self, other: Pattern) -> bool:
        """Whether it surely matches all that ``other`` matches."""
        if not other.text.startswith(self.head):
            return False
        if self.text in ("*", other.text):
            return True
        if not self.wild:
            return False
        if not self.fields:
            return _glob_covers(self.symbols, other.symbols)
        return bool(other.fields) and all(map(_glob_covers, self.fields, other.fields))

    def meets(self, other: Pattern) -> bool:
        """Whether some string may match both."""
        if not (self.head.startswith(other.head) or other.head.startswith(self.head)):
            return False
        if self.fields and other.fields:
            return all(map(_glob_meets, self.fields, other.fields))
        return _glob_meets(self.symbols, other.symbols)


@dataclass(frozen=True, slots=True)
class AllBut:
    """Everything except what the patterns match, as ``NotAction`` and ``NotResource`` say it."""

    excluded: frozenset[Pattern]


class Globs(_Elements[Pattern | AllBut]):
    """A language of names: the union of patterns and of "everything but" sets, which stay whole."""

    __slots__ = ()

    def __init__(self, *patterns: str | Pattern | AllBut) -> None:
        elements: list[Pattern | AllBut] = []
        for pattern in patterns:
            if isinstance(pattern, AllBut):
                elements += self._complement(pattern.excluded)
            else:
                elements.append(self._pattern(pattern) if isinstance(pattern, str) else pattern)
        super().__init__(*sorted(elements, key=_spelling))

    @classmethod
    def all_but(cls, *excluded: str | Pattern) -> Self:
        """Everything except what the patterns match."""
        return cls(
            AllBut(
                frozenset(
                    cls._pattern(name) if isinstance(name, str) else name for name in excluded
                )
            )
        )

    @classmethod
    def everything(cls) -> Self:
        """All there is."""
        return cls("*")

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns in normal form, without the "everything but" sets."""
        return tuple(
            sorted(element.text for element in self.elements if isinstance(element, Pattern))
        )

    @property
    def complements(self) -> tuple[AllBut, ...]:
        """The "everything but" sets."""
        return tuple(element for element in self._sorted() if isinstance(element, AllBut))

    @property
    def is_everything(self) -> bool:
        """Whether it is the pattern ``*``."""
        return self.patterns == ("*",)

    @classmethod
    def _pattern(cls, text: str) -> Pattern:
        """The normal form of one pattern."""
        raise NotImplementedError

    @classmethod
    def _complement(cls, excluded: Iterable[Pattern]) -> list[Pattern | AllBut]:
        left = [item for item in cls._maximal(excluded) if isinstance(item, Pattern)]
        if not left:
            return [cls._pattern("*")]
        if any(item.text == "*" for item in left):
            return []
        return [AllBut(frozenset(left))]

    @staticmethod
    def _covers(wide: Pattern | AllBut, narrow: Pattern | AllBut) -> bool:
        if isinstance(wide, Pattern):
            return wide.covers(narrow) if isinstance(narrow, Pattern) else wide.text == "*"
        if isinstance(narrow, Pattern):
            return not any(item.meets(narrow) for item in wide.excluded)
        return all(any(one.covers(item) for one in narrow.excluded) for item in wide.excluded)

    @staticmethod
    def _broad(element: Pattern | AllBut) -> bool:
        return isinstance(element, AllBut) or element.wild

    @classmethod
    def _things(cls) -> str:
        """What the language names, after the word "every"."""
        raise NotImplementedError

    @classmethod
    def _words(cls, element: Pattern | AllBut) -> str:
        if isinstance(element, AllBut):
            return f"every {cls._things()} but {_listed(sorted(p.shown for p in element.excluded))}"
        return f"every {cls._things()}" if element.text == "*" else element.shown

    @staticmethod
    def _json(element: Pattern | AllBut) -> Json:
        if isinstance(element, AllBut):
            return {"all-but": sorted(pattern.text for pattern in element.excluded)}
        return element.text

    @classmethod
    def _nothing(cls) -> str:
        return f"no {cls._things()}"


def _spelling(element: Pattern | AllBut) -> tuple[str, ...]:
    """A sort key by which equal elements of different spelling have a fixed order."""
    if isinstance(element, Pattern):
        return (element.text, element.shown)
    return ("", *sorted(f"{pattern.text}\0{pattern.shown}" for pattern in element.excluded))


class Actions(Globs):
    """The actions that something may take; case does not count, and ``*:*`` is ``*``.

    AWS IAM User Guide, "Action" element: "The prefix and the action name are case insensitive".
    """

    __slots__ = ()

    @classmethod
    def _pattern(cls, text: str) -> Pattern:
        symbols = _calm(_symbols(text.strip().lower()))
        if symbols == "*:*":
            symbols = "*"
        return Pattern("".join(symbols), text.strip(), symbols)

    @classmethod
    def _things(cls) -> str:
        return "action"

    @staticmethod
    def _word(element: Pattern | AllBut) -> str:
        return Actions._words(element)


def _resource_pattern(text: str) -> Pattern:
    """The normal form of an ARN pattern or of another name."""
    symbols = _calm(_symbols(text.strip()))
    fields = _fields(symbols)
    if symbols == "arn:*" or (fields and all(part == "*" for part in fields[1:])):
        return Pattern("*", text.strip(), "*")
    return Pattern("".join(symbols), text.strip(), symbols, fields)


class Resources(Globs):
    """The resources that something may touch.

    A pattern that starts with ``arn:`` and has all six fields is compared field by field; in the
    last one a ``*`` crosses ``/`` and ``:`` (AWS IAM User Guide, "Resource" element). Others are
    compared as a whole.
    """

    __slots__ = ()

    @classmethod
    def _pattern(cls, text: str) -> Pattern:
        return _resource_pattern(text)

    @classmethod
    def _things(cls) -> str:
        return "resource"

    @staticmethod
    def _word(element: Pattern | AllBut) -> str:
        return Resources._words(element)


# ------------------------------------------------------------------------------------- principals


class Identity(_Named):
    """A user, role or session, by its ARN or another id; it may hold wildcards."""

    __slots__ = ("account", "pattern")

    pattern: Pattern
    """The id as a pattern."""
    account: str
    """The account in its ARN, if it is one account; else ``""``."""

    def __init__(self, name: str) -> None:
        pattern = _resource_pattern(name)
        super().__init__(pattern.text)
        account = "".join(pattern.fields[4]) if pattern.fields else ""
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "account", "" if _WILDCARDS & set(account) else account)


class Service(_Named):
    """A service that acts for itself (``lambda.amazonaws.com``)."""

    __slots__ = ()


class Federated(_Named):
    """The users of an identity provider outside the cloud."""

    __slots__ = ()


class Account(_Named):
    """Everyone in one account that the account itself lets in."""

    __slots__ = ()


class Authenticated(_Bound):
    """Everyone who has an identity in this cloud, in whatever account."""

    __slots__ = ()


class Anyone(_Bound):
    """Everyone, without an identity too."""

    __slots__ = ()


ACCOUNT_DIGITS: Final = 12

AUTHENTICATED: Final = Authenticated()
ANYONE: Final = Anyone()

PrincipalElement = Identity | Service | Federated | Account | Organization | Authenticated | Anyone
"""One part of a `Principals` extent."""


def principal(text: str, kind: str = "AWS") -> PrincipalElement:
    """A principal as policies write it, below the key ``kind`` of ``Principal``.

    AWS IAM User Guide, "Principal" element: an account is its id or the ARN of its root.
    """
    text = text.strip()
    if text in ("*", "allUsers"):
        return ANYONE
    if text == "allAuthenticatedUsers":
        return AUTHENTICATED
    if kind == "Federated" or ":oidc-provider/" in text or ":saml-provider/" in text:
        return Federated(text)
    if kind == "Service" or text.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return Service(text.lower())
    owner = _account_of_root(text)
    if owner != text or (len(text) == ACCOUNT_DIGITS and text.isdecimal()):
        return Account(owner)
    if text.startswith("o-"):
        return Organization(text)
    return Identity(text)


_ANY_IDENTITY: Final = Identity("*")


class Principals(_Elements[PrincipalElement]):
    """Who may act.

    An identity lies within its account; identities, accounts and organizations lie within everyone
    authenticated, and all of them within anyone. Services and users of an outside identity provider
    lie within anyone only. Which account belongs to which organization the code does not say.
    """

    __slots__ = ()

    def __init__(self, *elements: str | PrincipalElement) -> None:
        super().__init__(*map(self._read, elements))

    @staticmethod
    def _read(element: str | PrincipalElement) -> PrincipalElement:
        if isinstance(element, str):
            element = principal(element)
        elif isinstance(element, Identity):
            element = principal(element.name)
        if isinstance(element, Account):
            return Account(_account_of_root(element.name.strip()))
        return ANYONE if element == _ANY_IDENTITY else element

    @staticmethod
    def _covers(wide: PrincipalElement, narrow: PrincipalElement) -> bool:
        match wide:
            case Anyone():
                return True
            case Authenticated():
                return isinstance(narrow, Identity | Account | Organization)
            case Account(owner):
                return isinstance(narrow, Identity) and narrow.account == owner
            case Identity():
                return isinstance(narrow, Identity) and wide.pattern.covers(narrow.pattern)
        return False

    @staticmethod
    def _broad(element: PrincipalElement) -> bool:
        if isinstance(element, Identity):
            return element.pattern.wild
        return isinstance(element, Account | Authenticated | Anyone)

    @staticmethod
    def _perhaps(narrow: PrincipalElement, wides: Iterable[PrincipalElement]) -> bool:
        if isinstance(narrow, Identity | Account):
            return any(isinstance(wide, Organization) for wide in wides)
        return isinstance(narrow, Organization) and any(
            isinstance(wide, Organization) and _maybe_same(narrow, wide) for wide in wides
        )

    @staticmethod
    def _word(element: PrincipalElement) -> str:
        match element:
            case Identity(text):
                return text
            case Service(name):
                return f"service {name}"
            case Federated(provider):
                return f"users of {provider}"
            case Account(owner):
                return f"account {owner}"
            case Organization(organization):
                return f"organization {organization}" if organization else "the whole organization"
            case Authenticated():
                return "anyone authenticated"
        return "anyone"

    @staticmethod
    def _json(element: PrincipalElement) -> Json:
        match element:
            case Identity(text):
                return text
            case Service(name):
                return f"service:{name}"
            case Federated(provider):
                return f"federated:{provider}"
            case Account(owner):
                return f"account:{owner}"
            case Organization(organization):
                return f"organization:{organization}"
            case Authenticated():
                return "authenticated"
        return "anyone"

    @classmethod
    def _nothing(cls) -> str:
        return "no one"


# ---------------------------------------------------------------------------------- fleet, mutation


WHOLE: Final = 100
"""All of a fleet, in percent."""


@dataclass(frozen=True, slots=True)
class Fleet(Extent):
    """The largest share of a fleet that one step of a rollout changes."""

    percent: float

    def __post_init__(self) -> None:
        if not 0 < self.percent <= WHOLE:
            message = f"a share of a fleet is above 0 and at most 100 percent, not {self.percent}"
            raise ValueError(message)

    def within(self, other: Self) -> bool:
        """Whether the share is at most the other one."""
        return self.percent <= other.percent

    def union(self, other: Self) -> Self:
        """The larger share."""
        return max(self, other, key=lambda fleet: fleet.percent)

    def describe(self) -> str:
        """The share in words."""
        return "the whole fleet" if self.percent == WHOLE else f"{self.percent:g} % of the fleet"

    def to_json(self) -> Json:
        """The percentage."""
        return int(self.percent) if self.percent == int(self.percent) else self.percent


class Effect(Enum):
    """What is done to things, from mild to final."""

    READ = "read"
    WRITE = "write"
    DESTROY = "destroy"


_EFFECTS: Final = tuple(Effect)


@dataclass(frozen=True, slots=True)
class Mutation(Extent):
    """The worst that is done to things."""

    effect: Effect

    def within(self, other: Self) -> bool:
        """Whether the effect is no worse than the other one."""
        return _EFFECTS.index(self.effect) <= _EFFECTS.index(other.effect)

    def union(self, other: Self) -> Self:
        """The worse effect."""
        return other if self.within(other) else self

    def describe(self) -> str:
        """The effect as a word."""
        return self.effect.value

    def to_json(self) -> Json:
        """The effect as a word."""
        return self.effect.value


READ: Final = Mutation(Effect.READ)
WRITE: Final = Mutation(Effect.WRITE)
DESTROY: Final = Mutation(Effect.DESTROY)


# ---------------------------------------------------------------------------- conditions, guards


@dataclass(frozen=True, slots=True, init=False, repr=False)
class _Limits(Extent):
    """A set of things that hold back: the more of them, the narrower."""

    limits: frozenset[str]

    def __init__(self, *limits: str) -> None:
        object.__setattr__(self, "limits", frozenset(limits))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, sorted(self.limits)))})"

    def within(self, other: Self) -> bool:
        """Whether all that limits the other limits this one too."""
        return self.limits >= other.limits

    def union(self, other: Self) -> Self:
        """What limits both."""
        return type(self)(*(self.limits & other.limits))

    def describe(self) -> str:
        """The limits as an English list."""
        return _listed(sorted(self.limits)) or "none"

    def to_json(self) -> Json:
        """The limits in a fixed order."""
        return sorted(self.limits)


class Conditions(_Limits):
    """The conditions under which alone something is allowed: texts, compared as they are."""

    __slots__ = ()


UNCONDITIONAL: Final = Conditions()


class Guards(_Limits):
    """The protections (deletion protection, final snapshots, …) that stand before a loss."""

    __slots__ = ()


# ---------------------------------------------------------------------------------------- network

ALL_PROTOCOLS: Final = "-1"
LAST_PORT: Final = 65535

_PROTOCOLS: Final = {
    "all": ALL_PROTOCOLS,
    "any": ALL_PROTOCOLS,
    "*": ALL_PROTOCOLS,
    "1": "icmp",
    "6": "tcp",
    "17": "udp",
    "58": "icmpv6",
}
_TYPED: Final = frozenset({"icmp", "icmpv6"})
"""Protocols whose two numbers are a type and a code, -1 standing for all of them."""
_ANY_IPV4: Final = "0.0.0.0/0"


@dataclass(frozen=True, slots=True, init=False)
class Opening:
    """Addresses that may pass, with a protocol and a range of ports.

    ``cidr`` is a network, or the name of a group of addresses (``sg-…``, ``pl-…``) that only the
    whole of IPv4 holds. A port of None or -1 is the first or the last one. For ICMP the two numbers
    are the type and the code (Amazon EC2 API Reference, IpPermission).
    """

    cidr: str
    protocol: str
    from_port: int
    to_port: int
    version: int = field(compare=False, repr=False)
    first: int = field(compare=False, repr=False)
    last: int = field(compare=False, repr=False)

    def __init__(
        self,
        cidr: str,
        protocol: str = ALL_PROTOCOLS,
        from_port: int | None = None,
        to_port: int | None = None,
    ) -> None:
        cidr, version, first, last = _network(cidr.strip())
        protocol = _PROTOCOLS.get(protocol.strip().lower(), protocol.strip().lower())
        start, end = (-1 if port is None else port for port in (from_port, to_port))
        if protocol in _TYPED:
            end = -1 if start == -1 else end
        else:
            whole = protocol == ALL_PROTOCOLS
            start = 0 if whole or start == -1 else start
            end = LAST_PORT if whole or end == -1 else end
        if protocol not in _TYPED and not 0 <= start <= end <= LAST_PORT:
            message = f"{start}-{end} is no range of ports"
            raise ValueError(message)
        for name, value in (
            ("cidr", cidr),
            ("protocol", protocol),
            ("from_port", start),
            ("to_port", end),
            ("version", version),
            ("first", first),
            ("last", last),
        ):
            object.__setattr__(self, name, value)

    def covers(self, other: Opening) -> bool:
        """Whether all that passes the other one passes this one."""
        if not other.version:
            if self.cidr not in (other.cidr, _ANY_IPV4):
                return False
        elif not (self.first <= other.first and other.last <= self.last) or (
            self.version != other.version
        ):
            return False
        if self.protocol == ALL_PROTOCOLS:
            return True
        if self.protocol != other.protocol:
            return False
        if self.protocol in _TYPED:
            return self.from_port in (-1, other.from_port) and self.to_port in (-1, other.to_port)
        return self.from_port <= other.from_port and other.to_port <= self.to_port

    def __str__(self) -> str:
        if self.protocol == ALL_PROTOCOLS:
            what = "all traffic"
        elif self.protocol in _TYPED:
            parts = [self.protocol]
            parts += [f"type {self.from_port}"] if self.from_port != -1 else []
            parts += [f"code {self.to_port}"] if self.to_port != -1 else []
            what = " ".join(parts)
        elif (self.from_port, self.to_port) == (0, LAST_PORT):
            what = f"every {self.protocol} port"
        elif self.from_port == self.to_port:
            what = f"{self.protocol} {self.from_port}"
        else:
            what = f"{self.protocol} {self.from_port}-{self.to_port}"
        return f"{what} with {self.cidr}"


def _network(cidr: str) -> tuple[str, int, int, int]:
    """The network without host bits, its IP version (0: a name), first and last address."""
    if cidr[:1].isalpha() and ":" not in cidr and "/" not in cidr:
        return cidr, 0, 0, 0
    import ipaddress  # late: most files open no network

    network = ipaddress.ip_network(cidr, strict=False)
    first = int(network.network_address)
    return str(network), network.version, first, first + network.num_addresses - 1


class Network(_Elements[Opening]):
    """What may pass between here and which addresses."""

    __slots__ = ()

    @staticmethod
    def _covers(wide: Opening, narrow: Opening) -> bool:
        return wide.covers(narrow)

    @staticmethod
    def _broad(element: Opening) -> bool:
        del element
        return True

    @staticmethod
    def _json(element: Opening) -> Json:
        return {
            "cidr": element.cidr,
            "protocol": element.protocol,
            "from_port": element.from_port,
            "to_port": element.to_port,
        }

    @classmethod
    def _nothing(cls) -> str:
        return "no traffic"


# ----------------------------------------------------------------------------------------- grants

Part = PrincipalElement | Pattern | AllBut | Unresolved | None
"""One element of one part of a statement."""

MAX_TUPLES: Final = 20_000
"""Most tuples into which statements are taken apart to bring them in normal form."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement that allows: who, what, on what, under which conditions.

    Principals are None in a policy that is attached to its principal.
    """

    principals: Principals | Unresolved | None
    actions: Actions | Unresolved
    resources: Resources | Unresolved
    conditions: Conditions = UNCONDITIONAL

    @property
    def resolved(self) -> bool:
        """Whether the code settles all of its parts."""
        return not any(
            isinstance(part, Unresolved) for part in (self.principals, self.actions, self.resources)
        )

    @property
    def empty(self) -> bool:
        """Whether it allows nothing."""
        return any(
            part is not None and not isinstance(part, Unresolved) and not part
            for part in (self.principals, self.actions, self.resources)
        )

    def describe(self) -> str:
        """The statement in words."""
        words = f"{self.actions.describe()} on {self.resources.describe()}"
        if self.principals is not None:
            words = f"{self.principals.describe()}: {words}"
        if self.conditions.limits:
            words = f"{words} if {self.conditions.describe()}"
        return words

    def to_json(self) -> Json:
        """The parts of the statement."""
        parts: dict[str, Json] = (
            {} if self.principals is None else {"principals": self.principals.to_json()}
        )
        parts["actions"] = self.actions.to_json()
        parts["resources"] = self.resources.to_json()
        if self.conditions.limits:
            parts["conditions"] = self.conditions.to_json()
        return parts


_Extents = Principals | Actions | Resources | Unresolved | None


def _parts(extent: _Extents) -> tuple[Part, ...]:
    """The elements of one part of a statement."""
    if extent is None or isinstance(extent, Unresolved):
        return (extent,)
    return tuple(extent.elements)


def _holds(extent: _Extents, part: Part) -> bool | None:
    """Whether one part of a base statement covers one element of the same part of head."""
    if isinstance(extent, Unresolved) or isinstance(part, Unresolved):
        return None
    if extent is None or part is None:
        return extent is None and part is None
    if isinstance(extent, Principals):
        return None if isinstance(part, Pattern | AllBut) else extent.holds(part)
    return extent.holds(part) if isinstance(part, Pattern | AllBut) else None


_Mask = tuple[int, int]
"""The statements, as bits, that surely cover an element, and those that may."""


def _mask(part: Part, extents: Sequence[_Extents]) -> _Mask:
    sure = perhaps = 0
    for at, extent in enumerate(extents):
        holds = _holds(extent, part)
        if holds is not False:
            perhaps |= 1 << at
            sure |= bool(holds) << at
    return sure, perhaps


def _masks(part: _Extents, extents: Sequence[_Extents]) -> dict[Part, _Mask]:
    return {element: _mask(element, extents) for element in _parts(part)}


class _Columns:
    """Statements by their parts."""

    __slots__ = ("actions", "conditions", "principals", "resources")

    def __init__(self, grants: Sequence[Grant]) -> None:
        self.principals: list[_Extents] = [grant.principals for grant in grants]
        self.actions: list[_Extents] = [grant.actions for grant in grants]
        self.resources: list[_Extents] = [grant.resources for grant in grants]
        self.conditions = [grant.conditions.limits for grant in grants]

    def freer(self, limits: frozenset[str]) -> int:
        """The statements, as bits, that no condition limits but some of these."""
        return sum((other <= limits) << at for at, other in enumerate(self.conditions))


def _statement_within(grant: Grant, base: _Columns) -> bool | None:
    """Whether each tuple of a statement is covered by one of the base statements on every part."""
    freer = base.freer(grant.conditions.limits)
    who = set(_masks(grant.principals, base.principals).values())
    what = set(_masks(grant.actions, base.actions).values())
    where = set(_masks(grant.resources, base.resources).values())
    undecided = False
    for sure_who, perhaps_who in who:
        for sure_what, perhaps_what in what:
            sure = sure_who & sure_what & freer
            perhaps = perhaps_who & perhaps_what & freer
            for sure_where, perhaps_where in where:
                if sure & sure_where:
                    continue
                if not perhaps & perhaps_where:
                    return False
                undecided = True
    return None if undecided else True


def _rebuilt(tuples: Iterable[tuple[Part, Part, Part, frozenset[str]]]) -> list[Grant]:
    """Statements that say the same as the tuples, always the same ones for the same tuples."""
    by_action: dict[tuple[Part, Part, frozenset[str]], set[Part]] = {}
    for who, what, where, limits in tuples:
        by_action.setdefault((who, what, limits), set()).add(where)
    by_resources: dict[tuple[Part, frozenset[Part], frozenset[str]], set[Part]] = {}
    for (who, what, limits), wheres in by_action.items():
        by_resources.setdefault((who, frozenset(wheres), limits), set()).add(what)
    by_rest: dict[tuple[bool, frozenset[Part], frozenset[Part], frozenset[str]], set[Part]] = {}
    for (who, resources, limits), actions in by_resources.items():
        key = (who is None, frozenset(actions), resources, limits)
        by_rest.setdefault(key, set()).add(who)
    return [
        Grant(
            None
            if attached
            else Principals(*(part for part in whos if isinstance(part, PrincipalElement))),
            Actions(*(part for part in actions if isinstance(part, Pattern | AllBut))),
            Resources(*(part for part in resources if isinstance(part, Pattern | AllBut))),
            Conditions(*limits),
        )
        for (attached, actions, resources, limits), whos in by_rest.items()
    ]


def _size(grant: Grant) -> int:
    """The number of tuples of a statement."""
    return len(_parts(grant.principals)) * len(_parts(grant.actions)) * len(_parts(grant.resources))


def _normal_grants(grants: Iterable[Grant]) -> frozenset[Grant]:
    """Statements without what others allow as well, grouped anew.

    Statements with an unresolved part stay as they are, and so do all beyond `MAX_TUPLES` tuples.
    """
    distinct = {grant for grant in grants if not grant.empty}
    plain = [grant for grant in distinct if grant.resolved]
    if not plain[1:] or sum(map(_size, plain)) > MAX_TUPLES:
        return frozenset(distinct)
    columns = _Columns(plain)
    kept: set[tuple[Part, Part, Part, frozenset[str]]] = set()
    for grant in plain:
        limits = grant.conditions.limits
        freer = columns.freer(limits)
        alike = sum((other == limits) << at for at, other in enumerate(columns.conditions))
        whos = _masks(grant.principals, columns.principals)
        whats = _masks(grant.actions, columns.actions)
        wheres = _masks(grant.resources, columns.resources)
        same_who = {part: _among(part, columns.principals) for part in whos}
        same_what = {part: _among(part, columns.actions) for part in whats}
        same_where = {part: _among(part, columns.resources) for part in wheres}
        for who, (sure_who, _) in whos.items():
            for what, (sure_what, _) in whats.items():
                covered = sure_who & sure_what & freer
                same = same_who[who] & same_what[what] & alike
                kept.update(
                    (who, what, where, limits)
                    for where, (sure_where, _) in wheres.items()
                    if not covered & sure_where & ~(same & same_where[where])
                )
    return frozenset([*_rebuilt(kept), *(grant for grant in distinct if not grant.resolved)])


def _among(part: Part, extents: Sequence[_Extents]) -> int:
    """The statements, as bits, that hold an element as it is."""
    return sum((part in _parts(extent)) << at for at, extent in enumerate(extents))


X = TypeVar("X", Principals, Actions, Resources)


def _joined(first: X, extents: Iterable[X | Unresolved]) -> X | Unresolved:
    found: X | Unresolved = first
    for extent in extents:
        if isinstance(found, Unresolved):
            return found
        found = found.join(extent)
    return found


class Grants(_Elements[Grant]):
    """What statements allow together, as tuples of principal, action, resource and conditions.

    Head stays within base if each tuple of head is covered, on every part, by one statement of
    base. So swapped pairs reach somewhere new: ``a`` on ``R2`` and ``b`` on ``R1`` name the same
    principals, actions and resources as ``a`` on ``R1`` and ``b`` on ``R2``.
    """

    __slots__ = ()

    @classmethod
    def _maximal(cls, elements: Iterable[Grant]) -> frozenset[Grant]:
        return _normal_grants(elements)

    def holds(self, element: Grant) -> bool | None:
        """Whether the statements cover each tuple of one statement."""
        return _statement_within(element, _Columns(list(self.elements)))

    def within(self, other: Self) -> bool | None:
        """Whether the statements of ``other`` cover each tuple."""
        base = _Columns(list(other.elements))
        undecided = False
        for grant in self.elements:
            covered = _statement_within(grant, base)
            if covered is False:
                return False
            undecided = undecided or covered is None
        return None if undecided else True

    def principals(self) -> Principals | Unresolved | None:
        """Everyone who is named, for the axis of that name; None if no statement names any."""
        named = [grant.principals for grant in self._sorted() if grant.principals is not None]
        return _joined(Principals(), named) if named else None

    def actions(self) -> Actions | Unresolved:
        """All that is allowed, for the axis of that name."""
        return _joined(Actions(), [grant.actions for grant in self._sorted()])

    def resources(self) -> Resources | Unresolved:
        """All that is touched, for the axis of that name."""
        return _joined(Resources(), [grant.resources for grant in self._sorted()])

    @staticmethod
    def _word(element: Grant) -> str:
        return element.describe()

    @staticmethod
    def _json(element: Grant) -> Json:
        return element.to_json()

    def describe(self) -> str:
        """The statements, one after the other."""
        words = [grant.describe() for grant in self._sorted()]
        if len(words) > MOST_WORDS:
            words = [*words[: MOST_WORDS - 1], f"{len(words) - MOST_WORDS + 1} more"]
        return "; ".join(words) or "nothing"


# ------------------------------------------------------------------------------------------ reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far one thing reaches, axis by axis; None where an axis does not apply to it."""

    regions: Regions | Unresolved | None = None
    partitions: Partitions | Unresolved | None = None
    accounts: Accounts | Unresolved | None = None
    principals: Principals | Unresolved | None = None
    actions: Actions | Unresolved | None = None
    resources: Resources | Unresolved | None = None
    environment: Environments | Unresolved | None = None
    fleet: Fleet | Unresolved | None = None
    network: Network | Unresolved | None = None
    mutation: Mutation | Unresolved | None = None
    conditions: Conditions | Unresolved | None = None
    guards: Guards | Unresolved | None = None
    grants: Grants | Unresolved | None = None

    def extents(self) -> dict[str, Extent]:
        """The extents of the axes that apply, in the order of `AXES`."""
        found: dict[str, Extent] = {}
        for axis in AXES:
            extent: Extent | None = getattr(self, axis)
            if extent is not None:
                found[axis] = extent
        return found

    def compare(self, base: Reach) -> dict[str, Order]:
        """The order of this reach (head) against base, on each axis that applies to both."""
        others = base.extents()
        return {
            axis: extent.compare(others[axis])
            for axis, extent in self.extents().items()
            if axis in others
        }

    def widened(self, base: Reach) -> list[str]:
        """The axes on which this reach (head) is known to reach somewhere base does not."""
        return [axis for axis, order in self.compare(base).items() if order.widens]

    def join(self, other: Reach) -> Reach:
        """A reach that holds both; an axis that applies to one of them is taken from that one."""
        joined: dict[str, Any] = dict(other.extents())
        for axis, extent in self.extents().items():
            joined[axis] = extent.join(joined[axis]) if axis in joined else extent
        return Reach(**joined)

    def describe(self) -> list[str]:
        """One line per axis: ``regions: cn-north-1 and cn-northwest-1``."""
        return [f"{axis}: {extent.describe()}" for axis, extent in self.extents().items()]

    def to_json(self) -> dict[str, Json]:
        """The normal form as JSON."""
        return {axis: extent.to_json() for axis, extent in self.extents().items()}


AXES: Final[tuple[str, ...]] = tuple(item.name for item in fields(Reach))
"""The axes in the order in which they are shown."""
