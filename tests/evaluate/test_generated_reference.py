"""Thousands of generated expressions, and the tricky ones, agree with `terraform console` (1.11).

One console process evaluates all of them. What Terraform refuses must be unknown here; what is known
here must be the same, character by character of its JSON text.
"""

# ruff: noqa: E501
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.evaluate import generated
from tests.evaluate.test_functions_reference import NoFiles

from blastdoor.evaluate.functions.base import Call, Stop
from blastdoor.span import Document, Span
from blastdoor.value import Encoded, Known, Piece, Text, Unknown, Value, walk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.evaluate.conftest import Unit

SPAN = Span(Document("main.tf", ""), 0, 0)
LEAST_KNOWN = 0.97
"""Share of what Terraform knows that must be known here."""

TRICKY = [
    # lists and tuples, maps and objects
    "tolist([]) == []", "tomap({}) == {}", "toset([]) == []", "tolist([1]) == [1]",
    'tolist([1]) == tolist(["1"])', "tolist([]) == tolist([])", '[1] == tolist(["1"])',
    "tomap({ a = 1 }) == { a = 1 }", "contains([[1]], tolist([1]))", 'contains(toset([1]), "1")',
    'keys({ a = 1 }) == ["a"]', 'keys(tomap({ a = 1 })) == tolist(["a"])',
    "values(tomap({ a = 1 })) == [1]", "merge(tomap({ a = 1 }), tomap({ b = 2 })) == { a = 1, b = 2 }",
    'merge(tomap({ a = 1 }), tomap({ b = "x" })) == { a = 1, b = "x" }',
    "merge(null, tomap({ a = 1 })) == tomap({ a = 1 })", "flatten([tolist([1])]) == [1]",
    "reverse(tolist([1])) == tolist([1])", "slice([1], 0, 1) == [1]", "range(0) == tolist([])",
    'zipmap(["a"], tolist([1])) == tomap({ a = 1 })', "zipmap([], []) == {}",
    'regexall("z", "a") == tolist([])', 'split(",", "a") == ["a"]', "chunklist([], 1) == []",
    "setproduct([], [1]) == []", 'matchkeys(["a"], ["x"], ["y"]) == []', 'csvdecode("a") == []',
    'toset(["a"])[*] == tolist(["a"])', "null[*] == []", '"x"[*] == ["x"]',
    "tolist([[1]])[*] == [[1]]", '[for x in tolist(["a"]) : x] == ["a"]',
    '{ for x in ["a"] : x => x... } == { a = ["a"] }', 'jsondecode("[1]") == [1]',
    "element([1, 2], -1)", "element(tolist([1, 2]), -1)",
    "[null] == [null]", "tostring(null) == null", "[[], {}] == [[], {}]",
    # sides of a conditional
    'true ? 1 : "a"', "true ? 1 : true", 'true ? "1" : [1]', "true ? null : [1]", "true ? [] : [1]",
    "(true ? [] : [1]) == []", "(true ? [1] : [2, 3]) == tolist([1])", "(true ? {} : { a = 1 }) == {}",
    'true ? { a = 1 } : { a = "x" }', "true ? { a = 1 } : { a = [1] }", "true ? { a = 1 } : { b = [1] }",
    '(true ? { a = 1 } : tomap({ b = "x" })) == tomap({ a = "1" })', "true ? tolist([1]) : [true]",
    '(true ? ["a"] : toset(["b"])) == toset(["a"])', 'true ? toset([1]) : ["a"]',
    'true ? tolist(["a"]) : toset(["b"])', 'true ? [null, 1, "a"] : [[1]]',
    'true ? [null, [1], "a"] : [1]', 'true ? [1, "a"] : ["x", true]', 'true ? [[1]] : [["x"], []]',
    "true ? local.names : null + 1", "false ? local.names[9] : 1", "true ? [1] : local.nil",
    # conversions
    "tolist([1, true])", 'tolist(["1", true, 1])', "tolist([null, [1]])", 'tolist([[null], ["a"]])',
    "tolist([{ a = null }, { a = 1 }])", 'toset([[1], ["a", "b"]])', "tomap({ a = {}, b = { x = 1 } })",
    'tolist([{ a = 1 }, { b = "x" }])', "tolist([tomap({ a = 1 }), { b = [1] }])", "tolist([{}, { a = 1 }])",
    'tolist([toset(["a"]), ["b"]])', "tolist([tolist([]), [[1]]])", 'toset([true, "\\"q\\""])',
    "toset([{ a = 2 }, { a = 10 }])", "toset([tomap({ k = 1 }), { a = 2 }])", 'tonumber("")',
    'concat(tolist(["a"]), tolist([1]))', 'setunion([1], ["a"])', 'distinct([1, "1"])',
    'lookup(tomap({ a = 1 }), "b", "x")', 'lookup(tomap({ a = "1" }), "b", 2)', 'coalesce(1, "a")',
    "coalesce(true, 1)", 'coalesce(["a"], ["b", "c"])', "coalesce([1], {})",
    # numbers
    "0.1 + 0.2", "tostring(1.1 + 2.2)", "tostring(0.7 - 0.1)", "tostring(0.1 / 2.5)", "tostring(3.3 * 3)",
    "tostring(5.5 % 0.3)", "1 / 4 * 4 == 1", "-0", "0 * -1", "[-0] == [0]", "tostring(sum([0.1, 0.2, 0.3]))",
    "floor(2.5 / 0.3)", "7.5 / 2.5", "1e3 == 1000", "tostring(1e21)", "2.50 == 2.5",
    # templates, strings, YAML
    '"${-0}"', 'yamlencode("a\\nb")', "yamlencode({ a = [], b = {}, c = null, d = [[1], [2]] })",
    'yamlencode([{ a = 1, b = "x: y" }, "t\\tt", "\\u2028"])', "yamlencode([])", 'yamlencode("")',
    'yamldecode(yamlencode({ a = [1, "x", null] }))', "templatestring(local.word, { a = 1 })",
    "nonsensitive(1)", "issensitive(sensitive(1))", "nonsensitive(sensitive([1]))", "ephemeralasnull(1)",
    # optional attributes
    "var.settings", "var.settings.nested", "var.settings.rules", "var.objects", "var.objects.c",
    "var.settings.missing == null", 'var.settings.ids == toset(["a", "z"])',
    'var.settings.tags == tomap({ team = "core" })', "can(var.settings.extra)", "var.loose",
    "var.loose_list", "var.loose_map", 'var.settings.pair == ["left", 1]', 'var.strings == ["b", "2", "true"]',
    # errors within
    "length([local.names[9]])", "[local.counts.none]", "(local.nil + 1) == 2", "upper(local.nil)",
]  # fmt: skip


