"""What is kept of a text with a fault: all that still parses, and nothing that is not there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from blastdoor.parse import tree
from blastdoor.parse.hcl import parse_hcl
from blastdoor.span import Document

Lines = Callable[[tree.Body], list[str]]


def parsed(text: str) -> tree.Parsed:
    return parse_hcl(Document("main.tf", text))


NEXT = '\nresource "t" "next" {\n  x = 1\n}\n'
NEXT_LINES = ["resource 't' 'next'", "  x = 1"]

BROKEN: dict[str, tuple[str, list[str], list[tuple[int, str]]]] = {
    "a value that is missing": (
        'resource "t" "n" {\n  a =\n  b = 2\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", "  b = 2"],
        [(2, "expected an expression, found the end of the line")],
    ),
    "a newline before the value": (
        'a =\n  "x"\nb = 2\n',
        ["a = BROKEN", "b = 2"],
        [(1, "expected an expression, found the end of the line")],
    ),
    "a quote that is not closed": (
        'resource "t" "n" {\n  a = "x\n  b = "y"\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", '  b = "y"'],
        [(2, "expected '\"' at the end of the string, found the end of the line")],
    ),
    "a value of many lines": (
        'resource "t" "n" {\n  a = {\n    p = [1 2]\n    q = 3\n  }\n  b = 2\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", "  b = 2"],
        [(3, 'expected "," or "]" after the element, found a number')],
    ),
    "a heredoc within a broken value": (
        'resource "t" "n" {\n  a = f(<<E\nz = 1\nE\n    1 2)\n  b = 2\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", "  b = 2"],
        [(5, 'expected "," or ")" after the argument, found a number')],
    ),
    "a heredoc that does not end": (
        'resource "t" "n" {\n  a = <<E\n  b = 2\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", "  b = 2"],
        [(2, 'expected "E" at the end of the heredoc')],
    ),
    "a closing brace of an object is missing": (
        'resource "t" "n" {\n  a = {\n    p = 1\n  b = 2\n  c {\n    d = 3\n  }\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", "  b = 2", "  c", "    d = 3"],
        [(5, 'expected "=" or ":" after the key, found "{"')],
    ),
    "an object swallows the closing brace of the block": (
        'resource "t" "n" {\n  a = {\n    p = 1\n\n  b = 2\n}\n',
        ["resource 't' 'n'", "  a = BROKEN", "  b = 2"],
        [(6, 'expected more of the value, found "}"')],
    ),
    "a closing brace of a block is missing": (
        'resource "t" "n" {\n  a = 1\n',
        ["resource 't' 'n'", "  a = 1"],
        [(4, 'expected "}" to close the block of line 1, found "resource"')],
    ),
    "a closing brace of a block within is missing": (
        'resource "t" "n" {\n  c {\n    d = 1\n  a = 2\n}\n',
        ["resource 't' 'n'", "  a = 2", "  c", "    d = 1"],
        [(4, 'expected "}" to close the block of line 2, found "a"')],
    ),
    "the last block within has no closing brace": (
        'resource "t" "n" {\n  a = 2\n  c {\n    d = 1\n}\n',
        ["resource 't' 'n'", "  a = 2", "  c", "    d = 1"],
        [(5, 'expected "}" to close the block of line 3, found "}"')],
    ),
    "one closing brace too many": (
        'resource "t" "n" {\n  a = {\n  }\n  }\n  b = 2\n}\n',
        ["resource 't' 'n'", "  a = {}", "  b = 2"],
        [(4, 'expected an attribute or a block, found "}"')],
    ),
    "a header that is missing": (
        'resource "t" "n" {\n  a = 2\n\n    d = 1\n  }\n  b = 3\n}\n',
        ["resource 't' 'n'", "  a = 2", "  b = 3"],
        [(5, 'expected an attribute or a block, found "}"')],
    ),
    "a label with a lost quote": (
        'resource "t" "n {\n  a = 1\n}\n',
        ["resource 't' 'n'", "  a = 1"],
        [(1, "expected '\"' at the end of the string, found the end of the line")],
    ),
    "a header without its brace": (
        'resource "t" "n"\n  a = 1\n}\n',
        ["resource 't' 'n'", "  a = 1"],
        [(1, 'expected "{" or a label, found the end of the line')],
    ),
    "a brace on the next line": (
        'resource "t" "n"\n{\n  a = 1\n}\n',
        ["resource 't' 'n'", "  a = 1"],
        [(1, 'expected "{" or a label, found the end of the line')],
    ),
    "a header of which too much is lost": (
        'resource t" {\n  a = 1\n}\n',
        [],
        [(1, "expected '\"' at the end of the string, found the end of the line")],
    ),
    "a statement that is none": (
        'resource "t" "n" {\n  a = 1\n  ]\n  "x" = 2\n  b = 3\n}\n',
        ["resource 't' 'n'", "  a = 1", "  b = 3"],
        [(3, 'expected an attribute or a block, found "]"')],
    ),
    "commas between attributes": (
        "a { b = 1, c = 2 }\n",
        ["a", "  b = 1", "  c = 2"],
        [(1, 'expected the end of the line after the attribute, found ","')],
    ),
    "a block in a block on one line": (
        "a { b { c = 1 } }\n",
        ["a", "  b", "    c = 1"],
        [
            (1, "a block within a block must stand on a line of its own"),
            (1, 'expected the end of the line after the block, found "}"'),
        ],
    ),
    "a closing brace behind an attribute": (
        "a {\n  b = 1 }\n",
        ["a", "  b = 1"],
        [(2, 'expected the end of the line after the attribute, found "}"')],
    ),
    "two blocks on a line": (
        "a {} b {}\n",
        ["a", "b"],
        [(1, 'expected the end of the line after the block, found "b"')],
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_kept(what: str, lines: Lines) -> None:
    text, expected, faults = BROKEN[what]
    result = parsed(text + NEXT)
    found = lines(result.body)
    assert (expected + NEXT_LINES, faults) == (
        found,
        [(fault.span.begin.line, fault.message) for fault in result.faults],
    )


def test_indentation_decides_only_when_braces_do_not_balance(lines: Lines) -> None:
    text = 'resource "t" "n" {\nc {\na = 1\n}\n  x = ]\nb = 2\n}\n'
    result = parsed(text + NEXT)
    expected = ["resource 't' 'n'", "  x = BROKEN", "  b = 2", "  c", "    a = 1"]
    assert expected + NEXT_LINES == lines(result.body)
    assert [fault.span.begin.line for fault in result.faults] == [5]


def test_a_duplicate_is_reported_and_the_first_kept(lines: Lines) -> None:
    result = parsed("b {\n  a = 1\n  a = 2\n  c = 3\n}\n")
    assert lines(result.body) == ["b", "  a = 1", "  c = 3"]
    (fault,) = result.faults
    assert (
        fault.span.text,
        fault.span.begin.line,
        fault.message,
    ) == ("a", 3, 'the attribute "a" stands already on line 2')


def test_the_broken_value_keeps_its_name_and_place() -> None:
    result = parsed("a = [1\nb = 2\n")
    attribute = result.body.attributes["a"]
    assert isinstance(attribute.expression, tree.Broken)
    assert (attribute.name, attribute.name_start, attribute.name_end) == ("a", 0, 1)
    assert attribute.expression.start == 3
    assert [name for name in result.body.attributes if name != "a"] == ["b"]


WHOLE = """\
locals {
  region = "cn-north-1"
  names = {
    one = "a-${local.region}"
    two = ["b", "c"]
  }
}

