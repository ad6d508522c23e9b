"""Sources whose files are partly inputs only: read, and nothing is reported in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastdoor.source.entry import inside
from blastdoor.source.glob import Globs

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Sequence

    from blastdoor.finding import Failure
    from blastdoor.source.disk import Tree
    from blastdoor.source.entry import Entry, Source
    from blastdoor.source.revision import Revision


class Narrowed:
    """A source in which some files are inputs only, because the configuration says so.

    ``exclude`` and ``include`` are patterns as in ``.gitignore``, relative to the root.
    """

    def __init__(self, base: Source, exclude: Iterable[str], include: Iterable[str]) -> None:
        self.base = base
        self.skipped = base.skipped
        self._exclude = Globs(exclude)
        self._include = Globs(include)

    @property
    def failures(self) -> Sequence[Failure]:
        """Those of the source."""
        return self.base.failures

    def files(self) -> Iterator[Entry]:
        """Every file, with what is only an input said to be one."""
        for entry in self.base.files():
            yield replace(entry, reported=False) if self.excluded(entry.path) else entry

    def excluded(self, path: str) -> bool:
        """Whether the configuration leaves a file out."""
        return self._exclude.match(path) or bool(self._include and not self._include.match(path))

    def read(self, path: str) -> str | None:
        """The text of a file."""
        return self.base.read(path)

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory."""
        return self.base.names(directory)

    def tracked(self, path: str) -> bool | None:
        """What the source knows."""
        return self.base.tracked(path)


class Beside:
    """A revision with what the work tree holds beside it: what git ignores is input to both sides.

    That is variables files that nobody commits, and the modules that ``terraform init`` has fetched.
    Without them base would know less than head, and all that they decide would look new.
    """

    def __init__(self, revision: Revision, tree: Tree, ignored: Iterable[Entry]) -> None:
        self.base = revision
        self.skipped: Counter[str] = revision.skipped
        self._tree = tree
        self._ignored = {entry.path: replace(entry, reported=False) for entry in ignored}

    @property
    def failures(self) -> Sequence[Failure]:
        """Those of the revision: the work tree's own are head's to say."""
        return self.base.failures

    def files(self) -> Iterator[Entry]:
        """Every file of the revision, then what git ignores."""
        yield from self.base.files()
        yield from self._ignored.values()

    def _fetched(self, path: str) -> bool:
        return ".terraform" in path.split("/")

    def read(self, path: str) -> str | None:
        """The text of a file."""
        short = inside(path)
        if short is not None and (short in self._ignored or self._fetched(short)):
            return self._tree.read(short)
        return self.base.read(path)

    def names(self, directory: str) -> list[str]:
        """The names of the files directly in a directory, in either."""
        short = inside(directory)
        if short is None:
            return []
        if self._fetched(short):
            return self._tree.names(short)
        prefix = "" if short == "." else f"{short}/"
        found = {
            path[len(prefix) :]
            for path in self._ignored
            if path.startswith(prefix) and "/" not in path[len(prefix) :]
        }
        return sorted({*found, *self.base.names(short)})

    def tracked(self, path: str) -> bool | None:
        """Whether the revision holds the file."""
        return self.base.tracked(path)
