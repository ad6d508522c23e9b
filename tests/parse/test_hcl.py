"""The native syntax: what becomes of each construct, where it stands, and that no input hurts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor.parse import tree
from blastdoor.parse.hcl import MAX_DEPTH, MAX_FAULTS, parse_expression, parse_hcl, parse_template
from blastdoor.span import Document

Show = Callable[[tree.Expression], str]
Lines = Callable[[tree.Body], list[str]]


def parsed(text: str) -> tree.Parsed:
    return parse_hcl(Document("main.tf", text))


def expression(text: str) -> tree.Expression:
    result = parsed(f"a = {text}\n")
    assert [fault.message for fault in result.faults] == []
    return result.body.attributes["a"].expression


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3 - 4", "((1 + (2 * 3)) - 4)"),
        ("a || b && c == d", "(a || (b && (c == d)))"),
        ("1 < 2 == 3 > 4", "((1 < 2) == (3 > 4))"),
        ("1 - 2 - 3 % 4 / 5", "((1 - 2) - ((3 % 4) / 5))"),
        ("-a.b + !c", "((-a.b) + (!c))"),
        ("- -a", "(-(-a))"),
        ("a-b", "a-b"),
        ("a - b", "(a - b)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a == 1 ? b + 1 : c", "((a == 1) ? (b + 1) : c)"),
        ("(1 + 2) * 3", "(paren((1 + 2)) * 3)"),
        ("(\n1\n+\n2\n)", "paren((1 + 2))"),
        ("a.b.c", "a.b.c"),
        ("a . b", "a.b"),
        ('a[0].b["c"][d]', 'a[0].b["c"][d]'),
        ("a.0.b", "a[0].b"),
        ("a.*.b.0.c[1]", "a.*<.b[0].c>[1]"),
        ("a[*].b[0]", "a[*]<.b[0]>"),
        ("a[*].b[*].c", "a[*]<.b[*]<.c>>"),
        ("a.*.b[*].c", "a.*<.b>[*]<.c>"),
        ("(a).b", "paren(a).b"),
        ("f(x)[0].y", "f(x)[0].y"),
        ("true", "true"),
        ("null.x", "null.x"),
        ("true(1)", "true(1)"),
        ("f()", "f()"),
        ("f (a, b,)", "f(a, b)"),
        ("f(a, b...)", "f(a, b...)"),
        ("provider::aws::arn_parse(x)", "provider::aws::arn_parse(x)"),
        ("[]", "[]"),
        ("[1, [2,], 3,\n]", "[1, [2], 3]"),
        ("[ # one\n1, // two\n2 /* three */ , 3]", "[1, 2, 3]"),
        ("{}", "{}"),
        ('{ a = 1, "b" : 2\n(c) = 3\n"${d}-x" = 4, }',
         '{"a" = 1, "b" = 2, paren(c) = 3, "${d}-x" = 4}'),
        ("{ true = 1, 1.5 = 2, a.b = 3 }", '{"true" = 1, 1.5 = 2, a.b = 3}'),
        ("{ a = b # c\nc = d // e\n}", '{"a" = b, "c" = d}'),
        ("[for x in y : x]", "[for x in y : x]"),
        ("[for k, v in y : v if k != 1]", "[for k, v in y : v if (k != 1)]"),
        ("{\nfor k, v in y : k => v...\nif v }", "{for k, v in y : k => v... if v}"),
        ("[for-x]", "[for-x]"),
        ("{ format = 1 }", '{"format" = 1}'),
        ("1.5e3", "1500"),
        ("0.25", "0.25"),
        ('""', '""'),
        (r'"a\n\t\"\\b\u00e9\U0001F600"', r'"a\n\t\"\\bé😀"'),
        ('"$${a} %%{b} $ % $$ $$${c}"', '"${a} %{b} $ % $$ $${c}"'),
        ('"${a}"', '"${a}"'),
        ('"x${ a ? "y${b}" : "z" }w"', '"x${(a ? "y${b}" : "z")}w"'),
        ('"${ {a = 1}.a }"', '"${{"a" = 1}.a}"'),
        ('"a  ${~ b ~}\\n  c"', '"a${b}c"'),
        ('"%{ if a }x%{ else }y%{ endif }"', '"%{if a}x%{else}y%{endif}"'),
        ('"%{ for k, v in a ~} ${v} %{ endfor }"', '"%{for k, v in a}${v} %{endfor}"'),
        ("<<A\nx ${b}\n  A", "<<x ${b}\\n>>"),
        ("<<A\nA", "<<>>"),
        ("<<-A\n    x\n\n      y\n    A", "<<x\\n\\n  y\\n>>"),
        ('<<A\n<<B\n$${c} \\n "\nA', '<<<<B\\n${c} \\\\n \\"\\n>>'),
        ("<<A\n${<<B\ninner\nB\n}\nA", "<<${<<inner\\n>>}\\n>>"),
    ],
)  # fmt: skip
def test_expressions(source: str, expected: str, show: Show) -> None:
    assert expected == show(expression(source))


def test_bodies(lines: Lines) -> None:
    result = parsed(
        """\ufeff# A comment
