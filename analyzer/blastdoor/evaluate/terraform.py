"""Terraform units to values: variables, locals, modules, providers, resources.

`evaluate_root` evaluates one unit and gives an `Evaluated`. Nothing is evaluated before something
asks for it, and a module called several times with the same inputs is collected once.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Literal

from blastdoor import tables
from blastdoor.evaluate import clouds, functions, shapes, validation
from blastdoor.evaluate.data_sources import (
    account_of_arn,
    data_attribute,
    organization_attribute,
    partition_of_region,
)
from blastdoor.evaluate.expression import (
    Bindings,
    Budget,
    Frame,
    element_of,
    evaluate,
    follow,
    iterate,
    to_bool,
    to_number,
    to_text,
)
from blastdoor.evaluate.types import convert
from blastdoor.fact import (
    Backend,
    EnvironmentDefault,
    Evaluated,
    Fallback,
    FanOut,
    Import,
    Layer,
    Layering,
    Lookup,
    ModuleCall,
    Move,
    Provider,
    Removal,
    Resource,
    Setting,
)
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse import tree
from blastdoor.record import dataclass
from blastdoor.span import Document, Span
from blastdoor.units import Variables, literal_argument
from blastdoor.value import (
    MAX_ALTERNATIVES,
    Alternative,
    Evidence,
    Inherited,
    Key,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Reason,
    Step,
    Text,
    Unknown,
    Value,
    known_text,
    one_of,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.units import Module, Repository, Root, Section

MAX_INSTANCES: Final = 24
"""Instances of one repeated block that are looked at one by one; more are taken together."""
_MAX_STARS: Final = 3
"""Stars of a ``fileset`` pattern that is followed."""
MAX_MODULES: Final = 600
"""Module instances of one unit."""
MAX_MODULE_DEPTH: Final = 24
"""Modules within modules."""
_MAX_CHAIN: Final = 10
"""Evidence steps that one value keeps."""

_LOOKUP_WITH_DEFAULT: Final = 3
"""Arguments of a ``lookup`` that says what to take when the key is not there."""
_DOCUMENT_REFERENCE: Final = re.compile(r"data\.aws_iam_policy_document\.[A-Za-z0-9_-]+")
_UNDECIDED: Final = frozenset({Reason.NO_VALUE, Reason.CALLER})
_WRITE_ONLY: Final = "_wo"
"""How the names of write-only arguments end, which Terraform never keeps."""
_ENVIRONMENT_KEY: Final = re.compile(
    r"terraform\.workspace|(?:var|local)\.(?:[a-z_]+_)?(?:env|environment|stage)(?:_name)?",
    re.ASCII,
)
"""What names an environment when something is looked up by it."""
_META_ARGUMENTS: Final = frozenset(
    {"count", "for_each", "provider", "depends_on", "lifecycle", "providers", "source", "version"}
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a tool around Terraform gives a root module."""

    inputs: AbstractMapping[str, Value] = field(default_factory=dict)
    """Values of variables, below those of every file of values."""
    rest: Value | None = None
    """What a variable without a value may have got; ``None`` when ``inputs`` are all."""
    names: AbstractMapping[str, Value] = field(default_factory=dict)
    """What names in generated files stand for."""
    opaque: bool = False
    """Whether the module itself is not here: only what is generated into it."""
    region: Value | None = None
    """The region that the environment gives to AWS providers without one."""
    account: Value | None = None
    """The account that the environment's credentials are of."""
    open: Unknown | None = None
    """Why the root may configure further providers; ``None`` when every file of it is known."""


class Program:
    """The evaluation of one unit: what its module instances share."""

    def __init__(
        self,
        repository: Repository,
        root: Root,
        variables: Sequence[Variables] = (),
        *,
        no_region: frozenset[str] = frozenset(),
        workspaces: Sequence[str] = (),
        given: Given | None = None,
    ) -> None:
        self.repository = repository
        self.given = given or Given()
        self.directory = root.directory
        self.is_root = root.is_root
        self.variables = variables
        self.no_region = no_region
        self.workspaces = workspaces
        self.budget = Budget()
        self.failures: list[Failure] = []
        self.inputs: set[str] = set()
        self.lookups: dict[tuple[str, int, int, Hashable], Lookup] = {}
        self.used_documents: set[tuple[str, int]] = set()
        self.instances = 0
        self.members: list[Instance] = []

    def cloud_workspace(self) -> tuple[str, ...]:
        """The one workspace that the root module's ``cloud`` block names, if it does.

        With ``tags`` or ``project`` any workspace may be selected; the ``remote`` backend's
        ``terraform.workspace`` is not the name that it gives (Terraform documentation, "Workspaces").
        """
        module = self.repository.module(self.directory)
        for settings in module.settings if module is not None and self.is_root else ():
            for cloud in settings.sections("cloud"):
                for workspaces in cloud.sections("workspaces"):
                    name = literal_argument(workspaces, "name")
                    if name:
                        return (name,)
        return ()

    def close(self) -> None:
        """Effect: breaks the circles between instances, so that a unit goes when it is done.

        Garbage collection is off while trees grow: what refers to itself would stay to the end.
        """
        for member in self.members:
            member.forget()
        self.members.clear()
        self.lookups.clear()

    def read(self, path: str) -> str | None:
        """The text of a file named relative to the root module's directory; inside the tree only."""
        if posixpath.isabs(path) or "\0" in path:
            return None
        target = posixpath.normpath(posixpath.join(self.directory, path))
        if target.startswith(".."):
            return None
        self.inputs.add(target)
        return self.repository.files.read(target)


class ModuleFiles:
    """The files that a module's functions may read."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def close(self) -> None:
        """Effect: lets go of the module."""
        del self._instance

    def read(self, path: str) -> str | None:
        """The text of a file, or ``None`` when it is not there or outside the analysed root."""
        return self._instance.program.read(path)

    def document(self, path: str) -> Document | None:
        """The same file as a document, kept for the whole repository."""
        program = self._instance.program
        if posixpath.isabs(path) or "\0" in path:
            return None
        target = posixpath.normpath(posixpath.join(program.directory, path))
        if target.startswith(".."):
            return None
        program.inputs.add(target)
        return program.repository.document(target)

    def names(self, directory: str, pattern: str) -> list[str] | None:
        """The files of one directory that match a plain pattern; ``None`` for any other question."""
        program = self._instance.program
        if "/" in pattern or "**" in pattern or "[" in pattern or pattern.count("*") > _MAX_STARS:
            return None
        target = posixpath.normpath(posixpath.join(program.directory, directory))
        if posixpath.isabs(directory) or target.startswith(".."):
            return None
        return [
            name for name in program.repository.files.names(target) if fnmatchcase(name, pattern)
        ]

    def template(self, path: str, variables: AbstractMapping[str, Value], span: Span) -> Value:
        """The rendered template file."""
        document = self.document(path)
        if document is None:
            return Unknown(Reason.OUTSIDE_FILE, path, span)
        expression = self._instance.program.repository.template(document)
        if expression is None:
            return Unknown(Reason.SYNTAX, path, span)
        frame = Frame(_TemplateScope(self._instance), document, dict(variables))
        return evaluate(expression, frame)


class _TemplateScope:
    """What names mean in a template file: only its variables."""

    def __init__(self, instance: Instance) -> None:
        self.files = instance.files
        self.budget = instance.budget

    def resolve(  # the protocol's arguments
        self,
        name: str,
        operations: Sequence[tree.Operation],  # noqa: ARG002
        frame: Frame,  # noqa: ARG002
        span: Span,
    ) -> tuple[Value, int]:
        """No name is known beyond the variables."""
        return Unknown(Reason.UNRESOLVED, name, span), 0

    def apply(self, name: str, arguments: Sequence[Value], frame: Frame, span: Span) -> Value:  # noqa: ARG002
        """What one of Terraform's functions gives."""
        return functions.call(name, arguments, span, self.files)

    def missed(self, base: Span, mapping: Mapping, key: Value, frame: Frame, span: Span) -> None:
        """A template's lookups are not recorded."""


