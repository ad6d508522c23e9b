"""``primaryLocationLineHash``: the fingerprint by which GitHub code scanning follows an alert.

The value must be what GitHub's upload action would compute itself (``src/fingerprints.ts`` of
github/codeql-action), else the action warns and alerts do not match those of other uploads:

- the file as UTF-16 code units, a byte order mark included;
- CR LF and CR become LF; blanks and tabs are dropped (a blank between CR and LF keeps both);
- a unit 65535 ends the file and zeros follow;
- for each line the next 100 units, across line ends, give ``sum(unit * 37 ** (99 - i))`` modulo
  2 ** 64, in lower-case hexadecimal, then ``:`` and how often that sum has come up so far.
"""

from __future__ import annotations

import re
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection

_BLOCK: Final = 100
_POWERS: Final = [pow(37, _BLOCK - 1 - i, 1 << 64) for i in range(_BLOCK)]
_BITS: Final = (1 << 64) - 1
_END: Final = "\uffff" + "\0" * _BLOCK
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")


def _pair(match: re.Match[str]) -> str:
    code = ord(match.group()) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))


def line_hashes(text: str, lines: Collection[int]) -> dict[int, str]:
    """The hash of each of the one-based lines that the text has."""
    if not text.isascii():
        text = _ASTRAL.sub(_pair, text)
    units = text.replace("\r\n", "\n").replace("\r", "\n").replace(" ", "").replace("\t", "") + _END
    last = max(lines, default=0)
    end = len(units) - _BLOCK
    known: dict[str, int] = {}
    counts: dict[int, int] = {}
    result = {}
    start = 0
    number = 0
    while start < end and number < last:
        number += 1
        window = units[start : start + _BLOCK]
        value = known.get(window)
        if value is None:
            value = known[window] = sum(map(mul, map(ord, window), _POWERS)) & _BITS
        counts[value] = count = counts.get(value, 0) + 1
        if number in lines:
            result[number] = f"{value:x}:{count}"
        start = units.find("\n", start) + 1
        if not start:
            break
    return result
