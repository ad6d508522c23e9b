"""Judgements over resources that replace what others have put there, instead of adding to it.

Sources: terraform-provider-google, IAM resources: authoritative, authoritative for a given role,
non-authoritative; the rest is in the table of bindings.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.binding import SCOPES, scope_name
from blastdoor.detect.hit import Hit
from blastdoor.detect.owned import Owned
from blastdoor.finding import Related
from blastdoor.value import Reason, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Binding, Facts
    from blastdoor.value import Value

_CUSTOM_ROLE: Final = re.compile(r"google_[a-z]+_iam_custom_role\.")
"""A role that is made here: nobody else gives it to anyone."""


def authoritative_replacement(facts: Facts) -> Iterator[Hit]:
    """A resource replaces a whole policy or record set instead of adding to it.

    What replaces on a single bucket or topic is common: one finding for each kind and file.
    """
    seen: set[str] = set()
    owned = Owned(facts)
    leaves: dict[tuple[str, str], list[Binding]] = defaultdict(list)
    for binding in facts.bindings:
        resource = binding.resource
        if binding.authority == "additive" or resource.address in seen:
            continue
        seen.add(resource.address)
        if binding.kind == "resource":
            leaves[resource.span.path, resource.type].append(binding)
        else:
            yield _replaces(binding, owned)
    for bindings in leaves.values():
        hit = _replaces(bindings[0], owned)
        others = {(b.resource.span.path, b.resource.span.start): b for b in bindings[1:]}
        others.pop((hit.span.path, hit.span.start), None)
        verb = "does" if len(others) == 1 else "do"
        more = f", as {verb} {len(others)} more of its kind in this file" if others else ""
        related = tuple(
            Related(b.resource.span, f"{b.resource.address} replaces too")
            for b in list(others.values())[:20]
        )
        yield replace(hit, message=f"{hit.message}{more}", related=related)
    yield from _exclusive(facts)


def _exclusive(facts: Facts) -> Iterator[Hit]:
    table = tables.bindings().replacements
    for resource in facts.unit.resources:
        row = table.get(resource.type)
        if row is None or resource.is_data:
            continue
        yield Hit(
            resource.span,
            f"principals: removes {row.removes}, whoever put it there, at every apply of "
            f"{resource.address}",
            resource.address,
            "",
            "principals",
            resource.type,
            _policy_condition(resource.get("policy_arn")),
            level=row.level,
            contain=f"use {row.instead}",
        )


def _policy_condition(arn: Value | None) -> str:
    if not isinstance(arn, Unknown):
        return ""
    return "own-policy" if arn.reason is Reason.COMPUTED else "unknown-policy"


def _replaces(binding: Binding, owned: Owned) -> Hit:
    resource = binding.resource
    family = resource.type.rpartition("_iam_")[0]
    whole = binding.authority == "policy"
    what = "every other member and role" if whole else "every other member of its role"
    where = SCOPES.get(binding.kind)
    if where is None:
        noun = family.removeprefix("google_").replace("_", " ")
        name = scope_name(binding)
        where = f"the {noun} {name}" if name else f"its {noun}"
    return Hit(
        resource.span,
        f"principals: removes {what} on {where}, whoever put it there, at every apply of "
        f"{resource.address}",
        resource.address,
        "",
        "principals",
        resource.type,
        _replacement_condition(binding, owned),
        contain=f"use {family}_iam_member",
    )


def _replacement_condition(binding: Binding, owned: Owned) -> str:
    if binding.kind == "resource":
        return "leaf"
    whole = binding.authority == "policy"
    role = binding.role_value
    if not whole and isinstance(role, Unknown) and _CUSTOM_ROLE.match(role.subject):
        return "own-role"
    owner = {"project": "google_project", "folder": "google_folder"}.get(binding.kind, "")
    if owner and owned.has(binding.resource, binding.scope, owner):
        return "own-project-policy" if whole else "own-project"
    return "" if whole else "binding"
