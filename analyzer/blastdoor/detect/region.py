"""Judgements over regions and partitions: where things are, and whether the code agrees with itself.

Facts about partitions, regions and ARNs come from `blastdoor.tables`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor import tables
from blastdoor.detect import grant
from blastdoor.detect import place as locating
from blastdoor.detect.hit import Hit
from blastdoor.fact import Stack
from blastdoor.facts.copies import regions_of
from blastdoor.facts.derived import derived, within
from blastdoor.facts.literal import named_regions
from blastdoor.facts.reading import (
    HOLE,
    at_path,
    chain,
    decided_by,
    items_of,
    origin,
    place,
    rests_on_default,
    set_to,
    text_of,
    words_of,
)
from blastdoor.finding import Act, Related, Remedy
from blastdoor.reach import AllIn, Everywhere, Partitions, Reach, Regions, partition_of
from blastdoor.span import Span
from blastdoor.value import (
    Inherited,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Unknown,
    Value,
    known_text,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import (
        ApiClient,
        Facts,
        LiteralText,
        Provider,
        Resource,
        Scope,
        Statement,
        Target,
        Term,
    )

_SEVERAL: Final = 5
"""Regions named one by one that count as every region (domain: ``max_regions``)."""
_ARN_FIELDS: Final = 6
_WORD: Final = re.compile(r"[a-z0-9]+")
_CAMEL: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")
_ABOUT: Final = frozenset(
    {
        *("condition", "description", "endpoint", "environment", "layers", "parameters", "policy"),
        *("resource", "resources", "statement", "subscription", "tags", "target", "targets"),
        *("variables", "metadata"),
    }
)
"""Words of attributes whose ARNs speak of things that may be in another region than one's own."""
_WHERE: Final = ("AwsRegions", "Region", "RegionName", "Regions", "ReplicaRegions")
"""Properties that are a region because they say where something is, or goes."""
_GLOBAL_NAMESPACES: Final = ("acm", "cloudfront", "waf", "wafv2")
_GLOBAL_PARTS: Final = (
    "cloudfront",
    "waf",
    "acm",
    "certificate",
    "route53",
    "billing",
    "edge",
    "cur",
)


def _because(value: Value | None) -> str:
    where = origin(value) if value is not None else ""
    return f", {where}" if where else ""


def _contradiction(*values: Value | None) -> str:
    """The condition of a contradiction that rests on the default of a variable alone."""
    return "default-only" if any(rests_on_default(value) for value in values) else ""


# Missing scope


def provider_region_unset(facts: Facts) -> Iterator[Hit]:
    """A root configures a provider without a region, so the environment decides."""
    if not facts.unit.is_root or facts.unit.external_region:
        return
    for provider in facts.unit.providers:
        if "module." in provider.address or not isinstance(provider.region, Inherited):
            continue
        if provider.name == "aws":
            users = [r for r in facts.unit.resources if r.provider is provider]
            if users and all(
                not tables.locations().aws_is_regional(r.type) or r.region is not provider.region
                for r in users
            ):
                continue
        elif provider.name in ("google", "google-beta"):
            if not _google_needs_region(facts, provider):
                continue
        else:
            continue
        hit = _unset(facts, provider, provider.span, provider.address)
        yield replace(hit, remedies=_from_variable(facts, provider))
    yield from _implied_unset(facts)


def _from_variable(facts: Facts, provider: Provider) -> tuple[Remedy, ...]:
    """The remedy that takes the region of a provider from a variable, one without default if need be."""
    names = ("region", f"{provider.name.partition('-')[0]}_region")
    known = next((name for name in names if name in facts.unit.declared), None)
    name = known or names[0]
    words = f"take region from var.{name}"
    point = Remedy(Act.POINT, provider.span, words, f"var.{name}", "region")
    if known is not None:
        return (point,)
    return (point, Remedy(Act.DECLARE, provider.span, words, "variable", name))


def _implied_unset(facts: Facts) -> Iterator[Hit]:
    """A root that keeps state and has no AWS provider configuration at all."""
    unit = facts.unit
    if not unit.keeps_state or any(p.name == "aws" for p in unit.providers):
        return
    for resource in unit.resources:
        provider = resource.provider
        if (
            provider is None
            or provider.declared
            or provider.name != "aws"
            or resource.is_data
            or resource.region is not provider.region
            or not isinstance(provider.region, Inherited)
            or not tables.locations().aws_is_regional(resource.type)
        ):
            continue
        yield _unset(facts, provider, resource.span, "the provider configuration that is implied")
        return


def _unset(facts: Facts, provider: Provider, span: Span, words: str) -> Hit:
    condition, said, related = _pinned_evidence(facts, provider)
    return Hit(
        span,
        f"regions: one region, decided by the environment that runs it: {words} sets none{said}",
        provider.address,
        "region",
        "regions",
        "inherited",
        condition,
        contain="set region on the provider, from a variable without a default",
        related=related,
    )


