"""Terraform's JSON syntax: the same tree as the native syntax, with ranges in the JSON text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor.parse import tree
from blastdoor.parse.terraform_json import parse_terraform_json, parse_tfvars_json
from blastdoor.span import Document

Show = Callable[[tree.Expression], str]
Lines = Callable[[tree.Body], list[str]]


def parsed(value: object) -> tree.Parsed:
    text = value if isinstance(value, str) else json.dumps(value, indent=1)
    return parse_terraform_json(Document("main.tf.json", text))


CONFIGURATION = {
    "//": "a comment",
    "terraform": {
        "required_version": ">= 1.5",
        "required_providers": {
            "aws": {"source": "hashicorp/aws", "configuration_aliases": ["aws.cn"]}
        },
        "backend": {"s3": {"bucket": "b"}},
    },
    "provider": {"aws": [{"region": "us-east-1"}, {"alias": "cn", "region": "cn-north-1"}]},
    "variable": {"v": {"type": "list(string)", "default": "${literal}", "validation": {
        "condition": "${length(var.v) > 0}", "error_message": "no"}}},
    "locals": {"//": "no attribute", "a": "${var.v[0]}", "b": "x${1 + 2}y", "c": [1, True, None]},
    "resource": {
        "aws_s3_bucket": {
            "b": {
                "//": "no attribute",
                "bucket": "n",
                "provider": "aws.cn",
                "depends_on": ["aws_iam_role.r", "module.m[0].x"],
                "tags": {"A${1}": "b", "//": "kept"},
                "versioning": {"enabled": True},
                "lifecycle": {"ignore_changes": ['tags["x"]'], "prevent_destroy": True},
                "provisioner": [{"local-exec": {"command": "c", "when": "destroy"}}],
                "dynamic": {"rule": {"for_each": "${var.v}", "content": {"x": "${rule.value}"}}},
            },
            "c": [{"count": 2}, {"count": 3}],
        }
    },
    "data": [{"aws_region": {"current": {}}}],
    "module": {"m": {"source": "./m", "providers": {"aws": "aws.cn"}}},
    "moved": [{"from": "a.b", "to": 'a.c["k"]'}],
    "output": {"o": {"value": "${aws_s3_bucket.b.id}", "depends_on": []}},
    "check": {"k": {"assert": {"condition": "${true}"}}},
}  # fmt: skip

EXPECTED = [
    "terraform",
    '  required_version = ">= 1.5"',
    "  required_providers",
    '    aws = {"source" = "hashicorp/aws", "configuration_aliases" = [aws.cn]}',
    "  backend 's3'",
    '    bucket = "b"',
    "provider 'aws'",
    '  region = "us-east-1"',
    "provider 'aws'",
    '  alias = "cn"',
    '  region = "cn-north-1"',
    "variable 'v'",
    "  type = list(string)",
    '  default = "${literal}"',
    "  validation",
    '    condition = "${(length(var.v) > 0)}"',
    '    error_message = "no"',
    "locals",
    '  a = "${var.v[0]}"',
    '  b = "x${(1 + 2)}y"',
    "  c = [1, true, null]",
    "resource 'aws_s3_bucket' 'b'",
    '  bucket = "n"',
    "  provider = aws.cn",
    "  depends_on = [aws_iam_role.r, module.m[0].x]",
    '  tags = {"A${1}" = "b", "//" = "kept"}',
    '  versioning = {"enabled" = true}',
    "  lifecycle",
    '    ignore_changes = [tags["x"]]',
    "    prevent_destroy = true",
    "  provisioner 'local-exec'",
    '    command = "c"',
    "    when = destroy",
    "  dynamic 'rule'",
    '    for_each = "${var.v}"',
    "    content",
    '      x = "${rule.value}"',
    "resource 'aws_s3_bucket' 'c'",
    "  count = 2",
    "resource 'aws_s3_bucket' 'c'",
    "  count = 3",
    "data 'aws_region' 'current'",
    "module 'm'",
    '  source = "./m"',
    '  providers = {"aws" = aws.cn}',
    "moved",
    "  from = a.b",
    '  to = a.c["k"]',
    "output 'o'",
    '  value = "${aws_s3_bucket.b.id}"',
    "  depends_on = []",
    "check 'k'",
    "  assert",
    '    condition = "${true}"',
]


def test_the_tree(lines: Lines) -> None:
    result = parsed(CONFIGURATION)
    assert (result.faults, lines(result.body)) == ([], EXPECTED)


def test_a_default_is_text_and_no_template(value: Callable[[tree.Expression], Any]) -> None:
    result = parsed({"variable": {"v": {"default": "${literal}", "description": "%{if"}}})
    (block,) = result.body.blocks
    values = {name: value(a.expression) for name, a in block.body.attributes.items()}
    assert (result.faults, values) == ([], {"default": "${literal}", "description": "%{if"})


def test_ranges() -> None:
    text = '{"resource": {"aws_x": {"n": {"a": "p${q}", "provider": "aws.cn"}}}}'
    (block,) = parsed(text).body.blocks
    template = block.body.attributes["a"].expression
    provider = block.body.attributes["provider"].expression
    assert isinstance(template, tree.Template)
    assert isinstance(provider, tree.Traversal)
    nodes: list[tree.Node] = [
        block, *block.labels, block.body, template, *template.parts, provider, *provider.operations
    ]  # fmt: skip
    expected = [
        '"n": {"a": "p${q}", "provider": "aws.cn"}', '"aws_x"', '"n"',
        '{"a": "p${q}", "provider": "aws.cn"}', '"p${q}"', "p", "${q}", "aws.cn", ".cn",
    ]  # fmt: skip
    assert expected == [text[node.start : node.end] for node in nodes]
    assert text[block.start : block.header_end] == '"n"'
    attribute = block.body.attributes["a"]
    assert text[attribute.name_start : attribute.name_end] == "a"


def test_ranges_behind_escapes() -> None:
    text = r'{"locals": {"a": "\u00e9\t${f(\"x\", b.c)}\n%{ if d }y%{ endif }"}}'
    result = parsed(text)
    template = result.body.blocks[0].body.attributes["a"].expression
    assert isinstance(template, tree.Template)
    first, second, call, newline, directive = template.parts
    assert isinstance(call, tree.Interpolation)
    assert isinstance(call.expression, tree.Call)
    assert isinstance(directive, tree.IfDirective)
    nodes: list[tree.Node] = [
        first, second, call, *call.expression.arguments, newline, directive, directive.condition,
        *directive.yes,
    ]  # fmt: skip
    expected = [
        r"\u00e9", r"\t", r"${f(\"x\", b.c)}", r"\"x\"", "b.c", r"\n", "%{ if d }y%{ endif }", "d",
        "y",
    ]  # fmt: skip
    assert ([], expected) == (result.faults, [text[node.start : node.end] for node in nodes])


def test_plain_text_with_escapes_is_cut_at_them() -> None:
    text = r'{"locals": {"a": "x\"y\\z"}}'
    template = parsed(text).body.blocks[0].body.attributes["a"].expression
    assert isinstance(template, tree.Template)
    parts = [(part.text, text[part.start : part.end]) for part in template.parts
             if isinstance(part, tree.TextPart)]  # fmt: skip
    expected = [("x", "x"), ('"', '\\"'), ("y", "y"), ("\\", "\\\\"), ("z", "z")]
    assert expected == parts


@pytest.mark.parametrize(
    ("text", "found", "message"),
    [
        ('{"resource": [}', "}", 'expected a value, found "}"'),
        ('{"resorce": {}}', '"resorce"', '"resorce" is no block type of the Terraform language'),
        ('{"locals": 1}', "1", 'expected an object for "locals"'),
        ('{"resource": {"t": 2}}', "2", 'expected an object for the labels of "resource"'),
        ("[1]", "1", "expected an object for the configuration"),
        ('{"locals": {"a": "x${"}}', '"', "expected an expression, found the end of the file"),
        (
            '{"locals": {"a": "${b c}"}}',
            "c",
            'expected "}" after the interpolation, found "c"',
        ),
        ('{"module": {"m": {"depends_on": ["a b"]}}}', "b",
         'expected the end of the expression, found "b"'),
        ('{"locals": {"a": 1,\n"a": 2}}', '"a"', 'the attribute "a" stands already on line 1'),
    ],
)  # fmt: skip
def test_faults(text: str, found: str, message: str) -> None:
    (fault,) = parsed(text).faults
    assert (message, found) == (fault.message, text[fault.span.start :][: len(found)])


def test_what_is_around_a_fault_is_kept(lines: Lines) -> None:
    result = parsed({"locals": {"a": "${", "b": 1}, "nope": {}, "output": {"o": None, "p": {}}})
    assert lines(result.body) == ["locals", "  a = BROKEN", "  b = 1", "output 'p'"]
    assert len(result.faults) == 2


def test_comments_that_speak_to_us() -> None:
    result = parsed({"//": "no", "resource": {"t": {"n": {"//": "blastdoor:ignore A"}}}})
    assert [comment.text for comment in result.comments] == ["blastdoor:ignore A"]


def test_values_of_variables(value: Callable[[tree.Expression], Any]) -> None:
    values = {"a": "${x}", "b": [1, {"c": None, "//": "kept"}], "d": "%{", "e\n": '\u2028"x'}
    text = json.dumps(values)
    result = parse_tfvars_json(Document("x.tfvars.json", text))
    found = {name: value(a.expression) for name, a in result.body.attributes.items()}
    assert ([], values) == (result.faults, found)
    assert "expected an object" in parse_tfvars_json(Document("x", "[]")).faults[0].message


def nodes(root: tree.Node) -> Iterator[tree.Node]:
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


KEYS = st.sampled_from(
    ["//", "resource", "data", "locals", "lifecycle", "dynamic", "content", "provider", "terraform",
     "depends_on", "a", "variable", "type", "provisioner", "é", ""]
)  # fmt: skip
STRINGS = st.sampled_from(
    ["${a.b}", "x", "${", "%{if a}b%{endif}", "aws.cn", "a b", '\n${"é"}😀', ""]
)
VALUES = st.recursive(
    STRINGS | st.none() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(value=st.dictionaries(KEYS, VALUES, max_size=4), ascii_only=st.booleans())
def test_nothing_raises_and_every_range_is_within(value: object, *, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    for parse in (parse_terraform_json, parse_tfvars_json):
        result = parse(Document("x", text))
        for node in nodes(result.body):
            assert 0 <= node.start <= node.end <= len(text)
            if isinstance(node, tree.TextPart) and len(node.text) == node.end - node.start:
                assert node.text == text[node.start : node.end]
        for fault in result.faults:
            assert 0 <= fault.span.start <= fault.span.end <= len(text)


def test_deep_values_are_a_fault() -> None:
    text = '{"locals": {"a": ' + "[" * 190 + "]" * 190 + "}}"
    (fault,) = parsed(text).faults
    assert fault.message == "nested more than 128 levels deep"
