"""Expressions: operators, templates, collections, conditionals, for, splats, and what is unknown.

Expected values are those of the HCL Native Syntax Specification and of ``terraform console``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.value import Known, Reason, Text, Unknown

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit

HEAD = """\
variable "open" {}
variable "other" {}
locals {
  list  = ["a", "b", "c"]
  map   = { x = 1, y = 2 }
  rows  = [{ id = "i", tags = ["p", "q"] }, { id = "j", tags = ["r"] }]
  null  = null
  one   = "one"
  it    = EXPRESSION
}
"""


def result(unit: type[Unit], expression: str) -> Any:
    return unit(HEAD.replace("EXPRESSION", expression)).local("it")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("6 / 2", 3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7 % 2.5", 2),
        ("1.5 + 1.5", 3),
        ('"3" + 4', 7),
        ("-(2)", -2),
        ("!true", False),
        ('!"false"', True),
        ("1 < 2", True),
        ("2 <= 1", False),
        ("1 == 1.0", True),
        ('1 == "1"', False),
        ("true == 1", False),
        ('"a" != "b"', True),
        ("null == null", True),
        ("[1, 2] == [1, 2]", True),
        ("[1, 2] == [2, 1]", False),
        ("{ a = 1, b = 2 } == { b = 2, a = 1 }", True),
        ("{ a = 1 } == { a = 1, b = null }", False),
        ("true && false || true", True),
        ("1 + 1 == 2 && 2 > 1", True),
        ("1 == 2 ? 3 : 4", 4),
        ('"true" ? 1 : 2', 1),
        ("true ? false ? 1 : 2 : 3", 2),
    ],
)
def test_operators(unit: type[Unit], expression: str, expected: object) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    "expression",
    ["1 / 0", "1 % 0", '"a" + 1', "-true", "!5", "null + 1", "[] < 1", "local.list + 1"],
)
def test_an_operation_that_cannot_work_is_invalid(unit: type[Unit], expression: str) -> None:
    value = unit(HEAD.replace("EXPRESSION", expression)).value("it")
    assert isinstance(value, Unknown)
    assert value.reason is Reason.INVALID


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"a${1}b${true}"', "a1btrue"),
        ('"${local.list}"', ["a", "b", "c"]),
        ('"${"${local.one}"}"', "one"),
        ('"%{ if true }yes%{ else }no%{ endif }"', "yes"),
        ('"%{ if false }yes%{ endif }"', ""),
        ('"%{ for v in local.list }<${v}>%{ endfor }"', "<a><b><c>"),
        ('"%{ for k, v in local.map }${k}${v};%{ endfor }"', "x1;y2;"),
        ('"%{ for i, v in local.list }${i}${v}%{ endfor }"', "0a1b2c"),
        ('"$${kept} %%{kept}"', "${kept} %{kept}"),
        ('"1.0: ${1.0} ${0.5} ${10000000000}"', "1.0: 1 0.5 10000000000"),
        ('"\\u00e9\\t"', "\u00e9\t"),
        ("<<-X\n      a\n        ${local.one}\n    X\n", "a\n  one\n"),
        ("<<X\n  a\nX\n", "  a\n"),
    ],
)
def test_templates(unit: type[Unit], expression: str, expected: object) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"a${null}"', "<INVALID null in a template>"),
        ('"a${local.list}"', "<INVALID collection in a template>"),
        ('"a${local.map}"', "<INVALID collection in a template>"),
    ],
)
def test_a_template_of_what_is_no_text_is_invalid(
    unit: type[Unit], expression: str, expected: str
) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[for v in local.list : upper(v)]", ["A", "B", "C"]),
        ("[for i, v in local.list : i]", [0, 1, 2]),
        ('[for v in local.list : v if v != "b"]', ["a", "c"]),
        ("[for k, v in local.map : v]", [1, 2]),
        ("[for k, v in { b = 1, a = 2 } : k]", ["a", "b"]),
        ("{ for i, v in local.list : v => i }", {"a": 0, "b": 1, "c": 2}),
        ("{ for v in local.list : v => v... }", {"a": ["a"], "b": ["b"], "c": ["c"]}),
        ("{ for r in local.rows : length(r.tags) => r.id... }", {"2": ["i"], "1": ["j"]}),
        ("[for r in local.rows : [for t in r.tags : t]]", [["p", "q"], ["r"]]),
        ("[for local in local.list : local]", ["a", "b", "c"]),
        ('[for s in toset(["b", "a"]) : s]', ["a", "b"]),
        ('[for k, s in toset(["b"]) : k]', ["b"]),
    ],
)
def test_for(unit: type[Unit], expression: str, expected: object) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("local.rows[*].id", ["i", "j"]),
        ("local.rows.*.id", ["i", "j"]),
        ("local.rows[*].tags[0]", ["p", "r"]),
        ("local.rows[*].tags[*]", [["p", "q"], ["r"]]),
        ("[{ a = [{ b = 1 }, { b = 2 }] }, { a = [{ b = 3 }] }][*].a[*].b", [[1, 2], [3]]),
        ("local.rows.*.tags[0]", ["p", "q"]),
        ("local.one[*]", ["one"]),
        ("local.null[*]", []),
        ("null[*].x", []),
        ("local.map[*].x", [1]),
        ("[][*].x", []),
        ("[[1, 2], null][*][*]", [[1, 2], []]),
    ],
)
def test_splats(unit: type[Unit], expression: str, expected: object) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("local.map.x", 1),
        ('local.map["y"]', 2),
        ("local.list[1]", "b"),
        ("local.list.1", "b"),
        ('local.list["1"]', "b"),
        ("local.rows[0].tags[1]", "q"),
        ("local.rows.0.id", "i"),
        ('{ "1" = 2 }[1]', 2),
        ("{ (local.one) = 2 }.one", 2),
        ('{ "k-${local.one}" = 2 }', {"k-one": 2}),
        ("{ a = 1, a = 2 }", {"a": 2}),
    ],
)
def test_steps(unit: type[Unit], expression: str, expected: object) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("local.map.z", "<INVALID no key 'z'>"),
        ('local.map["z"]', "<INVALID no key 'z'>"),
        ("local.list[3]", "<INVALID no element 3>"),
        ("local.list[-1]", "<INVALID no element -1>"),
        ("local.one.x", "<INVALID not a collection>"),
        ("local.missing", "<UNDECLARED local.missing>"),
        ("var.missing", "<UNDECLARED var.missing>"),
        ("module.missing.x", "<UNDECLARED module.missing>"),
        ("aws_s3_bucket.missing.id", "<UNRESOLVED aws_s3_bucket.missing>"),
        ("data.aws_region.missing.name", "<UNRESOLVED data.aws_region.missing>"),
        ("missing", "<UNRESOLVED missing>"),
        ("missing.x", "<UNRESOLVED missing.x>"),
        ("path.cwd", "<ENVIRONMENT path.cwd>"),
        ("terraform.workspace", "<ENVIRONMENT terraform.workspace>"),
        ("each.key", "<RANGE each.key>"),
        ("timestamp()", "<IMPURE timestamp>"),
        ("uuid()", "<IMPURE uuid>"),
        ("provider::x::f(1)", "<PROVIDER_FUNCTION provider::x::f>"),
    ],
)
def test_what_is_not_there_is_unknown_with_its_reason(
    unit: type[Unit], expression: str, expected: str
) -> None:
    assert expected == result(unit, expression)


# Unknown operands


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.open", "<NO_VALUE var.open>"),
        ("var.open.a[0]", "<NO_VALUE var.open.a[0]>"),
        ("var.open[local.one]", "<NO_VALUE var.open.one>"),
        ("var.open + 1", "<NO_VALUE var.open>"),
        ("1 < var.open", "<NO_VALUE var.open>"),
        ("!var.open", "<NO_VALUE var.open>"),
        ("-var.open", "<NO_VALUE var.open>"),
        ("var.open == 1", "<NO_VALUE var.open>"),
        ("[var.open] == [1]", "<NO_VALUE var.open>"),
        ("var.open && false", False),
        ("false && var.open", False),
        ("var.open || true", True),
        ("var.open && true", "<NO_VALUE var.open>"),
        ('"a${var.open}b"', "a{<NO_VALUE var.open>}b"),
        ('"${var.open}"', "<NO_VALUE var.open>"),
        ('"a${var.open}" == "b"', False),
        ('"a${var.open}" == "ab"', "<NO_VALUE var.open>"),
        ('"a${var.open}" == null', False),
        ("{ a = 1, (var.open) = 2 }", {"a": 1, ...: ...}),
        ("{ a = 1, (var.open) = 2 }.b", "<RANGE b>"),
        ("[1, var.open]", [1, "<NO_VALUE var.open>"]),
        ("[for v in var.open : v]", "<NO_VALUE var.open>"),
        ("[for v in [1, 2] : v if var.open]", [...]),
        ("[for v in [1, var.open] : v if v == 1]", [1, ...]),
        (
            "{ for v in [1, 2] : v => var.open }",
            {"1": "<NO_VALUE var.open>", "2": "<NO_VALUE var.open>"},
        ),
        ("{ for v in [1, var.open] : v => 1 }", {"1": 1, ...: ...}),
        ("var.open[*].id", "<NO_VALUE var.open.id>"),
        ("upper(var.open)", "<NO_VALUE var.open>"),
        ('"%{ for v in var.open }x%{ endfor }"', "{<NO_VALUE for directive>}"),
    ],
)
def test_unknown_operands(unit: type[Unit], expression: str, expected: object) -> None:
    assert expected == result(unit, expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.open ? 1 : 2", (1, 2)),
        ("var.open ? 1 : 1", 1),
        ("var.open ? (var.other ? 1 : 2) : 3", (1, 2, 3)),
        ("(var.open ? 1 : 2) + 10", (11, 12)),
        ("(var.open ? 1 : 2) + (var.other ? 10 : 20)", (11, 21, 12, 22)),
        ('"x${var.open ? "a" : "b"}"', ("xa", "xb")),
        ("(var.open ? 1 : 2) < 3", True),
        ("(var.open ? 1 : 2) == 3", False),
        ("[1, 2, 3][var.open ? 0 : 2]", (1, 3)),
        ("(var.open ? { a = 1 } : { a = 2 }).a", (1, 2)),
        ("local.list[var.open]", ("a", "b", "c")),
        ("(var.open ? [1] : [])[*]", ([1], [])),
        ('"%{ if var.open }a%{ else }b%{ endif }c"', ("ac", "bc")),
        ("[for v in var.open ? [1] : [2] : v + 1]", ([2], [3])),
        ('upper(var.open ? "a" : "b")', ("A", "B")),
        ("var.open ? var.other : 1", ("<NO_VALUE var.other>", 1)),
    ],
)
def test_an_open_condition_gives_one_of_its_sides(
    unit: type[Unit], expression: str, expected: object
) -> None:
    assert expected == result(unit, expression)


def test_alternatives_carry_their_condition(unit: type[Unit]) -> None:
    from blastdoor.value import alternatives

    value = unit(HEAD.replace("EXPRESSION", "var.open > 1 ? 1 : 2")).value("it")
    assert [a.condition for a in alternatives(value)] == ["var.open > 1", "not (var.open > 1)"]


def test_too_many_alternatives_are_beyond_the_budget(unit: type[Unit]) -> None:
    sums = " + ".join(f"(var.open ? {2**n} : 0)" for n in range(5))
    assert result(unit, sums) == "<BUDGET 32 alternatives>"


# Places


def test_a_text_knows_where_each_of_its_parts_stands(unit: type[Unit]) -> None:
    here = unit('locals {\n  a = "left"\n  b = "x-${local.a}-y"\n}\n')
    value = here.value("b")
    assert isinstance(value, Known)
    assert value.data == "x-left-y"
    assert [piece.document.text[piece.start : piece.end] for piece in value.pieces] == [
        "x-",
        "left",
        "-y",
    ]


def test_a_hole_keeps_its_place(unit: type[Unit]) -> None:
    value = unit('variable "v" {}\nlocals {\n  b = "x-${var.v}-y"\n}\n').value("b")
    assert isinstance(value, Text)
    hole = value.parts[1]
    assert isinstance(hole, Unknown)
    assert hole.subject == "var.v"


def test_the_span_of_a_key_is_kept(unit: type[Unit]) -> None:
    from blastdoor.value import Mapping

    value = unit('locals {\n  m = { one = 1, "two" = 2 }\n}\n').value("m")
    assert isinstance(value, Mapping)
    assert {name: span.text for name, span in value.key_spans.items()} == {
        "one": "one",
        "two": '"two"',
    }


# Limits: evaluation never raises


def test_a_long_chain_of_operators(unit: type[Unit]) -> None:
    assert result(unit, " + ".join(["1"] * 20_000)) == 20_000


def test_a_long_chain_of_conditionals_is_a_value_or_unknown(unit: type[Unit]) -> None:
    chain = "".join(f"var.open == {n} ? {n} : " for n in range(600)) + "0"
    value = unit(HEAD.replace("EXPRESSION", chain)).value("it")
    assert isinstance(value, Unknown)
    assert value.reason in (Reason.BUDGET, Reason.SYNTAX)


def test_deep_nesting_is_a_value_or_unknown(unit: type[Unit]) -> None:
    for depth in (50, 200, 5_000):
        value = unit(HEAD.replace("EXPRESSION", "[" * depth + "]" * depth)).value("it")
        assert depth == 50 or isinstance(value, Unknown)


def test_a_number_that_grows_is_beyond_the_budget(unit: type[Unit]) -> None:
    lines = ["n0 = 10"] + [f"n{n} = local.n{n - 1} * local.n{n - 1}" for n in range(1, 40)]
    value = unit("locals {\n" + "\n".join(lines) + "\n}\n").value("n39")
    assert isinstance(value, Unknown)
    assert value.reason is Reason.BUDGET


def test_a_broken_place_is_unknown_and_the_rest_is_known(unit: type[Unit]) -> None:
    here = unit('locals {\n  a = [1, @]\n  b = "known"\n}\n')
    assert here.local("b") == "known"