resource "aws_s3_bucket" "b" /* here */ {
  bucket = "n" // there
  tags   = { A = "b" }
  lifecycle { prevent_destroy = true }
  empty {}
  bare label "q\\"uoted" {
  }
}
été-1 = 2 # no newline behind"""
    )
    expected = [
        "été-1 = 2",
        "resource 'aws_s3_bucket' 'b'",
        '  bucket = "n"',
        '  tags = {"A" = "b"}',
        "  lifecycle",
        "    prevent_destroy = true",
        "  empty",
        "  bare 'label' 'q\"uoted'",
    ]
    assert ([], expected) == (result.faults, lines(result.body))


def test_line_ends_of_windows(lines: Lines) -> None:
    result = parsed("a {\r\n  b = 1\r\n  c = [\r\n1,\r\n]\r\n}\r\nd = <<E\r\nx\r\nE\r\n")
    assert (
        result.faults,
        lines(result.body),
    ) == ([], ["d = <<x\\r\\n>>", "a", "  b = 1", "  c = [1]"])


def test_ranges() -> None:
    text = 'resource "t" "n" {\n  a = var.x[0].y\n  b = "p${q}r"\n}\n'
    body = parsed(text).body
    (block,) = body.blocks
    traversal = block.body.attributes["a"].expression
    template = block.body.attributes["b"].expression
    assert isinstance(traversal, tree.Traversal)
    assert isinstance(template, tree.Template)
    nodes: list[tree.Node] = [
        body, block, *block.labels, block.body, block.body.attributes["a"],
        traversal, traversal.base, *traversal.operations, template, *template.parts,
    ]  # fmt: skip
    expected = [
        text, text[:-1], '"t"', '"n"', text[18:-2], "a = var.x[0].y",
        "var.x[0].y", "var", ".x", "[0]", ".y", '"p${q}r"', "p", "${q}", "r",
    ]  # fmt: skip
    assert expected == [text[node.start : node.end] for node in nodes]
    assert text[block.start : block.header_end] == 'resource "t" "n"'


def walk(root: tree.Node) -> Iterator[tree.Node]:
    """Every node of a tree."""
    todo = [root]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, tree.Body):
            todo += [*node.attributes.values(), *node.blocks]
        for kind in type(node).__mro__:
            for name in getattr(kind, "__slots__", ()):
                field = getattr(node, name)
                todo += [
                    child
                    for child in (field if isinstance(field, tuple) else (field,))
                    if isinstance(child, tree.Node)
                ]


def test_text_parts_stand_where_their_text_is() -> None:
    text = (
        'a = "x\\ny$${z}${b}c"\nb = <<-E\n    one ${c} $${d}\n      two\n\n    three\n    E\n'
        "c = <<E\nx\n  y  ${~ d ~}  \n  z\nE\n"
    )
    result = parsed(text)
    parts = [node for node in walk(result.body) if isinstance(node, tree.TextPart)]
    verbatim = [part for part in parts if len(part.text) == part.end - part.start]
    assert [part.text for part in verbatim if part.text != text[part.start : part.end]] == []
    resolved = sorted(part.text for part in parts if part not in verbatim)
    assert resolved == ["\n", "${", "${"]
    assert {"one ", "  two\n\n", "three\n"} <= {part.text for part in verbatim}


