"""Judgements over programs that declare: what reaches all of it, raw overrides, unplaced stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, set_to, words_of
from blastdoor.reach import EVERY, Environments, Reach
from blastdoor.value import Inherited, Known, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import EscapeHatch, Facts
    from blastdoor.finding import Remedy

_SEVERAL: Final = 2
_SCOPES: Final = ("PolicyDocument", "AssumeRolePolicyDocument", "SecurityGroupIngress", "Regions")
"""Properties that say who may do what, or where: a raw value of one is nobody's model."""
_LEFT: Final = ("DeletionPolicy", "UpdateReplacePolicy")


def app_wide_mutation(facts: Facts) -> Iterator[Hit]:
    """Something that changes every resource of an app, a stage or a program."""
    for wide in facts.unit.app_wide:
        if not wide.changes:
            continue
        does = ", ".join(wide.changes[:3])
        yield Hit(
            wide.span,
            f"environment: every resource of the {wide.scope}, whatever stack and environment it is of "
            f"({does}), by {wide.what}",
            wide.owner or wide.what,
            wide.what,
            "environment",
            f"{wide.what} {does}",
            "destroys" if wide.destroys else "",
            contain="attach it to the construct that needs it, or ask for type and environment first",
            reach=Reach(environment=Environments(EVERY)),
        )


def escape_hatch_on_guard(facts: Facts) -> Iterator[Hit]:
    """A raw override of a guard, a policy or what says where something goes."""
    for hatch in facts.unit.escape_hatches:
        said = _undoes(hatch)
        if not said:
            continue
        value = hatch.value
        now = "taken out" if value is None else f"= {words_of(value)}"
        yield Hit(
            hatch.span,
            f"guards: {said} of {hatch.target} is overridden past its construct ({hatch.path} {now})",
            hatch.owner or hatch.target,
            hatch.path,
            "guards",
            f"{hatch.path} {now}",
            contain="say it in the construct's own property, where its checks see it",
            related=chain(value, hatch.span) if value is not None else (),
            remedies=_guarded(hatch),
        )


def _guarded(hatch: EscapeHatch) -> tuple[Remedy, ...]:
    """The remedy that puts the safe value there, where a table knows one."""
    path, value = hatch.path.removeprefix("Properties."), hatch.value
    if value is None:
        return ()
    if path in _LEFT:
        return set_to(value, path, "Retain")
    safe = {
        row.safe
        for type_, rows in tables.guards().items()
        if "::" in type_ and (not hatch.type or type_ == hatch.type)
        for row in rows
        if row.attribute == path and _is_unsafe(row, value)
    }
    return set_to(value, path, safe.pop()) if len(safe) == 1 else ()


def _undoes(hatch: EscapeHatch) -> str:
    """What an override undoes or replaces, in words; ``""`` where it does not."""
    path = hatch.path.removeprefix("Properties.")
    head = path.partition(".")[0]
    if path in _LEFT:
        text = known_text(hatch.value)
        return "what is left of the data" if hatch.value is None or text == "Delete" else ""
    if head in _SCOPES:
        return "who may do what" if head != "Regions" else "where it goes"
    for type_, rows in tables.guards().items():
        if "::" not in type_ or (hatch.type and type_ != hatch.type):
            continue
        for row in rows:
            if row.attribute == path and (hatch.value is None or _is_unsafe(row, hatch.value)):
                return "a guard"
    return ""


def _is_unsafe(row: tables.GuardRow, value: Value) -> bool:
    """Whether a value is the one that leaves something without its guard."""
    return isinstance(value, Known) and row.is_unsafe(value.data)


def stack_without_environment(facts: Facts) -> Iterator[Hit]:
    """A stack that goes wherever whoever deploys it happens to be."""
    stacks = facts.unit.stacks
    placed = {known_text(stack.region) for stack in stacks if stack.region is not None} - {None}
    several = len(stacks) >= _SEVERAL and bool(placed)
    for stack in stacks:
        if stack.region is not None and not isinstance(stack.region, Inherited):
            continue
        beside = f", beside stacks in {', '.join(sorted(filter(None, placed)))}" if placed else ""
        yield Hit(
            stack.span,
            f"regions: whichever region and account whoever deploys it has, for stack {stack.name}"
            f"{beside}",
            stack.owner or stack.name,
            stack.name,
            "regions",
            stack.name,
            "beside-others" if several else "",
            contain="give it env with an account and a region",
        )
