"""Who owns which files: CODEOWNERS, as the forges read it.

It is read as GitHub and GitLab agree on it: patterns as in ``.gitignore``, the last that matches holds
(GitHub documentation, "About code owners"; GitLab documentation, "Code Owners"). Sections of GitLab's
form each add an owner of theirs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor.source import Globs

if TYPE_CHECKING:
    from collections.abc import Iterable

CODEOWNERS: Final = (
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
)
"""Where forges look, in the order of GitHub; GitLab's own place last."""
MAX_LINES: Final = 20_000
_SECTION: Final = re.compile(r"\^?\[[^\]]*\](?:\[\d+\])?(?P<owners>.*)")


class Owners:
    """The lines of a CODEOWNERS file."""

    def __init__(self, text: str) -> None:
        sections: list[list[tuple[Globs, frozenset[str]]]] = [[]]
        inherited: frozenset[str] = frozenset()
        for line in text.splitlines()[:MAX_LINES]:
            words = _words(line)
            if not words:
                continue
            section = _SECTION.fullmatch(line.strip())
            if section is not None:
                sections.append([])
                inherited = _owners(_words(section["owners"]))
                continue
            pattern, *owners = words
            if pattern.startswith("!"):
                continue
            sections[-1].append((Globs([pattern]), _owners(owners) or inherited))
        self._sections = sections

    def of(self, path: str) -> frozenset[str]:
        """The owners of a file."""
        found: set[str] = set()
        for section in self._sections:
            for globs, owners in reversed(section):
                if globs.match(path):
                    found |= owners
                    break
        return frozenset(found)


def _words(line: str) -> list[str]:
    text = re.split(r"(?<!\\)#", line, maxsplit=1)[0]
    return [word.replace("\\ ", " ") for word in re.findall(r"(?:\\ |\S)+", text)]


def _owners(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower() for word in words if "@" in word)
