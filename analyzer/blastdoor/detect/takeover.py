"""Judgements over writes that may replace what somebody else made.

Sources: documentation of aws_route53_record ("NS and SOA Record Management", allow_overwrite),
aws_acm_certificate_validation (validation records), aws_ssm_parameter (overwrite) and
aws_secretsmanager_secret (force_overwrite_replica_secret) in terraform-provider-aws.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, origin, place, set_to, truth
from blastdoor.value import Unknown, Value, known_text, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Resource


class _Switch(NamedTuple):
    """An argument that lets a write replace what is there."""

    attribute: str
    what: str
    condition: str


_SWITCHES: Final = {
    "aws_route53_record": _Switch("allow_overwrite", "a record of the same name and type", ""),
    "aws_secretsmanager_secret": _Switch(
        "force_overwrite_replica_secret", "a secret of the same name in the replica's region", ""
    ),
    "aws_ssm_parameter": _Switch("overwrite", "a parameter of the same name", "parameter"),
    "ssm.put_parameter": _Switch("Overwrite", "a parameter of the same name", "parameter"),
}
_NAMED: Final = {"ssm.put_parameter": "Name"}
"""Call → what names the object, in which the environment or region may be that it runs for."""
_ZONE_RECORDS: Final = frozenset({"NS", "SOA"})
"""Records that a zone is born with: overwriting them is how one manages them."""
_WORD: Final = re.compile(r"[a-z0-9]+")
_PROOF: Final = re.compile(r"validation|verification|challenge|acme|dkim", re.IGNORECASE)
"""Names of records that only prove whose a domain is."""


def foreign_object_takeover(facts: Facts) -> Iterator[Hit]:
    """Creating something may replace an object that another stack owns."""
    for resource in facts.unit.resources:
        switch = None if resource.is_data else _SWITCHES.get(resource.type)
        value = resource.get(switch.attribute) if switch is not None else None
        if switch is None or value is None or truth(value) is not True or _own(resource):
            continue
        if resource.request and not _same_everywhere(resource):
            continue
        at = place(value, resource.span) or resource.span
        where = origin(value)
        yield Hit(
            at,
            f"resources: {resource.address} replaces {switch.what}, whoever made it "
            f"({switch.attribute} = true{', ' + where if where else ''})",
            resource.address,
            switch.attribute,
            "resources",
            "true",
            switch.condition or _mild(resource),
            contain=f"remove {switch.attribute}, and import what is there already",
            related=chain(value, at),
            remedies=set_to(value, switch.attribute, False),  # noqa: FBT003  the literal
        )


def _same_everywhere(resource: Resource) -> bool:
    """Whether a call names the same object whatever environment and region it runs for."""
    name = known_text(resource.get(_NAMED[resource.type]))
    if name is None:
        return False
    words = _WORD.findall(name.lower())
    return tables.scopes().environment_of(words) is None and not any(
        region in name for region in tables.partitions().regions
    )


def _mild(resource: Resource) -> str:
    """Why a record is hardly anybody else's: it proves a domain, or its zone is created here."""
    if resource.type != "aws_route53_record":
        return ""
    if _PROOF.search(resource.name):
        return "proof"
    zone = resource.get("zone_id")
    created = isinstance(zone, Unknown) and zone.subject.startswith("aws_route53_zone.")
    return "own-zone" if created else ""


def _own(resource: Resource) -> bool:
    """Whether a record is one of its zone, or proves that a certificate may be issued."""
    if resource.type != "aws_route53_record":
        return False
    if known_text(resource.get("type")) in _ZONE_RECORDS:
        return True
    values = (resource.get("name"), resource.get("records"), resource.collection)
    return any(value is not None and _proves(value) for value in values)


def _proves(value: Value) -> bool:
    return any(
        isinstance(part, Unknown) and "domain_validation_options" in part.subject
        for part in walk(value)
    )
