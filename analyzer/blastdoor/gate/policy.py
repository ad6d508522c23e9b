"""Who may acknowledge what: the reviewers of the configuration, else CODEOWNERS.

Both are read from the base of the change, so that a change cannot name its own reviewers. CODEOWNERS
is read as GitHub and GitLab agree on it: patterns as in ``.gitignore``, the last that matches holds
(GitHub documentation, "About code owners"; GitLab documentation, "Code Owners"). Sections of GitLab's
form each add an owner of theirs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.source import Globs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from blastdoor.config import Gate
    from blastdoor.source.history import Person

CODEOWNERS: Final = (
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
)
"""Where forges look, in the order of GitHub; GitLab's own place last."""
MAX_LINES: Final = 20_000
_SECTION: Final = re.compile(r"\^?\[[^\]]*\](?:\[\d+\])?(?P<owners>.*)")


class Entitled(NamedTuple):
    """Who may speak for one finding, and where that is said."""

    people: frozenset[str]
    """Addresses and ``@login`` in lower case; ``@organisation/team`` as it is written."""
    said: str
    """Words for the place: ``[gate] reviewers``, ``CODEOWNERS``; ``""`` where nothing says it."""

    def entitles(self, one: Person) -> bool:
        """Whether a person is among them."""
        return not self.people.isdisjoint(one.identities)

    @property
    def teams(self) -> frozenset[str]:
        """Teams, whose members only the forge knows."""
        return frozenset(name for name in self.people if "/" in name)


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


class Policy:
    """Who may acknowledge, as the base of a change says."""

    def __init__(self, gate: Gate, read: Callable[[str], str | None]) -> None:
        """``read`` gives the text of a file of the base, or ``None``."""
        self.gate = gate
        self._owners: Owners | None = None
        self._file = ""
        for path in CODEOWNERS:
            text = read(path)
            if text is not None:
                self._owners, self._file = Owners(text), path
                break

    @property
    def is_there(self) -> bool:
        """Whether the base says anything of reviewers."""
        return bool(self.gate.reviewers or self.gate.axes or self._owners is not None)

    def entitled(self, path: str, axis: str) -> Entitled:
        """Who may acknowledge a finding in a file, on an axis."""
        named = self.gate.axes.get(axis)
        if named is not None:
            return Entitled(frozenset(n.lower() for n in named), f"[gate] axes.{axis}")
        if self.gate.reviewers:
            return Entitled(frozenset(n.lower() for n in self.gate.reviewers), "[gate] reviewers")
        if self._owners is not None:
            return Entitled(self._owners.of(path), self._file)
        return Entitled(frozenset(), "")
