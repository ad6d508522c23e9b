"""The command line: arguments in, exit code out.

Only click is imported to read arguments; every command imports what it needs when it runs. What
goes wrong before or beside the analysis is one line on standard error and exit code 2; a failure
within the analysis is part of its report.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from blastdoor.cli.streams import CallerError, drop_stdout, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

RECURSION: Final = 12_000
"""Python frames that deep configuration may need; evaluation has its own, lower, bound."""
INTERRUPTED: Final = 130
"""Exit code after Ctrl-C: 128 and the number of SIGINT."""
CANNOT: Final = 2
"""Exit code when something could not be run or analysed."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The console script. Raises SystemExit.

    A process that ends with its command gains nothing from looking for garbage, in between or at its
    end; commands that stay (lsp, audit) switch that on again.
    """
    gc.disable()
    code = run(argv)
    gc.freeze()
    sys.exit(code)


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
    except CallerError as error:
        emit(sys.stderr, f"blastdoor: {error}\n")
        return CANNOT
    except click.exceptions.NoArgsIsHelpError as error:
        emit(sys.stderr, f"{error.format_message()}\n")
        return CANNOT
    except click.ClickException as error:
        emit(sys.stderr, _refused(error))
        return CANNOT
    except (click.Abort, KeyboardInterrupt):
        emit(sys.stderr, "blastdoor: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        drop_stdout()
        return CANNOT
    except Exception as error:  # the last resort: one line instead of a page
        if os.environ.get("BLASTDOOR_DEBUG"):
            raise
        emit(sys.stderr, f"blastdoor: {_unexpected(error)}\n")
        return CANNOT
    return code if isinstance(code, int) else 0


def _refused(error: click.ClickException) -> str:
    """Arguments that cannot be read, in a few lines."""
    from blastdoor.report.escape import sanitise_lines

    context = getattr(error, "ctx", None)
    usage = f"{context.get_usage()}\n" if context is not None else ""
    hint = f"`{context.command_path} --help` tells more.\n" if context is not None else ""
    words = error.format_message().replace(",\n\t", ", ").replace("\n\t", " ")
    return f"{usage}blastdoor: {sanitise_lines(words)}\n{hint}"


def _unexpected(error: Exception) -> str:
    """An error of the program itself in one line."""
    from blastdoor.finding import raised_at
    from blastdoor.report.escape import sanitise

    words = sanitise(str(error))[:500]
    return (
        f"internal error: {type(error).__name__}: {words} ({raised_at(error)}); "
        "nothing was decided. BLASTDOOR_DEBUG=1 shows the traceback"
    )
