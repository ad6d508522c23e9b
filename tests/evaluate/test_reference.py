"""Values held to Terraform itself: `terraform console` (1.11) over one module without providers.

Every expression is a local; one process evaluates all of them. Terraform says ``can(…)`` of what
cannot work; such an expression must be unknown here.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor.value import Encoded, Known, Many, Mapping, Piece, Text, Unknown, Value, walk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evaluate.conftest import Unit

MODULE = {
    "variables.tf": """\
variable "name" {
  default = "from default"
}
variable "given" {
  default = "from default"
}
variable "automatic" {
  default = "from default"
}
variable "number" {
  type    = number
  default = "3"
}
variable "flag" {
  type    = bool
  default = "true"
}
variable "text" {
  type    = string
  default = 12.50
}
variable "list" {
  type    = list(string)
  default = [1, true, "x"]
}
variable "set" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "numbers" {
  type    = list(number)
  default = ["1", 2, "3.5"]
}
variable "map" {
  type    = map(string)
  default = { a = 1, b = true }
}
variable "object" {
  type = object({
    name  = string
    size  = optional(number, 5)
    extra = optional(string)
    inner = optional(object({ on = optional(bool, true) }), {})
    tags  = optional(map(string), { k = "v" })
  })
  default = { name = 1, dropped = 2 }
}
variable "objects" {
  type = list(object({ id = string, weight = optional(number, 1) }))
  default = [{ id = 1 }, { id = "two", weight = "2" }]
}
variable "tuple" {
  type    = tuple([string, number])
  default = [1, "2"]
}
variable "any" {
  type    = any
  default = { a = [1, "b"] }
}
variable "list_any" {
  type    = list(any)
  default = [1, "b", true]
}
variable "nothing" {
  type    = string
  default = null
}
variable "map_any" {
  type    = map(any)
  default = { a = 1, b = "x" }
}
variable "nested" {
  type    = map(list(number))
  default = { a = ["1"], b = [] }
}
""",
    "terraform.tfvars": 'given = "from terraform.tfvars"\nautomatic = "from terraform.tfvars"\n',
    "a.auto.tfvars": 'automatic = "from a.auto.tfvars"\n',
    "b.auto.tfvars.json": '{"automatic": "from b.auto.tfvars.json"}\n',
    "main.tf": """\