class Instance:
    """One module instance: a directory with the inputs of one call."""

    def __init__(
        self,
        program: Program,
        module: Module,
        *,
        parent: Instance | None = None,
        call: Section | None = None,
        bindings: Bindings | None = None,
        address: str = "",
    ) -> None:
        self.program = program
        self.module = module
        self.parent = parent
        self.call = call
        self.call_bindings = bindings or {}
        self.address = address
        self.budget = program.budget
        self.files = ModuleFiles(self)
        self.depth: int = 0 if parent is None else parent.depth + 1
        self._values: dict[Hashable, Value] = {}
        self._open: set[Hashable] = set()
        self._children: dict[Hashable, Instance | None] = {}
        self._providers: dict[str, Provider] | None = None
        self._assigned: dict[str, Value] | None = None
        self._named: dict[Key, tuple[str, Section]] | None = None
        program.instances += 1
        program.members.append(self)

    def forget(self) -> None:
        """Effect: lets go of every value, provider and child."""
        self._values.clear()
        self._children.clear()
        self._providers = None
        self._assigned = None
        self._named = None
        self.files.close()

    # Names

    def frame(self, document: Document, bindings: Bindings | None = None, owner: str = "") -> Frame:
        """Where an expression of this module stands."""
        return Frame(self, document, bindings or {}, owner)

    def path(self, name: str) -> str:
        """An address within this module instance."""
        return f"{self.address}.{name}" if self.address else name

    def resolve(
        self, name: str, operations: Sequence[tree.Operation], frame: Frame, span: Span
    ) -> tuple[Value, int]:
        """The value of a root name with the first operations, and how many of them it used."""
        first = operations[0] if operations else None
        if name == "var" and isinstance(first, tree.Attr):
            return self.variable(first.name, span), 1
        if name == "local" and isinstance(first, tree.Attr):
            return self.local(first.name, span), 1
        if name == "module" and isinstance(first, tree.Attr):
            return self._module_reference(first.name, operations, frame, span)
        if name in ("data", "resource") and len(operations) > 1:
            second = operations[1]
            if isinstance(first, tree.Attr) and isinstance(second, tree.Attr):
                value, used = self._reference(
                    "data" if name == "data" else "managed",
                    first.name,
                    second.name,
                    operations[2:],
                    frame,
                    span,
                )
                return value, used + 2
        if name == "ephemeral" and len(operations) > 1:
            words = [step.name for step in operations[:2] if isinstance(step, tree.Attr)]
            subject = ".".join([name, *words])
            return Unknown(Reason.EPHEMERAL, subject, span).hidden(), len(operations)
        if name == "path" and isinstance(first, tree.Attr):
            return self._path(first.name, span), 1
        if name in ("terraform", "tofu") and isinstance(first, tree.Attr):
            return self._workspace(span), 1
        if name in ("each", "count", "self"):
            return Unknown(Reason.RANGE, name, span), 0
        if self.parent is None and name in self.program.given.names:
            return self.program.given.names[name], 0
        if isinstance(first, tree.Attr) and "_" in name:
            value, used = self._reference("managed", name, first.name, operations[1:], frame, span)
            return value, used + 1
        return Unknown(Reason.UNRESOLVED, name, span), 0

    def _path(self, name: str, span: Span) -> Value:
        if name == "module":
            here = posixpath.relpath(self.module.path, self.program.directory)
            return Known(here, span)
        if name == "root":
            return Known(".", span)
        return Unknown(Reason.ENVIRONMENT, f"path.{name}", span)

    def _workspace(self, span: Span) -> Value:
        names = self.program.workspaces or self.program.cloud_workspace()
        if names:
            return one_of(
                [Alternative(Known(name, span), f"workspace {name}") for name in names], span
            )
        return Unknown(Reason.ENVIRONMENT, "terraform.workspace", span)

    def apply(self, name: str, arguments: Sequence[Value], frame: Frame, span: Span) -> Value:  # noqa: ARG002  the protocol's
        """What one of Terraform's functions gives."""
        return functions.call(name, arguments, span, self.files)

    def missed(self, base: Span, mapping: Mapping, key: Value, frame: Frame, span: Span) -> None:
        """Effect: records a lookup by a known key that a completely known mapping lacks."""
        text = known_text(key)
        if text is None:
            return
        place = (span.path, span.start, span.end, text)
        self.program.lookups.setdefault(
            place,
            Lookup(
                base.text,
                tuple(mapping.entries),
                key,
                span,
                self.path(frame.owner) if frame.owner else self.address,
                mapping.span,
            ),
        )

    # Variables and locals

    def variable(self, name: str, span: Span | None = None) -> Value:
        """The value of ``var.name``."""
        return self._once(("var", name), lambda: self._variable(name), f"var.{name}", span)

    def _once(
        self, key: Hashable, make: Callable[[], Value], subject: str, span: Span | None
    ) -> Value:
        found = self._values.get(key)
        if found is not None:
            return found
        if key in self._open:
            return Unknown(Reason.CYCLE, subject, span)
        self._open.add(key)
        try:
            value = make()
        finally:
            self._open.discard(key)
        if len(value.via) > _MAX_CHAIN:
            value = value.through()
            value.via = value.via[:2] + value.via[-(_MAX_CHAIN - 2) :]
        spent = self.budget.steps < 0
        if not spent and not (isinstance(value, Unknown) and value.reason is Reason.CYCLE):
            self._values[key] = value
        return value

    def _variable(self, name: str) -> Value:
        section = self.module.variables.get(name)
        subject = f"var.{name}"
        if section is None:
            return self._undeclared(name, subject)
        if self._says(section, "ephemeral"):
            return Unknown(Reason.EPHEMERAL, subject, section.span).hidden()
        value = self._given(name)
        if isinstance(value, Known) and value.data is None and self._denies(section, "nullable"):
            value = None
        if value is not None:
            value = self._convert(section, value)
        elif self.parent is None and not self.program.is_root:
            value = Unknown(Reason.CALLER, subject, section.span)
        elif section.argument("default") is None:
            value = Unknown(Reason.NO_VALUE, subject, section.span)
        else:
            value = self._default(section, subject)
        if isinstance(value, Unknown) and value.reason in _UNDECIDED:
            value = validation.allowed(section, name, value, self.frame) or value
        return self.budget.hide(value) if self._says(section, "sensitive") else value

    def _default(self, section: Section, subject: str) -> Value:
        default = section.argument("default")
        assert default is not None
        document, attribute = default
        value = evaluate(attribute.expression, self.frame(document, owner=subject))
        where = Span(document, attribute.expression.start, attribute.expression.end)
        value = self._convert(section, value)
        return value.through(Evidence(Step.DEFAULT, f"the default of {subject}", where))

    def _says(self, section: Section, name: str) -> bool:
        """Whether an argument of a block is true."""
        found = section.argument(name)
        return (
            found is not None
            and to_bool(evaluate(found[1].expression, self.frame(found[0]))) is True
        )

    def _denies(self, section: Section, name: str) -> bool:
        """Whether an argument of a block is false."""
        found = section.argument(name)
        return (
            found is not None
            and to_bool(evaluate(found[1].expression, self.frame(found[0]))) is False
        )

    def _undeclared(self, name: str, subject: str) -> Value:
        """A variable that no file here declares; the module itself may be elsewhere."""
        given = self.program.given
        if self.parent is None and given.opaque:
            return (
                self._assignments().get(name)
                or given.rest
                or Unknown(Reason.EXTERNAL_MODULE, subject)
            )
        return Unknown(Reason.UNDECLARED, subject)

    def _given(self, name: str) -> Value | None:
        """The value that the caller or a file of values gives a variable."""
        if self.parent is None:
            return self._assignments().get(name) or self.program.given.rest
        assert self.call is not None
        found = self.call.argument(name)
        if found is None:
            return None
        document, attribute = found
        parent = self.parent
        value = evaluate(
            attribute.expression,
            parent.frame(document, self.call_bindings, f"module.{self.call.labels[0]}"),
        )
        where = Span(document, attribute.expression.start, attribute.expression.end)
        return value.through(Evidence(Step.INPUT, f"input {name} of {self.address}", where))

    def _convert(self, section: Section, value: Value) -> Value:
        constraint = section.argument("type")
        if constraint is None:
            return value
        return convert(value, constraint[1].expression, self.frame(constraint[0]))

    def _assignments(self) -> dict[str, Value]:
        """Values from variables files, a later file over an earlier one."""
        if self._assigned is None:
            self._assigned = assigned = dict(self.program.given.inputs)
            files = sorted(
                (file for file in self.module.assignments if file.automatic),
                key=lambda file: (
                    not posixpath.basename(file.path).startswith("terraform.tfvars"),
                    file.path,
                ),
            )
            for file in (*files, *self.program.variables):
                self.program.inputs.add(file.path)
                document = file.body.document
                for name, attribute in file.body.attributes.items():
                    value = evaluate(attribute.expression, self.frame(document))
                    where = Span(document, attribute.expression.start, attribute.expression.end)
                    assigned[name] = value.through(
                        Evidence(Step.VARIABLES_FILE, f"var.{name} in {file.path}", where)
                    )
        return self._assigned

    def local(self, name: str, span: Span | None = None) -> Value:
        """The value of ``local.name``."""
        return self._once(("local", name), lambda: self._local(name), f"local.{name}", span)

    def _local(self, name: str) -> Value:
        found = self.module.locals.get(name)
        if found is None:
            elsewhere = self.parent is None and self.program.given.opaque
            reason = Reason.EXTERNAL_MODULE if elsewhere else Reason.UNDECLARED
            return Unknown(reason, f"local.{name}")
        document, attribute = found
        expression = attribute.expression
        value = evaluate(expression, self.frame(document, owner=f"local.{name}"))
        where = Span(document, expression.start, expression.end)
        return value.through(Evidence(Step.LOCAL, f"local.{name}", where))

    # Providers

    def providers(self) -> dict[str, Provider]:
        """The provider configurations that this instance names, by ``aws`` or ``aws.alias``."""
        if self._providers is None:
            self._providers = {}
            if self.parent is not None and self.call is not None:
                self._passed(self._providers)
            for section in self.module.providers:
                provider = self._provider(section)
                key = f"{provider.name}.{provider.alias}" if provider.alias else provider.name
                self._providers.setdefault(key, provider)
        return self._providers

    def _passed(self, providers: dict[str, Provider]) -> None:
        assert self.call is not None
        assert self.parent is not None
        passed = self.call.argument("providers")
        if passed is None:
            return
        document, attribute = passed
        if not isinstance(attribute.expression, tree.ObjectExpression):
            return
        for item in attribute.expression.items:
            key = Span(document, item.key.start, item.key.end).text.strip("\"' ()")
            value = Span(document, item.value.start, item.value.end).text.strip("\"' ()")
            providers[key] = self.parent.provider(value)

    def provider(self, key: str) -> Provider:
        """The configuration that ``key`` names here: declared, passed, inherited or implied.

        Terraform's documentation says that a ``providers`` map ends all inheritance. What it does
        (``ProviderTransformer``, as OpenTofu's) is to look for a default configuration in the modules
        around wherever the map hands on none.
        """
        providers = self.providers()
        found = providers.get(key)
        if found is not None:
            return found
        name, _dot, alias = key.partition(".")
        if self.parent is not None and not alias:
            found = self.parent.provider(key)
        else:
            found = self._implied(name, alias)
        providers[key] = found
        return found

    def _implied(self, name: str, alias: str) -> Provider:
        where = self.call.span if self.call is not None else self._anywhere()
        outside = self.parent is None and not self.program.is_root
        reason = Reason.CALLER if outside or alias else Reason.ENVIRONMENT
        subject = f"the caller's provider {name}" if outside else f"the environment of {name}"
        region: Value = Inherited(reason, subject, where, meaning=Meaning.CURRENT_REGION)
        if name == "aws" and self.program.given.region is not None:
            region = self.program.given.region
        if alias:
            given = outside or self.module.wants_aliases
            region = Unknown(
                Reason.CALLER if given else Reason.UNDECLARED, f"{name}.{alias}", where
            )
        gap = self.program.given.open
        if gap is not None and self.parent is None:
            region = Unknown(gap.reason, gap.subject, where)
        return Provider(
            name,
            alias,
            region,
            (self.program.given.account if name == "aws" else None)
            or Inherited(reason, subject, where, meaning=Meaning.CURRENT_ACCOUNT),
            Known(clouds.GCP, where)
            if name in clouds.GOOGLE
            else partition_of_region(region)
            if isinstance(region, Known)
            else Unknown(reason, subject, where, meaning=Meaning.CURRENT_PARTITION),
            where,
            address=self.path(f"provider.{name}"),
            declared=False,
        )

    def _anywhere(self) -> Span:
        for document in self.module.documents.values():
            return Span(document, 0, 0)
        return Span(Document(self.module.path, ""), 0, 0)

    def _provider(self, section: Section) -> Provider:
        name = section.labels[0]
        alias = literal_argument(section, "alias") or ""
        address = self.path(f"provider.{name}" + (f".{alias}" if alias else ""))
        get = self._reader(section, {}, address)
        span = section.span
        if name in clouds.GOOGLE or name == clouds.AZURE:
            return self._cloud_provider(section, name, alias, address, get)
        given = section.argument("region")
        region = get("region")
        region_span = None
        if given is not None:
            region_span = Span(given[0], given[1].expression.start, given[1].expression.end)
        if region is None or (isinstance(region, Known) and region.data in (None, "")):
            region = Inherited(
                Reason.ENVIRONMENT,
                f"the environment of {name}",
                span,
                meaning=Meaning.CURRENT_REGION,
            )
            if name == "aws" and self.program.given.region is not None:
                region = self.program.given.region
        role = None
        for body in _bodies(get("assume_role")):
            role = body.get("role_arn") or role
        account = account_of_arn(role) if role is not None else None
        allowed = get("allowed_account_ids")
        if isinstance(allowed, Many) and allowed.complete and len(allowed.items) == 1:
            account = allowed.items[0]
        if account is None and name == "aws":
            account = self.program.given.account
        if account is None:
            account = Inherited(
                Reason.ENVIRONMENT,
                f"the credentials of {name}",
                span,
                meaning=Meaning.CURRENT_ACCOUNT,
            )
        return Provider(
            name,
            alias,
            region,
            account,
            partition_of_region(region),
            span,
            region_span,
            address,
            credentials=tuple(_credentials(get, role)),
            get=get,
        )

    def _cloud_provider(
        self,
        section: Section,
        name: str,
        alias: str,
        address: str,
        get: Callable[[str], Value | None],
    ) -> Provider:
        """A configuration of Google Cloud or Azure."""
        google = name in clouds.GOOGLE
        span = section.span
        given = (section.argument("region") or section.argument("zone")) if google else None
        region: Value | None = clouds.google_provider_region(get) if google else Known(None, span)
        if region is None:
            region = Inherited(
                Reason.ENVIRONMENT,
                f"the environment of {name}",
                span,
                meaning=Meaning.CURRENT_REGION,
            )
        account = get("project" if google else "subscription_id")
        if account is None or not clouds.is_set(account):
            account = Inherited(
                Reason.ENVIRONMENT,
                f"the environment of {name}",
                span,
                meaning=Meaning.CURRENT_ACCOUNT,
            )
        return Provider(
            name,
            alias,
            region,
            account,
            Known(clouds.GCP, span)
            if google
            else clouds.azure_environment(get("environment"), span),
            span,
            Span(given[0], given[1].expression.start, given[1].expression.end)
            if given is not None
            else None,
            address,
            get=get,
        )

    def provider_of(self, section: Section, type_: str) -> tuple[Provider, bool]:
        """The provider configuration of a resource, and whether it names one itself."""
        chosen = section.argument("provider")
        if chosen is not None:
            document, attribute = chosen
            text = Span(document, attribute.expression.start, attribute.expression.end).text
            return self.provider(text.strip("\"' ${}")), True
        return self.provider(type_.split("_", 1)[0]), False

    # Blocks

    def _reader(
        self, section: Section, bindings: Bindings, owner: str
    ) -> Callable[[str], Value | None]:
        """Reads arguments and nested blocks of a section, each once."""
        cache: dict[str, Value | None] = {}
        open_names: set[str] = set()

        def get(name: str) -> Value | None:
            if name in cache:
                return cache[name]
            if not section.may_say(name):
                cache[name] = None
                return None
            if name in open_names:
                return Unknown(Reason.CYCLE, f"{owner}.{name}", section.span)
            open_names.add(name)
            try:
                value = self._argument(section, name, bindings, owner)
            finally:
                open_names.discard(name)
            cache[name] = value
            return value

        return get

    def _argument(
        self, section: Section, name: str, bindings: Bindings, owner: str
    ) -> Value | None:
        found = section.argument(name)
        if found is not None:
            document, attribute = found
            expression = attribute.expression
            if name == "ignore_changes":
                return _ignored(expression, document)
            where = Span(document, expression.start, expression.end)
            if name.endswith(_WRITE_ONLY):
                return Unknown(Reason.EPHEMERAL, f"{owner}.{name}", where).hidden()
            value = evaluate(expression, self.frame(document, bindings, owner))
            if value.span is not None and (
                value.span.document is not document
                or value.span.start < where.start
                or value.span.end > where.end
            ):
                value = value.through(Evidence(Step.ATTRIBUTE, f"{owner}.{name}", where))
            elif value.span is None:
                value = value.at(where)
            return value
        bodies = [self.block(block, bindings, owner) for block in section.sections(name)]
        complete = True
        for block in section.sections("dynamic"):
            if block.labels == (name,):
                more, known = self._dynamic(block, name, bindings, owner)
                bodies.extend(more)
                complete = complete and known
        if not bodies and complete:
            return None
        return within_budget(Many(tuple(bodies), section.span, complete=complete))

    def block(self, section: Section, bindings: Bindings, owner: str) -> Value:
        """A nested block as a mapping of its arguments and blocks."""
        entries: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for name in section.argument_names():
            value = self._argument(section, name, bindings, owner)
            found = section.argument(name)
            if value is not None and found is not None:
                if isinstance(value, Known) and value.data is None:
                    continue
                entries[name] = value
                spans[name] = Span(found[0], found[1].name_start, found[1].name_end)
        for name in section.section_types():
            value = self._argument(section, name, bindings, owner)
            if value is not None:
                entries[name] = value
        return within_budget(Mapping(entries, section.span, key_spans=spans))

    def _dynamic(
        self, section: Section, name: str, bindings: Bindings, owner: str
    ) -> tuple[list[Value], bool]:
        contents = section.sections("content")
        each = section.argument("for_each")
        if not contents or each is None:
            return [], False
        document, attribute = each
        collection = evaluate(attribute.expression, self.frame(document, bindings, owner))
        iterator = section.argument("iterator")
        label = name
        if iterator is not None:
            label = Span(iterator[0], iterator[1].expression.start, iterator[1].expression.end).text
        if isinstance(collection, OneOf):
            return self._dynamic_open(contents[0], label, element_of(collection), bindings, owner)
        elements = iterate(collection)
        if elements is None and isinstance(collection, Known) and collection.data is None:
            elements = []
        if elements is None:
            return self._dynamic_open(contents[0], label, element_of(collection), bindings, owner)
        if len(elements) > MAX_INSTANCES * 4:
            together = _together([value for _key, value in elements], collection)
            return self._dynamic_open(contents[0], label, together, bindings, owner)
        bodies = []
        for key, value in elements:
            item = Mapping({"key": key, "value": value})
            bodies.append(self.block(contents[0], {**bindings, label: item}, owner))
        return bodies, True

    def _dynamic_open(
        self, content: Section, label: str, value: Value, bindings: Bindings, owner: str
    ) -> tuple[list[Value], bool]:
        """A dynamic block whose elements are not known: what any one of them would say."""
        item = Mapping({"key": Unknown(Reason.RANGE, f"{label}.key"), "value": value})
        self.budget.speculative += 1
        try:
            return [self.block(content, {**bindings, label: item}, owner)], False
        finally:
            self.budget.speculative -= 1

    # Repetition

    def expand(
        self, section: Section, owner: str, *, outer: Bindings | None = None
    ) -> tuple[list[Bindings], Value | None, Span | None]:
        """The bindings of each instance of a block, with the collection that repeats it."""
        for name in ("for_each", "count"):
            found = section.argument(name)
            if found is None:
                continue
            document, attribute = found
            span = Span(document, attribute.expression.start, attribute.expression.end)
            value = evaluate(attribute.expression, self.frame(document, outer, owner))
            if name == "count":
                return self._counted(section, value), value, span
            return self._each(section, value), value, span
        return [{}], None, None

    def _counted(self, section: Section, value: Value) -> list[Bindings]:
        number = to_number(value)
        open_index: Bindings = {"count": Mapping({"index": Unknown(Reason.RANGE, "count.index")})}
        if number is None:
            truth = to_bool(value)
            if truth is False:
                return []
            if isinstance(value, OneOf) and all(
                to_number(a.value) == 0 for a in value.alternatives
            ):
                return []
            return [open_index]
        if number < 1:
            return []
        if number == 1:
            return [{"count": Mapping({"index": Known(0)})}]
        if not _mentions(section, "count.") or number > MAX_INSTANCES:
            return [open_index]
        return [{"count": Mapping({"index": Known(index)})} for index in range(int(number))]

    def _each(self, section: Section, value: Value) -> list[Bindings]:
        elements = iterate(value)
        if isinstance(value, Many) and elements is not None:
            # toset() of strings; a plain tuple is refused by Terraform but reads the same.
            elements = [(item, item) for _key, item in elements]
        if elements is None:
            element = element_of(value)
            key: Value = Unknown(Reason.RANGE, "each.key", element.span, element.via)
            if isinstance(element, Unknown) and element.meaning is not None:
                key = element
            if isinstance(value, OneOf):
                if all(
                    isinstance(a.value, (Many, Mapping)) and iterate(a.value) == []
                    for a in value.alternatives
                ):
                    return []
                options = [
                    Alternative(item, a.condition)
                    for a in value.alternatives
                    for _key, item in iterate(a.value) or ()
                ]
                if options and len(options) <= MAX_ALTERNATIVES:
                    element = one_of(options)
            return [{"each": Mapping({"key": key, "value": element})}]
        if not elements:
            return []
        if not _mentions(section, "each."):
            key, item = elements[0]
            if len(elements) > 1:
                key, item = Unknown(Reason.RANGE, "each.key"), Unknown(Reason.RANGE, "each.value")
            return [{"each": Mapping({"key": key, "value": item})}]
        if len(elements) > MAX_INSTANCES:
            together = _together([item for _key, item in elements], value)
            keys = _together([key for key, _item in elements], value)
            return [{"each": Mapping({"key": keys, "value": together})}]
        return [{"each": Mapping({"key": key, "value": item})} for key, item in elements]

    # References

    def _reference(
        self,
        mode: Literal["managed", "data"],
        type_: str,
        name: str,
        operations: Sequence[tree.Operation],
        frame: Frame,
        span: Span,
    ) -> tuple[Value, int]:
        """``type.name[key].attribute``: the value and the operations used."""
        blocks = self.module.managed if mode == "managed" else self.module.data
        section = blocks.get((type_, name))
        prefix = "data." if mode == "data" else ""
        address = f"{prefix}{type_}.{name}"
        if section is None:
            return Unknown(Reason.UNRESOLVED, address, span), len(operations)
        repeated = section.argument("count") or section.argument("for_each")
        key: Value | None = None
        used = 0
        if repeated is not None and operations:
            first = operations[0]
            if isinstance(first, tree.Index):
                key = evaluate(first.key, frame)
                used = 1
            elif isinstance(first, tree.Splat):
                return self._splatted(mode, section, type_, name, first, frame, span), 1
        if used >= len(operations):
            if type_ in clouds.WHOLE and mode == "managed":
                return self._whole(section, type_, name, key, span), used
            return Unknown(_reason(mode), address, span, meaning=Meaning.RESOURCE), used
        attribute = operations[used]
        if not isinstance(attribute, tree.Attr):
            return Unknown(_reason(mode), address, span, meaning=Meaning.RESOURCE), len(operations)
        return self.attribute(mode, section, type_, name, attribute.name, key, span), used + 1

    def _whole(
        self, section: Section, type_: str, name: str, key: Value | None, span: Span
    ) -> Value:
        """A reference to a whole resource, as its arguments and its id."""
        names = [n for n in section.argument_names() if n not in _META_ARGUMENTS]
        entries = {
            attribute: self.attribute("managed", section, type_, name, attribute, key, span)
            for attribute in (*names, "id")
        }
        return within_budget(Mapping(entries, span, complete=False))

    def _splatted(  # noqa: PLR0913, PLR0917  a reference's parts
        self,
        mode: Literal["managed", "data"],
        section: Section,
        type_: str,
        name: str,
        splat: tree.Splat,
        frame: Frame,
        span: Span,
    ) -> Value:
        steps = splat.operations
        if not steps or not isinstance(steps[0], tree.Attr):
            return Unknown(_reason(mode), f"{type_}.{name}", span)
        bindings, _collection, _span = self.expand(section, f"{type_}.{name}")
        known = section.argument("count") is not None and all(
            isinstance(b.get("count"), Mapping) for b in bindings
        )
        items = []
        complete = known
        for binding in bindings:
            counter = binding.get("count")
            key = counter.get("index") if isinstance(counter, Mapping) else None
            if key is None or not isinstance(key, Known):
                complete = False
            item = self.attribute(mode, section, type_, name, steps[0].name, key, span)
            items.append(follow(item, steps[1:], frame, span))
        return Many(tuple(items), span, complete=complete)

    def attribute(  # noqa: PLR0913, PLR0917  a reference's parts
        self,
        mode: Literal["managed", "data"],
        section: Section,
        type_: str,
        name: str,
        attribute: str,
        key: Value | None,
        span: Span,
    ) -> Value:
        """The value of an attribute of a resource or data source."""
        prefix = "data." if mode == "data" else ""
        address = f"{prefix}{type_}.{name}"
        subject = f"{address}.{attribute}"
        token = (mode, type_, name, attribute, None if key is None else key.key())

        def make() -> Value:
            bindings: Bindings = {}
            if key is not None:
                bindings = self._binding_of(section, key, address)
            get = self._reader(section, bindings, address)
            if mode == "data":
                provider, _chosen = self.provider_of(section, type_)
                value = data_attribute(type_, attribute, get, provider, subject, span)
                if value is not None:
                    return value.through(Evidence(Step.DATA, address, section.span))
                if type_ in clouds.WHOLE and attribute == "location":
                    value = self._location_by_name(type_, get("name"))
                    if value is not None:
                        return value.through(Evidence(Step.DATA, address, section.span))
                if type_ == "terraform_remote_state":
                    return Unknown(Reason.REMOTE_STATE, subject, span)
                if type_ == "template_file" and attribute == "rendered":
                    return self._template_file(get, subject, span)
                if section.argument(attribute) is not None and attribute not in ("id", "arn"):
                    given = get(attribute)
                    if given is not None:
                        return given
                return Unknown(Reason.DATA_SOURCE, subject, span, meaning=Meaning.RESOURCE)
            if type_ == "aws_organizations_organization":
                value = organization_attribute(attribute, subject, span)
                if value is not None:
                    return value
            if attribute not in ("id", "arn"):
                given = get(attribute)
                if given is not None and not (isinstance(given, Known) and given.data is None):
                    block = section.argument(attribute) is None
                    return _with_more(given, subject) if block else given
            if type_.startswith("google_"):
                provider, _chosen = self.provider_of(section, type_)
                value = clouds.google_attribute(type_, attribute, get, provider)
                if value is not None:
                    return value
            if type_ in ("terraform_data", "null_resource") and attribute == "output":
                return get("input") or Unknown(Reason.COMPUTED, subject, span)
            return Unknown(Reason.COMPUTED, subject, span, meaning=Meaning.RESOURCE)

        return self._once(token, make, subject, span)

    def _location_by_name(self, type_: str, name: Value | None) -> Value | None:
        """The location of what a data source reads, where this module or a caller makes it."""
        if name is None or not _is_decided(name):
            return None
        wanted = name.key()
        instance: Instance | None = self
        while instance is not None:
            found = instance._labels(type_).get(wanted)  # noqa: SLF001  same class
            if found is not None:
                label, section = found
                return instance.attribute(
                    "managed", section, type_, label, "location", None, section.span
                )
            instance = instance.parent
        return None

    def _labels(self, type_: str) -> dict[Key, tuple[str, Section]]:
        """Name that a resource of a type is made with → its label; empty while it is put together."""
        if self._named is None:
            self._named = {}
            named = {}
            for (other, label), section in self.module.managed.items():
                if other == type_ and not (
                    section.argument("count") or section.argument("for_each")
                ):
                    own = self.attribute(
                        "managed", section, type_, label, "name", None, section.span
                    )
                    named[own.key()] = (label, section)
            self._named = named
        return self._named

    def _template_file(self, get: Callable[[str], Value | None], subject: str, span: Span) -> Value:
        template, variables = get("template"), get("vars")
        if not isinstance(template, Known) or not isinstance(template.data, str):
            return Unknown(Reason.DATA_SOURCE, subject, span)
        if not isinstance(variables, Mapping):
            variables = Mapping({}, span)
        from blastdoor.parse.hcl import parse_template

        document = Document(template.span.path if template.span is not None else "", template.data)
        expression, faults = parse_template(document)
        if faults or not variables.complete:
            return Unknown(Reason.DATA_SOURCE, subject, span)
        frame = Frame(_TemplateScope(self), document, dict(variables.entries))
        value = evaluate(expression, frame)
        if isinstance(value, Known):
            # Positions within the inner document say nothing to a reader: point at the template.
            return Known(value.data, template.span or span)
        return Unknown(Reason.DATA_SOURCE, subject, span)

    def _binding_of(self, section: Section, key: Value, owner: str) -> Bindings:
        """The bindings of the instance that ``key`` selects."""
        each = section.argument("for_each")
        if each is None:
            return {"count": Mapping({"index": key})}
        document, attribute = each
        collection = evaluate(attribute.expression, self.frame(document, owner=owner))
        value: Value = element_of(collection)
        name = to_text(key)
        if name is not None and isinstance(collection, Mapping):
            value = collection.get(name) or value
        elif name is not None and isinstance(collection, Many):
            value = key
        return {"each": Mapping({"key": key, "value": value})}

    # Modules

    def _module_reference(
        self, name: str, operations: Sequence[tree.Operation], frame: Frame, span: Span
    ) -> tuple[Value, int]:
        section = self.module.calls.get(name)
        if section is None:
            return Unknown(Reason.UNDECLARED, f"module.{name}", span), len(operations)
        repeated = section.argument("count") or section.argument("for_each")
        used = 1
        key: Value | None = None
        if repeated is not None and len(operations) > 1:
            first = operations[1]
            if isinstance(first, tree.Index):
                key = evaluate(first.key, frame)
                used = 2
            elif isinstance(first, tree.Splat):
                return self._module_splat(section, name, first, frame, span), 2
            elif section.argument("for_each") is not None:
                key = Known(first.name, span)  # module.a.key.output is module.a["key"].output
                used = 2
        if used >= len(operations) or not isinstance(operations[used], tree.Attr):
            return Unknown(self._whole_module(section), f"module.{name}", span), len(operations)
        output = operations[used]
        assert isinstance(output, tree.Attr)
        bindings = self._binding_of(section, key, f"module.{name}") if key is not None else {}
        child = self.child(name, bindings)
        if child is None:
            return Unknown(Reason.EXTERNAL_MODULE, f"module.{name}.{output.name}", span), used + 1
        return child.output(output.name, span), used + 1

    def _module_splat(
        self, section: Section, name: str, splat: tree.Splat, frame: Frame, span: Span
    ) -> Value:
        steps = splat.operations
        if not steps or not isinstance(steps[0], tree.Attr):
            return Unknown(self._whole_module(section), f"module.{name}", span)
        bindings, collection, _span = self.expand(section, f"module.{name}")
        items = []
        for binding in bindings:
            child = self.child(name, binding)
            if child is None:
                return Unknown(Reason.EXTERNAL_MODULE, f"module.{name}.{steps[0].name}", span)
            items.append(follow(child.output(steps[0].name, span), steps[1:], frame, span))
        number = to_number(collection) if collection is not None else None
        return Many(tuple(items), span, complete=number == len(items))

    def _whole_module(self, section: Section) -> Reason:
        """Why a reference to a whole module says nothing: not here, or not put together here."""
        target = self.program.repository.resolve_source(self.module.path, section)
        return Reason.EXTERNAL_MODULE if target is None else Reason.UNSUPPORTED

    def child(self, name: str, bindings: Bindings) -> Instance | None:
        """The instance of a called module; ``None`` when its files are not in the repository."""
        token = (name, tuple([(k, v.key()) for k, v in sorted(bindings.items())]))
        if token in self._children:
            return self._children[token]
        self._children[token] = None
        section = self.module.calls[name]
        target = self.program.repository.resolve_source(self.module.path, section)
        if target is None:
            return None
        if self.depth >= MAX_MODULE_DEPTH or self.program.instances >= MAX_MODULES:
            self.program.failures.append(
                Failure(
                    FailureKind.LIMIT,
                    section.span.path,
                    f"module.{name} is not followed: more than {MAX_MODULE_DEPTH} levels or "
                    f"{MAX_MODULES} instances of modules",
                    section.span,
                )
            )
            return None
        if self._circle(target, section):
            return None
        module = self.program.repository.module(target)
        if module is None:
            return None
        child = Instance(
            self.program,
            module,
            parent=self,
            call=section,
            bindings=bindings,
            address=self.path(f"module.{name}"),
        )
        self._children[token] = child
        return child

    def _circle(self, target: str, section: Section) -> bool:
        """Whether a call leads back to a module around it. Effect: reports the circle once."""
        calls = [(self.module.path, section)]
        around = self
        while around.module.path != target:
            if around.parent is None or around.call is None:
                return False
            calls.insert(0, (around.parent.module.path, around.call))
            around = around.parent
        # Wherever one comes in, the circle is told from the same module.
        first = min(range(len(calls)), key=lambda number: calls[number][0])
        calls = [*calls[first:], *calls[:first]]
        names = " -> ".join([path for path, _call in (*calls, calls[0])])
        where = calls[0][1].span
        failure = Failure(
            FailureKind.SYNTAX,
            where.path,
            f"modules that call themselves, which Terraform refuses: {names}",
            where,
        )
        if all(failure.message != other.message for other in self.program.failures):
            self.program.failures.append(failure)
        return True

    def output(self, name: str, span: Span) -> Value:
        """The value of an output."""
        subject = f"{self.address}.{name}"

        def make() -> Value:
            section = self.module.outputs.get(name)
            found = section.argument("value") if section is not None else None
            if found is None:
                return Unknown(Reason.UNRESOLVED, subject, span)
            assert section is not None
            document, attribute = found
            if self._says(section, "ephemeral"):
                return Unknown(Reason.EPHEMERAL, subject, span).hidden()
            value = evaluate(attribute.expression, self.frame(document, owner=f"output.{name}"))
            where = Span(document, attribute.expression.start, attribute.expression.end)
            if self._says(section, "sensitive"):
                value = self.budget.hide(value)
            return value.through(Evidence(Step.OUTPUT, f"output {name} of {self.address}", where))

        return self._once(("output", name), make, subject, span)


