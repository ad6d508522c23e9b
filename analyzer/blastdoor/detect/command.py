"""Judgements over commands that resources run."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, items_of, origin
from blastdoor.finding import Related
from blastdoor.reach import DESTROY, Reach
from blastdoor.value import Known, Unknown, known_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from blastdoor.fact import ApiCall, Facts, Script

_NOTHING: Final = re.compile(
    r"(?:^|\.)(?:null_resource|terraform_data|(?:random|time|local|tls)_\w+)\.[\w-]+\Z", re.ASCII
)
"""Addresses of what is nothing outside the state, or a file beside it."""
_APART: Final = re.compile(r"[A-Za-z]+")
_LISTING: Final = re.compile(r"(?:describe|list)_\w+\(\)")
"""What the answer of a call is called that was asked for all there is."""
_PASSING: Final = frozenset({"cleanup", "preview", "review", "teardown", "test", "tests"})
"""Words of functions that are there for what does not last."""


def destroy_command(facts: Facts) -> Iterator[Hit]:
    """A command or a block of its own destroys or recreates."""
    yield from _commands(facts)
    yield from _removals(facts)
    yield from _calls(facts)
    yield from _remakes(facts)


def _calls(facts: Facts) -> Iterator[Hit]:
    """Calls of an API that take away all there is, or what is in many accounts."""
    table = tables.destroy_calls()
    for call in facts.unit.calls:
        row = table.get(call.name)
        if row is None or call.dry:
            continue
        if row.when is not None:
            value = call.arguments.get(row.when[0])
            sure = isinstance(value, Known) and value.data == row.when[1]
            said = f"takes away {row.takes}" if sure else ""
        else:
            listed = all_there_is(call)
            said = f"runs for each that {listed} gives, with none left out" if listed else ""
        if said:
            yield Hit(
                call.name_span,
                f"mutation: {call.operation} {said}",
                call.owner or call.client.service,
                call.operation,
                "mutation",
                call.name,
                condition="of-what-does-not-last" if _passes(call) else "",
                contain="name what is to go, and ask before it goes",
                reach=Reach(mutation=DESTROY),
            )


def _remakes(facts: Facts) -> Iterator[Hit]:
    """Things that a program destroys and makes anew, and calls that do both."""
    rows = tables.remade()
    for number, call in enumerate(facts.unit.calls):
        row = rows.get(call.name)
        if row is None or call.dry:
            continue
        later = facts.unit.calls[number + 1 :]
        again = next((one for one in later if _makes_again(call, one, row)), None)
        if row.make and again is None:
            continue
        name = known_text(call.arguments.get(row.argument))
        what = f"{row.thing} {name}" if name else f"the {row.thing}"
        how = call.operation
        if again is not None:
            how = f"{call.operation}, and {again.operation} of the same name"
        yield Hit(
            call.name_span,
            f"mutation: {what} is destroyed and made anew ({how})"
            f"{f', in {call.owner}' if call.owner else ''}",
            call.owner or call.client.service,
            call.operation,
            "mutation",
            call.name,
            condition="of-what-does-not-last" if _passes(call) else "",
            contain="change what is there, and let somebody read what a change set or a plan says",
            related=(Related(again.name_span, "made anew here"),) if again is not None else (),
            reach=Reach(mutation=DESTROY),
        )


def _passes(call: ApiCall) -> bool:
    """Whether a call is in a function that is there for what does not last."""
    return not _PASSING.isdisjoint(_APART.findall(call.owner.lower()))


def _makes_again(call: ApiCall, other: ApiCall, row: tables.Remade) -> bool:
    """Whether a later call makes what another one destroys."""
    if other.operation not in row.make or other.client.service != call.client.service:
        return False
    gone, new = call.arguments.get(row.argument), other.arguments.get(row.made)
    if gone is None or new is None or other.owner != call.owner or other.dry:
        return False
    if isinstance(gone, Unknown) and isinstance(new, Unknown):
        return bool(gone.subject) and (gone.reason, gone.subject) == (new.reason, new.subject)
    return gone.resolved and gone.key == new.key


def all_there_is(call: ApiCall) -> str:
    """The listing whose every element a call is for; ``""`` where something chooses among them."""
    if call.guarded:
        return ""
    for collection, _text, _span in (*call.client.loops, *call.loops):
        if not isinstance(collection, Unknown) or not _LISTING.fullmatch(collection.subject):
            continue
        for value in call.arguments.values():
            for item in items_of(value)[0] or [value]:
                if isinstance(item, Unknown) and item.subject == collection.subject:
                    return collection.subject
    return ""


def _commands(facts: Facts) -> Iterator[Hit]:
    seen: set[int] = set()
    for command in facts.commands:
        script = command.script
        row = None if id(script) in seen and script.owner else _destroys(command.words)
        if row is None:
            continue
        if not script.by_hand and not script.when.startswith("in "):
            seen.add(id(script))  # a provisioner is one thing, however many lines it has
        unattended = not row.unattended.isdisjoint(_flags(command.words))
        asked = ", and nobody is asked" if unattended and not script.asked else ""
        where = origin(command.value)
        what = " ".join([row.program, *row.words, *row.flags])
        yield Hit(
            command.span,
            f"mutation: {what} runs {script.when}{asked}{' (' + where + ')' if where else ''}",
            script.owner,
            script.attribute,
            "mutation",
            what,
            condition=_weight(script, unattended=unattended),
            contain="take the command out, and destroy in a plan that somebody has read",
            related=chain(command.value, command.span),
            reach=Reach(mutation=DESTROY),
        )


def _weight(script: Script, *, unattended: bool) -> str:
    """The condition of a command that destroys."""
    if script.at_destroy:
        return "at-destroy"
    if script.passing:
        return "of-what-does-not-last"
    return "unattended" if unattended and not script.asked else ""


def unattended_apply(facts: Facts) -> Iterator[Hit]:
    """A change is applied with the question switched off."""
    for command in facts.commands:
        script = command.script
        if script.asked or script.passing or script.at_destroy:
            continue
        row = _applies(command.words)
        if row is None or _destroys(command.words) is not None:
            continue
        what = " ".join([row.program, *row.words])
        how = next(flag for flag in _given(command.words) if flag in row.unattended)
        file = posixpath.basename(command.span.path)
        production = _production((*command.words[1:], script.owner, file))
        yield Hit(
            command.span,
            f"guards: {what} runs {script.when} and asks nobody ({how})"
            f"{f', for {production}' if production else ''}",
            script.owner,
            script.attribute,
            "guards",
            f"{what} {how}",
            condition="production"
            if production and not script.by_hand
            else "by-hand"
            if script.by_hand
            else "",
            contain=row.contain,
            related=chain(command.value, command.span),
        )


def _applies(words: Sequence[str]) -> tables.ApplyCommand | None:
    """The row of the table that a command is when it asks nobody, or ``None``."""
    plain = [word for word in words[1:] if not word.startswith("-")]
    given = set(_given(words))
    for row in tables.apply_commands().get(posixpath.basename(words[0]), ()):
        size = len(row.words)
        if tuple(plain[:size]) != row.words or given.isdisjoint(row.unattended):
            continue
        if row.planned and any(_is_plan(word) for word in plain[size:]):
            return None
        return row
    return None


def _is_plan(word: str) -> bool:
    """Whether an argument is the file of a saved plan, or may be one."""
    return "=" not in word


def _given(words: Sequence[str]) -> Iterator[str]:
    """The flags of a command, with their value too where it is the next word."""
    for number, word in enumerate(words[1:], 1):
        if word.startswith("-"):
            yield word
            yield word.partition("=")[0]
            if number + 1 < len(words):
                yield f"{word}={words[number + 1]}"


def _production(words: Iterable[str]) -> str:
    """The first word that names production, or ``""``."""
    names = tables.scopes().production
    for word in words:
        for part in _APART.findall(word.lower()):
            if part in names:
                return str(part)
    return ""


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


def _destroys(words: Sequence[str]) -> tables.DestroyCommand | None:
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


def _flags(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words[1:] if word.startswith("-")}
