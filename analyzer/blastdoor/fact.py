"""What an evaluated unit says, in one form for all languages.

Evaluators build `Evaluated`: the resources, providers, module calls and settings of one unit with
their values. The extractors in `blastdoor.facts` read facts from it, and detectors judge facts. No
detector knows which language a fact came from.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, Literal

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.finding import Failure, Related
    from blastdoor.reach import Reach
    from blastdoor.span import Span
    from blastdoor.value import Unknown, Value

Language = Literal["terraform", "cloudformation", "python", "document"]
ScopeKind = Literal[
    "",
    "organization",
    "folder",
    "billing-account",
    "project",
    "tenant",
    "management-group",
    "subscription",
    "resource-group",
    "resource",
]
"""What a binding holds for, and for all below it; ``""`` where that is not known."""
Authority = Literal["additive", "role", "policy"]
"""What a binding replaces: nothing, the members of its role, the whole policy."""

_NEARLY_ALL: Final = 10
"""How many provider configurations say a region for each that does not, where that was forgotten."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the whole repository speaks of, from one look at its texts: evidence, never a finding.

    It is the same whether one file is checked or all of them. Each entry says where it was first seen.
    """

    regions: AbstractMapping[str, Span] = field(default_factory=dict)
    """AWS regions that a value, a key or an ARN names, outside of folders of tests and examples."""
    pinned: AbstractMapping[str, Span] = field(default_factory=dict)
    """Those that a provider configuration is pinned to, aliases in us-east-1 left out."""
    partitions: AbstractMapping[str, Span] = field(default_factory=dict)
    """AWS partitions: those of the regions, and those named themselves (``aws-cn`` in an ARN)."""
    environments: AbstractMapping[str, str] = field(default_factory=dict)
    """``production`` and ``non-production`` → the first path whose folders or name say so."""
    providers: AbstractMapping[str, Span] = field(default_factory=dict)
    """Local names of provider configurations: ``aws``, ``google``."""
    regions_said: int = 0
    """Configurations of the AWS provider that say a region, by whatever expression."""
    regions_unsaid: int = 0
    """Those that leave it to the environment."""

    def without_partitions(self) -> Context:
        """The same of a repository that names no partition."""
        return replace(self, partitions={})

    @property
    def foreign(self) -> tuple[str, ...]:
        """The partitions other than ``aws``, sorted."""
        return tuple(sorted(self.partitions.keys() - {"aws"}))

    @property
    def several_regions(self) -> bool:
        """Whether provider configurations are pinned to more than one region."""
        return len(self.pinned) > 1

    @property
    def says_regions(self) -> bool:
        """Whether all but a few configurations of the AWS provider say a region.

        Then the others were forgotten; a repository of which a third says none means it so.
        """
        return self.regions_said >= _NEARLY_ALL * self.regions_unsaid > 0


ENVIRONMENT_DEFAULT: Final = "a default of the environment"
"""How a fallback comes about that stands in for a variable of the process's environment."""
MADE_ON: Final = "made on"
"""What a resource has among its extras that is part of another one, whose address it is."""
TOLD_ELSEWHERE: Final = "told elsewhere"
"""What a resource has among its extras that another unit tells of, and this one only places."""
CROSS_REGION: Final = "cross-region references"
"""What a resource has among its extras whose stack may refer to things of other regions."""
NO_CONTEXT: Final = Context()
"""The context of a repository that says nothing."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """One of several regions that a thing is created in from one text, side by side."""

    region: Value
    account: tuple[str, ...] | None
    """What tells its account from those of the others; ``None`` where that is not known."""
    said: str = ""
    """What sends it there, in words: ``stack set Baseline in stacksets.yaml``."""


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
    request: bool = False
    """Whether it is one call that changes something, and no thing that the code keeps."""
    selects_provider: bool = False
    """Whether it names its provider configuration itself."""
    extra: dict[str, Value] = field(default_factory=dict)
    """What is known of it besides its arguments: a policy document's ``json``, `CROSS_REGION`."""
    written_type: str = ""
    """The type as it is written where something makes another of it: ``AWS::Serverless::Function``."""
    copies: tuple[Copy, ...] = ()
    """Where it is created when it stands for several of them: the stacks of one template."""


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
    within: bool = False
    """Whether it is written into what each element has already, not in the place of all of it."""
    replaces: bool = False
    """Whether some element is known to say something there already."""


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
class RegionTable:
    """A table by region from which code takes what holds where it runs: it is meant for all of them."""

    name: str
    """``Mappings.Images``."""
    regions: tuple[str, ...]
    span: Span
    module: str
    """Path of the file or directory whose resources it is meant for."""


