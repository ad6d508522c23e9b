"""Who wrote what a change brings: marks of AI agents on findings, and only those that bear one."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor.cli.streams import CallerError, emit
from blastdoor.delta.compare import Event
from blastdoor.provenance import Lines, Reader, marked, origin
from blastdoor.report.escape import sanitise
from blastdoor.source.history import History
from blastdoor.source.revision import GitError

if TYPE_CHECKING:
    from blastdoor.change import Comparison
    from blastdoor.config import Config
    from blastdoor.source.revision import Git

OPTION: Final = "--only-agent-changes"
NO_BASE: Final = (
    f"{OPTION} needs a git revision to compare with: commits say who wrote a change, and directories "
    "and plans have none"
)
_SHALLOW: Final = "the clone is shallow (git fetch --unshallow; in a workflow: fetch-depth: 0)"


def written(  # noqa: PLR0913  everything after the configuration by keyword
    found: Comparison,
    git: Git,
    commits: tuple[str, str],
    config: Config,
    *,
    prefix: str = "",
    only_agents: bool = False,
    quiet: bool = False,
) -> Comparison:
    """The comparison with the marks of AI agents on what wrote each finding's lines.

    ``commits`` are the ids between which the commits of the change lie, ``prefix`` the folder of the
    repository that paths are relative to. With ``only_agents``, findings and narrowings without a mark
    are left out. Effect: says on standard error why it is not known who wrote the change, where that is
    so. Raises CallerError for the same with ``only_agents``.
    """
    try:
        if git.shallow():
            return _unknown(found, _SHALLOW, only_agents=only_agents, quiet=quiet)
        history = History(git)
        reader = Reader(config.gate.agents)
        lines = Lines(history, origin(history, *commits, reader), reader, prefix)
        found = replace(
            found,
            widenings=marked(found.widenings, lines),
            introduced=marked(found.introduced, lines),
        )
        return _by_agents(found, lines) if only_agents else found
    except GitError as error:
        return _unknown(found, str(error), only_agents=only_agents, quiet=quiet)


def _by_agents(found: Comparison, lines: Lines) -> Comparison:
    """What an agent had a part in. Raises GitError."""
    return replace(
        found,
        widenings=[f for f in found.widenings if f.provenance],
        introduced=[f for f in found.introduced if f.provenance],
        deltas=[
            d
            for d in found.deltas
            if d.event is not Event.NARROWED
            or lines.marks((d.span, *(related.span for related in d.related)))
        ],
    )


def _unknown(found: Comparison, why: str, *, only_agents: bool, quiet: bool) -> Comparison:
    if only_agents:
        raise CallerError(f"{OPTION}: who wrote the change is not known: {sanitise(why)}")
    if not quiet:
        emit(sys.stderr, f"blastdoor: who wrote the change is not known: {sanitise(why)}\n")
    return found
