"""How far each thing of a unit reaches, in a form that two revisions can be compared by.

A footprint is one aspect of one resource: where it is placed, what one of its policies allows or
denies, which guards it has, how large a step of its rollout is, whom a deployment targets. It is
taken from the facts of a unit, with everything folded in that providers, defaults, override files
and module inputs decide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from blastdoor import tables
from blastdoor.context import environment_words
from blastdoor.delta import flags, policy, scopes
from blastdoor.evaluate.expression import to_number
from blastdoor.fact import MADE_ON, TOLD_ELSEWHERE
from blastdoor.facts import iam
from blastdoor.facts.network import network_of, unsettled
from blastdoor.facts.reading import (
    HOLE,
    at_path,
    bodies_of,
    chain,
    items_of,
    origin,
    place,
    text_of,
    truth,
    words_of,
)
from blastdoor.facts.target import LOOP
from blastdoor.reach import (
    AWS,
    EVERYWHERE,
    INHERITED,
    Accounts,
    AllIn,
    Environments,
    Extent,
    Fleet,
    Guards,
    Network,
    Opening,
    Organization,
    Partitions,
    Principals,
    Reach,
    Regions,
    Unresolved,
    account,
    region_of,
)
from blastdoor.value import (
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Step,
    Unknown,
    Value,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from blastdoor.fact import Facts, Resource
    from blastdoor.finding import Related
    from blastdoor.span import Span

Aspect = Literal[
    "placement",
    "target",
    "replica",
    "allow",
    "deny",
    "guard",
    "lifecycle",
    "rollout",
    "network",
    "existence",
    "audience",
    "member",
    "provider",
    "fixed",
    "flag",
    "setting",
]
"""``member`` is who gets a role, ``audience`` for which environments a collection stands, ``provider`` a
setting that holds for all that uses it, ``fixed`` an argument that cannot change in place, ``flag`` the
share that a flag or weight lets through, ``setting`` the places that settings of a program are for."""
_EVERY: Final = (Meaning.EVERY_REGION, Meaning.EACH_REGION)


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """One aspect of one resource on one side of a change."""

    unit: str
    """Address of the unit: the directory of its root."""
    address: str
    """Address of the resource, without the keys of its instances."""
    type: str
    aspect: Aspect
    attribute: str
    reach: Reach
    span: Span
    """What decides it: the value, or the header of the block."""
    words: str = ""
    """Where the deciding value comes from: ``the default of var.regions at variables.tf:8``."""
    related: tuple[Related, ...] = ()
    cause: str = ""
    """Address of the provider configuration that decides it, when the resource does not itself."""
    policy: policy.Policy | None = None
    """What it allows or denies; ``reach`` leaves it out, for the union of its tuples is dear."""
    holder: str = ""
    """Who has an inline policy, as a digest: what several of one holder allow counts together."""
    exact: bool = True
    """Whether all of it is known."""
    stateful: bool = False
    """Whether the resource holds data that is lost with it."""
    kept: bool = False
    """Whether the object stays when the code lets go of it."""
    instances: frozenset[str] | None = None
    """For what holds data: the keys of its instances, ``""`` for a single one; ``None``: not known."""
    home: Span | None = None
    """The header of the resource, where that is not ``span``."""
    value: Value | None = None
    """What is set, for what has no order: provider settings and fixed arguments."""
    under: tuple[tuple[str, Span], ...] = ()
    """Address and place of what a provider setting holds for."""
    open: int = 0
    """How many of its parts are not known, and left out of ``reach``."""
    unknown: str = ""
    """What is not known, in words."""
    account: Value | None = None
    """For a place: the account, which something else decides than the region."""
    of: tuple[str, ...] = ()
    """For a policy or rule of its own: the addresses that what it is on may have, the likeliest first,
    or what the thing is called; for a thing itself what it is called."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same thing on both sides, within one unit."""
        return self.address, self.aspect, self.attribute


def footprints(facts: Facts) -> list[Footprint]:
    """Every footprint of a unit, one for each key."""
    found: dict[tuple[str, str, str], Footprint] = {}
    placed = {r.address for r in facts.unit.resources if TOLD_ELSEWHERE in r.extra}
    for item in _all(facts):
        if item.address in placed and item.aspect != "placement":
            continue  # another unit tells it
        known = found.get(item.key)
        found[item.key] = item if known is None else joined(known, item)
    return list(found.values())