@dataclass(frozen=True, slots=True, eq=False)
class Fallback:
    """A value that is taken when another is not there."""

    tried: str
    """Source text of what is tried first."""
    known: bool
    """Whether what is tried first is known, so that the fallback is never taken."""
    value: Value
    span: Span
    """Where the fallback is written."""
    owner: str
    how: str
    """``coalesce()``, ``try()``, ``lookup()`` or ``a conditional``; `ENVIRONMENT_DEFAULT`."""


@dataclass(frozen=True, slots=True, eq=False)
class EnvironmentDefault:
    """What stands in when an environment is not given or not listed."""

    key: str
    """Source text of what names the environment: ``var.environment``, ``terraform.workspace``."""
    value: Value
    text: str
    """Source text of what stands in: ``"prod"``, ``local.sizes.prod``."""
    span: Span
    owner: str
    others: tuple[str, ...] = ()
    """What else may be given, where the code lists it."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A ``moved`` block: what had one address has another from now on."""

    from_: str
    """Address with the module path: ``module.a.aws_s3_bucket.b``."""
    to: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Removal:
    """A ``removed`` block: what Terraform lets go of."""

    from_: str
    destroys: bool
    """Whether the object itself goes, too: ``lifecycle { destroy = … }``, true by default."""
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class Import:
    """An ``import`` block: an object that exists already and is managed from now on."""

    to: str
    """Address as written; it may hold ``each.key``."""
    id: Value
    """The provider's id of the object, or its ``identity``."""
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class PlannedChange:
    """A resource instance that a plan destroys, replaces or forgets."""

    address: str
    """Address of the instance, keys included: ``module.a["x"].aws_db_instance.main[0]``."""
    type: str
    actions: tuple[str, ...]
    """As the plan has them: ``("delete",)``, ``("delete", "create")``, ``("create", "delete")``."""
    replace_paths: tuple[tuple[str | int, ...], ...]
    """The arguments that force the replacement."""
    action_reason: str
    """``replace_because_cannot_update``, ``delete_because_no_resource_config``, … or ``""``."""
    span: Span
    previous_address: str = ""
    """Where the instance was before this plan moves it."""
    importing: bool = False


@dataclass(slots=True, eq=False)
class ApiClient:
    """A client of one service of AWS that a program makes."""

    service: str
    region: Value
    """Where it sends its calls; `Inherited` when whatever runs the program decides."""
    given: bool
    """Whether the program itself says a region."""
    span: Span
    """What makes it."""
    owner: str
    """The function around it; ``""`` at the top of the program."""
    invoked: bool
    """Whether something else starts the function, and runs it in a region (a handler of Lambda)."""
    loops: tuple[tuple[Value, str, Span], ...] = ()
    """(collection, source text, place) of the loops around it, the outermost first."""
    endpoint: Value | None = None
    """``endpoint_url``, when it is given one."""
    credentials: bool = False
    """Whether it is given credentials, or a session or profile that has some of its own."""
    name: str = ""
    """What the program calls it: ``ec2_eu_west_1``."""


@dataclass(slots=True, eq=False)
class ApiCall:
    """A call of AWS's API."""

    client: ApiClient
    operation: str
    """The method: ``delete_table``."""
    span: Span
    """The whole call."""
    name_span: Span
    effect: str
    """``read``, ``write``, ``destroy``, or ``""`` where that is not known."""
    owner: str
    dry: bool
    """Whether it says, or a condition around it says, that it only tries."""
    loops: tuple[tuple[Value, str, Span], ...] = ()
    arguments: dict[str, Value] = field(default_factory=dict)
    complete: bool = True
    """Whether these are all arguments."""
    guarded: str = ""
    """Source text of the conditions around it."""

    @property
    def name(self) -> str:
        """``client.method``, as the tables name it."""
        return f"{self.client.service}.{self.operation}"


@dataclass(frozen=True, slots=True, eq=False)
class EscapeHatch:
    """A raw override of what a library makes: a path in the template and what is put there."""

    target: str
    """What is overridden, as the source has it."""
    path: str
    """``DeletionPolicy``, ``PublicAccessBlockConfiguration.BlockPublicAcls``."""
    type: str
    """The resource type, as far as it is known; else ``""``."""
    value: Value | None
    """``None`` where the path is deleted."""
    span: Span
    owner: str


