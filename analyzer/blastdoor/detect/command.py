"""Judgements over commands that resources run."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, origin, place
from blastdoor.reach import DESTROY, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts

_TOKEN: Final = re.compile(
    r"""\\\n
      | (?P<end>[\n;|&()`])
      | (?P<comment>(?<!\S)\#[^\n]*)
      | (?P<word>(?:[^\s;|&()`'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)
      | .""",
    re.VERBOSE | re.DOTALL,
)
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_LEADING: Final = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "sudo"}
    | {"env", "nohup", "command", "eval"}
)
_NOTHING: Final = re.compile(
    r"(?:^|\.)(?:null_resource|terraform_data|(?:random|time|local|tls)_\w+)\.[\w-]+\Z", re.ASCII
)
"""Addresses of what is nothing outside the state, or a file beside it."""
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "ash"})


def destroy_command(facts: Facts) -> Iterator[Hit]:
    """A command or a block of its own destroys or recreates."""
    yield from _commands(facts)
    yield from _removals(facts)


def _commands(facts: Facts) -> Iterator[Hit]:
    for command in facts.commands:
        for words in _simple_commands(command.text.text):
            row = _destroys(words)
            if row is None:
                continue
            unattended = not row.unattended.isdisjoint(_flags(words))
            at = place(command.text.value, command.text.span) or command.text.span
            where = origin(command.text.value)
            what = " ".join([row.program, *row.words, *row.flags])
            when = "is destroyed" if command.at_destroy else "is made"
            asked = ", and nobody is asked" if unattended else ""
            yield Hit(
                at,
                f"mutation: {what} runs when {command.resource.address} {when}{asked}"
                f"{' (' + where + ')' if where else ''}",
                command.resource.address,
                command.attribute,
                "mutation",
                what,
                condition="at-destroy"
                if command.at_destroy
                else "unattended"
                if unattended
                else "",
                contain="take the command out, and destroy in a plan that somebody has read",
                related=chain(command.text.value, at),
                reach=Reach(mutation=DESTROY),
            )
            break


def _removals(facts: Facts) -> Iterator[Hit]:
    for removal in facts.unit.removals:
        if not removal.destroys or not removal.from_ or _NOTHING.search(removal.from_):
            continue
        yield Hit(
            removal.span,
            f"mutation: the next apply destroys {removal.from_} (removed, destroy = true)",
            removal.from_,
            "lifecycle.destroy",
            "mutation",
            "true",
            contain="set destroy = false to let go of it and leave it running",
            reach=Reach(mutation=DESTROY),
        )


def _simple_commands(text: str) -> Iterator[list[str]]:
    """The simple commands of a shell script as words without quotes."""
    for words in _split(text):
        yield words
        inner = _script(words)
        if inner is not None:
            yield from _split(inner)


def _split(script: str) -> Iterator[list[str]]:
    words: list[str] = []
    for token in _TOKEN.finditer(script):
        if token["word"] is not None:
            words.append(token["word"].replace('"', "").replace("'", ""))
        elif token["end"] is not None:
            yield from _trimmed(words)
            words = []
    yield from _trimmed(words)


def _trimmed(words: list[str]) -> Iterator[list[str]]:
    """The words from the program on, when there is one."""
    start = 0
    while start < len(words) and (words[start] in _LEADING or _ASSIGNMENT.match(words[start])):
        start += 1
    if start < len(words):
        yield words[start:]


def _script(words: list[str]) -> str | None:
    """The script that a shell is given with ``-c``."""
    if posixpath.basename(words[0]) in _SHELLS and "-c" in words[:-1]:
        return words[words.index("-c") + 1]
    return None


def _destroys(words: list[str]) -> tables.DestroyCommand | None:
    """The row of the table that a command is, or ``None``."""
    rows = tables.destroy_commands().get(posixpath.basename(words[0]), ())
    plain = [word for word in words[1:] if not word.startswith("-")]
    given = _flags(words)
    for row in rows:
        if not all(flag in given for flag in row.flags):
            continue
        size = len(row.words)
        starts = range(len(plain) - size + 1) if row.program == "aws" else range(1)
        if any(tuple(plain[at : at + size]) == row.words for at in starts):
            return row
    return None


def _flags(words: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