def _all(facts: Facts) -> Iterator[Footprint]:
    unit = facts.unit.address
    here = Reach(environment=_environments(facts))
    for resource in facts.unit.resources:
        if resource.is_data:
            continue
        yield from _placement(unit, resource)
        yield from _replicas(unit, resource)
        yield from _lifecycle(unit, resource)
        yield from _kept_by_stack(unit, resource)
        yield from _fixed(unit, resource)
        yield Footprint(
            unit,
            resource.address,
            resource.type,
            "existence",
            "",
            here,
            resource.span,
            stateful=tables.is_stateful(resource.type) and not resource.request,
            kept=known_text(resource.get("DeletionPolicy")) in ("Retain", "RetainExceptOnCreate"),
            instances=_instances(resource.collection),
            of=_called(resource),
        )
    yield from _audiences(facts)
    yield from _providers(facts)
    yield from _targets(facts)
    yield from _policies(facts)
    yield from _attachments(facts)
    yield from _guards(facts)
    yield from _rollouts(facts)
    yield from _networks(facts)
    yield from _endpoints(facts)
    yield from _members(facts)
    yield from _flags(facts)
    yield from _settings(facts)
    yield from _calls(facts)


def _environments(facts: Facts) -> Environments | None:
    """The environments that a unit is for; ``None`` where one of its deployments does not say."""
    environment = facts.unit.environment
    if environment is not None:
        return Environments(environment)
    told = {tables.scopes().environment_of(words) for words in facts.unit.deployments}
    named = [name for name in told if name is not None]
    return Environments(*named) if named and len(named) == len(told) else None


_MOST_INSTANCES: Final = 1_000


def _instances(collection: Value | None) -> frozenset[str] | None:
    """The keys of the instances of a block that is repeated for ``collection``."""
    if collection is None:
        return frozenset({""})
    if isinstance(collection, Known):
        number = to_number(collection)
        if number is None or not 0 <= number <= _MOST_INSTANCES:
            return None
        return frozenset(str(index) for index in range(int(number)))
    if isinstance(collection, Mapping):
        return frozenset(collection.entries) if collection.complete else None
    items, complete = items_of(collection)
    keys = [known_text(item) for item in items]
    if not complete or None in keys:
        return None
    return frozenset(key for key in keys if key is not None)


def joined(one: Footprint, other: Footprint) -> Footprint:
    """Two instances of one resource as one footprint."""
    if one.aspect in ("allow", "deny") and one.policy is None:
        one, other = other, one
    merged = one.policy if other.policy is None else other.policy.joined(one.policy)
    related = tuple(dict.fromkeys((*one.related, *other.related)))
    return replace(
        one,
        reach=one.reach.join(other.reach),
        policy=merged,
        related=related,
        exact=one.exact and other.exact,
        cause=one.cause if one.cause == other.cause else "",
        value=one.value if _same(one.value, other.value) else None,
        under=tuple(dict.fromkeys((*one.under, *other.under))),
        instances=None
        if one.instances is None or other.instances is None
        else one.instances | other.instances,
        open=one.open + other.open,
        unknown=one.unknown or other.unknown,
        account=one.account if _same(one.account, other.account) else None,
    )


def _same(one: Value | None, other: Value | None) -> bool:
    return (one is None) == (other is None) and (
        one is None or other is None or one.key() == other.key()
    )


# Places


def regions_of(value: Value, partition: str = AWS) -> Regions | Unresolved:
    """The regions that a value names; those outside of AWS carry their partition."""
    if isinstance(value, Unknown):
        if value.meaning in _EVERY:
            return Regions(AllIn(value.partition)) if value.partition else Regions(EVERYWHERE)
        if isinstance(value, Inherited) or value.meaning is Meaning.CURRENT_REGION:
            return Regions(INHERITED)
        return Unresolved(_reason(value))
    if isinstance(value, OneOf):
        return _union([regions_of(a.value, partition) for a in value.alternatives])
    if isinstance(value, Many):
        parts = [regions_of(item, partition) for item in value.items]
        return _union(parts) if value.complete else Unresolved("a list that is not complete")
    text = known_text(value)
    if text is None:
        return Unresolved("a text that is not known in full")
    return Regions(region_of(partition, text))


def _union(parts: Iterable[Regions | Unresolved]) -> Regions | Unresolved:
    found = Regions()
    for part in parts:
        if isinstance(part, Unresolved):
            return part
        found = Regions(*found.elements, *part.elements)
    return found


def _reason(value: Unknown) -> str:
    return f"{value.subject}: {value.reason.text}" if value.subject else value.reason.text