@dataclass(frozen=True, slots=True, eq=False)
class AppWide:
    """Something that changes every resource of an app, a stage or a program."""

    what: str
    """``Aspects.of(app).add(…)``, ``RemovalPolicies.of(app).destroy()``."""
    scope: str
    """``app``, ``stage`` or ``program``."""
    changes: tuple[str, ...]
    """What it does to each, in words; empty: nothing that is known to change one."""
    destroys: bool
    """Whether it lets go of a guard of all of them."""
    span: Span
    owner: str


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A stack that a program makes, and where it says it goes."""

    name: str
    region: Value | None
    """``None`` where it says none."""
    account: Value | None
    span: Span
    owner: str
    samples: bool = False
    """Whether the app has this one stack only."""


@dataclass(frozen=True, slots=True, eq=False)
class ProcessSetting:
    """Something of the whole process that decides where or as whom it talks to a cloud."""

    name: str
    """``AWS_DEFAULT_REGION``, ``setup_default_session(region_name)``."""
    value: Value
    span: Span
    owner: str
    guarded: bool
    """Whether a condition or the program's own argument decides it."""
    others: bool = False
    """Whether the program starts others, which may read it."""


@dataclass(frozen=True, slots=True, eq=False)
class BulkWrite:
    """Settings that are overwritten from another mapping, whatever is in it."""

    what: str
    """Source text of what is written over: ``globals()``."""
    text: str
    """Source text of what it is written from."""
    span: Span
    owner: str


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
    region_tables: list[RegionTable] = field(default_factory=list)
    fallbacks: list[Fallback] = field(default_factory=list)
    """Those whose value is a text that names a region."""
    environment_defaults: list[EnvironmentDefault] = field(default_factory=list)
    overrides: list[OverrideChange] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    """Texts that the configuration says are sensitive: never to be printed."""
    changes: list[PlannedChange] = field(default_factory=list)
    """What a plan destroys, replaces or forgets."""
    failures: list[Failure] = field(default_factory=list)
    inputs: set[str] = field(default_factory=set)
    """Paths of every file it read."""
    passed_over: set[str] = field(default_factory=set)
    """Paths of variables files, of the inputs, that other variants are given and this one is not."""
    environment: str | None = None
    """The environment the unit is for, when its path or values say so."""
    deployments: tuple[tuple[str, ...], ...] = ()
    """Where several places are looked at together: for each, the words that tell what it is for."""
    clients: list[ApiClient] = field(default_factory=list)
    calls: list[ApiCall] = field(default_factory=list)
    process_settings: list[ProcessSetting] = field(default_factory=list)
    bulk_writes: list[BulkWrite] = field(default_factory=list)
    escape_hatches: list[EscapeHatch] = field(default_factory=list)
    app_wide: list[AppWide] = field(default_factory=list)
    stacks: list[Stack] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    """Texts of pipelines and files that a shell runs."""
    commands: list[Command] = field(default_factory=list)
    """What programs and settings say as a list of words."""
    is_script: bool = False
    """Whether it is a program that somebody starts, and no module that others import."""
    idle: set[str] = field(default_factory=set)
    """Addresses of blocks and module calls without an instance because of what a variable is."""
    idle_documents: set[str] = field(default_factory=set)
    """Addresses of policy documents that only blocks without an instance refer to."""
    opaque: list[Unknown] = field(default_factory=list)
    """What a macro, transform or module makes that runs elsewhere: there may be more than is here."""
    context: Context = NO_CONTEXT
    """What the whole repository speaks of, this unit or any other."""
    declared: frozenset[str] = frozenset()
    """Names of the variables of a Terraform root."""
    keeps_state: bool = False
    """Whether it says where its state is kept, which only a root does."""
    variables_files: Callable[[], list[str]] = list
    """Paths of the variables files of the root that are read only when they are asked for."""
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
    unresolved: tuple[tuple[str, Value], ...] = ()
    """(element, value) of what is not known: ``Resource`` is the ARN of a bucket made here."""
    untold: tuple[tuple[Value, ...], ...] = ()
    """For each of the conditions the values that are not known."""
    principal_references: tuple[tuple[str, Unknown], ...] = ()
    """(kind, value) of the principals that are attributes of resources, such as a provider's ARN."""


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """Members that get a role over a scope: an IAM binding or a role assignment."""

    resource: Resource
    cloud: Literal["google", "azure"]
    kind: ScopeKind
    scope: Value | None
    """The id of the scope; ``None`` where the resource itself implies it."""
    role: str
    """The role's name: ``roles/owner``, ``Owner``; ``""`` when it is not known."""
    role_value: Value | None
    role_attribute: str
    members: tuple[Term, ...]
    """The members whose texts are known, in part at least."""
    unnamed: int
    """How many members are attributes of something that the configuration makes or reads."""
    members_known: bool
    """Whether there are no members besides these."""
    authority: Authority
    conditional: bool | None
    """Whether a condition narrows it; ``None`` where that is not known."""


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
    safe: str | int | float | bool | None = None
    """The value that the table calls safe."""


