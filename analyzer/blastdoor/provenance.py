"""Who wrote a change: the marks of AI agents and other robots on commits.

A mark says that an agent took part. That there is none says nothing: every agent lets its user switch
it off. So marks deny, they never prove a human. Only the author, the committer and trailers count; what
a message says in prose does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.finding import Finding
    from blastdoor.source.history import Commit, History, Person


_MAX_TEXT: Final = 1_000_000
"""Largest file whose lines are looked at, in bytes."""


class Mark(NamedTuple):
    """One mark of an agent or robot on a commit."""

    agent: str
    """Its name; ``""`` for a robot that is no AI agent."""
    where: str
    """``author``, ``committer``, ``co-author``, or ``trailer``."""
    text: str
    """What stands there."""

    def __str__(self) -> str:
        return f"{self.agent or 'a bot'}: {self.where} {self.text}"


class Reader:
    """Reads marks: those of the table, and addresses that an organisation adds."""

    def __init__(self, further: Iterable[str] = ()) -> None:
        self._table = tables.agents()
        self._further = frozenset(address.lower() for address in further)

    def marks(self, commit: Commit) -> tuple[Mark, ...]:
        """The marks of a commit, those of AI agents first."""
        found = [*self._person(commit.author, "author")]
        if commit.committer != commit.author and not self.is_platform(commit.committer):
            found += self._person(commit.committer, "committer")
        for one in commit.co_authors:
            found += self._person(one, "co-author")
        for key, value in commit.trailers:
            for row in self._table.agents:
                if any(key == k and (v is None or v == value.lower()) for k, v in row.trailers):
                    found.append(Mark(row.name, "trailer", f"{key}: {value}"))
        unique = dict.fromkeys(found)
        return tuple(sorted(unique, key=lambda mark: not mark.agent))

    def by_agent(self, commit: Commit) -> tuple[Mark, ...]:
        """The marks of AI agents alone."""
        return tuple(mark for mark in self.marks(commit) if mark.agent)

    def of_person(self, one: Person) -> tuple[Mark, ...]:
        """The marks that a name and an address bear."""
        return tuple(self._person(one, "person"))

    def is_platform(self, one: Person) -> bool:
        """Whether a forge commits here for somebody: its author is the one to look at."""
        return one.email.lower() in self._table.platform

    def _person(self, one: Person, where: str) -> Iterator[Mark]:
        name, email = one.name.lower(), one.email.lower()
        ids = {identity[1:] for identity in one.identities if identity.startswith("#")}
        for row in self._table.agents:
            if (
                email in row.emails
                or not ids.isdisjoint(row.ids)
                or any(email == address and name == word for address, word in row.named)
                or name.startswith(row.name_begins or ("\0",))
                or name.endswith(row.name_ends or ("\0",))
            ):
                yield Mark(row.name, where, str(one))
                return
        if email in self._further:
            yield Mark("an agent that the configuration names", where, str(one))
        elif self._is_bot(name, email, one.known_as):
            yield Mark("", where, str(one))

    def _is_bot(self, name: str, email: str, login: str) -> bool:
        suffix, names = self._table.bot_suffix, self._table.bot_names
        local = email.partition("@")[0]
        return (
            login.endswith(suffix)
            or local.endswith(suffix)
            or name.endswith(suffix)
            or name in names
            or login.removeprefix("@") in names
        )


class Origin(NamedTuple):
    """What is known of who wrote the changed files of a change."""

    by_path: dict[str, tuple[Mark, ...]]
    """File → the marks of AI agents on the commits that change it."""
    commits: tuple[Commit, ...]
    """The commits of the change, newest first."""


def origin(history: History, base: str, head: str, reader: Reader) -> Origin:
    """The marks of AI agents on what head has and base has not. Raises GitError."""
    commits = history.between(base, head)
    by_path: dict[str, dict[Mark, None]] = {}
    for commit in commits:
        marks = reader.by_agent(commit)
        if marks:
            for path in history.touched(commit):
                by_path.setdefault(path, {}).update(dict.fromkeys(marks))
    return Origin({path: tuple(marks) for path, marks in by_path.items()}, tuple(commits))


class Lines:
    """Which commits of a change wrote a line, told from the contents before and after each."""

    def __init__(self, history: History, known: Origin) -> None:
        self._history = history
        self._origin = known
        self._texts: dict[tuple[str, str], frozenset[str]] = {}

    def marks(self, path: str, line: str, reader: Reader) -> tuple[Mark, ...]:
        """The marks of AI agents on the commits that brought a line into a file.

        A line that no single commit is seen to bring in (a merge, a blank) has those of the file.
        """
        of_file = self._origin.by_path.get(path, ())
        if not of_file or not line.strip():
            return of_file
        found: dict[Mark, None] = {}
        seen = False
        for commit in self._origin.commits:
            if len(commit.parents) != 1 or path not in self._history.touched(commit):
                continue
            if line in self._lines(commit.id, path) and line not in self._lines(
                commit.parents[0], path
            ):
                seen = True
                found.update(dict.fromkeys(reader.by_agent(commit)))
        return tuple(found) if seen else of_file

    def _lines(self, commit: str, path: str) -> frozenset[str]:
        key = (commit, path)
        if key not in self._texts:
            blob = self._history.git.tree(commit).get(path)
            data = None if blob is None else self._history.git.blob(blob.oid, _MAX_TEXT)
            text = "" if data is None else data.decode("utf-8", "replace")
            self._texts[key] = frozenset(text.splitlines())
        return self._texts[key]


def marked(findings: Iterable[Finding], lines: Lines, reader: Reader) -> list[Finding]:
    """The findings, each with the marks of agents on what wrote its line."""
    result = []
    for finding in findings:
        span = finding.span
        line = span.document.line(span.begin.line)
        marks = lines.marks(span.path, line, reader)
        words = tuple(str(mark) for mark in marks)
        result.append(replace(finding, provenance=words) if words else finding)
    return result