def _pinned_evidence(facts: Facts, provider: Provider) -> tuple[str, str, tuple[Related, ...]]:
    """(condition, words, places) of what says that a region was forgotten; empty when nothing does.

    An aliased configuration in us-east-1 is where parts of CloudFront live, whatever the rest does.
    """
    for other in facts.unit.providers:
        region = known_text(other.region)
        if other.name != provider.name or region is None or other is provider:
            continue
        if other.alias and region == "us-east-1":
            continue
        place_ = other.region_span or other.span
        said = f", while {other.address} is pinned to {region}"
        return "pinned-elsewhere", said, (Related(place_, f"{other.address} is pinned here"),)
    context = facts.unit.context
    if provider.name != "aws":
        return "", "", ()
    places = tuple(Related(at, f"{name} is pinned here") for name, at in context.pinned.items())
    if context.several_regions:
        said = f", while the repository pins {', '.join([*context.pinned][:3])} elsewhere"
        return "several-regions", said, places[:3]
    if context.says_regions:
        number, every = context.regions_said, context.regions_said + context.regions_unsaid
        said = f", while {number} of the {every} configurations of the repository say theirs"
        return "pinned-elsewhere", said, places[:3]
    return "", "", ()


def _google_needs_region(facts: Facts, provider: Provider) -> bool:
    places = tables.locations()
    for resource in facts.unit.resources:
        if resource.provider is not provider or resource.is_data:
            continue
        names = resource.names()
        if "location" in names or "region" in names or "zone" in names:
            continue
        if resource.type in places.google_region_from_provider:
            return True
        if resource.type in places.google_zone_from_provider and provider.get("zone") is None:
            return True
    return False


def no_default_provider_selected(facts: Facts) -> Iterator[Hit]:
    """Every configuration of a provider is aliased and something selects none of them."""
    unit = facts.unit
    if not unit.is_root or unit.external_region:
        return
    aliases: dict[str, list[Provider]] = defaultdict(list)
    defaults: set[str] = set()
    for provider in unit.providers:
        if "module." in provider.address:
            continue
        if provider.alias:
            aliases[provider.name].append(provider)
        else:
            defaults.add(provider.name)
    lacking = {name for name in aliases if name not in defaults}
    if not lacking:
        return
    users: dict[str, list[tuple[Span, str]]] = defaultdict(list)
    for resource in unit.resources:
        chosen = resource.provider
        if (
            chosen is None
            or chosen.declared
            or chosen.alias
            or chosen.name not in lacking
            or resource.address.startswith("module.")
        ):
            continue
        own = resource.region
        if chosen.name == "aws" and own is not None and own is not chosen.region:
            continue
        if resource.is_data and resource.type in ("aws_iam_policy_document", "aws_partition"):
            continue
        users[chosen.name].append((resource.span, resource.address))
    for call in unit.modules:
        if call.passes_providers or "." in call.address.removeprefix("module."):
            continue
        for name in sorted(lacking & call.provider_names):
            users[name].append((call.span, call.address))
    for name, places in users.items():
        if all(address.startswith("data.") for _span, address in places):
            continue
        # A resource says more than a data source that happens to stand before it.
        (span, address), *others = sorted(places, key=lambda p: p[1].startswith("data."))
        more = f" (and {len(others)} more)" if others else ""
        yield Hit(
            span,
            f"regions: one region, decided by the environment: {address}{more} selects none of "
            f"{_aliases(aliases[name])}, and Terraform assumes an empty default configuration",
            address,
            "provider",
            "regions",
            name,
            contain=f"add provider = {name}.{aliases[name][0].alias}, or a default configuration",
            related=(
                *_alias_places(aliases[name]),
                *(Related(at, f"{other} selects none either") for at, other in others[:20]),
            ),
        )


def _aliases(providers: list[Provider]) -> str:
    return " and ".join(f"{p.name}.{p.alias}" for p in providers[:3])


def _alias_places(providers: list[Provider]) -> tuple[Related, ...]:
    return tuple(Related(p.span, f"configured as {p.name}.{p.alias}") for p in providers[:3])


def module_without_providers_map(facts: Facts) -> Iterator[Hit]:
    """Several configurations exist, and a module named after one region inherits the default one."""
    unit = facts.unit
    providers = [p for p in unit.providers if p.name == "aws" and "module." not in p.address]
    regions = {known_text(p.region) for p in providers} - {None}
    default = next((p for p in providers if not p.alias), None)
    if default is None or len(regions) < 2:  # noqa: PLR2004  several
        return
    home = known_text(default.region)
    if home is None:
        return
    for call in unit.modules:
        if call.passes_providers or "." in call.address.removeprefix("module."):
            continue
        if "region" in call.inputs or any("region" in name for name in call.inputs):
            continue
        if call.local and "aws" not in call.provider_names:
            continue
        if call.resource_types and not any(
            tables.locations().aws_is_regional(type_) for type_ in call.resource_types
        ):
            continue
        words = set(_words(call.name))
        if words & tables.scopes().far_words:
            continue
        named = _region_of_words(call.name)
        chosen = next(
            (
                p
                for p in providers
                if p.alias and (known_text(p.region) in named or p.alias.lower() in words)
            ),
            None,
        )
        if chosen is None or known_text(chosen.region) in (home, None):
            continue
        yield Hit(
            call.span,
            f"regions: {home}, the region of the default provider, though {call.address} is named "
            f"after {chosen.address} ({known_text(chosen.region)})",
            call.address,
            "providers",
            "regions",
            home,
            contain=f"add providers = {{ aws = aws.{chosen.alias} }}",
            related=(
                Related(default.region_span or default.span, f"the default provider: {home}"),
                Related(
                    chosen.region_span or chosen.span,
                    f"{chosen.address}: {known_text(chosen.region)}",
                ),
            ),
            reach=Reach(regions=Regions(home)),
        )