def test_comments_that_speak_to_us() -> None:
    result = parsed(
        "# blastdoor:ignore A\n"
        'a = "# blastdoor:no ${ "x" /* blastdoor:in */ }"\n'
        "# nothing\n"
        "b = <<E\n# blastdoor:no ${c} # blastdoor:no\nE\n"
        "c = 1 // blastdoor:ignore B\n"
    )
    found = [(comment.text, comment.start) for comment in result.comments]
    expected = ["blastdoor:ignore A", "blastdoor:in", "blastdoor:ignore B"]
    assert expected == [text for text, _ in found]
    assert [result.document.text[start] for _, start in found] == ["#", "/", "/"]


@pytest.mark.parametrize(
    ("source", "line", "column", "message"),
    [
        ("a ]", 1, 3, 'expected "=" or "{" after the name, found "]"'),
        ("a =\n1", 1, 4, "expected an expression, found the end of the line"),
        ("a = [1 2]", 1, 8, 'expected "," or "]" after the element, found a number'),
        ("a = {b}", 1, 7, 'expected "=" or ":" after the key, found "}"'),
        ("a = f(1", 1, 8, 'expected "," or ")" after the argument, found the end of the file'),
        ("a = 1 b", 1, 7, 'expected the end of the line after the attribute, found "b"'),
        ("a = x ? 1", 1, 10, 'expected ":" of the conditional, found the end of the file'),
        ('a = "x\n', 1, 7, "expected '\"' at the end of the string, found the end of the line"),
        ('a = "\\q"', 1, 6, '"\\q" is no escape sequence'),
        ("a = <<E\nx\n", 1, 5, 'expected "E" at the end of the heredoc'),
        ('a = "%{ if b }"', 1, 6, 'expected "endif" before the end of the template'),
        ("a {", 1, 4, 'expected "}" to close the block of line 1, found the end of the file'),
        ("}", 1, 1, 'expected an attribute or a block, found "}"'),
        ("x = 1\n\nx = 2", 3, 1, 'the attribute "x" stands already on line 1'),
        ("a = x.0.1", 1, 7, 'expected one number after ".", found two'),
        ("“a” = 1", 1, 1, 'expected a name, found "“a”"'),
        ("a = /* x", 1, 5, "expected an expression, found a comment that does not end"),
    ],
)
def test_messages(source: str, line: int, column: int, message: str) -> None:
    faults = parsed(source).faults
    assert (line, column, message) == (*faults[0].span.begin, faults[0].message)


def test_template_and_expression_within_a_document(show: Show) -> None:
    document = Document("x", "before ${a}\n  %{ if b ~}\n  c%{ endif } [for x in y : x ]")
    template, faults = parse_template(document, 7, 39)
    assert (show(template), faults) == ('"${a}\\n  %{if b}  c%{else}%{endif} "', [])
    found, faults = parse_expression(document, 39)
    assert (show(found), faults, found.start) == ("[for x in y : x]", [], 39)
    found, faults = parse_expression(document, 0, 11)
    assert show(found) == "BROKEN"
    assert [f.message for f in faults] == ['expected the end of the expression, found "${"']
    assert [(fault.span.start, fault.span.end) for fault in faults] == [(7, 9)]


def test_template_with_offsets_of_its_own() -> None:
    document = Document("x.json", r'"é\u0041${b}\n"')
    content, offsets = "éA${b}\n", [1, 2, 8, 9, 10, 11, 12, 14]
    template, faults = parse_template(document, 1, 14, text=content, offsets=offsets)
    assert isinstance(template, tree.Template)
    ranges = [document.text[part.start : part.end] for part in template.parts]
    assert (ranges, faults) == (["é", "\\u0041", "${b}", "\\n"], [])


# Inputs that are meant to hurt.


def deep(frames: int, text: str) -> tree.Parsed:
    return parsed(text) if frames == 0 else deep(frames - 1, text)


