"""What is known of an expression without running anything.

A value is one of seven kinds: `Known`, `Text`, `Encoded`, `OneOf`, `Many`, `Mapping` and `Unknown`
(`Inherited` is the unknown that is exactly one value, decided outside). Evaluators never guess: what
cannot be known is `Unknown` with its reason. Each value carries the span that wrote it and the chain
of evidence that brought it where it is used.

Values are immutable by convention. Collections know their size and depth, so that a walk over a value
is bounded: the constructors `many` and `mapping` refuse what is beyond the budget.
"""

from __future__ import annotations

from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from blastdoor.span import Document, Span

MAX_SIZE: Final = 200_000
"""Largest number of nodes in one value, counted as if nothing were shared."""
MAX_DEPTH: Final = 120
"""Deepest nesting of collections in one value."""
MAX_TEXT: Final = 1_000_000
"""Longest string value in code points."""
MAX_ALTERNATIVES: Final = 16
"""Most alternatives that a `OneOf` keeps."""

Scalar = str | bool | int | float | None

Type = str | tuple[Any, ...]
"""A type of Terraform's: ``string``, ``number``, ``bool``, ``any`` (not decided yet), `OPEN_TYPE`, or
a pair of ``list``, ``set``, ``map`` and the element's, ``tuple`` and the elements', ``object`` and
sorted pairs of names and types."""
OPEN_TYPE: Final = "?"
"""Stands for a type that is not known here."""
HIDDEN: Final = "(sensitive)"
"""What is printed of a value that must not be."""
HOLDS_SECRET: Final = 1
SECRET: Final = 2
FAILS: Final = 4
INEXACT: Final = 8
ANY_SECRET: Final = HOLDS_SECRET | SECRET
"""Marks of values: something within must not be printed; nothing of it may be; evaluating what is
within is an error in Terraform; a number within has more digits than are kept here."""


