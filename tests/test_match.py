"""The `match` of a page, on resources made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor.fact import Evaluated, Facts, Resource
from blastdoor.match import Match, MatchError
from blastdoor.span import Document, Span
from blastdoor.value import Alternative, Known, Many, Mapping, OneOf, Reason, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingType

DOCUMENT = Document("main.tf", "x" * 40)
HEADER = Span(DOCUMENT, 0, 1)
PLACE = Span(DOCUMENT, 5, 9)


def known(data: str | bool | float | None) -> Known:  # noqa: FBT001  a scalar
    return Known(data, PLACE)


def hits(match: MappingType[str, object], values: dict[str, Value]) -> list[tuple[str, str]]:
    resource = Resource(
        type="aws_db_instance",
        name="main",
        address="aws_db_instance.main",
        span=HEADER,
        get=values.get,
        names=lambda: tuple(values),
    )
    facts = Facts(Evaluated(".", "terraform", resources=[resource]))
    found = Match.read({"resource": "aws_db_instance", **match}).hits(facts, "Off")
    return [(str(hit.span.start), hit.message) for hit in found]


@pytest.mark.parametrize(
    ("condition", "data", "expected"),
    [
        ({"is": False}, False, True),
        ({"is": False}, "false", True),
        ({"is": False}, True, False),
        ({"is": 0}, 0.0, True),
        ({"is": "0"}, 0, True),
        ({"is": False}, None, False),
        ({"in": ["a", 1]}, "1", True),
        ({"in": ["a", 1]}, "b", False),
        ({"matches": "db\\.t[23]\\..*"}, "db.t3.small", True),
        ({"matches": "t3"}, "db.t3.small", False),
        ({"missing": True}, "x", False),
    ],
)
def test_conditions(
    condition: dict[str, object],
    data: str | bool | float | None,  # noqa: FBT001  a scalar
    *,
    expected: bool,
) -> None:
    found = hits({"attribute": "a", **condition}, {"a": known(data)})

    assert bool(found) is expected


def test_place_and_message() -> None:
    assert hits({"attribute": "a", "is": False}, {"a": known(False)}) == [  # noqa: FBT003
        ("5", "Off: a is false")
    ]


def test_missing() -> None:
    missing = {"attribute": "a", "missing": True}

    assert hits(missing, {}) == [("0", "Off: a is not set")]
    assert hits({"attribute": "a", "is": 1}, {}) == []


def test_nested_blocks() -> None:
    inside = Many((Mapping({"b": known("x")}), Mapping({"b": known("y")}), Mapping({})))

    assert len(hits({"attribute": "a.b", "is": "y"}, {"a": inside})) == 1
    assert len(hits({"attribute": "a.b", "missing": True}, {"a": inside})) == 1
    open_ended = Mapping({}, complete=False)
    assert hits({"attribute": "a.b", "missing": True}, {"a": open_ended}) == []


def test_unresolved_values_never_match() -> None:
    unknown = Unknown(Reason.NO_VALUE, "var.a", PLACE)
    both = OneOf((Alternative(known("a"), "x"), Alternative(known("b"), "y")), PLACE)
    half = OneOf((Alternative(known("a"), "x"), Alternative(unknown, "y")), PLACE)

    assert hits({"attribute": "a", "is": "a"}, {"a": unknown}) == []
    assert hits({"attribute": "a", "missing": True}, {"a": unknown}) == []
    assert hits({"attribute": "a", "is": "a"}, {"a": both}) == []
    assert hits({"attribute": "a", "in": ["a", "b"]}, {"a": both}) == [("5", "Off: a is a or b")]
    assert hits({"attribute": "a", "in": ["a", "b"]}, {"a": half}) == []


def test_any_of() -> None:
    match = {"attribute": "a", "any-of": [{"is": 1}, {"attribute": "b", "missing": True}]}

    assert len(hits(match, {"a": known(1), "b": known(2)})) == 1
    assert len(hits(match, {"a": known(2)})) == 1
    assert hits(match, {"a": known(2), "b": known(2)}) == []


@pytest.mark.parametrize(
    "match",
    [
        {"attribute": "a", "is": 1, "in": [1]},
        {"attribute": "a"},
        {"is": 1},
        {"attribute": "a", "missing": False},
        {"attribute": "a", "in": "x"},
        {"attribute": "a", "any-of": []},
        {"attribute": "a", "any-of": [1]},
        {"attribute": "a", "any-of": [{"any-of": [{"is": 1}]}]},
        {"attribute": "a", "matches": 1},
        {"resource": [], "attribute": "a", "is": 1},
        {"resource": [1], "attribute": "a", "is": 1},
    ],
)
def test_what_is_refused(match: dict[str, object]) -> None:
    with pytest.raises(MatchError):
        Match.read({"resource": "x", **match})
