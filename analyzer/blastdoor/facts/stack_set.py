"""Preferences of operations on stack sets that let a mistake go on.

Source: AWS CloudFormation API Reference, StackSetOperationPreferences: regions run one after another
and no failure is tolerated unless it says otherwise; with STRICT_FAILURE_TOLERANCE, the default, no
more accounts run at once than may fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.expression import to_number
from blastdoor.fact import StackSetOperation
from blastdoor.facts.reading import at_path, bodies_of, items_of
from blastdoor.value import Many, Mapping, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Table

    from blastdoor.fact import Evaluated, Resource
    from blastdoor.value import Key

_HALF: Final = 50
_WHOLE: Final = 100
_QUIET: Final = (
    *("baseline", "guardduty", "guard-duty", "guard_duty", "cloudtrail", "inspector", "macie"),
    *("securityhub", "security-hub", "security_hub", "detective", "access-analyzer"),
    *("readonly", "read_only", "read-only", "audit"),
)
"""Parts of a name of what belongs into every account, or only reads."""


def operations(unit: Evaluated) -> Iterator[StackSetOperation]:
    """The preferences of the unit that let a mistake go on."""
    regions = _regions_of_sets(unit)
    for resource in unit.resources:
        names = None if resource.is_data else _names(resource)
        if names is None:
            continue
        several = _several_regions(resource, names, regions)
        words = (
            *resource.path,
            resource.name,
            known_text(resource.get(names.get("name", ""))) or "",
        )
        text = " ".join(words).lower()
        quiet = any(word in text for word in _QUIET)
        for body in bodies_of(resource.get(names["preferences"])):
            yield from _operations(resource, names, body, several=several, baseline=quiet)


def _names(resource: Resource) -> Table[str, str] | None:
    """What the type calls the parts of a stack set or of its instances; ``None`` for other types."""
    for thing in ("stack-set", "stack-instances", "stack-instance"):
        row = tables.things(thing).get(resource.type)
        if row is not None:
            return row.names
    return None


def _operations(
    resource: Resource, names: Table[str, str], body: Mapping, *, several: bool, baseline: bool
) -> Iterator[StackSetOperation]:
    block = names["preferences"]
    order = body.get(names["order"])
    if order is not None and known_text(order) == "PARALLEL" and several:
        yield StackSetOperation(resource, f"{block}.{names['order']}", order, "regions", baseline)
    for part, least in (
        ("tolerance-share", _HALF),
        ("tolerance-count", _accounts(resource, names)),
    ):
        tolerance = body.get(names[part])
        number = None if tolerance is None else to_number(tolerance)
        if tolerance is not None and number is not None and least and number >= least:
            yield StackSetOperation(
                resource, f"{block}.{names[part]}", tolerance, "failures", baseline
            )
    share = body.get(names["share"])
    number = None if share is None else to_number(share)
    soft = known_text(body.get(names["mode"])) == "SOFT_FAILURE_TOLERANCE"
    if soft and share is not None and number is not None and number >= _WHOLE:
        yield StackSetOperation(resource, f"{block}.{names['share']}", share, "accounts", baseline)


def _regions_of_sets(unit: Evaluated) -> dict[Key, set[str | None]]:
    """Name of a stack set → the regions of its instances here; ``None`` for one that is not known."""
    found: dict[Key, set[str | None]] = {}
    for resource in unit.resources:
        names = None if resource.is_data else _names(resource)
        name = None if names is None or "set" not in names else resource.get(names["set"])
        if names is None or name is None:
            continue
        regions = found.setdefault(name.key(), set())
        if "regions" in names:
            items, complete = items_of(resource.get(names["regions"]))
            regions.update(known_text(item) for item in items)
            if not complete:
                regions.add(None)
            continue
        region = resource.get(names["region"]) or resource.get(names["old-region"])
        regions.add("" if region is None else known_text(region))
    return found


def _several_regions(
    resource: Resource, names: Table[str, str], regions: dict[Key, set[str | None]]
) -> bool:
    """Whether an operation goes to several regions; an instance of a stack set has one."""
    if "regions" in names:
        given = list(at_path(resource.get, names["regions"]))
        if given:
            return any(isinstance(v, Many) and v.complete and len(v.items) > 1 for v in given)
    if "name" in names:
        name = resource.get(names["name"])
        known = set() if name is None else regions.get(name.key(), set())
        return len(known) != 1 or None in known
    return False


def _accounts(resource: Resource, names: Table[str, str]) -> int:
    """The number of accounts that an operation goes to; 0 for one and for what is not known."""
    for accounts in at_path(resource.get, names["accounts"]) if "accounts" in names else ():
        if isinstance(accounts, Many) and accounts.complete and len(accounts.items) > 1:
            return len(accounts.items)
    return 0
