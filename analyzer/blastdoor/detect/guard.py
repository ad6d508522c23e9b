"""Judgements over guards: what keeps a change or a deletion from happening by accident."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import bodies_of, chain, origin, place, words_of
from blastdoor.finding import Level
from blastdoor.reach import Guards, Reach
from blastdoor.value import Known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Guard, Resource

_WORD: Final = re.compile(r"[a-z]+")
_PUBLIC_WORDS: Final = frozenset({"public", "website", "websites", "static"})
"""Words of an account that is there for public content."""


def deletion_protection_off(facts: Facts) -> Iterator[Hit]:
    """Deletion or termination protection is explicitly switched off."""
    for guard in facts.guards:
        if guard.kind == "deletion" and guard.unsafe:
            yield _hit(
                guard,
                f"guards: {guard.resource.address} can be deleted by one call ({_said(guard)})",
                f"set {guard.attribute} = {guard.safe_text}",
            )


def data_kept_by_force_lost(facts: Facts) -> Iterator[Hit]:
    """Destroying a resource is made to destroy its data."""
    for guard in facts.guards:
        if guard.kind == "data-loss" and guard.unsafe:
            yield _hit(
                guard,
                f"guards: destroying {guard.resource.address} destroys what it holds "
                f"({_said(guard)})",
                f"remove {guard.attribute}",
            )


def account_default_weakened(facts: Facts) -> Iterator[Hit]:
    """A safety that holds for the whole account is switched off."""
    for guard in facts.guards:
        if guard.kind == "account" and guard.unsafe:
            yield replace(
                _hit(
                    guard,
                    "accounts: everything in the account, and what comes later, by "
                    f"{guard.resource.address} ({_said(guard)}"
                    f"{'; ' + guard.note if guard.note else ''})",
                    f"set {guard.attribute} = {guard.safe_text}, and make the exception where it "
                    "is needed",
                ),
                axis="accounts",
                condition="public-content" if _for_the_public(guard.resource) else "",
            )


def _for_the_public(resource: Resource) -> bool:
    """Whether an account is named as one for public content."""
    words = {w for word in resource.path for w in _WORD.findall(word.lower())}
    return not words.isdisjoint(_PUBLIC_WORDS)


def _said(guard: Guard) -> str:
    where = origin(guard.value)
    return f"{guard.attribute} = {words_of(guard.value)}{', ' + where if where else ''}"


def _hit(guard: Guard, message: str, contain: str) -> Hit:
    at = place(guard.value, guard.resource.span) or guard.resource.span
    return Hit(
        at,
        message,
        guard.resource.address,
        guard.attribute,
        "guards",
        words_of(guard.value),
        level=Level.named(guard.level),
        contain=contain,
        related=chain(guard.value, at),
        reach=Reach(guards=Guards()),
    )


def all_drift_ignored(facts: Facts) -> Iterator[Hit]:
    """All changes to a resource are ignored."""
    for resource in facts.unit.resources:
        for body in bodies_of(resource.get("lifecycle")):
            value = body.get("ignore_changes")
            items = getattr(value, "items", ())
            everything = value if isinstance(value, Known) and value.data == "all" else None
            for item in items:
                if isinstance(item, Known) and item.data == "*":
                    everything = item
            if everything is None or everything.span is None:
                continue
            yield Hit(
                everything.span,
                f"guards: no change to {resource.address} is ever noticed or undone "
                "(ignore_changes = all)",
                resource.address,
                "lifecycle.ignore_changes",
                "guards",
                "all",
                contain="list the attributes that something else manages",
                reach=Reach(guards=Guards()),
            )
