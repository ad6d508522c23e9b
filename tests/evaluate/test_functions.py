"""What the functions make of values of which more or less is known."""

# ruff: noqa: FBT001, FBT002, FBT003
from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastdoor.evaluate import functions
from blastdoor.span import Document, Span
from blastdoor.value import (
    MAX_SIZE,
    Alternative,
    Encoded,
    Evidence,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Piece,
    Reason,
    Step,
    Text,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Mapping as AbstractMapping

DOCUMENT = Document("main.tf", "x" * 400)
SPAN = Span(DOCUMENT, 0, 1)


class FakeFiles:
    """A module directory with a few files."""

    texts: AbstractMapping[str, str] = {"policy.json": '{"a": 1}', "a.txt": "hello"}

    def read(self, path: str) -> str | None:
        return self.texts.get(path)

    def document(self, path: str) -> Document | None:
        text = self.texts.get(path)
        return None if text is None else Document(path, text)

    def template(self, path: str, variables: AbstractMapping[str, Value], span: Span) -> Value:
        return Known(f"{path}:{','.join(sorted(variables))}", span)

    def names(self, directory: str, pattern: str) -> list[str] | None:
        return ["b.txt", "a.txt"] if directory == "." else None


def call(name: str, *arguments: Value) -> Value:
    return functions.call(name, arguments, SPAN, FakeFiles())


def known(data: str | float | bool | None) -> Known:
    return Known(data, SPAN)


def many(*items: Value | str | float | bool | None, complete: bool = True) -> Many:
    return Many(tuple(map(lift, items)), SPAN, complete=complete)


def some(*items: Value | str | float | bool | None) -> Many:
    return many(*items, complete=False)


def set_(*items: Value | str | float | bool | None, complete: bool = True) -> Many:
    return Many(tuple(map(lift, items)), SPAN, complete=complete, is_set=True)


def mapping(complete: bool = True, **entries: Value | str | float | bool | None) -> Mapping:
    return Mapping({name: lift(item) for name, item in entries.items()}, SPAN, complete=complete)


def part(**entries: Value | str | float | bool | None) -> Mapping:
    return mapping(complete=False, **entries)


def lift(item: Value | str | float | bool | None) -> Value:
    return item if isinstance(item, Value) else known(item)


def either(*values: Value | str | float | bool | None) -> OneOf:
    return OneOf(tuple([Alternative(lift(v), f"case {n}") for n, v in enumerate(values)]), SPAN)


def one_of(*values: Value | str | float | bool | None) -> OneOf:
    return OneOf(tuple([Alternative(lift(v), "") for v in values]))


def text(*parts: Value | str) -> Text:
    at = 0
    made: list[Piece | Value] = []
    for item in parts:
        if isinstance(item, str):
            made.append(Piece(item, DOCUMENT, at, at + len(item)))
            at += len(item)
        else:
            made.append(item)
    return Text(tuple(made), SPAN)


def unknown(subject: str = "var.x", reason: Reason = Reason.NO_VALUE) -> Unknown:
    return Unknown(reason, subject, SPAN)


REST = Unknown(Reason.RANGE, "")
REGIONS = Unknown(
    Reason.DATA_SOURCE,
    "data.aws_regions.all.names",
    SPAN,
    meaning=Meaning.EVERY_REGION,
    partition="aws",
)
REGION = Unknown(
    Reason.DATA_SOURCE, "data.aws_region.here.name", SPAN, meaning=Meaning.CURRENT_REGION
)
X = unknown()

CASES: list[tuple[str, tuple[Value, ...], Value]] = [
    # merge: a later map that is not wholly known may override
    ("merge", (mapping(a=1), mapping(b=2)), mapping(a=1, b=2)),
    ("merge", (unknown("var.t"), mapping(a=1)), part(a=1)),
    ("merge", (mapping(a=1), unknown("var.t")), part(a=one_of(1, unknown("var.t.a")))),
    (
        "merge",
        (mapping(a=1, b=2), part(b=3), mapping(c=4)),
        part(a=one_of(1, Unknown(Reason.RANGE, "a")), b=3, c=4),
    ),
    ("merge", (unknown("var.t"), unknown("var.u")), unknown("var.u")),
    (
        "merge",
        (either(mapping(a=1), mapping(a=2)), mapping(b=3)),
        either(mapping(a=1, b=3), mapping(a=2, b=3)),
    ),
    # concat and flatten: what is behind a gap has no certain place
    ("concat", (many("a"), X), some("a", X)),
    ("concat", (X, many("a")), some(X, "a")),
    ("concat", (some("a"), many("b")), some("a", REST, "b")),
    ("concat", (many("a"), some("b")), some("a", "b")),
    ("concat", (REGIONS, many("x")), some(REGIONS, "x")),
    ("concat", (REGIONS,), REGIONS),
    ("flatten", (many(many("a"), X, many("b")),), some("a", X, "b")),
    ("flatten", (many(many("a", REGION)),), many("a", REGION)),
    ("flatten", (many(many(mapping(a=X))),), many(mapping(a=X))),
    ("flatten", (many(many("a"), either(many(), many("b"))),), either(many("a"), many("a", "b"))),
    ("flatten", (REGIONS,), REGIONS),
    ("flatten", (some(many("a")),), some("a")),
    # length
    ("length", (some("a"),), REST),
    ("length", (many(X, "b"),), known(2)),
    ("length", (set_(X, "b"),), X),
    ("length", (set_(X),), known(1)),
    ("length", (part(a=1),), REST),
    ("length", (X,), X),
    ("length", (either(many("a"), many("a", "b")),), either(1, 2)),
    ("length", (either(many("a"), many("b")),), known(1)),
    # identity-like functions keep what an unknown means
    *[
        (name, (REGIONS,), REGIONS)
        for name in (
            "toset",
            "tolist",
            "sort",
            "distinct",
            "compact",
            "reverse",
            "sensitive",
            "nonsensitive",
        )
    ],
    *[(name, (REGION,), REGION) for name in ("tostring", "lower", "upper", "trimspace", "chomp")],
    ("length", (REGIONS,), unknown("data.aws_regions.all.names", Reason.DATA_SOURCE)),
    ("setsubtract", (REGIONS, set_("us-east-1")), REGIONS),
    ("setsubtract", (REGIONS, X), unknown("data.aws_regions.all.names", Reason.DATA_SOURCE)),
    ("setunion", (REGIONS, set_("x")), set_("x", REGIONS, complete=False)),
    ("setunion", (X, set_("x")), set_("x", complete=False)),
    ("setunion", (REGIONS, REGIONS), REGIONS),
    ("toset", (some(REGIONS, "x"),), set_("x", REGIONS, complete=False)),
    # sets
    ("toset", (many("b", X, "a", "b"),), set_("a", "b", X)),
    ("toset", (some("b", REST),), set_("b", complete=False)),
    ("tolist", (set_("a", X),), some("a", X)),
    ("setintersection", (set_("a", "b"), set_("b", complete=False)), set_("b", complete=False)),
    ("setintersection", (set_("a", "b"), set_("b", "c")), set_("b")),
    ("setintersection", (set_("a"), set_(X)), X),
    ("setintersection", (set_("a"), X), X),
    ("setintersection", (set_(), X), set_()),
    ("setsubtract", (set_("a", "b"), set_("a", X)), X),
    ("setsubtract", (set_("a", "b", complete=False), set_("a")), set_("b", complete=False)),
    ("setsubtract", (set_("a", "b"), set_("a", complete=False)), REST),
    ("setproduct", (many("a"), X), X),
    ("setproduct", (many("a"), many(X)), many(many("a", X))),
    ("setproduct", (many(), X), many()),
    # lists
    ("distinct", (many("a", "a", X),), some("a", X)),
    ("distinct", (many(X),), many(X)),
    ("compact", (many("a", either("", "b")),), either(many("a"), many("a", "b"))),
    ("compact", (many("a", X, None),), some("a", X)),
    ("compact", (many(text("x", X), ""),), many(text("x", X))),
    ("contains", (some("a"), known("a")), known(data=True)),
    ("contains", (some("a"), known("b")), REST),
    ("contains", (many("a", X), known("b")), X),
    ("contains", (many("a", text("x-", X)), known("b")), known(data=False)),
    ("contains", (many("a", "b"), X), X),
    ("contains", (many("a"), either("a", "b")), either(True, False)),
    ("element", (some("a"), known(0)), known("a")),
    ("element", (some(X, "a"), known(1)), Unknown(Reason.RANGE, "1")),
    ("element", (X, known(0)), unknown("var.x[0]")),
    ("element", (many("a", "b"), X), one_of("a", "b")),
    ("one", (X,), unknown("var.x[0]")),
    ("one", (some(),), REST),
    ("index", (many("a", X), known("a")), known(0)),
    ("index", (many(X, "a"), known("a")), X),
    ("slice", (some("a", "b"), known(0), known(1)), many("a")),
    ("slice", (some("a"), known(0), known(2)), many("a", Unknown(Reason.RANGE, "1"))),
    ("sort", (many("b", X, "a"),), some(X, "a", "b")),
    ("reverse", (some("a", "b"),), some(REST, "b", "a")),
    ("chunklist", (some("a", "b", "c"), known(2)), some(many("a", "b"))),
    ("alltrue", (many(X, False),), known(data=False)),
    ("alltrue", (many(X, True),), X),
    ("anytrue", (some(True),), known(data=True)),
    ("sum", (many(1, X),), X),
    # maps
    ("keys", (part(b=1, a=2),), some(REST, "a", "b")),
    ("values", (part(b=1, a=2),), some(REST, 2, 1)),
    ("values", (mapping(b=X, a=2),), many(2, X)),
    ("lookup", (part(a=1), known("a"), known(2)), known(1)),
    ("lookup", (part(a=1), known("b"), known(2)), one_of(Unknown(Reason.RANGE, "b"), 2)),
    ("lookup", (X, known("b"), known(2)), one_of(unknown("var.x.b"), 2)),
    ("lookup", (mapping(a=1, b=2), X, known(3)), one_of(1, 2, 3)),
    ("lookup", (mapping(a=1, b=2), text("a", X), known(3)), one_of(1, 3)),
    ("lookup", (mapping(a=1), either("a", "b"), known(2)), either(1, 2)),
    ("zipmap", (many("a", "b"), X), mapping(a=unknown("var.x[0]"), b=unknown("var.x[1]"))),
    ("zipmap", (X, many("a")), X),
    ("transpose", (mapping(a=X),), X),
    # what may be absent
    ("coalesce", (X, known("d")), one_of(X, "d")),
    ("coalesce", (known(""), X, known("d"), known("e")), one_of(X, "d")),
    ("coalesce", (text("x", X), known("d")), text("x", X)),
    ("coalesce", (REGION, known("d")), REGION),
    ("coalescelist", (X, many("d")), one_of(X, many("d"))),
    ("coalescelist", (some(), many("d")), one_of(some(), many("d"))),
    ("try", (unknown("no", Reason.INVALID), known("d")), known("d")),
    ("try", (mapping(a=unknown("no", Reason.UNRESOLVED)), known("d")), known("d")),
    ("try", (X, known("d")), X),
    ("try", (unknown("var.x.y"), known("d")), one_of(unknown("var.x.y"), "d")),
    ("try", (known(None), known("d")), known(None)),
    ("try", (either("a", unknown("no", Reason.INVALID)), known("d")), one_of("a", "d")),
    ("can", (unknown("no", Reason.INVALID),), known(data=False)),
    ("can", (known(1),), known(data=True)),
    ("can", (unknown("var.x.y"),), unknown("var.x.y")),
    ("can", (X,), known(data=True)),
    # strings with holes
    ("format", (known("arn:%s:x"), X), text("arn:", X, ":x")),
    ("format", (known("%s-%03d"), X, known(7)), text(X, "-007")),
    (
        "format",
        (known("%5s"), REGION),
        text(unknown("data.aws_region.here.name", Reason.DATA_SOURCE)),
    ),
    ("format", (known("%s"), either("a", "b")), either("a", "b")),
    ("format", (known("%s/%s"), text("a", X), known("b")), text("a", X, "/b")),
    ("formatlist", (known("%s-%s"), known("a"), many("b", X)), many("a-b", text("a-", X))),
    ("formatlist", (known("%s"), X), X),
    (
        "formatlist",
        (known("%s"), REGIONS),
        unknown("data.aws_regions.all.names", Reason.DATA_SOURCE),
    ),
    ("join", (known("/"), many("a", X)), text("a/", X)),
    ("join", (known("/"), many("a", either("b", "c"))), either("a/b", "a/c")),
    ("join", (known("/"), some("a")), REST),
    ("lower", (text("AB", X),), text("ab", X)),
    ("trimspace", (text(" a", X, "b "),), text("a", X, "b")),
    ("trimspace", (text(X, "b "),), X),
    ("trimprefix", (text("https://", X), known("https://")), text(X)),
    ("trimsuffix", (text(X, "/a"), known("/")), text(X, "/a")),
    ("startswith", (text("arn:", X), known("arn")), known(data=True)),
    ("startswith", (text("a", X), known("arn")), X),
    ("endswith", (text(X, "/b"), known("c")), known(data=False)),
    ("strcontains", (text(X, ":root", X), known("root")), known(data=True)),
    ("substr", (text("abc", X), known(0), known(2)), known("ab")),
    ("replace", (text("a", X), known("a"), known("b")), X),
    ("split", (known(","), X), X),
    # encodings
    ("jsonencode", (mapping(a=X),), Encoded(mapping(a=X))),
    ("jsondecode", (Encoded(mapping(a=X)),), mapping(a=X)),
    ("jsonencode", (either("a", "b"),), either(Encoded(known("a")), Encoded(known("b")))),
    ("tostring", (Encoded(mapping(a=1)),), Encoded(mapping(a=1))),
    ("base64encode", (Encoded(mapping(a=X)),), X),
    ("format", (known("%s!"), Encoded(mapping(a=X))), text(Encoded(mapping(a=X)), "!")),
    # files
    ("file", (known("a.txt"),), known("hello")),
    ("file", (known("../b"),), unknown("../b", Reason.OUTSIDE_FILE)),
    ("fileexists", (known("a.txt"),), known(data=True)),
    ("filemd5", (known("a.txt"),), known("5d41402abc4b2a76b9719d911017c592")),
    ("filebase64", (known("a.txt"),), known("aGVsbG8=")),
    ("fileset", (known("."), known("*")), set_("a.txt", "b.txt")),
    ("fileset", (known("/etc"), known("*")), unknown("/etc", Reason.OUTSIDE_FILE)),
    ("templatefile", (known("t"), mapping(a=X)), known("t:a")),
    ("templatefile", (known("t"), X), X),
    ("file", (text("a", X),), X),
    ("abspath", (known("a"),), unknown("abspath('a')", Reason.ENVIRONMENT)),
    ("pathexpand", (known("~/x"),), unknown("home directory", Reason.ENVIRONMENT)),
    # not evaluated
    ("timestamp", (), unknown("timestamp", Reason.IMPURE)),
    ("uuid", (), unknown("uuid", Reason.IMPURE)),
    ("plantimestamp", (), unknown("plantimestamp", Reason.IMPURE)),
    ("bcrypt", (known("x"),), unknown("bcrypt", Reason.IMPURE)),
    (
        "provider::aws::arn_parse",
        (known("x"),),
        unknown("provider::aws::arn_parse", Reason.PROVIDER_FUNCTION),
    ),
    ("nosuch", (), unknown("nosuch", Reason.FUNCTION)),
    ("type", (known("x"),), unknown("type", Reason.FUNCTION)),
    # errors
    ("length", (known(1),), unknown("length(): string, list or map required", Reason.INVALID)),
    ("length", (), unknown("length(): wrong number of arguments", Reason.INVALID)),
    ("lower", (known(None),), unknown("lower(): argument must not be null", Reason.INVALID)),
    ("lower", (unknown("no", Reason.INVALID),), unknown("no", Reason.INVALID)),
    # the budget
    ("range", (known(1025),), unknown("range(): more than 1024 values", Reason.INVALID)),
    (
        "format",
        (known("%999999999d"), known(1)),
        unknown("format(): field too wide", Reason.BUDGET),
    ),
]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"), CASES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CASES)]
)
def test_call(name: str, arguments: tuple[Value, ...], expected: Value) -> None:
    actual = call(name, *arguments)
    assert (repr(actual), actual.key()) == (repr(expected), expected.key())