resource "aws_s3_bucket" "first" {
  bucket = local.names.one
  tags = merge(var.tags, {
    Name = "x"
  })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_iam_policy" "second" {
  name   = "p"
  policy = <<-EOT
    {
      "Statement": []
    }
  EOT
}

module "third" {
  source = "./m"
  count  = var.on ? 1 : 0
}
"""


def facts(text: str) -> set[tuple[str, ...]]:
    """Each attribute that has a value, with the path of its block and the value's source."""
    found: set[tuple[str, ...]] = set()
    todo: list[tuple[tuple[str, ...], tree.Body]] = [((), parsed(text).body)]
    while todo:
        path, body = todo.pop()
        for name, attribute in body.attributes.items():
            node = attribute.expression
            if not isinstance(node, tree.Broken):
                found.add((*path, name, " ".join(text[node.start : node.end].split())))
        for block in body.blocks:
            inner = (*path, block.type, *(label.text for label in block.labels))
            todo.append((inner, block.body))
    return found


def test_most_survives_the_loss_of_any_one_character() -> None:
    whole = facts(WHOLE)
    assert len(whole) == 9
    kept = invented = broken = 0
    for at in range(len(WHOLE)):
        text = WHOLE[:at] + WHOLE[at + 1 :]
        if not parsed(text).faults:
            continue
        broken += 1
        left = facts(text)
        kept += len(left & whole)
        invented += len(left - whole)
    assert broken > 80
    assert kept / (broken * len(whole)) > 0.85
    assert invented / (broken * len(whole)) < 0.01


NAMES = ["locals", "first", "second", "third"]


def test_other_blocks_survive_an_inserted_character() -> None:
    starts = [WHOLE.index(word) for word in ("locals", "resource", 'resource "aws_iam', "module")]
    lost: list[tuple[int, str]] = []
    cases = 0
    for at in range(len(WHOLE)):
        hit = max(number for number, start in enumerate(starts) if start <= at)
        for character in '{}[]()"=,\n<$':
            cases += 1
            result = parsed(WHOLE[:at] + character + WHOLE[at:])
            found = {
                block.labels[-1].text if block.labels else block.type
                for block in result.body.blocks
            }
            if not set(NAMES) - {NAMES[hit]} <= found:
                lost.append((at, character))
    assert 12 * len(WHOLE) == cases
    assert len(lost) / cases < 0.01


def test_thousands_of_blocks_within_one_another_are_one_fault() -> None:
    head, tail = 'resource "t" "a" {\n  x = 1\n}\n', 'resource "t" "b" {\n  x = 2\n}\n'
    nested = "b {\n" * 10_000 + "}\n" * 10_000
    parsed = parse_hcl(Document("main.tf", head + nested + tail))
    assert [fault.message for fault in parsed.faults] == ["nested more than 128 levels deep"]
    assert [block.type for block in parsed.body.blocks] == ["resource", "b", "resource"]
    unclosed = parse_hcl(Document("main.tf", "b {\n" * 10_000))
    assert len(unclosed.faults) == 2
    on_a_line = parse_hcl(Document("main.tf", "a { b { " * 5_000))
    assert len(on_a_line.faults) == 3
