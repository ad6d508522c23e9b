"""Where the program writes: standard streams, files that appear whole, the progress line."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

FORMATS: Final = ("text", "json", "sarif", "github", "gitlab", "junit", "rdjsonl", "html")
"""What a report can be written as."""


class CallerError(Exception):
    """Something that the caller has to mend; the message is safe to show."""


def emit(stream: TextIO, text: str) -> None:
    """Effect: writes text; what the stream's encoding cannot hold becomes a backslash escape."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def show(text: str) -> None:
    """Effect: writes text to standard output; a reader that leaves has seen enough."""
    try:
        emit(sys.stdout, text)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()


def drop_stdout() -> None:
    """Effect: standard output goes nowhere from now on: its reader has left."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def replacing(path: str) -> Iterator[TextIO]:
    """A text stream whose content takes the place of the file only when all of it is written.

    A link is followed; what is no regular file (``/dev/stderr``, a FIFO) is written to directly.
    """
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        with target.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        return
    draft = target.with_name(f".{target.name[:50]}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(draft, flags, 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            yield stream
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


class Progress:
    """One line on a terminal that says how far a long run has come."""

    PATIENCE: Final = 1.0
    """Seconds that a run may take before the line appears."""
    PACE: Final = 0.1
    """Seconds between two changes."""
    WIDTH: Final = 24
    """Columns of the bar."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._next = time.monotonic() + self.PATIENCE
        self._shown = False

    def __call__(self, done: int, total: int) -> None:
        """Effect: shows that ``done`` of ``total`` units are done, when it is time to."""
        now = time.monotonic()
        if now < self._next or not total:
            return
        self._next = now + self.PACE
        self._shown = True
        full = self.WIDTH * min(done, total) // total
        bar = "#" * full + "-" * (self.WIDTH - full)
        with suppress(OSError):
            self._stream.write(f"\r[{bar}] {done} of {total} units")
            self._stream.flush()

    def clear(self) -> None:
        """Effect: takes the line away."""
        if self._shown:
            with suppress(OSError):
                self._stream.write("\r\x1b[K")
                self._stream.flush()
            self._shown = False


def progress_for(stream: TextIO, environ: Mapping[str, str]) -> Progress | None:
    """A progress line where somebody watches: on a terminal that can clear a line, not in CI."""
    if not stream.isatty() or environ.get("TERM") == "dumb":
        return None
    if environ.get("CI", "").lower() not in ("", "0", "false"):
        return None
    return Progress(stream)
