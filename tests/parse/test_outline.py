"""The outline of a JSON text against the standard library, and texts that mean harm."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastdoor.parse import outline as module
from blastdoor.parse.outline import Outline, OutlineError, Part

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def rebuilt(outline: Outline, part: Part) -> Any:
    """What the outline says, member by member."""
    if outline.is_object(part):
        return {name: rebuilt(outline, value) for name, value in outline.members(part).items()}
    if outline.is_array(part):
        return [rebuilt(outline, item) for item in outline.items(part)]
    return outline.data(part)


@given(st.dictionaries(st.text(), values, max_size=5), st.sampled_from([None, 1]), st.booleans())
def test_it_says_what_the_text_says(data: dict[str, Any], indent: int | None, escape: bool) -> None:  # noqa: FBT001
    text = json.dumps(data, indent=indent, ensure_ascii=escape)
    outline = Outline(text)

    assert rebuilt(outline, outline.root) == data


@given(st.dictionaries(st.text(), values, max_size=3), st.data())
def test_a_text_that_is_cut_off_is_an_error(data: dict[str, Any], draw: st.DataObject) -> None:
    text = json.dumps(data)
    end = draw.draw(st.integers(0, len(text) - 1))

    with pytest.raises(OutlineError):
        Outline(text[:end])


def test_places_and_strings() -> None:
    text = ' {"a\\u0062": ["x\\ny", {"c": 1}] , "d":null}'
    outline = Outline(text)
    [(name, key, value), (_d, _key, null)] = list(outline.entries(outline.root))

    assert (name, text[key.start : key.end]) == ("ab", '"a\\u0062"')
    assert text[value.start : value.end] == '["x\\ny", {"c": 1}]'
    assert outline.string(next(outline.items(value))) == "x\ny"
    assert text[null.start : null.end] == "null"
    assert outline.at(outline.root, "ab", "c") is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("[]", 0),
        ("{", 1),
        ('{"a": [}', 7),
        ('{"a": 1} x', 9),
        ('{"a": "x}', 9),
        ('{"a": "\x01"}', 6),
        ('{"a": 1]', 7),
    ],
)
def test_brackets_that_do_not_match(text: str, at: int) -> None:
    with pytest.raises(OutlineError) as caught:
        Outline(text)

    assert caught.value.at == at


@pytest.mark.parametrize(
    "inner", ['"a" 1', '"a": 01', '"a": 1,', "a: 1", '"a": 1 "b": 2', '"a": nul', '"a": [1 2]']
)
def test_what_stands_between_the_brackets_is_checked_when_it_is_reached(inner: str) -> None:
    outline = Outline("{" + inner + "}")

    with pytest.raises(OutlineError):
        rebuilt(outline, outline.root)


def test_depth_and_number_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = '{"a":' * 200 + "1" + "}" * 200
    outline = Outline(deep)
    assert outline.is_object(outline.root)
    for text in ('{"a":' + deep + "}", "{" + '"a":[' * 100_000):
        with pytest.raises(OutlineError, match="200 levels") as caught:
            Outline(text)
        assert caught.value.limit
    monkeypatch.setattr(module, "MAX_CONTAINERS", 10)
    with pytest.raises(OutlineError, match="more than 10 arrays") as caught:
        Outline('{"a": [' + "[]," * 20 + "[]]}")
    assert caught.value.limit


@pytest.mark.parametrize(
    "text",
    [
        '{"a":"' + "\\" * 2_000_000,
        '{"a":' + '"' * 1_000_001,
        '{"a":' + " " * 2_000_000,
        '{"' + "[" * 2_000_000,
        '{"a":' + "1" * 2_000_000 + "}",
        "{" + '"a":"\\u00e9",' * 200_000 + '"b":1}',
    ],
)
def test_nothing_takes_long(text: str) -> None:
    start = time.process_time()
    try:
        outline = Outline(text)
        outline.members(outline.root)
    except OutlineError:
        pass

    assert time.process_time() - start < 2
