"""Types of values: what Terraform takes for the same type, and the one that several have in common.

The expectations are what `terraform console` 1.11 says; `test_generated_reference` asks it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.evaluate.kinds import apart, common, converts, is_open
from blastdoor.value import OPEN_TYPE, Type, type_of

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit

REFUSED = object()

EXPRESSIONS: dict[str, Any] = {
    "tolist([]) == []": False,
    "tomap({}) == {}": False,
    "tolist([]) == tolist([])": True,
    "tolist([1]) == [1]": False,
    'keys({ a = 1 }) == ["a"]': True,
    'split(",", "a") == ["a"]': False,
    "merge(tomap({ a = 1 }), { b = 2 }) == { a = 1, b = 2 }": True,
    "contains([[1]], tolist([1]))": False,
    "[null] == [null]": True,
    'true ? 1 : "a"': "1",
    "true ? 1 : true": REFUSED,
    'true ? "1" : [1]': REFUSED,
    'true ? [1, "a"] : ["x", true]': ["1", "a"],
    'true ? { a = 1 } : { b = "x" }': {"a": "1"},
    "true ? { a = 1 } : { a = [1] }": REFUSED,
    "true ? [1] : []": [1],
    "(true ? [1] : []) == [1]": False,
    "true ? null : [1]": None,
    'false ? local.none : "a"': "a",
    "tolist([1, true])": REFUSED,
    'tolist([{ a = 1 }, { b = "x" }])': [{"a": "1"}, {"b": "x"}],
    'toset(["b", "a", "b"])': ["a", "b"],
    'lookup(tomap({ a = 1 }), "b", "x")': REFUSED,
    'coalesce(1, "a")': "1",
    "tostring(0.1 * 3)": "0.3",
    "tostring(1.1 + 2.2)": f"3.3{'0' * 152}2",
    "1.1 + 2.2 > 3.3": REFUSED,
    "length([local.list[9]])": REFUSED,
    "upper(local.list[9])": REFUSED,
    "true && [1]": REFUSED,
    "false && local.list[9]": False,
    'templatestring("a $${b}", { b = "c" })': "a c",
}  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions(unit: type[Unit], expression: str) -> None:
    value = unit(f"locals {{\n  list = [1]\n  it = {expression}\n}}\n").local("it")
    expected = EXPRESSIONS[expression]
    if expected is REFUSED:
        assert isinstance(value, str)
        assert value.startswith(("<INVALID", "<BUDGET"))
    else:
        assert value == expected
        assert type(value) is type(expected)


TYPED = {
    "list(any)": ("[1, true]", REFUSED),
    "list(string)": ("[1, true]", ["1", "true"]),
    "set(number)": ('["2", 1, 2]', [1, 2]),
    "map(any)": ('{ a = 1, b = "x" }', {"a": "1", "b": "x"}),
    "tuple([string, number])": ('[1, "2"]', ["1", 2]),
    "number": ('"x"', REFUSED),
    "object({ a = string })": ("{ a = 1, dropped = 2 }", {"a": "1"}),
    "object({ a = string, b = number })": ("{ a = 1 }", REFUSED),
    "list(object({ a = optional(number, 1), b = optional(string) }))": (
        '[{}, { a = "2", b = 3 }]',
        [{"a": 1, "b": None}, {"a": 2, "b": "3"}],
    ),
    "map(object({ in = optional(object({ on = optional(bool, true) }), {}) }))": (
        "{ x = {}, y = { in = { on = false } }, z = { in = null } }",
        {"x": {"in": {"on": True}}, "y": {"in": {"on": False}}, "z": {"in": {"on": True}}},
    ),
    'object({ t = optional(tuple([string, number]), [1, "2"]) })': ("{}", {"t": ["1", 2]}),
    "any": ('[1, "a"]', [1, "a"]),
}  # fmt: skip


@pytest.mark.parametrize("constraint", TYPED)
@pytest.mark.parametrize("given", ["default", "input", "file"])
def test_a_value_becomes_one_of_its_type(unit: type[Unit], constraint: str, given: str) -> None:
    text, expected = TYPED[constraint]
    variable = f'variable "v" {{\n  type = {constraint}\n'
    files = {"main.tf": f"{variable}}}\nlocals {{\n  it = var.v\n}}\n"}
    if given == "default":
        files["main.tf"] = f"{variable}  default = {text}\n}}\nlocals {{\n  it = var.v\n}}\n"
    elif given == "file":
        files["terraform.tfvars"] = f"v = {text}\n"
    else:
        files = {
            "main.tf": f'module "m" {{\n  source = "./m"\n  v = {text}\n}}\n'
            "locals {\n  it = module.m.v\n}\n",
            "m/main.tf": f'{variable}}}\noutput "v" {{\n  value = var.v\n}}\n',
        }
    value = unit(files).local("it")
    if expected is REFUSED:
        assert str(value).startswith("<INVALID")
    else:
        assert value == expected


def test_a_null_object_goes_where_more_optional_attributes_are_wanted(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": """
variable "v" {
  type    = object({ a = string })
  default = null
}
module "m" {
  source = "./m"
  v      = var.v
}
locals {
  it = module.m.v == null
}
""",
            "m/main.tf": """
variable "v" {
  type = object({ a = string, b = optional(number) })
}
output "v" {
  value = var.v
}
""",
        }
    )
    assert here.local("it") is True


def test_types_of_values(unit: type[Unit]) -> None:
    here = unit("""
variable "open" {}
locals {
  tuple  = [1, "a", null]
  list   = tolist(["a"])
  empty  = tolist([])
  set    = toset([1])
  map    = tomap({ a = true })
  object = { b = 1, a = [] }
  part   = [var.open, 1]
}
""")
    expected: dict[str, Type] = {
        "tuple": ("tuple", ("number", "string", "any")),
        "list": ("list", "string"),
        "empty": ("list", "any"),
        "set": ("set", "number"),
        "map": ("map", "bool"),
        "object": ("object", (("a", ("tuple", ())), ("b", "number"))),
        "part": ("tuple", (OPEN_TYPE, "number")),
    }
    assert {name: type_of(here.value(name)) for name in expected} == expected


def test_what_is_open_decides_nothing() -> None:
    assert common(["number", OPEN_TYPE]) == "number"
    assert common([]) == "any"
    assert not apart(("tuple", (OPEN_TYPE, "number")), ("tuple", ("string", "number")))
    assert apart(("list", "string"), ("tuple", ("string",)))
    assert apart(("list", "any"), ("list", "string"))
    assert converts(OPEN_TYPE, ("map", "string"))
    assert not converts("bool", "number")
    assert is_open(("object", (("a", ("list", OPEN_TYPE)),)))
    assert not is_open(("list", "any"))
