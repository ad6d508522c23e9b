"""Path patterns as ``.gitignore`` writes them, matched in bounded time.

The semantics are those of the manual page gitignore(5). Patterns come from the scanned repository,
so none becomes a regular expression: matching a path of length p against a pattern of length n
costs O(p·n) at most, whatever the number of stars.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_PATTERN: Final = 1_000
"""Longest pattern, in code points; a longer one matches nothing."""
MAX_PATTERNS: Final = 5_000
"""Most patterns of one file; the rest is not read."""

_SLASH: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\/")
"""A slash that a backslash stands before: a slash."""
_CLASSES: Final[dict[str, Callable[[str], bool]]] = {
    "alnum": str.isalnum,
    "alpha": str.isalpha,
    "blank": lambda c: c in " \t",
    "digit": str.isdigit,
    "lower": str.islower,
    "punct": lambda c: c.isascii() and c.isprintable() and not c.isalnum() and c != " ",
    "space": str.isspace,
    "upper": str.isupper,
    "xdigit": lambda c: c in "0123456789abcdefABCDEF",
}


class _Set:
    """A bracket expression: ``[a-z_]``, ``[!0-9]``, ``[[:digit:]]``."""

    __slots__ = ("classes", "negated", "ranges")

    def __init__(self, *, negated: bool) -> None:
        self.negated = negated
        self.ranges: list[tuple[str, str]] = []
        self.classes: list[str] = []

    def matches(self, character: str) -> bool:
        """Whether the set holds the character."""
        inside = any(low <= character <= high for low, high in self.ranges) or any(
            _CLASSES[name](character) for name in self.classes
        )
        return inside != self.negated


_ANY: Final = object()
_STAR: Final = object()

_Token = str | _Set | object


def _tokens(text: str) -> tuple[_Token, ...] | None:
    """The tokens of one path segment; ``None`` for a pattern that can match nothing."""
    result: list[_Token] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "*":
            if not result or result[-1] is not _STAR:
                result.append(_STAR)
            at += 1
        elif character == "?":
            result.append(_ANY)
            at += 1
        elif character == "\\":
            if at + 1 >= len(text):
                return None
            result.append(text[at + 1])
            at += 2
        elif character == "[":
            read = _bracket(text, at + 1)
            if read is None:
                return None
            found, at = read
            result.append(found)
        else:
            result.append(character)
            at += 1
    return tuple(result)


def _bracket(text: str, at: int) -> tuple[_Set, int] | None:
    """The bracket expression whose inside begins at ``at``, and the offset behind it."""
    negated = text[at : at + 1] in ("!", "^")
    found = _Set(negated=negated)
    if negated:
        at += 1
    first = True
    while at < len(text):
        if text[at] == "]" and not first:
            return found, at + 1
        first = False
        if text.startswith("[:", at):
            end = text.find(":]", at + 2)
            if end < 0 or text[at + 2 : end] not in _CLASSES:
                return None
            found.classes.append(text[at + 2 : end])
            at = end + 2
            continue
        low, at = _member(text, at)
        high = low
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(text, at + 1)
        found.ranges.append((low, high))
    return None


def _member(text: str, at: int) -> tuple[str, int]:
    if text[at] == "\\" and at + 1 < len(text):
        return text[at + 1], at + 2
    return text[at], at + 1


def _segment_matches(tokens: Sequence[_Token], text: str) -> bool:
    """Whether one segment matches; goes back only to the last star, which is enough."""
    at = token = 0
    star = star_at = -1
    while at < len(text):
        current = tokens[token] if token < len(tokens) else None
        if current is _STAR:
            star, star_at = token, at
            token += 1
        elif current is not None and (
            current is _ANY
            or current == text[at]
            or (isinstance(current, _Set) and current.matches(text[at]))
        ):
            at += 1
            token += 1
        elif star >= 0:
            star_at += 1
            at = star_at
            token = star + 1
        else:
            return False
    return all(rest is _STAR for rest in tokens[token:])


_Segment = tuple[_Token, ...] | None
"""The tokens of a segment; ``None`` for ``**``, any number of segments."""


def _path_matches(pattern: Sequence[_Segment], segments: Sequence[str]) -> bool:
    """Whether a whole path matches; the same walk as in a segment, with ``**`` as the star."""
    at = token = 0
    star = star_at = -1
    while at < len(segments):
        if token < len(pattern) and pattern[token] is None:
            star, star_at = token, at
            token += 1
            continue
        current = pattern[token] if token < len(pattern) else None
        if current is not None and _segment_matches(current, segments[at]):
            at += 1
            token += 1
        elif star >= 0:
            star_at += 1
            at = star_at
            token = star + 1
        else:
            return False
    return all(rest is None for rest in pattern[token:])


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a ``.gitignore``."""

    segments: tuple[_Segment, ...]
    negated: bool
    """Whether it takes back what earlier patterns say."""
    directories: bool
    """Whether it speaks of directories only."""
    anchored: bool
    """Whether it names a path from the file's own directory on, not a name at any depth."""
    begin: str = ""
    """What a path begins with before ``segments`` are held against the rest of it."""

    def matches(self, segments: Sequence[str], *, directory: bool) -> bool:
        """Whether the path, split at ``/`` and relative to the file's directory, matches."""
        if self.directories and not directory:
            return False
        if not self.anchored:
            only = self.segments[0]
            return only is not None and _segment_matches(only, segments[-1])
        if self.begin:
            path = "/".join(segments)
            rest = path[len(self.begin) :].split("/")
            return path.startswith(self.begin) and _path_matches(self.segments, rest)
        return _path_matches(self.segments, segments)


