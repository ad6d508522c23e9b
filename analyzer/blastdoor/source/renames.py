"""Files that were renamed, told by what they hold: for sources of which git itself is not asked.

As git does it (gitdiffcore(7), "Detecting renames"), equal contents are paired first, then those of
which at least half is the same; lines are what is counted.
"""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEAST: Final = 0.5
"""Share of the larger file that has to be the same."""
_MAX_SHARING: Final = 64
"""Files that a line may stand in and still tell one of them; a closing brace tells nothing."""
_MAX_TEXT: Final = 20_000_000
"""Most characters that are compared altogether; beyond that only equal contents are paired."""


def renamed(gone: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Path in head → path in base, for files (path → text) that are on one side only."""
    found: dict[str, str] = {}
    _equal(gone, new, found, lambda path, text: (posixpath.basename(path), text))
    _equal(gone, new, found, lambda _path, text: ("", text))
    taken = set(found.values())
    left = {path: text for path, text in gone.items() if path not in taken and text.strip()}
    rest = {path: text for path, text in new.items() if path not in found and text.strip()}
    if sum(map(len, left.values())) + sum(map(len, rest.values())) <= _MAX_TEXT:
        found.update(_alike(left, rest))
    return found


def _equal(
    gone: Mapping[str, str],
    new: Mapping[str, str],
    found: dict[str, str],
    key: Callable[[str, str], tuple[str, str]],
) -> None:
    """Effect: pairs what has the same key and is not paired yet."""
    taken = set(found.values())
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, text in sorted(gone.items(), reverse=True):
        if path not in taken and text.strip():
            alike[key(path, text)].append(path)
    for path, text in sorted(new.items()):
        others = alike.get(key(path, text))
        if path not in found and others:
            found[path] = others.pop()


def _alike(gone: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    lines: dict[str, dict[str, int]] = defaultdict(dict)
    for path, text in gone.items():
        for line, count in Counter(text.splitlines()).items():
            lines[line][path] = count
    pairs: list[tuple[float, str, str]] = []
    for path, text in new.items():
        shared: Counter[str] = Counter()
        for line, count in Counter(text.splitlines()).items():
            holders = lines.get(line, {})
            if len(holders) > _MAX_SHARING:
                continue
            for other, number in holders.items():
                shared[other] += (len(line) + 1) * min(count, number)
        for other, same in shared.items():
            share = same / max(len(text), len(gone[other]), 1)
            if share >= LEAST:
                pairs.append((share, path, other))
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _share, path, other in pairs:
        if path not in found and other not in taken:
            found[path] = other
            taken.add(other)
    return found