def test_identity_keeps_the_object() -> None:
    literal = Known("a", SPAN, (), (Piece("a", DOCUMENT, 5, 6),))
    for name in ("tostring", "trimspace", "lower", "nonsensitive", "try", "format", "coalesce"):
        assert call(name, literal) is literal


def test_pieces_follow_the_text() -> None:
    literal = Known("  ab/cd ", SPAN, (), (Piece("  ab/cd ", DOCUMENT, 10, 18),))
    trimmed = call("trimspace", literal)
    assert isinstance(trimmed, Known)
    assert trimmed.pieces == (Piece("ab/cd", DOCUMENT, 12, 17),)
    parts = call("split", known("/"), trimmed)
    assert isinstance(parts, Many)
    assert [item.pieces for item in parts.items if isinstance(item, Known)] == [
        (Piece("ab", DOCUMENT, 12, 14),),
        (Piece("cd", DOCUMENT, 15, 17),),
    ]
    joined = call("join", known("-"), many(trimmed, "x"))
    assert isinstance(joined, Known)
    assert "".join([piece.text for piece in joined.pieces]) == joined.data == "ab/cd-x"


def test_elements_bring_the_steps_of_their_collection() -> None:
    step = Evidence(Step.DEFAULT, "default of var.actions", SPAN)
    brought = many("a", "b").through(step)
    held = mapping(k="v").through(step)
    assert isinstance(held, Mapping)
    results = [
        call("concat", brought, many("c")),
        call("flatten", many(brought)),
        call("setunion", brought, many("c")),
        call("toset", brought),
        call("sort", brought),
        call("values", held),
    ]
    for result in results:
        assert isinstance(result, Many)
        assert result.items[0].via == (step,)
    assert call("element", brought, known(1)).via == (step,)
    assert call("lookup", held, known("k")).via == (step,)
    merged = call("merge", held, mapping(z=1))
    assert isinstance(merged, Mapping)
    assert merged.entries["k"].via == (step,)


