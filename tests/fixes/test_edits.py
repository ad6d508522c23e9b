"""Edits in the notation of each language, and texts with edits made."""

from __future__ import annotations

import pytest

from blastdoor.finding import Act, Finding, Level, Remedy
from blastdoor.fixes import Edit, Fix, applied, chosen, fix_of
from blastdoor.span import Document, Span


def mended(
    path: str, text: str, old: str, act: Act, data: object = None, name: str = ""
) -> str | None:
    """The text after the remedy for the first place that says ``old``; ``None`` without a fix."""
    document = Document(path, text)
    start = text.index(old)
    span = Span(document, start, start + len(old))
    assert data is None or isinstance(data, (str, int, float, bool))
    remedy = Remedy(act, span, "mend it", data, name)
    finding = Finding("r", Level.ERROR, "m", span, "u", remedies=(remedy,))
    fix = fix_of(finding, "safe")
    return None if fix is None else applied(text, fix.edits)


@pytest.mark.parametrize(
    ("path", "text", "old", "data", "expected"),
    [
        ("main.tf", "a = false # why\n", "false", True, "a = true # why\n"),
        ("main.tf", 'a = "false"\n', '"false"', True, "a = true\n"),
        ("main.tf", 'a = "x"\n', '"x"', 'y "${z}"', 'a = "y \\"$${z}\\""\n'),
        ("main.tf", "a = 0\n", "0", 7, "a = 7\n"),
        ("main.tf", "a = var.x\n", "var.x", True, None),
        ("main.tf", 'a = "${x}"\n', '"${x}"', True, None),
        ("main.tf", "a = !b\n", "!b", True, None),
        ("t.json", '{"a": false}', "false", True, '{"a": true}'),
        ("t.json", '{"a": "false"}', '"false"', True, '{"a": "true"}'),
        ("t.yaml", "a: 'false'\n", "'false'", True, "a: 'true'\n"),
        ("t.json", '{"a": "b\\n"}', '"b\\n"', "c", None),
        ("t.template", ' {"a": 1}', "1", 2, ' {"a": 2}'),
        ("t.yaml", "a: false # why\n", "false", True, "a: true # why\n"),
        ("t.yaml", "a: 'Off'\n", "'Off'", "On", "a: 'On'\n"),
        ("t.yaml", "a: Off1\n", "Off1", "On", 'a: "On"\n'),
        ("t.yaml", "a: DISABLED\n", "DISABLED", "ENABLED", "a: ENABLED\n"),
        ("t.yaml", "a: 2001x\n", "2001x", "2001-01-01", 'a: "2001-01-01"\n'),
        ("t.template", "a: b\n", "b", "c", "a: c\n"),
        ("t.yaml", "a: |\n  b\n", "|\n  b", "c", None),
        ("t.yaml", "a: &x b\n", "&x b", "c", None),
        ("notes.txt", "a: b\n", "b", "c", None),
    ],
)
def test_a_literal_is_set(
    path: str, text: str, old: str, data: object, expected: str | None
) -> None:
    assert mended(path, text, old, Act.SET, data) == expected


