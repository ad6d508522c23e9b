"""The HTML document: a skeleton, the data as JSON, one style sheet and one script.

Nothing of an analysed repository is ever markup. Words in the skeleton go through `html.escape`; the
data stands in a block that no browser runs, with every character that could end the block as a JSON
escape; the script makes text nodes of it. The Content-Security-Policy (W3C CSP Level 3) lets the one
script and the one style sheet run by their digests, and forbids everything else, every request among
it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from blastdoor.report.escape import sanitise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HERE: Final = Path(__file__).parent
_ESCAPES: Final = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_SECTIONS: Final = (
    ("trend", "Since the last audit", "What is new, what is gone, and how the counts went."),
    ("heat", "Heat map", "Findings by where they stand and by the axis on which they reach."),
    (
        "regions",
        "Who can change what where",
        "Resources by the region that a unit changes them in.",
    ),
    ("worst", "Worst units", "What has the most against it, with the chain of evidence."),
    ("findings", "All findings", "Search and filter; open one for its evidence."),
    ("failures", "Not analysed", "What could not be read is no clean bill."),
)


def page(data: Mapping[str, Any], title: str, subtitle: str, cards: Iterable[Card]) -> str:
    """The document. ``data`` is what the script shows, ``cards`` are the headline numbers."""
    style = (_HERE / "report.css").read_text("utf-8")
    script = (_HERE / "report.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    name, about = html.escape(sanitise(title)), html.escape(sanitise(subtitle))
    links = "".join(
        f'<a href="#{key}" data-for="{key}">{html.escape(words)}</a>'
        for key, words, _about in _SECTIONS
    )
    sections = "".join(
        f'<section id="{key}" aria-labelledby="{key}-title"><div class="section-head">'
        f'<h2 id="{key}-title">{html.escape(words)}</h2><p>{html.escape(told)}</p></div>'
        f'<div class="body"></div></section>\n'
        for key, words, told in _SECTIONS
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{name} · blastdoor</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
<header class="top">
<div class="brand"><span class="mark" aria-hidden="true"></span>blastdoor</div>
<nav aria-label="Sections">{links}</nav>
<button type="button" id="theme" class="quiet">Theme</button>
</header>
<main>
<div class="hero"><h1>{name}</h1><p>{about}</p></div>
<ul class="cards" aria-label="Headline numbers">
{"".join(card.markup() for card in cards)}</ul>
<noscript><p class="notice">The numbers above are complete. The maps and the list of findings need \
the script that this file carries.</p></noscript>
{sections}</main>
<footer>Written by blastdoor. This file loads nothing from anywhere.</footer>
<p id="live" class="hidden" role="status"></p>
<script type="application/json" id="data">{embedded(data)}</script>
<script>{script}</script>
</body>
</html>
"""


class Card:
    """One headline number."""

    def __init__(self, value: str, words: str, about: str = "", tone: str = "") -> None:
        self.value = value
        self.words = words
        self.about = about
        self.tone = tone
        """`error`, `warning`, `note`, `reach`, or ``""``."""

    def markup(self) -> str:
        """The element."""
        value, words, about = (html.escape(one) for one in (self.value, self.words, self.about))
        tone = f" {self.tone}" if self.tone else ""
        return (
            f'<li class="card{tone}"><strong>{value}</strong><span>{words}</span>'
            f"<small>{about}</small></li>\n"
        )


def embedded(data: Mapping[str, Any]) -> str:
    """JSON that can stand in a script element, whatever words it holds."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text


def _digest(text: str) -> str:
    """The hash source of an inline element (CSP Level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
