"""Judgements over guards: what keeps a change or a deletion from happening by accident."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import (
    at_path,
    bodies_of,
    chain,
    origin,
    place,
    set_to,
    words_of,
)
from blastdoor.finding import Level
from blastdoor.reach import Guards, Reach
from blastdoor.value import Known, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Guard, Provider, Resource, StackPolicy, Term

_WORD: Final = re.compile(r"[A-Za-z]+|\d+")
_PUBLIC_WORDS: Final = frozenset({"public", "website", "websites", "static"})
"""Words of an account that is there for public content."""
_EMULATOR: Final = frozenset({"test", "mock", "fake", "dummy", "local", "localstack"})
"""Words of an access key that no account of AWS has."""
_EVERY_UPDATE: Final = frozenset({"*", "update:*"})


def deletion_protection_off(facts: Facts) -> Iterator[Hit]:
    """Deletion or termination protection is explicitly switched off."""
    for guard in facts.guards:
        if guard.kind == "deletion" and guard.unsafe:
            address = guard.resource.address
            what = f"what {address} writes" if guard.resource.request else address
            yield _hit(
                guard,
                f"guards: {what} can be deleted by one call ({_said(guard)})",
                f"set {guard.attribute} = {guard.safe_text}",
            )


def data_kept_by_force_lost(facts: Facts) -> Iterator[Hit]:
    """Destroying a resource is made to destroy its data."""
    for guard in facts.guards:
        if guard.kind == "data-loss" and guard.unsafe:
            address = guard.resource.address
            what = address if guard.resource.request else f"destroying {address}"
            yield _hit(
                guard,
                f"guards: {what} destroys what {'the thing' if guard.resource.request else 'it'} "
                f"holds ({_said(guard)})",
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
                    f"{_undone(guard)}, and make the exception where it is needed",
                ),
                axis="accounts",
                condition="public-content" if _for_the_public(guard.resource) else "",
            )


def _undone(guard: Guard) -> str:
    """What to do instead; a call may do by what it is what elsewhere an argument says."""
    if guard.resource.request and guard.value.span == guard.resource.span:
        return "leave the call out"
    return f"set {guard.attribute} = {guard.safe_text}"


def _for_the_public(resource: Resource) -> bool:
    """Whether an account is named as one for public content."""
    words = {w for word in resource.path for w in _WORD.findall(word.lower())}
    return not words.isdisjoint(_PUBLIC_WORDS)


def stateful_resource_disposable(facts: Facts) -> Iterator[Hit]:
    """A resource that holds data is set to go with its stack, or with its replacement."""
    table = tables.stateful()
    for guard in _unsafe(facts, "disposable"):
        row = table.get(guard.resource.type)
        loses = row.loses if row is not None else "what it holds"
        hit = _hit(
            guard,
            f"guards: {guard.resource.address} goes with its stack or its replacement, with {loses} "
            f"({_said(guard)})",
            f"set {guard.attribute} to Retain or Snapshot",
        )
        yield replace(hit, environment=_environment(facts, guard.resource))


def rollback_disabled(facts: Facts) -> Iterator[Hit]:
    """Automatic rollback is switched off."""
    for guard in _unsafe(facts, "rollback"):
        yield _hit(
            guard,
            f"guards: what fails in {guard.resource.address} stays as it is ({_said(guard)})",
            f"set {guard.attribute} = {guard.safe_text}",
        )


def lockout_or_retention_bypass(facts: Facts) -> Iterator[Hit]:
    """A lockout check, a retention lock or a recovery window is bypassed."""
    for guard in _unsafe(facts, "lockout", "retention"):
        hit = _hit(
            guard,
            f"guards: {guard.note} ({_said(guard)}), by {guard.resource.address}",
            f"set {guard.attribute} = {guard.safe_text}",
        )
        yield replace(hit, environment=_environment(facts, guard.resource))


def backup_disabled(facts: Facts) -> Iterator[Hit]:
    """Backups, versioning or recovery to a point in time are switched off."""
    for guard in _unsafe(facts, "backup"):
        hit = _hit(
            guard,
            f"guards: {guard.note} ({_said(guard)}), by {guard.resource.address}",
            f"set {guard.attribute} = {guard.safe_text}",
        )
        yield replace(hit, environment=_environment(facts, guard.resource))


def immediate_risky_apply(facts: Facts) -> Iterator[Hit]:
    """Changes do not wait for a maintenance window, or are forced."""
    upgrades = {
        guard.resource.address: guard
        for guard in facts.guards
        if guard.kind == "major-upgrade" and guard.unsafe
    }
    for guard in _unsafe(facts, "immediate", "force"):
        contain = f"remove {guard.attribute}"
        if guard.kind == "force":
            yield _hit(
                guard,
                f"guards: {guard.note} ({_said(guard)}), by {guard.resource.address}",
                contain,
            )
            continue
        upgrade = upgrades.get(guard.resource.address)
        also = "" if upgrade is None else f", a new major version too ({_said(upgrade)})"
        hit = _hit(
            guard,
            f"guards: a change {'by' if guard.resource.request else 'to'} {guard.resource.address} "
            f"does not wait for the maintenance window ({_said(guard)}){also}",
            contain,
        )
        yield replace(hit, condition="" if upgrade is None else "major-upgrade")


def provider_validation_skipped(facts: Facts) -> Iterator[Hit]:
    """A provider does not check its credentials, region or account."""
    for provider in facts.unit.providers:
        if not provider.declared or _emulated(provider):
            continue
        for row in tables.guards().get(f"provider.{provider.name}", ()):
            if row.kind != "validation" or _region_is_right(provider, row.attribute):
                continue
            for value in at_path(provider.get, row.attribute):
                if not isinstance(value, Known) or not row.is_unsafe(value.data):
                    continue
                at = place(value, provider.span) or provider.span
                where = origin(value)
                address = provider.address or f"provider.{provider.name}"
                yield Hit(
                    at,
                    f"guards: {row.note} ({row.attribute} = {words_of(value)}"
                    f"{', ' + where if where else ''}), by {address}",
                    address,
                    row.attribute,
                    "guards",
                    words_of(value),
                    level=row.level,
                    contain=f"remove {row.attribute}",
                    related=chain(value, at),
                    reach=Reach(guards=Guards()),
                    remedies=set_to(value, row.attribute, row.safe),
                )


def _region_is_right(provider: Provider, attribute: str) -> bool:
    """Whether the check that is skipped would only have found a region that there is."""
    if attribute != "skip_region_validation":
        return False
    return known_text(provider.region) in tables.partitions().regions


def _emulated(provider: Provider) -> bool:
    """Whether a provider speaks to something that is not the cloud."""
    if provider.get("endpoints") is not None:
        return True
    key = known_text(provider.get("access_key"))
    return key is not None and not _EMULATOR.isdisjoint(_WORD.findall(key.lower()))


def stack_policy_open(facts: Facts) -> Iterator[Hit]:
    """A stack policy allows every update of everything and denies nothing."""
    for policy in facts.stack_policies:
        found = _open_to_updates(policy)
        if found is None:
            continue
        at = place(found.value, found.span) or found.span
        where = origin(found.value)
        yield Hit(
            at,
            f"guards: {_updates(policy)} (the stack policy allows {found.text} on everything and "
            f"denies nothing{', ' + where if where else ''})",
            policy.resource.address,
            policy.attribute,
            "guards",
            found.text,
            "during-update" if policy.during else "",
            contain="deny Update:Replace and Update:Delete on the resources that hold data",
            related=chain(found.value, at),
            reach=Reach(guards=Guards()),
        )


def _updates(policy: StackPolicy) -> str:
    address = policy.resource.address
    if policy.during:
        return f"this update may replace or delete any resource of the stack, by {address}"
    whose = f"of the stack, by {address}" if policy.resource.request else f"of {address}"
    return f"any update may replace or delete any resource {whose}"


def _open_to_updates(policy: StackPolicy) -> Term | None:
    """The action of a stack policy that leaves nothing protected, or ``None``."""
    if not policy.complete or any(s.effect != "Allow" for s in policy.statements):
        return None
    for statement in policy.statements:
        if statement.not_actions or statement.not_resources or not statement.complete:
            continue
        if statement.conditions or not statement.conditions_known:
            continue
        if any(term.text == "*" for term in statement.resources):
            for term in statement.actions:
                if term.text.lower() in _EVERY_UPDATE:
                    return term
    return None


def _unsafe(facts: Facts, *kinds: str) -> Iterator[Guard]:
    for guard in facts.guards:
        if guard.unsafe and guard.kind in kinds:
            yield guard


def _environment(facts: Facts, resource: Resource) -> str | None:
    """The environment that names speak of, where the unit is not known to be for one."""
    if facts.unit.environment is not None:
        return None
    text = " ".join((*resource.path, resource.name, known_text(resource.get("name")) or ""))
    return tables.scopes().environment_of(_WORD.findall(text))


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
        remedies=set_to(guard.value, guard.attribute, guard.safe),
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