# Collecting


class _Collector:
    """Walks the module instances of a program and gathers what they hold."""

    def __init__(self, program: Program, evaluated: Evaluated) -> None:
        self.program = program
        self.evaluated = evaluated
        self.seen: set[Hashable] = set()
        self.settings: set[tuple[str, int, int]] = set()
        self.fallbacks: set[tuple[str, int, int]] = set()

    def collect(self, instance: Instance) -> None:
        """Effect: adds what an instance and the modules it calls hold."""
        pending = [instance]
        while pending:
            current = pending.pop()
            self._collect_one(current)
            pending.extend(reversed(list(self._children(current))))

    def _collect_one(self, instance: Instance) -> None:
        module = instance.module
        evaluated = self.evaluated
        evaluated.inputs.update(module.files)
        for provider in list(instance.providers().values()):
            if provider.declared and all(p is not provider for p in evaluated.providers):
                evaluated.providers.append(provider)
        for (type_, name), section in module.managed.items():
            evaluated.resources.extend(self._resources(instance, section, type_, name, "managed"))
        for (type_, name), section in module.data.items():
            evaluated.resources.extend(self._resources(instance, section, type_, name, "data"))
        self._backends(instance)
        self._changes(instance)
        self._settings(instance)
        self._shapes(instance)
        if instance.parent is None:
            evaluated.overrides.extend(module.overrides)
        else:
            known = {(c.span.path, c.span.start) for c in evaluated.overrides}
            evaluated.overrides.extend(
                c for c in module.overrides if (c.span.path, c.span.start) not in known
            )

    def _backends(self, instance: Instance) -> None:
        if instance.parent is not None:
            return
        for settings in instance.module.settings:
            for backend in settings.sections("backend"):
                found = backend.argument("region")
                if found is not None and backend.labels:
                    document, attribute = found
                    expression = attribute.expression
                    self.evaluated.backends.append(
                        Backend(
                            backend.labels[0],
                            evaluate(expression, instance.frame(document)),
                            Span(document, expression.start, expression.end),
                            f"backend.{backend.labels[0]}",
                        )
                    )

    def _changes(self, instance: Instance) -> None:
        """Effect: adds the ``moved``, ``removed`` and ``import`` blocks of an instance."""
        for section in instance.module.changes:
            token = ("change", instance.address, section.span.path, section.span.start)
            if token in self.seen:
                continue
            self.seen.add(token)
            source, target = _address(instance, section, "from"), _address(instance, section, "to")
            if section.type == "moved":
                self.evaluated.moves.append(Move(source, target, section.span))
            elif section.type == "removed":
                kept = any(
                    instance._denies(inner, "destroy")  # noqa: SLF001  same module
                    for inner in section.sections("lifecycle")
                )
                self.evaluated.removals.append(Removal(source, not kept, section.span))
            else:
                given = section.argument("id") or section.argument("identity")
                value: Value = Unknown(Reason.UNRESOLVED, "id", section.span)
                if given is not None:
                    value = evaluate(given[1].expression, instance.frame(given[0]))
                self.evaluated.imports.append(Import(target, value, section.span))

    def _resources(
        self,
        instance: Instance,
        section: Section,
        type_: str,
        name: str,
        mode: Literal["managed", "data"],
    ) -> Iterator[Resource]:
        prefix = "data." if mode == "data" else ""
        local_address = f"{prefix}{type_}.{name}"
        bindings, collection, collection_span = instance.expand(section, local_address)
        if not bindings:
            if mode == "managed" and collection_span and "var." in collection_span.text:
                self.evaluated.idle.add(instance.path(local_address))
            self._idle(instance, section)
            return
        provider, chosen = instance.provider_of(section, type_)
        label = section.block.labels[1]
        label_span = Span(section.document, label.start, label.end)
        directory = instance.module.path
        words = tuple(
            [*directory.split("/"), *instance.address.split("."), name]
            if instance.address
            else [*directory.split("/"), name]
        )
        for binding in bindings:
            get = instance._reader(section, binding, local_address)  # noqa: SLF001  same module
            region = self._region(type_, get, provider, mode)
            yield Resource(
                type_,
                name,
                instance.path(local_address),
                section.span,
                get,
                _names_of(section),
                provider,
                region,
                self._partition(region, provider),
                self._account(type_, get, provider),
                is_data=mode == "data",
                collection=collection,
                collection_span=collection_span,
                module=directory,
                label_span=label_span,
                path=words,
                selects_provider=chosen,
            )

    def _idle(self, instance: Instance, section: Section) -> None:
        """Effect: notes the policy documents that a block without an instance refers to."""
        block = section.block
        text = section.document.text
        for found in _DOCUMENT_REFERENCE.finditer(text, block.start, block.end):
            self.evaluated.idle_documents.add(instance.path(found.group()))

    def _region(
        self, type_: str, get: Callable[[str], Value | None], provider: Provider, mode: str
    ) -> Value | None:
        if provider.name in clouds.GOOGLE:
            return clouds.google_region(type_, get, provider) if mode == "managed" else None
        if provider.name == clouds.AZURE:
            return clouds.azure_region(get) if mode == "managed" else None
        if provider.name != "aws":
            return None
        if type_ not in self.program.no_region and mode == "managed":
            target = tables.locations().targets.get(type_)
            if target and target.argument(lambda name: get(name) is not None) == "region":
                return provider.region
            own = get("region")
            if own is not None and not (isinstance(own, Known) and own.data is None):
                return own
        return provider.region

    def _partition(self, region: Value | None, provider: Provider) -> Value:
        if provider.name == clouds.AZURE:
            return clouds.azure_partition(region, provider.partition)
        if region is None or region is provider.region or provider.name != "aws":
            return provider.partition
        return partition_of_region(region)

    def _account(self, type_: str, get: Callable[[str], Value | None], provider: Provider) -> Value:
        if provider.name in clouds.GOOGLE:
            return clouds.google_account(type_, get, provider)
        return provider.account

    def _children(self, instance: Instance) -> Iterator[Instance]:
        for name, section in instance.module.calls.items():
            owner = f"module.{name}"
            bindings, collection, collection_span = instance.expand(section, owner)
            if not bindings and collection_span and "var." in collection_span.text:
                self.evaluated.idle.add(instance.path(owner))
            for number, binding in enumerate(bindings):
                child = instance.child(name, binding)
                inputs, spans = self._inputs(instance, section, binding)
                if number == 0:
                    self._call(instance, section, inputs, spans, child, collection, collection_span)
                if child is None:
                    continue
                providers = tuple(
                    sorted(
                        (key, id(provider))
                        for key, provider in (
                            child.providers() or {"aws": child.provider("aws")}
                        ).items()
                    )
                )
                inherited = tuple([id(child.provider(name)) for name in clouds.NAMES])
                token = (
                    child.module.path,
                    tuple([(k, v.key()) for k, v in sorted(inputs.items())]),
                    providers,
                    inherited,
                )
                if token in self.seen:
                    continue
                self.seen.add(token)
                yield child

    def _inputs(
        self, instance: Instance, section: Section, bindings: Bindings
    ) -> tuple[dict[str, Value], dict[str, Span]]:
        inputs: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for name in section.argument_names():
            if name in _META_ARGUMENTS:
                continue
            found = section.argument(name)
            if found is None:
                continue
            document, attribute = found
            expression = attribute.expression
            owner = f"module.{section.labels[0]}"
            inputs[name] = evaluate(expression, instance.frame(document, bindings, owner))
            spans[name] = Span(document, expression.start, expression.end)
        return inputs, spans

    def _call(  # noqa: PLR0913, PLR0917  a reference's parts
        self,
        instance: Instance,
        section: Section,
        inputs: dict[str, Value],
        spans: dict[str, Span],
        child: Instance | None,
        collection: Value | None,
        collection_span: Span | None,
    ) -> None:
        name = section.labels[0]
        types: set[str] = set()
        required: set[str] = set()
        if child is not None:
            types = {type_ for type_, _name in child.module.managed}
            required = {
                variable
                for variable, body in child.module.variables.items()
                if body.argument("default") is None
            }
        self.evaluated.modules.append(
            ModuleCall(
                name,
                instance.path(f"module.{name}"),
                literal_argument(section, "source") or "",
                section.span,
                inputs,
                spans,
                section.argument("providers") is not None,
                collection,
                collection_span,
                frozenset(type_.split("_", 1)[0] for type_ in types),
                frozenset(types),
                child.provider("aws") if child is not None else instance.provider("aws"),
                child is not None,
                frozenset(required),
            )
        )
        for key, value in inputs.items():
            self._setting(
                key,
                value,
                spans[key],
                _name_span(section, key),
                "input",
                instance.path(f"module.{name}"),
            )

    def _setting(
        self,
        name: str,
        value: Value,
        span: Span,
        name_span: Span,
        kind: Literal["local", "default", "tfvars", "input"],
        owner: str,
    ) -> None:
        place = (span.path, span.start, span.end)
        if place not in self.settings:
            self.settings.add(place)
            self.evaluated.settings.append(Setting(name, value, span, name_span, kind, owner))

    def _settings(self, instance: Instance) -> None:
        for name, (document, attribute) in instance.module.locals.items():
            expression = attribute.expression
            self._setting(
                name,
                instance.local(name),
                Span(document, expression.start, expression.end),
                Span(document, attribute.name_start, attribute.name_end),
                "local",
                instance.path(f"local.{name}"),
            )
        for name, section in instance.module.variables.items():
            default = section.argument("default")
            if default is None:
                continue
            document, attribute = default
            expression = attribute.expression
            span = Span(document, expression.start, expression.end)
            self._setting(
                name,
                evaluate(expression, instance.frame(document, owner=f"var.{name}")),
                span,
                Span(document, attribute.name_start, attribute.name_end),
                "default",
                instance.path(f"var.{name}"),
            )
        if instance.parent is None:
            for file in (*instance.module.assignments, *self.program.variables):
                document = file.body.document
                for name, attribute in file.body.attributes.items():
                    expression = attribute.expression
                    self._setting(
                        name,
                        evaluate(expression, instance.frame(document)),
                        Span(document, expression.start, expression.end),
                        Span(document, attribute.name_start, attribute.name_end),
                        "tfvars",
                        f"var.{name}",
                    )

    def _shapes(self, instance: Instance) -> None:
        """Effect: adds the merges, fan-outs and lookups of an instance."""
        for found in shapes.of(instance.module):
            frame = instance.frame(found.document, owner=found.owner)
            if found.kind == "merge":
                assert isinstance(found.node, tree.Call)
                self.evaluated.layerings.append(
                    layering(found.node, frame, instance.path(found.owner), found.whole)
                )
            elif found.kind == "for":
                assert isinstance(found.node, tree.ForExpression)
                self._fan_out(found.node, frame, instance.path(found.owner))
            elif found.kind == "fallback":
                self._fallback(found.node, frame, instance.path(found.owner))
            elif found.kind == "environment":
                assert isinstance(found.node, tree.Call)
                self._environment_default(found.node, frame, instance.path(found.owner))
            else:
                evaluate(found.whole, frame)

    def _fallback(self, node: tree.Expression, frame: Frame, owner: str) -> None:
        parts = _fallback_parts(node, frame)
        if parts is None:
            return
        tried, taken, how = parts
        place = frame.span(taken)
        if (place.path, place.start, place.end) in self.fallbacks:
            return
        self.fallbacks.add((place.path, place.start, place.end))
        self.program.budget.speculative += 1
        try:
            first, value = evaluate(tried, frame), evaluate(taken, frame)
        finally:
            self.program.budget.speculative -= 1
        known = isinstance(first, Known) and first.data not in (None, "")
        text = " ".join(frame.span(tried).text.split())
        self.evaluated.fallbacks.append(Fallback(text, known, value, place, owner, how))

    def _environment_default(self, node: tree.Call, frame: Frame, owner: str) -> None:
        """Effect: adds what stands in for an environment that is not given or not listed."""
        key = _key_of(node)
        words = "" if key is None else frame.span(key).text
        if _ENVIRONMENT_KEY.fullmatch(words) is None:
            return
        default = node.arguments[-1]
        span = frame.span(default)
        self.program.budget.speculative += 1
        try:
            value = evaluate(default, frame)
        finally:
            self.program.budget.speculative -= 1
        self.evaluated.environment_defaults.append(
            EnvironmentDefault(words, value, span.text, span, owner)
        )

    def _fan_out(self, node: tree.ForExpression, frame: Frame, owner: str) -> None:
        found = fan_out(node, frame, owner)
        if found is not None:
            self.evaluated.fan_outs.append(found)