@dataclass(frozen=True, slots=True, eq=False)
class StackPolicy:
    """The stack policy of a CloudFormation stack: which updates of which resources may happen."""

    resource: Resource
    attribute: str
    statements: tuple[Statement, ...]
    complete: bool
    """Whether these are all statements there are."""
    during: bool = False
    """Whether it stands in for the stack's own while one update runs."""


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """A text that a shell runs, and what is known of when."""

    owner: str
    """Address of the resource, name of the job or path of the file it belongs to."""
    attribute: str
    """Path of the argument or step: ``provisioner.command``, ``steps.run``."""
    text: Term
    when: str
    """When it runs, in words: ``when aws_s3_bucket.b is made``, ``in job deploy``."""
    at_destroy: bool = False
    """Whether it runs when its own resource is destroyed."""
    asked: bool = False
    """Whether somebody says yes first: a protected environment, a manual step."""
    by_hand: bool = False
    """Whether somebody starts it, and no pipeline."""
    passing: bool = False
    """Whether its names say that it is for what does not last: previews, reviews, teardowns."""


@dataclass(frozen=True, slots=True, eq=False)
class Command:
    """One simple command of a script: a program with its arguments, quotes taken away."""

    script: Script
    words: tuple[str, ...]
    span: Span
    value: Value
    """The text that it is a part of."""


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """A deployment setting of a resource, with the share of the fleet one step touches (percent)."""

    resource: Resource
    attribute: str
    value: Value
    percent: float
    words: str
    contain: str
    kind: str = "step"
    """``step`` (the share of one step), ``floor`` (what may be down at once), ``watch`` (nobody looks
    whether a step went well)."""
    serves: bool = True
    """Whether others call it, as far as the code tells."""
    safer: str | int | None = None
    """The value to write instead, where one is right for every fleet."""


@dataclass(frozen=True, slots=True, eq=False)
class StackSetOperation:
    """A preference of an operation on many accounts that lets a mistake go on."""

    resource: Resource
    attribute: str
    value: Value
    risk: Literal["regions", "failures", "accounts"]
    """All regions at once; failures that do not stop it; all accounts at once."""
    baseline: bool
    """Whether the name says that it is a security baseline or only reads."""


@dataclass(frozen=True, slots=True, eq=False)
class FleetCommand:
    """A command that is sent to many machines."""

    resource: Resource
    document: str
    """The name of what runs; ``""`` when it is not known."""
    everyone: Term | None
    """What says that it goes to every machine of the account."""
    concurrency: Value | None
    """The share that runs at the same time, when that is all of them."""
    errors: Value | None
    """The share that may fail, when that is all of them."""
    harmless: bool
    """Whether what runs changes nothing of note."""


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """One rule of a network that lets something in, as far as the code settles it."""

    resource: Resource
    attribute: str
    """The block that holds it: ``ingress``; ``""`` where the resource is one rule."""
    layer: str
    """``group`` for a security group or firewall, ``subnet`` for a list in front of a subnet."""
    sources: tuple[Term, ...]
    """Networks and names of groups of addresses; those with a hole are not among them."""
    protocol: str
    """``tcp``, ``udp``, …, ``-1`` for all; the number of a protocol without a usual name."""
    ports: tuple[tuple[int, int], ...]
    """Ranges, both ends included; empty for a protocol without ports."""
    value: Value | None
    """What says the ports, for the chain of evidence."""


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """An endpoint on the internet, and the networks that may use it."""

    resource: Resource
    attribute: str
    what: str
    """Words for it: ``the API server``."""
    sources: tuple[Term, ...]
    """The networks that are named."""
    open_by_default: bool
    """Whether no networks are named, which means every network."""
    switch: Value | None
    """What says that it is public, when the code says so itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A place that says a region, and what it says."""

    value: Value
    span: Span
    position: Literal["provider", "resource", "target", "arn", "backend", "setting"]
    owner: str
    attribute: str
    cloud: Literal["aws", "google", "azure"] = "aws"


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
    given: bool = False
    """Whether a file of values gives it: where the code runs elsewhere, another may."""
    said: bool = True
    """Whether the partition of an ARN is written there: an interpolation may have put it in."""


@dataclass(slots=True)
class Facts:
    """Everything detectors may ask about one unit."""

    unit: Evaluated
    statements: list[Statement] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    rollouts: list[Rollout] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    literals: list[LiteralText] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    stack_policies: list[StackPolicy] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    operations: list[StackSetOperation] = field(default_factory=list)
    fleet_commands: list[FleetCommand] = field(default_factory=list)
    _types: frozenset[str] | None = None

    @property
    def types(self) -> frozenset[str]:
        """The types of the resources, also as they are written; ``data.TYPE`` for data sources."""
        if self._types is None:
            found = {f"data.{r.type}" if r.is_data else r.type for r in self.unit.resources}
            found.update(r.written_type for r in self.unit.resources if r.written_type)
            self._types = frozenset(found)
        return self._types