def pattern(line: str) -> Pattern | None:
    """The pattern of one line; ``None`` for blank lines, comments and what can match nothing."""
    line = line.removesuffix("\n").removesuffix("\r")
    if not line or line.startswith("#") or len(line) > MAX_PATTERN:
        return None
    stripped = line.rstrip(" ")
    if stripped != line:
        escapes = len(stripped) - len(stripped.rstrip("\\"))
        line = stripped + " " if escapes % 2 else stripped
    negated = line.startswith("!")
    if negated:
        line = line[1:]
    directories = line.endswith("/")
    if directories:
        line = line[:-1]
    if not line:
        return None
    anchored = "/" in line
    line = _SLASH.sub(r"\1/", line.removeprefix("/"))
    # git takes what is plainly written off both pattern and path (dir.c, match_pathname), so that in
    # `a**/b` the stars stand at the beginning: any number of directories, none too.
    plain = _plain(line)
    behind = line[plain:].lstrip("*")
    deep = line.startswith("**", plain) and behind.startswith("/")
    begin = line[:plain] if deep and line[plain - 1 : plain] != "/" else ""
    parts = line[len(begin) :].split("/")
    segments: list[_Segment] = []
    for number, part in enumerate(parts):
        if part.startswith("**") and not part.strip("*") and anchored:
            if not segments or segments[-1] is not None:
                segments.append(None)
            if number == len(parts) - 1:
                # A final "/**" is everything inside a directory, not the directory itself.
                segments.append((_STAR,))
            continue
        tokens = _tokens(part)
        if tokens is None:
            return None
        segments.append(tokens)
    return Pattern(tuple(segments), negated, directories, anchored, begin)


def _plain(line: str) -> int:
    """How many characters stand before the first that means more than itself."""
    return next((at for at, character in enumerate(line) if character in "*?[\\"), len(line))


def patterns(text: str) -> tuple[Pattern, ...]:
    """The patterns of a ``.gitignore`` in its order."""
    lines = text.removeprefix("\ufeff").split("\n")[:MAX_PATTERNS]
    return tuple([found for line in lines if (found := pattern(line)) is not None])


def last_match(
    found: Sequence[Pattern], segments: Sequence[str], *, directory: bool
) -> bool | None:
    """What the last pattern that matches says: ignored, taken back, or ``None`` for no word."""
    for one in reversed(found):
        if one.matches(segments, directory=directory):
            return not one.negated
    return None


class Globs:
    """Patterns of a configuration, asked whether a path or a directory above it matches."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._patterns = patterns("\n".join(lines))

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match(self, path: str) -> bool:
        """Whether the last pattern that speaks of the path, or of a folder above it, holds it."""
        segments = path.split("/")
        for count in range(1, len(segments)):
            if last_match(self._patterns, segments[:count], directory=True):
                return True
        return bool(last_match(self._patterns, segments, directory=False))
