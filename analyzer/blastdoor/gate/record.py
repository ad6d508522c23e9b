"""Acknowledgements: one small file each, below ``.blastdoor/acks``.

The form is a flat piece of YAML: lines ``key: value``, the value plain or a JSON string. The reader is
strict: an unknown key, one that stands twice, a missing one or anything that this form cannot say is an
error, because a record that two readers read differently is no record.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Final

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER: Final = ".blastdoor/acks"
"""Where records are, from the root of the repository."""
ENDING: Final = ".yaml"
MAX_BYTES: Final = 20_000
"""Largest record, in bytes."""
SHORT: Final = 12
"""Digits of the fingerprint that name the file."""

_LINE: Final = re.compile(r"(?P<key>[a-z]+):[ \t]+(?P<value>\S.*)")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9(<*][^\"'#:{}\[\],&!|>%@`\\\n\r\t]*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "~"})
_KEYS: Final = (
    "fingerprint",
    "rule",
    "unit",
    "axis",
    "before",
    "after",
    "reviewer",
    "reason",
    "rollback",
    "expires",
)


class RecordError(ValueError):
    """A record that cannot be used, with what is wrong."""


@dataclass(frozen=True, slots=True)
class Record:
    """Somebody's word for one finding."""

    fingerprint: str
    """The finding's ``blastdoor/v1``, whole: it covers what was reached before and is after."""
    rule: str
    unit: str
    axis: str
    before: str
    after: str
    reviewer: str
    """``Name <address>``; the commit that adds the record is theirs."""
    reason: str
    rollback: str
    """How to undo the change."""
    expires: date
    """The last day on which it holds."""

    @property
    def path(self) -> str:
        """Where it is kept."""
        return path_of(self.fingerprint)


def path_of(fingerprint: str) -> str:
    """The path of the record of a finding."""
    return f"{FOLDER}/{fingerprint[:SHORT]}{ENDING}"


def read(text: str) -> Record:
    """The record that a text says. Raises RecordError."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            message = f"line {number} is not `key: value`"
            raise RecordError(message)
        key = match["key"]
        if key not in _KEYS:
            message = f"line {number}: unknown key {key!r}"
            raise RecordError(message)
        if key in values:
            message = f"line {number}: {key} stands twice"
            raise RecordError(message)
        values[key] = _value(match["value"], number)
    missing = [key for key in _KEYS if not values.get(key, "").strip() and key != "before"]
    if missing or "before" not in values:
        message = f"without {', '.join(missing or ['before'])}"
        raise RecordError(message)
    if _FINGERPRINT.fullmatch(values["fingerprint"]) is None:
        message = "its fingerprint is not one of 64 digits"
        raise RecordError(message)
    expires = _day(values.pop("expires"))
    return Record(**values, expires=expires)


def _value(text: str, number: int) -> str:
    if text.startswith('"'):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, str):
            message = f"line {number}: the quoted value is not one JSON string"
            raise RecordError(message)
        return found
    if _PLAIN.fullmatch(text) is None and not _person_like(text):
        message = f"line {number}: write the value in double quotes"
        raise RecordError(message)
    return text


def _person_like(text: str) -> bool:
    """``Name <address>`` needs no quotes: an ``@`` within is plain YAML."""
    return re.fullmatch(r"[^\"'#:{}\[\]&*!|%`\\<>]+<[^<>\s\"']+>", text) is not None


def _day(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    message = f"expires {text!r} is no day: YYYY-MM-DD"
    raise RecordError(message)


def write(record: Record) -> str:
    """The text of a record."""
    lines = []
    for key in _KEYS:
        value = getattr(record, key)
        text = value.isoformat() if isinstance(value, date) else str(value)
        lines.append(f"{key}: {_written(key, text)}")
    return "\n".join(lines) + "\n"


def _written(key: str, text: str) -> str:
    plain: Callable[[str], object] = _person_like if key == "reviewer" else _PLAIN.fullmatch
    simple = plain(text) and text == text.strip() and text.lower() not in _WORDS
    if key in ("fingerprint", "expires") or (simple and key in ("rule", "axis", "reviewer")):
        return text
    # What does not print may be a line end to another reader.
    return json.dumps(text, ensure_ascii=not text.isprintable())