NESTING = {
    "parentheses": ("(", "1", ")"),
    "tuples": ("[", "1", "]"),
    "objects": ("{a=", "1", "}"),
    "calls": ("f(", "1", ")"),
    "templates": ('"${', "1", '}"'),
    "heredocs": ("<<A\n${", "1", "}\nA\n"),
    "conditionals": ("b ? 1 : ", "1", ""),
    "negations": ("!", "1", ""),
    "indexes": ("a[", "1", "]"),
    "for": ("[for a in b : ", "1", "]"),
}


@pytest.mark.parametrize("kind", NESTING)
def test_nesting_has_an_end(kind: str) -> None:
    left, middle, right = NESTING[kind]
    assert sys.getrecursionlimit() <= 1000
    shallow = deep(300, "a = " + left * 60 + middle + right * 60 + "\n")
    assert [fault.message for fault in shallow.faults] == []
    deepest = deep(300, "a = " + left * 500 + middle + right * 500 + "\nz = 1\n")
    assert f"nested more than {MAX_DEPTH} levels deep" == deepest.faults[0].message
    assert "z" in deepest.body.attributes or kind == "heredocs"


def test_blocks_nest_no_deeper_than_the_cap() -> None:
    result = deep(300, "a {\n" * 400 + "}\n" * 400)
    assert f"nested more than {MAX_DEPTH} levels deep" == result.faults[0].message


def test_long_chains_are_no_nesting() -> None:
    result = deep(300, "a = 1" + " + 1" * 50_000 + "\n")
    assert result.faults == []
    depth = 0
    node = result.body.attributes["a"].expression
    while isinstance(node, tree.Binary):
        depth += 1
        node = node.left
    assert depth == 50_000


HOSTILE = [
    "[", "{", "(", '"${', '"', "<<A", "<<A\n", "a=<<A\n", "a=", "a=\n", "/*", "a=/*\n", "!", "a{",
    "a {\n", "a={\n", "a=[\n", "x ? y : ", "}", "}\n", "]", "1", "1.", "1e", "a.", "a[*]", "\\",
    "$", "${", "%{if a}", 'a="%{if a}', "#", "\r", "\n", "\0", 'a "', 'a "b\n', "a=b\nb c\n", "é",
    "a b ", "blastdoor:/*", '# blastdoor: "', "<<A\nblastdoor:${", "  a = {\n b = 1\n", "a {\n}}\n",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_a_megabyte_of_the_same(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    result = parsed(text)
    assert len(text) == result.body.end
    if unit not in ("#", "\n", '# blastdoor: "'):
        assert result.faults != []
    assert [f for f in result.faults if not 0 <= f.span.start <= f.span.end <= len(text)] == []


def test_what_is_read_twice_is_bounded() -> None:
    result = parsed("x={\n" * 100 + "y=1\n" * 20_000)
    messages = [fault.message for fault in result.faults]
    assert messages[0] == "expected an expression, found the end of the file"
    assert messages[-1] == "too much to read twice: the rest of the file is not read"


def test_faults_are_bounded() -> None:
    result = parsed("a = ]\n" * 10_000)
    assert result.faults[-1].message == "too many faults: the rest of the file is not read"
    assert len(result.faults) == MAX_FAULTS + 1


TOKENS = st.sampled_from(
    [
        "a",
        "b.c",
        "1",
        "1.5",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "=",
        ":",
        "=>",
        ",",
        "...",
        ".",
        "*",
        "?",
        "+",
        "-",
        "!",
        "&&",
        "\n",
        " ",
        "# c\n",
        "/*",
        "*/",
        "for",
        "in",
        "if",
        '"',
        "${",
        "%{",
        "~}",
        "<<A\n",
        "A\n",
        "<<-A\n",
        "\\",
        "\r\n",
        "::",
        "f(",
        "é",
        "/",
        "a = ",
        "a {\n",
        "}\n",
        "endif",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(TOKENS, max_size=40).map("".join)))
def test_no_text_raises_and_every_range_is_within(text: str) -> None:
    result = parsed(text)
    for node in walk(result.body):
        assert 0 <= node.start <= node.end <= len(text)
    for fault in result.faults:
        assert 0 <= fault.span.start <= fault.span.end <= len(text)
        assert fault.message != ""
    for parse in (parse_template, parse_expression):
        node, faults = parse(Document("x", text))
        assert isinstance(node, tree.Broken) is bool(faults) or isinstance(node, tree.Broken)