def fan_out(node: tree.ForExpression, frame: Frame, owner: str) -> FanOut | None:
    """One value written to every element of a collection; ``None`` when the element is used."""
    names = {node.value_name, node.key_name}
    if node.result_key is None or any(
        isinstance(inner, tree.Variable) and inner.name in names
        for inner in shapes.walk(node.result_value)
    ):
        return None
    budget = frame.scope.budget
    budget.speculative += 1
    try:
        collection = evaluate(node.collection, frame)
        written = evaluate(node.result_value, frame)
    finally:
        budget.speculative -= 1
    return FanOut(
        collection,
        frame.span(node.collection).text,
        written,
        frame.span(node),
        frame.span(node.result_value),
        owner,
    )


def layering(node: tree.Call, frame: Frame, owner: str, whole: tree.Expression) -> Layering:
    """A call of ``merge()`` as layers; ``whole`` is the expression that it is part of."""
    around = {
        inner.value_name: inner
        for inner in shapes.walk(whole)
        if isinstance(inner, tree.ForExpression) and inner.start <= node.start < inner.end
    }
    layers = tuple(_layer(argument, frame, around) for argument in node.arguments)
    return Layering(layers, frame.span(node), "merge()", owner)


def _key_of(call: tree.Call) -> tree.Expression | None:
    """What a call with a fallback looks up: the key of ``lookup``, the last index of ``try``."""
    if call.name == "lookup":
        return call.arguments[1] if len(call.arguments) == 3 else None  # noqa: PLR2004
    first = call.arguments[0]
    if call.name == "coalesce" or not isinstance(first, tree.Traversal):
        return first
    keys = [o.key for o in first.operations if isinstance(o, tree.Index)]
    return keys[-1] if keys else first


