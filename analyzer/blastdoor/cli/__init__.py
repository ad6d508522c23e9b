"""The command line: arguments in, exit code out.

Only click is imported to read arguments; every command imports what it needs when it runs. What goes
wrong before or beside the analysis is one line on standard error and exit code 2; a failure within
the analysis is part of its report.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from blastdoor.cli.streams import UsageFault, drop_stdout, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

RECURSION: Final = 12_000
"""Python frames that deep but legitimate configuration needs; evaluation has its own, lower, bound."""
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT."""
CANNOT: Final = 2
"""Exit code when something could not be run or analysed."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The console script. Raises SystemExit."""
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """The exit code of one command line, by default that of the process."""
    import click

    from blastdoor.cli.commands import cli

    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION))
    try:
        code = cli.main(
            args=None if argv is None else list(argv),
            prog_name="blastdoor",
            complete_var="_BLASTDOOR_COMPLETE",
            standalone_mode=False,
        )
        sys.stdout.flush()
    except UsageFault as error:
        emit(sys.stderr, f"blastdoor: {error}\n")
        return CANNOT
    except click.ClickException as error:
        error.show()
        return CANNOT
    except (click.Abort, KeyboardInterrupt):
        emit(sys.stderr, "blastdoor: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        drop_stdout()
        return CANNOT
    except Exception as error:  # noqa: BLE001  the last resort of the program: one line, not a page
        if os.environ.get("BLASTDOOR_DEBUG"):
            raise
        emit(sys.stderr, f"blastdoor: {_unexpected(error)}\n")
        return CANNOT
    return code if isinstance(code, int) else 0


def _unexpected(error: Exception) -> str:
    """An error of the program itself in one line."""
    from blastdoor.report.escape import sanitise

    where = ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is not None:
        where = f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
    words = sanitise(str(error))[:500]
    return (
        f"internal error: {type(error).__name__}: {words}{where}; "
        "nothing was decided. BLASTDOOR_DEBUG=1 shows the traceback"
    )