def known(value: Value) -> str | None:
    """The JSON text of a value; ``None`` for one that is not wholly known."""
    if any(isinstance(inner, Unknown) for inner in walk(value)):
        return None
    call = Call("jsonencode", SPAN, NoFiles())
    try:
        if isinstance(value, Text):
            parts = [p.text if isinstance(p, Piece) else call.text(p) for p in value.parts]
            value = Known("".join(parts))
        return call.json(Encoded(value))
    except Stop:
        return None


def ask(folder: Path, expressions: list[str]) -> list[str | None]:
    """What Terraform says of the expressions, as JSON texts; ``None`` for what it refuses."""
    program = shutil.which("terraform")
    if program is None:
        pytest.fail("BLASTDOOR_REQUIRE_TERRAFORM is set and terraform is not on the path")
    for name, text in generated.MODULE.items():
        (folder / name).write_text(text, encoding="utf-8")
    rows = "".join(f'try(jsonencode({text}), "!"),\n' for text in expressions)
    (folder / "all.tf").write_text(f"locals {{\n all = [\n{rows}]\n}}\n", encoding="utf-8")
    done = subprocess.run(
        [program, "console"],
        input="base64encode(jsonencode(local.all))\n",
        cwd=folder,
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(base64.b64decode(json.loads(done.stdout)))
    return [None if text == "!" else text for text in said]


def decided_by_the_left(text: str) -> bool:
    """Whether the left side of a logical operator may decide before the right one is evaluated.

    Terraform 1.11 evaluates both and reports the error of the right one; 1.12 stops at the left one
    (release notes of 1.12), and so does blastdoor.
    """
    return "&&" in text or "||" in text


@pytest.mark.terraform
def test_generated_expressions_agree(unit: type[Unit], tmp_path: Path) -> None:
    expressions = [*TRICKY, *generated.expressions()]
    theirs = ask(tmp_path, expressions)
    lines = "".join(f"  e{number} = {text}\n" for number, text in enumerate(expressions))
    here = unit({**generated.MODULE, "all.tf": f"locals {{\n{lines}}}\n"})
    ours = [known(here.value(f"e{number}")) for number in range(len(expressions))]
    rows = list(zip(expressions, theirs, ours, strict=True))
    assert {e: (t, o) for e, t, o in rows if None not in (t, o) and t != o} == {}
    assert [e for e, t, o in rows if t is None and o and not decided_by_the_left(e)] == []
    evaluated = [(e, o) for e, t, o in rows if t is not None]
    unknown = [e for e, o in evaluated if o is None]
    assert 1 - len(unknown) / len(evaluated) >= LEAST_KNOWN, unknown
    assert not set(unknown) & set(TRICKY)


def test_the_generator_is_deterministic_and_wide() -> None:
    found = generated.expressions()
    assert found == generated.expressions()
    assert len(set(found)) == generated.COUNT >= 2_000
    for word in (" ? ", "for ", "[*]", ".*.", "%{", "optional", "merge(", "==", "tolist(", "try("):
        made = [*found, *generated.MODULE.values()]
        assert any(word in text for text in made), word
