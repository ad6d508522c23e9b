"""``check --fix``: fixes made, shown as a diff, written to the files."""

from __future__ import annotations

import difflib
import os
import stat
from typing import TYPE_CHECKING

from blastdoor.cli.places import from_here
from blastdoor.cli.streams import CallerError, replacing
from blastdoor.report.escape import sanitise
from blastdoor.report.redact import masked
from blastdoor.source import MAX_SIZE, read_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from blastdoor.fixes.mend import Mended

_CONTEXT = 2
"""Lines around a change that a diff shows."""


def diff(mended: Mended, root: Path) -> Iterator[str]:
    """What the fixes change, as lines of a unified diff; control characters escaped, secrets masked."""
    for path in sorted(mended.texts):
        name = sanitise(from_here(root / path))
        lines = difflib.unified_diff(
            mended.before[path].splitlines(),
            mended.texts[path].splitlines(),
            name,
            name,
            lineterm="",
            n=_CONTEXT,
        )
        for line in lines:
            yield sanitise(masked(line))


def write(mended: Mended, root: Path, limit: int = MAX_SIZE) -> None:
    """Effect: writes the files that changed, each whole or not at all. Raises CallerError.

    A file that is a link, or that no longer says what was analysed, is left alone.
    """
    for path, text in sorted(mended.texts.items()):
        file = root / path
        name = sanitise(from_here(file))
        data = read_regular(file, limit)
        if data is None or data != mended.before[path].encode("utf-8", "surrogatepass"):
            message = f"{name} is not what was analysed any more: nothing is written to it"
            raise CallerError(message)
        try:
            mode = stat.S_IMODE(os.lstat(file).st_mode)
            with replacing(str(file)) as stream:
                stream.write(text)
            file.chmod(mode)
        except OSError as error:
            why = error.strerror or "cannot be written"
            raise CallerError(f"{name}: {why}") from error


def said(mended: Mended, *, written: bool, unsafe: bool, more: int) -> str:
    """What became of the fixes, in one line; ``more`` could be made with ``--unsafe-fixes``."""
    count = len(mended.done)
    files = len(mended.texts)
    words = "fixed" if written else "can be fixed with --fix"
    parts = [f"{count} finding{'s' * (count != 1)} in {files} file{'s' * (files != 1)} {words}"]
    if not count:
        parts = ["no finding has a fix that can be made" if unsafe else "no finding has a safe fix"]
    if more and not unsafe:
        parts.append(f"{more} more with --unsafe-fixes")
    if mended.refused:
        parts.append(f"{len(mended.refused)} not made: they would not have mended what they should")
    return "; ".join(parts)
