"""Judgements over deltas: what a change reaches that was not reached before.

Each of them looks at one kind of delta; together they say everything `blastdoor.delta.compare`
finds, and none says what another says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.delta.compare import SHARED, Event
from blastdoor.detect.hit import Hit
from blastdoor.finding import Act, Remedy
from blastdoor.reach import MOST_WORDS, Regions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from blastdoor.delta.compare import Delta

_REACHES: Final = frozenset(
    {Event.WIDENED, Event.MOVED, Event.UNPINNED, Event.GLOBALISED, Event.NEW}
)
_SWITCHED: Final = {"false": True, "true": False}
"""A switch as it stands → what it was."""
_CONDITIONS: Final = {
    Event.NEW: "new",
    Event.UNPINNED: "unpinned",
    Event.GLOBALISED: "global-service",
}
_CONTAIN: Final = {
    "regions": "name the regions that are meant, and roll the others out one by one",
    "partitions": "keep one partition to a root, with providers of its own",
    "accounts": "target one organizational unit or account first",
    "principals": "name who needs it",
    "actions": "list the actions that are needed",
    "resources": "name the ARNs that are needed",
    "network": "open it to the networks that need it",
    "conditions": "keep the condition, or say in the review why it can go",
    "environment": "change one environment first",
    "fleet": "keep the smaller step",
    "guards": "keep the guard",
}


def _widened(axis: str) -> Callable[[Sequence[Delta]], Iterator[Hit]]:
    """The detector of one axis."""

    def detect(deltas: Sequence[Delta]) -> Iterator[Hit]:
        for delta in deltas:
            if delta.axis != axis or delta.event not in _REACHES or delta.aspect == "replica":
                continue
            if axis == "conditions" and _limited_regions(delta):
                continue
            yield hit(delta, f"{axis}: {_said(delta)}", _CONDITIONS.get(delta.event, ""))

    return detect


regions_widened = _widened("regions")
partition_crossed = _widened("partitions")
accounts_widened = _widened("accounts")
principals_widened = _widened("principals")
actions_widened = _widened("actions")
resources_widened = _widened("resources")
network_widened = _widened("network")
environment_widened = _widened("environment")
condition_dropped = _widened("conditions")


def unknown_reach(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """What was known and is no longer: nobody can tell whether it widens."""
    regions = {(d.span.path, d.span.start, d.address) for d in deltas if d.axis == "regions"}
    for delta in deltas:
        if delta.event is Event.UNKNOWN:
            if delta.axis == "partitions" and (
                (delta.span.path, delta.span.start, delta.address) in regions
            ):
                continue  # the region says it
            yield hit(
                delta,
                f"{delta.axis}: nobody can tell from the code ({delta.after}), was {delta.before}"
                f"{_for(delta)}",
            )


def region_condition_removed(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A condition on the region limited access, and no longer does."""
    for delta in deltas:
        if delta.axis == "conditions" and delta.event in _REACHES and _limited_regions(delta):
            yield hit(
                delta,
                f"regions: {delta.after}, was {delta.before}{_for(delta)}",
                _CONDITIONS.get(delta.event, ""),
            )


