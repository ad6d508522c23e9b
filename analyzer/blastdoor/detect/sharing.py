"""Judgements over shares: images, snapshots, documents and resource shares that leave the account.

Sources: Amazon EC2 User Guide, "Make your AMI publicly available for use in Amazon EC2"; Amazon RDS
API Reference, ModifyDBSnapshotAttribute; AWS Systems Manager API Reference, ModifyDocumentPermission;
AWS RAM API Reference, CreateResourceShare; the arguments are in the table of policies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import at_path, chain, items_of, origin, place, set_to, text_of, truth
from blastdoor.reach import Accounts, Principals, Reach
from blastdoor.value import Mapping, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Resource
    from blastdoor.value import Value

_WORD: Final = re.compile(r"[a-z]+")
_PUBLISHED: Final = frozenset({"public", "publish", "published", "publisher", "marketplace"})
"""Words of something that is meant for everyone."""
_CUSTOMERS: Final = frozenset(
    {"customer", "customers", "partner", "partners", "vendor", "vendors", "external"}
)
"""Words of a share that is meant for others."""


def shared_with_everyone(facts: Facts) -> Iterator[Hit]:
    """An image, a snapshot or a document is shared with every account there is."""
    table = tables.share_attributes()
    for resource in facts.unit.resources:
        if resource.is_data:
            continue
        for row in table.get(resource.type, ()):
            if any(known_text(resource.get(name)) != text for name, text in row.when.items()):
                continue
            for value in at_path(resource.get, row.attribute):
                for item in items_of(value)[0]:
                    found = _named_everyone(item, row)
                    if found is not None:
                        yield _everyone(resource, row, found)


def _named_everyone(item: Value, row: tables.ShareAttribute) -> Value | None:
    """The value that names everyone; the ids of a document stand in one text, behind commas."""
    value = item.get(row.key) if row.key and isinstance(item, Mapping) else item
    text = known_text(value)
    if text is None:
        return None
    names = {name.strip().lower() for name in text.split(",")}
    return value if row.everyone.lower() in names else None


def _everyone(resource: Resource, row: tables.ShareAttribute, value: Value) -> Hit:
    at = place(value, resource.span) or resource.span
    return Hit(
        at,
        f"principals: every AWS account can {row.may} ({_said(row.attribute, value)}), by "
        f"{resource.address}",
        resource.address,
        row.attribute,
        "principals",
        row.everyone,
        "published" if _speaks_of(resource, _PUBLISHED) else "",
        contain=row.contain,
        related=chain(value, at),
        reach=Reach(principals=Principals("*")),
    )


def external_sharing_allowed(facts: Facts) -> Iterator[Hit]:
    """A resource share may be given to accounts outside of the organization."""
    for resource in facts.unit.resources:
        row = None if resource.is_data else tables.things("resource-share").get(resource.type)
        if row is None:
            continue
        attribute = row.names["external"]
        value = resource.get(attribute)
        if value is None or truth(value) is not True:
            continue
        at = place(value, resource.span) or resource.span
        yield Hit(
            at,
            "accounts: any account, outside of the organization too, can be added to "
            f"{resource.address} ({_said(attribute, value)})",
            resource.address,
            attribute,
            "accounts",
            "true",
            "for-others" if _speaks_of(resource, _CUSTOMERS) else "",
            contain=f"set {attribute} = false",
            related=chain(value, at),
            remedies=set_to(value, attribute, False),  # noqa: FBT003  the literal
            reach=Reach(accounts=Accounts("*")),
        )


def _speaks_of(resource: Resource, words: frozenset[str]) -> bool:
    name = resource.get("name")
    said = [*resource.path, (text_of(name) or "") if name is not None else ""]
    return any(not words.isdisjoint(_WORD.findall(part.lower())) for part in said)


def _said(attribute: str, value: Value) -> str:
    where = origin(value)
    shown = "true" if truth(value) else known_text(value)
    return f"{attribute} = {shown}{', ' + where if where else ''}"
