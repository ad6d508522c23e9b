"""Rules shown to people: the table of all, the page of one."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, Final

from blastdoor.cli.streams import show
from blastdoor.report.escape import sanitise, sanitise_lines, width
from blastdoor.report.text import Choice, Style, style_for

if TYPE_CHECKING:
    from blastdoor.catalog import Rule, RuleSet

_CODE: Final = re.compile(r"`[^`]+`")
_MOST: Final = 100
"""Columns beyond which prose is hard to read."""
_LISTED: Final = re.compile(r"(?:[-*]|\d+\.) +")
_HEADINGS: Final = ("CODE", "RULE", "LEVEL", "DEFAULT", "TITLE")


def rule_json(rule: Rule) -> dict[str, object]:
    """The metadata of a rule as JSON data."""
    return {
        "id": rule.id,
        "code": rule.code,
        "title": rule.title,
        "family": rule.family,
        "level": rule.level.word,
        "confidence": rule.confidence,
        "default": rule.default,
        "on_when": sorted(rule.on_when),
        "per": rule.per,
        "axes": list(rule.axes),
        "modes": list(rule.modes),
        "languages": list(rule.languages),
        "levels": {name: level.word for name, level in rule.levels.items()},
        "supersedes": list(rule.supersedes),
        "fix": rule.fix,
        "tags": list(rule.tags),
        "peers": {tool: list(ids) for tool, ids in rule.peers.items()},
        "sources": list(rule.sources),
        "page": rule.path,
    }


def show_rules(rules: RuleSet, family: str | None, *, as_json: bool) -> None:
    """Effect: writes the rules, or those of a family, to standard output."""
    chosen = [rule for rule in rules if family in (None, rule.family)]
    if as_json:
        show(json.dumps([rule_json(rule) for rule in chosen], indent=2) + "\n")
        return
    rows = [
        _HEADINGS,
        *(
            (rule.code, rule.id, rule.level.word, rule.default, sanitise(rule.title))
            for rule in chosen
        ),
    ]
    widths = [max(width(row[column]) for row in rows) for column in range(len(_HEADINGS) - 1)]
    lines = []
    for row in rows:
        cells = [f"{cell:<{size}}" for cell, size in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]) + "\n")
    show("".join(lines))


def show_page(rule: Rule, colour: Choice) -> None:
    """Effect: writes a rule's page, as Markdown, to standard output."""
    style = style_for(sys.stdout, colour, os.environ)
    facts = f"{rule.code} · {rule.family} · {rule.level.word} · {rule.confidence} confidence"
    if rule.default != "on":
        facts += f" · {rule.default}"
    if rule.on_when:
        facts += f", on when {', '.join(sorted(rule.on_when))}"
    if rule.per != "place":
        facts += " · one per file" + (" and value" if rule.per == "value" else "")
    head = f"# {rule.id}\n\n{rule.title}\n\n{facts}\n\n"
    text = sanitise_lines(head + rule.markdown)
    if sys.stdout.isatty():
        text = _wrapped(text, min(shutil.get_terminal_size().columns, _MOST))
    show(_coloured(text, style) if style.on else text)


def _wrapped(text: str, columns: int) -> str:
    """Markdown whose prose fits into so many columns; code, headings and tables stay as they are."""
    import textwrap

    lines = []
    fenced = False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
        if fenced or line.startswith(("```", "#", "|")) or width(line) <= columns:
            lines.append(line)
            continue
        listed = _LISTED.match(line)
        lines += textwrap.wrap(
            line,
            columns,
            subsequent_indent=" " * listed.end() if listed else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _coloured(text: str, style: Style) -> str:
    """Markdown with its headings, code and expected findings in colour."""
    lines = []
    fenced = False
    for line in text.split("\n"):
        if line.startswith("```"):
            fenced = not fenced
            lines.append(style.frame(line))
        elif fenced:
            code, mark, words = line.partition("# finding")
            lines.append(code + style.related(mark + words))
        elif line.startswith("#"):
            lines.append(style.strong(line))
        else:
            lines.append(_CODE.sub(lambda match: style.related(match.group()), line))
    return "\n".join(lines)