def _words(name: str) -> list[str]:
    return _WORD.findall(name.lower())


def _region_of_words(name: str) -> set[str]:
    """The regions that the words of a name speak of: ids, short forms, ``cn``."""
    lowered = name.lower().replace("_", "-")
    partitions = tables.partitions()
    found: set[str] = set()
    rest = lowered
    for region in partitions.regions:
        if region in lowered and re.search(rf"(?<![a-z0-9]){region}(?![0-9])", lowered):
            found.add(region)
            rest = rest.replace(region, " ")
    for word in re.split(r"[^a-z0-9]+", rest):
        region_id = partitions.short_regions.get(word)
        if region_id is not None:
            found.add(region_id)
        partition = partitions.words.get(word)
        if partition is not None:
            found.update(r for r, p in partitions.regions.items() if p.id == partition)
    return found


# Names against regions


def name_region_mismatch(facts: Facts) -> Iterator[Hit]:
    """A name, alias or tag says one region and the code pins another."""
    for provider in facts.unit.providers:
        if provider.name != "aws" or provider.region_span is None or not provider.alias:
            continue
        yield from _mismatch(
            provider.alias, provider.region, provider.address, f"alias {provider.alias}", provider
        )
    for provider in facts.unit.providers:
        if provider.name == "aws" and not provider.alias and provider.region_span is not None:
            folder = provider.span.path.rpartition("/")[0]
            named = [s for s in folder.split("/") if s in tables.partitions().regions]
            if known_text(provider.region) in named:
                continue  # a peer's region may be named below one's own
            for segment in named:
                yield from _mismatch(
                    segment, provider.region, provider.address, "its folder", provider
                )
    yield from _keyed_mismatch(facts)
    for stack in facts.unit.stacks:
        if stack.region is not None:
            said = f"its name {stack.name}"
            yield from _mismatch(stack.name, stack.region, f"stack {stack.name}", said, stack)
    for client in facts.unit.clients:
        if client.given and client.name and client.service not in tables.api().worldwide:
            address = f"the client {client.name}"
            yield from _mismatch(client.name, client.region, address, "its name", client)
    for resource in facts.unit.resources:
        if resource.is_data or not tables.locations().aws_is_regional(resource.type):
            continue
        region, chosen = resource.region, resource.provider
        if region is None or resource.request:
            continue
        yield from _named_mismatch(resource, region)
        if chosen is None or (region is chosen.region and not chosen.declared):
            continue
        yield from _mismatch(resource.name, region, resource.address, "its name", resource)
    yield from _arn_mismatch(facts)


def _named_mismatch(resource: Resource, region: Value) -> Iterator[Hit]:
    """A literal name that holds the id of another region."""
    pinned = known_text(region)
    if pinned is None or pinned not in tables.partitions().regions:
        return
    for argument, value, named in named_regions(resource):
        if pinned == named or (pinned == "us-east-1" and _is_global_part(resource)):
            continue
        if set(_words(str(known_text(value)))) & tables.scopes().far_words:
            continue
        yield _misnamed(resource, argument, value, named, pinned, _region_places(resource))


def _misnamed(
    resource: Resource,
    argument: str,
    value: Value,
    named: str,
    pinned: str,
    related: tuple[Related, ...],
) -> Hit:
    at = place(value, resource.span) or resource.span
    text = str(known_text(value))
    return Hit(
        at,
        f"regions: {pinned}, though {argument} says {named} ({_short(text)}{_because(value)}), in "
        f"{resource.address}",
        resource.address,
        argument,
        "regions",
        f"{pinned} {text}",
        contain="make the name and the region agree",
        related=(*chain(value, at), *related),
        reach=Reach(regions=Regions(pinned)),
    )


def _arn_mismatch(facts: Facts) -> Iterator[Hit]:
    """A literal name of one region beside ARNs that are all of another one.

    ARNs of the thing's own region only: a key, a topic that alarms go to, a queue for what fails. What
    it sends to, copies from or is told about may be anywhere.
    """
    beside: dict[int, list[LiteralText]] = defaultdict(list)
    for literal in facts.literals:
        if (
            literal.role == "arn"
            and literal.regions
            and known_text(literal.resource.region) is None
        ):
            beside[id(literal.resource)].append(literal)
    for literals in beside.values():
        resource = literals[0].resource
        if not tables.locations().aws_is_regional(resource.type) or resource.request:
            continue
        near = [one for one in literals if _is_near(one.attribute)]
        pinned = {region for one in near for region in one.regions}
        if len(pinned) != 1:
            continue
        region = pinned.pop()
        if region == "us-east-1" and any(_is_of_global_part(one.text) for one in near):
            continue
        for argument, value, named in named_regions(resource):
            words = set(_words(str(known_text(value)))) | set(_words(resource.name))
            if named == region or words & tables.scopes().far_words:
                continue
            where = Related(near[0].span, f"{near[0].attribute}: {region}")
            yield _misnamed(resource, argument, value, named, region, (where,))


