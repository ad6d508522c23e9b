"""The JSON scanner: the same values as the standard library, exact ranges, nothing tolerated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor.parse.data import Mapping, Node, Scalar, Sequence
from blastdoor.parse.json import MAX_DEPTH, decode_string, parse_json
from blastdoor.span import Document


def plain(node: Node | None) -> Any:
    """The tree as the standard library gives it; of duplicate keys the last."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {key.value: plain(value) for key, value in node.entries}


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", " [ ] ", "[{}, [] ,{ }]", '{"a": 1, "b": [1.5, -0, 0.1e+3, 1E5, -2e-3]}',
        "[true, false, null]", r'"\"\\\/\b\f\n\r\t\u00e9"', r'"\ud83d\ude00"', '{"a\\n": ""}',
        '\t{\r\n"k" :\n"v"\r\n}\n', '"é😀\x7f"', "0", "-12345678901234567890", '{"": {"": [""]}}',
    ],
)  # fmt: skip
def test_values_are_those_of_the_standard_library(text: str) -> None:
    node, faults = parse_json(Document("x", text))
    assert ([], json.loads(text)) == (faults, plain(node))


def test_duplicate_keys_are_kept() -> None:
    node, _ = parse_json(Document("x", '{"a": 1, "b": 2, "a": 3}'))
    assert isinstance(node, Mapping)
    assert [(k.value, plain(v)) for k, v in node.entries] == [("a", 1), ("b", 2), ("a", 3)]


def test_ranges_cover_the_raw_literals() -> None:
    text = '{ "a\\u0062" : [ "x\\n" , 12.5, {"c":null} ] }'
    node, _ = parse_json(Document("x", text))
    assert isinstance(node, Mapping)
    ((key, array),) = node.entries
    assert isinstance(array, Sequence)
    ranges = [text[n.start : n.end] for n in (node, key, array, *array.items)]
    expected = [text, r'"a\u0062"', text[14:-2], r'"x\n"', "12.5", '{"c":null}']
    assert (expected, "ab") == (ranges, key.value)


def test_a_part_of_a_document() -> None:
    document = Document("x", 'policy = {"a": [1]} and more')
    node, faults = parse_json(document, 9, 19)
    assert (
        faults,
        *((node.start, node.end) if node else ()),
        plain(node),
    ) == ([], 9, 19, {"a": [1]})
    node, faults = parse_json(document, 9)
    assert (node, faults[0].message) == (None, 'expected nothing more, found "a"')
    assert faults[0].span.text == "a"


def test_half_of_a_surrogate_pair() -> None:
    node, faults = parse_json(Document("x", r'"\ud83dx\ude00"'))
    assert (plain(node), faults) == ("\ufffdx\ufffd", [])


def test_offsets_of_a_string() -> None:
    content, offsets = decode_string(r'  "a\n\ud83d\ude00b"', 2)
    assert (content, offsets) == ("a\n😀b", [3, 4, 6, 18, 19])


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", 0, "expected a value, found the end of the file"),
        ("[1,]", 3, 'expected a value, found "]"'),
        ("[1 2]", 3, 'expected "," or "]", found "2"'),
        ('{"a" 1}', 5, 'expected ":" after the key, found "1"'),
        ("{a: 1}", 1, 'expected a string as key, found "a"'),
        ('{"a": 1,}', 8, 'expected a string as key, found "}"'),
        ("[01]", 1, 'expected a value, found "0"'),
        ("[1.]", 1, 'expected a value, found "1"'),
        ("[+1]", 1, 'expected a value, found "+"'),
        ("NaN", 0, 'expected a value, found "N"'),
        ("truely", 0, 'expected a value, found "t"'),
        ("// c\n1", 0, 'expected a value, found "/"'),
        ("'a'", 0, 'expected a value, found "\'"'),
        ('"a\nb"', 2, "expected '\"' at the end of the string, found the end of the line"),
        ('"a', 2, "expected '\"' at the end of the string, found the end of the file"),
        ('"\\q"', 1, '"\\q" is no escape sequence'),
        ('"\\u12"', 1, '"\\u" is no escape sequence'),
        ('"\t"', 1, "a string must not contain U+0009"),
        ("\xa01", 0, "expected a value, found U+00A0"),
        ("[1] 2", 4, 'expected nothing more, found "2"'),
    ],
)
def test_faults(text: str, at: int, message: str) -> None:
    node, faults = parse_json(Document("x", text))
    assert (None, [(at, message)]) == (node, [(f.span.start, f.message) for f in faults])


def test_nesting_has_an_end() -> None:
    shallow = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    node, faults = parse_json(Document("x", shallow))
    assert (faults, node.end if node else 0) == ([], MAX_DEPTH * 2)
    for unit in ("[", '{"a":', '[{"a":'):
        node, faults = parse_json(Document("x", unit * 200_000))
        assert (None, f"nested more than {MAX_DEPTH} levels deep") == (node, faults[0].message)


@pytest.mark.parametrize("unit", ['"', "[],", "1", '"\\', "{}", '"a":', "-", "\\u", " ", "1e", "é"])
def test_a_megabyte_of_the_same(unit: str) -> None:
    text = "[" + unit * (1_000_000 // len(unit))
    node, faults = parse_json(Document("x", text))
    assert (node, len(faults)) == (None, 1)


def test_a_number_beyond_a_float_is_exact_and_none_is_infinite() -> None:
    node, faults = parse_json(Document("x", "[1e400, -2.5e309, 1e-400]"))
    assert (plain(node), faults) == ([10**400, -25 * 10**308, 0.0], [])
    for text in ("9" * 10_000, "1e999999", "-1.5e88888"):
        node, faults = parse_json(Document("x", f"[{text}]"))
        assert [fault.message for fault in faults] == ["a number of more than 4000 digits"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\\n', max_size=3), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=VALUES, indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_generated_values(value: Any, indent: int | None, *, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    node, faults = parse_json(Document("x", text))
    assert ([], value) == (faults, plain(node))


TOKENS = st.sampled_from([*'{}[]:,"\\u0d8 1-.eE+tn\n', "true", "null", '"a"', "\\ud83d", "é"])


def accepted(text: str) -> bool:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


@settings(max_examples=500, deadline=None)
@given(st.lists(TOKENS, max_size=12).map("".join))
def test_the_same_texts_are_accepted(text: str) -> None:
    _, faults = parse_json(Document("x", text))
    assert accepted(text) is not bool(faults)