def _partitions(regions: Regions | Unresolved, value: Value | None) -> Partitions | Unresolved:
    if isinstance(regions, Regions) and regions.pinned:
        return regions.partitions()
    name = known_text(value)
    if name is not None:
        return Partitions(name)
    if isinstance(regions, Unresolved):
        return regions
    found = regions.partitions()
    return found or Unresolved("decided by the environment")


def _accounts(value: Value | None) -> Accounts | Unresolved | None:
    if value is None or isinstance(value, Inherited):
        return None
    if isinstance(value, Unknown):
        return Unresolved(_reason(value))
    text = known_text(value)
    return None if text is None else Accounts(account(text))


def _placement(unit: str, resource: Resource) -> Iterator[Footprint]:
    provider, value = resource.provider, resource.region
    if provider is None and value is not None:
        yield from _stack_placement(unit, resource, value)
    if provider is None or value is None:
        return
    regions = regions_of(value, known_text(resource.partition) or AWS)
    own = value is not provider.region
    regional = tables.locations().aws_is_regional(resource.type) or provider.name != "aws"
    at = place(value, resource.span) if own else None
    yield Footprint(
        unit,
        resource.address,
        resource.type,
        "placement",
        "region",
        Reach(
            regions=regions if regional else None,
            partitions=_partitions(regions, resource.partition),
            accounts=_accounts(resource.account),
        ),
        at or provider.region_span or provider.span,
        _via(resource, value),
        chain(value, at),
        "" if own else provider.address,
        exact=not isinstance(regions, Unresolved),
        home=resource.span,
        account=resource.account,
    )


def _stack_placement(unit: str, resource: Resource, value: Value) -> Iterator[Footprint]:
    """Where a resource goes with its stack, which has no provider configuration."""
    if not resource.type.startswith("AWS::"):
        return
    regions = regions_of(value, known_text(resource.partition) or AWS)
    at = place(value, resource.span)
    yield Footprint(
        unit,
        resource.address,
        resource.type,
        "placement",
        "region",
        Reach(
            regions=regions if tables.locations().aws_is_regional(resource.type) else None,
            partitions=_partitions(regions, resource.partition),
            accounts=_accounts(resource.account),
        ),
        at or resource.span,
        origin(value),
        chain(value, at),
        "" if resource.request else "the stack",
        exact=not isinstance(regions, Unresolved),
        home=resource.span,
    )


def _via(resource: Resource, value: Value) -> str:
    """What in the code makes the regions what they are."""
    if resource.collection_span is not None and _each(resource, value):
        return f"for_each = {_short(resource.collection_span)}"
    return origin(value)


def _each(resource: Resource, value: Value) -> bool:
    """Whether the region differs from instance to instance."""
    if isinstance(value, Unknown):
        return value.meaning is Meaning.EACH_REGION
    collection, text = resource.collection, known_text(value)
    if isinstance(collection, Mapping):
        return text in collection.entries
    if isinstance(collection, Many):
        return any(known_text(item) == text for item in collection.items)
    return False


_SHORT: Final = 80


