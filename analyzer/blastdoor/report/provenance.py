"""Who wrote what a finding stands on, as JSON data.

The object, ``null`` where no mark of an AI agent is known::

    {
      "agents": ["Cursor"],
      "commits": ["3f…"],                       ids of the commits that bear a mark
      "scope": "line" | "file",                 what they wrote: a line of the finding, or another line
      "marks": [{"agent", "where", "text", "commit", "scope"}]
    }
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from blastdoor.finding import FILE, LINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.finding import Finding

_MOST: Final = 100
"""Marks of one finding that are listed."""


def provenance_json(finding: Finding, words: Callable[[str], str]) -> dict[str, Any] | None:
    """The provenance of a finding; ``words`` makes a text of the repository fit for output."""
    marks = finding.provenance[:_MOST]
    if not marks:
        return None
    return {
        "agents": sorted({words(mark.agent) for mark in marks}),
        "commits": list(dict.fromkeys(mark.commit for mark in marks if mark.commit)),
        "scope": LINE if any(mark.scope == LINE for mark in marks) else FILE,
        "marks": [
            {
                "agent": words(mark.agent),
                "where": mark.where,
                "text": words(mark.text),
                "commit": mark.commit,
                "scope": mark.scope,
            }
            for mark in marks
        ],
    }
