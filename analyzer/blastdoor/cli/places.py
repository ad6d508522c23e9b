"""Paths as a caller names them: what is read, what is reported, and how reports call it."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from blastdoor.cli.streams import CallerError
from blastdoor.record import dataclass
from blastdoor.report.escape import sanitise
from blastdoor.source import configuration_root, repository_root

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Place:
    """What one run looks at."""

    root: Path
    """The directory that is read: the evidence of all of it counts."""
    folders: tuple[str, ...]
    """Directories to report on, relative to the root."""
    files: tuple[str, ...]
    """Files to report on, relative to the root."""
    prefix: str
    """Put before paths in logs: it makes them relative to the base."""
    base: Path
    """The repository; without git the working directory or, outside of it, the root."""

    @property
    def whole(self) -> bool:
        """Whether everything is reported on."""
        return "." in self.folders

    def selects(self, path: str) -> bool:
        """Whether a file is to be reported on."""
        path = posixpath.normpath(path)
        return (
            self.whole
            or path in self.files
            or any(path.startswith(f"{folder}/") for folder in self.folders)
        )

    def relative(self, path: str | Path) -> str:
        """A file on disk, relative to the root. Raises CallerError when it lies outside."""
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(self.root):
            where = sanitise(str(self.root))
            raise CallerError(f"{sanitise(str(path))} lies outside of {where}, which is analysed")
        return target.relative_to(self.root).as_posix()


def from_here(path: Path) -> str:
    """A path as one would open it from the working directory."""
    try:
        return Path(os.path.relpath(path)).as_posix()
    except ValueError:  # another drive
        return str(path)


def locate(paths: Sequence[str], config_file: str | None, *, isolated: bool) -> Place:
    """The place that paths on the command line mean. Raises CallerError."""
    folders: list[Path] = []
    files: list[Path] = []
    for path in paths:
        real = Path(os.path.realpath(path))
        if real.is_dir():
            folders.append(real)
        elif real.is_file():
            files.append(real)
        elif os.path.lexists(real):
            raise CallerError(f"{sanitise(path)} is neither a regular file nor a directory")
        else:
            raise CallerError(f"{sanitise(path)} does not exist")
    return _place(folders, files, config_file, isolated=isolated)


def locate_text(filename: str, config_file: str | None, *, isolated: bool) -> Place:
    """The place of text whose file need not exist, only its directory. Raises CallerError."""
    folder, name = os.path.split(filename)
    if not name or name == os.pardir or not Path(folder or os.curdir).is_dir():
        raise CallerError(f"{sanitise(filename)} is no file in a directory that exists")
    file = Path(os.path.realpath(folder or os.curdir)) / name
    return _place([], [file], config_file, isolated=isolated)


def _place(
    folders: list[Path], files: list[Path], config_file: str | None, *, isolated: bool
) -> Place:
    named = [*folders, *(file.parent for file in files)]
    here = Path(os.path.realpath(os.curdir))
    try:
        common = Path(os.path.commonpath(named))
    except ValueError as error:
        raise CallerError("the paths lie on different drives; check them one by one") from error
    top = repository_root(common)
    if top is None and common not in named and not common.is_relative_to(here):
        outside = next((path for path in named if not path.is_relative_to(here)), common)
        raise CallerError(
            f"{sanitise(str(outside))} lies outside of the working directory, and no git "
            "repository holds all the paths; check them one by one"
        )
    root = _root(common, top, config_file, isolated=isolated)
    base = next((b for b in (top, here) if b is not None and root.is_relative_to(b)), root)
    prefix = root.relative_to(base).as_posix()
    return Place(
        root,
        tuple(folder.relative_to(root).as_posix() for folder in folders),
        tuple(file.relative_to(root).as_posix() for file in files),
        "" if prefix == "." else f"{prefix}/",
        base,
    )


def _root(common: Path, top: Path | None, config_file: str | None, *, isolated: bool) -> Path:
    """The directory whose evidence belongs together, at or above ``common``."""
    if config_file is not None:
        folder = Path(os.path.realpath(config_file)).parent
        if common.is_relative_to(folder) and folder.is_relative_to(top or common):
            return folder
        return top or common
    return (top or common) if isolated else configuration_root(common)
