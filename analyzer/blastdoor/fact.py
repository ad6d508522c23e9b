"""What an evaluated unit says, in one form for all languages.

Evaluators build `Evaluated`: the resources, providers, module calls and settings of one unit with
their values. The extractors in `blastdoor.facts` read facts from it, and detectors judge facts. No
detector knows which language a fact came from.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.finding import Failure, Related
    from blastdoor.reach import Reach
    from blastdoor.span import Span
    from blastdoor.value import Value

Language = Literal["terraform", "cloudformation", "python"]


@dataclass(slots=True, eq=False)
class Provider:
    """One provider configuration and where it sends what uses it."""

    name: str
    """The provider's local name: ``aws``, ``google``."""
    alias: str
    """``""`` for the default configuration."""
    region: Value
    """The region it is pinned to; `Inherited` when the environment decides."""
    account: Value
    """The account id it acts in, as far as the configuration says."""
    partition: Value
    span: Span
    """The header of the block; the place of the implied empty block's first user."""
    region_span: Span | None = None
    address: str = ""
    declared: bool = True
    """False for the empty default configuration that Terraform assumes."""
    credentials: tuple[str, ...] = ()
    """What tells its credentials from another's: profile, role, keys (normalised words)."""
    get: Callable[[str], Value | None] = lambda _name: None
    """The value of a further argument by path."""