def test_alternatives_have_their_conditions() -> None:
    result = call("format", known("%s-%s"), either("a", "b"), either("x", "y"))
    assert isinstance(result, OneOf)
    assert [(repr(a.value), a.condition) for a in result.alternatives] == [
        ("Known('a-x')", "case 0"),
        ("Known('a-y')", "case 0 and case 1"),
        ("Known('b-x')", "case 1 and case 0"),
        ("Known('b-y')", "case 1"),
    ]


def test_too_many_alternatives() -> None:
    wide = either(*map(str, range(5)))
    result = call("format", known("%s%s"), wide, wide)
    assert isinstance(result, Unknown)
    assert result.reason is Reason.BUDGET


def test_regular_expressions_need_their_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    result = call("regex", known("a"), known("a"))
    assert isinstance(result, Unknown)
    assert result.reason is Reason.FUNCTION


LONG = known("ab" * 400_000)
WIDE = Many(tuple([Known(n) for n in range(3000)]))
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(n + 1)}: &{chr(n + 1)} [{','.join([f'*{chr(n)}'] * 9)}]\n"
    for n in range(ord("a"), ord("z"))
)
DEEP = Known("[" * 5000 + "]" * 5000)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("join", (known(""), Many((LONG,) * 50_000))),
        ("format", (known("%s" * 100), *[LONG] * 100)),
        ("format", (known("%.9999999f"), known(1))),
        ("replace", (LONG, known("a"), LONG)),
        ("replace", (LONG, known("/a/"), known("$0" * 1000))),
        ("replace", (LONG, known(""), known("xxx"))),
        ("indent", (known(10**9), known("a\nb"))),
        ("setproduct", (WIDE, WIDE)),
        ("setproduct", (WIDE,) * 30),
        ("split", (known(""), LONG)),
        ("split", (known("a"), LONG)),
        ("regexall", (known(""), LONG)),
        ("parseint", (known("9" * 900_000), known(10))),
        ("concat", (Many((known("x"),) * 150_000), Many((known("x"),) * 150_000))),
        ("jsondecode", (DEEP,)),
        ("yamldecode", (DEEP,)),
        ("yamldecode", (known(BOMB),)),
        ("yamldecode", (LONG,)),
        ("csvdecode", (known("a,b\n" + "1,2\n" * 100_000),)),
        ("formatlist", (known("%s" * 9), *[Many((LONG,) * 1000)] * 9)),
        ("upper", (Encoded(Many((LONG,) * 1000)),)),
        ("length", (Encoded(Many((Encoded(Many((LONG,) * 1000)),) * 1000)),)),
    ],
)
def test_the_budget_stops_a_call(name: str, arguments: tuple[Value, ...]) -> None:
    started = time.monotonic()
    result = call(name, *arguments)
    assert isinstance(result, Unknown)
    assert result.reason is Reason.BUDGET
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("toset", (Many(tuple([mapping(a=LONG, b=n) for n in range(20_000)])),)),
        ("merge", (*[mapping(a=LONG)] * 1000, X)),
        ("pow", (known(10), known(10**300))),
        ("tonumber", (known("1e999999999"),)),
        ("tonumber", (known("9" * 100_000),)),
        ("regex", (known("(a*)*b"), LONG)),
        ("regex", (known("(x{1000}){1000}"), LONG)),
        ("trimspace", (LONG,)),
        ("distinct", (Many((LONG,) * 100_000),)),
    ],
)
def test_a_call_ends_soon(name: str, arguments: tuple[Value, ...]) -> None:
    started = time.monotonic()
    call(name, *arguments)
    assert time.monotonic() - started < 10


