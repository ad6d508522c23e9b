"""What to audit, as a caller names it: folders, clones, mirrors, URLs, lists, organisations.

A directory is one repository when git made it, a directory of clones when there are repositories below
it, and a plain folder otherwise. Names are what is left of a place without what all share, so that the
next audit, from another directory or machine, calls a repository the same.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from blastdoor.audit import forge, remote
from blastdoor.audit.setup import GIT, REMOTE, TREE, Target
from blastdoor.record import dataclass
from blastdoor.source.git import is_work_tree, read_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_LIST: Final = 100_000_000
"""Largest list of repositories, in bytes."""
_DEPTH: Final = 3
"""How many directories deep clones are looked for."""
_MAX_CLONES: Final = 1_000_000
_COLUMNS: Final = ("repository", "revision", "name", "owner")
_FIRST: Final = frozenset({"repository", "url", "path", "source", "clone_url"})
"""What the first column of a list may be called."""


class SourceError(Exception):
    """A source that cannot be audited; the message says why."""


@dataclass
class Sources:
    """The targets of an audit, and what was left out on the way."""

    targets: list[Target] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason → how many."""


@dataclass(frozen=True)
class Wishes:
    """What holds for all sources."""

    revision: str = ""
    api: str = ""
    """Address of the forge's API, where it is not the public one."""
    archived: bool = False
    forks: bool = False
    ssh: bool = False


def resolve(given: Iterable[str], lists: Iterable[str], wishes: Wishes) -> Sources:
    """The targets that sources and list files name, sorted by name. Raises SourceError.

    Effect: asks a forge where one is named.
    """
    found = Sources()
    for text in given:
        _one(text, wishes, found)
    for file in lists:
        for row in read_list(file):
            before = len(found.targets)
            _one(row.place, replace(wishes, revision=row.revision or wishes.revision), found)
            own = found.targets[before:]
            if row.name and len(own) == 1:
                own = [replace(own[0], name=row.name)]
            if row.owner:
                own = [replace(target, owner=row.owner) for target in own]
            found.targets[before:] = own
    found.targets = _named_apart(found.targets)
    return found


def _one(text: str, wishes: Wishes, found: Sources) -> None:
    if forge.is_forge(text):
        kind, _colon, name = text.partition(":")
        try:
            listing = forge.Forge(kind, wishes.api).repositories(
                name, archived=wishes.archived, forks=wishes.forks, ssh=wishes.ssh
            )
        except forge.ForgeError as error:
            raise SourceError(str(error)) from error
        found.left_out.update(listing.left_out)
        found.targets += [replace(target, revision=wishes.revision) for target in listing.targets]
    elif remote.is_url(text):
        if remote.has_password(text):
            shown = text.partition("://")[0]
            message = (
                f"the {shown} URL carries credentials, which would be stored and shown: "
                "let git's credential helper keep them"
            )
            raise SourceError(message)
        found.targets.append(Target(_url_name(text), REMOTE, text, wishes.revision))
    else:
        _local(text, wishes, found)


def _local(text: str, wishes: Wishes, found: Sources) -> None:
    top = Path(os.path.realpath(text))
    if not top.is_dir():
        what = "is no directory" if os.path.lexists(top) else "does not exist"
        message = f"{text} {what}"
        raise SourceError(message)
    if is_repository(top):
        found.targets.append(Target(_bare(top.name), GIT, str(top), wishes.revision))
        return
    clones = _clones(top, found.left_out)
    for place in clones:
        name = _bare(place.relative_to(top).as_posix())
        found.targets.append(Target(name, GIT, str(place), wishes.revision))
    if not clones:
        if wishes.revision:
            message = f"{text} is no git repository and has no revision {wishes.revision}"
            raise SourceError(message)
        found.targets.append(Target(top.name or "root", TREE, str(top)))


def is_repository(folder: Path) -> bool:
    """Whether git made a directory: a work tree, or a bare repository."""
    if is_work_tree(folder):
        return True
    return (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    )


