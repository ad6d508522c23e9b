"""The index of a git repository, read without git: which paths are tracked.

``git ls-files`` would run programs that the repository's own configuration names (fsmonitor), so
the file is read here. The form is that of git's documentation, gitformat-index(5): versions 2, 3
and 4, SHA-1 and SHA-256. A split index is not read.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

MAX_BYTES: Final = 64_000_000
"""Largest index file that is read."""
MAX_NAME: Final = 4_096
"""Longest path, in bytes."""
MAX_NAMES: Final = 128_000_000
"""Most bytes of all paths together; version 4 stores them compressed."""

_STAT: Final = 40
"""Bytes of the fields before the object name."""
_LONG_NAME: Final = 0xFFF
_EXTENDED: Final = 0x4000
_INTENT: Final = 0x2000
"""Bit of the extended flags: the path is named and its content not added yet."""
_MODE: Final = 24
"""Offset of the mode within an entry."""
_V2, _V3, _V4 = 2, 3, 4


class GitIndexError(ValueError):
    """An index that cannot be read; the message says why."""


class Staged(NamedTuple):
    """One entry of an index."""

    path: str
    mode: str
    """Octal, as git prints it: ``100644``."""
    oid: str
    stage: int
    """0, or 1 to 3 for the sides of a merge that is not resolved."""
    added: bool
    """False for a path that is only meant to be added (``git add --intent-to-add``)."""


def tracked_paths(data: bytes, keep: Callable[[str], bool]) -> frozenset[str]:
    """The paths of an index for which ``keep`` is true. Raises GitIndexError."""

    def read(size: int) -> frozenset[str]:
        paths = (name.decode("utf-8", "surrogateescape") for name, *_ in _entries(data, size))
        return frozenset([path for path in paths if keep(path)])

    return _sized(data, read)


def staged(data: bytes) -> list[Staged]:
    """Every entry of an index, in its order. Raises GitIndexError."""

    def read(size: int) -> list[Staged]:
        found = []
        for name, start, flags, more in _entries(data, size):
            mode = int.from_bytes(data[start + _MODE : start + _MODE + 4], "big")
            oid = data[start + _STAT : start + _STAT + size].hex()
            path = name.decode("utf-8", "surrogateescape")
            stage, added = flags >> 12 & 3, not more & _INTENT
            found.append(Staged(path, f"{mode:06o}", oid, stage, added))
        return found

    return _sized(data, read)


def _sized(data: bytes, read: Callable[[int], T]) -> T:
    """What ``read`` makes of an index, by the length of its object names. Raises GitIndexError."""
    if data[:4] != b"DIRC" or len(data) < 12 + 20:
        raise GitIndexError("is no index")
    if len(data) > MAX_BYTES:
        raise GitIndexError("is too large")
    sizes = _hash_sizes(data)
    for size in sizes[:-1]:
        try:
            return read(size)
        except GitIndexError:
            continue
    return read(sizes[-1])


def _hash_sizes(data: bytes) -> tuple[int, ...]:
    """The lengths that object names may have, told by the checksum at the end of the file."""
    body = memoryview(data)
    if hashlib.sha1(body[:-20], usedforsecurity=False).digest() == data[-20:]:
        return (20,)
    if len(data) >= 12 + 32 and hashlib.sha256(body[:-32]).digest() == data[-32:]:
        return (32,)
    if any(data[-20:]):
        raise GitIndexError("does not have the checksum it says")
    # Without a checksum (index.skipHash) only the entries tell.
    return (20,) if any(data[-32:]) or len(data) < 12 + 32 else (32, 20)


def _entries(data: bytes, size: int) -> Iterator[tuple[bytes, int, int, int]]:
    """(path, offset, flags, extended flags) of the entries of an index.

    Its object names have ``size`` bytes. Raises GitIndexError, at the end for what follows them.
    """
    version = int.from_bytes(data[4:8], "big")
    count = int.from_bytes(data[8:12], "big")
    if version not in (_V2, _V3, _V4):
        raise GitIndexError(f"has version {version}")
    end = len(data) - size
    if count * (_STAT + size + 3) > end - 12:
        raise GitIndexError("is shorter than it says")
    at, name, total = 12, b"", 0
    for _number in range(count):
        start = at
        at += _STAT + size
        flags = int.from_bytes(data[at : at + 2], "big")
        at += 2
        more = 0
        if flags & _EXTENDED:
            if version == _V2:
                raise GitIndexError("has an extended entry in version 2")
            more = int.from_bytes(data[at : at + 2], "big")
            at += 2
        if version == _V4:
            strip, at = _varint(data, at, end)
            if strip > len(name):
                raise GitIndexError("has an entry that strips more than there is")
            stop = data.find(b"\0", at, min(end, at + MAX_NAME + 1))
            if stop < 0:
                raise GitIndexError("has an entry without an end")
            name = name[: len(name) - strip] + data[at:stop]
            at = stop + 1
        else:
            length = flags & _LONG_NAME
            stop = at + length
            if length == _LONG_NAME:
                stop = data.find(b"\0", stop, min(end, at + MAX_NAME + 1))
            if stop < 0 or stop >= end or data[stop] != 0:
                raise GitIndexError("has an entry without an end")
            name = data[at:stop]
            # One to eight NULs fill an entry up to a multiple of eight bytes.
            at = start + ((stop - start) // 8 + 1) * 8
        total += len(name)
        if at > end or not name or len(name) > MAX_NAME or total > MAX_NAMES:
            raise GitIndexError("has an entry that cannot be")
        yield name, start, flags, more
    _check_extensions(data, at, end)


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number of git's offset encoding at ``at``, and the offset behind it."""
    value = -1
    for _byte in range(5):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value = ((value + 1) << 7) | (byte & 0x7F)
        if not byte & 0x80:
            return value, at
    raise GitIndexError("has a number that does not end")


def _check_extensions(data: bytes, at: int, end: int) -> None:
    """Raises GitIndexError unless known extensions fill the rest of the file."""
    while at < end:
        if at + 8 > end:
            raise GitIndexError("has bytes that belong to nothing")
        name = data[at : at + 4]
        # An extension in lower case must be understood: "link" keeps entries in another file.
        if name == b"link" or not (name[:1].isupper() or name == b"sdir"):
            raise GitIndexError("has entries elsewhere (split index)")
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "big")
    if at != end:
        raise GitIndexError("has bytes that belong to nothing")