@pytest.mark.parametrize(
    ("path", "text", "old", "expected"),
    [
        (
            "main.tf",
            'r "a" {\n  x = 1\n  y = 2 # why\n  z = 3\n}\n',
            "2",
            'r "a" {\n  x = 1\n  z = 3\n}\n',
        ),
        ("main.tf", "x = 1\ny = 2", "2", "x = 1\n"),
        ("main.tf", 'r "a" { x = 1 }\n', "1", None),
        ("main.tf", 'r "a" {\n  x = [1]\n}\n', "1", None),
        ("main.tf", "x = 1 /* a\nb */\n", "1", None),
        ("t.json", '{"a": 1, "b": 2}', "1", '{"b": 2}'),
        ("t.json", '{"a": 1,\n "b": 2}', "2", '{"a": 1}'),
        ("t.json", '{"a": [{"b": 2}]}', "2", '{"a": [{}]}'),
        ("t.yaml", "a:\n  b: 1\n  c: 2\n", "2", "a:\n  b: 1\n"),
        ("t.yaml", "a:\n  b: 1 # why\n  c: 2\n", "1", "a:\n  c: 2\n"),
        ("t.yaml", "a:\n  b: 1\nc: 2\n", "1", None),
        ("t.yaml", "a:\n  - b: 1\n    c: 2\n", "1", None),
        ("t.yaml", "a: {b: 1}\n", "1", None),
    ],
)
def test_an_argument_is_removed(path: str, text: str, old: str, expected: str | None) -> None:
    assert mended(path, text, old, Act.REMOVE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('provider "aws" {}\n', 'provider "aws" {\n  region = "eu-west-1"\n}\n'),
        (
            'provider "aws" {\n  alias = "a"\n}\n',
            'provider "aws" {\n  region = "eu-west-1"\n  alias = "a"\n}\n',
        ),
        (
            'x {\r\n  provider "aws" {\r\n    a = 1\r\n  }\r\n}\r\n',
            'x {\r\n  provider "aws" {\r\n    region = "eu-west-1"\r\n    a = 1\r\n  }\r\n}\r\n',
        ),
        (
            'provider "aws" { # why\n  alias = "a"\n}\n',
            'provider "aws" { # why\n  region = "eu-west-1"\n  alias = "a"\n}\n',
        ),
        ('provider "aws" { alias = "a" }\n', None),
        ('provider "aws" { /* why\n */ alias = "a"\n}\n', None),
        ('provider "aws" {\n  region = var.r\n}\n', None),
    ],
)
def test_an_argument_is_added(text: str, expected: str | None) -> None:
    result = mended("main.tf", text, 'provider "aws"', Act.ADD, "eu-west-1", "region")

    assert result == expected


def test_characters_within_a_string_are_replaced() -> None:
    result = mended("main.tf", 'a = "arn:aws:s3:::${b}"\n', "aws", Act.TEXT, "aws-cn")

    assert result == 'a = "arn:aws-cn:s3:::${b}"\n'


def test_a_rule_without_fixes_has_none() -> None:
    document = Document("main.tf", "a = false\n")
    span = Span(document, 4, 9)
    remedy = Remedy(Act.SET, span, "set a to true", data=True)
    finding = Finding("r", Level.ERROR, "m", span, "u", remedies=(remedy,))

    assert fix_of(finding, "none") is None
    unsafe = fix_of(finding, "unsafe")
    assert unsafe is not None
    assert not unsafe.safe


def test_of_two_fixes_that_touch_the_first_is_made() -> None:
    document = Document("main.tf", "a = false\nb = true\n")

    def one(start: int, end: int) -> Finding:
        span = Span(document, start, end)
        remedy = Remedy(Act.SET, span, "set it", data=1)
        return Finding("r", Level.ERROR, "m", span, "u", remedies=(remedy,))

    fixes = [fix for f in (one(4, 9), one(4, 9), one(14, 18)) if (fix := fix_of(f, "safe"))]

    assert [fix.edits[0].span.start for fix in chosen(fixes)] == [4, 14]


