"""The YAML reader: the values that YAML 1.1 has, exact ranges, no text that ends the process."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor.parse.data import Mapping, Node, Scalar, Sequence
from blastdoor.parse.yaml import MAX_DEPTH, MAX_MERGED, parse_yaml, plain_value
from blastdoor.span import Document


def plain(node: Node) -> Any:
    """The tree as Python data; of duplicate keys the last."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.value: plain(value) for key, value in node.entries}


def read(text: str) -> Any:
    parsed = parse_yaml(Document("t.yaml", text), {"!Ref": "Ref", "!GetAtt": "Fn::GetAtt"})
    assert parsed.faults == []
    (root,) = parsed.roots
    return plain(root)


def fault(text: str) -> str:
    parsed = parse_yaml(Document("t.yaml", text))
    return parsed.faults[0].message


def strings(text: str) -> list[tuple[Any, str]]:
    """Every scalar that is no key, with the source text of its range."""
    (root,) = parse_yaml(Document("t.yaml", text)).roots
    found = []
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar):
            found.append((node.value, text[node.start : node.end]))
        elif isinstance(node, Sequence):
            stack.extend(reversed(node.items))
        else:
            stack.extend(value for _key, value in reversed(node.entries))
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("No", False), ("on", True), ("OFF", False), ("true", True),
        ("~", None), ("", None), ("null", None), ("NULL", None),
        ("12", 12), ("-7", -7), ("0755", 493), ("0x1F", 31), ("0b101", 5), ("1_000", 1000),
        ("1:30", 90), ("012345678901", "012345678901"), ("0o17", "0o17"), ("-", "-"), ("+", "+"),
        ("3.10", 3.1), (".5", 0.5), ("1e3", "1e3"), ("1.0e+3", 1000.0), ("1:30.5", 90.5),
        (".inf", ".inf"), (".nan", ".nan"), ("9" * 4001, "9" * 4001), ("1.0e+999", "1.0e+999"),
        ("2012-10-17", "2012-10-17"), ("y", "y"), ("=", "="), ("0_", "0_"), ("0b_", "0b_"), ("0x", "0x"),
    ],
)  # fmt: skip
def test_plain_scalars_mean_what_yaml_1_1_says(text: str, value: object) -> None:
    assert plain_value(text) == value
    assert type(plain_value(text)) is type(value)


def test_quoted_and_tagged_scalars_are_text() -> None:
    assert read("[\"12\", 'yes', !!str 12, ! 12, !!int '7', !!bool yes, !!null '', !!timestamp x]") == [
        "12", "yes", "12", "12", 7, True, None, "x",
    ]  # fmt: skip


def test_keys_are_the_text_that_is_written() -> None:
    assert read("012: a\nyes: b\n~: c\n'q': d\n? long\n: e\n") == {
        "012": "a",
        "yes": "b",
        "~": "c",
        "q": "d",
        "long": "e",
    }


def test_tags_of_the_text_stand_for_a_mapping() -> None:
    assert read("a: !Ref x\nb: !GetAtt [c, !Ref d]\ne: !Other {f: 1}\ng: !Ref 12\nh: !Ref\n") == {
        "a": {"Ref": "x"},
        "b": {"Fn::GetAtt": ["c", {"Ref": "d"}]},
        "e": {"!Other": {"f": 1}},
        "g": {"Ref": "12"},
        "h": {"Ref": ""},
    }


def test_ranges_cover_the_source_of_each_value() -> None:
    text = (
        "\ufeffa: 'it''s' # c\nb: &x !Ref\n  plain text\nc: [1, \"q\"]\n"
        "d: |\n  one\n   two\n\ne: 'é😀'\n"
    )
    assert strings(text) == [
        ("it's", "'it''s'"),
        ("plain text", "plain text"),
        (1, "1"),
        ("q", '"q"'),
        ("one\n two\n", "|\n  one\n   two"),
        ("é😀", "'é😀'"),
    ]


def test_ranges_of_collections_end_with_their_last_entry() -> None:
    text = "a:\n  b: 1\n  c:\n    - d\n\n# the end\ne: {f: [g]}  # h\n"
    (root,) = parse_yaml(Document("t.yaml", text)).roots
    assert isinstance(root, Mapping)
    first, second = (value for _key, value in root.entries)
    assert text[first.start : first.end] == "b: 1\n  c:\n    - d"
    assert text[second.start : second.end] == "{f: [g]}"
    assert text[root.start : root.end] == text.removesuffix("  # h\n")