def _clones(top: Path, left_out: Counter[str]) -> list[Path]:
    """The repositories below a directory. Effect: counts its folders that hold none."""
    found: list[Path] = []
    without = 0
    for child in _folders(top, left_out):
        before = len(found)
        stack = [(child, 1)]
        while stack:
            folder, depth = stack.pop()
            if is_repository(folder):
                found.append(folder)
                if len(found) > _MAX_CLONES:
                    message = f"{top} holds more than {_MAX_CLONES:,} repositories"
                    raise SourceError(message)
            elif depth < _DEPTH:
                stack += [(path, depth + 1) for path in reversed(_folders(folder, left_out))]
        without += len(found) == before
    if found and without:
        left_out["folder without a repository"] += without
    return found


def _folders(folder: Path, left_out: Counter[str]) -> list[Path]:
    try:
        inner = [path for path in folder.iterdir() if not path.name.startswith(".")]
        return sorted(path for path in inner if path.is_dir() and not path.is_symlink())
    except OSError:
        left_out["folder that cannot be read"] += 1
        return []


def _bare(name: str) -> str:
    """A name without what git appends to bare repositories."""
    return name.removesuffix(".git") or name


def _url_name(url: str) -> str:
    """The path of a URL: ``acme/network`` of ``https://forge.example/acme/network.git``."""
    path = urlsplit(url).path if "://" in url else url.partition(":")[2]
    return _bare(path.strip("/")) or url


def _named_apart(targets: Sequence[Target]) -> list[Target]:
    """The targets by name, each place once; those that would share a name bear their place."""
    unique = {(t.kind, t.place, t.revision): t for t in reversed(targets)}
    counts = Counter(target.name for target in unique.values())
    result = []
    for target in unique.values():
        name = target.name
        if counts[name] > 1:
            name = (
                f"{_long_name(target)}@{target.revision}" if target.revision else _long_name(target)
            )
        result.append(replace(target, name=name))
    return sorted(result, key=lambda target: (target.name, target.place))


def _long_name(target: Target) -> str:
    if target.kind == REMOTE:
        return _bare(target.place.partition("://")[2] or target.place)
    return _bare(Path(target.place).as_posix().lstrip("/"))


# Lists


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    place: str
    revision: str = ""
    name: str = ""
    owner: str = ""


def read_list(file: str) -> list[Row]:
    """The rows of a list: a source a line, or CSV with a header. Raises SourceError.

    Comments begin with ``#``. Columns of CSV are ``repository`` (or ``url``, ``path``), and where they
    are there ``revision``, ``name`` and ``owner``. Relative folders are relative to the list.
    """
    data = read_regular(os.path.realpath(file), MAX_LIST)
    if data is None:
        message = f"{file} is no readable list of repositories"
        raise SourceError(message)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8"
        raise SourceError(message) from error
    folder = Path(os.path.realpath(file)).parent
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    header = [word.strip().lower() for word in lines[0].split(",")] if lines else []
    if not header or not _FIRST.intersection(header):
        return [Row(_beside(line.strip(), folder)) for line in lines]
    try:
        return [_row(row, folder, file) for row in csv.DictReader(lines)]
    except csv.Error as error:
        message = f"{file}: {error}"
        raise SourceError(message) from error


def _row(row: dict[str | None, str | list[str] | None], folder: Path, file: str) -> Row:
    values = {
        str(key).strip().lower(): value.strip()
        for key, value in row.items()
        if isinstance(value, str)
    }
    place = next((values[key] for key in sorted(_FIRST) if values.get(key)), "")
    if not place:
        message = f"{file} has a row without a repository"
        raise SourceError(message)
    revision, name, owner = (values.get(key, "") for key in _COLUMNS[1:])
    return Row(_beside(place, folder), revision, name, owner)


def _beside(text: str, folder: Path) -> str:
    if forge.is_forge(text) or remote.is_url(text) or os.path.isabs(text):  # noqa: PTH117  a text
        return text
    return str(folder / text)
