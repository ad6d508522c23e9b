"""A directory on disk, listed and read so that a hostile one cannot do harm.

Nothing outside the root is opened, whatever links say; no FIFO, socket or device is opened; sizes,
depths and counts have limits, and what is beyond them is a reported failure. Where the platform has
directory handles (all but Windows), every path is walked component by component from the root's
handle, so that swapping a directory for a link in the middle of a run changes nothing.

A symbolic link to a directory is not walked. A symbolic link to a file inside the root is an input
that is not reported, because Terraform reads such files and code scanning cannot show them.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from blastdoor.finding import Failure, FailureKind
from blastdoor.source.content import kind_of_content, told_by_content
from blastdoor.source.entry import Entry, inside
from blastdoor.source.git import READ_FLAGS, Repository, is_work_tree, repository_root
from blastdoor.source.glob import Globs
from blastdoor.source.kinds import Kind, kind_of
from blastdoor.source.plans import (
    BINARY_PLAN,
    HEAD,
    MAX_PLAN,
    Look,
    is_utf16,
    look,
    look_whole,
    may_be_plan,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

MAX_SIZE: Final = 1_000_000
"""Largest file that is read, in bytes."""
MAX_DEPTH: Final = 60
"""Most directories below one another."""
MAX_FILES: Final = 200_000
"""Most files of a kind that is analysed."""
MAX_VISITED: Final = 2_000_000
"""Most names of any kind that one listing looks at."""
MAX_FAILURES: Final = 1_000
"""Most failures that are kept one by one."""
MAX_HOPS: Final = 40
"""Most symbolic links on the way to one file, as on Linux."""

SKIPPED: Final = frozenset(
    {
        ".bzr",
        ".cache",
        ".direnv",
        ".eggs",
        ".git",
        ".hg",
        ".idea",
        ".jj",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".terraform",
        ".terragrunt-cache",
        ".terragrunt-stack",
        ".tox",
        ".venv",
        ".vscode",
        "__pycache__",
        "node_modules",
        "site-packages",
    }
)
"""Directories that hold copies and caches, never the project's own code."""
UNCOUNTED: Final = frozenset({".bzr", ".git", ".hg", ".jj", ".svn"})
"""Those of version control: every project has one, so that skipping it is no news."""

_WINDOWS: Final = os.name == "nt"
_HANDLES: Final = (
    not _WINDOWS
    and hasattr(os, "O_DIRECTORY")
    and {os.open, os.stat, os.readlink} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
)
_FOLDER_FLAGS: Final = READ_FLAGS | getattr(os, "O_DIRECTORY", 0)
_RESERVED: Final = frozenset(
    {"aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789")}
)
"""Names that are devices on Windows, whatever their ending."""


def walked(folder: str | os.PathLike[str]) -> Iterator[tuple[str, tuple[int, Path]]]:
    """(path, (size, place)) of every regular file below a directory, copies and caches left out.

    Links are not followed. At most `MAX_VISITED` files.
    """
    top = os.path.realpath(folder)
    count = 0
    for place, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name not in SKIPPED)
        below = os.path.relpath(place, top).replace(os.sep, "/")
        for name in sorted(files):
            full = Path(place, name)
            try:
                found = full.lstat()
            except OSError:
                continue
            count += 1
            if count > MAX_VISITED:
                return
            if stat.S_ISREG(found.st_mode):
                yield name if below == "." else f"{below}/{name}", (found.st_size, full)


def names_below(folder: str, skipped: frozenset[str]) -> Iterator[tuple[bytes, bytes]]:
    """(path below, place) of everything below a directory, in an order that stays.

    Names are bytes, for they may be no text. Links are not followed; what is called as one of
    ``skipped`` is left out with all below it.
    """
    top = os.fsencode(os.path.realpath(folder))
    for place, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if os.fsdecode(name) not in skipped)
        below = os.path.relpath(place, top)
        for name in sorted([*files, *folders]):
            yield below + b"/" + name, os.path.join(place, name)


class OutsideError(OSError):
    """A path that leads out of the root, or through something that is never read."""


