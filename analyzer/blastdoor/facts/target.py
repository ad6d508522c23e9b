"""Deployments to several regions or accounts: stack sets, organization policies, repeated blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.fact import Target
from blastdoor.facts.reading import at_path, blocks_at
from blastdoor.reach import partition_of
from blastdoor.value import Many, Mapping, Meaning, OneOf, Unknown, Value, known_text, turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import ApiCall, Evaluated, ModuleCall, Resource
    from blastdoor.span import Span
    from blastdoor.tables import ThingRow

LOOP: Final = "loop over a list"
"""The attribute of a target that is a loop over a written list."""
_ADDING: Final = ("INTERSECTION", "NONE", "UNION")
"""Filters with which the accounts that are named are those that something is sent to."""
_SENT: Final = {
    "aws_cloudformation_stack_instances": "stack instances",
    "aws_cloudformation_stack_set_instance": "a stack instance",
    "AWS::CloudFormation::StackSet": "stack instances",
}
_BASELINE_WORDS: Final = (
    "guardduty",
    "guard_duty",
    "guard-duty",
    "config",
    "cloudtrail",
    "baseline",
    "access_analyzer",
    "access-analyzer",
    "securityhub",
    "security_hub",
    "security-hub",
    "inspector",
    "macie",
    "detective",
    "ebs_encryption",
    "ebs-encryption",
    "default_vpc",
    "default-vpc",
)


def is_baseline(type_: str) -> bool:
    """Whether a type is one that is meant to be in every region (account security baselines)."""
    return tables.scopes().is_security_baseline(type_)


def targets(unit: Evaluated) -> Iterator[Target]:
    """Everything in the unit that sends one thing to several regions or accounts."""
    for resource in unit.resources:
        if resource.is_data:
            continue
        yield from _regions(resource)
        row = tables.things("account-target").get(resource.type)
        if row is not None:
            yield from _accounts(resource, row)
        yield from _repeated(
            resource.collection,
            resource.collection_span,
            resource.address,
            resource.type,
            resource,
            baseline=is_baseline(resource.type),
        )
    for call in unit.modules:
        yield from _repeated(
            call.collection,
            call.collection_span,
            call.address,
            f"module {call.name}",
            None,
            baseline=_call_is_baseline(call),
        )
    yield from _looped(unit)
    yield from _placed(unit)


def _placed(unit: Evaluated) -> Iterator[Target]:
    """Stacks and provider configurations that a loop makes for several regions."""
    groups: dict[tuple[str, int], list[tuple[str, Value]]] = {}
    spans: dict[tuple[str, int], Span] = {}
    made = [(f"stack {s.name}", s.region, s.span) for s in unit.stacks if s.region is not None]
    made += [(provider.address, provider.region, provider.span) for provider in unit.providers]
    for owner, value, span in made:
        key = span.path, span.start
        groups.setdefault(key, []).extend((owner, region) for region in turns(value))
        spans[key] = span
    for key, members in groups.items():
        owner, first = members[0]
        span = spans[key]
        if isinstance(first, Unknown) and first.meaning is Meaning.EACH_REGION:
            every = Meaning.EVERY_REGION
            found: Value = Unknown(first.reason, first.subject, span, meaning=every)
        elif len(members) > 1:
            found = Many(tuple(region for _owner, region in members), span)
        else:
            continue
        yield Target(None, owner, LOOP, "regions", found, span, "what is in it")


def _accounts(resource: Resource, row: ThingRow) -> Iterator[Target]:
    """The accounts and parts of the organization that something is sent to."""
    named = [(row.names["targets"], value) for value in at_path(resource.get, row.names["targets"])]
    path = row.names.get("accounts")
    if path is not None:
        named += [(path, value) for value in _listed(resource, path, row.names.get("filter"))]
    for path, value in named:
        if value.span is not None:
            yield Target(resource, resource.address, path, "accounts", value, value.span, row.words)


def _listed(resource: Resource, path: str, filtering: str | None) -> Iterator[Value]:
    """The accounts that are named one by one; not those that a filter leaves out.

    Source: AWS CloudFormation API Reference, DeploymentTargets: ``AccountFilterType``.
    """
    around, _dot, name = path.rpartition(".")
    if not around or filtering is None:
        yield from at_path(resource.get, path)
        return
    for body in blocks_at(resource.get, around):
        given, how = body.get(name), body.get(filtering)
        if given is not None and (how is None or known_text(how) in _ADDING):
            yield given


def _looped(unit: Evaluated) -> Iterator[Target]:
    """What a program changes in every region that it asks for."""
    for call in unit.calls:
        region = call.client.region
        if isinstance(region, OneOf):
            yield from _across_partitions(call)
        if call.dry or call.effect not in ("write", "destroy"):
            continue
        if not isinstance(region, Unknown) or region.meaning is not Meaning.EACH_REGION:
            continue
        for collection, _text, _span in (*call.client.loops, *call.loops):
            if isinstance(collection, Unknown) and collection.meaning is Meaning.EVERY_REGION:
                yield Target(
                    None,
                    call.owner or call.client.service,
                    f"loop:{call.name}",
                    "regions",
                    Unknown(
                        collection.reason,
                        collection.subject,
                        call.name_span,
                        meaning=Meaning.EVERY_REGION,
                    ),
                    call.name_span,
                    call.name,
                    security_baseline=call.name in tables.api().baseline
                    or named_baseline((call.owner, call.client.service)),
                )
                break


def _across_partitions(call: ApiCall) -> Iterator[Target]:
    """A loop over regions of several partitions, which one set of credentials cannot reach."""
    if call.client.credentials:
        return
    for collection, _text, span in (*call.client.loops, *call.loops):
        if isinstance(collection, Many) and collection_axis(collection) == "regions":
            names = [known_text(item) for item in collection.items]
            if len({partition_of(name) for name in names if name is not None}) > 1:
                owner = call.owner or call.client.service
                yield Target(
                    None, owner, LOOP, "regions", collection, span, call.name, mutates=False
                )
                return


def _regions(resource: Resource) -> Iterator[Target]:
    row = tables.locations().targets.get(resource.type)
    if row is None:
        return
    path = row.argument(lambda name: resource.get(name) is not None)
    for value in at_path(resource.get, path):
        if value.span is not None:
            yield Target(
                resource,
                resource.address,
                path,
                "regions",
                value,
                value.span,
                _SENT.get(resource.type, resource.type),
                security_baseline=named_baseline(resource.path),
            )


def _call_is_baseline(call: ModuleCall) -> bool:
    if call.resource_types:
        kinds = {t for t in call.resource_types if not t.startswith(("aws_iam_", "aws_sns_"))}
        return bool(kinds) and all(is_baseline(type_) for type_ in kinds)
    return named_baseline((call.name, call.source))


def named_baseline(words: tuple[str, ...]) -> bool:
    """Whether names say that something is a security baseline, which belongs everywhere."""
    text = " ".join(words).lower()
    return any(word in text for word in _BASELINE_WORDS)


def _repeated(
    collection: Value | None,
    span: Span | None,
    owner: str,
    what: str,
    resource: Resource | None,
    *,
    baseline: bool,
) -> Iterator[Target]:
    if collection is None or span is None:
        return
    axis = collection_axis(collection)
    if axis is not None:
        yield Target(
            resource,
            owner,
            "for_each",
            "regions" if axis == "regions" else "accounts",
            collection,
            span,
            what,
            security_baseline=baseline,
        )


def collection_axis(collection: Value) -> str | None:
    """Which axis the elements of a collection name: ``regions``, ``accounts`` or ``None``."""
    if isinstance(collection, OneOf):
        axes = {collection_axis(a.value) for a in collection.alternatives}
        return axes.pop() if len(axes) == 1 else None
    if isinstance(collection, Unknown):
        if collection.meaning is Meaning.EVERY_REGION:
            return "regions"
        if collection.meaning is Meaning.EVERY_ACCOUNT:
            return "accounts"
        return None
    names: list[str] = []
    if isinstance(collection, Many):
        for item in collection.items:
            text = known_text(item)
            if text is None:
                return None
            names.append(text)
    elif isinstance(collection, Mapping):
        names.extend(collection.entries)
    if not names:
        return None
    if all(name in tables.partitions().regions for name in names):
        return "regions"
    if all(len(name) == 12 and name.isdigit() for name in names):  # noqa: PLR2004  account ids
        return "accounts"
    return None