class Step(Enum):
    """What kind of step of an evidence chain brought a value to its use."""

    DEFAULT = "default"
    VARIABLES_FILE = "tfvars"
    INPUT = "module input"
    LOCAL = "local"
    OUTPUT = "module output"
    ATTRIBUTE = "attribute"
    OVERRIDE = "override file"
    PROVIDER = "provider"
    ELEMENT = "element"
    DATA = "data source"
    CONDITION = "condition"
    """One that is open: what it brings may not be there."""
    DECIDED = "decided condition"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One step of the chain that explains a value: where it stands and what it says, in words."""

    step: Step
    text: str
    span: Span


class Reason(Enum):
    """Why a value is not known. The flag tells whether the repository alone could decide it."""

    def __init__(self, text: str, decidable: bool) -> None:  # noqa: FBT001  an enum's row
        self.text = text
        self.decidable = decidable

    NO_VALUE = ("variable without a value in the repository", False)
    CALLER = ("input of a module that nothing in the repository calls", False)
    COMPUTED = ("computed by the provider when applied", False)
    AFTER_APPLY = ("known only after apply, says the plan", False)
    DATA_SOURCE = ("read from a data source when planned", False)
    REMOTE_STATE = ("read from another state", False)
    EXTERNAL_MODULE = ("output of a module that is not in the repository", False)
    ENVIRONMENT = ("decided by the environment that runs it", False)
    EXPORT = ("exported by another stack", False)
    STORED = ("read from a parameter or secret store when deployed", False)
    MACRO = ("made by a macro or module that runs elsewhere", False)
    OUTSIDE_FILE = ("read from a file that is not in the analysed root", False)
    IMPURE = ("differs from run to run", False)
    EPHEMERAL = ("ephemeral: there only while it runs", False)
    RANGE = ("element of a collection that is not known", False)
    SYNTAX = ("text that does not parse", False)
    UNDECLARED = ("variable, local value or module that nothing declares", False)
    PROVIDER_FUNCTION = ("function of a provider", False)
    FUNCTION = ("function that is not evaluated here", True)
    UNRESOLVED = ("name that is not understood", True)
    INVALID = ("operation that cannot work on these values", True)
    BUDGET = ("beyond the evaluation budget", True)
    CYCLE = ("refers to itself", True)
    UNSUPPORTED = ("construct that is not evaluated here", True)


class Meaning(Enum):
    """What an unknown value stands for, when that much is known."""

    EVERY_REGION = "every region"
    EACH_REGION = "each region in turn"
    CURRENT_REGION = "the current region"
    CURRENT_PARTITION = "the current partition"
    CURRENT_ACCOUNT = "the current account"
    ORGANIZATION_ROOT = "the organization's root"
    ORGANIZATION = "the organization"
    EVERY_ACCOUNT = "every account of the organization"
    RESOURCE = "an attribute of a resource"


@dataclass(frozen=True, slots=True)
class Piece:
    """A literal stretch of a string value.

    ``text[i]`` stands at ``start + i`` of ``document`` when ``exact``; otherwise all of it stands for
    the range ``[start, end)``.
    """

    text: str
    document: Document
    start: int
    end: int

    @property
    def exact(self) -> bool:
        """Whether offsets within the piece map one to one."""
        return len(self.text) == self.end - self.start


class Key:
    """What a value says, as a digest of its parts: equal for equal values, cheap to compare and hash.

    Values share their parts many times over; comparing them part by part would go through each part
    as often as it is shared.
    """

    __slots__ = ("_hash", "digest")

    digest: bytes

    def __init__(self, parts: Iterable[object]) -> None:
        encoded = [
            part.digest
            if isinstance(part, Key)
            else b"%d:%b" % (len(part), part.encode("utf-8", "surrogatepass"))
            if isinstance(part, str)
            else b"#%b;" % repr(part).encode()
            for part in parts
        ]
        self.digest = blake2b(b"".join(encoded), digest_size=16).digest()
        self._hash = hash(self.digest)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and self.digest == other.digest

    def __repr__(self) -> str:
        return self.digest.hex()


class Value:
    """What is known of one expression: base of all kinds."""

    __slots__ = ("_key", "depth", "marks", "size", "span", "via")

    span: Span | None
    via: tuple[Evidence, ...]
    size: int
    depth: int
    marks: int
    """Any of `HOLDS_SECRET`, `SECRET`, `FAILS` and `INEXACT`."""

    def __init__(self, span: Span | None = None, via: tuple[Evidence, ...] = ()) -> None:
        self.span = span
        self.via = via
        self.size = 1
        self.depth = 1
        self.marks = 0
        self._key: Key | None = None

    def _copy(self) -> Value:
        raise NotImplementedError

    def through(self, *evidence: Evidence) -> Value:
        """The same value with further steps at the end of its chain."""
        copy = self._copy()
        copy.via = self.via + evidence
        copy.size = self.size
        copy.depth = self.depth
        copy.marks = self.marks
        copy._key = self._key  # noqa: SLF001  a copy of itself
        return copy

    def at(self, span: Span) -> Value:
        """The same value said to stand at ``span``."""
        copy = self._copy()
        copy.span = span
        copy.size = self.size
        copy.depth = self.depth
        copy.marks = self.marks
        copy._key = self._key  # noqa: SLF001  a copy of itself
        return copy

    def hidden(self) -> Value:
        """The same value, never to be printed."""
        if self.marks & SECRET:
            return self
        copy = self.through()
        copy.marks |= SECRET
        return copy

    def shown(self) -> Value:
        """The same value without the mark that forbids printing it."""
        copy = self.through()
        copy.marks &= ~ANY_SECRET
        return copy

    @property
    def secret(self) -> bool:
        """Whether it, or something within, must not be printed."""
        return bool(self.marks & ANY_SECRET)

    def key(self) -> Key:
        """A hashable form: equal for values that say the same, whatever their spans."""
        if self._key is None:
            self._key = Key(self._make_key())
        return self._key

    def _make_key(self) -> Iterable[object]:
        raise NotImplementedError

    @property
    def resolved(self) -> bool:
        """Whether everything in the value is known."""
        return False


def _hidden(value: Value) -> Value:
    return value.hidden()


def _shown(value: Value) -> Value:
    return value.shown()


_UNMARKED: Final = frozenset({0})


def _marks_of(marks: Iterable[int]) -> int:
    """The marks of a collection of values that have ``marks``."""
    found = 0
    for mark in marks:
        found |= mark
    return (HOLDS_SECRET if found & ANY_SECRET else 0) | (found & (FAILS | INEXACT))


class Known(Value):
    """A string, number, boolean or null. ``pieces`` says where the text of a string stands."""

    __slots__ = ("data", "pieces")

    def __init__(
        self,
        data: Scalar,
        span: Span | None = None,
        via: tuple[Evidence, ...] = (),
        pieces: tuple[Piece, ...] = (),
    ) -> None:
        self.span = span
        self.via = via
        self.size = 1
        self.depth = 1
        self.marks = 0
        self._key = None
        self.data = data
        self.pieces = pieces

    def __repr__(self) -> str:
        return f"Known({HIDDEN if self.secret else repr(self.data)})"

    def _copy(self) -> Value:
        return Known(self.data, self.span, self.via, self.pieces)

    def _make_key(self) -> Iterable[object]:
        data = self.data
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        return ("known", type(data).__name__, data)

    @property
    def resolved(self) -> bool:
        """Whether everything in the value is known."""
        return True


class Null(Known):
    """A null of a type, such as an optional attribute that is not set."""

    __slots__ = ("type",)

    def __init__(
        self, type_: Type, span: Span | None = None, via: tuple[Evidence, ...] = ()
    ) -> None:
        super().__init__(None, span, via)
        self.type = type_

    def _copy(self) -> Value:
        return Null(self.type, self.span, self.via)


class Text(Value):
    """A string with holes: literal pieces and values that are not wholly known."""

    __slots__ = ("parts",)

    def __init__(
        self,
        parts: tuple[Piece | Value, ...],
        span: Span | None = None,
        via: tuple[Evidence, ...] = (),
    ) -> None:
        super().__init__(span, via)
        self.parts = parts
        self.size = 1 + sum(part.size for part in parts if isinstance(part, Value))
        for part in parts:
            if isinstance(part, Value) and part.marks:
                self.marks |= (SECRET if part.secret else 0) | (part.marks & FAILS)

    def __repr__(self) -> str:
        return f"Text({self.pattern('{}')!r})"

    def _copy(self) -> Value:
        return Text(self.parts, self.span, self.via)

    def _make_key(self) -> Iterable[object]:
        parts: list[object] = ["text"]
        literal: list[str] = []
        for part in self.parts:
            if isinstance(part, Piece):
                literal.append(part.text)
                continue
            parts += ["".join(literal), part.key()]
            literal.clear()
        return [*parts, "".join(literal)]

    def pattern(self, hole: str) -> str:
        """The text with ``hole`` in place of each value that is not known."""
        return "".join(p.text if isinstance(p, Piece) else hole for p in self.parts)


class Encoded(Value):
    """A string that is the JSON encoding of ``inner`` (``jsonencode``, a policy document)."""

    __slots__ = ("inner",)

    def __init__(
        self, inner: Value, span: Span | None = None, via: tuple[Evidence, ...] = ()
    ) -> None:
        super().__init__(span, via)
        self.inner = inner
        self.size = 1 + inner.size
        self.depth = 1 + inner.depth
        self.marks = inner.marks

    def __repr__(self) -> str:
        return f"Encoded({self.inner!r})"

    def _copy(self) -> Value:
        return Encoded(self.inner, self.span, self.via)

    def hidden(self) -> Value:
        """The same text, nothing in it ever to be printed."""
        copy = Encoded(self.inner.hidden(), self.span, self.via)
        copy.marks |= SECRET
        return copy

    def shown(self) -> Value:
        """The same text without the mark that forbids printing it."""
        return Encoded(self.inner.shown(), self.span, self.via)

    def _make_key(self) -> Iterable[object]:
        return ("encoded", self.inner.key())

    @property
    def resolved(self) -> bool:
        """Whether everything in the value is known."""
        return self.inner.resolved


@dataclass(frozen=True, slots=True)
class Alternative:
    """One value that an expression may have, with the condition under which it has it."""

    value: Value
    condition: str


class OneOf(Value):
    """Exactly one of several values; which one is decided outside the repository."""

    __slots__ = ("alternatives",)

    def __init__(
        self,
        alternatives: tuple[Alternative, ...],
        span: Span | None = None,
        via: tuple[Evidence, ...] = (),
    ) -> None:
        super().__init__(span, via)
        self.alternatives = alternatives
        self.size = 1 + sum(a.value.size for a in alternatives)
        self.depth = max(a.value.depth for a in alternatives)
        if any(a.value.secret for a in alternatives):
            self.marks = HOLDS_SECRET

    def __repr__(self) -> str:
        return f"OneOf({', '.join(repr(a.value) for a in self.alternatives)})"

    def _copy(self) -> Value:
        return OneOf(self.alternatives, self.span, self.via)

    def hidden(self) -> Value:
        """The same value, none of its alternatives ever to be printed."""
        return self._each(_hidden)

    def shown(self) -> Value:
        """The same value without the mark that forbids printing it."""
        return self._each(_shown)

    def _each(self, change: Callable[[Value], Value]) -> Value:
        changed = tuple([Alternative(change(a.value), a.condition) for a in self.alternatives])
        return OneOf(changed, self.span, self.via)

    def _make_key(self) -> Iterable[object]:
        return ["one-of", *[a.value.key() for a in self.alternatives]]


class Many(Value):
    """A list, tuple or set; ``complete`` is false when there may be further elements.

    ``element`` is the elements' type of a list or set, ``None`` for a tuple.
    """

    __slots__ = ("_type", "complete", "element", "is_set", "items")

    def __init__(
        self,
        items: tuple[Value, ...],
        span: Span | None = None,
        via: tuple[Evidence, ...] = (),
        *,
        complete: bool = True,
        is_set: bool = False,
        element: Type | None = None,
    ) -> None:
        super().__init__(span, via)
        self.items = items
        self.complete = complete
        self.is_set = is_set
        self.element = element
        self._type: Type | None = None
        if items:
            self.size = 1 + sum([item.size for item in items])
            self.depth = 1 + max([item.depth for item in items])
            marks = {item.marks for item in items}
            if marks != _UNMARKED:
                self.marks = _marks_of(marks)

    def __repr__(self) -> str:
        return f"Many({', '.join(map(repr, self.items))}{'' if self.complete else ', …'})"

    def _copy(self) -> Value:
        copy = Many(
            (),
            self.span,
            self.via,
            complete=self.complete,
            is_set=self.is_set,
            element=self.element,
        )
        copy.items = self.items
        return copy

    def hidden(self) -> Value:
        """The same value, none of its elements ever to be printed."""
        copy = self._each(_hidden)
        copy.marks |= SECRET
        return copy

    def shown(self) -> Value:
        """The same value without the mark that forbids printing it."""
        return self._each(_shown)

    def _each(self, change: Callable[[Value], Value]) -> Value:
        return Many(
            tuple([change(item) for item in self.items]),
            self.span,
            self.via,
            complete=self.complete,
            is_set=self.is_set,
            element=self.element,
        )

    def _make_key(self) -> Iterable[object]:
        return ["many", self.complete, self.is_set, *[item.key() for item in self.items]]

    @property
    def resolved(self) -> bool:
        """Whether everything in the value is known."""
        return self.complete and all(item.resolved for item in self.items)


class Mapping(Value):
    """An object or map; ``complete`` is false when there may be further keys.

    ``key_spans`` says where each key is written, for the keys whose place is known; ``element`` is
    the elements' type of a map, ``None`` for an object.
    """

    __slots__ = ("_type", "complete", "element", "entries", "key_spans")

    def __init__(
        self,
        entries: dict[str, Value],
        span: Span | None = None,
        via: tuple[Evidence, ...] = (),
        *,
        complete: bool = True,
        key_spans: dict[str, Span] | None = None,
        element: Type | None = None,
    ) -> None:
        super().__init__(span, via)
        self.entries = entries
        self.complete = complete
        self.key_spans = key_spans or {}
        self.element = element
        self._type: Type | None = None
        if entries:
            values = entries.values()
            self.size = 1 + sum([item.size for item in values])
            self.depth = 1 + max([item.depth for item in values])
            marks = {item.marks for item in values}
            if marks != _UNMARKED:
                self.marks = _marks_of(marks)

    def __repr__(self) -> str:
        inner = ", ".join(f"{k!r}: {v!r}" for k, v in self.entries.items())
        return f"Mapping({inner}{'' if self.complete else ', …'})"

    def _copy(self) -> Value:
        copy = Mapping(
            {},
            self.span,
            self.via,
            complete=self.complete,
            key_spans=self.key_spans,
            element=self.element,
        )
        copy.entries = self.entries
        return copy

    def hidden(self) -> Value:
        """The same value, nothing in it ever to be printed."""
        copy = self._each(_hidden)
        copy.marks |= SECRET
        return copy

    def shown(self) -> Value:
        """The same value without the mark that forbids printing it."""
        return self._each(_shown)

    def _each(self, change: Callable[[Value], Value]) -> Value:
        return Mapping(
            {name: change(item) for name, item in self.entries.items()},
            self.span,
            self.via,
            complete=self.complete,
            key_spans=self.key_spans,
            element=self.element,
        )

    def _make_key(self) -> Iterable[object]:
        parts: list[object] = ["mapping", self.complete]
        for name, item in sorted(self.entries.items()):
            parts.append(name)
            parts.append(item.key())
        return parts

    def get(self, name: str) -> Value | None:
        """The value of a key, or ``None`` where the mapping does not say."""
        return self.entries.get(name)

    @property
    def resolved(self) -> bool:
        """Whether everything in the value is known."""
        return self.complete and all(item.resolved for item in self.entries.values())


class Unknown(Value):
    """A value that cannot be known here, with the reason.

    ``subject`` names what is not known (``var.region``, ``aws_s3_bucket.logs.arn``); ``meaning`` says
    what it stands for when that much is known; ``partition`` goes with the meanings about regions.
    """

    __slots__ = ("meaning", "partition", "reason", "subject")

    def __init__(
        self,
        reason: Reason,
        subject: str = "",
        span: Span | None = None,
        via: tuple[Evidence, ...] = (),
        *,
        meaning: Meaning | None = None,
        partition: str | None = None,
    ) -> None:
        super().__init__(span, via)
        if reason is Reason.INVALID:
            self.marks = FAILS
        self.reason = reason
        self.subject = subject
        self.meaning = meaning
        self.partition = partition

    def __repr__(self) -> str:
        return f"Unknown({self.reason.name}, {self.subject!r})"

    def _copy(self) -> Value:
        return Unknown(
            self.reason,
            self.subject,
            self.span,
            self.via,
            meaning=self.meaning,
            partition=self.partition,
        )

    def _make_key(self) -> Iterable[object]:
        return (
            "unknown",
            self.reason.name,
            self.subject,
            self.meaning and self.meaning.name,
            self.partition,
        )


class Inherited(Unknown):
    """Exactly one value, decided outside: a provider that takes its region from the environment."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Inherited({self.subject!r})"

    def _copy(self) -> Value:
        return Inherited(
            self.reason,
            self.subject,
            self.span,
            self.via,
            meaning=self.meaning,
            partition=self.partition,
        )

    def _make_key(self) -> Iterable[object]:
        return ("inherited", self.subject)


