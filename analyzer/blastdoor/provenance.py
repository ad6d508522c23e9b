"""Who wrote a change: the marks of AI agents and other robots on commits.

A mark says that an agent took part. That there is none says nothing: every agent lets its user switch
it off. So marks deny, they never prove a human. Only the author, the committer and trailers count; what
a message says in prose does not.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import tables
from blastdoor.finding import FILE, Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from blastdoor.finding import Finding
    from blastdoor.source.history import Commit, History, Person
    from blastdoor.span import Document, Span


_MAX_TEXT: Final = 1_000_000
"""Largest file whose lines are looked at, in bytes."""
_MAX_SPAN: Final = 200
"""Most lines of one place that are looked at."""


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
        unique = dict.fromkeys(mark._replace(commit=commit.id) for mark in found)
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
    base: str
    """The id of the commit that the change is held against."""
    head: str
    """The id of the commit that it ends with."""


def origin(history: History, base: str, head: str, reader: Reader) -> Origin:
    """The marks of AI agents on what head has and base has not. Raises GitError."""
    commits = history.between(base, head)
    by_path: dict[str, dict[Mark, None]] = {}
    for commit in commits:
        marks = reader.by_agent(commit)
        if marks:
            for path in history.touched(commit):
                by_path.setdefault(path, {}).update(dict.fromkeys(marks))
    return Origin(
        {path: tuple(marks) for path, marks in by_path.items()}, tuple(commits), base, head
    )


class Lines:
    """Which commits of a change wrote the lines that findings stand on.

    A line that is still there is asked of ``git blame``, which follows it through renames and merges;
    a line that is gone, of the contents before and after each commit that changes its file. What is
    not committed has no writer.
    """

    def __init__(self, history: History, known: Origin, reader: Reader, prefix: str = "") -> None:
        """``prefix`` is the folder of the repository that paths of findings are relative to."""
        self._history = history
        self._reader = reader
        self._prefix = f"{prefix}/" if prefix else ""
        self._known = known
        self._commits = {commit.id: commit for commit in known.commits}
        self._texts: dict[tuple[str, str], tuple[str, ...]] = {}
        self._touched: dict[str, list[Commit]] | None = None
        self._places: dict[int, tuple[Document, dict[int, int]]] = {}

    def marks(self, spans: Sequence[Span]) -> tuple[Mark, ...]:
        """The marks of AI agents on the commits that wrote the lines of some places.

        Where the change wrote or took away none of these lines, the marks on the first place's file, of
        the scope `FILE`. Raises GitError.
        """
        if not self._known.by_path or not spans:
            return ()
        found: dict[Mark, None] = {}
        written = False
        for span in spans:
            for commit in self._writers(span):
                written = True
                if commit is not None:
                    found.update(dict.fromkeys(self._reader.by_agent(commit)))
        if written:
            return tuple(found)
        of_file = self._known.by_path.get(self._prefix + spans[0].path, ())
        return tuple(mark._replace(scope=FILE) for mark in of_file)

    def _writers(self, span: Span) -> set[Commit | None]:
        """The commits of the change that wrote or took away lines of a place.

        ``None`` is among them for a line that is not committed.
        """
        path = self._prefix + span.path
        if not self._changing(path):
            return set()
        begin = span.begin.line
        end = span.document.position(max(span.end - 1, span.start)).line
        lines = range(begin, min(end, begin + _MAX_SPAN - 1) + 1)
        now = self._placed(span.document, path)
        found: dict[str, Commit | None] = {}
        held = sorted({now[line] for line in lines if line in now})
        known = self._known
        if held:
            oids = self._history.writers(known.head, path, held, (known.base,))
            found.update((oid, self._commits[oid]) for oid in oids.values() if oid in self._commits)
        for line in lines:
            text = span.document.line(line).rstrip("\r\n")
            if line in now or not text.strip():
                continue
            removers = list(self._removers(path, text))
            found.update((one.id, one) for one in removers)
            if not removers and text not in self._lines(known.base, path):
                found[""] = None
        return set(found.values())

    def _changing(self, path: str) -> list[Commit]:
        """The commits of the change that change a file, newest first."""
        if self._touched is None:
            self._touched = {}
            for commit in self._known.commits:
                for name in self._history.touched(commit):
                    self._touched.setdefault(name, []).append(commit)
        return self._touched.get(path, [])

    def _placed(self, document: Document, path: str) -> dict[int, int]:
        """Line of a text → line of the file as the newest commit has it, for lines that both have."""
        known = self._places.get(id(document))
        if known is None:
            mine, theirs = _split(document.text), self._lines(self._known.head, path)
            blocks = SequenceMatcher(None, mine, theirs).get_matching_blocks()
            lines = {b.a + at + 1: b.b + at + 1 for b in blocks for at in range(b.size)}
            known = self._places[id(document)] = (document, lines)
        return known[1]

    def _removers(self, path: str, line: str) -> Iterator[Commit]:
        """The commits after which a file has a line less often than before."""
        for commit in self._changing(path):
            if len(commit.parents) == 1 and self._lines(commit.parents[0], path).count(
                line
            ) > self._lines(commit.id, path).count(line):
                yield commit

    def _lines(self, commit: str, path: str) -> tuple[str, ...]:
        key = (commit, path)
        if key not in self._texts:
            blob = self._history.git.tree(commit).get(path)
            data = None if blob is None else self._history.git.blob(blob.oid, _MAX_TEXT)
            text = "" if data is None else data.decode("utf-8-sig", "replace")
            self._texts[key] = _split(text)
        return self._texts[key]


def _split(text: str) -> tuple[str, ...]:
    """The lines of a text, as git counts them."""
    return tuple(line.removesuffix("\r") for line in text.split("\n"))


def marked(findings: Iterable[Finding], lines: Lines) -> list[Finding]:
    """The findings, each with the marks of agents on what wrote its lines. Raises GitError."""
    result = []
    for finding in findings:
        marks = lines.marks((finding.span, *(related.span for related in finding.related)))
        result.append(replace(finding, provenance=marks) if marks else finding)
    return result
