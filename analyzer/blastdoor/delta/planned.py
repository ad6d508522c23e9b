"""A plan against the state that it was made from: the base document, and what the plan itself says.

HashiCorp, "JSON Output Format": ``prior_state``, ``resource_changes[].change``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from blastdoor import tables
from blastdoor.delta.compare import Delta, Event
from blastdoor.finding import Related
from blastdoor.reach import Guards, Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from blastdoor.delta.compare import Side
    from blastdoor.fact import PlannedChange

_KEYS: Final = re.compile(r"\[[^\]]*\]")
_KEPT: Final = ("configuration", "format_version", "prior_state", "terraform_version", "variables")


def prior_state(text: str) -> str:
    """The plan that would change nothing: what the prior state holds, planned once more.

    A text that is no plan is given back as it is, for whoever reads it to say what is wrong.
    """
    try:
        plan = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(plan, dict) or not isinstance(plan.get("format_version"), str):
        return text
    if "planned_values" not in plan and "resource_changes" not in plan:
        return text
    state = plan.get("prior_state")
    values = state.get("values") if isinstance(state, dict) else None
    found: dict[str, Any] = {name: plan[name] for name in _KEPT if name in plan}
    found["planned_values"] = values if isinstance(values, dict) else {"root_module": {}}
    found["resource_changes"] = [
        {**item, "change": _unchanged(item["change"])}
        for item in plan.get("resource_changes") or ()
        if isinstance(item, dict)
        and isinstance(item.get("change"), dict)
        and item["change"].get("before") is not None
        and "deposed" not in item
    ]
    if values is None:
        # A tool has left the state away: the changes say what was there before.
        del found["planned_values"]
    return json.dumps(found, ensure_ascii=False)


def _unchanged(change: dict[str, Any]) -> dict[str, Any]:
    before = change["before"]
    return {
        "actions": ["no-op"],
        "before": before,
        "after": before,
        "after_unknown": {},
        "before_sensitive": change.get("before_sensitive", False),
        "after_sensitive": change.get("before_sensitive", False),
    }


def planned_deltas(
    found: Sequence[Delta], head: Side, changes: Iterable[PlannedChange]
) -> list[Delta]:
    """The deltas with what the plan says of ends: it knows which argument replaces what."""
    result = [d for d in found if d.event not in (Event.DESTROYED, Event.REPLACED)]
    unit = next(iter(head.footprints), "")
    groups: dict[tuple[Event, str, str], list[PlannedChange]] = {}
    for change in changes:
        if not tables.is_stateful(change.type) or "forget" in change.actions:
            continue
        event = Event.REPLACED if "create" in change.actions else Event.DESTROYED
        why = ", ".join(_path(path) for path in change.replace_paths)
        groups.setdefault((event, _KEYS.sub("", change.address), why), []).append(change)
    for (event, address, why), members in groups.items():
        first = members[0]
        related = tuple(
            Related(c.span, f"{c.address}: {' then '.join(c.actions)}") for c in members[:50]
        )
        base = Reach(guards=Guards())
        result.append(
            Delta(
                event,
                "guards",
                "existence",
                unit,
                address,
                first.type,
                why,
                address,
                "a new, empty one" if event is Event.REPLACED else "nothing",
                f"{event.value}:{sorted(c.address for c in members)}",
                first.span,
                first.action_reason.replace("_", " "),
                related,
                "",
                base,
                base,
                stateful=True,
                home=first.span,
                units=(unit,),
            )
        )
    return sorted(
        result,
        key=lambda d: (d.span.path, d.span.start, d.axis, d.event.value, d.address),
    )


def _path(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path if isinstance(step, str))
