"""Judgements over places of Google Cloud and Azure: where a resource is, and who decided it.

Facts about types come from `blastdoor.tables`; the forms of regions and zones are those of the
Compute Engine documentation, "Regions and zones", and of the Azure documentation of locations.
"""

from __future__ import annotations

import re
from collections import defaultdict
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
    written_at_use,
)
from blastdoor.finding import Act, Related, Remedy
from blastdoor.reach import Reach, Regions, region_of
from blastdoor.value import Inherited, Known, Unknown, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Provider, Resource, Scope
    from blastdoor.span import Span
    from blastdoor.value import Value

_GOOGLE_REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]+")
_GOOGLE_ZONE: Final = re.compile(r"[a-z]+-[a-z]+[0-9]+-[a-z]")
_AZURE_LOCATION: Final = re.compile(r"[a-z][a-z0-9]*")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 -]{2,40}")
_AREAS: Final = frozenset({"us", "eu", "asia", "europe", "global"})
"""Locations that are no single region (Cloud Storage, BigQuery, KMS, Artifact Registry)."""
_WITHIN: Final = {
    "us": ("us-",),
    "nam": ("us-", "northamerica-"),
    "eu": ("europe-",),
    "eur": ("europe-",),
    "europe": ("europe-",),
    "asia": ("asia-",),
    "global": ("",),
}
"""Area or multi-region without its number → how the names of the regions begin that are in it."""
_SPREAD: Final = re.compile(r"(?:nam|eur|asia)[0-9]{1,2}|nam-eur-asia[0-9]|in|ca|uk|us-[0-9]")
_SPANNER_CONFIG: Final = re.compile(r"(?:.*/)?((?:nam|eur|asia)[a-z0-9-]*)")
_FAR: Final = frozenset({"paired", "geo", "standby", "sec", "passive", "bcdr"})
_WORD: Final = re.compile(r"[a-z0-9]+")


def _because(value: Value) -> str:
    where = origin(value)
    return f", {where}" if where else ""


def unknown_location(scope: Scope) -> Iterator[Hit]:
    """A region of Google Cloud or a location of Azure that has not the form of one."""
    name = known_text(scope.value)
    if name is None or not _PLAIN.fullmatch(name):
        return
    judged = _google_fault(scope, name) if scope.cloud == "google" else _azure_fault(name)
    if judged is None:
        return
    words, contain = judged
    at = place(scope.value, scope.span) or scope.span
    yield Hit(
        at,
        f"regions: `{name}` is {words}{_because(scope.value)}, in {scope.owner}",
        scope.owner,
        scope.attribute,
        "regions",
        name,
        contain=contain,
        related=chain(scope.value, at),
    )


def _google_fault(scope: Scope, name: str) -> tuple[str, str] | None:
    lowered = name.lower()
    if lowered in tables.partitions().regions:
        return "a region of AWS", "write a region of Google Cloud"
    if scope.attribute != "region" or lowered in _AREAS or _GOOGLE_REGION.fullmatch(lowered):
        return None
    if _GOOGLE_ZONE.fullmatch(lowered):
        return "a zone, not a region", f"write {lowered[:-2]}"
    return None


def _azure_fault(name: str) -> tuple[str, str] | None:
    lowered = name.lower().replace(" ", "")
    if _AZURE_LOCATION.fullmatch(lowered):
        return None
    if lowered in tables.partitions().regions:
        return "a region of AWS", "write a location of Azure"
    if _GOOGLE_REGION.fullmatch(lowered):
        return "no location of Azure", f"write {lowered.replace('-', '')}, if that is meant"
    return "no location of Azure", "write a location of Azure"


# Missing


def gcp_location_missing(facts: Facts) -> Iterator[Hit]:
    """A Google resource names no place, and no provider configuration does.

    A configuration that is there and names none is the matter of provider-region-unset.
    """
    unit = facts.unit
    if unit.is_root and not unit.external_region:
        lacking: dict[tuple[int, str], list[Resource]] = defaultdict(list)
        surely = unit.keeps_state or any("module." not in p.address for p in unit.providers)
        for resource in unit.resources if surely else ():
            kind = _lacks(resource)
            if kind:
                lacking[id(resource.provider), kind].append(resource)
        for (_provider, kind), resources in lacking.items():
            yield _missing(facts, resources, kind)
    for resource in unit.resources:
        default = tables.locations().google_defaults.get(resource.type)
        if default is None or resource.is_data or set(resource.names()) & {"location", "region"}:
            continue
        yield Hit(
            resource.span,
            f"regions: the multi-region {default.upper()}, which {resource.address} gets because it "
            "names no location",
            resource.address,
            "location",
            "regions",
            "default",
            "service-default",
            contain="set location",
            reach=Reach(regions=Regions(region_of("gcp", default))),
        )


def _lacks(resource: Resource) -> str:
    """``region`` or ``zone`` when a resource has none and its provider has none to give."""
    provider = resource.provider
    if resource.is_data or provider is None or not isinstance(resource.region, Inherited):
        return ""
    places = tables.locations()
    if resource.type in places.google_zone_from_provider:
        return "zone" if not provider.declared or _names_region(provider) else ""
    if resource.type in places.google_region_from_provider:
        return "" if provider.declared else "region"
    return ""


def _names_region(provider: Provider) -> bool:
    return not isinstance(provider.region, Inherited)


