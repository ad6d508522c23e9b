"""Shares that a feature flag, a weight or a dial lets through, in percent.

Sources: AWS AppConfig User Guide, "Type reference for AWS.AppConfig.FeatureFlags"; Terraform provider
documentation of the types below, argument references.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.evaluate.expression import to_number
from blastdoor.evaluate.jsontext import decode
from blastdoor.facts.reading import blocks_at, bodies_of, items_of, words_of
from blastdoor.value import Known, Many, Mapping, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from blastdoor.fact import Resource

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
_EVERYONE: Final = frozenset({"*", "all", "everyone"})
_MAX_NODES: Final = 20_000
"""Values of one document that are looked at."""


class Share(NamedTuple):
    """One share of traffic or users."""

    resource: Resource
    attribute: str
    """Where it is, told by names and not by positions."""
    percent: float
    """0 to 100."""
    value: Value


def shares(resources: Iterable[Resource]) -> Iterator[Share]:
    """Every share that the code says, of resources that belong together."""
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
        elif type_ == "aws_lambda_alias":
            yield from _alias(resource)
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
                yield Share(resource, f"weighted_routing_policy[{name}]", percent, weight)


def _share(
    resource: Resource, attribute: str, value: Value | None, factor: float
) -> Iterator[Share]:
    number = None if value is None else to_number(value)
    if value is not None and number is not None and 0 <= number * factor <= WHOLE:
        yield Share(resource, attribute, number * factor, value)


def _alias(resource: Resource) -> Iterator[Share]:
    """The share of the version that is being brought in; without weights its version has all."""
    current = known_text(resource.get("function_version"))
    weights = [
        (version, value)
        for body in bodies_of(resource.get("routing_config"))
        for found in [body.get("additional_version_weights")]
        if isinstance(found, Mapping) and found.complete
        for version, value in found.entries.items()
    ]
    for version, value in weights:
        yield from _share(resource, f"version {version}", value, WHOLE)
    at = resource.get("function_version")
    if current is not None and at is not None and not weights:
        yield Share(resource, f"version {current}", WHOLE, at)


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
                    yield Share(resource, f"target group {name}", number * WHOLE / total, weight)


def _document(resource: Resource, argument: str) -> Iterator[Share]:
    value = resource.get(argument)
    document = None if value is None else decode(value)
    if document is None:
        return
    stack: list[tuple[str, str, Value]] = [("", "", document)]
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
                yield Share(resource, f"{argument}.{path}", number, current)
        elif key in _AUDIENCES:
            items, complete = items_of(current)
            if complete and any((known_text(i) or "").lower() in _EVERYONE for i in items):
                yield Share(resource, f"{argument}.{path}", WHOLE, current)
            elif complete:
                yield Share(resource, f"{argument}.{path}", 0, current)
        elif isinstance(current, Many):
            stack.extend((path, key, item) for item in reversed(current.items))
