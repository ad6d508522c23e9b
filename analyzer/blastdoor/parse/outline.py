"""The brackets of a large JSON text: what stands where, without a tree of it.

A plan of many megabytes is read for a few of its members. One pass finds where every object and array
ends; from then on a member is reached by jumping over its neighbours, and only what is asked for is
parsed (by `blastdoor.parse.json` where its positions matter). Nothing recurses: nesting has a limit.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH: Final = 200
"""How deep arrays and objects nest in one another; as in `blastdoor.parse.json`."""
MAX_CONTAINERS: Final = 2_000_000
"""Most arrays and objects of one text; a plan has about ten to a kilobyte."""

_BLANK: Final = r"[ \t\r\n]*+"
_STRING: Final = r'"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrtu])*+"'
_bracket = re.compile(rf'(?:[^"\[\]{{}}]++|{_STRING})*+([\[\]{{}}])').match
_rest = re.compile(rf'(?:[^"\[\]{{}}]++|{_STRING})*+').match
_SCALAR: Final = (
    rf"{_STRING}|-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+(?![0-9.eE])"
    r"|(?:true|false|null)(?![0-9A-Za-z_])"
)
_scalar = re.compile(_SCALAR).match
_entry = re.compile(rf"{_BLANK}({_STRING}){_BLANK}:{_BLANK}(?:({_SCALAR}){_BLANK}([,}}]))?+").match
_open_string = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrtu])*+').match
_blank = re.compile(_BLANK).match
_WITH_SCALAR: Final = 3
_CLOSING: Final = {"{": "}", "[": "]"}


class OutlineError(ValueError):
    """The first place at which a text is seen to be no JSON, or more than is read."""

    def __init__(self, at: int, message: str, *, limit: bool = False) -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.limit = limit
        """Whether it is JSON but beyond a limit."""


class Part(NamedTuple):
    """The range ``[start, end)`` of one JSON value, in code points."""

    start: int
    end: int


class Outline:
    """A JSON text and where its containers end. Raises OutlineError when the brackets do not match.

    What stands between the brackets is checked when it is reached: by `members`, `items` and `data`.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._end: dict[int, int] = {}
        self._members: dict[int, dict[str, Part]] = {}
        first = _blank(text, 1 if text.startswith("\ufeff") else 0)
        start = first.end() if first else 0
        if start >= len(text):
            raise OutlineError(start, "expected a JSON object, found the end of the file")
        if text[start] != "{":
            found = text[start] if text[start].isprintable() else f"U+{ord(text[start]):04X}"
            raise OutlineError(start, f'expected a JSON object, found "{found}"')
        self.root = Part(start, self._brackets(start))

    def _brackets(self, start: int) -> int:
        """Effect: notes where each container ends; gives the end of the first one."""
        text, ends = self.text, self._end
        stack: list[int] = []
        pos = start
        while True:
            match = _bracket(text, pos)
            if match is None:
                rest = _rest(text, pos)
                at = rest.end() if rest else pos
                string = _open_string(text, at)
                if string is not None and string.end() >= len(text) - 1:
                    at = len(text)
                if at >= len(text):
                    raise OutlineError(at, "the file ends within the JSON text: it is cut off")
                raise OutlineError(at, "a string that does not end, or has what no string may have")
            pos = match.end()
            bracket = text[pos - 1]
            if bracket in "{[":
                if len(stack) >= MAX_DEPTH:
                    message = f"nested more than {MAX_DEPTH} levels deep"
                    raise OutlineError(pos - 1, message, limit=True)
                if len(ends) >= MAX_CONTAINERS:
                    message = f"more than {MAX_CONTAINERS:,} arrays and objects"
                    raise OutlineError(pos - 1, message, limit=True)
                stack.append(pos - 1)
                continue
            opened = stack.pop()
            expected = _CLOSING[text[opened]]
            if bracket != expected:
                raise OutlineError(pos - 1, f'expected "{expected}", found "{bracket}"')
            ends[opened] = pos
            if not stack:
                break
        last = _blank(text, pos)
        if last is not None and last.end() < len(text):
            at = last.end()
            raise OutlineError(at, f'expected nothing more, found "{text[at]}"')
        return pos

    def is_object(self, part: Part) -> bool:
        """Whether the value is an object."""
        return self.text[part.start] == "{"

    def is_array(self, part: Part) -> bool:
        """Whether the value is an array."""
        return self.text[part.start] == "["

    def members(self, part: Part | None) -> dict[str, Part]:
        """The members of an object, the last of equal names; nothing for any other value.

        They are kept: several readers ask for the same ones. Raises OutlineError.
        """
        if part is None or not self.is_object(part):
            return {}
        found = self._members.get(part.start)
        if found is None:
            found = {name: value for name, _key, value in self.entries(part)}
            self._members[part.start] = found
        return found

    def entries(self, part: Part) -> Iterator[tuple[str, Part, Part]]:
        """(name, where the name stands, value) of each member of an object. Raises OutlineError."""
        text, ends = self.text, self._end
        pos = self._behind(part.start + 1)
        if text[pos] == "}":
            return
        while True:
            match = _entry(text, pos)
            if match is None:
                raise OutlineError(pos, "expected a name and a value")
            left, right = match.span(1)
            name = text[left + 1 : right - 1]
            if "\\" in name:
                name = self._string(left, right)
            if match.lastindex == _WITH_SCALAR:
                start, end = match.span(2)
                pos = match.end() - 1
            else:
                start = match.end()
                found = ends.get(start)
                end = self._value(start).end if found is None else found
                pos = self._behind(end)
            yield name, Part(left, right), Part(start, end)
            if text[pos] != ",":
                break
            pos += 1
        if pos != part.end - 1:
            raise OutlineError(pos, 'expected "," or "}"')

    def items(self, part: Part | None) -> Iterator[Part]:
        """The elements of an array; nothing for any other value. Raises OutlineError."""
        if part is None or not self.is_array(part):
            return
        text = self.text
        pos = self._behind(part.start + 1)
        if text[pos] == "]":
            return
        while True:
            value = self._value(self._behind(pos))
            yield value
            pos = self._behind(value.end)
            if text[pos] != ",":
                break
            pos += 1
        if pos != part.end - 1:
            raise OutlineError(pos, 'expected "," or "]"')

    def at(self, part: Part | None, *names: str) -> Part | None:
        """The value at a path of names below an object; ``None`` where there is none."""
        for name in names:
            if part is None:
                return None
            part = self.members(part).get(name)
        return part

    def data(self, part: Part | None) -> Any:
        """What a value says, as Python data; ``None`` for no value. Raises OutlineError."""
        if part is None:
            return None
        try:
            return json.loads(self.text[part.start : part.end])
        except ValueError as error:
            at = part.start + getattr(error, "pos", 0)
            raise OutlineError(at, "is no JSON value") from error

    def string(self, part: Part | None) -> str:
        """The text of a string; ``""`` for any other value."""
        if part is None or self.text[part.start] != '"':
            return ""
        inner = self.text[part.start + 1 : part.end - 1]
        return self._string(part.start, part.end) if "\\" in inner else inner

    def _string(self, start: int, end: int) -> str:
        try:
            found = json.loads(self.text[start:end])
        except ValueError as error:
            raise OutlineError(start, "is no JSON string") from error
        return str(found)

    def _value(self, pos: int) -> Part:
        end = self._end.get(pos)
        if end is not None:
            return Part(pos, end)
        match = _scalar(self.text, pos)
        if match is None:
            raise OutlineError(pos, "expected a value")
        return Part(pos, match.end())

    def _behind(self, pos: int) -> int:
        """The offset of what follows blanks; there is something: a bracket is still open."""
        match = _blank(self.text, pos)
        return match.end() if match else pos