def known_text(value: Value | None) -> str | None:
    """The string of a `Known` string, else ``None``."""
    return value.data if isinstance(value, Known) and isinstance(value.data, str) else None


def within_budget(value: Value) -> Value:
    """The value itself, or `Unknown` when it is larger or deeper than the budget allows."""
    if value.size > MAX_SIZE or value.depth > MAX_DEPTH:
        return Unknown(Reason.BUDGET, "value too large", value.span, value.via)
    return value


def type_of(value: Value) -> Type:
    """The type of a value, with `OPEN_TYPE` where it is not known. Depth is that of the value."""
    if isinstance(value, Known):
        data = value.data
        if isinstance(data, str):
            return "string"
        if data is None:
            return value.type if isinstance(value, Null) else "any"
        return "bool" if isinstance(data, bool) else "number"
    if isinstance(value, (Many, Mapping)):
        found = value._type  # noqa: SLF001  kept with the value
        if found is None:
            found = _type_of_many(value) if isinstance(value, Many) else _type_of_mapping(value)
            value._type = found  # noqa: SLF001  kept with the value
        return found
    if isinstance(value, (Text, Encoded)):
        return "string"
    if isinstance(value, OneOf):
        types = {type_of(a.value) for a in value.alternatives} - {"any"}
        if len(types) == 1:
            return types.pop()
    return OPEN_TYPE