def test_every_function_is_listed() -> None:
    assert len(functions.NAMES) > 100
    assert {"merge", "cidrsubnet", "try", "templatefile"} <= functions.NAMES


# Random values

scalars: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 40),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["10.0.0.0/8", "::/0", "2020-01-01T00:00:00Z", "1h", "%s-%d", "%[2]q", "a,b\n1,2", "[1,{}]"]
    ),
    st.sampled_from(
        ["/a*/", "(a)(?P<b>b)?", "true", "YYYY-MM'x'", "a: [b, &c d]", "\ud800", "é\r\n"]
    ),
)
unknowns: st.SearchStrategy[Value] = st.builds(
    lambda kind, reason, subject, meaning: kind(reason, subject, SPAN, meaning=meaning),
    st.sampled_from([Unknown, Inherited]),
    st.sampled_from(Reason),
    st.sampled_from(["", "var.x", "var.x.y", "aws_vpc.a[0].id"]),
    st.none() | st.sampled_from(Meaning),
)


def extend(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    return st.one_of(
        st.builds(
            lambda items, complete, is_set: Many(
                tuple(items), SPAN, complete=complete, is_set=is_set
            ),
            st.lists(inner, max_size=4),
            st.booleans(),
            st.booleans(),
        ),
        st.builds(
            lambda entries, complete: Mapping(entries, SPAN, complete=complete),
            st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
            st.booleans(),
        ),
        st.builds(lambda value: Encoded(value, SPAN), inner),
        st.builds(
            lambda values: OneOf(tuple([Alternative(v, "c") for v in values]), SPAN),
            st.lists(inner, min_size=2, max_size=3),
        ),
        st.builds(
            lambda value, left, right: text(left, value, right), inner, *[st.text(max_size=3)] * 2
        ),
    )


values: st.SearchStrategy[Value] = st.recursive(
    st.builds(lambda data: Known(data, SPAN), scalars) | unknowns, extend, max_leaves=8
)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([*sorted(functions.NAMES), "timestamp", "nosuch"]),
    st.lists(values, max_size=4),
)
def test_call_never_raises(name: str, arguments: list[Value]) -> None:
    result = call(name, *arguments)
    assert isinstance(result, Value)
    assert result.size <= MAX_SIZE
    result.key()


@pytest.mark.full
@settings(max_examples=60_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(functions.NAMES)),
    st.lists(values, max_size=4),
)
def test_call_never_raises_at_length(name: str, arguments: list[Value]) -> None:
    assert isinstance(call(name, *arguments), Value)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(functions.NAMES - {"can", "coalesce", "try"})),
    st.lists(values, min_size=1, max_size=3),
    st.data(),
)
def test_knowing_less_contradicts_nothing(
    name: str, arguments: list[Value], data: st.DataObject
) -> None:
    # What is known in spite of an unknown argument is the result for every value of it; only the
    # type of what `coalesce` gives depends on what it passes over, and `try` is about errors.
    hidden = data.draw(st.integers(0, len(arguments) - 1))
    fewer = [*arguments]
    fewer[hidden] = unknown("data.x.y.z", Reason.DATA_SOURCE)
    result = call(name, *fewer)
    full = call(name, *arguments)
    if result.resolved and full.resolved:
        assert result.key() == full.key()