def test_a_tag_is_the_key_with_its_place() -> None:
    text = "a: &n !Ref  # why\n  x\n"
    (root,) = parse_yaml(Document("t.yaml", text), {"!Ref": "Ref"}).roots
    assert isinstance(root, Mapping)
    inner = root.entries[0][1]
    assert isinstance(inner, Mapping)
    key, value = inner.entries[0]
    assert (text[key.start : key.end], text[value.start : value.end]) == ("!Ref", "x")


def test_an_alias_is_the_node_itself() -> None:
    (root,) = parse_yaml(Document("t.yaml", "a: &x [1]\nb: *x\n")).roots
    assert isinstance(root, Mapping)
    assert root.entries[0][1] is root.entries[1][1]


def test_an_alias_may_be_a_key() -> None:
    assert read("a: &x k\n*x : 1\n") == {"a": "k", "k": 1}


def test_merge_keys_give_what_the_mapping_lacks() -> None:
    text = """
base: &base {a: 1, b: 1}
more: &more {b: 2, c: 2}
one: {<<: *base, b: 0}
two:
  <<: [*more, *base]
  d: 3
quoted: {'<<': *base}
"""
    found = read(text)
    assert found["one"] == {"b": 0, "a": 1}
    assert found["two"] == {"d": 3, "b": 2, "c": 2, "a": 1}
    assert found["quoted"] == {"<<": {"a": 1, "b": 1}}


def test_a_merge_key_with_something_else_is_a_fault() -> None:
    assert fault("a: {<<: 12, b: 1}") == "a merge key takes a mapping or a list of them"


def test_duplicate_keys_are_kept() -> None:
    (root,) = parse_yaml(Document("t.yaml", "a: 1\nb: 2\na: 3\n")).roots
    assert isinstance(root, Mapping)
    assert [key.value for key, _value in root.entries] == ["a", "b", "a"]


def test_every_document_is_given_and_anchors_do_not_cross() -> None:
    parsed = parse_yaml(Document("t.yaml", "%YAML 1.1\n---\na: &x 1\n---\n[b]\n...\n"))
    assert [plain(root) for root in parsed.roots] == [{"a": 1}, ["b"]]
    assert "names nothing" in fault("a: &x 1\n---\nb: *x\n")


def test_comments_for_blastdoor_are_found_behind_what_is_no_text() -> None:
    text = (
        "# blastdoor: ignore[a]\n"
        "b: '# blastdoor: in a text'\n"
        "c: '#' # blastdoor: ignore[d]\n"
        "e: |\n  # blastdoor: in a block\n"
        "f: x# blastdoor: no comment\n"
        "g: 1  #  blastdoor: ignore[h]  \r\n"
    )
    parsed = parse_yaml(Document("t.yaml", text))
    assert [comment.text for comment in parsed.comments] == [
        "blastdoor: ignore[a]",
        "blastdoor: ignore[d]",
        "blastdoor: ignore[h]",
    ]
    assert [text[c.start : c.end] for c in parsed.comments][2] == "#  blastdoor: ignore[h]"


def test_what_was_finished_before_a_fault_is_kept() -> None:
    text = "Resources:\n  A:\n    Type: x\n  B:\n    Type: y\n    Broken: 'z\n"
    parsed = parse_yaml(Document("t.yaml", text))
    assert "quoted scalar" in parsed.faults[0].message
    assert [plain(root) for root in parsed.roots] == [{"Resources": {"A": {"Type": "x"}}}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a [*a]", "the alias *a names nothing that ends before it"),
        ("x: *y", "the alias *y names nothing that ends before it"),
        ("? [a]\n: b", "a key that is neither a text nor a number"),
        ("a: \x01b", "a character that YAML does not allow"),
        ("é: \x7f", "a character that YAML does not allow"),
        ("x: \ud800", "a text that is no YAML"),
        ("a: {b: 1}}", "did not find expected key"),
        ("\t- a", "cannot start any token"),
        ("a: 'b", "unexpected end of stream"),
        ("%TAG ! \n---\na", "did not find"),
    ],
)
def test_what_is_no_yaml_is_one_fault(text: str, words: str) -> None:
    assert words in fault(text)