def _is_near(attribute: str) -> bool:
    """Whether an ARN at an attribute is of the region that the resource itself is in."""
    words = {word.lower() for word in _CAMEL.findall(attribute)}
    return not words & (tables.scopes().far_words | _ABOUT)


def _is_of_global_part(text: str) -> bool:
    """Whether a text is the ARN of a part of a site that lives in us-east-1."""
    parts = text.split(":", _ARN_FIELDS - 1)
    return len(parts) == _ARN_FIELDS and parts[2] in _GLOBAL_NAMESPACES


def _keyed_mismatch(facts: Facts) -> Iterator[Hit]:
    """An entry keyed by one region that says another, in a table in which the others agree."""
    regions = tables.partitions().regions
    for setting in facts.unit.settings:
        if not isinstance(setting.value, Mapping):
            continue
        said: list[tuple[str, Value, str]] = []
        for key, entry in setting.value.entries.items():
            if key not in regions or not isinstance(entry, Mapping):
                continue
            value = entry.get("region") or entry.get("Region")
            text = known_text(value)
            if value is not None and text is not None and text in regions:
                said.append((key, value, text))
        wrong = [one for one in said if one[0] != one[2]]
        if len(wrong) * 2 > len(said) > 1:
            continue  # it tells where something is found that not every region has
        for key, value, text in wrong:
            yield Hit(
                value.span or setting.span,
                f"regions: {text}, though its key says {key}, in {setting.owner}",
                setting.owner,
                f"{key}.region",
                "regions",
                f"{text} {key}",
                contain="make the key and the region agree",
                reach=Reach(regions=Regions(text)),
            )


def _mismatch(
    name: str,
    region: Value,
    address: str,
    said: str,
    holder: Provider | Resource | Stack | ApiClient,
) -> Iterator[Hit]:
    pinned = known_text(region)
    if pinned is None or pinned not in tables.partitions().regions:
        return
    named = _region_of_words(name)
    if not named or pinned in named:
        return
    if set(_words(name)) & tables.scopes().far_words:
        return
    if pinned == "us-east-1" and _is_global_part(holder):
        return
    if len(named) > 1 and len({partition_of(r) for r in named}) > 1:
        return
    words = (
        next(iter(named))
        if len(named) == 1
        else f"a region of {partition_of(next(iter(sorted(named))))}"
    )
    at = place(region)
    own = getattr(holder, "provider", None)
    if own is not None and region is own.region:
        at = getattr(holder, "label_span", None) or holder.span
    if at is None:
        return
    yield Hit(
        at,
        f"regions: {pinned}{_because(region)}, though {said} says {words}, in {address}",
        address,
        "region",
        "regions",
        f"{pinned} {name}",
        contain="make the name and the region agree",
        related=(*chain(region, at), *_stack_place(holder, at)),
        reach=Reach(regions=Regions(pinned)),
    )


def _stack_place(holder: Provider | Resource | Stack | ApiClient, at: Span) -> tuple[Related, ...]:
    """Where a stack is whose region stands in another file."""
    if holder.span.path == at.path or not isinstance(holder, Stack):
        return ()
    return (Related(holder.span, f"stack {holder.name}"),)


def _is_global_part(holder: Provider | Resource | Stack | ApiClient) -> bool:
    address, name = getattr(holder, "address", ""), getattr(holder, "name", "")
    words = f"{address} {name} {getattr(holder, 'type', '')}".lower()
    return any(part in words for part in _GLOBAL_PARTS)


# Partitions


def partition_mismatch(facts: Facts) -> Iterator[Hit]:
    """A literal of one partition is used where the target is known to be another."""
    for literal in facts.literals:
        if literal.role == "service-principal" or literal.partition is None:
            continue
        if literal.role in ("region", "zone"):
            continue
        resource = literal.resource
        target = known_text(resource.partition)
        if target is None or literal.partition == target:
            continue
        if literal.role == "endpoint" and not _endpoint_differs(literal, target):
            continue
        region = resource.region if resource.region is not None else resource.partition
        where = _target_words(resource)
        yield Hit(
            literal.span,
            f"partitions: {literal.partition} ({_short(literal.text)}), but {resource.address} is "
            f"created in {where}",
            resource.address,
            literal.attribute,
            "partitions",
            f"{literal.partition} {literal.text}",
            condition=_contradiction(region),
            contain=f"take the partition from {decided_by(resource, 'partition')}",
            related=_region_places(resource),
            reach=Reach(partitions=Partitions(literal.partition)),
            remedies=_repartitioned(literal, target),
        )


def _repartitioned(literal: LiteralText, target: str) -> tuple[Remedy, ...]:
    """The remedy that writes the partition of the target into an ARN."""
    begin = f"arn:{literal.partition}:"
    if literal.role != "arn" or literal.span.text.count(begin) != 1:
        return ()
    start = literal.span.start + literal.span.text.index(begin) + len("arn:")
    span = Span(literal.span.document, start, start + len(begin) - len("arn::"))
    return (Remedy(Act.TEXT, span, f"write the partition {target}", target),)