def new_replica_region(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """Data is copied to a region that it was not copied to before."""
    for delta in deltas:
        if delta.aspect == "replica" and delta.event in _REACHES and not _counts_nothing(delta):
            yield hit(delta, f"regions: data is copied to {_said(delta)}")


def _counts_nothing(delta: Delta) -> bool:
    regions = delta.reach.regions if delta.reach is not None else None
    return isinstance(regions, Regions) and not regions


def lifecycle_guard_removed(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """What kept a resource from being destroyed is gone."""
    for delta in deltas:
        kind, _colon, attribute = delta.attribute.partition(":")
        if delta.aspect == "guard" and delta.event is Event.LOST and kind not in _SAID:
            yield _restored(_lost(delta, attribute), delta)
        elif delta.aspect == "lifecycle" and delta.event is Event.LOST:
            words = (
                f"guards: nothing keeps {delta.address} from being destroyed any more "
                f"({delta.before} is gone)"
            )
            yield _restored(hit(delta, words, contain=f"restore {delta.before}"), delta)


def _restored(found: Hit, delta: Delta) -> Hit:
    """A lost guard, with what turns its switch back where that stands in the thing itself."""
    span, home = found.span, delta.home
    was = _SWITCHED.get(span.text)
    if was is None or home is None or home.path != span.path or span.start < home.start:
        return found
    return replace(found, remedies=(Remedy(Act.SET, span, "switch the guard back", was),))


def stateful_replacement(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A resource that holds data goes with this change, or a new one takes its place."""
    table = tables.stateful()
    for delta in deltas:
        row = table.get(delta.type)
        loses = row.loses if row is not None else "what it holds"
        if delta.event is Event.DESTROYED:
            yield _destroyed(delta, row)
        elif delta.event is Event.REPLACED:
            yield _replaced(delta, loses)


def _destroyed(delta: Delta, row: tables.Stateful | None) -> Hit:
    loses = row.loses if row is not None else "what it holds"
    more = f" and {len(delta.also)} more" if delta.also else ""
    if delta.attribute == "unit":
        return hit(
            delta,
            f"guards: {delta.address}{more} in {delta.unit} is no longer in the code, nor is "
            f"anything around it: nothing keeps {loses} any more",
            "unit-removed",
            contain="say with a removed block what is kept, and remove the rest in a change before",
        )
    if delta.attribute == "variable":
        return hit(
            delta,
            f"guards: {delta.address}{more} is destroyed, with {loses}, if the variable that it is "
            "repeated for gets no other value: with the one that the code has there is none of it",
            "by-variable",
            contain="say the value where the root is, or keep what it was",
        )
    if delta.attribute == "instances":
        several = ", " in delta.before or delta.also
        gone, where = ("are", "the instances are") if several else ("is", "the instance is")
        they = "they are" if several else "it is"
        what = loses.replace("its ", "their ", 1) if several else loses
        return hit(
            delta,
            f"guards: {delta.before}{more} {gone} destroyed, with {what}: {where} no longer in "
            f"the code, and no moved block says where {they}",
            "destroyed",
            contain="add a moved block for each instance, or keep its key",
        )
    if delta.words:
        return hit(
            delta,
            f"guards: {delta.address} is destroyed, with {loses} ({delta.words})",
            "destroyed",
            contain="keep it, or add removed { lifecycle { destroy = false } }",
        )
    return hit(
        delta,
        f"guards: {delta.address}{more} is destroyed, with {loses}: it is no longer in the code"
        f"{', and ' + row.unsaid if row is not None else ''}",
        "destroyed",
        contain=row.keep if row is not None else "keep it",
    )


def _replaced(delta: Delta, loses: str) -> Hit:
    more = f" and {len(delta.also)} more" if delta.also else ""
    if delta.aspect == "fixed":
        why = f"{delta.attribute} cannot change in place ({delta.after}, was {delta.before})"
    else:
        why = ": ".join(part for part in (delta.words, delta.attribute) if part) or "says the plan"
    return hit(
        delta,
        f"guards: {delta.address}{more} is deleted and made anew, with {loses} gone: {why}",
        "replaced",
        contain="keep it as it is, or make the new one beside it and move what it holds first",
    )


_GUARDS: Final[Mapping[str, tuple[str, ...]]] = {
    "account-default-weakened": ("account",),
    "backup-disabled": ("backup",),
    "data-kept-by-force-lost": ("data-loss", "retain"),
    "deletion-protection-off": ("change", "deletion"),
    "foreign-object-takeover": ("overwrite",),
    "immediate-risky-apply": ("force",),
    "lockout-or-retention-bypass": ("lockout", "retention"),
    "public-endpoint-enabled": ("public-endpoint",),
    "rollback-disabled": ("rollback",),
}
"""Rule → the kinds of guards whose loss is its to say; lifecycle-guard-removed says the others."""
_SAID: Final = frozenset(kind for kinds in _GUARDS.values() for kind in kinds)


def _guard_lost(rule: str) -> Callable[[Sequence[Delta]], Iterator[Hit]]:
    def detect(deltas: Sequence[Delta]) -> Iterator[Hit]:
        for delta in deltas:
            named, _colon, attribute = delta.attribute.partition(":")
            if delta.aspect == "guard" and delta.event is Event.LOST and named in _GUARDS[rule]:
                yield _lost(delta, attribute)

    return detect


def _lost(delta: Delta, attribute: str) -> Hit:
    more = f" and {len(delta.also)} more" if delta.also else ""
    return hit(
        delta,
        f"guards: {delta.address}{more} loses a guard that it had ({delta.before})",
        "was-on",
        contain=f"keep {delta.before}",
        attribute=attribute,
    )


account_default_weakened = _guard_lost("account-default-weakened")
backup_disabled = _guard_lost("backup-disabled")
data_kept_by_force_lost = _guard_lost("data-kept-by-force-lost")
deletion_protection_off = _guard_lost("deletion-protection-off")
foreign_object_takeover = _guard_lost("foreign-object-takeover")
immediate_risky_apply = _guard_lost("immediate-risky-apply")
lockout_or_retention_bypass = _guard_lost("lockout-or-retention-bypass")
public_endpoint_enabled = _guard_lost("public-endpoint-enabled")
rollback_disabled = _guard_lost("rollback-disabled")


def step_enlarged(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A rollout takes a larger step than before."""
    for delta in deltas:
        if delta.aspect == "rollout" and delta.axis == "fleet" and delta.event in _REACHES:
            yield hit(delta, f"fleet: {_said(delta)}")


def flag_widened(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A flag, a weight or a dial lets most of the traffic through in one step."""
    for delta in deltas:
        if delta.aspect == "flag" and delta.event in _REACHES:
            yield hit(
                delta,
                f"fleet: {delta.after} get it, was {delta.before} ({delta.attribute}){_for(delta)}",
                contain="go in steps, such as 1, 10, 50 and 100 %, with time between them",
            )


_TAGS: Final = ("default_labels", "default_tags")
_UNTOLD: Final = ("access_key",)


def account_guard_missing(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """What kept everything under a provider out of another account is gone."""
    for delta in deltas:
        if delta.aspect == "provider" and delta.event is Event.LOST:
            yield hit(
                delta,
                f"accounts: whatever account the credentials are for, by {delta.address}: "
                f"{delta.before} is gone",
                "removed",
                contain=f"keep {delta.before}",
            )


def provider_wide_setting_changed(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """A setting of a provider is another one, for everything under it."""
    for delta in deltas:
        if delta.aspect != "provider" or delta.event is not Event.CHANGED or not delta.also:
            continue
        number = len(delta.also)
        things = delta.also[0] if number == 1 else f"{delta.also[0]} and {number - 1} more"
        told = (
            "" if delta.attribute.startswith(_UNTOLD) else f" ({delta.after}, was {delta.before})"
        )
        axis = "guards" if delta.attribute.startswith("features") else "accounts"
        yield replace(
            hit(
                delta,
                f"{axis}: {delta.attribute} of {delta.address} is another one{told}, for {things}",
                "tags" if delta.attribute.startswith(_TAGS) else "",
                contain="keep it, and make a second configuration with an alias for what is to "
                "go elsewhere",
            ),
            axis=axis,
        )


def change_spans_scopes(deltas: Sequence[Delta]) -> Iterator[Hit]:
    """One change touches several environments, partitions or many regions at once."""
    for delta in deltas:
        if delta.event is Event.SPANS:
            shared = delta.attribute == SHARED
            far = "partitions" in delta.limits or ("environment" in delta.limits and not shared)
            units = len(delta.units)
            yield hit(
                replace(delta, attribute=""),
                f"{delta.axis}: {delta.after} at once, by one change of {units} "
                f"unit{'' if units == 1 else 's'}{' in what they share' if shared else ''}",
                "apart" if far else "",
                contain="apply it to one of them first, and to the others after it has run"
                if shared
                else "change one of them first, and the others after it has run",
            )


def _limited_regions(delta: Delta) -> bool:
    scopes = tables.scopes()
    return any(scopes.narrows_region(key) for key in delta.limits)


def _said(delta: Delta) -> str:
    via = f", via {delta.words}" if delta.words else ""
    if delta.event is Event.NEW:
        return f"{delta.after}, where base reaches {delta.before}{via}{_for(delta)}"
    if delta.event is Event.UNPINNED:
        return f"one region, decided by the environment, was pinned to {delta.before}{_for(delta)}"
    return f"{delta.after}, was {delta.before}{via}{_for(delta)}"


def _for(delta: Delta) -> str:
    what = "by" if delta.aspect in ("target", "allow", "deny") else "for"
    if not delta.also:
        return f", {what} {delta.address}"
    more = f"{delta.address} and {len(delta.also)} more"
    return f", {what} {more}" + (f" ({delta.cause})" if delta.cause else "")


def hit(
    delta: Delta,
    message: str,
    condition: str = "",
    *,
    contain: str = "",
    attribute: str = "",
) -> Hit:
    """A hit about a delta."""
    if delta.narrowed:
        message = f"{message}; at the same time narrower on {'; '.join(delta.narrowed)}"
    related = delta.related
    return Hit(
        delta.span,
        message,
        delta.address,
        attribute or delta.attribute,
        delta.axis,
        delta.normal,
        condition,
        contain=contain or _CONTAIN.get(delta.axis, ""),
        related=related,
        reach=delta.reach if delta.aspect not in ("allow", "deny") else None,
        before=delta.before,
        after=delta.after,
        also=delta.also,
        environment=delta.environment,
    )


def names(addresses: Iterable[str]) -> str:
    """Some addresses in words."""
    every = list(addresses)
    shown = ", ".join(every[:MOST_WORDS])
    return shown if len(every) <= MOST_WORDS else f"{shown} and {len(every) - MOST_WORDS} more"
