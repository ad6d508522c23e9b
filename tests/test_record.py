"""Data classes of our own making behave as the standard library's, on the same class bodies."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from blastdoor import record

if TYPE_CHECKING:
    from collections.abc import Callable

MAKERS: list[Any] = [record.dataclass, dataclasses.dataclass]
OPTIONS = [
    {},
    {"frozen": True},
    {"slots": True},
    {"slots": True, "eq": False},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "eq": False},
    {"frozen": True, "eq": False},
    {"frozen": True, "slots": True, "kw_only": True},
    {"frozen": True, "slots": True, "repr": False},
]


def body() -> type:
    class Thing:
        """A thing."""

        kind: ClassVar[str] = "thing"
        name: str
        number: int = 3
        items: list[int] = field(default_factory=list)
        shown: str = field(default="", compare=False, repr=False)
        size: int = field(default=9, init=False)

        @property
        def double(self) -> int:
            return self.number * 2

    return Thing


def attempt(action: Callable[[], Any]) -> object:
    """What an action gives, or the kind of its error."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001  compared
        return type(error)


def described(cls: Any) -> dict[str, object]:
    """Everything about a class that can be told from outside."""
    one = cls(name="a", number=4, items=[1])
    same = cls(name="a", number=4, items=[1], shown="b")
    other = cls(name="a")

    def assign() -> None:
        one.number = 4

    def delete() -> None:
        del same.number

    def invent() -> None:
        one.colour = "red"

    return {
        "name": (cls.__name__, cls.__qualname__, cls.__doc__, cls.kind),
        "repr": repr(one).partition(" object at ")[0],
        "values": (one.name, one.number, one.items, one.shown, one.size, one.double),
        "equal": (one == same, one == other, one != same, one == object(), one == one),  # noqa: PLR0124
        "hash": attempt(lambda: hash(cls(name="a", items=())) == hash(cls(name="a", items=()))),
        "assign": attempt(assign),
        # Which error it is differs: with slots, that of the standard library is a slip of its own.
        "invent": isinstance(attempt(invent), type),
        "delete": attempt(delete),
        "positional": attempt(lambda: cls("a", 1, [2], "c").items),
        "missing": attempt(cls),
        "too many": attempt(lambda: cls("a", 1, [2], "c", 9)),
        "unknown": attempt(lambda: cls(name="a", colour="red")),
        "own list": cls(name="a").items is cls(name="a").items,
        "match": cls.__match_args__,
        "slots": getattr(cls, "__slots__", None),
        "dict": hasattr(one, "__dict__"),
        "fields": [(one.name, one.default) for one in dataclasses.fields(cls)],
        "replace": attempt(lambda: dataclasses.replace(other, number=5).number),
        "as dict": dataclasses.asdict(other),
    }


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_standard_library_s(options: dict[str, bool]) -> None:
    mine, standard = MAKERS
    ours, theirs = mine(**options)(body()), standard(**options)(body())

    assert described(ours) == described(theirs)
    # Once more: the first instance has made the initializer.
    assert described(ours) == described(theirs)


@pytest.mark.parametrize("make", MAKERS)
def test_what_a_class_writes_itself_stays(make: Any) -> None:
    class Own:
        value: int
        twice: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "twice", self.value * 2)

        def __repr__(self) -> str:
            return "mine"

        def __eq__(self, other: object) -> bool:
            return other == self.value

        def __hash__(self) -> int:
            return 7

    one = make(frozen=True, slots=True)(Own)(3)

    assert (repr(one), one == 3, hash(one), one.twice) == ("mine", True, 7, 6)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("slots", [False, True])
def test_classes_below(make: Any, *, slots: bool) -> None:
    class First:
        first: int

    base: Any = make(frozen=True, slots=slots)(First)

    class Second(base):  # type: ignore[misc]  # made by either
        second: int = 2

    class Plain(base):  # type: ignore[misc]  # made by either
        pass

    below: Any = make(frozen=True, slots=slots)(Second)
    one = below(1)

    assert repr(one).rpartition(".")[2] == "Second(first=1, second=2)"
    assert (one.first, one.second, one == base(1), one == below(1)) == (1, 2, False, True)
    assert hash(one) == hash(below(1))
    with pytest.raises(FrozenInstanceError):
        Plain(1).first = 2


@record.dataclass(frozen=True, slots=True)
class Kept:
    """Something to pickle."""

    first: int
    second: tuple[int, ...] = ()


def test_a_class_below_may_have_attributes_of_its_own() -> None:
    class Plain(Kept):
        more: int

    one = Plain(1)
    one.more = 3

    assert (one.more, one.first) == (3, 1)
    with pytest.raises(FrozenInstanceError):
        one.__delattr__("first")


def test_pickling() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, (2,)))) == Kept(1, (2,))


def test_nothing_is_compiled_before_the_first_instance() -> None:
    made: list[object] = []

    @record.dataclass(slots=True)
    class Late:
        first: int

    before = Late.__init__
    made += [Late(1), Late(2)]

    assert Late.__init__ is not before
    assert [one.first for one in made if isinstance(one, Late)] == [1, 2]
