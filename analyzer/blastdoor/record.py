"""Data classes that cost little to define: those of the standard library, made when they are used.

`dataclasses.dataclass` writes, compiles and runs the source of up to nine methods for each class, and
this program defines some seventy: an eighth of the time that one small file takes. Here the methods
are closures, which cost nothing to make, and only ``__init__``, which must be fast, is compiled, when
the first instance is made. Type checkers see the standard library's; what is said here about a class
(``eq``, ``frozen``, ``slots`` and the rest) means the same there, and `dataclasses.replace` and
`dataclasses.fields` work on these classes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError, field
from inspect import get_annotations
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

_ORDINARY: Any = getattr(dataclasses, "_FIELD")  # noqa: B009  no name of it is public

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass
else:

    def dataclass(  # noqa: PLR0913  the standard library's own
        cls: type | None = None,
        /,
        *,
        init: bool = True,
        repr: bool = True,  # noqa: A002  the standard library's own
        eq: bool = True,
        frozen: bool = False,
        kw_only: bool = False,
        slots: bool = False,
    ) -> Any:
        """The class with what its annotations say: see `dataclasses.dataclass`."""

        def wrap(cls: type) -> type:
            own, kept = _fields_of(cls, kw_only=kw_only)
            inherited = getattr(cls, "__dataclass_fields__", {})
            if slots:
                cls = _slotted(cls, [name for name in own if name not in inherited])
            else:
                for name, one in own.items():
                    if isinstance(kept.get(name), Field):
                        if one.default is MISSING:
                            delattr(cls, name)
                        else:
                            setattr(cls, name, one.default)
            cls.__dataclass_fields__ = {**inherited, **own}
            _give(cls, init=init, repr_=repr, eq=eq, frozen=frozen, slots=slots)
            return cls

        return wrap if cls is None else wrap(cls)


def _fields_of(cls: type, *, kw_only: bool) -> tuple[dict[str, Field[Any]], dict[str, Any]]:
    """The fields that a class itself annotates, and the values that stand there now."""
    own: dict[str, Field[Any]] = {}
    kept: dict[str, Any] = {}
    for name, kind in get_annotations(cls).items():
        if str(kind).startswith("ClassVar"):
            continue
        value = cls.__dict__.get(name, MISSING)
        if value is not MISSING:
            kept[name] = value
        one = value if isinstance(value, Field) else field(default=value)
        one.name = name
        one.type = kind
        one.kw_only = kw_only
        setattr(one, "_field_type", _ORDINARY)  # noqa: B010  no public name; `dataclasses` asks for it
        own[name] = one
    return own, kept


def _slotted(cls: type, slots: list[str]) -> type:
    """The class once more, with slots for its fields and without their defaults."""
    body = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in slots and name not in ("__dict__", "__weakref__")
    }
    made = type(cls)(cls.__name__, cls.__bases__, {**body, "__slots__": tuple(slots)})
    made.__qualname__ = cls.__qualname__
    return made


def _give(cls: Any, *, init: bool, repr_: bool, eq: bool, frozen: bool, slots: bool) -> None:
    """Effect: gives a class the methods that it does not write itself."""
    fields: dict[str, Field[Any]] = cls.__dataclass_fields__
    written = set(cls.__dict__)
    values = _getter([name for name, one in fields.items() if one.compare])
    methods: dict[str, Any] = {}
    if init:
        methods["__init__"] = _lazy_init(cls, frozen=frozen, slots=slots)
    if repr_:
        methods["__repr__"] = _representation([name for name, one in fields.items() if one.repr])
    if eq:
        methods["__eq__"] = _equality(values)
        # A class that writes __eq__ has __hash__ = None from Python itself.
        if "__hash__" not in written or ("__eq__" in written and cls.__hash__ is None):
            cls.__hash__ = _hashing(values) if frozen else None
    if frozen:
        methods["__setattr__"], methods["__delattr__"] = _frozen(cls)
        if slots:
            methods["__getstate__"], methods["__setstate__"] = _state, _restore
    methods["__match_args__"] = tuple(
        [name for name, one in fields.items() if one.init and not one.kw_only]
    )
    for name, method in methods.items():
        if name not in written:
            setattr(cls, name, method)


def _getter(fields: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(fields) > 1:
        return attrgetter(*fields)
    return lambda instance: tuple([getattr(instance, name) for name in fields])


def _lazy_init(cls: Any, *, frozen: bool, slots: bool) -> Callable[..., None]:
    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807  what it becomes
        made = _compiled_init(cls, frozen=frozen, slots=slots)
        cls.__init__ = made
        made(self, *args, **kwargs)

    return __init__


def _compiled_init(cls: Any, *, frozen: bool, slots: bool) -> Callable[..., None]:
    """``__init__`` of the fields of a class."""
    fields: dict[str, Field[Any]] = cls.__dataclass_fields__
    scope: dict[str, Any] = {"_missing": MISSING, "_set": object.__setattr__}
    plain, named = ["self"], ["*"]
    lines: list[str] = []
    for name, one in fields.items():
        value = name
        default = ""
        if one.default_factory is not MISSING:
            scope[f"_make_{name}"] = one.default_factory
            default = "=_missing"
            value = f"_make_{name}() if {name} is _missing else {name}"
            value = value if one.init else f"_make_{name}()"
        elif one.default is not MISSING:
            scope[f"_default_{name}"] = one.default
            default = f"=_default_{name}"
            value = name if one.init else f"_default_{name}"
        if one.init:
            (named if one.kw_only else plain).append(f"{name}{default}")
        elif not default:
            continue
        if not frozen:
            lines.append(f" self.{name} = {value}")
        elif slots:
            scope[f"_set_{name}"] = getattr(cls, name).__set__
            lines.append(f" _set_{name}(self, {value})")
        else:
            lines.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    head = ", ".join([*plain, *(named if named[1:] else [])])
    exec(f"def __init__({head}):\n" + "\n".join(lines or [" pass"]), scope)  # noqa: S102  names only
    made: Callable[..., None] = scope["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _representation(fields: list[str]) -> Callable[[Any], str]:
    @recursive_repr()
    def __repr__(self: Any) -> str:  # noqa: N807  what it becomes
        inner = ", ".join([f"{name}={getattr(self, name)!r}" for name in fields])
        return f"{self.__class__.__qualname__}({inner})"

    return __repr__


def _equality(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any, Any], bool]:
    def __eq__(self: Any, other: Any) -> bool:  # noqa: N807  what it becomes
        if other.__class__ is self.__class__:
            return values(self) == values(other)
        return NotImplemented

    return __eq__


def _hashing(values: Callable[[Any], tuple[Any, ...]]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:  # noqa: N807  what it becomes
        return hash(values(self))

    return __hash__


def _frozen(cls: Any) -> tuple[Callable[[Any, str, Any], None], Callable[[Any, str], None]]:
    """What keeps the fields as they are; a class below may have attributes of its own."""
    fields = cls.__dataclass_fields__

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807  what it becomes
        if type(self) is cls or name in fields:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:  # noqa: N807  what it becomes
        if type(self) is cls or name in fields:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    return __setattr__, __delattr__


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__dataclass_fields__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__dataclass_fields__, state, strict=True):
        object.__setattr__(self, name, value)