@dataclass(slots=True, eq=False)
class Resource:
    """One resource (all instances of its block that are alike), with values read on demand."""

    type: str
    """Terraform type for Terraform and Pulumi, CloudFormation type for the others."""
    name: str
    address: str
    """Address with the module path: ``module.a.aws_s3_bucket.b``."""
    span: Span
    """The header of the block."""
    get: Callable[[str], Value | None]
    """The value of a top-level argument or block by name; ``None`` when it is not set."""
    names: Callable[[], tuple[str, ...]]
    """The names of the arguments and blocks that are set."""
    provider: Provider | None = None
    region: Value | None = None
    """Effective region: `Known`, `OneOf`, `Inherited` or `Unknown`; ``None`` when it has none."""
    partition: Value | None = None
    account: Value | None = None
    is_data: bool = False
    collection: Value | None = None
    """The value of ``for_each`` (or ``count``) when the block is repeated."""
    collection_span: Span | None = None
    module: str = ""
    """Path of the directory or file that holds the block, relative to the root."""
    label_span: Span | None = None
    path: tuple[str, ...] = ()
    """Words that name where it stands: module calls, directory, name (evidence of region, env)."""
    selects_provider: bool = False
    """Whether it names its provider configuration itself."""
    extra: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class ModuleCall:
    """One call of a module."""

    name: str
    address: str
    source: str
    span: Span
    inputs: dict[str, Value]
    input_spans: dict[str, Span]
    passes_providers: bool
    collection: Value | None = None
    collection_span: Span | None = None
    provider_names: frozenset[str] = frozenset()
    """Providers that the callee uses, as far as it is in the repository."""
    resource_types: frozenset[str] = frozenset()
    provider: Provider | None = None
    """The default AWS configuration that the callee ends with."""
    local: bool = False
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A named value of configuration: a local, a variable's default, a tfvars entry, an input."""

    name: str
    value: Value
    span: Span
    """Where the value is written."""
    name_span: Span
    kind: Literal["local", "default", "tfvars", "input", "attribute"]
    owner: str = ""
    """Address of what it belongs to: ``local.flags``, ``module.app``."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One operand of a merge: the names it speaks of and whether a key selects it at run time."""

    words: tuple[str, ...]
    selected_by: tuple[str, ...]
    """Names within the index or lookup that selects it: ``var.region`` in ``local.m[var.region]``."""
    span: Span
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Layering:
    """An ordered merge; ``last_wins`` is false for the mechanisms in which the first one wins."""

    operands: tuple[Layer, ...]
    span: Span
    mechanism: str
    owner: str
    last_wins: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class FanOut:
    """One value written to every element of a collection."""

    collection: Value
    collection_text: str
    written: Value
    span: Span
    written_span: Span
    owner: str


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A lookup by key in a mapping that is completely known."""

    mapping_text: str
    keys: tuple[str, ...]
    """The keys that the mapping has."""
    key: Value
    span: Span
    owner: str
    mapping_span: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OverrideChange:
    """One argument or block that an override file puts in place of another."""

    target: str
    """Address of the block it changes: ``aws_db_instance.main``, ``provider.aws``."""
    attribute: str
    before: str
    """Source text of what it replaces; ``""`` when it adds."""
    after: str
    span: Span
    before_span: Span | None
    target_type: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Backend:
    """Where the state of a root is kept."""

    kind: str
    region: Value
    span: Span
    address: str


@dataclass(slots=True)
class Evaluated:
    """One unit with its values: what an evaluator hands to the extractors."""

    address: str
    """Path of the unit relative to the root; ``.`` for the root itself."""
    language: Language
    is_root: bool = True
    resources: list[Resource] = field(default_factory=list)
    providers: list[Provider] = field(default_factory=list)
    backends: list[Backend] = field(default_factory=list)
    modules: list[ModuleCall] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)
    layerings: list[Layering] = field(default_factory=list)
    fan_outs: list[FanOut] = field(default_factory=list)
    lookups: list[Lookup] = field(default_factory=list)
    overrides: list[OverrideChange] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)
    """Paths of every file it read."""
    environment: str | None = None
    """The environment the unit is for, when its path or values say so."""
    idle_documents: set[str] = field(default_factory=set)
    """Addresses of policy documents that only blocks without an instance refer to."""
    repository_regions: tuple[str, ...] = ()
    """Regions that the repository names literally, in this unit or any other."""
    external_region: bool = False
    """Whether something around the unit supplies providers (Terragrunt, a caller elsewhere)."""
    open_providers: Value | None = None
    """Why something may configure providers that is not known here; ``None`` when all is known."""
    close: Callable[[], None] = lambda: None
    """Lets go of what the values were read from; nothing can be read on demand behind it."""
    runner: Related | None = None
    """What runs the module, where something but Terraform itself does: a Terragrunt unit."""


@dataclass(frozen=True, slots=True)
class Term:
    """One element of a statement: its pattern (holes as ``*`` marks are not glob stars) and place."""

    text: str
    """The text; each hole stands as U+FFFC."""
    span: Span
    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement of an IAM policy document (IAM User Guide, policy elements)."""

    resource: Resource
    attribute: str
    kind: str
    """``identity``, ``resource``, ``trust``, ``scp``, ``boundary``, ``endpoint``, ``key``."""
    effect: str
    sid: str
    span: Span
    principals: tuple[tuple[str, Term], ...]
    """(kind, element) pairs; kind is ``AWS``, ``Service``, ``Federated``, ``*``."""
    not_principals: bool
    actions: tuple[Term, ...]
    not_actions: bool
    resources: tuple[Term, ...]
    not_resources: bool
    conditions: tuple[tuple[str, str, tuple[Term, ...]], ...]
    """(operator, key in lower case, values)."""
    complete: bool
    """Whether every element of the statement is known; False adds unknown elements."""
    conditions_known: bool
    reach: Reach | None = None
    key_spans: dict[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """A row of the guards table that a resource sets, with the value it sets."""

    resource: Resource
    kind: str
    attribute: str
    value: Value
    unsafe: bool
    note: str
    level: str
    safe_text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """A deployment setting of a resource, with the share of the fleet one step touches (percent)."""

    resource: Resource
    attribute: str
    value: Value
    percent: float
    words: str
    contain: str


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A place that says a region, and what it says."""

    value: Value
    span: Span
    position: Literal["provider", "resource", "target", "arn", "backend", "setting"]
    owner: str
    attribute: str
    cloud: str = "aws"


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A deployment to several regions or accounts: a StackSet, a repeated block, a policy attachment."""

    resource: Resource | None
    owner: str
    attribute: str
    axis: Literal["regions", "accounts"]
    value: Value
    span: Span
    what: str
    """Words for what is sent there: ``stack instances``, ``aws_s3_bucket.b``."""
    mutates: bool = True
    security_baseline: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LiteralText:
    """A string literal that names a region or partition, within something whose region matters."""

    text: str
    span: Span
    resource: Resource
    attribute: str
    regions: tuple[str, ...]
    """Region ids that the text names."""
    partition: str | None
    """The partition of an ARN or endpoint that the text holds."""
    role: Literal["arn", "endpoint", "region", "zone", "service-principal"]


@dataclass(slots=True)
class Facts:
    """Everything detectors may ask about one unit."""

    unit: Evaluated
    statements: list[Statement] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    literals: list[LiteralText] = field(default_factory=list)
