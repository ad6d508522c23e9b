"""Where sources come from: discovery, limits, file kinds, git's knowledge, open buffers.

A `Source` lists files (`Source.files`) and reads them by path (`Source.read`). `Tree` is a
directory on disk, `Memory` a mapping, `Overlay` one on top of the other.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from blastdoor.source.disk import MAX_DEPTH, MAX_FILES, MAX_SIZE, Tree, read_below
from blastdoor.source.entry import Entry, Files, Memory, Overlay, Source
from blastdoor.source.git import read_regular, repository_root
from blastdoor.source.glob import Globs
from blastdoor.source.kinds import Kind, kind_of
from blastdoor.source.plans import MAX_PLAN

__all__ = [
    "MAX_DEPTH",
    "MAX_FILES",
    "MAX_PLAN",
    "MAX_SIZE",
    "Entry",
    "Files",
    "Globs",
    "Kind",
    "Memory",
    "Overlay",
    "Source",
    "Tree",
    "configuration_file",
    "configuration_root",
    "kind_of",
    "read_below",
    "read_regular",
    "repository_root",
]

_TABLE: Final = re.compile(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*blastdoor[ \t]*[.\]]", re.MULTILINE)
_MAX_PROJECT: Final = 1_000_000
"""Largest ``pyproject.toml`` that is looked at, in bytes."""


def configuration_file(path: str | os.PathLike[str]) -> Path | None:
    """The configuration that holds for ``path``.

    That is ``blastdoor.toml``, or ``pyproject.toml`` with a table ``[tool.blastdoor]``, in the
    nearest directory from ``path`` upward, not above the root of the git work tree. Without git
    only the directory itself is looked at: what stands above may be another user's.
    """
    start = _directory(path)
    top = repository_root(start) or start
    for folder in (start, *start.parents):
        own = folder / "blastdoor.toml"
        if os.path.lexists(own):
            return own
        project = folder / "pyproject.toml"
        data = read_regular(project, _MAX_PROJECT)
        if data is not None and _TABLE.search(data):
            return project
        if folder == top:
            break
    return None


def configuration_root(path: str | os.PathLike[str]) -> Path:
    """The directory whose evidence belongs together.

    The folder of the `configuration_file`, else the root of the git work tree, else ``path`` itself
    (the folder of a file).
    """
    file = configuration_file(path)
    if file is not None:
        return file.parent
    start = _directory(path)
    return repository_root(start) or start


def _directory(path: str | os.PathLike[str]) -> Path:
    real = Path(os.path.realpath(path))
    return real if real.is_dir() else real.parent
