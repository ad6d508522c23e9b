"""The native syntax held to others: Terraform itself, HashiCorp's parser and python-hcl2.

The tables say what ``terraform fmt`` (1.11) accepts; one test holds us to them everywhere, another
holds them to Terraform where it is installed.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hcl2
import pygohcl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastdoor.parse import tree
from blastdoor.parse.hcl import parse_hcl
from blastdoor.span import Document

FIXTURES = Path(__file__).parents[2] / "fixtures"
Value = Callable[[tree.Expression], Any]

ACCEPTED = [
    "a = a.*.0",
    "a = a.0.b.1",
    "a b {}",
    "a = <<A-B\nx\nA-B\n",
    'a = "${<<A\nx\nA\n}"',
    "a = b ? c : d ? e : f",
    'a = {"x":1,"y"=2,}',
    "a = { (b) = 1\n c : 2 }",
    "\u00e9 = 1",
    'a = "\u00e9${\u00e9}"',
    "x\u0301 = 1",
    "a =1#",
    "a { # c\n}",
    "a { /* c */ }",
    "a { /* c */ b = 1 }",
    "a {b = {\n}}",
    "# x",
    'a = "%{for a,b in c}x%{endfor}"',
    'a = "${~x~}"',
    'a = "%{~if x~}%{~else~}%{~endif~}"',
    "a = f(a\n)",
    "a = f(a...\n)",
    "a = {for k,v in x: k=>v... if x}",
    "a = (b.\nc)",
    "a = !!a",
    "a = - -a",
    "a = a--b",
    "a = a-b",
    "a = a -b",
    "a = 01",
    "a=1E+5",
    "a = b.*",
    "a = b.*[0]",
    "a = b[*].*.c",
    "a = b.*.c[*]",
    "a = b[*][*]",
    'a = b[*]["c"]',
    "a = {1 = 2}",
    "a = ({\nb = 1\n})",
    "a { b = 1 } # x",
    "a {}/* x */ # y",
    "a = true(1)",
    "a = {b :c}",
    'a = "\u0001"',
    "a =\t1",
    'a = "x\ty"',
    "a = [1,]",
    "a true {}",
    "true = 1",
    "null {}",
    "a-b = 1",
    "_a = 1",
    "a = _",
    "a = b. c",
    "a = b[\n0\n]",
    "a=[for x in\ny:\nx\n]",
    "a={for\nx in y:x=>x}",
    "a={\nfor x in y:x=>x}",
    "a = { # c\n}",
    "a = { b = 1 # c\nc = 2 // d\n}",
    "a = { b = 1, # c\nc = 2 }",
    "a = [ # c\n1, // x\n2 /* y */ , 3 ]",
    "a = <<-A\n x\n A\n",
    "a = f(<<A\nx\nA\n)",
    "a = f(<<A\nx\nA)\nA\n)",
    "a = <<A\n${<<B\nx\nB\n}\nA\n",
    "a = {format = 1}",
    "a = {for-x = 1}",
    "a = [for-x]",
    "a = <<A\nx ${\nA\n}\nA\n",
    "a = <<A\nx\n A  \n",
    "a = [\n  1, # c\n]\n",
    "a = 1 // c",
    "\ufeffa = 1\n",
    "a = 1\r\nb {\r\n}\r\n",
    "",
    "\n",
    "# x\r",
    "/* a */ b = 1 /* c */\n",
    "a = b[*][*].c",
    "a = <<-A\n${b}\n  A\n",
    'a = "$${b}%%{c}"',
    'a = "\\U0001F600"',
    "a = <<A\n$${b}\nA\n",
    "a = f(<<A\nx\nA\n, 1)\n",
    'a = "${b ? "x" : "y"}"',
    "a = { b = <<A\nx\nA\n}\n",
]  # fmt: skip

REJECTED = [
    'a = "x\\U0011ffffy"',
    'a = "\\uD83D\\uDE00"',
    "a = a.0.1",
    "a = a.*.0.1",
    "a = 1.2.3",
    "a = <<1A\nx\n1A\n",
    "a = {b=1}{",
    "{",
    "a = 1 }",
    "a {} b {}",
    "a {\n}}",
    "\u00b2 = 1",
    "a = \u201cx\u201d",
    "/* x",
    "a {b = [\n1]\n}",
    'a = "%{ if a }%{ for x in y }%{ endif }%{ endfor }"',
    'a = "${x ~ }"',
    'a = "%{if a}%{else}%{else}%{endif}"',
    'a = "%{foo}"',
    "a = f(a...,)",
    "a = f(...)",
    "a = [a...]",
    "a = {for k,v in x: v}",
    "a = [for k,v in x: k=>v]",
    "a = [for x in y : x if x if y]",
    "a=b[0 1]",
    "a = b.\nc",
    "a = -\n1",
    "a = 1 +\n1",
    "a = 0x1",
    "a = 1e",
    "a = b.*.*",
    "a = {b}",
    "a = {b\n}",
    "a = {b = 1;}",
    "a = { b\n= 1}",
    "a = {b =\n1}",
    "a = {b=1\n,}",
    "a = (b = 1)",
    'a "b\n" {}',
    'a "${b}" {}',
    'a "\\q" {}',
    'a "b" = 1',
    "a\n{}",
    'a "b"\n{}',
    "a {\nb = 1 }",
    "a => 1",
    "a == 1",
    "a = b => c",
    "a = :: b",
    "a = f::(1)",
    "a = a.b(1)",
    "a = (a)(1)",
    "a = 'x'",
    "a = `x`",
    "a = b & c",
    "a = ~b",
    "a = b ? c :: d",
    "a = {b::c = 1}",
    "a = @",
    "a\u0001 = 1",
    "a = 1\f",
    "a = [,]",
    "a = [1 2]",
    "a = f(1 2)",
    "a = ()",
    "a = (1",
    "a = {",
    "a = [",
    'a = "',
    "a = <<A",
    "a = <<A\n",
    "a {",
    "a",
    "a =",
    'a = "$',
    'a = "${',
    'a = "%{',
    'a = "%{ if',
    "a.b {}",
    'a ["b"] {}',
    "1 {}",
    "a 1 {}",
    "-a = 1",
    "a = b # c\n? c : d",
    "[",
    "a = <<- A\n x\n A\n",
    "a = << A\n x\n A\n",
    'a = <<A\n${"\nA\n}',
    "a = {for = 1}",
    "a = b...",
    "a.0 = 1",
    "a = 1\na = 2\n",
    "b {\n  a = 1\n  a = 2\n}\n",
    "a = 1 /* x",
    "a = 1\rb = 2\n",
    'a = "x\ry"',
    "a = <<A\nx\nA",
    "a = <<A \nx\nA\n",
    'a = "\\ud800"',
    "a b = 1\n",
    "a = b.0.1",
    "a {\n  b = 1 }\n",
    "a { b {} }\n",
    "a = b ?\n c : d\n",
    "}",
    "a = [for x in y : x...]",
    "a = \u2028 1",
    "a = 1\u00a0",
    "a\u00a0= 1",
    'a = "${b"',
    'a = "%{ for x in y }"',
    "a = {\n b\n = 1}",
]  # fmt: skip


def parsed(text: str) -> tree.Parsed:
    return parse_hcl(Document("main.tf", text))


def accepts(text: str) -> bool:
    return not parsed(text).faults


@pytest.fixture(scope="session")
def terraform() -> str:
    """The program; that it is required and missing is an error, not a skip (see conftest)."""
    program = shutil.which("terraform")
    if program is None:
        pytest.fail("BLASTDOOR_REQUIRE_TERRAFORM is set and terraform is not on the path")
    return program


def verdicts(program: str, texts: list[str]) -> dict[str, bool]:
    """Which of the texts ``terraform fmt`` accepts."""

    def accepted(text: str) -> bool:
        done = subprocess.run(
            [program, "fmt", "-"], input=text.encode(), capture_output=True, check=False
        )
        return done.returncode == 0

    with ThreadPoolExecutor(4) as pool:
        return dict(zip(texts, pool.map(accepted, texts), strict=True))


def test_the_table_of_what_is_accepted() -> None:
    assert {text: parsed(text).faults[0].message for text in ACCEPTED if not accepts(text)} == {}


def test_the_table_of_what_is_rejected() -> None:
    assert [text for text in REJECTED if accepts(text)] == []


@pytest.mark.terraform
def test_terraform_agrees_with_the_tables(terraform: str) -> None:
    assert [text for text, yes in verdicts(terraform, ACCEPTED).items() if not yes] == []
    assert [text for text, yes in verdicts(terraform, REJECTED).items() if yes] == []


# Generated texts: expressions by grammar, some of them damaged.

NAMES = st.sampled_from(["a", "b-c", "_d", "true", "if", "in", "\u00e9"])
LEAVES = st.one_of(
    NAMES,
    st.sampled_from(
        ["1", "0.5", "1e3", '""', '"x"', '"$${x}"', '"%"', r'"\n\""', "<<A\nx ${y}\n  A\n"]
    ),
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of smaller ones."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map('"p${{ {} }}s"'.format),
        inner.map('"%{{ if {} ~}} x %{{ endif }}"'.format),
        inner.map("[for v in {} : v]".format),
        inner.map("{{for k, v in {} : k => v...}}".format),
        inner.map("{}.x[0].*.y".format),
        inner.map("{}[*].z".format),
        inner.map("{{ a = {} }}".format),
        inner.map("{{\n (a) : {}\n}}".format),
        pair.map("f({0[0]}, {0[1]}...)".format),
        pair.map("[{0[0]}, {0[1]},\n]".format),
        pair.map("{0[0]} + {0[1]}".format),
        pair.map("{0[0]} ? {0[1]} : 1".format),
        pair.map("{0[0]}[{0[1]}]".format),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=8)
STATEMENTS = st.one_of(
    EXPRESSIONS.map("x = {}\n".format),
    EXPRESSIONS.map("b {{\n  x = {} # c\n}}\n".format),
    EXPRESSIONS.map('b "l" {{ x = {} }}\n'.format),
    EXPRESSIONS.map("x = {} ".format),
)
TOKENS = st.sampled_from(
    [*'{}[]()=:,.*?"~$%\\#\n ', "${", "/*", "<<A\n", "A\n", "for", "\r\n", "::"]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    text = draw(STATEMENTS)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(TOKENS) + text[at + draw(st.integers(0, 2)) :]
    return text


@pytest.mark.terraform
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(texts(), min_size=10, max_size=10, unique=True))
def test_terraform_agrees_on_generated_texts(terraform: str, batch: list[str]) -> None:
    assert verdicts(terraform, batch) == {text: accepts(text) for text in batch}


TEMPLATES = r"""
locals {
  escapes = "$$${x} $${y} %%{z} \u00e9\n\t\\ $ % $$"
  plain = <<A
x $$${y} $${z} %%{q}
  \n "
A
  flush = <<-A
    one
      two

@blank above
    $${three}
    A
  directive_first = <<-A
    one
    %{~ if true ~}
    two
    %{ endif ~}
    three
    A
  trimmed = <<A
x   ${~ "1" ~}@@
   y
   ${~ "2" }
A
  trimmed_in_quotes = "  ${~ "1" ~}  \n  z"
  interpolation_first = <<-A
    ${"a"}
@@
      b
    $${c}
  A
  loop = <<A
%{ for x in ["a","b"] ~}
  item ${x}
%{ endfor ~}
end
A
  loop_with_keys = "%{ for k, v in ["a", "b"] }${k}=${v},%{ endfor }"
  condition = "%{ if true ~}  x  %{~ else }n%{ endif }%{ if false }p%{ else ~} q%{ endif }"
  nested = "<${"[${"x"}]"}>"
  empty = <<A
A
  keys = { true = 1, null = 2, 1.50 = 3, "a b" = 4 }
  numbers = [1.5e3, 0.25, -7, 1E-2]
}
""".replace("@@", "  ").replace("@", "  \t")


@pytest.mark.terraform
def test_terraform_agrees_on_the_text_of_templates(
    terraform: str, tmp_path: Path, value: Value
) -> None:
    (tmp_path / "main.tf").write_text(TEMPLATES, encoding="utf-8")
    (block,) = parsed(TEMPLATES).body.blocks
    ours = {name: value(item.expression) for name, item in block.body.attributes.items()}
    ours["keys"] = {str(key): number for key, number in ours["keys"].items()}
    wanted = ", ".join(f"{name} = local.{name}" for name in ours)
    done = subprocess.run(
        [terraform, "console"],
        input=f"jsonencode({{ {wanted} }})\n",
        cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert json.loads(json.loads(done.stdout)) == ours


# Structure and literals, by two other parsers.

CODE = r"""
locals {
  a = 1
  b = "x${local.a}"
  c = [1, 2.5, true, null, [-3], {}]
  d = { x = 1, "y z" = "w", n = { deep = ["a", "b"] } }
  e = upper("x") == "X" ? "yes" : "no"
}

