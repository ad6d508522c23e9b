"""Secrets kept out of what a report quotes from the source.

A literal written to an attribute whose name ends in a word for a secret is shown as ``***``, and
so are strings that have the published form of a credential wherever they stand: AWS access key ids
(IAM User Guide, "Understanding unique ID prefixes"), GitHub and Slack tokens, private key blocks,
and the password of a URL. References (``var.password``), ARNs and CloudFormation dynamic references
stay: they name a secret without holding it, and their region may be the finding.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from blastdoor.report.escape import sanitise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.span import Document

MASK: Final = "***"

_WORDS: Final = (
    "password|passwd|passphrase|secret|secret_?string|token|private_?key|secret_?key"
    "|secret_?access_?key|api_?key|credentials?"
)
_CANDIDATE: Final = re.compile(
    "(?i:passw|passphrase|secret|token|key|credential)|A[KS]IA|gh[pousr]_|github_pat_|xox|://"
)
"""What a text with a secret in it must hold: the cheap test before the exact one."""

_SECRET: Final = (
    # name = "value", "name": "value", name: value
    rf"(?i:{_WORDS})(?:\\*[\"'])?[ \t]{{0,40}}"
    r"(?:"
    r"(?::[ \t]{0,9}[A-Za-z]{1,20}[ \t]{0,9})?(?:=>|[=:])[ \t]{0,40}[bru]{0,2}\\*(?P<quote>[\"'])"
    r"(?!arn:|\{\{resolve:|\$\{[^}]*\}\\*(?P=quote)|\\*(?P=quote))(?P<quoted>[^\"'\\\n]+)"
    r"|:[ \t]{1,40}(?!(?:true|false|null|none|yes|no|arn:|var\.|local\.|module\.|data\.|str\b|\{\{)"
    r")(?P<plain>[^\s\"'!{\[&*|>~$#,][^\s,}\]#\"']{0,4096})(?![.(\w])"
    r")"
    # {name = "DB_PASSWORD", value = "…"}
    rf"|(?i:{_WORDS})\\*[\"'][^\w\n]{{1,20}}(?i:value)\\*[\"']?[ \t]{{0,9}}[=:][ \t]{{0,9}}\\*[\"']"
    r"(?!arn:|\$\{)(?P<pair>[^\"'\\\n]+)"
    # forms that tell themselves
    r"|(?<![A-Za-z0-9])(?P<form>A[KS]IA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{20,255}"
    r"|github_pat_\w{20,255}|xox[abeoprs]-[A-Za-z0-9-]{10,255})"
    r"|(?P<block>-----BEGIN [A-Z ]{0,40}PRIVATE KEY[^\n]*)"
    r"|://[^\s/:@\"']{0,100}:(?P<url>[^\s/@\"'$]{1,200})@"
)

_NAME: Final = re.compile(rf"(?i:{_WORDS})(?:\[[^\]]*\])?$")


@cache
def _secret() -> re.Pattern[str]:
    """The exact test; few texts come so far, and compiling it takes its time."""
    return re.compile(_SECRET)


def is_secret_name(attribute: str) -> bool:
    """Whether an attribute path ends in a word for a secret."""
    return _NAME.search(attribute) is not None


def secrets(text: str) -> list[tuple[int, int]]:
    """The ranges of a line that hold a secret, in order."""
    if _CANDIDATE.search(text) is None:
        return []
    ranges = []
    for match in _secret().finditer(text):
        group = match.lastgroup
        if group == "quote" or group is None:
            continue
        ranges.append(match.span(group))
    return ranges


def masked(text: str) -> str:
    """The text with its secrets as ``***``."""
    ranges = secrets(text)
    if not ranges:
        return text
    pieces: list[str] = []
    at = 0
    for start, end in ranges:
        pieces += (text[at:start], MASK)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def quoted_parts(
    document: Document, low: int, high: int, start: int, end: int
) -> tuple[str, str, str]:
    """What stands before, in and behind ``[start, end)`` of ``[low, high)``, secrets as ``***``.

    Secrets are those that `masked_parts` finds and the ranges that the document keeps.
    """
    further = [
        (max(first, low) - low, min(last, high) - low)
        for first, last in document.secrets
        if first < high and last > low
    ]
    return masked_parts(document.text[low:high], start - low, end - low, further)


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges in order, those that touch made one."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1]:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return result


def masked_parts(
    text: str, start: int, end: int, further: Sequence[tuple[int, int]] = ()
) -> tuple[str, str, str]:
    """What stands before, in and behind ``[start, end)`` of the text, secrets as ``***``.

    A secret that the range touches is masked within the range, so that it shows once and no part of
    it is left on either side. ``further`` are ranges of secrets that the text does not show to be
    ones.
    """
    before: list[str] = []
    inside: list[str] = []
    behind: list[str] = []
    at = 0
    ranges = secrets(text)
    for low, high in _merged([*ranges, *further]) if further else ranges:
        _spread(text, at, low, start, end, (before, inside, behind))
        if low < end and high > start:
            inside.append(MASK)
        elif high <= start:
            before.append(MASK)
        else:
            behind.append(MASK)
        at = high
    _spread(text, at, len(text), start, end, (before, inside, behind))
    return "".join(before), "".join(inside), "".join(behind)


def _spread(
    text: str,
    low: int,
    high: int,
    start: int,
    end: int,
    parts: tuple[list[str], list[str], list[str]],
) -> None:
    """Effect: adds ``text[low:high]`` to the parts before, in and behind ``[start, end)``."""
    before, inside, behind = parts
    before.append(text[low : min(high, start)] if low < start else "")
    inside.append(text[max(low, start) : min(high, end)] if low < end and high > start else "")
    behind.append(text[max(low, end) : high] if high > end else "")


def legible(text: str) -> str:
    """Words from anywhere as a person may see them: no secret, nothing that a terminal obeys."""
    return sanitise(masked(text))
