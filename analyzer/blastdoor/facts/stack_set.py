"""Preferences of operations on stack sets that let a mistake go on.

Source: AWS CloudFormation API Reference, StackSetOperationPreferences: regions run one after another
and no failure is tolerated unless it says otherwise; with STRICT_FAILURE_TOLERANCE, the default, no
more accounts run at once than may fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.expression import to_number
from blastdoor.fact import StackSetOperation
from blastdoor.facts.reading import bodies_of, items_of
from blastdoor.value import Many, Mapping, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated, Resource
    from blastdoor.value import Key

_SET: Final = "aws_cloudformation_stack_set"
_INSTANCES: Final = "aws_cloudformation_stack_instances"
_TYPES: Final = frozenset({_SET, _INSTANCES, "aws_cloudformation_stack_set_instance"})
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
        if resource.is_data or resource.type not in _TYPES:
            continue
        several = _several_regions(resource, regions)
        words = (*resource.path, resource.name, known_text(resource.get("name")) or "")
        text = " ".join(words).lower()
        quiet = any(word in text for word in _QUIET)
        for body in bodies_of(resource.get("operation_preferences")):
            yield from _operations(resource, body, several=several, baseline=quiet)


def _operations(
    resource: Resource, body: Mapping, *, several: bool, baseline: bool
) -> Iterator[StackSetOperation]:
    block = "operation_preferences"
    order = body.get("region_concurrency_type")
    if order is not None and known_text(order) == "PARALLEL" and several:
        yield StackSetOperation(
            resource, f"{block}.region_concurrency_type", order, "regions", baseline
        )
    for name, least in (
        ("failure_tolerance_percentage", _HALF),
        ("failure_tolerance_count", _accounts(resource)),
    ):
        tolerance = body.get(name)
        number = None if tolerance is None else to_number(tolerance)
        if tolerance is not None and number is not None and least and number >= least:
            yield StackSetOperation(resource, f"{block}.{name}", tolerance, "failures", baseline)
    share = body.get("max_concurrent_percentage")
    number = None if share is None else to_number(share)
    soft = known_text(body.get("concurrency_mode")) == "SOFT_FAILURE_TOLERANCE"
    if soft and share is not None and number is not None and number >= _WHOLE:
        yield StackSetOperation(
            resource, f"{block}.max_concurrent_percentage", share, "accounts", baseline
        )


def _regions_of_sets(unit: Evaluated) -> dict[Key, set[str | None]]:
    """Name of a stack set → the regions of its instances here; ``None`` for one that is not known."""
    found: dict[Key, set[str | None]] = {}
    for resource in unit.resources:
        if resource.is_data or resource.type not in _TYPES or resource.type == _SET:
            continue
        name = resource.get("stack_set_name")
        if name is None:
            continue
        regions = found.setdefault(name.key(), set())
        if resource.type == _INSTANCES:
            items, complete = items_of(resource.get("regions"))
            regions.update(known_text(item) for item in items)
            if not complete:
                regions.add(None)
            continue
        region = resource.get("stack_set_instance_region") or resource.get("region")
        regions.add("" if region is None else known_text(region))
    return found


def _several_regions(resource: Resource, regions: dict[Key, set[str | None]]) -> bool:
    """Whether an operation goes to several regions; an instance of a stack set has one."""
    if resource.type == _SET:
        name = resource.get("name")
        known = set() if name is None else regions.get(name.key(), set())
        return len(known) != 1 or None in known
    given = resource.get("regions") if resource.type == _INSTANCES else None
    return isinstance(given, Many) and given.complete and len(given.items) > 1


def _accounts(resource: Resource) -> int:
    """The number of accounts that an operation goes to; 0 for one and for what is not known."""
    accounts = resource.get("accounts") if resource.type == _INSTANCES else None
    if isinstance(accounts, Many) and accounts.complete and len(accounts.items) > 1:
        return len(accounts.items)
    return 0
