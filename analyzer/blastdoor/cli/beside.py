"""``check --with``: another tool at work while we are, and what comes of it."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from blastdoor.cli.streams import CallerError, emit
from blastdoor.report.escape import sanitise
from blastdoor.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from blastdoor.beside import PeerRun
    from blastdoor.beside.checkov import Checkov
    from blastdoor.catalog import RuleSet
    from blastdoor.finding import Report
    from blastdoor.source import Entry, Source

_KINDS: Final = frozenset(
    {Kind.TERRAFORM, Kind.TERRAFORM_JSON, Kind.VARIABLES, Kind.VARIABLES_JSON, Kind.TEMPLATE}
)
"""What a tool beside gets to see."""


@contextmanager
def companion(
    tools: Sequence[str], timeout: float, source: Source, entries: Sequence[Entry]
) -> Iterator[Checkov | None]:
    """The tool that runs beside, at work on some entries; ended with the block.

    ``tools`` are ``checkov`` or ``checkov=COMMAND``, the last one holds. Raises CallerError.
    """
    if not tools:
        yield None
        return
    from blastdoor.beside.checkov import Checkov, command_for

    named: str | None = None
    for given in tools:
        name, _equals, command = given.partition("=")
        if name != "checkov":
            message = f"--with {sanitise(given)}: only checkov is known, or checkov=COMMAND"
            raise CallerError(message)
        named = command or named
    words = command_for(named)
    if words is None:
        where = "is no program" if named else "is not installed, and neither are uvx and pipx"
        raise CallerError(f"--with checkov: {sanitise(named or 'checkov')} {where}")
    texts = {}
    for entry in entries:
        if entry.kind in _KINDS:
            text = source.read(entry.path)
            if text is not None:
                texts[entry.path] = text
    peer = Checkov(words, timeout)
    try:
        peer.start(texts)
        yield peer
    finally:
        peer.close()


def outcome(peer: Checkov | None, report: Report, rules: RuleSet, prefix: str) -> list[PeerRun]:
    """What the tool found that a report does not say already, by paths below ``prefix``.

    Effect: waits for it.
    """
    if peer is None:
        return []
    from blastdoor.beside.checkov import Same

    own = {rule.id: rule.peers.get("checkov", ()) for rule in rules}
    # A rule that stands for another says what that one says.
    peers = {
        rule.id: {name for slug in (rule.id, *rule.supersedes) for name in own.get(slug, ())}
        for rule in rules
    }
    levels = {name: rule.level for rule in rules for name in own[rule.id]}
    run = peer.finish(report.findings, levels, Same(peers))
    if not prefix:
        return [run]
    from blastdoor.report.paths import Relocation

    def rename(path: str) -> str:
        return posixpath.normpath(posixpath.join(prefix, path))

    return [Relocation(rename, set()).run(run)]


def show_run(run: PeerRun, stream: TextIO, *, summary: bool) -> None:
    """Effect: writes what another tool found, a line for each."""
    for failure in run.failures:
        emit(stream, f"{sanitise(failure.path)}: remark[peer]: {sanitise(failure.message)}\n")
    for finding in run.findings:
        emit(
            stream,
            f"{sanitise(str(finding.span))}: {finding.level.word}[{sanitise(finding.rule)}]: "
            f"{sanitise(finding.title)}, {sanitise(finding.unit)}\n",
        )
    if summary:
        also = f"; {run.same} left out, which blastdoor says already" if run.same else ""
        version = f" {sanitise(run.version)}" if run.version else ""
        count = len(run.findings)
        emit(stream, f"{run.tool}{version}: {count} finding{'s' * (count != 1)}{also}\n")
