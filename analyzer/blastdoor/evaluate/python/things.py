"""What a name may stand for while Python is followed: values, and what is no value.

A `Thing` is a `blastdoor.value.Value` or one of the classes here. A call of something that is not
evaluated is a `Call`, which remembers what was called with what; it is what clients, constructs and
resources are made of.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from blastdoor.record import dataclass
from blastdoor.value import Value

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from blastdoor.parse.python import Places
    from blastdoor.span import Span


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that is imported or built in, by its dotted name: ``boto3.client``."""

    name: str


@dataclass(slots=True, eq=False)
class Loop:
    """A loop around a statement: what it goes through."""

    collection: Thing
    text: str
    """Source text of the collection."""
    span: Span


@dataclass(slots=True, eq=False)
class Later:
    """What an attribute of a call's result is set to afterwards."""

    path: tuple[str, ...]
    """``("cfn_options", "deletion_policy")``."""
    thing: Thing
    span: Span
    """The value's place."""
    guarded: str
    """Source text of the conditions around it."""


@dataclass(slots=True, eq=False)
class Call:
    """A call of something that is not evaluated here, and so its result."""

    function: Thing
    """A `Symbol` or a `Bound`, or whatever was called."""
    arguments: tuple[Thing, ...]
    keywords: dict[str, Thing]
    complete: bool
    """Whether these are all arguments: no ``*`` or ``**`` of something that is not known."""
    node: ast.Call
    places: Places
    """The document that it stands in."""
    name: str
    """The dotted name of what is called, as far as it goes back to an import; else ``""``."""
    spread: dict[str, Span] | None = None
    """The places of keywords that a ``**`` brings."""
    loops: tuple[Loop, ...] = ()
    owner: str = ""
    """The functions and classes around it, dotted; ``""`` at the top of a module."""
    assigned: str = ""
    """The name that its result is given, when it is given one."""
    guarded: str = ""
    """Source text of the conditions around it."""
    later: list[Later] | None = None
    """In the order of the program."""

    @property
    def span(self) -> Span:
        """The whole call."""
        return self.places.span(self.node)

    @property
    def name_span(self) -> Span:
        """What is called."""
        return self.places.span(self.node.func)

    @property
    def spans(self) -> dict[str, Span]:
        """Keyword → the place of its value."""
        found = dict(self.spread or {})
        for keyword in self.node.keywords:
            if keyword.arg is not None:
                found[keyword.arg] = self.places.span(keyword.value)
        return found

    def argument(self, position: int, *names: str) -> Thing | None:
        """An argument by one of its names, or by its position (-1: by name only)."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        if 0 <= position < len(self.arguments):
            return self.arguments[position]
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """An attribute of something that is no value: ``client.delete_table``."""

    base: Thing
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An element of something that is no value: ``response["Regions"]``."""

    base: Thing
    key: Thing


def attribute_of(thing: Thing) -> tuple[Call, tuple[str, ...]] | None:
    """The call behind ``call.a.b`` and the names after it; ``None`` for anything else."""
    names: list[str] = []
    while isinstance(thing, Bound) and len(names) < 12:  # noqa: PLR2004  no library is as deep
        names.append(thing.name)
        thing = thing.base
    return (thing, tuple(reversed(names))) if isinstance(thing, Call) else None


@dataclass(slots=True, eq=False)
class Function:
    """A function or method of the analysed code."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    owner: str
    places: Places
    """The document it stands in, which may be another than that of its caller."""
    bound: Thing | None = None
    """What it is a method of."""


@dataclass(slots=True, eq=False)
class Class:
    """A class of the analysed code."""

    name: str
    node: ast.ClassDef
    bases: tuple[Thing, ...]
    names: dict[str, Thing | Deferred] = field(default_factory=dict)

    def base_names(self) -> tuple[str, ...]:
        """The dotted names of its bases, and of theirs."""
        found: list[str] = []
        pending = list(self.bases)
        while pending and len(found) < 50:  # noqa: PLR2004  classes may go in circles
            base = pending.pop(0)
            if isinstance(base, Class):
                pending.extend(base.bases)
            else:
                found.append(name_of(base))
        return tuple(name for name in found if name)

    def find(self, name: str) -> Thing | None:
        """An attribute of the class or of the classes below it."""
        pending: list[Thing] = [self]
        for _hop in range(50):
            if not pending:
                return None
            current = pending.pop(0)
            if isinstance(current, Class):
                if name in current.names:
                    return settled(current.names[name])
                pending.extend(current.bases)
        return None


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the analysed code."""

    kind: Class
    names: dict[str, Thing | Deferred] = field(default_factory=dict)
    call: Call | None = None
    """The call that made it."""
    frozen: bool = False
    """Whether it belongs to another module, which what follows here must not change."""


@dataclass(slots=True, eq=False)
class Scope:
    """The names of one module, function or class body."""

    names: dict[str, Thing | Deferred]
    parent: Scope | None = None
    is_class: bool = False
    frozen: bool = False
    """Whether it belongs to another module, which what follows here must not change."""

    def find(self, name: str) -> Thing | None:
        """What a name stands for here or around."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            if (first or not scope.is_class) and name in scope.names:
                found = scope.names[name]
                return found.thing if isinstance(found, Deferred) else found
            scope, first = scope.parent, False
        return None


class Deferred:
    """What is imported from the repository: it is looked at when it is used, and then kept."""

    __slots__ = ("_load", "_thing")

    def __init__(self, load: Callable[[], Thing]) -> None:
        self._load: Callable[[], Thing] | None = load
        self._thing: Thing | None = None

    @property
    def thing(self) -> Thing:
        """What it stands for. Effect: follows the module that it comes from."""
        if self._load is not None:
            self._thing = self._load()
            self._load = None
        assert self._thing is not None
        return self._thing

    @property
    def used(self) -> Thing | None:
        """What it stands for, when somebody has asked."""
        return self._thing


def settled(thing: Thing | Deferred) -> Thing:
    """A thing, looked at when it was put off."""
    return thing.thing if isinstance(thing, Deferred) else thing


Thing = Value | Symbol | Call | Bound | Item | Function | Class | Instance


def name_of(thing: object) -> str:
    """The dotted name of a thing that goes back to an import: ``boto3.client``; else ``""``."""
    if isinstance(thing, Symbol):
        return thing.name
    if not isinstance(thing, Bound):
        return ""
    parts: list[str] = []
    current: object = thing
    for _hop in range(30):
        if isinstance(current, Symbol):
            return ".".join([current.name, *reversed(parts)])
        if isinstance(current, Bound):
            parts.append(current.name)
            current = current.base
        else:
            return ""
    return ""