def _layer(
    expression: tree.Expression, frame: Frame, around: dict[str, tree.ForExpression]
) -> Layer:
    words: list[str] = []
    selected: list[str] = []
    inner = expression
    while isinstance(inner, tree.Parenthesized):
        inner = inner.inner
    if isinstance(inner, tree.Call) and inner.name in ("lookup", "try") and inner.arguments:
        if inner.name == "lookup" and len(inner.arguments) > 1:
            selected.append(frame.span(inner.arguments[1]).text)
        inner = inner.arguments[0]
    if isinstance(inner, tree.Traversal) and isinstance(inner.base, tree.Variable):
        words.append(inner.base.name)
        for operation in inner.operations:
            if isinstance(operation, tree.Attr):
                words.append(operation.name)
            elif isinstance(operation, tree.Index):
                selected.append(frame.span(operation.key).text)
    elif isinstance(inner, tree.Variable):
        words.append(inner.name)
    loop = around.get(words[0]) if words else None
    if loop is not None:  # what each key of a mapping stands for
        words = ["local", *words, *re.findall(r"\w+", frame.span(loop.collection).text)]
        selected.extend([loop.key_name] if loop.key_name else [])
    return Layer(tuple(words), tuple(selected), frame.span(expression), frame.span(expression).text)


def _fallback_parts(
    node: tree.Expression, frame: Frame
) -> tuple[tree.Expression, tree.Expression, str] | None:
    """(what is tried, the literal that is taken otherwise, how) of a fallback expression."""
    if isinstance(node, tree.Call):
        if node.name == "lookup" and len(node.arguments) < _LOOKUP_WITH_DEFAULT:
            return None
        taken = node.arguments[-1]
        return (node.arguments[0], taken, f"{node.name}()") if _literal(taken) else None
    if not isinstance(node, tree.Conditional):
        return None
    condition = frame.span(node.condition).text
    if "null" not in condition and '""' not in condition:
        return None
    for tried, taken in ((node.yes, node.no), (node.no, node.yes)):
        if _literal(taken) and not _literal(tried) and frame.span(tried).text in condition:
            return tried, taken, "a conditional"
    return None


