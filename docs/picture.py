# ruff: noqa: INP001  a script
"""The picture in the README: the coloured output of a command, as it came, drawn as an SVG.

    python docs/picture.py docs/check.svg blastdoor check fixtures/incident

runs the command from the root of the checkout, with colours, and writes the picture; the command's
own exit code is drawn below its output. The text of ``--shown-as`` replaces the command in the
prompt where the real one needs a path into a virtual environment.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import unicodedata
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CELL: Final = 8.4
"""Width of a terminal column at the font size, in pixels."""
LINE: Final = 20
FONT: Final = 14
MARGIN: Final = 20
WIDTH: Final = 104
"""Columns of the terminal; what is longer goes on in the next line, as terminals do it."""
BAR: Final = 36
"""Height of the window's title bar."""

NO_BREAK: Final = "\u00a0"
"""A blank that no reader of SVG folds with its neighbours."""
BACKGROUND: Final = "#161b22"
FRAME: Final = "#30363d"
PLAIN: Final = "#d1d7e0"
STRONG: Final = "#ffffff"
COLOURS: Final = {
    31: "#ff8b82",
    32: "#6fdd8b",
    33: "#e9b949",
    34: "#7cb7ff",
    35: "#d9a5ff",
    36: "#6ddce4",
}
"""SGR foreground code → colour; each has a contrast of at least 7 on the background."""

_SGR: Final = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@dataclass(frozen=True)
class Look:
    """How text is drawn."""

    bold: bool = False
    colour: int | None = None

    def after(self, codes: str) -> Look:
        """The look after one SGR sequence."""
        look = self
        for code in (int(word or "0") for word in codes.split(";")):
            if code == 0:
                look = Look()
            elif code == 1:
                look = replace(look, bold=True)
            elif code in COLOURS:
                look = replace(look, colour=code)
        return look


@dataclass(frozen=True)
class Run:
    """Text of one look, beginning at a column."""

    column: int
    text: str
    look: Look


def columns(text: str) -> int:
    """Terminal columns of a text."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def rows(output: str) -> list[list[Run]]:
    """The rows of the terminal, each with its runs."""
    found: list[list[Run]] = []
    look = Look()
    for line in _OTHER.sub("", output).rstrip("\n").split("\n"):
        row: list[Run] = []
        found.append(row)
        column = 0
        for index, part in enumerate(_SGR.split(line)):
            if index % 2:
                look = look.after(part)
                continue
            rest = part
            while rest:
                taken = len(rest)
                while column + columns(rest[:taken]) > WIDTH:
                    taken -= 1
                if taken:
                    row.append(Run(column, rest[:taken], look))
                    column += columns(rest[:taken])
                    rest = rest[taken:]
                if rest:
                    row = []
                    found.append(row)
                    column = 0
    return found


def _text(run: Run, y: int) -> str:
    blanks = len(run.text) - len(run.text.lstrip())
    text = run.text.strip()
    if not text:
        return ""
    if run.look.colour is None:
        colour = STRONG if run.look.bold else PLAIN
    else:
        colour = COLOURS[run.look.colour]
    x = MARGIN + (run.column + blanks) * CELL
    weight = ' font-weight="bold"' if run.look.bold else ""
    # The length makes columns meet whatever monospace font the reader has.
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{colour}"{weight}'
        f' textLength="{columns(text) * CELL:.1f}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(text, quote=False).replace(' ', NO_BREAK)}</text>"
    )


def picture(output: str, title: str) -> str:
    """The SVG of a terminal window that holds ``output``."""
    found = rows(output)
    body = [
        text
        for number, row in enumerate(found)
        for run in row
        if (text := _text(run, BAR + MARGIN + number * LINE + FONT))
    ]
    widest = max((run.column + columns(run.text) for row in found for run in row), default=0)
    width = round(2 * MARGIN + widest * CELL)
    height = BAR + 2 * MARGIN + len(found) * LINE
    dots = "".join(
        f'<circle cx="{MARGIN + 18 * n}" cy="{BAR // 2}" r="6" fill="{FRAME}"/>' for n in range(3)
    )
    drawn = "\n".join(body)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-labelledby="title">
<title id="title">{escape(title, quote=False)}</title>
<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="{BACKGROUND}" \
stroke="{FRAME}"/>
{dots}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" \
font-size="{FONT}">
{drawn}
</g>
</svg>
"""


def terminal(command: str, output: str, code: int) -> str:
    """The SVG of a terminal in which a command ran."""
    lines = (f"\x1b[1m$ {command}\x1b[0m", output.rstrip(), "\x1b[1m$ echo $?\x1b[0m", str(code))
    return picture("\n".join(lines), f"A terminal: {command}")


def main() -> None:
    """Effect: runs the command and writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shown-as", help="the command as the prompt shows it")
    parser.add_argument("svg", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if not options.command:
        parser.error("which command?")
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    done = subprocess.run(  # noqa: S603  the command is the caller's own
        options.command,
        cwd=ROOT,
        env={**environment, "FORCE_COLOR": "1", "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    shown = options.shown_as or " ".join(options.command)
    svg = terminal(shown, done.stdout, done.returncode)
    options.svg.write_text(svg, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
