"""The Python reader: exact places, and no text that ends the process."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor.parse.python import MAX_ELEMENTS, MAX_NESTING, Places, parse_python
from blastdoor.span import Document


def parsed(text: str) -> tuple[ast.Module, Places]:
    document = Document("p.py", text)
    found = parse_python(document)
    assert found.fault is None, found.fault
    assert found.limit == ""
    assert found.module is not None
    return found.module, Places(document)


def why_not(text: str) -> str:
    found = parse_python(Document("p.py", text))
    assert found.module is None
    return found.limit or (found.fault.message if found.fault else "")


@pytest.mark.parametrize(
    "text",
    [
        "a = 'x' + name\n",
        "größe = 'ä' + name\nb = [größe, 'ö'][0]\n",
        "x = ('日本', name,\n     'two')\n",
        "x = '😀' + name  # 😀\n",
        "\ufeffx = name\n",
        "x = name\r\ny = 'ü' + name\r\n",
        "x = '''a\nü\n''' + name\n",
    ],
)
def test_places_are_those_of_the_source(text: str) -> None:
    module, places = parsed(text)
    names = [node for node in ast.walk(module) if isinstance(node, ast.Name)]
    assert names
    assert [places.span(node).text for node in names] == [node.id for node in names]
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert places.span(node).text[0] in "'\""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print 'x'\n", "Python 2"),
        ("try:\n    x()\nexcept ValueError, e:\n    pass\n", "Python 2"),
        ("def f(:\n", "invalid syntax"),
        ("x = " + "(" * (MAX_NESTING + 1) + ")" * (MAX_NESTING + 1), "brackets"),
        ("x = [" + "1," * (MAX_ELEMENTS + 1) + "]", "elements"),
        ("x = '\\N{nothing}'", "unicode"),
        ("x = 1\0", "null"),
        ("  x = 1\ny = 2\n", "indent"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, words: str) -> None:
    assert words in why_not(text)


def test_long_chains_need_no_recursion_of_ours() -> None:
    why_not_or_read = parse_python(Document("p.py", "x = " + " + ".join(["a"] * 20_000)))
    assert (why_not_or_read.module is None) == bool(why_not_or_read.limit or why_not_or_read.fault)
    deep = parse_python(Document("p.py", "x = " + "not " * 50_000 + "a"))
    assert deep.module is None or deep.fault is None


def test_comments_that_speak_to_us() -> None:
    text = '# blastdoor: ignore[x] reason="y"\nx = "# blastdoor: no"\ny = 1  # blastdoor: z\n'
    found = parse_python(Document("p.py", text))
    assert [comment.text for comment in found.comments] == [
        'blastdoor: ignore[x] reason="y"',
        "blastdoor: z",
    ]
    assert [text[c.start : c.end] for c in found.comments] == [
        '# blastdoor: ignore[x] reason="y"',
        "# blastdoor: z",
    ]


@settings(max_examples=200)
@given(st.text(alphabet="ab=()[]{}'\"\\\n\t #:,.@äü\x00lambda def class if", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = parse_python(Document("p.py", text))
    assert (found.module is None) == (found.fault is not None or found.limit != "")
    if found.fault is not None:
        assert 0 <= found.fault.span.start <= found.fault.span.end <= len(text)