locals {
  list     = ["c", "a", "b"]
  numbers  = [3, 1, 2]
  map      = { y = 2, x = 1 }
  rows     = [{ id = "i", tags = ["p", "q"] }, { id = "j", tags = ["r"] }]
  regions  = { eu = "eu-west-1", us = "us-east-1" }
  null     = null
  one      = "one"
  empty    = []
  nothing  = {}
  layered  = merge(local.map, { x = 10 }, local.other)
  other    = { z = 3 }
  doc      = <<-EOT
    {
      "a": "${local.one}",
      "b": ${jsonencode(local.list)}
    }
  EOT
  overridden = "first"
}
""",
    "late_override.tf": 'locals {\n  overridden = "by late_override.tf"\n}\n',
    "override.tf": 'locals {\n  overridden = "by override.tf"\n}\n',
    "greeting.tftpl": "Hello ${name}!%{ for n in names } ${n}%{ endfor }\n",
}

AGREED = [
    # operators
    "1 + 2 * 3 - 4 / 2", "7 / 2", "10 / 4", "-7 % 3", "7 % -3", "5.5 % 2", "1 / 3", "0.1 + 0.2",
    "2 * 0.5", '"3" * "4"', '-"3"', "1e3", "1.50", "100000000000000000000", "1 == 1.0", '1 == "1"',
    '"a" == "a"', "true == true", '"true" == true', "null == null", "local.null == null",
    '"" == null', "[1] == [1]", '[1] == ["1"]', "{ a = 1 } == { a = 1 }", "[] == []",
    "local.list == local.list", "1 != 2", "1 < 2 && 2 < 3", "!true || true", '!"false"',
    "1 >= 1", "-(-3)", "--3", "1 - -1", "2 + 3 == 5 ? 1 : 2", "var.flag ? 1 : 0",
    '"true" ? "y" : "n"', 'true ? "a" : 1', "false ? null : 4", "true ? [] : [1]",
    "true ? 1 : false ? 2 : 3",
    # templates
    '"a${1}b"', '"${1}"', '"${local.list}"', '"${true}x"', '"x${1.50}"', '"x${0.1 + 0.2}"',
    '"x${100000000000000000000}"', '"x${1e30}"', '"x${0.00000001}"', '"x${-0.5}"',
    '"%{ if var.flag }yes%{ else }no%{ endif }"', '"%{ for v in local.list }<${v}>%{ endfor }"',
    '"%{ for k, v in local.map }${k}=${v};%{ endfor }"', '"$${a} %%{b} \\u00e9 \\t \\" \\\\"',
    "local.doc", "jsondecode(local.doc).a", "jsondecode(local.doc).b[0]",
    '"  ${~ local.one ~}  x"', '"%{ for v in local.empty }x%{ endfor }."',
    "<<-EOT\n    a\n      ${local.one}\n    %{ if true ~}\n    b\n    %{ endif ~}\n    c\n  EOT\n",
    "<<EOT\n  a\n    b\nEOT\n", '"${"${"deep"}"}"', '"a${"b"}${"c"}d"', '"${null == null}"',
    'templatefile("${path.module}/greeting.tftpl", { name = "x", names = local.list })',
    'file("greeting.tftpl")', 'fileexists("${path.root}/greeting.tftpl")', "path.module", "path.root",
    # collections
    '[1, "a", true, null]', '{ a = 1, "b" = 2, (local.one) = 3, "k-${local.one}" = 4 }',
    "{ 1 = 2 }", "{ true = 1 }", "{ null = 1 }", "{ a : 1 }", "[[], {}, [[]]]", "{ a = 1, a = 2 }",
    # steps
    "local.list[0]", "local.list.1", 'local.list["2"]', "local.map.x", 'local.map["y"]',
    "local.rows[0].tags[1]", "local.rows.1.id", 'local.regions["eu"]', '{ "1" = 2 }[1]',
    "[10, 20][1.0]", "local.layered", "local.layered.x",
    # for
    "[for v in local.list : upper(v)]", '[for i, v in local.list : "${i}${v}"]',
    "[for k, v in local.map : k]", "[for v in local.map : v]", '[for v in local.list : v if v != "a"]',
    "{ for v in local.list : v => upper(v) }", "{ for i, v in local.list : i => v }",
    "{ for k, v in local.map : v => k }", "{ for r in local.rows : length(r.tags) => r.id... }",
    '[for r in local.rows : [for t in r.tags : "${r.id}${t}"]]',
    "flatten([for r in local.rows : [for t in r.tags : { id = r.id, tag = t }]])",
    "[for v in toset(local.list) : v]", "[for k, v in toset(local.list) : k]",
    "[for v in var.set : v]", "{ for k, v in var.object : k => v }", "[for x in [] : x]",
    "{ for x in [] : x => x }", "[for k, v in {} : k]", "[for v in { b = 1, a = 2, C = 3 } : v]",
    "{ for r in local.rows : r.id => r if length(r.tags) > 1 }",
    # splats
    "local.rows[*].id", "local.rows.*.id", "local.rows[*].tags[0]", "local.rows.*.tags[0]",
    "local.rows[*].tags[*]", "local.one[*]", "local.null[*]", "null[*].x", "local.map[*].x",
    "local.empty[*].x", "local.list[*]", "[[1, 2], [3]][*][0]", "[{ a = [{ b = 1 }] }][*].a[*].b",
    "length(local.null[*])", "toset(local.list)[*]", "var.objects[*].weight", "var.set[*]",
    "[[1, 2], null][*][*]", "local.rows.*.tags",
    # variables and their types
    "var.name", "var.given", "var.automatic", "var.number", "var.number + 1", "var.flag", "var.text",
    "var.list", "var.set", "var.numbers", "var.map", "var.object", "var.object.size",
    "var.object.extra", "var.object.inner.on", "var.object.tags.k", "var.objects", "var.tuple",
    "var.any", "var.any.a[1]", "var.list_any", "var.map_any", "var.nested", "var.nothing == null",
    "var.nothing", "length(var.set)", "keys(var.object)", 'lookup(var.map, "c", "d")',
    # overrides
    "local.overridden",
    # functions in passing: what expressions need most
    "merge(local.map, { x = 5 })", "merge({ a = { b = 1 } }, { a = { c = 2 } })", "keys(local.map)",
    "values(local.map)", 'concat(local.list, ["d"])', 'contains(local.list, "a")',
    "length(local.map)", 'length("h\u00e9")', 'lookup(local.map, "x", 0)',
    'lookup(local.map, "none", 0)', "try(local.map.none, 7)", 'try(local.rows[5].id, "none")',
    "can(local.map.none)", "can(local.map.x)", 'coalesce(null, "", "a")',
    "coalesce(local.null, 1)", 'compact(["a", "", null])', "distinct([1, 2, 1])",
    "element(local.list, 4)", 'index(local.list, "b")', 'join(",", local.list)',
    'split(",", "a,b")', 'zipmap(["a", "b"], [1, 2])', "sort(local.list)",
    "reverse(local.list)", 'toset(["b", "a", "b"])', "tolist(toset(local.list))",
    "tomap({ a = 1 })", "tostring(1.50)", 'tonumber("1.5")', 'tobool("true")', "min(3, 1, 2)",
    "max(local.numbers...)", "concat([[1], [2]]...)", "flatten([[1, [2]], 3])",
    'setunion(["a"], ["b"])', 'setproduct(["a", "b"], [1, 2])', "one([5])",
    "one([]) == null", "range(3)", "slice(local.list, 1, 3)", "chunklist(local.list, 2)",
    'format("%s-%03d", "a", 7)', 'formatlist("%s!", local.list)', 'replace("a-b", "-", "_")',
    'regex("([a-z]+)-([0-9]+)", "ab-12")', 'jsonencode({ b = [1, "x", null], a = true })',
    'jsondecode("{\\"a\\": [1, null]}")', 'yamldecode("a: [1, b]")', 'base64encode("x")',
    'cidrsubnet("10.0.0.0/16", 8, 2)', 'title("a b")', 'trimprefix("ab", "a")',
    'startswith("ab", "a")', "sum(local.numbers)", 'alltrue([true, "true"])', "anytrue([])",
    "abs(-2)", "ceil(1.2)", "floor(1.8)", "pow(2, 10)", "signum(-3)", 'parseint("ff", 16)',
    'substr("hello", 1, 3)', 'matchkeys(["a", "b"], [1, 2], [2])', 'transpose({ a = ["x"] })',
    'strcontains("abc", "b")', "nonsensitive(1)", 'sha256("x")',
    # conversions
    'tolist([1, "x"])', 'toset([1, "x"])', 'tomap({ a = 1, b = "x" })', '"1" ? 1 : 2', '!"0"',
    '"1e2" + 1', '".5" + 1', '"[1]" == jsonencode([1])', "jsonencode([1]) == jsonencode([2])",
    'jsonencode({}) != ""', '"%{ if "true" }a%{ endif }"', "1 == null", 'true == "true"',
]  # fmt: skip

REFUSED = [
    "local.map.none", 'local.map["none"]', "local.list[3]", "local.list[-1]", "local.one.x",
    "0 / 0", 'tonumber("x")', '"a${local.null}"', "local.null + 1",
    'tobool("yes")', "local.list[0.5]", 'local.list["x"]', "one([1, 2])", 'regex("x", "y")',
    "element([], 0)", "{ for v in [1, 1] : v => v }", "upper(local.null)", "[for v in local.null : v]",
    "local.rows[*].none", "local.null.x", "local.null[0]", "tolist(local.one)", "concat(local.one)",
    "max(local.empty...)", 'file("missing.txt")', "local.empty[0]",
    "!local.one", "-local.one", "local.one ? 1 : 2", "local.null ? 1 : 2", "local.one && true",
    "{ (local.null) = 1 }", "slice(local.list, 2, 1)", "range(1, 2, 0)",
    'lookup(local.map, "none")', 'zipmap(["a"], [1, 2])', 'index(local.list, "none")',
    'jsondecode("{")', "local.list * 2", "local.map < 1", "keys(local.list)",
    '"TRUE" ? 1 : 2', '"1_000" + 1', '" 5 " + 1', '"0x10" + 1', '"%{ if null }a%{ endif }"',
    'toset(["a"])[0]', "[{ a = 1 }].a", '"a" < "b"', "1 && true", '[for x in "abc" : x]',
]  # fmt: skip


def files() -> dict[str, str]:
    """The module with every expression as a local."""
    lines = [f"  agreed_{number} = {text}" for number, text in enumerate(AGREED)]
    lines += [f"  refused_{number} = can({text})" for number, text in enumerate(REFUSED)]
    return {**MODULE, "expressions.tf": "locals {\n" + "\n".join(lines) + "\n}\n"}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], list[bool]]:
    """What Terraform says of all expressions, asked once."""
    program = shutil.which("terraform")
    if program is None:
        pytest.fail("BLASTDOOR_REQUIRE_TERRAFORM is set and terraform is not on the path")
    folder: Path = tmp_path_factory.mktemp("module")
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")
    agreed = ", ".join(f"local.agreed_{number}" for number in range(len(AGREED)))
    refused = ", ".join(f"local.refused_{number}" for number in range(len(REFUSED)))
    done = subprocess.run(
        [program, "console"],
        input=f"base64encode(jsonencode([[{agreed}], [{refused}]]))\n",
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values, possible = json.loads(base64.b64decode(json.loads(done.stdout)))
    return values, possible


def data(value: Value) -> Any:
    """A value as the data that Terraform's JSON gives; what is not known is ``...``."""
    match value:
        case Known():
            return value.data
        case Many():
            return [*map(data, value.items)] if value.complete else ...
        case Mapping():
            return {name: data(item) for name, item in value.entries.items()}
        case Encoded():
            return json.dumps(data(value.inner), separators=(",", ":"), sort_keys=True)
        case Text():
            parts = [part.text if isinstance(part, Piece) else data(part) for part in value.parts]
            return ... if ... in parts else "".join(parts)
    return ...


