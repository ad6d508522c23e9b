"""Judgements over destroys that take away what others use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.detect.owned import Owned
from blastdoor.facts.reading import at_path, chain, origin, place, set_to, words_of
from blastdoor.finding import Level
from blastdoor.value import Known, Reason, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blastdoor.fact import Facts
    from blastdoor.span import Span
    from blastdoor.value import Value


def shared_api_disabled(facts: Facts) -> Iterator[Hit]:
    """Destroying what is here takes away services, accounts or resources that others use."""
    rows = tables.shared()
    owned = Owned(facts)
    for resource in facts.unit.resources:
        if resource.is_data:
            continue
        for row in rows:
            if row.type == resource.type and not _is_made_here(resource.get("service")):
                condition = "own-project" if owned.has_project_of(resource) else ""
                found = list(_hits(row, resource.get, resource.address, resource.span, condition))
                yield from found
                if found:
                    break  # the first row says the most
    for provider in facts.unit.providers:
        for row in rows:
            if row.type == f"provider.{provider.name}":
                yield from _hits(row, provider.get, provider.address, provider.span, "")


def _is_made_here(service: Value | None) -> bool:
    """Whether the service is one of this configuration's own, which nobody else enables."""
    return isinstance(service, Unknown) and service.reason is Reason.COMPUTED


def _hits(
    row: tables.SharedRow,
    get: Callable[[str], Value | None],
    address: str,
    span: Span,
    condition: str,
) -> Iterator[Hit]:
    for value in at_path(get, row.attribute):
        if not isinstance(value, Known) or not row.is_unsafe(value.data):
            continue
        at = place(value, span) or span
        where = origin(value)
        yield Hit(
            at,
            f"accounts: destroying {address} takes away {row.takes} "
            f"({row.attribute.rsplit('.', 1)[-1]} = {words_of(value)}"
            f"{', ' + where if where else ''})",
            address,
            row.attribute,
            "accounts",
            words_of(value),
            condition if row.level is Level.ERROR else "",
            level=row.level,
            contain=row.contain,
            related=chain(value, at),
            remedies=set_to(value, row.attribute, not value.data)
            if isinstance(value.data, bool)
            else (),
        )