def _type_of_many(many: Many) -> Type:
    if many.element is not None:
        return ("set" if many.is_set else "list", many.element)
    if many.is_set:
        types = {type_of(item) for item in many.items} - {"any"}
        return ("set", types.pop() if len(types) == 1 else OPEN_TYPE if types else "any")
    if not many.complete:
        return OPEN_TYPE
    return ("tuple", tuple([type_of(item) for item in many.items]))


def _type_of_mapping(mapping: Mapping) -> Type:
    if mapping.element is not None:
        return ("map", mapping.element)
    if not mapping.complete:
        return OPEN_TYPE
    return ("object", tuple([(k, type_of(v)) for k, v in sorted(mapping.entries.items())]))


def one_of(
    alternatives: Iterable[Alternative], span: Span | None = None, via: tuple[Evidence, ...] = ()
) -> Value:
    """The join of alternatives: flat, without duplicates, a plain value when they all agree."""
    flat: dict[Hashable, Alternative] = {}
    for alternative in alternatives:
        inner = alternative.value
        if isinstance(inner, OneOf):
            for nested in inner.alternatives:
                condition = " and ".join(c for c in (alternative.condition, nested.condition) if c)
                nested_value = nested.value.through(*inner.via) if inner.via else nested.value
                flat.setdefault(nested.value.key(), Alternative(nested_value, condition))
        else:
            flat.setdefault(inner.key(), alternative)
    kept = tuple(flat.values())
    if len(kept) == 1:
        only = kept[0].value
        return only.through(*via) if via else only
    if len(kept) > MAX_ALTERNATIVES:
        return Unknown(Reason.BUDGET, f"{len(kept)} alternatives", span, via)
    return within_budget(OneOf(kept, span, via))


