"""Findings as workflow commands, which GitHub shows as annotations of a run.

Source: GitHub documentation, "Workflow commands for GitHub Actions", sections "Setting an error
message", "… a warning message", "… a notice message". A run shows ten annotations of each level; all
are in its log. A command ends with its line, so that everything in it is escaped as the runner's own
toolkit does (actions/toolkit, ``command.ts``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.finding import Level
from blastdoor.report.escape import fitting
from blastdoor.report.redact import legible

if TYPE_CHECKING:
    from typing import TextIO

    from blastdoor.finding import Failure, Finding, Report
    from blastdoor.span import Span

COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _command(name: str, path: str, span: Span | None, title: str, words: str) -> str:
    properties = {"file": path}
    if span is not None:
        begin, finish = span.begin, span.finish
        properties["line"] = str(begin.line)
        properties["endLine"] = str(finish.line)
        if begin.line == finish.line:
            # Columns of a range over several lines make the runner drop the annotation.
            properties["col"] = str(begin.column)
            properties["endColumn"] = str(finish.column)
    properties["title"] = title
    said = ",".join(f"{key}={_property(legible(text))}" for key, text in properties.items())
    return f"::{name} {said}::{_data(words)}"


def command(finding: Finding) -> str:
    """The command that annotates the place of a finding."""
    words = legible(finding.message)
    if finding.contain:
        words = f"{words}. To contain it: {legible(finding.contain)}"
    span = finding.span
    return _command(COMMANDS[finding.level], span.path, span, finding.rule, words)


def failure_command(failure: Failure) -> str:
    """The command that annotates what could not be analysed."""
    name = "error" if failure.fatal else "warning"
    title = f"blastdoor {failure.word}: {failure.kind.value}"
    return _command(name, failure.path, failure.span, title, legible(failure.message))


def write_github(stream: TextIO, report: Report) -> None:
    """Effect: writes a command for each failure and finding to a text stream."""
    encoding = getattr(stream, "encoding", None)
    stream.writelines(
        fitting(failure_command(failure), encoding) + "\n" for failure in report.failures
    )
    stream.writelines(fitting(command(finding), encoding) + "\n" for finding in report.findings)
