"""What git knows of a work tree, learned from its files: nothing of the repository is run.

Only the index, ``.gitignore`` files and ``info/exclude`` are read. Configuration
(``core.worktree``, ``core.excludesFile``) and the process environment are not, so that they cannot
change a result.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor.source import index
from blastdoor.source.content import told_by_content
from blastdoor.source.glob import Pattern, last_match, patterns
from blastdoor.source.kinds import kind_of
from blastdoor.source.plans import may_be_plan

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_POINTER: Final = 4_096
"""Most bytes of a ``.git`` or ``commondir`` file."""
_MAX_PATTERNS: Final = 1_000_000
"""Most bytes of one ``.gitignore``."""


def read_regular(path: str | Path, limit: int) -> bytes | None:
    """The bytes of a regular file of at most ``limit`` bytes; ``None`` for anything else.

    Symbolic links as the last component are not followed, FIFOs and devices are not opened to be
    read.
    """
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        handle = os.open(path, READ_FLAGS)
    except (OSError, ValueError):
        return None
    with os.fdopen(handle, "rb") as file:
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
                return None
            data = file.read(limit + 1)
        except OSError:
            return None
    return data if len(data) <= limit else None


READ_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
"""How every file is opened: no link followed, no wait for a FIFO's writer, no terminal taken."""


def _directories(top: Path) -> tuple[Path, Path] | None:
    """(git directory, common directory) of the work tree ``top``, when it is one."""
    entry = top / ".git"
    try:
        mode = os.lstat(entry).st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISDIR(mode):
        return (entry, entry) if os.path.lexists(entry / "HEAD") else None
    data = read_regular(entry, _MAX_POINTER)
    if data is None or not data.startswith(b"gitdir:"):
        return None
    target = _pointed(top, data.removeprefix(b"gitdir:"))
    if target is None or not os.path.lexists(target / "HEAD"):
        return None
    common = read_regular(target / "commondir", _MAX_POINTER)
    shared = None if common is None else _pointed(target, common)
    return target, shared or target


def _pointed(base: Path, data: bytes) -> Path | None:
    """The path that a pointer file names; never one on another machine."""
    text = os.fsdecode(data.strip())
    if not text or "\0" in text or text.startswith(("//", "\\\\")):
        return None
    return Path(os.path.normpath(base / text))


def git_directory(top: Path) -> Path | None:
    """The git directory of the work tree ``top``; ``None`` when it is none."""
    found = _directories(top)
    return None if found is None else found[0]


def is_work_tree(top: Path) -> bool:
    """Whether ``top`` is the root of a git work tree."""
    return _directories(top) is not None


def repository_root(path: Path) -> Path | None:
    """The root of the nearest git work tree at or above ``path``; ``None`` when there is none."""
    start = Path(os.path.realpath(path))
    for top in (start, *start.parents):
        if is_work_tree(top):
            return top
    return None


class Repository:
    """One git work tree: what it tracks and what it ignores. Paths are relative to its root."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.fault: str | None = None
        """Why the index could not be read, once it was asked for."""
        found = _directories(top)
        self._git = found[0] if found else None
        self._common = found[1] if found else None
        self._tracked: frozenset[str] | None = None
        self._read = False
        self._patterns: dict[str, tuple[Pattern, ...]] = {}
        self._ignored: dict[str, bool] = {"": False}
        self._excludes: tuple[Pattern, ...] | None = None

    def tracked(self, path: str) -> bool | None:
        """Whether the index holds the path, of a kind that may be analysed; ``None``: not known."""
        if not self._read:
            self._read = True
            self._tracked = self._load()
        return None if self._tracked is None else path in self._tracked

    def _load(self) -> frozenset[str] | None:
        if self._git is None:
            return None
        file = self._git / "index"
        if not os.path.lexists(file):
            return frozenset()
        data = read_regular(file, index.MAX_BYTES)
        if data is None:
            self.fault = "is no regular file of a readable size"
            return None
        try:
            return index.tracked_paths(data, _may_concern)
        except index.GitIndexError as error:
            self.fault = str(error)
            return None

    def ignored(self, path: str) -> bool:
        """Whether ``.gitignore`` files ignore the file at ``path``, tracked or not."""
        folder, _slash, _name = path.rpartition("/")
        return self._folder_ignored(folder) or self._says(path.split("/"), directory=False)

    def _folder_ignored(self, folder: str) -> bool:
        """Whether a directory, or one above it, is ignored: nothing below it can be taken back."""
        segments = folder.split("/") if folder else []
        ignored = False
        for count in range(1, len(segments) + 1):
            name = "/".join(segments[:count])
            known = self._ignored.get(name)
            if known is None:
                known = ignored or self._says(segments[:count], directory=True)
                self._ignored[name] = known
            ignored = known
        return ignored

    def _says(self, segments: Sequence[str], *, directory: bool) -> bool:
        """What the nearest ``.gitignore`` with a matching pattern says of one path."""
        for count in range(len(segments) - 1, -1, -1):
            found = self._of("/".join(segments[:count]))
            if found:
                said = last_match(found, segments[count:], directory=directory)
                if said is not None:
                    return said
        if self._excludes is None:
            data = None
            if self._common is not None:
                data = read_regular(self._common / "info" / "exclude", _MAX_PATTERNS)
            self._excludes = () if data is None else _decoded(data)
        return bool(last_match(self._excludes, segments, directory=directory))

    def _of(self, folder: str) -> tuple[Pattern, ...]:
        found = self._patterns.get(folder)
        if found is None:
            data = read_regular(self.top / folder / ".gitignore", _MAX_PATTERNS)
            found = () if data is None else _decoded(data)
            self._patterns[folder] = found
        return found

    def reported(self, path: str) -> bool:
        """Whether findings in the file are reported: it is tracked, or it is new and not ignored.

        The index is read only when something is ignored. When it cannot be read, everything counts.
        """
        return not self.ignored(path) or self.tracked(path) is not False


def _may_concern(path: str) -> bool:
    """Whether a file with this name may be of a kind that is analysed."""
    return kind_of(path) is not None or may_be_plan(path) or told_by_content(path)


def _decoded(data: bytes) -> tuple[Pattern, ...]:
    return patterns(data.decode("utf-8", "surrogateescape"))