def _endpoint_differs(literal: LiteralText, target: str) -> bool:
    found = tables.partitions().named(target)
    named = tables.partitions().named(literal.partition or "")
    return found is not None and named is not None and found.suffix != named.suffix


def _target_words(resource: Resource) -> str:
    region = known_text(resource.region)
    partition = known_text(resource.partition)
    return f"{region} ({partition})" if region else str(partition)


def _region_places(resource: Resource) -> tuple[Related, ...]:
    region = resource.region
    if region is None or region.span is None:
        return ()
    return (Related(region.span, f"the region: {words_of(region)}"), *chain(region, region.span))


def _short(text: str) -> str:
    shown = text.replace(HOLE, "…")
    return shown if len(shown) <= 80 else f"{shown[:77]}…"  # noqa: PLR2004  a line's worth


def mixed_partitions(facts: Facts) -> Iterator[Hit]:
    """One list of regions, or one set of credentials, spans two partitions."""
    for target in facts.targets:
        if target.axis != "regions":
            continue
        names = _region_names(target.value)
        found = sorted({partition_of(name) for name in names})
        if len(found) < 2:  # noqa: PLR2004  several
            continue
        at = place(target.value, target.span) or target.span
        yield Hit(
            at,
            f"partitions: {' and '.join(found)} in one list ({', '.join(names[:6])}"
            f"{', …' if len(names) > 6 else ''}{_because(target.value)}), for {target.owner}",  # noqa: PLR2004
            target.owner,
            target.attribute,
            "partitions",
            ",".join(names),
            condition=_contradiction(target.value),
            contain="keep one list and one set of credentials for each partition",
            related=chain(target.value, at),
            reach=Reach(partitions=Partitions(*found)),
        )
    by_credentials: dict[tuple[str, ...], dict[str, Provider]] = defaultdict(dict)
    for provider in facts.unit.providers:
        partition = known_text(provider.partition)
        if provider.name == "aws" and partition is not None and provider.credentials:
            by_credentials[tuple(sorted(provider.credentials))].setdefault(partition, provider)
    for shared in by_credentials.values():
        if len(shared) < 2:  # noqa: PLR2004
            continue
        first, *others = shared.values()
        for other in others:
            yield Hit(
                other.region_span or other.span,
                f"partitions: {known_text(first.partition)} and {known_text(other.partition)} with "
                f"the same credentials, in {first.address} and {other.address}",
                other.address,
                "region",
                "partitions",
                str(known_text(other.partition)),
                condition=_contradiction(first.region, other.region),
                contain="give each partition credentials of its own",
                related=(
                    Related(
                        first.region_span or first.span,
                        f"{first.address}: {words_of(first.region)}",
                    ),
                ),
                reach=Reach(partitions=Partitions(*shared)),
            )


def _region_names(value: Value) -> list[str]:
    names: list[str] = []
    items: list[Value] = []
    if isinstance(value, Many):
        items = list(value.items)
    elif isinstance(value, Mapping):
        names = [name for name in value.entries if name in tables.partitions().regions]
    for item in items:
        text = known_text(item)
        if text is not None and text in tables.partitions().regions:
            names.append(text)
    return names


# Everywhere


def every_region_target(facts: Facts) -> Iterator[Hit]:
    """A deployment or change targets every region, computed or listed."""
    seen: set[tuple[str, int, int]] = set()
    for target in facts.targets:
        if target.axis != "regions" or (target.resource is not None and target.resource.is_data):
            continue
        if not target.mutates:
            continue
        words, extent = _every(target.value)
        if extent is None:
            continue
        at = place(target.value, target.span) or target.span
        if (at.path, at.start, at.end) in seen:
            continue
        seen.add((at.path, at.start, at.end))
        yield Hit(
            at,
            f"regions: {words}{_because(target.value)}; {target.what} goes to each of them, by "
            f"{target.owner}",
            target.owner,
            target.attribute,
            "regions",
            words,
            _every_condition(target),
            contain="list the regions, one first and the others after it",
            related=chain(target.value, at),
            reach=Reach(regions=extent),
        )


def _every(value: Value) -> tuple[str, Regions | None]:
    if isinstance(value, OneOf):
        results = [_every(a.value) for a in value.alternatives]
        if all(extent is not None for _words, extent in results):
            return results[0]
        return "", None
    if isinstance(value, Unknown) and value.meaning is Meaning.EVERY_REGION:
        partition = value.partition
        extent = Regions(AllIn(partition)) if partition else Regions(Everywhere())
        source = value.subject.removeprefix("each of ").split("[")[0]
        where = f" of {partition}" if partition else ""
        return f"every enabled region{where} ({source})", extent
    names = _region_names(value)
    enabled = tables.partitions().default_regions
    if names and (len(set(names)) >= max(_SEVERAL, 1) and enabled <= set(names)):
        return f"every region enabled by default ({len(set(names))} listed)", Regions(*names)
    if len(set(names)) >= _SEVERAL:
        return f"{len(set(names))} regions ({', '.join(names[:_SEVERAL])}, …)", Regions(*names)
    return "", None


def _every_condition(target: Target) -> str:
    if target.security_baseline:
        return "security-baseline"
    if isinstance(target.value, (Many, Mapping)):
        partitions = {partition_of(name) for name in _region_names(target.value)}
        if len(partitions) == 1:
            return "single-partition-list"
    return ""