def exact(value: Any) -> str:
    """A normal form in which 1 and 1.0 are the same number and true is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(exact, value)) + "]"
    if isinstance(value, dict):
        pairs = sorted(value.items())
        return "{" + ", ".join(f"{name!r}: {exact(item)}" for name, item in pairs) + "}"
    return repr(value)


@pytest.mark.terraform
def test_values_agree(unit: type[Unit], said: tuple[list[Any], list[bool]]) -> None:
    here = unit(files())
    differing = {}
    for number, (text, expected) in enumerate(zip(AGREED, said[0], strict=True)):
        ours = exact(data(here.value(f"agreed_{number}")))
        if exact(expected) != ours:
            differing[text] = (exact(expected), ours)
    assert differing == {}


@pytest.mark.terraform
def test_what_terraform_refuses_is_unknown(
    unit: type[Unit], said: tuple[list[Any], list[bool]]
) -> None:
    assert [text for text, possible in zip(REFUSED, said[1], strict=True) if possible] == []
    lines = [f"  refused_{number} = {text}" for number, text in enumerate(REFUSED)]
    here = unit({**MODULE, "refused.tf": "locals {\n" + "\n".join(lines) + "\n}\n"})
    values = {text: here.value(f"refused_{number}") for number, text in enumerate(REFUSED)}
    assert {text: value for text, value in values.items() if _has_a_value(value)} == {}


def _has_a_value(value: Value) -> bool:
    """Whether nothing within a value says that the expression cannot work."""
    return not any(isinstance(inner, Unknown) for inner in walk(value))


def test_the_reference_is_wide_enough() -> None:
    assert len(AGREED) >= 150
    assert len(AGREED) == len(set(AGREED))
