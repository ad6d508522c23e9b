"""Shares that a feature flag, a weight or a dial lets through, in percent.

Sources: AWS AppConfig User Guide, "Type reference for AWS.AppConfig.FeatureFlags"; Terraform provider
documentation of the types below, argument references.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.evaluate.expression import to_number
from blastdoor.evaluate.jsontext import decode
from blastdoor.facts.reading import at_path, blocks_at, bodies_of, items_of, words_of
from blastdoor.facts.setting import address_of, word_set, words_in
from blastdoor.value import Known, Many, Mapping, Unknown, Value, known_text

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
    records: dict[tuple[str, str], list[tuple[Resource, Value, float]]] = defaultdict(list)
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
            yield from _alias(resource, _ALIASES[type_])
        elif type_ in ("google_cloud_run_v2_service", "google_cloud_run_service"):
            yield from _traffic(resource)
        elif type_ in ("aws_lb_listener", "aws_lb_listener_rule"):
            yield from _listener(resource)
        elif type_ == "aws_route53_record":
            for body in bodies_of(resource.get("weighted_routing_policy")):
                weight = body.get("weight")
                number = None if weight is None else to_number(weight)
                if weight is not None and number is not None:
                    key = (words_of(resource.get("zone_id")), words_of(resource.get("name")))
                    records[key].append((resource, weight, number))
    for group in records.values():
        total = sum(number for _resource, _weight, number in group)
        if total > 0 and len(group) > 1:
            for resource, weight, number in group:
                name = words_of(resource.get("set_identifier"))
                percent = number * WHOLE / total
                yield Share(_held(resource), f"weighted_routing_policy[{name}]", percent, weight)


def _share(
    resource: Resource, attribute: str, value: Value | None, factor: float
) -> Iterator[Share]:
    number = None if value is None else to_number(value)
    if value is not None and number is not None and 0 <= number * factor <= WHOLE:
        yield Share(_held(resource), attribute, number * factor, value)


def _held(resource: Resource) -> Holder:
    return Holder(resource.address, resource.type, resource.span)


class _Alias(NamedTuple):
    """What a type of alias calls its version, and the weights beside it."""

    version: str
    weights: str
    listed: tuple[str, str] | None = None
    """The names of version and weight, where the weights are a list."""


_ALIASES: Final = {
    "aws_lambda_alias": _Alias("function_version", "routing_config.additional_version_weights"),
    "AWS::Lambda::Alias": _Alias(
        "FunctionVersion",
        "RoutingConfig.AdditionalVersionWeights",
        ("FunctionVersion", "FunctionWeight"),
    ),
}
"""Type → its names; calls of the API write the weights as a map, templates as a list."""


def _alias(resource: Resource, row: _Alias) -> Iterator[Share]:
    """The share of the version that is being brought in; without weights its version has all."""
    current = known_text(resource.get(row.version))
    weights: list[tuple[str, Value]] = []
    for found in at_path(resource.get, row.weights):
        if isinstance(found, Mapping) and found.complete:
            weights.extend(found.entries.items())
        elif row.listed is not None and isinstance(found, Many):
            version, weight = row.listed
            weights.extend(
                (words_of(body.get(version)), value)
                for body in bodies_of(found)
                for value in [body.get(weight)]
                if value is not None
            )
    for name, value in weights:
        yield from _share(resource, f"version {name}", value, WHOLE)
    at = resource.get(row.version)
    open_ = resource.get(row.weights.partition(".")[0])
    if current is not None and at is not None and not weights and not isinstance(open_, Unknown):
        yield Share(_held(resource), f"version {current}", WHOLE, at)


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
    for block in ("default_action", "action"):
        for forward in blocks_at(resource.get, f"{block}.forward"):
            groups = [
                (words_of(body.get("arn")), weight, number)
                for body in bodies_of(forward.get("target_group"))
                for weight in [body.get("weight")]
                if weight is not None
                for number in [to_number(weight)]
                if number is not None
            ]
            total = sum(number for _name, _weight, number in groups)
            if total > 0 and len(groups) > 1:
                for name, weight, number in groups:
                    yield Share(
                        _held(resource), f"target group {name}", number * WHOLE / total, weight
                    )


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