def _missing(facts: Facts, resources: list[Resource], kind: str) -> Hit:
    first, *others = resources
    provider = first.provider
    assert provider is not None
    more = f" and {len(others)} more" if others else ""
    said = f"sets no {kind}" if provider.declared else "is not configured"
    pinned = _pinned(facts, first)
    while_ = f", while {pinned[0]} is in {pinned[1]}" if pinned else ""
    return Hit(
        first.span,
        f"regions: one {kind}, decided by the environment that runs it: {first.address}{more} "
        f"names none and {provider.address} {said}{while_}",
        first.address,
        kind,
        "regions",
        "inherited",
        "" if pinned else "nothing-pinned",
        contain=f"set {kind} on the resource, or on the provider",
        related=tuple(Related(r.span, f"{r.address} names none either") for r in others[:20]),
    )


def _pinned(facts: Facts, first: Resource) -> tuple[str, str] | None:
    """Something of the unit in Google Cloud whose region the code names."""
    for resource in facts.unit.resources:
        region = resource.region
        if (
            resource is not first
            and isinstance(region, Known)
            and known_text(resource.partition) == "gcp"
            and (name := known_text(region)) is not None
            and _GOOGLE_REGION.fullmatch(name)
        ):
            return resource.address, name
    return None


# Several regions in one word


def gcp_multi_region_location(facts: Facts) -> Iterator[Hit]:
    """A Google resource is placed in a multi-region or global location."""
    for resource in facts.unit.resources:
        paths = tables.locations().google_spread.get(resource.type, ())
        if resource.is_data or not paths or resource.get("website") is not None:
            continue
        for path in paths:
            for value in at_path(resource.get, path):
                found = _spread(path, value)
                if found is None:
                    continue
                block = next(bodies_of(value), None)  # auto {}
                at = place(block or value, resource.span) or resource.span
                yield Hit(
                    at,
                    f"regions: several, which Google chooses ({found}{_because(value)}), in "
                    f"{resource.address}",
                    resource.address,
                    path,
                    "regions",
                    found,
                    contain="name a region",
                    related=chain(value, at),
                    reach=Reach(regions=Regions(region_of("gcp", found.lower()))),
                    remedies=_as_provider(resource, path, value),
                )


def _as_provider(resource: Resource, path: str, value: Value) -> tuple[Remedy, ...]:
    """The remedy that writes the region of the provider, where that lies within what is said now."""
    region = None if resource.provider is None else known_text(resource.provider.region)
    text = known_text(value)
    if path != "location" or region is None or text is None:
        return ()
    within = _WITHIN.get(text.lower().rstrip("0123456789"))
    if within is None or not region.startswith(within):
        return ()
    return set_to(value, path, region.upper() if text.isupper() else region)


def _spread(path: str, value: Value) -> str | None:
    if path.startswith("replication."):
        if isinstance(value, Known):
            return "automatic replication" if value.data in (True, "true") else None
        return None if isinstance(value, Unknown) else "automatic replication"
    text = known_text(value)
    if text is None:
        return None
    if path == "config":
        found = _SPANNER_CONFIG.fullmatch(text.lower())
        if found is None or _GOOGLE_REGION.fullmatch(found.group(1)):
            return None
        return found.group(1)
    lowered = text.lower()
    return text if lowered in _AREAS or _SPREAD.fullmatch(lowered) else None


# Azure


def azure_location_diverges(facts: Facts) -> Iterator[Hit]:
    """A resource's location differs from that of its resource group."""
    groups: dict[object, list[Resource]] = defaultdict(list)
    for resource in facts.unit.resources:
        name = resource.get("name") if resource.type == "azurerm_resource_group" else None
        if name is not None and not resource.is_data and not isinstance(name, Unknown):
            groups[name.key(), id(resource.provider)].append(resource)
    for resource in facts.unit.resources:
        own = known_text(resource.region)
        if own is None or resource.is_data or resource.region is None or own == "global":
            continue
        name = resource.get("resource_group_name")
        found = groups.get((name.key(), id(resource.provider)), []) if name is not None else []
        homes = {known_text(group.region) for group in found}
        if len(homes) != 1 or _is_far(resource):
            continue
        home = homes.pop()
        if home is None or home == own:
            continue
        at = place(resource.region, resource.span) or resource.span
        yield Hit(
            at,
            f"regions: {own}{_because(resource.region)}, while {found[0].address}, the resource "
            f"group of {resource.address}, is in {home}",
            resource.address,
            "location",
            "regions",
            own,
            contain="take the location of the resource group",
            remedies=_as_group(resource, found[0]),
            related=(
                *chain(resource.region, at),
                Related(_region_span(found[0]), f"the resource group: {words_of(found[0].region)}"),
            ),
            reach=Reach(regions=Regions(region_of(known_text(resource.partition) or "azure", own))),
        )


def _as_group(resource: Resource, group: Resource) -> tuple[Remedy, ...]:
    """The remedy that refers to the location of the group, where both are of one module."""
    span = None if resource.region is None else written_at_use(resource.region)
    address = group.address
    if span is None or address.startswith("module.") or resource.address.startswith("module."):
        return ()
    words = f"take the location of {address}"
    return (Remedy(Act.REFER, span, words, f"{address}.location"),)


def _region_span(resource: Resource) -> Span:
    region = resource.region
    return region.span if region is not None and region.span is not None else resource.span


def _is_far(resource: Resource) -> bool:
    """Whether a resource is meant for another place: a replica, a standby, a disaster's site."""
    text = f"{resource.name} {known_text(resource.get('name')) or ''}".lower().replace("_", "-")
    words = set(_WORD.findall(text))
    return bool(words & (tables.scopes().far_words | _FAR))
