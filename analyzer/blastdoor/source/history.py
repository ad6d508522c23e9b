"""Commits and people: who wrote what, read from git's objects alone.

Nothing is asked of the work tree and nothing of the repository's configuration runs. A commit object
is parsed here (git-commit-object format: headers, a blank line, the message), so that signatures can be
held against exactly the bytes that were signed. People are told apart as git and forges do: by the
mailmap of a revision (gitmailmap(5)), and by the numeric id that a GitHub address carries, which
survives a renamed account.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.record import dataclass
from blastdoor.source.revision import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_COMMIT: Final = 1_000_000
"""Largest commit object that is read, in bytes."""
MAX_COMMITS: Final = 20_000
"""Most commits of one change."""
MAX_LINES: Final = 200
"""Most lines of one file that one question names."""
MAX_MAILMAP: Final = 1_000_000
"""Largest mailmap that is read, in bytes."""

_PERSON: Final = re.compile(r"(?P<name>[^<>\n]*?)\s*<(?P<email>[^<>\n]*)>")
_TRAILER: Final = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*)\s*:\s+(?P<value>\S.*)")
_NOREPLY: Final = re.compile(
    r"(?:(?P<id>\d+)\+)?(?P<login>[A-Za-z0-9][A-Za-z0-9-]*(?:\[bot\])?)@users\.noreply\.github\.com"
)
"""Addresses that GitHub makes (GitHub documentation, "Email addresses reference")."""
CO_AUTHOR: Final = "co-authored-by"


class Person(NamedTuple):
    """A name and an e-mail address, as a commit says them."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else f"<{self.email}>"

    @property
    def identities(self) -> frozenset[str]:
        """What tells the person from others: the address, and what a GitHub address carries."""
        email = self.email.lower()
        found = {email}
        match = _NOREPLY.fullmatch(email)
        if match is not None:
            found.add(f"@{match['login']}")
            if match["id"]:
                found.add(f"#{match['id']}")
        return frozenset(found)

    @property
    def known_as(self) -> str:
        """The GitHub account with its ``@`` when the address names one, else ``""``."""
        match = _NOREPLY.fullmatch(self.email.lower())
        return "" if match is None else f"@{match['login']}"

    def same(self, other: Person) -> bool:
        """Whether two are one person, as far as addresses tell.

        Two GitHub addresses with ids are compared by their ids: a login can be taken by another.
        """
        mine, theirs = self.identities, other.identities
        ids = {i for i in mine if i.startswith("#")}, {i for i in theirs if i.startswith("#")}
        if all(ids):
            return ids[0] == ids[1]
        return not mine.isdisjoint(theirs)