def test_the_place_of_a_fault_is_in_code_points() -> None:
    parsed = parse_yaml(Document("t.yaml", "\ufeffé😀: \x01"))
    assert (parsed.faults[0].span.start, parsed.faults[0].span.end) == (5, 6)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 30_000 + "]" * 30_000,
        "[" * 30_000,
        "{a: " * 30_000,
        "- " * 30_000 + "a",
        "".join(" " * n + "a:\n" for n in range(1_500)),
        "? " * 20_000 + "a",
        "!a " * 20_000,
        "&a " * 20_000,
    ],
)
def test_deep_nesting_is_a_fault(text: str) -> None:
    began = time.process_time()
    parsed = parse_yaml(Document("t.yaml", text))
    assert parsed.faults
    assert time.process_time() - began < 5


def test_nesting_up_to_the_limit_is_read() -> None:
    parsed = parse_yaml(Document("t.yaml", "[" * MAX_DEPTH + "]" * MAX_DEPTH))
    assert parsed.faults == []
    assert "nested more than" in fault("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_a_bomb_of_aliases_stays_small() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 100)]
    parsed = parse_yaml(Document("t.yaml", "\n".join(lines)))
    assert parsed.faults == []
    assert isinstance(parsed.roots[0], Mapping)
    assert len(parsed.roots[0].entries) == 100


def test_merge_keys_copy_a_limited_number_of_entries() -> None:
    base = "b: &b {" + ", ".join(f"k{n}: 1" for n in range(1_000)) + "}\n"
    text = base + "".join(f"m{n}: {{<<: *b}}\n" for n in range(MAX_MERGED // 1_000 + 1))
    assert fault(text) == f"merge keys that copy more than {MAX_MERGED} entries"


@pytest.mark.parametrize(
    "piece",
    [
        "a{}: 1\n",
        "- &a{} x\n",
        "- [b, c]\n",
        "- !Ref x{}\n",
        "# c\n",
        "- 'q''{}'\n",
        "a{}: |\n  t\n",
    ],
)
def test_a_long_text_is_read_in_a_moment(piece: str) -> None:
    document = Document("t.yaml", "".join(piece.format(n) for n in range(60_000)))
    began = time.process_time()
    assert parse_yaml(document).faults == []
    assert time.process_time() - began < 10


# The library writes line ends of other scripts in a form that it does not read back itself.
words = st.text(st.characters(exclude_characters="\x85\u2028\u2029", codec="utf-8"), max_size=8)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), words,
    st.sampled_from(["yes", "012", "1_0", "~", "<<", "- a", "# b", "a: b", "2012-10-17", "é😀", "|"]),
)  # fmt: skip
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


@given(data, st.sampled_from([True, False, None]), st.sampled_from([None, "'", '"', "|"]))
@settings(max_examples=300, deadline=None)
def test_what_the_library_writes_is_read_back(
    value: Any,
    flow: bool | None,  # noqa: FBT001  drawn
    style: str | None,
) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, default_style=style, allow_unicode=True)
    parsed = parse_yaml(Document("t.yaml", text))
    assert parsed.faults == []
    assert [plain(root) for root in parsed.roots] == [value]


@given(
    st.lists(
        st.sampled_from(
            ["a", "b: ", "- ", "[", "]", "{", "}", ", ", "&x ", "*x", "!Ref ", "<<: ", "\n", "\n  ", "'",
             '"', "|\n", ">", "# blastdoor: ", "? ", ": ", "---\n", "...\n", "%TAG ! y\n", "\t",
             "\ufeff", "\r", "\x85", "é"]
        ),
        max_size=40,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=600, deadline=None)
def test_any_text_gives_nodes_or_a_fault(text: str) -> None:
    parsed = parse_yaml(Document("t.yaml", text))
    size = len(text)
    assert (
        parsed.roots
        or parsed.faults
        or all(not line.split("#")[0].strip(" \t\ufeff-.%") for line in text.splitlines())
    )
    stack = list(parsed.roots)
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        assert 0 <= node.start <= node.end <= size
        if isinstance(node, Sequence):
            stack.extend(node.items)
        elif isinstance(node, Mapping):
            for key, value in node.entries:
                assert isinstance(key.value, str)
                stack += [key, value]
    for found in parsed.faults:
        assert 0 <= found.span.start <= found.span.end <= size


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_plain_scalars_never_fail(text: str) -> None:
    value = plain_value(text)
    assert isinstance(value, (str, bool, int, float)) or value is None