def read_below(folder: str | os.PathLike[str], path: str, limit: int) -> bytes:
    """The bytes of a regular file below a folder, of at most ``limit`` bytes.

    Raises OSError, whose ``strerror`` says why not: it leads out of the folder, is a FIFO, is too large.
    """
    top = os.path.realpath(folder)
    access = _Handles(top) if _HANDLES else _Names(top)
    handle = access.file(path)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "is no regular file")
        data = file.read(limit + 1) if found.st_size <= limit else b""
    if found.st_size > limit or len(data) > limit:
        raise OSError(errno.EFBIG, f"has {found.st_size:,} bytes, more than the limit of {limit:,}")
    return data


class Listed(NamedTuple):
    """One name in a directory."""

    name: str
    type: int
    """As in a mode: ``S_IFREG``, ``S_IFDIR``, ``S_IFLNK``, or 0 for a FIFO, socket or device."""
    size: int
    """In bytes; 0 for what is no file of a kind that is analysed."""


class _Access(Protocol):
    """How a directory tree is opened on this platform."""

    def root(self) -> int | str: ...
    def enter(self, folder: int | str, name: str) -> int | str: ...
    def leave(self, folder: int | str) -> None: ...
    def scan(self, folder: int | str, limit: int) -> list[Listed]: ...
    def file(self, path: str) -> int: ...
    def folder(self, path: str) -> int | str: ...


def _type(item: os.DirEntry[str]) -> int:
    if item.is_symlink() or _is_junction(item):
        return stat.S_IFLNK
    if item.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFREG if item.is_file(follow_symlinks=False) else 0


def _is_junction(item: os.DirEntry[str]) -> bool:
    """Whether a Windows directory is a mount point: a link in all but name."""
    if not _WINDOWS:
        return False
    tag: int = getattr(item.stat(follow_symlinks=False), "st_reparse_tag", 0)
    return tag == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", -1)


def _scan(folder: int | str, limit: int) -> list[Listed]:
    result = []
    with os.scandir(folder) as items:
        for item in islice(items, limit):
            kind = _type(item)
            size = 0
            if kind == stat.S_IFREG and kind_of(item.name) is not None:
                size = item.stat(follow_symlinks=False).st_size
            result.append(Listed(item.name, kind, size))
    return result