def test_edits_that_overlap_are_refused() -> None:
    document = Document("main.tf", "abcdef")

    with pytest.raises(ValueError, match="overlap"):
        applied("abcdef", [Edit(Span(document, 0, 3), ""), Edit(Span(document, 2, 4), "")])


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "main.tf",
            'resource "a" "b" {\n  c = "x:aws:${d}"\n}\n',
            'resource "a" "b" {\n  c = "x:${data.p.q}:${d}"\n}\n',
        ),
        (
            "main.tf",
            'resource "a" "b" {\n  c = <<E\n  x:aws:\nE\n}\n',
            'resource "a" "b" {\n  c = <<E\n  x:${data.p.q}:\nE\n}\n',
        ),
        ("main.tf", 'variable "a" {\n  default = "aws"\n}\n', None),
        ("main.tf", 'resource "a" "b" {\n  c = aws.x\n}\n', None),
        ("a.tfvars", 'c = "x:aws:"\n', None),
        (
            "t.yaml",
            "Resources:\n  A:\n    Properties:\n      B: x:aws:y # why\n",
            'Resources:\n  A:\n    Properties:\n      B: !Sub "x:${AWS::Partition}:y" # why\n',
        ),
        (
            "t.yaml",
            (
                "Resources:\n  A:\n    Properties:\n      B: !Sub\n        - 'x:aws:${C}'\n"
                "        - {C: 1}\n"
            ),
            (
                "Resources:\n  A:\n    Properties:\n      B: !Sub\n"
                "        - 'x:${AWS::Partition}:${C}'\n        - {C: 1}\n"
            ),
        ),
        (
            "t.yaml",
            "Resources:\n  A:\n    Properties:\n      B: !Sub ['${C}', {C: 'aws'}]\n",
            None,
        ),
        (
            "t.yaml",
            "Resources:\n  A:\n    Properties:\n      B: {Fn::Join: [':', ['aws', x]]}\n",
            (
                "Resources:\n  A:\n    Properties:\n"
                "      B: {Fn::Join: [':', [!Sub '${AWS::Partition}', x]]}\n"
            ),
        ),
        ("t.yaml", "Resources:\n  A:\n    Properties:\n      B: 'x:aws:${aws:u}'\n", None),
        ("t.yaml", "Resources:\n  A:\n    Properties:\n      B: !GetAtt aws.b\n", None),
        ("t.yaml", "Parameters:\n  A:\n    Default:\n      B: x:aws:y\n", None),
        (
            "t.json",
            '{"Resources": {"A": {"Properties": {"B": ["x:aws:y"]}}}}',
            '{"Resources": {"A": {"Properties": {"B": [{"Fn::Sub": "x:${AWS::Partition}:y"}]}}}}',
        ),
        ("policy.json", '{"Statement": {"A": {"Resource": {"B": "x:aws:y"}}}}', None),
    ],
)
def test_a_stretch_of_a_string_comes_from_where_the_thing_is(
    path: str, text: str, expected: str | None
) -> None:
    result = mended(path, text, "aws", Act.DERIVE, "partition", "data.p.q")

    assert result == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a = "aws"\n', 'a = "aws"\n\ndata "aws_region" "current" {}\n'),
        ('a = "aws"', 'a = "aws"\n\ndata "aws_region" "current" {}\n'),
        ('a = "aws"\r\n', 'a = "aws"\r\n\r\ndata "aws_region" "current" {}\r\n'),
        ('a = "aws"\ndata "aws_region" "current" {}\n', None),
    ],
)
def test_a_data_source_is_declared(text: str, expected: str | None) -> None:
    assert mended("main.tf", text, "aws", Act.DECLARE, "aws_region", "current") == expected


def test_what_two_fixes_declare_is_declared_once() -> None:
    def one(path: str) -> Fix:
        span = Span(Document(path, 'a = "b"\n'), 5, 6)
        remedy = Remedy(Act.DECLARE, span, "declare it", "aws_region", "current")
        found = fix_of(Finding("r", Level.ERROR, "m", span, "u", remedies=(remedy,)), "safe")
        assert found is not None
        return found

    fixes = [one("a/x.tf"), one("a/y.tf"), one("b/x.tf")]

    assert chosen(fixes) == [fixes[0], fixes[2]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a = 1\n\nx "y" {\n  b = c\n}\n\nd = 2\n', "a = 1\n\nd = 2\n"),
        ('x "y" { b = c }', ""),
        ('x "y" {\n  b = c\n  lifecycle {\n    e = f\n  }\n}\n', ""),
        ('x "y" {\n  b = c # why\n}\n', None),
        ('x "y" {\n  b = c\n  other {}\n}\n', None),
        ('x "y" { b = c } # why\n', None),
    ],
)
def test_a_block_is_taken_out_with_its_lines(text: str, expected: str | None) -> None:
    assert mended("main.tf", text, "b = c", Act.DISSOLVE) == expected


def test_a_variable_is_declared() -> None:
    result = mended("main.tf", 'provider "aws" {}\n', "aws", Act.DECLARE, "variable", "region")

    assert result == 'provider "aws" {}\n\nvariable "region" {\n  type = string\n}\n'


def test_an_argument_that_refers_is_added() -> None:
    text = 'provider "aws" {}\n'
    result = mended("main.tf", text, 'provider "aws"', Act.POINT, "var.region", "region")

    assert result == 'provider "aws" {\n  region = var.region\n}\n'


def test_steps_that_write_over_one_another_are_no_fix() -> None:
    text = 'Resources:\n  A:\n    Properties:\n      B: "arn:aws:a arn:aws:b"\n'
    document = Document("t.yaml", text)
    first, second = text.index("aws"), text.rindex("aws")
    remedies = tuple(
        Remedy(Act.DERIVE, Span(document, at, at + 3), "mend it", "partition")
        for at in (first, second)
    )
    one = Finding("r", Level.ERROR, "m", remedies[0].span, "u", remedies=remedies[:1])
    both = Finding("r", Level.ERROR, "m", remedies[0].span, "u", remedies=remedies)

    assert fix_of(one, "safe") is not None
    assert fix_of(both, "safe") is None
