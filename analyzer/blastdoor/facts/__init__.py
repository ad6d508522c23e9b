"""Values to facts: what an evaluated unit grants, guards, rolls out, targets and names.

`extract` reads an `Evaluated` and gives the `Facts` that detectors judge, with the coverage: how much
of what matters could be known.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Final

from blastdoor.fact import TOLD_ELSEWHERE, Facts
from blastdoor.facts import (
    binding,
    command,
    fleet,
    guard,
    iam,
    literal,
    network,
    rollout,
    scope,
    stack_policy,
    stack_set,
    target,
)
from blastdoor.finding import Coverage
from blastdoor.value import Known, Many, Mapping, OneOf, Reason, Unknown, Value

if TYPE_CHECKING:
    from blastdoor.fact import Evaluated


_FOUND: Final = Known(None)
_GOOGLE: Final = ("google", "google-beta")


def extract(unit: Evaluated, *, thorough: bool = False) -> tuple[Facts, Coverage]:
    """The facts of a unit and how much of what matters could be known.

    ``thorough`` reads what only rules judge that someone has to name.
    """
    facts = Facts(unit)
    coverage = Coverage()
    facts.literals.extend(literal.literals(unit, thorough=thorough))
    unit = _own(unit)
    policies = list(iam.policies(unit))
    facts.statements.extend(iam.statements(policies))
    facts.bindings.extend(binding.bindings(unit))
    facts.guards.extend(guard.guards(unit))
    facts.rollouts.extend(rollout.rollouts(unit))
    facts.scopes.extend(scope.scopes(unit, facts.statements))
    facts.targets.extend(target.targets(unit))
    facts.openings.extend(network.openings(unit))
    facts.endpoints.extend(network.endpoints(unit))
    facts.stack_policies.extend(stack_policy.stack_policies(unit))
    facts.commands.extend(command.commands(unit))
    facts.operations.extend(stack_set.operations(unit))
    facts.fleet_commands.extend(fleet.fleet_commands(unit))
    _cover(unit, policies, coverage)
    for obstacle in binding.obstacles(facts.bindings):
        _count(coverage, "binding", obstacle if obstacle is not None else _FOUND)
    return facts, coverage


def _own(unit: Evaluated) -> Evaluated:
    """The unit with what it tells itself: not what another unit tells, and this one only places."""
    resources = [r for r in unit.resources if TOLD_ELSEWHERE not in r.extra]
    if len(resources) == len(unit.resources):
        return unit
    own = copy(unit)
    own.resources = resources
    return own


def _cover(unit: Evaluated, policies: list[iam.Policy], coverage: Coverage) -> None:
    taken = {id(r.provider) for r in unit.resources if r.provider and r.region is r.provider.region}
    for provider in unit.providers:
        if provider.name == "aws" or (provider.name in _GOOGLE and id(provider) in taken):
            _count(coverage, "provider", provider.region)
        elif provider.name in (*_GOOGLE, "azurerm"):
            # No resource takes a region from it: its place is a project or subscription.
            _count(coverage, "provider", provider.account)
    clouds = ("aws", *_GOOGLE)
    if unit.open_providers is not None and not any(p.name in clouds for p in unit.providers):
        _count(coverage, "provider", unit.open_providers)
    for resource in unit.resources:
        if not resource.is_data and resource.region is not None:
            _count(coverage, "region", resource.region)
    for unknown in unit.opaque:
        _count(coverage, "template", unknown)
    for policy in policies:
        _count(coverage, "policy", policy.value if policy.document is None else policy.document)


def _count(coverage: Coverage, kind: str, value: Value) -> None:
    """Effect: counts one value as resolved, unresolved or not decidable here."""
    cause = _obstacle(value)
    if cause is None:
        coverage.resolved[kind] += 1
        return
    if cause.reason.decidable:
        coverage.unresolved[kind] += 1
    else:
        coverage.undecidable[kind] += 1
    coverage.reasons[f"{kind}: {cause.reason.text}{_named(cause)}"] += 1


_NAMED: Final = {Reason.EXTERNAL_MODULE: 2, Reason.REMOTE_STATE: 3, Reason.PROVIDER_FUNCTION: 1}
"""Reasons that name what is not here, with how many words of the subject do."""


def _named(cause: Unknown) -> str:
    words = cause.subject.split(".")[: _NAMED.get(cause.reason, 0)]
    return f": {'.'.join(words)}" if words else ""


def _obstacle(value: Value) -> Unknown | None:
    """The unknown that keeps a value from being known; an undecidable one only if there is no other.

    Holes within texts are no obstacle: an ARN with the name of a resource created here says where it
    points. Alternatives are known when each of them is.
    """
    if isinstance(value, Known):
        return None
    undecidable: Unknown | None = None
    stack: list[Value] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Unknown):
            if current.reason.decidable:
                return current
            undecidable = undecidable or current
        elif isinstance(current, OneOf):
            values = [alternative.value for alternative in current.alternatives]
            # An alternative that cannot work is refused by Terraform: the others are what can be.
            working = [v for v in values if not _cannot_work(v)]
            stack.extend(working or values)
        elif isinstance(current, Many):
            stack.extend(current.items)
        elif isinstance(current, Mapping):
            stack.extend(current.entries.values())
    if undecidable is not None and isinstance(value, (Many, Mapping)):
        # A document whose structure is known counts as known: its holes are names of resources.
        return None
    return undecidable


def _cannot_work(value: Value) -> bool:
    return isinstance(value, Unknown) and value.reason is Reason.INVALID
