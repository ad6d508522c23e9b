"""Judgements over parts that do not fit the place they are in: ARNs, endpoints, references, offers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect import grant
from blastdoor.detect.hit import Hit
from blastdoor.fact import CROSS_REGION
from blastdoor.facts.reading import (
    HOLE,
    at_path,
    chain,
    items_of,
    origin,
    place,
    rests_on_default,
    set_to,
    truth,
    written_at_use,
)
from blastdoor.finding import Act, Related, Remedy
from blastdoor.reach import Reach, Regions
from blastdoor.value import Step, Unknown, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Provider, Resource, Statement, Term
    from blastdoor.span import Span

_ARN_FIELDS: Final = 6
_UNSURE: Final = frozenset({"chime", "swf"})
"""Namespaces whose ARNs are printed with and without a region."""
_WRITTEN: Final = {
    "iam": "IAM",
    "cloudfront": "CloudFront",
    "route53": "Route 53",
    "organizations": "Organizations",
    "s3": "S3 buckets",
}
"""Namespaces whose ARNs have no region, as people know them."""
_LEGACY: Final = (
    ("sts", "https://sts.amazonaws.com", "the global endpoint of STS"),
    ("s3", "https://s3.amazonaws.com", "the global endpoint of S3"),
)
_VARIABLES: Final = ("AWS_STS_REGIONAL_ENDPOINTS", "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT")
_MAX_CHAIN: Final = 10
"""Evidence steps beyond which a chain may have lost its beginning."""


# ARNs


def arn_region_missing(facts: Facts) -> Iterator[Hit]:
    """An ARN whose region slot is empty where it has one, or filled where it has none."""
    for statement in facts.statements:
        for term in (*statement.resources, *_arn_conditions(statement)):
            fields = term.text.split(":", _ARN_FIELDS - 1)
            if len(fields) < _ARN_FIELDS or fields[0] != "arn" or HOLE in fields[2]:
                continue
            if not fields[3]:
                if _lacks_region(fields[2]) and f":{fields[2]}::" in term.span.text:
                    yield _missing(statement, term, fields[2])
            elif fields[2] in _WRITTEN and not set(fields[3]) & {HOLE, "*", "?", "$"}:
                if fields[2] == "s3" and fields[4]:
                    continue  # access points and jobs have a region and an account
                yield _superfluous(statement, term, fields[2], fields[3])


def _lacks_region(namespace: str) -> bool:
    return tables.arn_slots().of(namespace) == "always" and namespace not in _UNSURE


def _arn_conditions(statement: Statement) -> Iterator[Term]:
    if not statement.conditions_known:
        return
    for _operator, key, values in statement.conditions:
        if key.endswith("arn"):
            yield from values


def _missing(statement: Statement, term: Term, namespace: str) -> Hit:
    effect = "denies nothing" if statement.effect == "Deny" else "allows nothing"
    return grant.hit_of(
        statement,
        term,
        f"regions: none ({grant.said(term)}): ARNs of {namespace} name a region, so this one matches "
        f"none of them and {effect} there, in {statement.resource.address}",
        axis="regions",
        condition="",
        contain="write the region and the account, or * for every one",
    )


def _superfluous(statement: Statement, term: Term, namespace: str, region: str) -> Hit:
    return grant.hit_of(
        statement,
        term,
        f"regions: {region} in an ARN of {_WRITTEN[namespace]} ({grant.said(term)}), which has no "
        f"region, so it matches nothing, in {statement.resource.address}",
        axis="regions",
        condition="global-service",
        contain="leave the region out",
    )


# Global endpoints


def legacy_global_endpoint(facts: Facts) -> Iterator[Hit]:
    """Configuration that sends requests of a regional service to its old global endpoint."""
    for provider in facts.unit.providers:
        if provider.name == "aws":
            yield from _of_provider(provider)
    yield from _of_clients(facts)
    for resource in facts.unit.resources:
        row = None if resource.is_data else tables.things("function").get(resource.type)
        if row is None:
            continue
        for name in _VARIABLES:
            attribute = f"{row.names['variables']}.{name}"
            for value in at_path(resource.get, attribute):
                if known_text(value) == "legacy":
                    yield _legacy(
                        value,
                        resource,
                        f"{name} = legacy sends what {resource.address} asks to a global endpoint",
                        attribute,
                        f"remove it, or set {name} to regional",
                    )


def _of_clients(facts: Facts) -> Iterator[Hit]:
    """Clients and processes of a program that are sent to a global endpoint."""
    unit = facts.unit
    for setting in unit.process_settings:
        if setting.name in _VARIABLES and known_text(setting.value) == "legacy":
            yield _sent(setting.value, setting.span, f"{setting.name} = legacy", setting.name)
    for client in unit.clients:
        text = known_text(client.endpoint)
        for service, address, words in _LEGACY:
            if text is not None and client.endpoint is not None and text.rstrip("/") == address:
                at = place(client.endpoint, client.span) or client.span
                yield _sent(client.endpoint, at, f"{words} ({text})", service)
        if known_text(client.region) == "aws-global":
            at = place(client.region, client.span) or client.span
            yield _sent(client.region, at, "aws-global", client.service)


def _sent(value: Value, at: Span, words: str, attribute: str) -> Hit:
    return Hit(
        at,
        f"regions: none of its own: {words}; what happens in us-east-1 happens to it",
        attribute,
        attribute,
        "regions",
        str(known_text(value)),
        contain="leave it out, and say the region",
        related=chain(value, at),
        remedies=_regional(value, attribute),
    )


def _of_provider(provider: Provider) -> Iterator[Hit]:
    value = provider.get("s3_us_east_1_regional_endpoint")
    applies = known_text(provider.region) in (None, "us-east-1")
    if value is not None and known_text(value) == "legacy" and applies:
        yield _legacy(
            value,
            provider,
            f"{provider.address} sends S3 requests for us-east-1 to the global endpoint",
            "s3_us_east_1_regional_endpoint",
            "set it to regional",
        )
    for service, address, words in _LEGACY:
        for value in at_path(provider.get, f"endpoints.{service}"):
            text = known_text(value)
            if text is not None and text.rstrip("/") in (address, address[len("https://") :]):
                yield _legacy(
                    value,
                    provider,
                    f"{provider.address} uses {words} ({text})",
                    f"endpoints.{service}",
                    f"remove it, or write https://{service}.REGION.amazonaws.com",
                )


def _legacy(
    value: Value, holder: Provider | Resource, words: str, attribute: str, contain: str
) -> Hit:
    at = place(value, holder.span) or holder.span
    where = origin(value)
    return Hit(
        at,
        f"regions: none of its own: {words}{f', {where}' if where else ''}; what happens in "
        "us-east-1 happens to it",
        holder.address,
        attribute,
        "regions",
        str(known_text(value)),
        contain=contain,
        related=chain(value, at),
        remedies=_regional(value, attribute),
    )


def _regional(value: Value, attribute: str) -> tuple[Remedy, ...]:
    """The remedy that switches to the regional endpoint, or leaves a global address out."""
    if known_text(value) == "legacy":
        return set_to(value, attribute, "regional")
    span = written_at_use(value)
    return () if span is None else (Remedy(Act.REMOVE, span, "leave the endpoint out"),)


# References


def resource_region_override_split(facts: Facts) -> Iterator[Hit]:
    """Resources that refer to each other by an id of one region end in different regions."""
    places = tables.places()
    by_address: dict[str, list[Resource]] = defaultdict(list)
    for resource in facts.unit.resources:
        if not resource.is_data:
            by_address[resource.address].append(resource)
    referring: dict[str, list[int]] = defaultdict(list)
    for number, (attribute, _type) in enumerate(places.references):
        referring[attribute.partition(".")[0]].append(number)
    for resource in facts.unit.resources:
        referred = [n for name in resource.names() for n in referring.get(name, ())]
        if not referred:
            continue
        own = known_text(resource.region)
        if own is None or resource.is_data or resource.type in places.across_regions:
            continue
        if resource.type in tables.locations().aws_without_region or CROSS_REGION in resource.extra:
            continue
        for number in sorted(referred):
            attribute, type_ = places.references[number]
            for value in at_path(resource.get, attribute):
                for item in items_of(value)[0] or [value]:
                    target = _target(item, type_, resource, by_address)
                    if target is None or known_text(target.region) == own or _replicated(target):
                        continue
                    yield _split(resource, attribute, item, target)


def _target(
    value: Value, type_: str, user: Resource, by_address: dict[str, list[Resource]]
) -> Resource | None:
    """The resource that an id comes from, where all its instances are in one known region."""
    if not isinstance(value, Unknown):
        return None
    if "::" in type_:
        name = value.subject.partition(".")[0]
        found = [
            target
            for address in (name, f"{user.address.removesuffix(user.name)}{name}")
            for target in by_address.get(address, ())
            if target.type == type_
        ]
    elif value.subject.startswith(f"{type_}."):
        scope = _scope(value, user)
        if scope is None:
            return None
        name = value.subject.split(".")[1].split("[")[0]
        found = by_address.get(f"{scope}{type_}.{name}", [])
    else:
        return None
    regions = {known_text(member.region) for member in found}
    return found[0] if len(regions) == 1 and None not in regions else None


def _replicated(target: Resource) -> bool:
    """Whether what an id names may be in other regions too: a multi-Region key keeps its id."""
    row = tables.things("multi-region-key").get(target.type)
    several = None if row is None else target.get(row.names["switch"])
    return several is not None and truth(several) is not False


def _scope(value: Value, user: Resource) -> str | None:
    """The module path in which a reference was written, with a dot behind it.

    The first step through a module's input or output tells: an output comes from within its module,
    an input from around it.
    """
    if len(value.via) >= _MAX_CHAIN:
        return None
    for evidence in value.via:
        words = evidence.text.rpartition(" of ")[2]
        if evidence.step is Step.OUTPUT:
            return f"{words}."
        if evidence.step is Step.INPUT:
            return words.rpartition("module.")[0]
    local = f"{user.type}.{user.name}"
    return user.address[: user.address.rindex(local)] if local in user.address else None


def _split(resource: Resource, attribute: str, value: Value, target: Resource) -> Hit:
    own, there = str(known_text(resource.region)), str(known_text(target.region))
    at = place(value, resource.span) or resource.span
    default = rests_on_default(resource.region) or rests_on_default(target.region)
    related = [
        Related(target.span, f"{target.address} is in {there}"),
        *(
            Related(span, f"{words}: {region}")
            for holder, words, region in (
                (resource, resource.address, own),
                (target, target.address, there),
            )
            if holder.region is not None and (span := holder.region.span) is not None
        ),
    ]
    return Hit(
        at,
        f"regions: {own}, but {attribute} of {resource.address} names {target.address}, which is in "
        f"{there}: an id of one region means nothing in another",
        resource.address,
        attribute,
        "regions",
        f"{own} {there}",
        "default-only" if default else "",
        contain="give both the same region or provider",
        related=tuple(related),
        reach=Reach(regions=Regions(own, there)),
    )


# Offers


def type_unavailable_in_target_region(facts: Facts) -> Iterator[Hit]:
    """A resource of a service that its partition or region does not offer."""
    for resource in facts.unit.resources:
        if resource.is_data or not tables.is_aws(resource.type):
            continue
        partition, region = known_text(resource.partition), known_text(resource.region)
        if partition in (None, "aws"):
            continue
        for row in tables.places().unavailable:
            if not resource.type.startswith(row.prefix):
                continue
            if partition != row.partition and (not row.region or region != row.region):
                continue
            if row.when is not None and not _holds(resource, *row.when):
                continue
            where = f"{region} ({partition})" if region else str(partition)
            source = resource.region if resource.region is not None else resource.partition
            why = origin(source) if source is not None else ""
            yield Hit(
                resource.span,
                f"regions: {where}{f', {why}' if why else ''}, where {resource.address} cannot be "
                f"created: {row.why}",
                resource.address,
                "region",
                "regions",
                f"{where} {resource.type}",
                contain="leave it out there, or put it into another partition",
                related=() if source is None else chain(source, resource.span),
                reach=Reach(regions=Regions(region)) if region else None,
            )
            break


def _holds(resource: Resource, attribute: str, wanted: str) -> bool:
    return any(
        known_text(item) == wanted
        for value in at_path(resource.get, attribute)
        for item in items_of(value)[0]
    )