def _literal(expression: tree.Expression) -> bool:
    return isinstance(expression, tree.Template) and all(
        isinstance(part, tree.TextPart) for part in expression.parts
    )


def _names_of(section: Section) -> Callable[[], tuple[str, ...]]:
    found: tuple[str, ...] | None = None

    def names() -> tuple[str, ...]:
        nonlocal found
        if found is None:
            every = [*section.argument_names(), *section.section_types()]
            found = tuple(dict.fromkeys([name for name in every if name not in _META_ARGUMENTS]))
        return found

    return names


def _address(instance: Instance, section: Section, name: str) -> str:
    """An address that a block writes down, with the path of the module that holds it."""
    found = section.argument(name)
    if found is None:
        return ""
    document, attribute = found
    text = Span(document, attribute.expression.start, attribute.expression.end).text
    return instance.path("".join(text.split()).strip('"'))


def _name_span(section: Section, name: str) -> Span:
    found = section.argument(name)
    if found is None:
        return section.span
    return Span(found[0], found[1].name_start, found[1].name_end)


def _reason(mode: str) -> Reason:
    return Reason.DATA_SOURCE if mode == "data" else Reason.COMPUTED


def _mentions(section: Section, words: str) -> bool:
    """Whether the text of a block holds ``words``, or may hold them in an override file."""
    if section.overridden:
        return True
    block = section.block
    text = section.document.text
    at = text.find(words, block.start, block.end)
    return at >= 0