# Ids


def unknown_region(facts: Facts) -> Iterator[Hit]:
    """A region literal belongs to no partition or provider."""
    for scope in facts.scopes:
        if scope.cloud != "aws":
            yield from locating.unknown_location(scope)
            continue
        for value in items_of(scope.value)[0] or [scope.value]:
            name = _region_text(value, scope.position)
            if name is None:
                continue
            judged = _judge(name)
            if judged is None:
                continue
            condition, words, contain = judged
            at = place(value, scope.span) or scope.span
            yield Hit(
                at,
                f"regions: `{_short(name)}` is {words}{_because(value)}, in {scope.owner}",
                scope.owner,
                scope.attribute,
                "regions",
                name,
                condition,
                contain=contain,
                related=chain(value, at),
                remedies=_respelt(value, scope, contain.removeprefix("write ")),
            )


def _respelt(value: Value, scope: Scope, name: str) -> tuple[Remedy, ...]:
    """The remedy that writes the region that was probably meant."""
    if scope.position == "arn" or name not in tables.partitions().regions:
        return ()
    return set_to(value, scope.attribute, name)


def _region_text(value: Value, position: str) -> str | None:
    if position == "arn":
        text = text_of(value)
        fields = text.split(":", _ARN_FIELDS - 1) if text is not None else []
        if len(fields) < _ARN_FIELDS or fields[0] != "arn" or HOLE in ":".join(fields[:4]):
            return None
        if not fields[1].startswith("aws"):
            return None
        name = fields[3]
        if tables.arn_slots().of(fields[2]) != "always":
            return None
        return None if not name or "*" in name or "?" in name or "$" in name else name
    return known_text(value)


def _judge(name: str) -> tuple[str, str, str] | None:
    """(condition, what is wrong, what to write) of a region id; ``None`` for one that may be right."""
    partitions = tables.partitions()
    if (
        not name
        or name in partitions.regions
        or name in partitions.pseudo_regions
        or name in ("*", "local", "localhost", "localstack", "test", "auto", "global")
        or not re.fullmatch(r"[A-Za-z0-9-]{2,40}", name)
    ):
        return None
    if name[:-1] in partitions.regions and name[-1].isalpha():
        return "zone", "an availability zone, not a region", f"write {name[:-1]}"
    near = partitions.near(name)
    if partitions.of(name) is not None:
        if near is None:
            return None
        return "misspelt", f"no region that is known; {near} is", f"write {near}"
    contain = f"write {near}" if near else "write the id of a region"
    words = f"no region of any partition; {near} is" if near else "no region of any partition"
    return "", words, contain


def global_part_in_wrong_region(facts: Facts) -> Iterator[Hit]:
    """A part that must live in us-east-1 is created elsewhere."""
    places = tables.locations()
    by_address = {(r.address): r for r in facts.unit.resources if not r.is_data}
    for resource in facts.unit.resources:
        if resource.is_data:
            continue
        home = places.homes.get(resource.type)
        if home is not None and _elsewhere(resource, home.region):
            if home.when is not None and known_text(resource.get(home.when[0])) != home.when[1]:
                continue
            hit = _misplaced(resource, home.region, home.why, ())
            yield replace(hit, remedies=_placed(facts, resource, home.region))
        for reference in places.home_references.get(resource.type, ()):
            for value in at_path(resource.get, reference.attribute):
                target = _referred(value, reference.target, resource, by_address)
                if target is None or not _elsewhere(target, reference.region):
                    continue
                span = value.span or resource.span
                related = (Related(span, f"used by {resource.address}"),)
                hit = _misplaced(target, reference.region, reference.why, related)
                yield replace(hit, remedies=_placed(facts, target, reference.region))
    yield from _misplaced_clients(facts)


def _misplaced_clients(facts: Facts) -> Iterator[Hit]:
    """Clients of services that answer in one region only, sent to another."""
    for client in facts.unit.clients:
        home = tables.api().homes.get(client.service)
        for region in turns(client.region) if home is not None and client.endpoint is None else ():
            own = known_text(region)
            if own is None or own == home or partition_of(own) != "aws":
                continue
            at = place(region, client.span) or client.span
            yield Hit(
                at,
                f"regions: {own}{_because(region)}, but {client.service} answers in {home} only",
                client.owner or client.service,
                client.service,
                "regions",
                own,
                condition=_contradiction(region),
                contain=f'make the client with region_name="{home}"',
                related=chain(region, at),
                reach=Reach(regions=Regions(own)),
            )


def _referred(
    value: Value, type_: str, user: Resource, by_address: dict[str, Resource]
) -> Resource | None:
    if not isinstance(value, Unknown):
        return None
    if "::" in type_:
        name = value.subject.partition(".")[0]
        found = by_address.get(name) or by_address.get(
            f"{user.address.removesuffix(user.name)}{name}"
        )
        return found if found is not None and found.type == type_ else None
    if not value.subject.startswith(f"{type_}."):
        return None
    prefix = user.address[: len(user.address) - len(f"{user.type}.{user.name}")]
    name = value.subject.split(".")[1].split("[")[0]
    return by_address.get(f"{prefix}{type_}.{name}")


