"""What a repository touches, unit by unit: its regions, accounts, targets and fleet shares."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from blastdoor.delta.footprint import footprints, joined
from blastdoor.reach import EVERYWHERE, Accounts, AllIn, Fleet, Organization, Regions, Unresolved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastdoor.delta.footprint import Footprint
    from blastdoor.fact import Facts
    from blastdoor.reach import Extent
    from blastdoor.span import Span

GLOBAL: Final = "global"
"""What something acts on that lies in no region."""
UNSAID: Final = "not said"


@dataclass(slots=True)
class Entry:
    """One reach on one axis, and what has it."""

    axis: str
    reach: str
    """In words."""
    extent: Extent | None
    addresses: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    span: Span | None = None
    """Where the first of them is decided."""
    via: str = ""

    @property
    def known(self) -> bool:
        """Whether the code says it."""
        return self.extent is not None and not isinstance(self.extent, Unresolved)

    @property
    def broad(self) -> bool:
        """Whether it takes in what nobody has named."""
        extent = self.extent
        if isinstance(extent, Regions):
            return EVERYWHERE in extent.elements or any(
                isinstance(element, AllIn) for element in extent.elements
            )
        if isinstance(extent, Accounts):
            return any(not isinstance(e, str) for e in extent.elements) and any(
                isinstance(e, Organization) for e in extent.elements
            )
        return isinstance(extent, Fleet) and extent.percent == 100  # noqa: PLR2004  all of it


@dataclass(slots=True)
class UnitMap:
    """What one unit touches."""

    address: str
    environment: str | None = None
    resources: int = 0
    regions: list[Entry] = field(default_factory=list)
    accounts: list[Entry] = field(default_factory=list)
    targets: list[Entry] = field(default_factory=list)
    """Whom or where its deployments send something: stack sets, policies, copies of data."""
    fleet: list[Entry] = field(default_factory=list)


class Atlas:
    """The map of a source, made while its units are evaluated."""

    def __init__(self) -> None:
        self._items: dict[str, dict[tuple[str, str, str], Footprint]] = {}
        self._environments: dict[str, set[str]] = defaultdict(set)

    def observe(self, facts: Facts) -> None:
        """Effect: notes what one variant of a unit touches."""
        address = facts.unit.address
        known = self._items.setdefault(address, {})
        for item in footprints(facts):
            other = known.get(item.key)
            known[item.key] = item if other is None else joined(other, item)
        if facts.unit.environment is not None:
            self._environments[address].add(facts.unit.environment)

    def units(self) -> list[UnitMap]:
        """Every unit with something in it, in the order of the names."""
        found = []
        for address, items in sorted(self._items.items()):
            unit = _unit(address, items.values())
            names = sorted(self._environments.get(address, ()))
            unit.environment = " and ".join(names) if names else None
            if unit.resources or unit.targets:
                found.append(unit)
        return found


def _unit(address: str, items: Iterable[Footprint]) -> UnitMap:
    unit = UnitMap(address)
    regions: dict[str, Entry] = {}
    accounts: dict[str, Entry] = {}
    targets: dict[str, Entry] = {}
    fleet: dict[str, Entry] = {}
    for item in items:
        if item.aspect == "existence":
            unit.resources += 1
        elif item.aspect == "placement":
            reach = item.reach
            _add(regions, "regions", reach.regions, item, GLOBAL)
            _add(accounts, "accounts", reach.accounts, item, UNSAID)
        elif item.aspect in ("target", "replica"):
            for axis, extent in item.reach.extents().items():
                _add(targets, axis, extent, item, "")
        elif item.aspect in ("rollout", "flag"):
            _add(fleet, "fleet", item.reach.fleet, item, "")
    unit.regions, unit.accounts = _sorted(regions), _sorted(accounts)
    unit.targets, unit.fleet = _sorted(targets), _sorted(fleet)
    return unit


def _add(
    found: dict[str, Entry], axis: str, extent: Extent | None, item: Footprint, absent: str
) -> None:
    if (extent is None and not absent) or (isinstance(extent, Regions) and not extent):
        return
    words = absent if extent is None else extent.describe()
    key = f"{axis}:{words}"
    entry = found.get(key)
    if entry is None:
        entry = found[key] = Entry(axis, words, extent, span=item.span, via=item.words)
    entry.addresses.append(item.address)
    entry.types.append(item.type)


def _sorted(found: dict[str, Entry]) -> list[Entry]:
    """The broadest first, then by how much has it, then by name."""
    return sorted(
        found.values(), key=lambda e: (not e.broad, not e.known, -len(e.addresses), e.reach)
    )
