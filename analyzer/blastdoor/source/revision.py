"""Revisions of a git repository, read from its objects: no checkout, nothing of the repository runs.

Only ``rev-parse``, ``merge-base``, ``ls-tree``, ``diff-tree`` between two trees, ``rev-list`` and
``cat-file`` are run. They start no program that the repository's own configuration or
attributes name (fsmonitor, filters, text conversion, external diff, hooks); commands that look at
the work tree do, and are not used. The configuration of the user and the system is left out.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import subprocess
from collections import Counter
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Self

from blastdoor.finding import Failure, FailureKind
from blastdoor.source.content import kind_of_content, told_by_content
from blastdoor.source.disk import MAX_FILES, MAX_SIZE
from blastdoor.source.entry import Entry, inside
from blastdoor.source.git import git_directory, read_regular
from blastdoor.source.index import MAX_BYTES, GitIndexError, staged
from blastdoor.source.kinds import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}
_OPTIONS: Final = (
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "protocol.allow=never",
)
_REGULAR: Final = ("100644", "100755")
_LINK: Final = "120000"
_SUBMODULE: Final = "160000"
_MAX_PATHS: Final = 500
"""Most paths of one command line."""
_MAX_HOPS: Final = 40
"""Most symbolic links on one way, as in Linux."""
_MAX_LINK: Final = 4_096
_TIMEOUT: Final = 120
"""Seconds after which a git command is given up."""


class GitError(Exception):
    """Git is not there, or cannot do what was asked; the message says what to do about it."""


class Blob(NamedTuple):
    """One file of a revision."""

    mode: str
    """``100644``, ``100755``, ``120000`` for a symbolic link."""
    oid: str


class Change(NamedTuple):
    """One file that differs between two revisions."""

    status: str
    """``A`` added, ``D`` deleted, ``M`` modified, ``R`` renamed, ``T`` of another type."""
    base: str | None
    """Its path in base."""
    head: str | None
    """Its path in head."""


class Git:
    """The objects of one repository. Raises GitError where git does not answer."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.directory = _git_directory(top)
        self._batch: subprocess.Popen[bytes] | None = None
        self._trees: dict[str, dict[str, Blob]] = {}
        self.told: dict[tuple[str, str], Kind | None] = {}
        """(object id, path) → what the content says it is: two revisions share most of them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Effect: ends the process that reads objects."""
        batch, self._batch = self._batch, None
        if batch is not None:
            for stream in (batch.stdin, batch.stdout):
                if stream is not None:
                    stream.close()
            batch.wait()

    def _command(self, *arguments: str) -> list[str]:
        return ["git", *_OPTIONS, f"--git-dir={self.directory}", *arguments]

    def _environment(self) -> dict[str, str]:
        # What the caller's shell says of git (GIT_DIR, GIT_EXTERNAL_DIFF, …) never changes a result.
        own = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        return {**own, **_ENVIRONMENT}

    def run(self, *arguments: str) -> bytes:
        """What a git command prints. Raises GitError."""
        try:
            done = subprocess.run(
                self._command(*arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environment(),
                timeout=_TIMEOUT,
                check=False,
            )
        except FileNotFoundError as error:
            raise GitError("git is needed to read revisions, and it is not installed") from error
        except subprocess.TimeoutExpired as error:
            message = f"git {arguments[0]} took longer than {_TIMEOUT} s"
            raise GitError(message) from error
        if done.returncode:
            raise GitError(_said(done.stderr) or f"git {arguments[0]} failed")
        return done.stdout

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names. Raises GitError."""
        if not revision or revision.startswith("-") or "\0" in revision:
            message = f"{revision!r} names no revision"
            raise GitError(message)
        try:
            found = self.run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        except GitError as error:
            message = f"{revision} names no commit of this repository"
            if str(error) and "failed" not in str(error):
                message = f"{message}: {error}"
            if self.shallow():
                message = f"{message}; the clone is shallow: git fetch --unshallow"
            raise GitError(message) from error
        return found.decode("ascii", "replace").strip()

    def merge_base(self, one: str, other: str) -> str:
        """The commit from which two histories part. Raises GitError."""
        try:
            return self.run("merge-base", one, other).decode("ascii", "replace").strip()
        except GitError as error:
            message = f"{one[:12]} and {other[:12]} have no commit in common"
            if self.shallow():
                message = f"{message}; the clone is shallow: git fetch --unshallow"
            raise GitError(message) from error

    def changed_in(self, commit: str, paths: Sequence[str], most: int = 50) -> list[str]:
        """The commits before ``commit``, by first parents, in which some paths were otherwise.

        The latest first; what a shallow clone does not hold is left out. Raises GitError.
        """
        if not paths:
            return []
        found = self.run(
            "--literal-pathspecs",
            "rev-list",
            "--first-parent",
            "--parents",
            f"--max-count={most}",
            commit,
            "--",
            *paths[:_MAX_PATHS],
        )
        rows = [row.split() for row in found.decode("ascii", "replace").splitlines()]
        earlier = [row[1] for row in rows if len(row) > 1]
        return [one for one in earlier if self._holds(one)]

    def _holds(self, commit: str) -> bool:
        try:
            self.run("cat-file", "-e", f"{commit}^{{tree}}")
        except GitError:
            return False
        return True

    def shallow(self) -> bool:
        """Whether the history is cut off."""
        try:
            return self.run("rev-parse", "--is-shallow-repository").strip() == b"true"
        except GitError:
            return False

    def tree(self, commit: str) -> dict[str, Blob]:
        """Every file of a commit by path, submodules left out. Raises GitError."""
        found = self._trees.get(commit)
        if found is None:
            found = {}
            for row in self.run("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0"):
                head, tab, name = row.partition(b"\t")
                if tab:
                    mode, _type, oid = head.decode("ascii").split(" ")
                    if mode != _SUBMODULE:
                        found[os.fsdecode(name)] = Blob(mode, oid)
            self._trees[commit] = found
        return found

    def index(self) -> dict[str, Blob]:
        """What is staged: every file that the next commit has by path. Raises GitError."""
        data = read_regular(self.directory / "index", MAX_BYTES)
        if data is None:
            if os.path.lexists(self.directory / "index"):
                raise GitError("the index of this repository cannot be read")
            return {}
        try:
            entries = staged(data)
        except GitIndexError as error:
            message = f"the index of this repository {error}"
            raise GitError(message) from error
        if any(entry.stage for entry in entries):
            raise GitError("the index holds a merge that is not resolved")
        return {
            entry.path: Blob(entry.mode, entry.oid)
            for entry in entries
            if entry.added and entry.mode != _SUBMODULE
        }

    def changes(self, base: str, head: str) -> list[Change]:
        """The files that differ between two commits, renames found by content. Raises GitError."""
        out = self.run(
            "diff-tree", "-r", "-z", "-M", "--raw", "--no-commit-id", "--no-ext-diff", base, head
        )
        fields = out.split(b"\0")
        found = []
        at = 0
        while at + 1 < len(fields):
            status = fields[at].rpartition(b" ")[2][:1].decode("ascii", "replace")
            path = os.fsdecode(fields[at + 1])
            if status in ("R", "C"):
                found.append(Change("R", path, os.fsdecode(fields[at + 2])))
                at += 3
                continue
            found.append(
                Change(status, None if status == "A" else path, None if status == "D" else path)
            )
            at += 2
        return found

    def blob(self, oid: str, limit: int) -> bytes | None:
        """The content of an object; ``None`` when it is larger than ``limit``. Raises GitError.

        GitError too when the object is missing, as in a partial clone.
        """
        data, size = self.head(oid, limit)
        return data if size <= limit else None

    def head(self, oid: str, limit: int) -> tuple[bytes, int]:
        """The first ``limit`` bytes of an object, and how many it has. Raises GitError, as `blob`."""
        stdin, stdout = self._streams()
        try:
            stdin.write(oid.encode("ascii") + b"\n")
            stdin.flush()
            header = stdout.readline().split()
            if len(header) != 3:  # noqa: PLR2004  id, type and size
                message = f"the object {oid} is missing; is the clone partial?"
                raise GitError(message)
            size = int(header[2])
            data = stdout.read(min(size, limit))
            left = size - len(data) + 1
            while left > 0:
                left -= len(stdout.read(min(left, 1 << 20))) or left
        except (OSError, ValueError) as error:
            raise GitError("git stopped answering") from error
        if len(data) != min(size, limit):
            raise GitError("git stopped answering")
        return data, size

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._batch is None:
            try:
                self._batch = subprocess.Popen(
                    self._command("cat-file", "--batch"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=self._environment(),
                )
            except FileNotFoundError as error:
                message = "git is needed to read revisions, and it is not installed"
                raise GitError(message) from error
        stdin, stdout = self._batch.stdin, self._batch.stdout
        if stdin is None or stdout is None:
            raise GitError("git stopped answering")
        return stdin, stdout


class Revision:
    """One revision as a `Source`: the files below ``folder``, with paths relative to it.

    Without a commit it is what is staged.
    """

    def __init__(
        self, git: Git, commit: str, folder: str = "", *, max_size: int = MAX_SIZE
    ) -> None:
        self.git = git
        self.commit = commit
        self.max_size = max_size
        self.skipped: Counter[str] = Counter()
        self._failures: list[Failure] = []
        self._failed: set[str] = set()
        self._blobs: dict[str, Blob] = {}
        prefix = f"{folder}/" if folder and folder != "." else ""
        for path, blob in (git.tree(commit) if commit else git.index()).items():
            if path.startswith(prefix):
                self._blobs[path[len(prefix) :]] = blob
        self._linked = any(blob.mode == _LINK for blob in self._blobs.values())
        self._names: dict[str, list[str]] | None = None
        self._told: set[str] = set()

    @property
    def failures(self) -> Sequence[Failure]:
        """What could not be read, so far."""
        return self._failures

    def files(self) -> Iterator[Entry]:
        """Every file of a kind that is analysed; sizes are not known."""
        count = 0
        for path in sorted(self._blobs):
            kind = kind_of(path)
            if kind is None and told_by_content(path):
                kind = self._look(path)
            if kind is None:
                continue
            linked = self._blobs[path].mode == _LINK
            if linked and self._resolved(path) is None:
                self.skipped["symbolic link to no file below the root"] += 1
                if kind.configuration:
                    message = (
                        "is a symbolic link to no file below the root: Terraform would read it"
                    )
                    self._fail(path, message)
                continue
            count += 1
            if count > MAX_FILES:
                self._fail(".", f"holds more than {MAX_FILES} files; the rest is not read")
                return
            yield Entry(path, kind, 0, reported=not linked)

    def _resolved(self, path: str) -> str | None:
        """Where a path ends that goes over symbolic links; ``None`` for what leaves the root."""
        left = path.split("/")
        at = ""
        hops = 0
        while left:
            step = left.pop(0)
            if step == "..":
                if not at:
                    return None
                at = posixpath.dirname(at)
                continue
            here = f"{at}/{step}" if at else step
            blob = self._blobs.get(here)
            if step in ("", ".") or blob is None or blob.mode != _LINK:
                at = at if step in ("", ".") else here
                continue
            hops += 1
            target = self._link(here)
            if hops > _MAX_HOPS or not target or target.startswith("/"):
                return None
            left = [*target.split("/"), *left]
        return at if at in self._blobs else None

    def links(self) -> dict[str, str | None]:
        """Where each symbolic link with the name of a file that is analysed leads."""
        return {
            path: self._resolved(path)
            for path, blob in self._blobs.items()
            if blob.mode == _LINK and kind_of(path) is not None
        }

    def _link(self, path: str) -> str:
        """What a symbolic link says; ``""`` where that cannot be read."""
        try:
            data = self.git.blob(self._blobs[path].oid, _MAX_LINK)
        except GitError as error:
            self._fail(path, str(error))
            return ""
        return os.fsdecode(data or b"")

    def _look(self, path: str) -> Kind | None:
        """The kind that the content of a file tells. Effect: it is analysed from here on."""
        blob = self._blobs[path]
        if blob.mode not in _REGULAR:
            return None
        key = (blob.oid, path)
        if key not in self.git.told:
            try:
                data, _size = self.git.head(blob.oid, MAX_SIZE)
            except GitError as error:
                self._fail(path, str(error))
                return None
            self.git.told[key] = kind_of_content(path, data)
        kind = self.git.told[key]
        if kind is not None:
            self._told.add(path)
        return kind

    def read(self, path: str) -> str | None:
        """The text of a file."""
        short = inside(path)
        blob = None if short is None else self._blobs.get(short)
        if short is not None and self._linked and (blob is None or blob.mode == _LINK):
            end = self._resolved(short)
            blob = None if end is None else self._blobs[end]
        if short is None or blob is None or blob.mode not in _REGULAR:
            return None
        try:
            data = self.git.blob(blob.oid, self.max_size)
        except GitError as error:
            self._fail(short, str(error))
            return None
        if data is None:
            self._fail(short, f"is larger than {self.max_size:,} bytes", FailureKind.LIMIT)
            return None
        analysed = kind_of(short) is not None or short in self._told
        try:
            return data.decode("utf-8" if analysed else "utf-8-sig")
        except UnicodeDecodeError:
            if analysed:
                self._fail(short, "is not UTF-8")
            return None

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory."""
        if self._names is None:
            self._names = {}
            for path in self._blobs:
                folder, name = posixpath.split(path)
                self._names.setdefault(folder or ".", []).append(name)
        short = inside(directory)
        return [] if short is None else sorted(self._names.get(short, ()))

    def tracked(self, path: str) -> bool | None:
        """Whether the revision holds the file."""
        return inside(path) in self._blobs

    def oids(self) -> dict[str, str]:
        """The object id of every regular file."""
        return {path: blob.oid for path, blob in self._blobs.items() if blob.mode in _REGULAR}

    def _fail(self, path: str, message: str, kind: FailureKind = FailureKind.UNREADABLE) -> None:
        if path not in self._failed:
            self._failed.add(path)
            self._failures.append(Failure(kind, path, message))


def _git_directory(top: Path) -> Path:
    """The git directory of a work tree, or a bare repository itself. Raises GitError.

    It is named to git, so that nothing is looked for above it.
    """
    found = git_directory(top)
    if found is not None:
        return found
    if (top / "HEAD").is_file() and (top / "objects").is_dir():
        return top
    message = f"{top.name} is no git repository"
    raise GitError(message)


def blob_id(data: bytes, length: int = 40) -> str:
    """The object id that git gives a content; ``length`` tells SHA-1 (40) from SHA-256 (64)."""
    text = b"blob %d\0%b" % (len(data), data)
    if length == 64:  # noqa: PLR2004  hexadecimal digits
        return hashlib.sha256(text).hexdigest()
    return hashlib.sha1(text, usedforsecurity=False).hexdigest()


def _said(error: bytes) -> str:
    """The first line of what git says went wrong."""
    lines = error.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else ""
