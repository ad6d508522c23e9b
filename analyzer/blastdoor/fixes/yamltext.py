"""Edits of YAML: scalars on one line, and the entries of block mappings they belong to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation.template import SHORT_FORMS
from blastdoor.finding import Act
from blastdoor.fixes import Edit, templates
from blastdoor.parse.yaml import parse_yaml
from blastdoor.span import Span

if TYPE_CHECKING:
    from blastdoor.finding import Remedy

_PLAIN: Final = re.compile(r"[A-Za-z0-9_./+-][A-Za-z0-9_./+:*-]*")
"""A plain scalar without anything that YAML could read otherwise."""
_QUOTED: Final = re.compile(r"\"[^\"\\\n]*\"|'[^'\n]*'")
_WORDS: Final = re.compile(
    r"(?i:true|false|yes|no|on|off|y|n|null|~)|[-+.0-9].*|[0-9]{4}-.*", re.DOTALL
)
"""Plain scalars that are no strings (YAML 1.1 types)."""
_ENTRY: Final = re.compile(r"[ ]*+[A-Za-z0-9_.\"'-]++[ ]*+:[ ]++\Z")


def edit(remedy: Remedy) -> Edit | None:
    """The edit that a remedy is here; ``None`` where the text is not as plain as it must be."""
    if remedy.act is Act.DERIVE:
        roots = parse_yaml(remedy.span.document, SHORT_FORMS).roots
        root = roots[0] if len(roots) == 1 else None
        return templates.edit(remedy, root, short=True)
    old = remedy.span.text
    if _PLAIN.fullmatch(old) is None and _QUOTED.fullmatch(old) is None:
        return None
    if remedy.act is Act.SET:
        return Edit(remedy.span, _scalar(remedy.data, old))
    if remedy.act is Act.REMOVE:
        return _removed(remedy.span)
    return None


def _scalar(data: str | float | bool | None, old: str) -> str:  # noqa: FBT001  a value
    if isinstance(data, bool) and old[:1] in ("'", '"'):
        data = json.dumps(data)  # What was a string stays one.
    if not isinstance(data, str):
        return json.dumps(data)
    if old[:1] in ("'", '"'):
        return f"{old[0]}{data}{old[0]}"
    plain = _PLAIN.fullmatch(data) is not None and _WORDS.fullmatch(data) is None
    return data if plain else json.dumps(data, ensure_ascii=False)


def _removed(value: Span) -> Edit | None:
    """The line of an entry ``key: value``, when it is one of several of its mapping."""
    document = value.document
    text = document.text
    start = text.rfind("\n", 0, value.start) + 1
    behind = text.find("\n", value.end)
    end = len(text) if behind < 0 else behind + 1
    before, rest = text[start : value.start], text[value.end : end].strip()
    if _ENTRY.match(before) is None or (rest and not rest.startswith("#")):
        return None
    indent = len(before) - len(before.lstrip(" "))
    if not _has_sibling(text, start, end, indent):
        return None
    return Edit(Span(document, start, end), "")


def _has_sibling(text: str, start: int, end: int, indent: int) -> bool:
    """Whether the entry before or behind belongs to the same mapping: it is not left empty."""
    before = [line for line in text[:start].splitlines() if line.strip()]
    behind = [line for line in text[end:].splitlines() if line.strip()]
    return any(
        lines and len(line) - len(line.lstrip(" ")) == indent and not line.lstrip().startswith("- ")
        for lines, line in (
            (before, before[-1] if before else ""),
            (behind, behind[0] if behind else ""),
        )
    )
