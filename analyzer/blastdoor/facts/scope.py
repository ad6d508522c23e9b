"""Every place of a unit that says a region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from blastdoor import tables
from blastdoor.fact import Scope
from blastdoor.facts.reading import at_path, items_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from blastdoor.fact import Evaluated, Resource, Statement, Term
    from blastdoor.value import Value

_LIST_ARGUMENTS = (
    ("aws_dynamodb_global_table", "replica.region_name"),
    ("aws_dynamodb_table", "replica.region_name"),
    ("aws_config_configuration_aggregator", "account_aggregation_source.regions"),
)


def scopes(unit: Evaluated, statements: Sequence[Statement]) -> Iterator[Scope]:
    """The regions that providers, resources, targets, backends and ARNs name."""
    for provider in unit.providers:
        if provider.name in ("aws", "google", "google-beta") and provider.region_span is not None:
            if provider.name == "aws":
                yield Scope(
                    provider.region, provider.region_span, "provider", provider.address, "region"
                )
            else:
                yield from _google(provider.get, ("region",), "provider", provider.address)
    for client in unit.clients:
        if client.given and client.endpoint is None and client.region.span is not None:
            owner = f"a client of {client.service}"
            yield Scope(client.region, client.region.span, "provider", owner, "region_name")
    for stack in unit.stacks:
        if stack.region is not None and stack.region.span is not None:
            owner = f"stack {stack.name}"
            yield Scope(stack.region, stack.region.span, "provider", owner, "env.region")
    for backend in unit.backends:
        if backend.kind == "s3":
            yield Scope(backend.region, backend.span, "backend", backend.address, "region")
    for resource in unit.resources:
        if not tables.is_aws(resource.type):
            yield from _elsewhere(resource)
            continue
        if resource.region is not None and resource.provider is not None:
            own = resource.region is not resource.provider.region
            if own and resource.region.span is not None:
                yield Scope(
                    resource.region, resource.region.span, "resource", resource.address, "region"
                )
        for path in _paths(resource):
            for value in at_path(resource.get, path):
                for item in items_of(value)[0]:
                    if item.span is not None:
                        yield Scope(item, item.span, "target", resource.address, path)
    for statement in statements:
        if statement.not_resources:
            continue
        for term in statement.resources:
            yield from _arn_scope(statement, term)


def _paths(resource: Resource) -> Iterator[str]:
    """The arguments of a resource, other than its own region, that name regions."""
    target = tables.locations().targets.get(resource.type)
    if target is not None:
        yield target.argument(lambda name: resource.get(name) is not None)
    for type_, path in _LIST_ARGUMENTS:
        if resource.type == type_:
            yield path


def _elsewhere(resource: Resource) -> Iterator[Scope]:
    """The place that a resource of Google Cloud or Azure names, as it is written."""
    if resource.is_data:
        return
    if resource.type.startswith("google_"):
        yield from _google(resource.get, ("region", "location"), "resource", resource.address)
    elif resource.type.startswith("azurerm_"):
        value = resource.get("location")
        if value is not None and value.span is not None:
            yield Scope(value, value.span, "resource", resource.address, "location", "azure")


def _google(
    get: Callable[[str], Value | None],
    names: tuple[str, ...],
    position: Literal["provider", "resource"],
    owner: str,
) -> Iterator[Scope]:
    for name in names:
        value = get(name)
        if value is not None and value.span is not None:
            yield Scope(value, value.span, position, owner, name, "google")


def _arn_scope(statement: Statement, term: Term) -> Iterator[Scope]:
    text = term.text
    if not text.startswith("arn:") or text.count(":") < 5:  # noqa: PLR2004  an ARN's fields
        return
    yield Scope(term.value, term.span, "arn", statement.resource.address, statement.attribute)