def _elsewhere(resource: Resource, region: str) -> bool:
    own = known_text(resource.region)
    return own is not None and own != region and partition_of(own) == "aws"


def _placed(facts: Facts, resource: Resource, region: str) -> tuple[Remedy, ...]:
    """The remedy that writes the region into a resource, or has a provider of that region make it."""
    own, provider = resource.region, resource.provider
    if own is None or provider is None:
        return ()
    if own is not provider.region:
        return set_to(own, "region", region)
    if resource.selects_provider or "module." in resource.address:
        return ()
    for other in facts.unit.providers:
        if (
            other.name == provider.name
            and other.alias
            and "module." not in other.address
            and known_text(other.region) == region
        ):
            name = f"{other.name}.{other.alias}"
            words = f"have {name} make it"
            return (Remedy(Act.POINT, resource.span, words, name, "provider"),)
    return ()


def _misplaced(resource: Resource, region: str, why: str, related: tuple[Related, ...]) -> Hit:
    own = resource.region
    inherited = resource.provider is not None and own is resource.provider.region
    outside = resource.provider is None  # what deploys it says where
    at = resource.span if inherited or outside or own is None else place(own) or resource.span
    more = _region_places(resource) if inherited else ()
    if outside and own is not None:
        more = chain(own, at)
    return Hit(
        at,
        f"regions: {known_text(own)}{_because(own)}, but {why}: {resource.address} must be in "
        f"{region}",
        resource.address,
        "region",
        "regions",
        str(known_text(own)),
        condition=_contradiction(own),
        contain=_home(resource, region),
        related=(*related, *more),
        reach=Reach(regions=Regions(str(known_text(own)))),
    )


def _home(resource: Resource, region: str) -> str:
    """How to put a resource into a region, in its own notation."""
    if resource.request:
        return f"send it to {region}"
    if "::" in resource.type:
        return f"put it into a stack of {region}"
    return f'set region = "{region}" or a provider of that region'


# Policies


def arn_region_wildcard(facts: Facts) -> Iterator[Hit]:
    """A policy allows writes on a regional service with ``*`` in the region slot."""
    for statement in facts.statements:
        if statement.kind != "identity" or not grant.allows(statement):
            continue
        if statement.not_actions or statement.not_resources or not statement.conditions_known:
            continue
        if grant.region_narrowed(statement):
            continue
        found = list(_writes_everywhere(statement))
        for term, fields, writes in found[:1]:
            routine = all(t.text.lower() in grant.ROUTINE_WRITES for t, _found in writes)
            hit = grant.hit_of(
                statement,
                term,
                f"regions: {fields[2]} in every region ({grant.said(term)}), where "
                f"{writes[0][1].text} is allowed, in {statement.resource.address}",
                axis="regions",
                condition="routine-logging" if routine else "",
                contain="put the region into the ARN",
            )
            steps = [
                derived(
                    facts.unit,
                    statement.resource,
                    within(one.span, f":{slots[2]}:*:", "*"),
                    "region",
                )
                for one, slots, _writes in found
            ]
            every = tuple([remedy for step in steps for remedy in step]) if all(steps) else ()
            yield replace(hit, remedies=every)


def _writes_everywhere(
    statement: Statement,
) -> Iterator[tuple[Term, list[str], list[tuple[Term, tables.Action]]]]:
    """(resource, its slots, the writes allowed on it) for each ARN with a star for its region."""
    for term in statement.resources:
        fields = term.text.split(":", _ARN_FIELDS - 1)
        if len(fields) < _ARN_FIELDS or fields[0] != "arn" or fields[3] != "*":
            continue
        if fields[4] in ("*", "") or tables.arn_slots().of(fields[2]) != "always":
            continue
        writes = [
            (t, found)
            for t in statement.actions
            if t.text.partition(":")[0].lower() == fields[2]
            and (found := tables.scopable_write(t.text)) is not None
        ]
        if writes:
            yield term, fields, writes


def region_deny_without_global_exemption(facts: Facts) -> Iterator[Hit]:
    """A Deny that restricts regions also blocks global services."""
    for statement in facts.statements:
        if statement.effect != "Deny" or not statement.conditions_known:
            continue
        if any(key == "aws:viaawsservice" for _o, key, _v in statement.conditions):
            continue
        test = next(
            (
                (operator, values)
                for operator, key, values in statement.conditions
                if key == "aws:requestedregion" and "not" in operator.lower()
            ),
            None,
        )
        if test is None or not test[1] or any(HOLE in t.text or "*" in t.text for t in test[1]):
            continue
        allowed = [t.text for t in test[1]]
        homes = {
            p.global_region for name in allowed if (p := tables.partitions().of(name)) is not None
        }
        if homes & set(allowed) or not homes:
            continue
        blocked = _blocked_globals(statement)
        if not blocked:
            continue
        term = statement.actions[0]
        yield grant.hit_of(
            statement,
            term,
            f"regions: {', '.join(blocked)} are denied too, whose requests go to "
            f"{' and '.join(sorted(homes))}; only {', '.join(allowed[:4])} "
            f"{'are' if len(allowed) > 1 else 'is'} let through, by {statement.resource.address}",
            axis="regions",
            condition="",
            contain="deny with NotAction and list the global services there",
        )


