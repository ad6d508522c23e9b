"""Values to facts: what an evaluated unit grants, guards, rolls out, targets and names.

`extract` reads an `Evaluated` and gives the `Facts` that detectors judge, with the coverage: how much
of what matters could be known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.fact import Facts
from blastdoor.facts import guard, iam, literal, rollout, scope, target
from blastdoor.finding import Coverage
from blastdoor.value import Known, Many, Mapping, OneOf, Unknown, Value

if TYPE_CHECKING:
    from blastdoor.fact import Evaluated


def extract(unit: Evaluated) -> tuple[Facts, Coverage]:
    """The facts of a unit and how much of what matters could be known."""
    facts = Facts(unit)
    coverage = Coverage()
    policies = list(iam.policies(unit))
    facts.statements.extend(iam.statements(policies))
    facts.guards.extend(guard.guards(unit))
    facts.rollouts.extend(rollout.rollouts(unit))
    facts.scopes.extend(scope.scopes(unit, facts.statements))
    facts.targets.extend(target.targets(unit))
    facts.literals.extend(literal.literals(unit))
    _cover(unit, policies, coverage)
    return facts, coverage


def _cover(unit: Evaluated, policies: list[iam.Policy], coverage: Coverage) -> None:
    providers = [p for p in unit.providers if p.name in ("aws", "google", "google-beta")]
    for provider in providers:
        _count(coverage, "provider", provider.region)
    if unit.open_providers is not None and not providers:
        _count(coverage, "provider", unit.open_providers)
    for resource in unit.resources:
        if not resource.is_data and resource.region is not None:
            _count(coverage, "region", resource.region)
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
    coverage.reasons[f"{kind}: {cause.reason.text}"] += 1


def _obstacle(value: Value) -> Unknown | None:
    """The unknown that keeps a value from being known; an undecidable one only if there is no other.

    Holes within texts are no obstacle: an ARN with the name of a resource created here says where it
    points. Neither are alternatives: each of them is known.
    """
    if isinstance(value, (Known, OneOf)):
        return None
    undecidable: Unknown | None = None
    stack: list[Value] = [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Unknown):
            if current.reason.decidable:
                return current
            undecidable = undecidable or current
        elif isinstance(current, Many):
            stack.extend(current.items)
        elif isinstance(current, Mapping):
            stack.extend(current.entries.values())
    if undecidable is not None and isinstance(value, (Many, Mapping)):
        # A document whose structure is known counts as known: its holes are names of resources.
        return None
    return undecidable
