"""Who may acknowledge what: the reviewers of the configuration, else CODEOWNERS.

Both are read from the base of the change, so that a change cannot name its own reviewers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from blastdoor.owners import CODEOWNERS, Owners

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.config import Gate
    from blastdoor.source.history import Person


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