def _short(span: Span) -> str:
    text = " ".join(span.text.split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


_REPLICAS: Final = (
    ("aws_dynamodb_table", "replica", "region_name"),
    ("aws_dynamodb_global_table", "replica", "region_name"),
    ("aws_dynamodb_table_replica", "", "region"),
    ("aws_secretsmanager_secret", "replica", "region"),
    ("aws_ssmincidents_replication_set", "region", "name"),
    ("aws_ssmincidents_replication_set", "regions", "name"),
    ("AWS::DynamoDB::GlobalTable", "Replicas", "Region"),
    ("AWS::DynamoDB::Table", "", "ReplicationRegions"),
    ("AWS::SecretsManager::Secret", "ReplicaRegions", "Region"),
    ("AWS::SSMIncidents::ReplicationSet", "Regions", "RegionName"),
)
"""(type, block, argument) of what says to which regions data is copied.

Terraform AWS provider documentation, argument references of the types; AWS CloudFormation Template
Reference; AWS CDK API reference, ``Table``: a custom resource makes its ``replicationRegions``.
"""


_POLICIES: Final = ("DeletionPolicy", "UpdateReplacePolicy")
_WEAKER: Final = frozenset({"Snapshot", "RetainExceptOnCreate"})
"""What keeps the data, or the object but for its first moments: another guard than ``Retain``."""


def _replicas(unit: str, resource: Resource) -> Iterator[Footprint]:
    for type_, block, argument in _REPLICAS:
        if resource.type != type_:
            continue
        found = _replica_values(resource, block, argument)
        if found is None:
            continue
        values, complete = found
        regions = _union(regions_of(value) for value in values)
        if not complete:
            regions = Unresolved("blocks that are not known")
        first = next((value for value in values if value.span is not None), None)
        at = None if first is None else place(values[-1], resource.span)
        yield Footprint(
            unit,
            resource.address,
            resource.type,
            "replica",
            block or argument,
            Reach(regions=regions),
            at or resource.span,
            "" if first is None else origin(values[-1]),
            () if first is None else chain(values[-1], at),
            exact=not isinstance(regions, Unresolved),
        )


def _replica_values(
    resource: Resource, block: str, argument: str
) -> tuple[list[Value], bool] | None:
    if not block:
        value = resource.get(argument)
        return None if value is None else ([value], True)
    outer = resource.get(block)
    if outer is None:
        return [], True
    complete = not isinstance(outer, Unknown) and not (
        isinstance(outer, Many) and not outer.complete
    )
    values = [body.get(argument) for body in bodies_of(outer)]
    return [value for value in values if value is not None], complete


def _targets(facts: Facts) -> Iterator[Footprint]:
    for target in facts.targets:
        if target.attribute == LOOP or (target.attribute == "for_each" and target.resource):
            continue  # its placement says it
        reach = (
            Reach(regions=_target_regions(target.value))
            if target.axis == "regions"
            else Reach(accounts=_target_accounts(target.value))
        )
        extent: Extent | None = reach.regions or reach.accounts
        at = place(target.value, target.span) or target.span
        yield Footprint(
            facts.unit.address,
            target.owner,
            target.resource.type if target.resource is not None else "module",
            "target",
            target.attribute,
            reach,
            at,
            origin(target.value),
            chain(target.value, at),
            exact=not isinstance(extent, Unresolved),
        )


def _target_regions(value: Value) -> Regions | Unresolved:
    if isinstance(value, Mapping):
        return Regions(*value.entries) if value.complete else Unresolved("keys that are not known")
    return regions_of(value)


def _target_accounts(value: Value) -> Accounts | Unresolved:
    if isinstance(value, Unknown):
        if value.meaning is Meaning.ORGANIZATION_ROOT:
            return Accounts(Organization())
        if value.meaning in (Meaning.ORGANIZATION, Meaning.EVERY_ACCOUNT):
            return Accounts(Organization())
        return Unresolved(_reason(value))
    if isinstance(value, Mapping):
        if not value.complete:
            return Unresolved("keys that are not known")
        return Accounts(*(account(name) for name in value.entries))
    items, complete = items_of(value)
    if not complete:
        return Unresolved("a list that is not complete")
    found = Accounts()
    for item in items:
        text = text_of(item)
        if isinstance(item, Unknown):
            inner = _target_accounts(item)
        elif text is None or HOLE in text:
            inner = Unresolved("a text that is not known in full")
        else:
            inner = Accounts(account(text))
        if isinstance(inner, Unresolved):
            return inner
        found = found.union(inner)
    return found


# Policies


def _policies(facts: Facts) -> Iterator[Footprint]:
    yield from _untold_policies(facts)
    groups: dict[tuple[str, str, str], list[policy.Fact]] = {}
    for statement in facts.statements:
        effect = "allow" if statement.effect == "Allow" else "deny"
        key = (statement.resource.address, statement.attribute, effect)
        groups.setdefault(key, []).append(statement)
    for (address, attribute, effect), statements in groups.items():
        first = statements[0]
        found = policy.read(statements)
        related = chain(first.resources[0].value if first.resources else _none(), first.span)
        yield Footprint(
            facts.unit.address,
            address,
            first.resource.type,
            "allow" if effect == "allow" else "deny",
            attribute,
            Reach(),
            first.span,
            related=related,
            policy=found,
            holder=_holder(first.resource),
            exact=found.complete,
            of=_of(first.resource),
        )


_HOLDERS: Final = {
    "AWS::IAM::GroupPolicy": "GroupName",
    "AWS::IAM::RolePolicy": "RoleName",
    "AWS::IAM::UserPolicy": "UserName",
    "aws_iam_group_policy": "group",
    "aws_iam_role_policy": "role",
    "aws_iam_user_policy": "user",
}
"""Type of an inline policy → the argument that names who has it."""


def _holder(resource: Resource) -> str:
    value = resource.get(_HOLDERS[resource.type]) if resource.type in _HOLDERS else None
    if value is None or (isinstance(value, Unknown) and not value.subject):
        return ""
    return value.key().digest.hex()


def _attachments(facts: Facts) -> Iterator[Footprint]:
    """Managed policies of AWS that allow everything, or all of IAM, where they are attached."""
    attachments, scopes = tables.policy_attachments(), tables.scopes()
    for resource in facts.unit.resources:
        attribute = attachments.get(resource.type)
        if attribute is None or resource.is_data:
            continue
        for item in items_of(resource.get(attribute))[0]:
            name = (known_text(item) or "").rpartition(":policy/")[2].rpartition("/")[2]
            if name not in scopes.administrator_policies:
                continue
            at = place(item, resource.span) or resource.span
            yield Footprint(
                facts.unit.address,
                resource.address,
                resource.type,
                "allow",
                attribute,
                Reach(),
                at,
                words_of(item),
                chain(item, at),
                policy=policy.whole("iam:*" if name in scopes.self_granting_policies else "*", at),
                of=_of(resource),
            )


def kind_held(type_: str) -> str:
    """The type that a policy of its own is on, after which its type is named; ``""`` for others."""
    if not type_.endswith(("_policy", "Policy")) or type_ in _BY_ATTACHMENT:
        return ""
    return type_.removesuffix("Policy").removesuffix("_policy").removesuffix("_inline")


_BY_ATTACHMENT: Final = frozenset({"aws_iam_policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"})
"""Types of policies that say nothing of what they are on."""
_NAMES: Final = (
    *(
        "bucket",
        "name",
        "BucketName",
        "RoleName",
        "UserName",
        "GroupName",
        "QueueName",
        "TopicName",
    ),
    *("FunctionName",),
)
_ON: Final = (
    "bucket",
    "role",
    "user",
    "group",
    "queue_url",
    "arn",
    "repository",
    "key_id",
    "secret_arn",
    "vpc_endpoint_id",
    "domain_name",
    "resource_arn",
    "file_system_id",
)
"""Arguments by which policies of their own say what they are on."""


def _called(resource: Resource) -> tuple[str, ...]:
    names = [known_text(resource.get(name)) for name in _NAMES]
    return tuple([f"{resource.type}={name}" for name in names if name])


_RULES: Final = {
    "aws_iam_group_policy_attachment": ("aws_iam_group", "group"),
    "aws_iam_role_policy_attachment": ("aws_iam_role", "role"),
    "aws_iam_user_policy_attachment": ("aws_iam_user", "user"),
    "aws_network_acl_rule": ("aws_network_acl", "network_acl_id"),
    "aws_security_group_rule": ("aws_security_group", "security_group_id"),
    "aws_vpc_security_group_ingress_rule": ("aws_security_group", "security_group_id"),
    "azurerm_network_security_rule": (
        "azurerm_network_security_group",
        "network_security_group_name",
    ),
    "google_compute_firewall": ("google_compute_network", "network"),
}
"""Type of a rule or attachment → the type that it is on, and the argument that names it."""


_TEMPLATE_RULES: Final = {
    "AWS::EC2::NetworkAclEntry": (("AWS::EC2::NetworkAcl", "NetworkAclId"),),
    "AWS::EC2::SecurityGroupIngress": (("AWS::EC2::SecurityGroup", "GroupId"),),
    "AWS::IAM::GroupPolicy": (("AWS::IAM::Group", "GroupName"),),
    "AWS::IAM::ManagedPolicy": (
        *(("AWS::IAM::Role", "Roles"), ("AWS::IAM::User", "Users"), ("AWS::IAM::Group", "Groups")),
    ),
    "AWS::IAM::Policy": (
        *(("AWS::IAM::Role", "Roles"), ("AWS::IAM::User", "Users"), ("AWS::IAM::Group", "Groups")),
    ),
    "AWS::IAM::RolePolicy": (("AWS::IAM::Role", "RoleName"),),
    "AWS::IAM::UserPolicy": (("AWS::IAM::User", "UserName"),),
    "AWS::S3::BucketPolicy": (("AWS::S3::Bucket", "Bucket"),),
    "AWS::SNS::TopicPolicy": (("AWS::SNS::Topic", "Topics"),),
    "AWS::SQS::QueuePolicy": (("AWS::SQS::Queue", "Queues"),),
    "AWS::SecretsManager::ResourcePolicy": (("AWS::SecretsManager::Secret", "SecretId"),),
}
"""Type of a policy or rule → the types that it may be on, and the properties that name them.

AWS CloudFormation Template Reference, the types.
"""


def _of_template(resource: Resource) -> Iterator[str]:
    """What a policy or rule of a template is on: its logical id in the same stack, or its name."""
    around = resource.address.removesuffix(resource.name)
    for kind, name in _TEMPLATE_RULES[resource.type]:
        value = resource.get(name)
        for item in items_of(value)[0] if isinstance(value, Many) else [value]:
            text = known_text(item)
            if text:
                yield f"{kind}={text}"
            elif isinstance(item, Unknown) and item.meaning is Meaning.RESOURCE:
                yield around + item.subject.partition(".")[0]


def _of(resource: Resource) -> tuple[str, ...]:
    """What a policy or rule of its own is on."""
    on = known_text(resource.extra.get(MADE_ON))
    if on is not None:
        return (on,)
    if resource.type in _TEMPLATE_RULES:
        return tuple(_of_template(resource))
    kind, *arguments = _RULES.get(resource.type, (kind_held(resource.type), *_ON))
    value = next((v for name in arguments if (v := resource.get(name)) is not None), None)
    if not kind or value is None:
        return ()
    if not isinstance(value, Unknown):
        name = known_text(value)
        return (f"{kind}={name}",) if name else ()
    if not value.subject.startswith(f"{kind}."):
        return ()
    address = ".".join(value.subject.split(".")[:2])
    parts = iam.module_of(resource).split(".")[:-1]
    handed = any(evidence.step is Step.INPUT for evidence in value.via)
    # The module of the policy, then those around it; what was handed in comes from around it.
    depths = range(len(parts) - (2 if handed else 0), -1, -2)
    return tuple([".".join((*parts[:depth], address)) for depth in depths])


def _untold_policies(facts: Facts) -> Iterator[Footprint]:
    """Policies of which nobody can tell what they say."""
    for item in iam.policies(facts.unit):
        if item.document is not None:
            continue
        at = place(item.value, item.resource.span) or item.resource.span
        yield Footprint(
            facts.unit.address,
            item.resource.address,
            item.resource.type,
            "allow",
            item.attribute,
            Reach(),
            at,
            words_of(item.value),
            chain(item.value, at),
            exact=False,
        )


def _none() -> Value:
    return Known(None)


# Environments


def _audiences(facts: Facts) -> Iterator[Footprint]:
    """What stands for several environments: a block or call that is repeated for each."""
    unit = facts.unit.address
    repeated = [
        *((r.address, r.type, r.collection, r.collection_span) for r in facts.unit.resources),
        *((m.address, "module", m.collection, m.collection_span) for m in facts.unit.modules),
    ]
    scopes = tables.scopes()
    for address, type_, collection, span in repeated:
        if collection is None or span is None:
            continue
        if isinstance(collection, Mapping):
            keys, complete = list(collection.entries), collection.complete
        else:
            items, complete = items_of(collection)
            keys = [text for item in items if (text := known_text(item)) is not None]
        named = {k for k in keys if scopes.environment_of(environment_words(k)) is not None}
        if not named or not complete:
            continue
        yield Footprint(
            unit,
            address,
            type_,
            "audience",
            "for_each",
            Reach(environment=Environments(*sorted(named))),
            place(collection, span) or span,
            origin(collection),
            chain(collection, span),
            home=span,
        )


# Settings that hold for everything under a provider

_PROVIDER_SETTINGS: Final = (
    "allowed_account_ids",
    "default_labels",
    "default_tags",
    "endpoints",
    "features",
    "forbidden_account_ids",
    "project",
    "subscription_id",
    "tenant_id",
)
"""Arguments of provider configurations that decide where their resources are or what they get.

terraform-provider-aws, -google and -azurerm documentation, provider configuration references. Regions
are the placement of each resource, and are compared there.
"""
ACCOUNT_GUARDS: Final = frozenset({"allowed_account_ids", "forbidden_account_ids", "env.account"})
"""Those of them that keep everything out of the wrong account."""
_CREDENTIALS: Final = ("assume_role", "profile", "access_key", "impersonate_service_account")


def _providers(facts: Facts) -> Iterator[Footprint]:
    under: dict[int, list[tuple[str, Span]]] = {}
    for resource in facts.unit.resources:
        if resource.provider is not None and not resource.is_data:
            under.setdefault(id(resource.provider), []).append((resource.address, resource.span))
    for provider in facts.unit.providers:
        if not provider.declared or not provider.address:
            continue
        used = tuple(under.get(id(provider), ()))
        common = Footprint(
            facts.unit.address,
            provider.address,
            f"provider.{provider.name}",
            "provider",
            "",
            Reach(),
            provider.span,
            home=provider.span,
            under=used,
        )
        yield common
        for name in (*_PROVIDER_SETTINGS, *_CREDENTIALS):
            value = provider.get(name)
            if value is None or (isinstance(value, Known) and value.data is None):
                continue
            at = place(value, provider.span) or provider.span
            yield replace(
                common,
                attribute=name,
                span=at,
                words=origin(value),
                related=chain(value, at),
                value=value,
            )
    yield from _stacks(facts)


def _stacks(facts: Facts) -> Iterator[Footprint]:
    """The account of a stack, which decides for all that is in it. Its region is that of each."""
    for stack in facts.unit.stacks:
        common = Footprint(
            facts.unit.address,
            f"stack {stack.name}",
            "stack",
            "provider",
            "",
            Reach(),
            stack.span,
            home=stack.span,
            under=tuple(
                (resource.address, resource.span)
                for resource in facts.unit.resources
                if resource.address.startswith(f"{stack.name}/")
            ),
        )
        yield common
        if stack.account is not None and not isinstance(stack.account, Unknown):
            at = place(stack.account, stack.span) or stack.span
            yield replace(
                common,
                attribute="env.account",
                span=at,
                words=origin(stack.account),
                related=chain(stack.account, at),
                value=stack.account,
            )


# Guards and rollouts


def _fixed(unit: str, resource: Resource) -> Iterator[Footprint]:
    """The arguments of something that holds data whose change replaces it."""
    row = tables.stateful().get(resource.type)
    if row is None or resource.request:
        return  # a call that names another thing replaces none
    if known_text(resource.get("UpdateReplacePolicy")) == "Retain":
        return
    for name in sorted(row.replaced_by):
        for value in at_path(resource.get, name):
            if isinstance(value, Known) and value.data is None:
                continue
            at = place(value, resource.span) or resource.span
            yield Footprint(
                unit,
                resource.address,
                resource.type,
                "fixed",
                name,
                Reach(),
                at,
                origin(value),
                chain(value, at),
                stateful=True,
                home=resource.span,
                value=value,
            )
            break


_NO_GUARDS: Final = frozenset({"disposable", "immediate", "major-upgrade"})
"""Kinds of the table of guards that say when a change comes and not what it may take away, and what
`_kept_by_stack` says."""


def _guards(facts: Facts) -> Iterator[Footprint]:
    yield from _untold_guards(facts)
    for guard in facts.guards:
        if guard.kind in _NO_GUARDS:
            continue
        held = Guards() if guard.unsafe else Guards(f"{guard.attribute} = {guard.safe_text}")
        at = place(guard.value, guard.resource.span) or guard.resource.span
        yield Footprint(
            facts.unit.address,
            guard.resource.address,
            guard.resource.type,
            "guard",
            f"{guard.kind}:{guard.attribute}",
            Reach(guards=held),
            at,
            origin(guard.value),
            chain(guard.value, at),
        )


def _untold_guards(facts: Facts) -> Iterator[Footprint]:
    """Guards that are set to what nobody can tell."""
    table = tables.guards()
    for resource in facts.unit.resources:
        for row in () if resource.is_data else table.get(resource.type, ()):
            if row.kind in _NO_GUARDS:
                continue
            for value in at_path(resource.get, row.attribute):
                if isinstance(value, Known):
                    continue
                at = place(value, resource.span) or resource.span
                yield Footprint(
                    facts.unit.address,
                    resource.address,
                    resource.type,
                    "guard",
                    f"{row.kind}:{row.attribute}",
                    Reach(guards=Unresolved(words_of(value))),
                    at,
                    origin(value),
                    chain(value, at),
                    exact=False,
                )


def _lifecycle(unit: str, resource: Resource) -> Iterator[Footprint]:
    for body in bodies_of(resource.get("lifecycle")):
        value = body.get("prevent_destroy")
        if value is None:
            continue
        held = truth(value)
        yield Footprint(
            unit,
            resource.address,
            resource.type,
            "lifecycle",
            "prevent_destroy",
            Reach(guards=Guards("prevent_destroy") if held else Guards()),
            value.span or resource.span,
            exact=held is not None,
        )


def _kept_by_stack(unit: str, resource: Resource) -> Iterator[Footprint]:
    """What keeps an object when its stack lets go of it, or replaces it.

    AWS CloudFormation Template Reference, "DeletionPolicy attribute", "UpdateReplacePolicy attribute".
    """
    for name in _POLICIES:
        value = resource.get(name)
        if value is None or not tables.is_stateful(resource.type):
            continue
        text = known_text(value)
        keeps = text is not None and text != "Delete"
        yield Footprint(
            unit,
            resource.address,
            resource.type,
            "lifecycle",
            name,
            Reach(
                guards=Guards(f"{name}: {text}" if text in _WEAKER else name) if keeps else Guards()
            ),
            value.span or resource.span,
            exact=text is not None,
        )


def _rollouts(facts: Facts) -> Iterator[Footprint]:
    for rollout in facts.rollouts:
        if rollout.kind != "step":
            continue
        at = place(rollout.value, rollout.resource.span) or rollout.resource.span
        yield Footprint(
            facts.unit.address,
            rollout.resource.address,
            rollout.resource.type,
            "rollout",
            "step",
            Reach(fleet=Fleet(rollout.percent)),
            at,
            origin(rollout.value),
            chain(rollout.value, at),
        )


_HTTPS: Final = 443


def _endpoints(facts: Facts) -> Iterator[Footprint]:
    """Endpoints on the internet; which port it is says nothing here."""
    for endpoint in facts.endpoints:
        found = []
        texts = ["0.0.0.0/0"] if endpoint.open_by_default else [s.text for s in endpoint.sources]
        for text in texts:
            try:
                found.append(Opening(text, "tcp", _HTTPS, _HTTPS))
            except ValueError:
                continue
        value = endpoint.switch or next((s.value for s in endpoint.sources), None)
        span = endpoint.resource.span
        at = span if value is None else place(value, span) or span
        yield Footprint(
            facts.unit.address,
            endpoint.resource.address,
            endpoint.resource.type,
            "network",
            endpoint.attribute,
            Reach(network=Network(*found)),
            at,
            "" if value is None else origin(value),
            () if value is None else chain(value, at),
        )


def _members(facts: Facts) -> Iterator[Footprint]:
    """Who gets a role, whatever role it is."""
    for binding in facts.bindings:
        known = [member for member in binding.members if HOLE not in member.text]
        first = known[0] if known else None
        span = binding.resource.span
        yield Footprint(
            facts.unit.address,
            binding.resource.address,
            binding.resource.type,
            "member",
            "members",
            Reach(principals=Principals(*(member.text for member in known))),
            span if first is None else place(first.value, first.span) or first.span,
            "" if first is None else origin(first.value),
            () if first is None else chain(first.value),
            open=len(binding.members) - len(known) + binding.unnamed + (not binding.members_known),
        )


def _flags(facts: Facts) -> Iterator[Footprint]:
    for share in flags.shares(facts):
        at = place(share.value, share.holder.span) or share.holder.span
        yield Footprint(
            facts.unit.address,
            share.holder.address,
            share.holder.type,
            "flag",
            share.attribute,
            Reach(fleet=Fleet(share.percent)) if share.percent > 0 else Reach(),
            at,
            origin(share.value),
            chain(share.value, at),
        )


def _settings(facts: Facts) -> Iterator[Footprint]:
    for item in scopes.scopes(facts):
        at = item.span
        yield Footprint(
            facts.unit.address,
            item.address,
            "setting",
            "setting",
            item.attribute,
            item.reach,
            at,
            "" if item.value is None else origin(item.value),
            () if item.value is None else chain(item.value, at),
            home=item.home,
        )


def _calls(facts: Facts) -> Iterator[Footprint]:
    """Where a program sends the calls that change something, and that stand for no resource."""
    told = {(r.span.path, r.span.start) for r in facts.unit.resources if r.type.startswith("AWS::")}
    for call in facts.unit.calls:
        address = f"{facts.unit.address}: {call.name}"
        if call.dry or call.effect not in ("write", "destroy"):
            continue
        if (call.name_span.path, call.name_span.start) in told:
            continue
        value, client = call.client.region, call.client.span
        regions = regions_of(value)
        at = place(value, client) or client
        yield Footprint(
            facts.unit.address,
            address,
            "call",
            "placement",
            "region",
            Reach(regions=regions, partitions=_partitions(regions, None)),
            at,
            origin(value),
            chain(value, at),
            exact=not isinstance(regions, Unresolved),
            home=call.span,
        )


def _networks(facts: Facts) -> Iterator[Footprint]:
    for resource, attribute, value in unsettled(facts.unit):
        at = place(value, resource.span) or resource.span
        yield Footprint(
            facts.unit.address,
            resource.address,
            resource.type,
            "network",
            attribute or "rule",
            Reach(network=Network()),
            at,
            exact=False,
            open=1,
            unknown=words_of(value),
        )
    for opening in facts.openings:
        first = opening.sources[0]
        at = place(first.value, first.span) or first.span
        yield Footprint(
            facts.unit.address,
            opening.resource.address,
            opening.resource.type,
            "network",
            opening.attribute or "rule",
            Reach(network=network_of(opening, opening.sources)),
            at,
            origin(first.value),
            chain(first.value, at),
            of=_of(opening.resource),
        )