class _Handles:
    """Access through directory handles, one component at a time."""

    def __init__(self, top: str) -> None:
        self.top = top

    def root(self) -> int:
        return os.open(self.top, _FOLDER_FLAGS & ~getattr(os, "O_NOFOLLOW", 0))

    def enter(self, folder: int | str, name: str) -> int:
        assert isinstance(folder, int)
        return os.open(name, _FOLDER_FLAGS, dir_fd=folder)

    def leave(self, folder: int | str) -> None:
        assert isinstance(folder, int)
        os.close(folder)

    def scan(self, folder: int | str, limit: int) -> list[Listed]:
        return _scan(folder, limit)

    def file(self, path: str) -> int:
        """A handle of a regular file. Raises OSError."""
        return self._resolve(path, folder=False)

    def folder(self, path: str) -> int:
        """A handle of a directory. Raises OSError."""
        return self._resolve(path, folder=True)

    def _resolve(self, path: str, *, folder: bool) -> int:
        open_: list[int] = [self.root()]
        try:
            pending = path.split("/")[::-1]
            hops = 0
            while pending:
                name = pending.pop()
                if name in ("", "."):
                    continue
                if name == "..":
                    if len(open_) == 1:
                        raise OutsideError(errno.EPERM, "leads out of the folder")
                    os.close(open_.pop())
                    continue
                if name.lower() == ".git":
                    raise OutsideError(errno.EPERM, "git's own files are not read")
                mode = os.stat(name, dir_fd=open_[-1], follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    hops += 1
                    if hops > MAX_HOPS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                    target = os.readlink(name, dir_fd=open_[-1])
                    if target.startswith("/"):
                        target = self._below(target)
                        while len(open_) > 1:
                            os.close(open_.pop())
                    pending += target.split("/")[::-1]
                elif stat.S_ISDIR(mode):
                    open_.append(os.open(name, _FOLDER_FLAGS, dir_fd=open_[-1]))
                elif any(part not in ("", ".") for part in pending):
                    raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
                elif folder or not stat.S_ISREG(mode):
                    raise OSError(errno.EINVAL, "is no regular file")
                else:
                    return os.open(name, READ_FLAGS, dir_fd=open_[-1])
            if not folder:
                raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
            return open_.pop()
        finally:
            for handle in open_:
                os.close(handle)

    def _below(self, target: str) -> str:
        short = os.path.normpath(target)
        if short == self.top:
            return "."
        prefix = self.top.rstrip("/") + "/"
        if not short.startswith(prefix):
            raise OutsideError(errno.EPERM, "leads out of the folder")
        return short[len(prefix) :]


class _Names:
    """Access by names, for platforms without directory handles: resolved, then compared."""

    def __init__(self, top: str) -> None:
        self.top = top

    def root(self) -> str:
        return self.top

    def enter(self, folder: int | str, name: str) -> str:
        path = os.path.join(str(folder), name)
        if os.path.realpath(path) != os.path.join(os.path.realpath(str(folder)), name):
            raise OutsideError(errno.EPERM, "is a link")
        return path

    def leave(self, folder: int | str) -> None:
        """Nothing is held open."""

    def scan(self, folder: int | str, limit: int) -> list[Listed]:
        return _scan(folder, limit)

    def file(self, path: str) -> int:
        """A handle of a regular file. Raises OSError."""
        target = self._resolve(path)
        if not stat.S_ISREG(os.lstat(target).st_mode):
            raise OSError(errno.EINVAL, "is no regular file")
        return os.open(target, READ_FLAGS)

    def folder(self, path: str) -> str:
        """The resolved path of a directory. Raises OSError."""
        target = self._resolve(path)
        if not stat.S_ISDIR(os.lstat(target).st_mode):
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return target

    def _resolve(self, path: str) -> str:
        if _WINDOWS and any(not _plain(part) for part in path.split("/")):
            raise OutsideError(errno.EPERM, "is no name of a file")
        target = os.path.realpath(os.path.join(self.top, *path.split("/")), strict=True)
        below = Path(target)
        if not below.is_relative_to(self.top):
            raise OutsideError(errno.EPERM, "leads out of the folder")
        if any(part.lower() == ".git" for part in below.relative_to(self.top).parts):
            raise OutsideError(errno.EPERM, "git's own files are not read")
        return target


def _plain(name: str) -> bool:
    """Whether Windows takes a name for that of a file: no drive, stream, device or trimmed end."""
    if name in (".", ".."):
        return True
    stem = name.split(".", 1)[0].rstrip(" ").lower()
    return not (set(name) & set('\\:*?"<>|') or name.endswith((" ", ".")) or stem in _RESERVED)


class _Context(NamedTuple):
    """The git work tree that a directory belongs to."""

    repository: Repository
    prefix: str
    """Put before a path (relative to the tree) whose first ``strip`` characters are left out."""
    strip: int

    def name(self, path: str) -> str:
        """The path as the work tree names it."""
        return self.prefix + path[self.strip :]


class _Frame(NamedTuple):
    """A directory on the way from the root to where the walk is."""

    handle: int | str
    path: str
    folders: Iterator[str]
    context: _Context | None
    foreign: bool
    """Whether it belongs to another git work tree than the root does."""


class Tree:
    """A directory on disk as a `Source`.

    ``exclude`` and ``include`` are patterns as in ``.gitignore``, relative to the root: what is
    excluded, or not included, is read as an input but not reported. ``named`` are paths that are
    reported whatever git or the patterns say. Raises NotADirectoryError when ``root`` is none.
    """

    def __init__(  # noqa: PLR0913  limits have names
        self,
        root: str | os.PathLike[str],
        *,
        exclude: Iterable[str] = (),
        include: Iterable[str] = (),
        named: Collection[str] = (),
        max_size: int = MAX_SIZE,
        max_plan: int = MAX_PLAN,
        max_depth: int = MAX_DEPTH,
        max_files: int = MAX_FILES,
        git: bool = True,
    ) -> None:
        top = os.path.realpath(root)
        if not os.path.isdir(top):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(root))
        self.root: Final = Path(top)
        self.max_size = max_size
        self.max_plan = max(max_plan, max_size)
        self.max_depth = max_depth
        self.max_files = max_files
        self.failures: list[Failure] = []
        self.skipped: Counter[str] = Counter()
        self._access: _Access = _Handles(top) if _HANDLES else _Names(top)
        self._exclude = Globs(exclude)
        self._include = Globs(include)
        self._named = frozenset(named)
        self._use_git = git
        self._known: _Context | None = None
        self._asked = False
        self._failed: set[tuple[FailureKind, str]] = set()
        self._plans: set[str] = set()
        self._told: set[str] = set()

    # Listing

    def files(self) -> Iterator[Entry]:
        """Every file of a kind that is analysed: a directory's files by name, then its folders.

        Effect: `failures` and `skipped` say what was left out; each call counts anew.
        """
        self.skipped.clear()
        budget = _Budget(self.max_files, MAX_VISITED)
        stack: list[_Frame] = []
        try:
            try:
                handle = self._access.root()
            except OSError as error:
                self._fail(FailureKind.UNREADABLE, ".", f"cannot be read: {error.strerror}")
                return
            yield from self._open(stack, handle, "", self._context(), budget, foreign=False)
            while stack:
                frame = stack[-1]
                name = next(frame.folders, None)
                if name is None or budget.spent:
                    self._access.leave(stack.pop().handle)
                    continue
                path = f"{frame.path}/{name}" if frame.path else name
                if len(stack) > self.max_depth:
                    message = f"is more than {self.max_depth} directories deep; not read"
                    self._fail(FailureKind.LIMIT, path, message)
                    continue
                try:
                    handle = self._access.enter(frame.handle, name)
                except OSError as error:
                    self._fail(FailureKind.UNREADABLE, path, f"cannot be read: {error.strerror}")
                    continue
                yield from self._open(
                    stack, handle, path, frame.context, budget, foreign=frame.foreign
                )
        finally:
            for frame in stack:
                self._access.leave(frame.handle)

    def _open(
        self,
        stack: list[_Frame],
        handle: int | str,
        path: str,
        context: _Context | None,
        budget: _Budget,
        *,
        foreign: bool,
    ) -> Iterator[Entry]:
        """The entries of one directory. Effect: puts it on the stack, its folders still to go."""
        folders: list[str] = []
        try:
            listed = sorted(self._access.scan(handle, budget.names + 1))
        except OSError as error:
            listed = []
            self._fail(FailureKind.UNREADABLE, path or ".", f"cannot be read: {error.strerror}")
        budget.names -= len(listed)
        if budget.names < 0:
            self._spend(budget, path, f"holds more than {MAX_VISITED} names; the rest is not read")
        names = {item.name for item in listed if item.name in (".git", "pyvenv.cfg")}
        if "pyvenv.cfg" in names and path:
            self.skipped["directory of a Python environment"] += 1
            listed = []
        elif ".git" in names and path and self._use_git and is_work_tree(self.root / path):
            if context is None and not foreign:
                context = _Context(Repository(self.root / path), "", len(path) + 1)
            else:
                foreign = True
        stack.append(_Frame(handle, path, iter(folders), context, foreign))
        for seen in listed:
            item = seen
            if item.type == stat.S_IFDIR:
                if item.name in SKIPPED:
                    if item.name not in UNCOUNTED:
                        self.skipped[f"directory {item.name}"] += 1
                else:
                    folders.append(item.name)
                continue
            where = f"{path}/{item.name}" if path else item.name
            kind = kind_of(item.name)
            if kind is None and item.type == stat.S_IFREG:
                found = self._plan(where, item, context)
                if found is not None:
                    kind, item = Kind.PLAN, found
                elif told_by_content(item.name):
                    kind, item = self._look(where, item)
            if item.type == stat.S_IFLNK and kind is None:
                self._count_link(where)
            elif kind is not None:
                entry = self._entry(where, kind, item, context, foreign=foreign)
                if entry is None:
                    continue
                if budget.files == 0:
                    limit = f"more than {self.max_files} files; the rest is not read"
                    self._spend(budget, path, limit)
                if budget.spent:
                    return
                budget.files -= 1
                yield entry

    def _spend(self, budget: _Budget, path: str, message: str) -> None:
        if not budget.spent:
            budget.spent = True
            self._fail(FailureKind.LIMIT, path or ".", message)

    def _count_link(self, path: str) -> None:
        """Effect: counts a link that leads to a directory; other links concern nobody."""
        if os.path.isdir(self.root / path):
            self.skipped["symbolic link to a directory"] += 1

    def _entry(
        self, path: str, kind: Kind, item: Listed, context: _Context | None, *, foreign: bool
    ) -> Entry | None:
        size = item.size
        if item.type == stat.S_IFLNK:
            try:
                handle = self._access.file(path)
            except OutsideError:
                self._left_out(path, kind, "symbolic link out of the root")
                return None
            except OSError:
                self._left_out(path, kind, "symbolic link to no file")
                return None
            size = os.fstat(handle).st_size
            os.close(handle)
        elif item.type != stat.S_IFREG:
            self._left_out(path, kind, "no regular file")
            return None
        if size > self._limit(path):
            if kind is not Kind.HCL:
                self._fail(FailureKind.LIMIT, path, self._too_large(path, size))
            return None
        reported = True
        if path not in self._named:
            reason = self._silenced(path, item, context, foreign=foreign)
            if reason is not None:
                reported = False
                if kind.configuration:
                    self.skipped[reason] += 1
        return Entry(path, kind, size, reported)

    def _left_out(self, path: str, kind: Kind, reason: str) -> None:
        """Effect: counts a file that is not opened; a failure where Terraform would read it."""
        self.skipped[reason] += 1
        if kind.configuration and not self._exclude.match(path):
            message = f"{reason}: Terraform would read it, it is not read here"
            self._fail(FailureKind.UNREADABLE, path, message)

    def _plan(self, path: str, item: Listed, context: _Context | None) -> Listed | None:
        """The file with its size, when it is a plan that concerns the caller.

        That is one that is named, or one that git tracks: what lies around untracked is as likely the
        output of an older run. Effect: a named file that nearly is one is a failure.
        """
        named = path in self._named
        if not named and (context is None or not may_be_plan(item.name)):
            return None
        try:
            handle = self._access.file(path)
        except (OSError, ValueError):
            return None
        with os.fdopen(handle, "rb") as file:
            size = os.fstat(handle).st_size
            try:
                head = file.read(HEAD)
                found = look(head)
                if named and found is None and size <= self.max_plan:
                    found = look_whole(text_of(head + file.read(self.max_plan)))
            except OSError:
                return None
        if found is None or found is Look.ZIP or (not named and found is Look.BINARY):
            return None
        if found is Look.BINARY:
            self._fail(FailureKind.UNREADABLE, path, BINARY_PLAN)
            return None
        if not named:
            assert context is not None
            if context.repository.tracked(context.name(path)) is not True:
                return None
            if found is Look.STATE:
                self.skipped["Terraform state, no plan"] += 1
                return None
        self._plans.add(path)
        return item._replace(size=size)

    def _look(self, path: str, item: Listed) -> tuple[Kind | None, Listed]:
        """The kind that the content of a file tells, and the file with its size."""
        try:
            handle = self._access.file(path)
        except (OSError, ValueError):
            return None, item
        with os.fdopen(handle, "rb") as file:
            try:
                size = os.fstat(handle).st_size
                kind = kind_of_content(path, file.read(self.max_size))
            except OSError:
                return None, item
        if kind is None:
            return None, item
        self._told.add(path)
        return kind, item._replace(size=size)

    def _analysed(self, path: str) -> bool:
        """Whether a file is of a kind that is analysed, as far as listing has told it."""
        return kind_of(path) is not None or path in self._plans or path in self._told

    def _limit(self, path: str) -> int:
        return self.max_plan if path in self._plans else self.max_size

    def _silenced(
        self, path: str, item: Listed, context: _Context | None, *, foreign: bool
    ) -> str | None:
        """Why a file is an input only."""
        if item.type == stat.S_IFLNK:
            return "symbolic link (input only)"
        if foreign:
            return "in another git repository (input only)"
        if self._exclude.match(path) or (self._include and not self._include.match(path)):
            return "excluded by configuration (input only)"
        if context is not None and not context.repository.reported(context.name(path)):
            return "ignored by git (input only)"
        if context is not None and context.repository.fault:
            self.skipped[f"git index that {context.repository.fault}"] = 1
        return None

    def _context(self) -> _Context | None:
        """The work tree around the root; ``None`` too when that work tree ignores the root."""
        if not self._asked:
            self._asked = True
            top = repository_root(self.root) if self._use_git else None
            if top is not None:
                below = self.root.relative_to(top).as_posix()
                prefix = "" if below == "." else f"{below}/"
                repository = Repository(top)
                if not (prefix and repository.ignored(f"{prefix}.")):
                    self._known = _Context(repository, prefix, 0)
        return self._known

    def tracked(self, path: str) -> bool | None:
        """Whether git tracks a file of a kind that is analysed; ``None``: not known."""
        context = self._context()
        return None if context is None else context.repository.tracked(context.name(path))

    # Reading

    def read(self, path: str) -> str | None:
        """The text of a file below the root.

        A file of a kind that is analysed keeps its byte order mark: fingerprints count it. Effect: such
        a file that cannot be read is a failure.
        """
        data = self.data(path)
        short = inside(path)
        if data is None or short is None:
            return None
        plan = short in self._plans
        analysed = self._analysed(short)
        try:
            if plan and is_utf16(data):
                return data.decode("utf-16")
            return data.decode("utf-8" if analysed and not plan else "utf-8-sig")
        except UnicodeDecodeError as error:
            if analysed:
                self._fail(FailureKind.UNREADABLE, short, _encoding(data, error))
            return None

    def data(self, path: str) -> bytes | None:
        """The bytes of a file below the root. Effect: as `read`."""
        short = inside(path)
        if short is None or (_WINDOWS and "\\" in path):
            return None
        wanted = self._analysed(short)
        limit = self._limit(short)
        try:
            handle = self._access.file(short)
        except FileNotFoundError:
            return None
        except OSError as error:
            if wanted and not isinstance(error, OutsideError):
                self._fail(FailureKind.UNREADABLE, short, f"cannot be read: {error.strerror}")
            return None
        except ValueError:
            return None
        with os.fdopen(handle, "rb") as file:
            try:
                found = os.fstat(handle)
                if not stat.S_ISREG(found.st_mode):
                    return None
                data = None if found.st_size > limit else file.read(limit + 1)
            except OSError as error:
                if wanted:
                    self._fail(FailureKind.UNREADABLE, short, f"cannot be read: {error.strerror}")
                return None
        if data is None or len(data) > limit:
            if wanted:
                self._fail(FailureKind.LIMIT, short, self._too_large(short, found.st_size))
            return None
        return data

    def names(self, directory: str) -> list[str]:
        """The names of the files in a directory, sorted; also where `files` does not go."""
        short = inside(directory)
        if short is None:
            return []
        try:
            with self._folder(short) as handle:
                listed = self._access.scan(handle, MAX_FILES)
        except (OSError, ValueError):
            return []
        return sorted(
            item.name
            for item in listed
            if item.type == stat.S_IFREG
            or (item.type == stat.S_IFLNK and self._leads_to_file(f"{short}/{item.name}"))
        )

    @contextmanager
    def _folder(self, path: str) -> Iterator[int | str]:
        handle = self._access.folder(path)
        try:
            yield handle
        finally:
            self._access.leave(handle)

    def _leads_to_file(self, path: str) -> bool:
        try:
            os.close(self._access.file(path))
        except (OSError, ValueError):
            return False
        return True

    def _too_large(self, path: str, size: int) -> str:
        return f"has {size:,} bytes, more than the limit of {self._limit(path):,}; not read"

    def _fail(self, kind: FailureKind, path: str, message: str) -> None:
        """Effect: keeps a failure, once per kind and path, and no more than the limit."""
        if (kind, path) in self._failed or len(self._failed) > MAX_FAILURES:
            return
        self._failed.add((kind, path))
        if len(self._failed) > MAX_FAILURES:
            message = f"more than {MAX_FAILURES} files and directories could not be read"
            kind, path = FailureKind.LIMIT, "."
        self.failures.append(Failure(kind, path, message))


class _Budget:
    """What one listing may still look at."""

    __slots__ = ("files", "names", "spent")

    def __init__(self, files: int, names: int) -> None:
        self.files = files
        self.names = names
        self.spent = False


def _encoding(data: bytes, error: UnicodeDecodeError) -> str:
    """What is wrong with a text that is not UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16, not UTF-8"
    line = data.count(b"\n", 0, error.start) + 1
    return f"is not UTF-8: byte 0x{data[error.start]:02x} in line {line}"
