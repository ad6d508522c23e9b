"""Shell scripts to simple commands: words without quotes, each with its place. Nothing is expanded.

Read are quotes, comments, continued lines, separators, substitutions (whose commands run too), the
bodies of here-documents (which are data) and a script that a shell is given with ``-c``. A variable
stays as it is written. The time is linear in the text.

Source: POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.7 (redirection) and 2.9
(simple commands).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r]+|\\\r?\n)
      | (?P<line>\n)
      | (?P<comment>\#[^\n]*)
      | (?P<here><<-?[ \t]*(?P<mark>\\?[\w.-]+|'[^'\n]*'|"[^"\n]*"))
      | (?P<redirect>[0-9]*(?:<<<|[<>]{1,2}[|&]?|&>{1,2}))
      | (?P<end>[;|&()`])
      | (?P<word>(?:[^\s;|&()`'"\\<>]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)
      | (?P<stray>.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED: Final = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=", re.ASCII)
_LEADING: Final = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "sudo"}
    | {"env", "nohup", "command", "eval"}
)
"""Words before the program."""
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ash"})
_NESTED: Final = 4
"""Shells within shells that are followed."""


class Word(NamedTuple):
    """One word: its text without quotes, and where it stands in the script."""

    text: str
    start: int
    end: int


def simple_commands(script: str) -> Iterator[list[Word]]:
    """The simple commands of a script, from the program on; at least one word each."""
    yield from _commands(script, 0, _NESTED)


def _commands(script: str, shift: int, nested: int) -> Iterator[list[Word]]:
    for words in _split(script, shift):
        yield words
        inner = _given(words) if nested else None
        if inner is not None:
            # What stands in quotes is read where it stands, as long as the quotes are all there is.
            raw = script[inner.start - shift : inner.end - shift]
            exact = raw[1:-1] == inner.text
            for command in _commands(inner.text, inner.start + 1 if exact else 0, nested - 1):
                yield command if exact else [Word(w.text, inner.start, inner.end) for w in command]


def _split(script: str, shift: int) -> Iterator[list[Word]]:
    words: list[Word] = []
    marks: list[tuple[str, bool]] = []
    skip = False
    at = 0
    while at < len(script):
        token = _TOKEN.match(script, at)
        assert token is not None
        kind = token.lastgroup
        start, at = at, token.end()
        if token["word"] is not None:
            if not skip:
                words.append(Word(_plain(token["word"]), start + shift, at + shift))
            skip = False
        elif token["here"] is not None:
            mark = token["mark"]
            marks.append((mark.strip("'\"\\"), token["here"].startswith("<<-")))
        elif token["redirect"] is not None:
            if words and words[-1].end == start + shift and words[-1].text.isdigit():
                words.pop()
            skip = True
        elif kind in ("line", "end"):
            yield from _trimmed(words)
            words, skip = [], False
            if kind == "line" and marks:
                at = _behind(script, at, marks)
                marks = []
    yield from _trimmed(words)


def _behind(script: str, at: int, marks: list[tuple[str, bool]]) -> int:
    """The offset behind the here-documents that begin at ``at``."""
    for mark, tabs in marks:
        while at < len(script):
            stop = script.find("\n", at)
            stop = len(script) if stop < 0 else stop
            line = script[at:stop].rstrip("\r")
            at = min(stop + 1, len(script))
            if (line.lstrip("\t") if tabs else line) == mark:
                break
    return at


def _plain(word: str) -> str:
    """A word without its quotes."""
    if "'" not in word and '"' not in word and "\\" not in word:
        return word
    return _QUOTED.sub(lambda m: m[1] if m[1] is not None else (m[2] or m[3] or ""), word)


def _trimmed(words: list[Word]) -> Iterator[list[Word]]:
    """The words from the program on, when there is one."""
    start = 0
    while start < len(words) and (
        words[start].text in _LEADING or _ASSIGNMENT.match(words[start].text)
    ):
        start += 1
    if start < len(words):
        yield words[start:]


def _given(words: list[Word]) -> Word | None:
    """The script that a shell is given with ``-c``."""
    if posixpath.basename(words[0].text) in _SHELLS:
        for number, word in enumerate(words[:-1]):
            if word.text == "-c":
                return words[number + 1]
    return None