def _bodies(value: Value | None) -> list[Mapping]:
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Many):
        return [item for item in value.items if isinstance(item, Mapping)]
    return []


def _is_decided(value: Value) -> bool:
    """Whether two values of one unit that look like this are the same: only variables are unknown."""
    if isinstance(value, Text):
        return all(_is_decided(part) for part in value.parts if isinstance(part, Value))
    if isinstance(value, Unknown):
        return value.reason in (Reason.NO_VALUE, Reason.CALLER) and value.subject.startswith("var.")
    return isinstance(value, Known)


def _with_more(value: Value, subject: str) -> Value:
    """Blocks of a resource, which have attributes besides those that are written there."""
    if isinstance(value, Mapping):
        entries = dict(value.entries)
        if subject.endswith(".identity"):
            for name in ("principal_id", "tenant_id"):
                unknown = Unknown(Reason.COMPUTED, f"{subject}[0].{name}", value.span)
                entries.setdefault(name, unknown)
        return Mapping(entries, value.span, value.via, complete=False, key_spans=value.key_spans)
    if isinstance(value, Many):
        items = tuple([_with_more(item, subject) for item in value.items])
        return Many(items, value.span, value.via, complete=value.complete, is_set=value.is_set)
    return value


def _credentials(get: Callable[[str], Value | None], role: Value | None) -> Iterator[str]:
    for name in ("profile", "access_key", "shared_credentials_files", "shared_config_files"):
        value = get(name)
        if value is not None and not (isinstance(value, Known) and value.data is None):
            yield f"{name}={value.key()!r}"
    if role is not None:
        yield f"role={role.key()!r}"
    for name in ("assume_role_with_web_identity", "endpoints"):
        if get(name) is not None:
            yield name