def _blocked_globals(statement: Statement) -> list[str]:
    exempt = sorted(tables.scopes().region_deny_exemptions)
    if statement.not_actions:
        covered = {t.text.partition(":")[0].lower() for t in statement.actions}
        if "iam" in covered or not statement.complete:
            return []
        return [name for name in exempt if name not in covered]
    if any(tables.is_every_action(t.text) for t in statement.actions):
        return exempt
    return []


# Several regions


def hardcoded_region_in_multi_region_unit(facts: Facts) -> Iterator[Hit]:
    """Something that is created in several regions contains a literal region."""
    members: dict[tuple[str, int], list[Resource]] = defaultdict(list)
    for resource in (*facts.unit.resources, *(literal.resource for literal in facts.literals)):
        members[resource.span.path, resource.span.start].append(resource)
    spread: dict[tuple[str, int], _Spread | None] = {}
    seen: set[tuple[str, int, int]] = set()
    for literal in facts.literals:
        resource = literal.resource
        if not literal.regions or _says_where(literal):
            continue
        block = resource.span.path, resource.span.start
        if block not in spread:
            spread[block] = _spread(facts, resource, members[block])
        found = spread[block]
        if found is None:
            continue
        span = literal.span
        if (span.path, span.start, span.end) in seen or not _within_module(literal):
            continue
        if literal.regions == ("us-east-1",) and (
            _is_global_part(resource) or _is_of_global_part(literal.text)
        ):
            continue
        if literal.role == "region" and literal.text not in literal.regions:
            # Prose, names and maps: only an id, a zone, an ARN or an address points somewhere.
            continue
        if set(literal.regions) >= set(found.regions):
            continue
        seen.add((span.path, span.start, span.end))
        yield Hit(
            span,
            f"regions: {', '.join(literal.regions)} ({_short(literal.text)}), though {found.said}",
            resource.address.split("[")[0],
            literal.attribute,
            "regions",
            literal.text,
            contain=f"take the region from {decided_by(resource, 'region')} or from the input",
            related=found.related,
            reach=Reach(regions=Regions(*found.regions)),
            remedies=derived(
                facts.unit, resource, within(span, literal.regions[0], literal.regions[0]), "region"
            )
            if len(literal.regions) == 1
            else (),
        )


class _Spread(NamedTuple):
    """What says that something is created in several regions."""

    regions: list[str]
    said: str
    related: tuple[Related, ...] = ()


def _spread(facts: Facts, resource: Resource, members: list[Resource]) -> _Spread | None:
    regions = sorted(regions_of(members))
    if len(regions) > 1:
        by = next((f" by {copy.said}" for copy in resource.copies if copy.said), "")
        verb = "is sent to" if resource.request else "is created in"
        words = f"{resource.address} {verb} {' and '.join(regions[:4])}{by}"
        related = [
            Related(copy.region.span, f"{known_text(copy.region)}, by {copy.said}")
            for copy in resource.copies[:4]
            if copy.region.span is not None
        ]
        return _Spread(regions, words, tuple(related))
    if not isinstance(resource.region, Inherited) or _is_conditional(resource):
        return None
    for table in facts.unit.region_tables:
        if table.module == resource.module:
            words = f"{table.name} is there for {' and '.join(table.regions[:4])}"
            words += " …" if len(table.regions) > 4 else ""  # noqa: PLR2004  as above
            return _Spread(list(table.regions), words, (Related(table.span, "the table"),))
    return None


def _is_conditional(resource: Resource) -> bool:
    """Whether it is there in some regions only, for all that is known."""
    return resource.get("Resource.Condition") is not None


def _says_where(literal: LiteralText) -> bool:
    """Whether the literal is the argument that says where something is, or goes."""
    name = literal.attribute.rpartition(".")[2]
    return literal.attribute == "region" or (literal.role == "region" and name in _WHERE)


def _within_module(literal: LiteralText) -> bool:
    """Whether the literal is written in the module or file that is repeated, not given to it."""
    path, module = literal.span.path, literal.resource.module
    return not literal.given and module in (path, path.rpartition("/")[0] or ".")


def mapping_lacks_target_region(facts: Facts) -> Iterator[Hit]:
    """A lookup by region has no entry for a region that it is used in."""
    regions = tables.partitions().regions
    for lookup in facts.unit.lookups:
        key = known_text(lookup.key)
        if key is None or key not in regions or not lookup.keys:
            continue
        if not all(name in regions for name in lookup.keys):
            continue
        yield Hit(
            lookup.span,
            f"regions: {key}{_because(lookup.key)} has no entry in {_short(lookup.mapping_text)}, "
            f"which has {', '.join(sorted(lookup.keys)[:4])}"
            f"{', …' if len(lookup.keys) > 4 else ''}",  # noqa: PLR2004
            lookup.owner,
            lookup.mapping_text,
            "regions",
            key,
            condition=_contradiction(lookup.key),
            contain=f"add an entry for {key}",
            related=(
                *((Related(lookup.mapping_span, "the entries"),) if lookup.mapping_span else ()),
                *chain(lookup.key, lookup.span),
            ),
        )
