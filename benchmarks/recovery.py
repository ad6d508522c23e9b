"""How much of a file is still read after a slip of the keyboard.

python -m benchmarks.recovery FOLDER... [--slip character|line|punctuation|insert] [--seed S]

Takes one thing out of (or puts one into) each file, three times over, and compares the blocks and
attributes that the parser finds with those of the whole file: the share that is kept, and the share
that was invented. Files that still parse after the slip are not counted. Needs blastdoor in the
environment of this Python.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Final

from benchmarks.measure import native_texts

from blastdoor.parse.hcl import parse_hcl
from blastdoor.parse.tree import Body, Broken
from blastdoor.span import Document

_MARKS: Final = '{}[]()"=,'
_SLIPS: Final = ("character", "line", "punctuation", "insert")
_SHORTEST: Final = 200
_LONGEST: Final = 40_000


def statements(body: Body, text: str) -> set[tuple[object, ...]]:
    """Every block and attribute of a body: its path and, for an attribute, its source text."""
    found: set[tuple[object, ...]] = set()
    open_: list[tuple[tuple[object, ...], Body]] = [((), body)]
    while open_:
        path, current = open_.pop()
        for name, attribute in current.attributes.items():
            expression = attribute.expression
            if not isinstance(expression, Broken):
                source = " ".join(text[expression.start : expression.end].split())
                found.add((*path, name, source))
        for block in current.blocks:
            inner = (*path, (block.type, *(label.text for label in block.labels)))
            found.add(inner)
            open_.append((inner, block.body))
    return found


def slipped(text: str, slip: str, random_: random.Random) -> str:
    """The text with one slip."""
    if slip == "line":
        lines = text.split("\n")
        del lines[random_.randrange(len(lines))]
        return "\n".join(lines)
    at = random_.randrange(len(text))
    if slip == "insert":
        return text[:at] + random_.choice(_MARKS) + text[at:]
    if slip == "punctuation":
        marks = [i for i, character in enumerate(text) if character in _MARKS]
        at = random_.choice(marks) if marks else at
    return text[:at] + text[at + 1 :]


def main() -> None:
    """Effect: measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--slip", choices=_SLIPS, default="character")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args()
    random_ = random.Random(options.seed)  # noqa: S311  a test series, no secret
    kept = invented = 0.0
    counted = 0
    for folder in options.folders:
        for name, text in native_texts(folder):
            if not _SHORTEST < len(text) < _LONGEST:
                continue
            whole = parse_hcl(Document(name, text))
            expected = statements(whole.body, text)
            if whole.faults or not expected:
                continue
            for _ in range(3):
                broken = slipped(text, options.slip, random_)
                parsed = parse_hcl(Document(name, broken))
                if not parsed.faults:
                    continue
                found = statements(parsed.body, broken)
                kept += len(expected & found) / len(expected)
                invented += len(found - expected) / len(expected)
                counted += 1
    if not counted:
        print("no file that could be broken")
        return
    print(
        f"{options.slip}: {counted} broken texts, "
        f"kept {kept / counted:.3f}, invented {invented / counted:.4f}"
    )


if __name__ == "__main__":
    main()