def _ignored(expression: tree.Expression, document: Document) -> Value:
    """``ignore_changes``: the word ``all`` or the list of what is ignored, as text."""
    span = Span(document, expression.start, expression.end)
    if isinstance(expression, tree.TupleExpression):
        return Many(
            tuple(
                [
                    Known(
                        document.text[item.start : item.end].strip('"'),
                        Span(document, item.start, item.end),
                    )
                    for item in expression.items
                ]
            ),
            span,
        )
    return Known(span.text.strip('"'), span)


def _together(items: list[Value], collection: Value) -> Value:
    """What can be said of any one of many elements: common keys with their few values."""
    if items and all(isinstance(item, Mapping) and item.complete for item in items):
        entries: dict[str, Value] = {}
        mappings = [item for item in items if isinstance(item, Mapping)]
        common = set(mappings[0].entries)
        for mapping in mappings[1:]:
            common &= set(mapping.entries)
        for name in sorted(common):
            entries[name] = _together([mapping.entries[name] for mapping in mappings], collection)
        return Mapping(entries, collection.span, collection.via, complete=False)
    distinct = {item.key(): item for item in items}
    if 0 < len(distinct) <= MAX_ALTERNATIVES:
        return one_of([Alternative(item, "") for item in distinct.values()])
    return Unknown(Reason.RANGE, f"each of {len(items)} elements", collection.span, collection.via)


def evaluate_root(
    repository: Repository,
    root: Root,
    variables: Sequence[Variables] = (),
    *,
    no_region: frozenset[str] = frozenset(),
    workspaces: Sequence[str] = (),
    environment: str | None = None,
) -> Evaluated:
    """One unit with its values, for one choice of variables files."""
    evaluated = Evaluated(
        root.directory, "terraform", is_root=root.is_root, environment=environment
    )
    module = repository.module(root.directory)
    if module is None:
        return evaluated
    evaluated.context = repository.context
    evaluated.keeps_state = module.has_backend
    evaluated.declared = frozenset(module.variables)
    evaluated.variables_files = lambda: repository.variants(root.directory)
    evaluated.external_region = repository.external and not module.has_backend
    program = Program(repository, root, variables, no_region=no_region, workspaces=workspaces)
    collect(program, module, evaluated)
    return evaluated


def collect(program: Program, module: Module, evaluated: Evaluated) -> None:
    """Effect: evaluates a root module and adds what it and the modules it calls hold."""
    instance = Instance(program, module)
    _Collector(program, evaluated).collect(instance)
    evaluated.lookups.extend(program.lookups.values())
    evaluated.secrets = program.budget.secrets
    evaluated.close = program.close
    evaluated.failures.extend(program.failures)
    evaluated.inputs.update(program.inputs)
    given = {file.path for file in program.variables}
    evaluated.passed_over.update(
        file.path for file in module.assignments if not file.automatic and file.path not in given
    )
    if program.budget.exceeded:
        evaluated.failures.append(
            Failure(
                FailureKind.LIMIT,
                module.files[0] if module.files else evaluated.address,
                "the evaluation budget of this unit is spent; values beyond it are unknown",
            )
        )