class Trailer(NamedTuple):
    """A line ``Key: value`` at the end of a message."""

    key: str
    """In lower case."""
    value: str


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit."""

    id: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str
    signature: str
    """The armoured signature, or ``""``."""
    payload: bytes
    """What a signature signs: the object without it."""

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.strip().partition("\n")[0]

    @property
    def trailers(self) -> tuple[Trailer, ...]:
        """The trailers of the message: those of its last paragraph, and every co-author line.

        A squash puts the messages of many commits into one, so that co-authors stand anywhere in it.
        """
        lines = self.message.replace("\r\n", "\n").rstrip().split("\n")
        found: dict[Trailer, None] = {}
        last = len(lines)
        while last > 0 and lines[last - 1].strip():
            last -= 1
        for number, line in enumerate(lines):
            match = _TRAILER.fullmatch(line.strip())
            if match is None:
                continue
            key = match["key"].lower()
            if number >= max(last, 1) or key == CO_AUTHOR or key.endswith("-session"):
                found[Trailer(key, match["value"].strip())] = None
        return tuple(found)

    @property
    def co_authors(self) -> tuple[Person, ...]:
        """The people that the message names as co-authors."""
        people = (person(t.value) for t in self.trailers if t.key == CO_AUTHOR)
        return tuple(one for one in people if one is not None)


def person(text: str) -> Person | None:
    """The person that ``Name <address>`` says; ``None`` when it says none."""
    match = _PERSON.search(text)
    return None if match is None else Person(match["name"].strip(), match["email"].strip())


def parse_commit(oid: str, data: bytes) -> Commit:
    """The commit that an object says. Raises GitError for what is none."""
    head, blank, body = data.partition(b"\n\n")
    if not blank:
        head, body = data.rstrip(b"\n"), b""
    kept: list[bytes] = []
    signature: list[bytes] = []
    fields: dict[str, list[str]] = {}
    signing = False
    for line in head.split(b"\n"):
        if line.startswith(b" "):
            (signature if signing else kept).append(line[1:] if signing else line)
            continue
        key, _space, value = line.partition(b" ")
        signing = key in (b"gpgsig", b"gpgsig-sha256")
        if signing:
            signature.append(value)
            continue
        kept.append(line)
        fields.setdefault(key.decode("ascii", "replace"), []).append(
            value.decode("utf-8", "replace")
        )
    author = person(" ".join(fields.get("author", [])))
    committer = person(" ".join(fields.get("committer", [])))
    if "tree" not in fields or author is None or committer is None:
        message = f"the object {oid} is no commit that can be read"
        raise GitError(message)
    return Commit(
        oid,
        fields["tree"][0],
        tuple(fields.get("parent", [])),
        author,
        committer,
        body.decode("utf-8", "replace"),
        b"\n".join(signature).decode("ascii", "replace"),
        b"\n".join(kept) + blank + body,
    )


class History:
    """The commits of one repository. Raises GitError where git does not answer."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._commits: dict[str, Commit] = {}

    def commit(self, oid: str) -> Commit:
        """The commit of an id."""
        found = self._commits.get(oid)
        if found is None:
            data, size = self.git.head(oid, MAX_COMMIT)
            if size > MAX_COMMIT:
                message = f"the commit {oid} has more than {MAX_COMMIT:,} bytes"
                raise GitError(message)
            found = self._commits[oid] = parse_commit(oid, data)
        return found

    def between(self, base: str, head: str) -> list[Commit]:
        """What head has and base has not, newest first."""
        out = self.git.run("rev-list", f"--max-count={MAX_COMMITS + 1}", f"^{base}", head, "--")
        ids = out.decode("ascii", "replace").split()
        if len(ids) > MAX_COMMITS:
            message = f"the change has more than {MAX_COMMITS:,} commits"
            raise GitError(message)
        return [self.commit(oid) for oid in ids]

    def touched(self, commit: Commit) -> frozenset[str]:
        """The files that a commit itself changes: of a merge, those that differ from every parent."""
        combined = ["-c"] if len(commit.parents) > 1 else ["--root"]
        out = self.git.run(
            *("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", "--no-renames"),
            *("--no-ext-diff", "--no-textconv", *combined, commit.id),
        )
        return frozenset(os.fsdecode(name) for name in out.split(b"\0") if name)

    def writers(
        self, head: str, path: str, lines: Iterable[int], bounds: Sequence[str] = ()
    ) -> dict[int, str]:
        """Line of a file, as head has it → the id of the commit that wrote it last.

        Lines are followed through renames and merges (``git blame``, which is told to run no text
        conversion and to leave no revision out), back to ``bounds``, which then stand for what is
        before them.
        """
        wanted = sorted(lines)
        found: dict[int, str] = {}
        for at in range(0, len(wanted), MAX_LINES):
            ranges = [f"-L{line},{line}" for line in wanted[at : at + MAX_LINES]]
            out = self.git.run(
                *("-c", "blame.ignoreRevsFile=", "-c", "blame.showRoot=true"),
                *("blame", "--porcelain", "--no-textconv", *ranges),
                *(f"^{bound}" for bound in bounds),
                *(head, "--", path),
            )
            for row in out.split(b"\n"):
                words = row.split(b" ")
                # A header is: id, line there, line here, and the length of a group.
                if len(words) in (3, 4) and len(words[0]) in (40, 64) and words[2].isdigit():
                    found[int(words[2])] = words[0].decode("ascii", "replace")
        return found

    def last(self, head: str, path: str) -> Commit | None:
        """The commit that gave a file the content that it has in head."""
        out = self.git.run("--literal-pathspecs", "rev-list", "--max-count=1", head, "--", path)
        oid = out.decode("ascii", "replace").strip()
        return self.commit(oid) if oid else None


class Mailmap:
    """Which addresses are one person's (gitmailmap(5))."""

    def __init__(self, text: str = "") -> None:
        self._exact: dict[tuple[str, str], Person] = {}
        self._by_email: dict[str, Person] = {}
        for line in text.splitlines():
            self._line(line.partition("#")[0].strip())

    def _line(self, line: str) -> None:
        people = list(_PERSON.finditer(line))
        if len(people) == 1:
            name, email = people[0]["name"].strip(), people[0]["email"].strip()
            if name:
                self._by_email.setdefault(email.lower(), Person(name, email))
        elif len(people) == 2:  # noqa: PLR2004  the proper one, the commit's one
            proper = Person(people[0]["name"].strip(), people[0]["email"].strip())
            old = people[1]["email"].strip().lower()
            name = people[1]["name"].strip()
            if name:
                self._exact[name.lower(), old] = proper
            else:
                self._by_email[old] = proper

    def __call__(self, one: Person) -> Person:
        """The person under the proper name and address."""
        email = one.email.lower()
        found = self._exact.get((one.name.lower(), email)) or self._by_email.get(email)
        if found is None:
            return one
        return Person(found.name or one.name, found.email or one.email)

    def everyone(self, people: Iterator[Person]) -> Iterator[Person]:
        """Each person as they are said and as the map says them: either may be known elsewhere."""
        for one in people:
            yield one
            mapped = self(one)
            if mapped != one:
                yield mapped
