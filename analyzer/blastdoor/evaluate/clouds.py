"""Where Google Cloud and Azure providers and resources are: region, project or subscription.

Sources: terraform-provider-google, provider reference (``project``, ``region``, ``zone``) and the
order in which ``GetRegionFromSchema``, ``GetLocation`` and ``GetZone`` look; terraform-provider-azurerm,
provider documentation (``environment``, ``subscription_id``) and ``location.Normalize`` (lower case, no
blanks). Which type takes its place from the provider is in the table of locations.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.value import (
    Alternative,
    Inherited,
    Known,
    Meaning,
    OneOf,
    Piece,
    Reason,
    Text,
    Unknown,
    Value,
    known_text,
    one_of,
)

if TYPE_CHECKING:
    from blastdoor.fact import Provider
    from blastdoor.span import Span

Get = Callable[[str], Value | None]

GOOGLE: Final = frozenset({"google", "google-beta"})
AZURE: Final = "azurerm"
GCP: Final = "gcp"
"""The partition of everything in Google Cloud: there is one."""
NAMES: Final = ("aws", "google", "google-beta", AZURE)
"""The providers whose configuration decides where resources are."""

WHOLE: Final = frozenset({"azurerm_resource_group"})
"""Types that modules often hand on whole, for the sake of their name and location."""

_ZONE: Final = re.compile(r"([a-z]+-[a-z]+[0-9]+)-[a-z]")
_ZONE_END: Final = re.compile(r"-[a-z]")
_ABOVE_PROJECT: Final = ("google_organization_", "google_folder_", "google_billing_account_")
_HOLDERS: Final = ("org_id", "folder", "billing_account_id")


def is_set(value: Value | None) -> bool:
    """Whether an argument has a value, known or not: neither absent nor null nor empty."""
    return value is not None and not (isinstance(value, Known) and value.data in (None, ""))


def _each(value: Value, change: Callable[[str], str]) -> Value:
    """The value with ``change`` done to each text that is known; everything else as it is."""
    if isinstance(value, OneOf):
        return one_of(
            [Alternative(_each(a.value, change), a.condition) for a in value.alternatives],
            value.span,
            value.via,
        )
    text = known_text(value)
    if text is None:
        return value
    changed = change(text)
    return value if changed == text else Known(changed, value.span, value.via)


# Google Cloud


def _google_location(text: str) -> str:
    """A location as its region, multi-region or ``global``: lower case, a zone as its region."""
    name = text.rsplit("/", 1)[-1].lower()
    zone = _ZONE.fullmatch(name)
    return zone.group(1) if zone is not None else name


def google_location(value: Value) -> Value:
    """The region (or multi-region) that a region, zone or location of Google Cloud lies in."""
    if isinstance(value, Text) and len(value.parts) == 2:  # noqa: PLR2004  "${region}-b"
        head, tail = value.parts
        if isinstance(head, Value) and isinstance(tail, Piece) and _ZONE_END.fullmatch(tail.text):
            return head
    return _each(value, _google_location)


def google_provider_region(get: Get) -> Value | None:
    """The region of a provider configuration, by its ``region`` or else its ``zone``."""
    for name in ("region", "zone"):
        value = get(name)
        if value is not None and is_set(value):
            return google_location(value)
    return None


def google_region(type_: str, get: Get, provider: Provider) -> Value | None:
    """The region of a resource; ``None`` for one without a place of its own."""
    own = google_own_location(get)
    if own is not None:
        return google_location(own[1])
    places = tables.locations()
    if type_ in places.google_region_from_provider:
        return provider.region
    if type_ in places.google_zone_from_provider:
        return _provider_zone(provider)
    default = places.google_defaults.get(type_)
    if default is not None:
        return Known(default)
    return None


def google_own_location(get: Get) -> tuple[str, Value] | None:
    """The argument that says where a resource is, and its value."""
    for name in ("location", "region", "zone"):
        value = get(name)
        if value is not None and is_set(value):
            return name, value
    return None


def _provider_zone(provider: Provider) -> Value:
    if not provider.declared:
        return provider.region
    zone = provider.get("zone")
    if zone is not None and is_set(zone):
        return google_location(zone)
    return Inherited(
        Reason.ENVIRONMENT,
        f"the zone of {provider.address}",
        provider.span,
        meaning=Meaning.CURRENT_REGION,
    )


def google_account(type_: str, get: Get, provider: Provider) -> Value:
    """The project, folder, organization or billing account that a resource belongs to."""
    names = _HOLDERS if type_.startswith(_ABOVE_PROJECT) else ("project",)
    for name in names:
        value = get(name)
        if value is not None and is_set(value):
            return value
    return provider.account


def google_attribute(type_: str, name: str, get: Get, provider: Provider) -> Value | None:
    """An attribute that the configuration decides although the resource does not set it."""
    if name == "project":
        value = google_account(type_, get, provider)
    elif name == "region" and type_ in tables.locations().google_region_from_provider:
        value = provider.region
    else:
        return None
    return None if isinstance(value, Unknown) else value


# Azure


def _azure_location(text: str) -> str:
    return text.replace(" ", "").lower()


def azure_location(value: Value) -> Value:
    """A location in its normal form: ``West Europe`` is ``westeurope``."""
    return _each(value, _azure_location)


def azure_region(get: Get) -> Value | None:
    """The location of a resource; ``None`` for one without a place of its own."""
    value = get("location")
    return azure_location(value) if value is not None and is_set(value) else None


def azure_partition(region: Value | None, provider: Value) -> Value:
    """The cloud that a resource is in: by its location where that tells, else the provider's.

    The clouds of China and of the government of the United States name their locations after
    themselves; every other location is one of the public cloud.
    """
    name = known_text(region)
    if name is None or region is None or name == "global":
        return provider
    rows = tables.locations().azure_partitions
    found = next((row for row in rows if row.prefixes and name.startswith(row.prefixes)), None)
    public = next(row for row in rows if not row.prefixes)
    return Known((found or public).id, region.span, region.via)


def azure_environment(value: Value | None, span: Span) -> Value:
    """The cloud of a provider configuration, by its ``environment``."""
    text = known_text(value)
    if text is not None and value is not None:
        for row in tables.locations().azure_partitions:
            if text.lower() in row.environments:
                return Known(row.id, value.span, value.via)
    return Unknown(
        Reason.ENVIRONMENT, "the environment of azurerm", span, meaning=Meaning.CURRENT_PARTITION
    )