resource "aws_s3_bucket" "b" {
  bucket = "n-é"
  tags   = { A = "b\tc" }
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [tags["x"]]
  }
  versioning { enabled = false }
  versioning { enabled = true }
  policy = <<-EOT
    {
      "x": 1
    }
  EOT
}

resource "aws_s3_bucket" "c" { bucket = aws_s3_bucket.b.id }

variable "v" {
  type    = list(string)
  default = []
}

output "o" {
  value = [for b in aws_s3_bucket.b[*] : b.id if b.id != null]
}
"""


def sources() -> list[Any]:
    files = sorted(p for p in FIXTURES.rglob("*.tf") if not p.is_symlink())
    texts = [(path.relative_to(FIXTURES).as_posix(), path.read_text("utf-8")) for path in files]
    kept = [pytest.param(text, id=name) for name, text in texts if accepts(text)]
    return [pytest.param(CODE, id="code"), *kept]


def shape(body: tree.Body, value: Value | None) -> dict[str, Any]:
    """A body as nested dicts, blocks as lists by type and labels; ``...`` is what is not known."""
    found: dict[str, Any] = {
        name: value(attribute.expression) if value else ...
        for name, attribute in body.attributes.items()
    }
    for block in body.blocks:
        place = found
        for word in [block.type, *(label.text for label in block.labels)][:-1]:
            place = place.setdefault(word, {})
        last = block.labels[-1].text if block.labels else block.type
        place.setdefault(last, []).append(shape(block.body, value))
    return found


def pygohcl_shape(ours: Any, theirs: Any) -> Any:
    """Theirs in the form of ours: single blocks in lists, what ours does not know ``...``."""
    if ours is ...:
        return ...
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {key: pygohcl_shape(ours.get(key), inner) for key, inner in theirs.items()}
    if isinstance(ours, list) and isinstance(theirs, dict):
        return [pygohcl_shape(ours[0], theirs)]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [pygohcl_shape(left, right) for left, right in zip(ours, theirs, strict=True)]
    return theirs


@pytest.mark.parametrize("text", sources())
def test_pygohcl_reads_the_same_structure_and_literals(text: str, value: Value) -> None:
    ours = shape(parsed(text).body, value)
    assert pygohcl_shape(ours, pygohcl.loads(text)) == ours


def unquoted(word: str) -> str:
    return word[1:-1] if word.startswith('"') else word


def hcl2_shape(value: dict[str, Any]) -> dict[str, Any]:
    """python-hcl2's dicts in the form of ours: lists of blocks by type and labels."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        if name == "__is_block__":
            continue
        if not (isinstance(inner, list) and inner and is_block(inner[0])):
            found[name] = ...
            continue
        for block in inner:
            place, last = found, unquoted(name)
            content = block
            while "__is_block__" not in content:
                ((label, content),) = content.items()
                place = place.setdefault(last, {})
                last = unquoted(label)
            place.setdefault(last, []).append(hcl2_shape(content))
    return found


def is_block(value: Any) -> bool:
    while isinstance(value, dict) and "__is_block__" not in value and len(value) == 1:
        (value,) = value.values()
    return isinstance(value, dict) and "__is_block__" in value


@pytest.mark.parametrize("text", sources())
def test_python_hcl2_reads_the_same_structure(text: str) -> None:
    assert hcl2_shape(hcl2.loads(text)) == shape(parsed(text).body, None)
