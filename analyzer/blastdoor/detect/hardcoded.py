"""Judgements over literals that bind code to one place: partitions, images, names, addresses."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.context import is_demo
from blastdoor.detect.hit import Hit
from blastdoor.fact import ENVIRONMENT_DEFAULT
from blastdoor.facts.copies import copies_of
from blastdoor.facts.derived import derived, within
from blastdoor.facts.reading import (
    HOLE,
    at_path,
    chain,
    decided_by,
    origin,
    place,
    rests_on_default,
    stretch,
    words_of,
    written_at_use,
)
from blastdoor.finding import Act, Related, Remedy
from blastdoor.reach import Reach, Regions, partition_of
from blastdoor.span import Span
from blastdoor.value import Inherited, Known, Many, Mapping, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.fact import Context, Copy, Facts, LiteralText, Resource

_ACCOUNT: Final = re.compile(r"\d{12}", re.ASCII)
_IMAGE: Final = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})", re.ASCII)
_ARN_FIELDS: Final = 6
_SHOWN: Final = 80
_SEVERAL: Final = 2
_NAMESPACES: Final = ("bucket_namespace", "BucketNamespace")
"""Arguments that say in which space the name of a bucket is taken."""
_ELSEWHERE: Final = ("several-partitions", "several-regions")


def hardcoded_partition(facts: Facts) -> Iterator[Hit]:
    """``arn:aws:`` in code whose partition is decided elsewhere, in a repository of several."""
    context = facts.unit.context
    both = {
        (literal.resource.address, literal.attribute)
        for literal in facts.literals
        if literal.partition not in (None, "aws")
    }
    for literal in facts.literals:
        if literal.role != "arn" or literal.partition != "aws" or not literal.said:
            continue
        resource = literal.resource
        if (resource.address, literal.attribute) in both:
            continue  # a list that names other partitions too means all of them
        if resource.partition is None or _decided(resource.partition, resource.region):
            continue
        fields = literal.text.split(":", _ARN_FIELDS - 1)
        if len(fields) == _ARN_FIELDS and _ACCOUNT.fullmatch(fields[4]):
            continue  # an account is of one partition: its ARN has no other form
        several = bool(context.foreign) and not is_demo(posixpath.dirname(literal.span.path))
        said = f", while the repository speaks of {' and '.join(context.foreign)}"
        yield Hit(
            literal.span,
            f"partitions: aws only ({_short(literal.text)}), though the region of "
            f"{resource.address} is decided {_where(resource.region)}{said if several else ''}",
            resource.address,
            literal.attribute,
            "partitions",
            literal.text,
            "several-partitions" if several else "",
            contain=f"take the partition from {decided_by(resource, 'partition')}",
            related=_foreign_places(context) if several else (),
            remedies=derived(
                facts.unit, resource, within(literal.span, "arn:aws:", "aws"), "partition"
            ),
        )


def _lookup(resource: Resource) -> str:
    """What gives the image of a region in the notation of a resource."""
    if resource.request:
        return "ssm.get_parameter, or ec2.describe_images with an owner"
    if "::" in resource.type:
        return "a parameter of type AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    return "data.aws_ssm_parameter or data.aws_ami"


def _decided(partition: Value, region: Value | None) -> bool:
    """Whether the code itself says the partition, by more than the default of a variable."""
    return known_text(partition) is not None and not rests_on_default(region)


def _where(region: Value | None) -> str:
    if region is not None and rests_on_default(region):
        return f"by {origin(region)} and whoever sets another"
    if isinstance(region, Inherited):
        return f"by {region.subject}"
    return f"by {words_of(region)}" if region is not None else "elsewhere"


def _foreign_places(context: Context) -> tuple[Related, ...]:
    return tuple(
        Related(context.partitions[name], f"{name} is spoken of here")
        for name in context.foreign[:3]
    )


def _short(text: str) -> str:
    shown = text.replace(HOLE, "…")
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}…"


# Images


def hardcoded_ami(facts: Facts) -> Iterator[Hit]:
    """A literal machine image in code that runs in more than one region."""
    used: dict[str, list[tuple[Value, Resource, str]]] = defaultdict(list)
    for resource in facts.unit.resources:
        attribute = tables.places().images.get(resource.type)
        if attribute is None or resource.is_data:
            continue
        for value in at_path(resource.get, attribute):
            text = known_text(value)
            if text is not None and _IMAGE.fullmatch(text) and value.span is not None:
                used[text].append((value, resource, attribute))
    for image, users in used.items():
        regions = sorted({r for _v, user, _a in users if (r := known_text(user.region))})
        several = len(regions) >= _SEVERAL
        for value, resource, attribute in _one_per_place(users):
            if not several and known_text(resource.region) is not None:
                continue  # one region, and the code says which
            at = place(value, resource.span) or resource.span
            where = (
                f"though it is used in {' and '.join(regions[:4])}"
                if several
                else f"though the region of {resource.address} is decided {_where(resource.region)}"
            )
            yield Hit(
                at,
                f"regions: one region, that of {image}, {where}; {resource.address} finds no "
                "image of that id in any other",
                resource.address.split("[")[0],
                attribute,
                "regions",
                image,
                "several-regions" if several else "",
                contain=f"look the image up by region: {_lookup(resource)}",
                related=chain(value, at),
                reach=Reach(regions=Regions(*regions)) if several else None,
            )


def _one_per_place(
    users: Iterable[tuple[Value, Resource, str]],
) -> Iterator[tuple[Value, Resource, str]]:
    seen: set[tuple[str, int, int]] = set()
    for value, resource, attribute in users:
        at = place(value, resource.span) or resource.span
        key = (at.path, at.start, at.end)
        if key not in seen:
            seen.add(key)
            yield value, resource, attribute


# Names


def literal_name_in_multi_region_unit(facts: Facts) -> Iterator[Hit]:
    """One block that is created in several regions takes the same globally unique name in each."""
    groups: dict[tuple[str, int], list[Resource]] = defaultdict(list)
    for resource in facts.unit.resources:
        if resource.type in tables.places().names and not (resource.is_data or resource.request):
            groups[resource.span.path, resource.span.start].append(resource)
    for members in groups.values():
        row = tables.places().names[members[0].type]
        taken: dict[tuple[str, ...], list[tuple[Resource, Value, Copy]]] = defaultdict(list)
        for resource in members:
            value = resource.get(row.attribute)
            name = known_text(value)
            if value is None or not name or _open(resource.collection):
                continue
            if any(known_text(resource.get(key)) == "account-regional" for key in _NAMESPACES):
                continue
            for copy in copies_of(resource):
                space = _space(copy, row.unique_in)
                if space is not None:
                    taken[(name, *space)].append((resource, value, copy))
        for (name, *_rest), users in taken.items():
            regions = sorted({r for _u, _v, copy in users if (r := known_text(copy.region))})
            if len(regions) < _SEVERAL:
                continue
            resource, value, copy = users[0]
            at = place(value, resource.span) or resource.span
            by = f" by {copy.said}" if copy.said else ""
            yield Hit(
                at,
                f"regions: {resource.address} is created in {' and '.join(regions[:4])}{by}, each "
                f"time as {_short(name)}{_because(value)}, a name that is unique in "
                f"{_space_words(row.unique_in)}: the second one fails or takes over the first",
                resource.address.split("[")[0],
                row.attribute,
                "regions",
                name,
                contain="put the region into the name, or create it once",
                related=(
                    *chain(value, at),
                    *(
                        Related(copy.region.span, f"one in {known_text(copy.region)}")
                        for _user, _v, copy in users[:4]
                        if copy.region.span is not None
                    ),
                ),
                reach=Reach(regions=Regions(*regions)),
                remedies=_told_apart(facts, resource, value, name),
            )


def _told_apart(facts: Facts, resource: Resource, value: Value, name: str) -> tuple[Remedy, ...]:
    """The steps that write the region behind a name."""
    last = stretch(value, len(name) - 1, len(name))
    if last is None or written_at_use(value) is None:
        return ()
    end = Span(last.document, last.end, last.end)
    steps = derived(facts.unit, resource, end, "region")
    if not steps or not steps[0].name:
        return ()
    return (Remedy(Act.TEXT, end, f"put the region into {_short(name)}", "-"), *steps)


def _because(value: Value) -> str:
    where = origin(value)
    return f", {where}" if where else ""


def _space_words(unique_in: str) -> str:
    return "the whole partition" if unique_in == "partition" else "the account"


def _space(copy: Copy, unique_in: str) -> tuple[str, ...] | None:
    """What tells the space of a name from another; ``None`` where that is not known."""
    region = known_text(copy.region)
    if region is None:
        return None
    partition = partition_of(region)
    if unique_in == "partition":
        return (partition,)
    return None if copy.account is None else (partition, *copy.account)


def _open(collection: Value | None) -> bool:
    """Whether a block may have no instance at all."""
    return collection is not None and not isinstance(collection, (Known, Many, Mapping))


# Endpoints


def hardcoded_endpoint_region(facts: Facts) -> Iterator[Hit]:
    """An address of an AWS service that holds a literal region."""
    context = facts.unit.context
    for literal in facts.literals:
        if literal.role != "endpoint" or not literal.regions:
            continue
        resource = literal.resource
        own = known_text(resource.region)
        evident = (
            context.several_regions
            and own is None
            and resource.region is not None
            and not is_demo(posixpath.dirname(literal.span.path))
        )
        named = ", ".join(literal.regions)
        said = (
            f", though the region of {resource.address} is decided {_where(resource.region)}, and "
            f"the repository pins {', '.join(context.pinned)}"
            if evident
            else f", in {resource.address}"
        )
        yield Hit(
            literal.span,
            f"regions: {named}, written into an address ({_short(literal.text)}){said}",
            resource.address,
            literal.attribute,
            "regions",
            literal.text,
            "several-regions" if evident else "",
            contain="build the address from the region",
            related=_pinned_places(context) if evident else (),
            reach=Reach(regions=Regions(*literal.regions)),
            remedies=_from_region(facts, literal),
        )


def _from_region(facts: Facts, literal: LiteralText) -> tuple[Remedy, ...]:
    """The remedy that builds an address from the region, when it names one region once."""
    if len(literal.regions) != 1:
        return ()
    region = literal.regions[0]
    return derived(facts.unit, literal.resource, within(literal.span, region, region), "region")


def _pinned_places(context: Context) -> tuple[Related, ...]:
    return tuple(
        Related(span, f"{region} is pinned here")
        for region, span in list(context.pinned.items())[:3]
    )


# Fallbacks


def region_fallback(facts: Facts) -> Iterator[Hit]:
    """A region that is taken when nobody says one."""
    unit = facts.unit
    context = unit.context
    regions = tables.partitions().regions
    for fallback in unit.fallbacks:
        text = known_text(fallback.value)
        if text is None or text not in regions or fallback.known:
            continue
        several = _evidence(context, fallback.span)
        if fallback.how == ENVIRONMENT_DEFAULT and not is_demo(
            posixpath.dirname(fallback.span.path)
        ):
            several = several or "environment-variable"
        yield Hit(
            fallback.span,
            f"regions: {text} whenever {_short(fallback.tried)} is not there, by {fallback.how} "
            f"in {fallback.owner}{_others(context, text) if several in _ELSEWHERE else ''}",
            fallback.owner,
            fallback.how,
            "regions",
            text,
            several,
            contain="let it fail where the region is missing",
            reach=Reach(regions=Regions(text)),
            remedies=(Remedy(Act.REMOVE, fallback.span, "leave the default out"),)
            if fallback.how == ENVIRONMENT_DEFAULT
            else (),
        )
    for setting in unit.settings:
        text = known_text(setting.value)
        if setting.kind != "default" or text is None or text not in regions:
            continue
        if setting.name != "region" and not setting.name.endswith("_region"):
            continue
        yield Hit(
            setting.span,
            f"regions: {text} for whoever does not set {setting.owner}",
            setting.owner,
            "default",
            "regions",
            text,
            "variable-default",
            contain="give the variable no default",
            reach=Reach(regions=Regions(text)),
            remedies=(Remedy(Act.REMOVE, setting.span, "leave the default out"),),
        )


def _evidence(context: Context, span: Span) -> str:
    """The condition that makes a fallback a finding unasked: it has somewhere else to be."""
    if is_demo(posixpath.dirname(span.path)):
        return ""
    if context.foreign:
        return "several-partitions"
    return "several-regions" if context.several_regions else ""


def _others(context: Context, region: str) -> str:
    others = [name for name in context.pinned if name != region]
    if not others:
        others = [n for n in context.regions if partition_of(n) != partition_of(region)]
    return f"; the repository speaks of {', '.join(others[:3])} too" if others else ""
