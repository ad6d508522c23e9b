"""Files that a tool writes before Terraform runs, put together from what is known of their text.

What such a text takes from elsewhere stays a value with its evidence: within a quoted string it becomes
the interpolation of a name that stands for the value (`Rendering.names`), so that a value which is not
known leaves the rest of the file readable. Everything else of the text is literal, and knows where it is
written (`blastdoor.span.Rendered`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.expression import to_text
from blastdoor.span import Rendered, Span
from blastdoor.value import MAX_TEXT, Evidence, Known, Piece, Step, Text, Value

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX: Final = "rendered_value_"
_LINE: Final = 200
"""How much of a line is looked back at."""
_ARGUMENT: Final = re.compile(r"^[\s\[,]*$|=[^=]*$")
"""What stands before the quote of an argument's value on its line."""
_LITERAL_ARGUMENT: Final = re.compile(r"\b(?:alias|source|version|required_version)\s*=\s*$")
"""Arguments that Terraform wants to be literal."""
_SPECIAL: Final = re.compile(r'["\\\n\r]|\$\{|%\{')
_TOKEN: Final = re.compile(
    r'"|\\.|\$\$\{|%%\{|\$\{|%\{|[{}]|#|//|/\*|<<-?(?P<mark>[A-Za-z_][\w-]*)[ \t]*\r?\n', re.DOTALL
)
_STRING_TOKEN: Final = re.compile(r'"|\\.|\$\$\{|%%\{|\$\{|%\{', re.DOTALL)


@dataclass(slots=True)
class Rendering:
    """A rendered file, and what it needs to be read."""

    document: Rendered
    names: dict[str, Value] = field(default_factory=dict)
    """What the names in it stand for that are not Terraform's."""
    loose: bool = False
    """Whether something that is not known stands outside of a string, where it may be anything."""


class _Scanner:
    """Where in Terraform's syntax a text ends: in code, a string, a heredoc or a comment."""

    def __init__(self) -> None:
        self.stack: list[str] = ["code"]
        self.mark = ""
        self.line = ""
        """What stands on the line so far, up to the quote of the string that is open."""

    @property
    def mode(self) -> str:
        return self.stack[-1]

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            mode = self.mode
            if mode == "comment":
                at = self._until(text, "\n", at, keep=True)
            elif mode == "long comment":
                at = self._until(text, "*/", at)
            elif mode == "heredoc":
                at = self._heredoc(text, at)
            else:
                at = self._token(text, at, string=mode == "string")

    def _until(self, text: str, end: str, at: int, *, keep: bool = False) -> int:
        found = text.find(end, at)
        if found < 0:
            return len(text)
        self.stack.pop()
        return found if keep else found + len(end)

    def _heredoc(self, text: str, at: int) -> int:
        found = re.compile(rf"^[ \t]*{re.escape(self.mark)}[ \t]*$", re.MULTILINE).search(text, at)
        if found is None:
            return len(text)
        self.stack.pop()
        self.line = ""
        return found.end()

    def _extend(self, text: str) -> None:
        line = text.rpartition("\n")[2] if "\n" in text else self.line + text
        self.line = line[-_LINE:]

    def _token(self, text: str, at: int, *, string: bool) -> int:
        found = (_STRING_TOKEN if string else _TOKEN).search(text, at)
        if not string:
            plain = text[at : found.start() if found else len(text)]
            self._extend(plain)
        if found is None:
            return len(text)
        word = found.group()
        if word == '"':
            if string:
                self.stack.pop()
                self._extend('""')
            else:
                self.stack.append("string")
        elif word in ("${", "%{"):
            self.stack.append("code")
        elif string:
            pass
        elif word == "{":
            self.stack.append("code")
            self._extend(word)
        elif word == "}":
            if len(self.stack) > 1:
                self.stack.pop()
            self._extend(word)
        elif word in ("#", "//"):
            self.stack.append("comment")
        elif word == "/*":
            self.stack.append("long comment")
        elif found.group("mark"):
            self.mark = found.group("mark")
            self.stack.append("heredoc")
        return found.end()


class _Writer:
    def __init__(self, first: int, home: Span, said: str) -> None:
        self.text: list[str] = []
        self.size = 0
        self.stretches: list[tuple[int, Span]] = []
        self.names: dict[str, Value] = {}
        self.loose = False
        self.scanner = _Scanner()
        self.first = first
        self.last = home
        self.said = said

    def literal(self, text: str, place: Span) -> None:
        if not text:
            return
        self.stretches.append((self.size, place))
        self.text.append(text)
        self.size += len(text)
        self.scanner.feed(text)
        self.last = place

    def value(self, value: Value) -> None:
        mode = self.scanner.mode
        behind = Span(self.last.document, self.last.end, self.last.end)
        text = to_text(value)
        if mode in ("comment", "long comment"):
            self.literal("…" if text is None else " ".join(text.split()), behind)
            return
        named = mode == "string" and self._is_argument(text)
        if text is None or named:
            name = f"{_PREFIX}{self.first + len(self.names)}"
            self.names[name] = value.through(Evidence(Step.INPUT, self.said, value.span or behind))
            self.loose = self.loose or not named
            self.literal(f"${{{name}}}" if mode in ("string", "heredoc") else name, behind)
        elif isinstance(value, Known) and value.pieces:
            for piece in value.pieces:
                self.literal(piece.text, Span(piece.document, piece.start, piece.end))
            self.last = behind
        else:
            self.literal(text, value.span or behind)
            self.last = behind

    def _is_argument(self, text: str | None) -> bool:
        line = self.scanner.line
        if text is not None and (_SPECIAL.search(text) or _LITERAL_ARGUMENT.search(line)):
            return False
        return _ARGUMENT.search(line) is not None


def render(
    pieces: Sequence[Piece | Value], path: str, home: Span, said: str, first: int
) -> Rendering:
    """The file at ``path`` whose text is made of ``pieces``.

    ``home`` is the place of what has no place of its own, ``said`` the words of evidence for the values,
    ``first`` the number of the first name: names are unique among the files of one unit.
    """
    writer = _Writer(first, home, said)
    for piece in pieces:
        if writer.size > MAX_TEXT:
            break
        if isinstance(piece, Piece):
            writer.literal(piece.text, Span(piece.document, piece.start, piece.end))
        elif isinstance(piece, Text) and writer.scanner.mode != "string":
            for part in piece.parts:
                if isinstance(part, Piece):
                    writer.literal(part.text, Span(part.document, part.start, part.end))
                else:
                    writer.value(part)
        else:
            writer.value(piece)
    stretches = writer.stretches or [(0, home)]
    document = Rendered(path, "".join(writer.text), stretches)
    return Rendering(document, writer.names, writer.loose)
