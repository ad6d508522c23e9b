"""The shell reader: simple commands with the places of their words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor.parse.shell import simple_commands


def said(script: str) -> list[list[str]]:
    return [[word.text for word in words] for words in simple_commands(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a b c", [["a", "b", "c"]]),
        ("a; b && c || d & e | f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a\nb\r\nc", [["a"], ["b"], ["c"]]),
        ("a \\\n  b", [["a", "b"]]),
        ("X=1 Y+=2 a b", [["a", "b"]]),
        ("if a; then sudo b; else c; fi", [["a"], ["b"], ["c"], ["fi"]]),
        ("a 'b c' \"d 'e\" f\\ g", [["a", "b c", "d 'e", "f g"]]),
        ("a # b; c\nd", [["a"], ["d"]]),
        ("a b#c", [["a", "b#c"]]),
        ("a > out 2>&1 < in b", [["a", "b"]]),
        ("a 2>/dev/null b", [["a", "b"]]),
        ("x=$(a b)", [["a", "b"]]),
        ("a `b c`", [["a"], ["b", "c"]]),
        ("(a; b)", [["a"], ["b"]]),
        ("cat <<EOF\nrm it\nEOF\na", [["cat"], ["a"]]),
        ("cat <<-'EOF' > f\n\trm it\n\tEOF\na", [["cat"], ["a"]]),
        ("cat <<A <<B\n1\nA\n2\nB\na", [["cat"], ["a"]]),
        ("cat <<<word\na", [["cat"], ["a"]]),
        ("cat <<EOF\nnever ends", [["cat"]]),
        ("bash -c 'a b; c'", [["bash", "-c", "a b; c"], ["a", "b"], ["c"]]),
        ("a 'never ends", [["a", "never", "ends"]]),
        ("", []),
        ("# only", []),
    ],
)
def test_commands(script: str, expected: list[list[str]]) -> None:
    assert said(script) == expected


def test_places_also_within_a_shell_of_its_own() -> None:
    script = "x && sh -c 'terraform  destroy' # it"
    places = [script[words[0].start : words[-1].end] for words in simple_commands(script)]
    assert places == ["x", "sh -c 'terraform  destroy'", "terraform  destroy"]


@settings(max_examples=300)
@given(st.text(alphabet="ab \t\n;|&()`'\"\\<>#$-{}=1EOF", max_size=60))
def test_any_text_is_taken_apart(script: str) -> None:
    for words in simple_commands(script):
        assert words
        for word in words:
            assert 0 <= word.start <= word.end <= len(script)


def test_time_grows_with_the_text_only() -> None:
    for part in ("'", '"', "\\", "a ", "<<E\n", "$(", "sh -c 'a' ", "`"):
        assert sum(1 for _words in simple_commands(part * 50_000)) <= 50_001
