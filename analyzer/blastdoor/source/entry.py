"""What discovery hands on: entries, and the two faces of everything files can be read from."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from blastdoor.record import dataclass
from blastdoor.source.content import kind_of_content, told_by_content
from blastdoor.source.kinds import Kind, kind_of
from blastdoor.source.plans import HEAD, look, look_whole, may_be_plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from blastdoor.finding import Failure


@dataclass(frozen=True, slots=True)
class Entry:
    """One file that discovery found."""

    path: str
    """Relative to the root, with ``/`` on every platform; bytes that are no UTF-8 as surrogates."""
    kind: Kind
    size: int
    """In bytes."""
    reported: bool = True
    """False for a file that is read as an input only: ignored by git, excluded, behind a link."""


class Files(Protocol):
    """Texts by path. Paths are relative to the root; whatever lies outside is not there."""

    def read(self, path: str) -> str | None:
        """The text of a file, or ``None`` when it is not there or cannot be read as text."""

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory, sorted; empty when it is not there."""


class Source(Files, Protocol):
    """Files that can be listed: a directory on disk, a mapping, an overlay of the two."""

    skipped: Counter[str]
    """What was left out on purpose, by reason, so far."""

    @property
    def failures(self) -> Sequence[Failure]:
        """What could not be listed or read, so far."""

    def files(self) -> Iterator[Entry]:
        """Every file of a kind that is analysed, in an order that depends on the names alone."""

    def tracked(self, path: str) -> bool | None:
        """Whether git tracks the file; ``None`` where that is not known."""


def inside(path: str) -> str | None:
    """The path in its shortest form; ``None`` when it leaves the root or is absolute."""
    if not path or "\0" in path or path.startswith("/"):
        return None
    short = posixpath.normpath(path)
    return None if short == ".." or short.startswith("../") else short


def _arranged(paths: Iterable[str]) -> list[str]:
    """Paths as a walk finds them: the files of a directory, then its folders one by one."""

    def key(path: str) -> list[tuple[bool, str]]:
        *folders, name = path.split("/")
        return [*((True, folder) for folder in folders), (False, name)]

    return sorted(paths, key=key)


def _listed(paths: Iterable[str], directory: str) -> set[str]:
    prefix = "" if directory == "." else f"{directory}/"
    return {
        path[len(prefix) :]
        for path in paths
        if path.startswith(prefix) and "/" not in path[len(prefix) :]
    }


def _is_plan(path: str, text: str) -> bool:
    """Whether a file held in memory is a plan or a state: somebody has named it."""
    return may_be_plan(path) and (look(text[:HEAD]) or look_whole(text)) is not None


class Memory:
    """Files held in memory, for tests, rule pages and text from standard input."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.skipped: Counter[str] = Counter()
        self._files: dict[str, str] = {}
        for path, text in files.items():
            short = inside(path)
            if short is None:
                raise ValueError(f"{path!r} is no path below a root")
            self._files[short] = text

    @property
    def failures(self) -> Sequence[Failure]:
        """Nothing can fail."""
        return ()

    def files(self) -> Iterator[Entry]:
        """Every file of a kind that is analysed."""
        for path in _arranged(self._files):
            kind = kind_of(path)
            if kind is None and _is_plan(path, self._files[path]):
                kind = Kind.PLAN
            if kind is None and told_by_content(path):
                data = self._files[path].encode("utf-8", "surrogatepass")
                kind = kind_of_content(path, data)
            if kind is not None:
                yield Entry(path, kind, len(self._files[path].encode("utf-8", "surrogatepass")))

    def read(self, path: str) -> str | None:
        """The text of a file."""
        short = inside(path)
        return None if short is None else self._files.get(short)

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory."""
        short = inside(directory)
        return [] if short is None else sorted(_listed(self._files, short))

    def tracked(self, path: str) -> bool | None:
        """Nothing is known of git."""
        del path
        return None


class Overlay:
    """A source with some files replaced or added: an editor's open buffers, standard input."""

    def __init__(self, base: Source, files: Mapping[str, str]) -> None:
        self.base = base
        self.skipped = base.skipped
        self._top = Memory(files)

    @property
    def failures(self) -> Sequence[Failure]:
        """Those of the base, without those of files that the overlay replaces."""
        return [found for found in self.base.failures if self._top.read(found.path) is None]

    def files(self) -> Iterator[Entry]:
        """Every file of the base, then those that only the overlay has."""
        added = {entry.path: entry for entry in self._top.files()}
        for entry in self.base.files():
            mine = added.pop(entry.path, None)
            yield entry if mine is None else replace(entry, size=mine.size)
        yield from added.values()

    def read(self, path: str) -> str | None:
        """The overlay's text of a file, else the base's."""
        text = self._top.read(path)
        return self.base.read(path) if text is None else text

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory, in either."""
        return sorted({*self.base.names(directory), *self._top.names(directory)})

    def tracked(self, path: str) -> bool | None:
        """What the base knows."""
        return self.base.tracked(path)
