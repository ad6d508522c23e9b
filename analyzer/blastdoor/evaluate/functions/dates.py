"""Terraform's date and time functions.

Source: Terraform language documentation, "Functions", section "Date and Time Functions"; RFC 3339
for timestamps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.evaluate.functions.base import Call, Table
    from blastdoor.value import Value

_TIMESTAMP: Final = (
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:(Z)|([+-])(\d\d):(\d\d))"
)
_DAY: Final = 86_400
_NANO: Final = 1_000_000_000
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAYS: Final = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(frozen=True, slots=True)
class _Moment:
    """A point in time: seconds since year one, nanoseconds, offset from UTC in seconds."""

    seconds: int
    nanos: int
    offset: int

    def date(self) -> tuple[int, int, int, int]:
        """Year, month, day and weekday (Monday is 0) where the clock stands."""
        from datetime import date

        day = date.fromordinal((self.seconds + self.offset) // _DAY)
        return day.year, day.month, day.day, day.weekday()

    def clock(self) -> tuple[int, int, int]:
        """Hours, minutes and seconds of the day."""
        rest = (self.seconds + self.offset) % _DAY
        return rest // 3600, rest // 60 % 60, rest % 60

    def zone(self, colon: str, utc: str) -> str:
        """The offset as ``+hh:mm``; ``utc`` when there is none."""
        if not self.offset and utc:
            return utc
        minutes = abs(self.offset) // 60
        sign = "-" if self.offset < 0 else "+"
        return f"{sign}{minutes // 60:02d}{colon}{minutes % 60:02d}"

    def text(self) -> str:
        """The timestamp without fractions of a second."""
        year, month, day, _ = self.date()
        hours, minutes, seconds = self.clock()
        return (
            f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}"
            f"{self.zone(':', 'Z')}"
        )


def _moment(call: Call, text: str) -> _Moment:
    from datetime import date

    match = re.fullmatch(_TIMESTAMP, text, re.ASCII)
    message = f"not a valid RFC 3339 timestamp: {text[:60]!r}"
    if match is None:
        raise call.invalid(message)
    year, month, day, hours, minutes, seconds = (int(match[n]) for n in range(1, 7))
    offset = 0
    if match[9]:
        offset = int(match[10]) * 3600 + int(match[11]) * 60
        if int(match[10]) > 23 or int(match[11]) > 59:  # noqa: PLR2004
            raise call.invalid(message)
        if match[9] == "-":
            offset = -offset
    if hours > 23 or minutes > 59 or seconds > 59:  # noqa: PLR2004
        raise call.invalid(message)
    try:
        ordinal = date(year, month, day).toordinal()
    except ValueError:
        raise call.invalid(message) from None
    nanos = int((match[7] or "")[:9].ljust(9, "0"))
    local = ordinal * _DAY + hours * 3600 + minutes * 60 + seconds
    return _Moment(local - offset, nanos, offset)


_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "\xb5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": _NANO,
    "m": 60 * _NANO,
    "h": 3600 * _NANO,
}
_DURATION: Final = r"([0-9]*)(?:\.([0-9]*))?(ns|us|\xb5s|\u03bcs|ms|s|m|h)"


def _duration(call: Call, text: str) -> int:
    """A duration in nanoseconds (Go's ``ParseDuration``)."""
    message = f"not a valid duration: {text[:60]!r}"
    body = text[1:] if text[:1] in ("+", "-") else text
    if body == "0":
        return 0
    if not body or len(body) > 200:  # noqa: PLR2004
        raise call.invalid(message)
    part = re.compile(_DURATION)
    total = at = 0
    while at < len(body):
        match = part.match(body, at)
        if match is None or not (match[1] or match[2]):
            raise call.invalid(message)
        unit = _UNITS[match[3]]
        total += int(match[1] or 0) * unit
        if match[2]:
            total += int(match[2]) * unit // 10 ** len(match[2])
        at = match.end()
    if total >= 1 << 63:
        raise call.invalid(message)
    return -total if text.startswith("-") else total


def _timeadd(call: Call, arguments: Sequence[Value]) -> Value:
    moment = _moment(call, call.text(arguments[0]))
    nanos = moment.nanos + _duration(call, call.text(arguments[1]))
    later = _Moment(moment.seconds + nanos // _NANO, nanos % _NANO, moment.offset)
    try:
        return call.known(later.text())
    except (OverflowError, ValueError):
        message = "result out of range"
        raise call.invalid(message) from None


def _timecmp(call: Call, arguments: Sequence[Value]) -> Value:
    left, right = (_moment(call, call.text(argument)) for argument in arguments)
    one, other = (left.seconds, left.nanos), (right.seconds, right.nanos)
    return call.known((one > other) - (one < other))


_SEQUENCE: Final = r"'|([A-Za-z])\1*|[^A-Za-z']+"


def _formatdate(call: Call, arguments: Sequence[Value]) -> Value:
    pattern = call.text(arguments[0])
    moment = _moment(call, call.text(arguments[1]))
    try:
        names = _fields(moment)
    except (OverflowError, ValueError):
        message = "date out of range"
        raise call.invalid(message) from None
    parts: list[str] = []
    sequence = re.compile(_SEQUENCE)
    at = 0
    while at < len(pattern):
        match = sequence.match(pattern, at)
        assert match is not None
        stretch = match[0]
        at = match.end()
        if stretch == "'":
            literal, at = _literal(call, pattern, at)
            parts.append(literal)
        elif match[1]:
            field = names.get(stretch)
            if field is None:
                message = f"invalid date format verb {stretch[:20]!r}"
                raise call.invalid(message)
            parts.append(field)
        else:
            parts.append(stretch)
    return call.known("".join(parts))


def _literal(call: Call, pattern: str, at: int) -> tuple[str, int]:
    """The quoted text that begins at ``at``, and where it ends; a doubled quote stands for one."""
    parts: list[str] = []
    while True:
        end = pattern.find("'", at)
        if end < 0:
            message = "unterminated literal"
            raise call.invalid(message)
        parts.append(pattern[at:end])
        if pattern[end + 1 : end + 2] != "'":
            return "".join(parts), end + 1
        parts.append("'")
        at = end + 2


def _fields(moment: _Moment) -> dict[str, str]:
    year, month, day, weekday = moment.date()
    hours, minutes, seconds = moment.clock()
    half = hours % 12 or 12
    return {
        "YYYY": f"{year:04d}",
        "YY": f"{year % 100:02d}",
        "MMMM": _MONTHS[month - 1],
        "MMM": _MONTHS[month - 1][:3],
        "MM": f"{month:02d}",
        "M": str(month),
        "DD": f"{day:02d}",
        "D": str(day),
        "EEEE": _DAYS[weekday],
        "EEE": _DAYS[weekday][:3],
        "hh": f"{hours:02d}",
        "h": str(hours),
        "HH": f"{half:02d}",
        "H": str(half),
        "AA": "AM" if hours < 12 else "PM",  # noqa: PLR2004
        "aa": "am" if hours < 12 else "pm",  # noqa: PLR2004
        "mm": f"{minutes:02d}",
        "m": str(minutes),
        "ss": f"{seconds:02d}",
        "s": str(seconds),
        "ZZZZZ": moment.zone(":", ""),
        "ZZZZ": moment.zone("", ""),
        "ZZZ": moment.zone("", "UTC"),
        "Z": moment.zone(":", "Z"),
    }


FUNCTIONS: Final[Table] = {
    "formatdate": (_formatdate, 2, 2),
    "timeadd": (_timeadd, 2, 2),
    "timecmp": (_timecmp, 2, 2),
}
