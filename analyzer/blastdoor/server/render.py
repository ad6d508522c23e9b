"""What is known of a folder in the words of the protocol: diagnostics, hovers, lenses, actions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lsprotocol import types as lsp

from blastdoor.finding import Level
from blastdoor.report.escape import sanitise_lines
from blastdoor.report.redact import legible
from blastdoor.server.positions import position, range_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from blastdoor.catalog import Rule
    from blastdoor.finding import Failure, Finding
    from blastdoor.fixes import Fix
    from blastdoor.server.reaching import Thing
    from blastdoor.span import Span

SOURCE: Final = "blastdoor"
SHOW_WIDENINGS: Final = "blastdoor.widens"
"""The command that compares with HEAD."""
MAX_RELATED: Final = 20
"""Further places of one diagnostic."""
_SEVERITY: Final = {
    Level.ERROR: lsp.DiagnosticSeverity.Error,
    Level.WARNING: lsp.DiagnosticSeverity.Warning,
    Level.NOTE: lsp.DiagnosticSeverity.Information,
}
_FETCHING: Final = re.compile(r"!(?=\[)|<(?=[A-Za-z/!?])")
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def plain(text: str) -> str:
    """Words from anywhere as Markdown that shows them as they are."""
    return _MARKUP.sub(r"\\\1", legible(text))


def tame(page: str) -> str:
    """The Markdown of a page without what makes an editor fetch something: images and HTML.

    A folder that is open may bring pages of its own.
    """
    return _FETCHING.sub(r"\\\g<0>", sanitise_lines(page))


def diagnostic(
    finding: Finding, encoding: str, uri_of: Callable[[str], str], *, related: bool
) -> lsp.Diagnostic:
    """A finding as a diagnostic; its evidence beside it where the client shows such."""
    message = legible(finding.message)
    if finding.contain:
        message = f"{message}\nto contain it: {legible(finding.contain)}"
    for words in finding.evidence:
        message = f"{message}\n{legible(words)}"
    beside = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(uri_of(place.span.path), range_of(place.span, encoding)),
            legible(place.message),
        )
        for place in finding.related[:MAX_RELATED]
    ]
    return lsp.Diagnostic(
        range_of(finding.span, encoding),
        message,
        severity=_SEVERITY[finding.level],
        code=finding.rule,
        source=SOURCE,
        related_information=beside if related and beside else None,
        data={"fingerprint": finding.fingerprint},
    )


def failure(found: Failure, encoding: str) -> lsp.Diagnostic:
    """Something that could not be analysed as a diagnostic; without a place it is at the top."""
    start = lsp.Position(0, 0)
    where = lsp.Range(start, start) if found.span is None else range_of(found.span, encoding)
    severity = lsp.DiagnosticSeverity.Error if found.fatal else lsp.DiagnosticSeverity.Information
    return lsp.Diagnostic(
        where, legible(found.message), severity=severity, code=found.kind.value, source=SOURCE
    )


def hover(found: Sequence[tuple[Finding, Rule | None]], thing: Thing | None) -> str:
    """Findings with why and how to fix them, and how far a thing reaches, as Markdown."""
    parts = []
    for finding, rule in found:
        head = f"**{finding.level.word}** {plain(finding.message)}"
        if rule is None:
            parts.append(head)
            continue
        parts += [head, f"*{plain(rule.title)}* ({rule.code}, {rule.id})", tame(rule.why)]
        parts += ["**How to fix**", tame(rule.fix_text)]
    if thing is not None:
        lines = "\n".join(f"- {plain(line)}" for line in thing.lines)
        parts += [f"**Reach of {plain(thing.name)}**", lines]
    return "\n\n".join(parts)


def lenses(things: Iterable[Thing], encoding: str) -> list[lsp.CodeLens]:
    """A line above each thing that reaches further than itself."""
    found = []
    for thing in things:
        if not thing.lens:
            continue
        start = position(thing.span.document, thing.span.start, encoding)
        command = lsp.Command(thing.lens, "")
        found.append(lsp.CodeLens(lsp.Range(start, start), command))
    return found


def mending(fix: Fix, finding: lsp.Diagnostic, edit: lsp.WorkspaceEdit) -> lsp.CodeAction:
    """The action that makes a fix."""
    title = fix.title if fix.safe else f"{fix.title} (look at what it changes)"
    title = legible(title[:1].upper() + title[1:])
    return lsp.CodeAction(
        title,
        kind=lsp.CodeActionKind.QuickFix,
        diagnostics=[finding],
        is_preferred=True if fix.safe else None,
        edit=edit,
    )


def fix_edits(fix: Fix, encoding: str) -> dict[str, list[lsp.TextEdit]]:
    """Path → the edits of a fix."""
    found: dict[str, list[lsp.TextEdit]] = {}
    for edit in fix.edits:
        found.setdefault(edit.span.path, []).append(
            lsp.TextEdit(range_of(edit.span, encoding), edit.text)
        )
    return found


def silencing(
    place: Span, head: str, encoding: str, *, snippets: bool
) -> lsp.TextEdit | lsp.SnippetTextEdit:
    """The edit that writes a comment whose reason is still to be given.

    A client without snippets gets an empty reason, which counts as none until somebody writes it.
    """
    where = range_of(place, encoding)
    if not snippets:
        return lsp.TextEdit(where, f'{head}""\n')
    escaped = head.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")
    return lsp.SnippetTextEdit(where, lsp.StringValue(f'{escaped}"${{1:why it is right}}"\n$0'))