TURN: Final = "one turn of the loop"
"""The condition of what stands for one element of a loop, where other turns have the others."""


def turns(value: Value) -> list[Value]:
    """What something is in each turn of a loop; the value itself where no loop makes several of it."""
    if isinstance(value, OneOf) and all(a.condition == TURN for a in value.alternatives):
        return [alternative.value.through(*value.via) for alternative in value.alternatives]
    return [value]


def alternatives(value: Value) -> tuple[Alternative, ...]:
    """The alternatives of a `OneOf`; a single unconditional one for any other value."""
    if isinstance(value, OneOf):
        return value.alternatives
    return (Alternative(value, ""),)


def walk(value: Value) -> Iterator[Value]:
    """Every value within ``value``, itself first; iterative, bounded by the size budget."""
    stack = [value]
    while stack:
        current = stack.pop()
        yield current
        if isinstance(current, Many):
            stack.extend(reversed(current.items))
        elif isinstance(current, Mapping):
            stack.extend(reversed(current.entries.values()))
        elif isinstance(current, OneOf):
            stack.extend(a.value for a in reversed(current.alternatives))
        elif isinstance(current, Encoded):
            stack.append(current.inner)
        elif isinstance(current, Text):
            stack.extend(part for part in reversed(current.parts) if isinstance(part, Value))
