"""Shares that a feature flag, a weight or a dial lets through, in percent.

Sources: AWS AppConfig User Guide, "Type reference for AWS.AppConfig.FeatureFlags"; Terraform provider
documentation and AWS CloudFormation Template Reference of the types below, argument references.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.evaluate.expression import to_number
from blastdoor.evaluate.jsontext import decode
from blastdoor.facts.reading import at_path, blocks_at, bodies_of, items_of, words_of
from blastdoor.facts.setting import address_of, word_set, words_in
from blastdoor.value import Known, Many, Mapping, Meaning, OneOf, Unknown, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from blastdoor.fact import Facts, Resource, Setting
    from blastdoor.span import Span

    Get = Callable[[str], Value | None]

WHOLE: Final = 100
_DOCUMENTS: Final = {
    "aws_appconfig_hosted_configuration_version": "content",
    "AWS::AppConfig::HostedConfigurationVersion": "Content",
    "document of settings": "content",
}
"""Type → the argument whose text is a document of settings."""
_DIALS: Final = {
    "aws_globalaccelerator_endpoint_group": "traffic_dial_percentage",
    "AWS::GlobalAccelerator::EndpointGroup": "TrafficDialPercentage",
}
"""Type → the argument that is a share itself."""
_ALIASES: Final = {
    "aws_lambda_alias": ("function_version", "routing_config", "additional_version_weights"),
    "AWS::Lambda::Alias": ("FunctionVersion", "RoutingConfig", "AdditionalVersionWeights"),
}
"""Type → the arguments with its version and its weights: a map, or a list of versions and weights."""
_LISTENERS: Final = {
    "aws_lb_listener": ("default_action.forward", "target_group", "arn", "weight"),
    "aws_lb_listener_rule": ("action.forward", "target_group", "arn", "weight"),
    "AWS::ElasticLoadBalancingV2::Listener": (
        *("DefaultActions.ForwardConfig", "TargetGroups", "TargetGroupArn", "Weight"),
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": (
        *("Actions.ForwardConfig", "TargetGroups", "TargetGroupArn", "Weight"),
    ),
}
"""Type → the path to its groups of targets, and what they call the group and its weight."""
_RECORDS: Final = {
    "aws_route53_record": (
        *("weighted_routing_policy.weight", "set_identifier", "name", "zone_id", ""),
    ),
    "AWS::Route53::RecordSet": (
        *("Weight", "SetIdentifier", "Name", "HostedZoneId", "HostedZoneName"),
    ),
}
"""Type → the arguments with its weight, its own name, the name it answers to and its zone."""
_SHARES: Final = frozenset({"rollout", "percent", "percentage", "weight", "traffic"})
"""Keys of a document whose number is a share."""
_AUDIENCES: Final = frozenset({"targets", "users", "segments"})
_ROLLOUTS: Final = frozenset(
    {"canary", "experiment", "experiments", "feature", "features", "flag", "flags", "release"}
    | {"releases", "rollout", "rollouts", "traffic"}
)
"""Words of settings whose shares are of users or traffic."""
_EVERYONE: Final = frozenset({"*", "all", "everyone"})
_MAX_NODES: Final = 20_000
"""Values of one document that are looked at."""


class Holder(NamedTuple):
    """What lets a share through: a resource, or a setting of a program."""

    address: str
    type: str
    span: Span


class Share(NamedTuple):
    """One share of traffic or users."""

    holder: Holder
    attribute: str
    """Where it is, told by names and not by positions."""
    percent: float
    """0 to 100."""
    value: Value


def shares(facts: Facts) -> Iterator[Share]:
    """Every share that the code says, of resources that belong together and of settings."""
    yield from _of_resources(facts.unit.resources)
    if facts.unit.language == "python":
        for setting in facts.unit.settings:
            if setting.kind == "local":
                yield from _of_setting(setting)


def _of_setting(setting: Setting) -> Iterator[Share]:
    """The shares of a named value of a program; a weight may be that of anything."""
    words = words_in(setting.name)
    holder = Holder(address_of(setting, ()), "setting", setting.name_span)
    own = words[-1] if words else ""
    for path, found in _within(setting.value, own):
        named = word_set((setting.name, *path.split(".")))
        if not named.isdisjoint(_ROLLOUTS):
            yield Share(holder, path or setting.name, found[0], found[1])


def _of_resources(resources: Iterable[Resource]) -> Iterator[Share]:
    records: dict[tuple[str, ...], list[tuple[Resource, str, Value, float]]] = defaultdict(list)
    for resource in resources:
        if resource.is_data:
            continue
        type_ = resource.type
        if type_ in _DOCUMENTS:
            yield from _document(resource, _DOCUMENTS[type_])
        elif type_ in _DIALS:
            value = resource.get(_DIALS[type_])
            yield from _share(resource, _DIALS[type_], value, 1)
        elif type_ in _ALIASES:
            yield from _alias(resource)
        elif type_ in ("google_cloud_run_v2_service", "google_cloud_run_service"):
            yield from _traffic(resource)
        elif type_ in _LISTENERS:
            yield from _listener(resource)
        elif type_ in _RECORDS:
            weighing, own, *names = _RECORDS[type_]
            for weight in at_path(resource.get, weighing):
                number = to_number(weight)
                if number is not None:
                    key = tuple([words_of(resource.get(name)) if name else "" for name in names])
                    told = f"{weighing.partition('.')[0]}[{words_of(resource.get(own))}]"
                    records[key].append((resource, told, weight, number))
    for group in records.values():
        total = sum(number for _resource, _told, _weight, number in group)
        if total > 0 and len(group) > 1:
            for resource, told, weight, number in group:
                yield Share(_held(resource), told, number * WHOLE / total, weight)


def _share(
    resource: Resource, attribute: str, value: Value | None, factor: float
) -> Iterator[Share]:
    number = None if value is None else to_number(value)
    if value is not None and number is not None and 0 <= number * factor <= WHOLE:
        yield Share(_held(resource), attribute, number * factor, value)


def _held(resource: Resource) -> Holder:
    return Holder(resource.address, resource.type, resource.span)


def _alias(resource: Resource) -> Iterator[Share]:
    """The share of the version that is being brought in; without weights its version has all."""
    name, config, table = _ALIASES[resource.type]
    at = resource.get(name)
    if isinstance(resource.get(config), (OneOf, Unknown)):
        return
    weights: list[tuple[str | None, Value | None]] = []
    for found in at_path(resource.get, f"{config}.{table}"):
        if isinstance(found, Mapping) and found.complete:
            weights += found.entries.items()
        weights += [
            (_version(item.get("FunctionVersion")), item.get("FunctionWeight"))
            for item in (found.items if isinstance(found, Many) else ())
            if isinstance(item, Mapping)
        ]
    for version, value in weights:
        if version is not None:
            yield from _share(resource, f"version {version}", value, WHOLE)
    current = _version(at)
    if current is not None and at is not None and not weights:
        yield Share(_held(resource), f"version {current}", WHOLE, at)


def _version(value: Value | None) -> str | None:
    """What tells a version from another: its number, or the resource that it comes from."""
    if isinstance(value, Unknown) and value.meaning is Meaning.RESOURCE:
        return value.subject
    return known_text(value)


def _traffic(resource: Resource) -> Iterator[Share]:
    for body in bodies_of(resource.get("traffic")):
        who = known_text(body.get("revision")) or known_text(body.get("revision_name"))
        if who is None and (
            known_text(body.get("type")) == "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
            or words_of(body.get("latest_revision")) == "true"
        ):
            who = "the latest revision"
        if who is not None:
            yield from _share(resource, f"traffic of {who}", body.get("percent"), 1)


def _listener(resource: Resource) -> Iterator[Share]:
    path, inside, who, weighing = _LISTENERS[resource.type]
    for forward in blocks_at(resource.get, path):
        groups = [
            (words_of(body.get(who)), weight, number)
            for body in bodies_of(forward.get(inside))
            for weight in [body.get(weighing)]
            if weight is not None
            for number in [to_number(weight)]
            if number is not None
        ]
        total = sum(number for _name, _weight, number in groups)
        if total > 0 and len(groups) > 1:
            for name, weight, number in groups:
                yield Share(_held(resource), f"target group {name}", number * WHOLE / total, weight)


def _document(resource: Resource, argument: str) -> Iterator[Share]:
    value = resource.get(argument)
    document = None if value is None else decode(value)
    if document is not None:
        for path, (percent, said) in _within(document):
            yield Share(_held(resource), f"{argument}.{path}", percent, said)


def _within(document: Value, key: str = "") -> Iterator[tuple[str, tuple[float, Value]]]:
    """(path, share and what says it) of each share in a document; ``key`` names the whole."""
    stack: list[tuple[str, str, Value]] = [("", key, document)]
    seen = 0
    while stack and seen < _MAX_NODES:
        path, key, current = stack.pop()
        seen += 1
        if isinstance(current, Mapping):
            for name, inner in reversed(current.entries.items()):
                stack.append((f"{path}.{name}" if path else name, name.lower(), inner))
        elif key in _SHARES and isinstance(current, Known) and not isinstance(current.data, bool):
            number = to_number(current)
            if number is not None and 0 <= number <= WHOLE:
                yield path, (number, current)
        elif key in _AUDIENCES:
            items, complete = items_of(current)
            if complete and any((known_text(i) or "").lower() in _EVERYONE for i in items):
                yield path, (WHOLE, current)
            elif complete:
                yield path, (0, current)
        elif isinstance(current, Many):
            stack.extend((path, key, item) for item in reversed(current.items))
