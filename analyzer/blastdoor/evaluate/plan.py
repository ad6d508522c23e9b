"""A Terraform plan in JSON to values: the planned resources, their providers, what is destroyed.

The form is that of HashiCorp's "JSON Output Format" (format versions 0.x and 1.x). Values are those that
Terraform has computed, so nothing is evaluated here; what it knows only after apply is `Unknown`. Which
arguments the configuration sets is read from the plan's own copy of the configuration.
"""

from __future__ import annotations

import json
import posixpath
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from blastdoor import tables
from blastdoor.evaluate.data_sources import account_of_arn, partition_of_region
from blastdoor.evaluate.plan_places import Places, call_of
from blastdoor.evaluate.plan_secrets import Secrets, instances_of, modules_of, strip_keys
from blastdoor.evaluate.plan_values import (
    LENIENT,
    SET,
    Origin,
    Reader,
    after_apply,
    first_reference,
)
from blastdoor.fact import Evaluated, ModuleCall, PlannedChange, Provider, Resource, Setting
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.outline import Outline, OutlineError, Part
from blastdoor.span import Document, Position, Span
from blastdoor.value import (
    Evidence,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    Reason,
    Step,
    Unknown,
    Value,
    known_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blastdoor.units import Repository

_MAJORS: Final = ("0", "1")
"""Major format versions that are understood; 0 is that of Terraform before 1.1."""
_STATE_MEMBERS: Final = frozenset({"checks", "format_version", "terraform_version", "values"})
_ARN_FIELDS: Final = 6
_POLICY_DOCUMENT: Final = "aws_iam_policy_document"


class PlanError(ValueError):
    """Why a file is no plan that can be analysed."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(slots=True)
class Plan:
    """One plan with its values, and what it takes to report on it."""

    unit: Evaluated
    places: Places
    secrets: Secrets
    document: Document
    planned: Counter[str]
    """What it does to managed resources, by word."""


def evaluate_plan(
    repository: Repository, path: str, text: str, *, no_region: frozenset[str] = frozenset()
) -> Plan:
    """The plan at ``path``. Raises PlanError for what is no plan, or not one that is understood."""
    try:
        outline = Outline(text)
        return _Program(repository, path, outline, no_region).plan()
    except OutlineError as error:
        if not text.lstrip("\ufeff \t\r\n").startswith("{"):
            # The wrapper of a CI action, a warning of Terraform's own on the same stream.
            raise PlanError(
                FailureKind.SYNTAX, f"has other output in front of the JSON text: {error.message}"
            ) from error
        line, column = _position(text, error.at)
        kind = FailureKind.LIMIT if error.limit else FailureKind.SYNTAX
        raise PlanError(kind, f"line {line}, column {column}: {error.message}") from error


def _position(text: str, at: int) -> Position:
    """The place of a fault, told in words: the text of a plan that cannot be read is not quoted."""
    return Document("", text[:at]).position(at)


class _Program:
    """The evaluation of one plan."""

    def __init__(
        self, repository: Repository, path: str, outline: Outline, no_region: frozenset[str]
    ) -> None:
        self.repository = repository
        self.path = path
        self.outline = outline
        self.no_region = no_region
        self.top = outline.members(outline.root)
        self._accept()
        self.secrets = Secrets(outline, self.top)
        self.document = Document(path, self.secrets.shown())
        self.unit = Evaluated(path, "terraform")
        self.unit.inputs.add(path)
        # Which partition an ARN is written with is for the sources to say: here it is computed.
        self.unit.context = repository.context.without_partitions()
        self.planned: Counter[str] = Counter()
        configuration = outline.members(self.top.get("configuration"))
        self.modules = list(modules_of(outline, configuration.get("root_module")))
        self.module_parts = {path: (part, call) for path, part, call in self.modules}
        self.places = Places(repository, path, outline, self.modules)
        self.configured: dict[str, dict[str, Part]] | None = None
        """Address without keys → members of the configuration's resource; ``None`` without one."""
        self.module_of: dict[str, str] = {}
        if "root_module" in configuration:
            self.configured = {}
            for module, part, _call in self.modules:
                for resource in outline.items(outline.at(part, "resources")):
                    members = outline.members(resource)
                    address = outline.string(members.get("address"))
                    full = f"{module}.{address}" if module else address
                    self.configured[full] = members
                    self.module_of[full] = module
        self.provider_parts = outline.members(configuration.get("provider_config"))
        self.provider_keys = self._provider_keys(configuration.get("provider_config"))
        self.variables = outline.members(self.top.get("variables"))
        self.changes: dict[str, dict[str, Part]] = {}
        self.providers: dict[str, Provider] = {}
        self.seen: dict[str, Value] = {}
        """Provider key → the region that a data source of that provider has found."""
        self.accounts: dict[str, Value] = {}

    def _accept(self) -> None:
        """Raises PlanError unless the file says that it is a plan of a version that is known."""
        top = self.top
        version = self.outline.string(top.get("format_version"))
        if not version:
            raise PlanError(
                FailureKind.UNREADABLE,
                "is no output of `terraform show -json`: it has no format_version",
            )
        if "planned_values" not in top and "resource_changes" not in top:
            raise PlanError(
                FailureKind.UNREADABLE,
                "is a state, not a plan: `terraform plan -out=FILE` and then "
                "`terraform show -json FILE` write a plan"
                if top.keys() <= _STATE_MEMBERS
                else "is no plan: it has neither planned_values nor resource_changes",
            )
        if version.split(".", 1)[0] not in _MAJORS:
            raise PlanError(
                FailureKind.UNREADABLE,
                f"has format version {version[:20]}; versions 0 and 1 are understood",
            )

    def plan(self) -> Plan:
        """The plan with everything that it holds."""
        outline, unit = self.outline, self.unit
        if "errored" in self.top and outline.data(self.top["errored"]) is True:
            self._incomplete("the plan says that planning ended with an error")
        elif "complete" in self.top and outline.data(self.top["complete"]) is False:
            self._incomplete("the plan says that it is not complete: a further plan is needed")
        self._read_changes()
        self._evidence()
        for key in self.provider_parts:
            self._provider(key)
        members = list(self._instances())
        keys = self._keys_of(members)
        for module, resource, fields, data_only in members:
            found = self._resource(module, resource, fields, keys)
            if found is not None and (found.is_data or not data_only):
                unit.resources.append(found)
        self._idle_documents()
        self._settings()
        self._calls(members)
        unit.close = self.close
        self.changes.clear()
        if self.configured is not None:
            self.configured.clear()
        return Plan(unit, self.places, self.secrets, self.document, self.planned)

    def close(self) -> None:
        """Effect: breaks the circle of providers that read from here, so that the unit can go."""
        self.unit = Evaluated(self.path, "terraform")
        self.providers.clear()

    def span(self, part: Part) -> Span:
        """A range of the plan."""
        return Span(self.document, part.start, part.end)

    def _incomplete(self, message: str) -> None:
        self.unit.failures.append(
            Failure(
                FailureKind.INCOMPLETE,
                self.path,
                f"{message}; what it holds is analysed, and more may be missing",
            )
        )

    # Changes

    def _read_changes(self) -> None:
        """Effect: notes the change of each instance, and what is destroyed."""
        outline = self.outline
        for item in outline.items(self.top.get("resource_changes")):
            members = outline.members(item)
            address = outline.string(members.get("address"))
            change = outline.members(members.get("change"))
            actions = outline.data(change.get("actions"))
            words = tuple(str(a) for a in actions) if isinstance(actions, list) else ()
            if "deposed" not in members:
                self.changes[address] = {**members, **change}
            if outline.string(members.get("mode")) == "data":
                continue
            self._count(words, outline.string(members.get("type")))
            if "delete" in words or "forget" in words:
                self._change(address, members, change, words)
        drifted = sum(1 for _ in outline.items(self.top.get("resource_drift")))
        if drifted:
            self.planned["changed outside of Terraform"] += drifted

    def _count(self, words: tuple[str, ...], type_: str) -> None:
        if len(words) > 1:
            word = "replace"
        elif words == ("delete",):
            word = "destroy"
        else:
            word = words[0] if words else ""
        if word in ("", "no-op", "read"):
            return
        self.planned[word] += 1
        if word in ("destroy", "replace") and type_ in tables.guards():
            self.planned[f"{word} of what holds data or has a guard"] += 1

    def _change(
        self,
        address: str,
        members: dict[str, Part],
        change: dict[str, Part],
        words: tuple[str, ...],
    ) -> None:
        outline = self.outline
        paths = outline.data(change.get("replace_paths"))
        self.unit.changes.append(
            PlannedChange(
                address,
                outline.string(members.get("type")),
                words,
                tuple(
                    tuple(step for step in path if isinstance(step, (str, int)))
                    for path in paths
                    if isinstance(path, list)
                )
                if isinstance(paths, list)
                else (),
                outline.string(members.get("action_reason")),
                self.span(members.get("address", outline.root)),
                outline.string(members.get("previous_address")),
                importing=outline.data(change.get("importing")) is not None,
            )
        )

    # Instances

    def _instances(self) -> Iterator[tuple[str, Part, dict[str, Part], bool]]:
        """(module instance, resource, its members, only data) of all values that matter.

        Data sources that were read while planning stand in the prior state, those that are read while
        applying among the planned values.
        """
        outline = self.outline
        seen: set[str] = set()
        planned = outline.at(self.top.get("planned_values"), "root_module")
        for module, resource in instances_of(outline, planned):
            members = outline.members(resource)
            seen.add(outline.string(members.get("address")))
            yield module, resource, members, False
        prior = outline.at(self.top.get("prior_state"), "values", "root_module")
        for module, resource in instances_of(outline, prior):
            members = outline.members(resource)
            if outline.string(members.get("mode")) != "data":
                continue
            address = outline.string(members.get("address"))
            if address not in seen:
                seen.add(address)
                yield module, resource, members, True
        if "planned_values" in self.top:
            return
        # A tool has left the planned values away: the changes say the same.
        for item in outline.items(self.top.get("resource_changes")):
            members = outline.members(item)
            after = outline.at(members.get("change"), "after")
            if after is not None and outline.is_object(after) and "deposed" not in members:
                module = outline.string(members.get("module_address"))
                yield module, item, {**members, "values": after}, False

    def _keys_of(
        self, members: list[tuple[str, Part, dict[str, Part], bool]]
    ) -> dict[tuple[str, str], list[Part]]:
        """(module instance, address without keys) → the keys of its instances."""
        found: dict[tuple[str, str], list[Part]] = defaultdict(list)
        for module, _resource, fields, _data in members:
            index = fields.get("index")
            if index is not None:
                address = strip_keys(self.outline.string(fields.get("address")))
                found[module, address].append(index)
        return found

    def _resource(
        self,
        module: str,
        resource: Part,
        fields: dict[str, Part],
        keys: dict[tuple[str, str], list[Part]],
    ) -> Resource | None:
        outline = self.outline
        full = outline.string(fields.get("address"))
        type_ = outline.string(fields.get("type"))
        values = fields.get("values")
        if not full or not type_ or values is None:
            return None
        address = strip_keys(full)
        name = outline.string(fields.get("name"))
        is_data = outline.string(fields.get("mode")) == "data"
        span = self.span(fields["address"])
        change = self.changes.get(full, {})
        configured = None if self.configured is None else self.configured.get(address)
        path = self.module_of.get(address, strip_keys(module))
        instance = _Instance(
            Origin(self.document, outline, address, span),
            outline.members(values),
            change.get("after_unknown"),
            None if configured is None else configured.get("expressions"),
            is_configured=configured is not None,
            lenient=_always if is_data else self._lenient(change, address, path),
            failures=self.unit.failures,
        )
        self.places.add(resource, values, path, full, "data" if is_data else "managed", type_, name)
        provider, chosen = self._provider_of(configured, path, type_, fields)
        region = self._region(type_, instance, provider, is_data=is_data)
        # The first instance speaks for all: each of them with all keys would be quadratic.
        collection, collection_span = self._collection(
            keys.pop((module, address), ()), configured, span
        )
        directory = self.places.directory(path) or posixpath.dirname(self.path) or "."
        return Resource(
            type_,
            name,
            address,
            span,
            instance.get,
            instance.names,
            provider,
            region,
            provider.partition
            if region is None or region is provider.region
            else partition_of_region(region),
            provider.account,
            is_data=is_data,
            collection=collection,
            collection_span=collection_span,
            module=directory,
            label_span=span,
            path=(*directory.split("/"), *address.split(".")),
            selects_provider=chosen,
            extra=self._extra(instance) if is_data and type_ == _POLICY_DOCUMENT else {},
        )

    def _extra(self, instance: _Instance) -> dict[str, Value]:
        text = instance.plain("json")
        return {} if text is None else {"json": text}

    def _lenient(self, change: dict[str, Part], address: str, module: str) -> Callable[[str], bool]:
        """Whether a block that the configuration of the plan does not show may be a dynamic one.

        The sources say so when they are there. Otherwise it is one if it is known before anything
        exists: what a provider computes is not.
        """
        source = self.places.section(module, address)
        if source is not None:
            # Terraform before 1.1 leaves out some blocks that are plainly written, too.
            return lambda name: name in source.section_types() or bool(source.argument(name))
        before = change.get("before")
        created = before is not None and self.outline.text[before.start] == "n"
        return lambda _name: created

    def _collection(
        self, indices: list[Part] | tuple[Part, ...], configured: dict[str, Part] | None, span: Span
    ) -> tuple[Value | None, Span | None]:
        if not indices:
            return None, None
        repeated = None
        if configured is not None:
            repeated = configured.get("for_each_expression") or configured.get("count_expression")
        where = span if repeated is None else self.span(repeated)
        return self._keys(indices, where), where

    def _keys(self, indices: list[Part] | tuple[Part, ...], where: Span) -> Value:
        names = [self.outline.data(index) for index in indices]
        if all(isinstance(name, str) for name in names):
            items = tuple(Known(name, where) for name in dict.fromkeys(names))
            return Many(items, where, is_set=True)
        return Known(len(names), where)

    # Providers

    def _provider_keys(self, part: Part | None) -> dict[str, Span]:
        if part is None or not self.outline.is_object(part):
            return {}
        return {name: self.span(key) for name, key, _value in self.outline.entries(part)}

    def _provider_of(
        self, configured: dict[str, Part] | None, module: str, type_: str, fields: dict[str, Part]
    ) -> tuple[Provider, bool]:
        """The provider configuration of a resource, and whether it has an alias."""
        full_name = self.outline.string(fields.get("provider_name"))
        if configured is None:
            key = self._only(full_name, type_.split("_", 1)[0])
            return self._provider(key or f"?{full_name or type_.split('_', 1)[0]}"), False
        key = self.outline.string(configured.get("provider_config_key"))
        if key not in self.provider_parts and ":" in key:
            # Before Terraform 1.2 the key names the module, whatever the module was given.
            own = key.rsplit(":", 1)[1].partition(".")[0]
            key = self._only(full_name, own) or f"?{module}:{own}"
        return self._provider(key), "." in key.rsplit(":", 1)[-1]

    def _only(self, full_name: str, name: str) -> str:
        """The key of the one configuration of a provider; ``""`` when there are several or none."""
        same = []
        for key, part in self.provider_parts.items():
            full = self.outline.string(self.outline.at(part, "full_name"))
            if full == full_name if full and full_name else _parts_of(key)[1] == name:
                same.append(key)
        return same[0] if len(same) == 1 else ""

    def _provider(self, key: str) -> Provider:
        found = self.providers.get(key)
        if found is None:
            part = self.provider_parts.get(key)
            found = self._implied(key) if part is None else self._configured_provider(key, part)
            self.providers[key] = found
            if part is not None and self._is_declared(key, part):
                self.unit.providers.append(found)
        return found

    def _is_declared(self, key: str, part: Part) -> bool:
        """Whether a block configures the provider.

        The plan has the same entry for an empty block and for a provider that is only required.
        """
        members = self.outline.members(part)
        return (
            "alias" in members
            or "expressions" in members
            or self.places.provider(*_parts_of(key)) is not None
        )

    def _implied(self, key: str) -> Provider:
        """A configuration that the plan does not have: the empty default, or one passed unseen."""
        unsure = key.startswith("?")
        name = key.removeprefix("?").rsplit(":", 1)[-1].rsplit("/", 1)[-1].partition(".")[0]
        where = Span(self.document, 0, 0)
        if unsure or self.configured is None:
            region: Value = Unknown(Reason.UNSUPPORTED, f"the provider {name}", where)
            account: Value = Unknown(Reason.UNSUPPORTED, f"the provider {name}", where)
        else:
            subject = f"the environment of {name}"
            region = Inherited(Reason.ENVIRONMENT, subject, where, meaning=Meaning.CURRENT_REGION)
            account = Inherited(Reason.ENVIRONMENT, subject, where, meaning=Meaning.CURRENT_ACCOUNT)
        return Provider(
            name,
            "",
            region,
            account,
            Unknown(
                Reason.ENVIRONMENT,
                "the current partition",
                where,
                meaning=Meaning.CURRENT_PARTITION,
            ),
            where,
            address=f"provider.{name}",
            declared=unsure or self.configured is None,
        )

    def _configured_provider(self, key: str, part: Part) -> Provider:
        outline = self.outline
        members = outline.members(part)
        module, _name, alias = _parts_of(key)
        full = outline.string(members.get("full_name"))
        name = full.rsplit("/", 1)[-1] if "/hashicorp/" in full else ""
        name = name or outline.string(members.get("name")).partition(".")[0] or _name
        span = self.provider_keys[key]
        expressions = outline.members(members.get("expressions"))

        def get(argument: str) -> Value | None:
            return self._argument(expressions.get(argument), module, f"{key}.{argument}")

        local = f"provider.{name}" + (f".{alias}" if alias else "")
        address = f"{module}.{local}" if module else local
        region = get("region")
        region_span = None
        if "region" in expressions:
            constant = outline.at(expressions["region"], "constant_value")
            region_span = self.span(constant or expressions["region"])
        seen = self.seen.get(key)
        if isinstance(region, Unknown) and seen is not None and region_span is not None:
            region = seen.at(region_span)
        if region is None or (isinstance(region, Known) and region.data in (None, "")):
            region = Inherited(
                Reason.ENVIRONMENT,
                f"the environment of {name}",
                span,
                meaning=Meaning.CURRENT_REGION,
            )
            region_span = None
        role = self._role(expressions.get("assume_role"), module, key)
        account = self.accounts.get(key)
        if account is None and role is not None:
            account = account_of_arn(role)
        allowed = get("allowed_account_ids")
        if account is None and isinstance(allowed, Many) and len(allowed.items) == 1:
            account = allowed.items[0]
        if account is None:
            account = Inherited(
                Reason.ENVIRONMENT,
                f"the credentials of {name}",
                span,
                meaning=Meaning.CURRENT_ACCOUNT,
            )
        partition = partition_of_region(region)
        if isinstance(partition, Unknown) and seen is not None:
            partition = partition_of_region(seen)
        return Provider(
            name,
            alias,
            region,
            account,
            partition,
            span,
            region_span,
            address,
            credentials=tuple(self._credentials(expressions, role, module, key)),
            get=get,
        )

    def _role(self, assume_role: Part | None, module: str, key: str) -> Value | None:
        found: Value | None = None
        for block in self.outline.items(assume_role):
            inner = self.outline.members(block).get("role_arn")
            found = self._argument(inner, module, f"{key}.assume_role.role_arn") or found
        return found

    def _credentials(
        self, expressions: dict[str, Part], role: Value | None, module: str, key: str
    ) -> Iterator[str]:
        for name in ("profile", "access_key", "shared_credentials_files", "shared_config_files"):
            value = self._argument(expressions.get(name), module, f"{key}.{name}")
            if value is not None and not (isinstance(value, Known) and value.data is None):
                yield f"{name}={value.key()!r}"
        if role is not None:
            yield f"role={role.key()!r}"
        for name in ("assume_role_with_web_identity", "endpoints"):
            if name in expressions:
                yield name

    def _argument(self, part: Part | None, module: str, subject: str) -> Value | None:
        """The value of an expression of the configuration, as far as the plan says it."""
        if part is None:
            return None
        outline = self.outline
        span = self.span(part)
        if not outline.is_object(part):
            return Unknown(Reason.UNSUPPORTED, subject, span)
        constant = outline.members(part).get("constant_value")
        if constant is not None:
            return self._read(constant, subject)
        reference = first_reference(outline.data(part))
        if reference.startswith("var.") and reference.count(".") == 1:
            name = reference.removeprefix("var.")
            value = self._input(module, name) if module else self._variable(name)
            # The expression may do more than to name the variable, but not when this is a region id,
            # an account, an ARN: what these are made from looks otherwise.
            if value is not None and _is_telling(value):
                return value
        return Unknown(Reason.UNSUPPORTED, reference or subject, span)

    def _read(self, part: Part, subject: str) -> Value | None:
        origin = Origin(self.document, self.outline, subject, self.span(part))
        try:
            return Reader(origin, part).read(None, {"constant_value": None}, subject)
        except ValueError as error:
            raise OutlineError(part.start, str(error)) from error

    def _variable(self, name: str) -> Value | None:
        part = self.outline.at(self.variables.get(name), "value")
        if part is None:
            return None
        value = self._read(part, f"var.{name}")
        if value is None:
            return None
        return value.through(
            Evidence(Step.VARIABLES_FILE, f"var.{name} of the plan", self.span(part))
        )

    def _input(self, module: str, name: str) -> Value | None:
        """The value of a variable of a called module; the way up ends at the root."""
        if module not in self.module_parts:
            return None
        part, call = self.module_parts[module]
        passed = self.outline.at(call, "expressions", name)
        if passed is not None:
            caller, _name = call_of(module)
            value = self._argument(passed, caller, f"{module}.{name}")
            if value is None or isinstance(value, Unknown):
                return None
            step = Evidence(Step.INPUT, f"input {name} of {module}", self.span(passed))
            return value.through(step)
        default = self.outline.at(part, "variables", name, "default")
        if default is None:
            return None
        value = self._read(default, f"var.{name}")
        step = Evidence(Step.DEFAULT, f"the default of var.{name}", self.span(default))
        return None if value is None else value.through(step)

    def _evidence(self) -> None:
        """Effect: notes the regions and accounts that data sources have found for their provider."""
        if self.configured is None:
            return
        outline = self.outline
        regions: dict[str, dict[str, Value]] = defaultdict(dict)
        accounts: dict[str, dict[str, Value]] = defaultdict(dict)
        prior = outline.at(self.top.get("prior_state"), "values", "root_module")
        for _module, resource in instances_of(outline, prior):
            members = outline.members(resource)
            type_ = outline.string(members.get("type"))
            if type_ not in ("aws_region", "aws_caller_identity"):
                continue
            configured = self.configured.get(strip_keys(outline.string(members.get("address"))))
            if configured is None:
                continue
            key = outline.string(configured.get("provider_config_key"))
            values = outline.members(members.get("values"))
            expressions = outline.members(configured.get("expressions"))
            if type_ == "aws_caller_identity":
                self._note(accounts[key], values.get("account_id"))
            elif not {"region", "name", "endpoint"} & expressions.keys():
                self._note(regions[key], values.get("region") or values.get("name"))
        self.seen = {key: next(iter(f.values())) for key, f in regions.items() if len(f) == 1}
        self.accounts = {key: next(iter(f.values())) for key, f in accounts.items() if len(f) == 1}

    def _note(self, found: dict[str, Value], part: Part | None) -> None:
        text = self.outline.string(part)
        if part is not None and text:
            found[text] = Known(text, self.span(part))

    def _region(
        self, type_: str, instance: _Instance, provider: Provider, *, is_data: bool
    ) -> Value | None:
        if provider.name != "aws":
            return provider.region if provider.declared and provider.name == "google" else None
        if type_ not in self.no_region and not is_data:
            own = instance.get("region")
            if own is not None and not (isinstance(own, Known) and own.data is None):
                return own
            # Since version 6 the provider writes the region of every regional resource.
            planned = instance.plain("region")
            text = known_text(planned)
            if text is not None and tables.partitions().of(text) is not None:
                return provider.region if known_text(provider.region) == text else planned
            if not isinstance(provider.region, Known):
                return _region_of_arn(instance.plain("arn")) or provider.region
        return provider.region

    # What else a unit has

    def _idle_documents(self) -> None:
        """Effect: notes the policy documents that a resource carries: they are judged there."""
        documents = [r for r in self.unit.resources if r.is_data and r.type == _POLICY_DOCUMENT]
        if not documents:
            return
        carried: set[str | None] = set()
        table = tables.policy_attributes()
        for resource in self.unit.resources:
            for row in () if resource.is_data else table.get(resource.type, ()):
                value = resource.get(row.attribute.partition(".")[0])
                carried.update(_canonical(text) for text in _texts_of(value))
        for document in documents:
            text = known_text(document.extra.get("json"))
            if text is not None and (_canonical(text) or text) in carried:
                self.unit.idle_documents.add(document.address)

    def _settings(self) -> None:
        for name, part in self.variables.items():
            value = self._variable(name)
            value_part = self.outline.at(part, "value")
            if value is None or value_part is None:
                continue
            span = self.span(value_part)
            self.places.note_variable(value_part, name)
            self.unit.settings.append(
                Setting(name, _plain(value), span, span, "tfvars", f"var.{name}")
            )

    def _calls(self, members: list[tuple[str, Part, dict[str, Part], bool]]) -> None:
        instances: dict[str, set[str]] = defaultdict(set)
        types: dict[str, set[str]] = defaultdict(set)
        for module, _resource, fields, _data in members:
            if module:
                instances[strip_keys(module)].add(module)
            if self.outline.string(fields.get("mode")) != "data":
                types[strip_keys(module)].add(self.outline.string(fields.get("type")))
        for path, module_part, call in self.modules:
            if call is None:
                continue
            self._call(path, module_part, call, sorted(instances[path]), types[path])

    def _call(
        self, path: str, module: Part, call: Part, instances: list[str], types: set[str]
    ) -> None:
        outline = self.outline
        fields = outline.members(call)
        caller, name = call_of(path)
        expressions = outline.members(fields.get("expressions"))
        span = self.span(fields.get("source", call))
        inputs: dict[str, Value] = {}
        spans: dict[str, Span] = {}
        for argument, part in expressions.items():
            value = self._argument(part, caller, f"{path}.{argument}")
            if value is None or (isinstance(value, Known) and value.data is None):
                continue
            constant = outline.at(part, "constant_value")
            where = self.span(constant or part)
            inputs[argument], spans[argument] = value, where
            if constant is not None:
                self.unit.settings.append(Setting(argument, value, where, where, "input", path))
        repeated = fields.get("for_each_expression")
        keys = _last_keys(instances)
        collection: Value | None = None
        collection_span = None
        if keys:
            collection_span = span if repeated is None else self.span(repeated)
            collection = Many(
                tuple(Known(key, collection_span) for key in keys), collection_span, is_set=True
            )
        source = self.places.call(path)
        required = {
            variable
            for variable, body in outline.members(outline.at(module, "variables")).items()
            if "default" not in outline.members(body)
        }
        default = self.providers.get("aws")
        self.unit.modules.append(
            ModuleCall(
                name,
                path,
                outline.string(fields.get("source")),
                span,
                inputs,
                spans,
                # The plan does not have the argument; without the sources nothing is said of it.
                source is None or source.argument("providers") is not None,
                collection,
                collection_span,
                frozenset(type_.split("_", 1)[0] for type_ in types),
                frozenset(types),
                default,
                local=True,
                requires=frozenset(required),
            )
        )


class _Instance:
    """The arguments of one resource instance, read on demand."""

    def __init__(  # noqa: PLR0913  the three parts of the plan that speak of it
        self,
        origin: Origin,
        values: dict[str, Part],
        unknown: Part | None,
        expressions: Part | None,
        *,
        is_configured: bool,
        lenient: Callable[[str], bool],
        failures: list[Failure],
    ) -> None:
        self.origin = origin
        self.values = values
        self._unknown_part = unknown
        self._expressions_part = expressions
        self.is_configured = is_configured
        self._lenient = lenient
        self._failures = failures
        self._unknown: dict[str, Any] | None = None
        self._expressions: dict[str, Any] | None = None
        self._cache: dict[str, Value | None] = {}

    def get(self, name: str) -> Value | None:
        """The value of an argument or block that the configuration sets; ``None`` when it does not."""
        if name not in self._cache:
            self._cache[name] = self._read(name, self._expression(name))
        return self._cache[name]

    def plain(self, name: str) -> Value | None:
        """The value of an attribute, whoever has set it."""
        return self._read(name, SET)

    def names(self) -> tuple[str, ...]:
        """The names of what is set."""
        found = [
            name
            for name, part in self.values.items()
            if self.origin.outline.text[part.start] != "n" and self._expression(name) is not None
        ]
        unknown = self.unknown()
        found += [
            name
            for name, mark in unknown.items()
            if mark is True and name not in self.values and self._expression(name) is not None
        ]
        return tuple(found)

    def unknown(self) -> dict[str, Any]:
        """What is known only after apply."""
        if self._unknown is None:
            self._unknown = self._object(self._unknown_part)
        return self._unknown

    def _object(self, part: Part | None) -> dict[str, Any]:
        """An object as Python data. Effect: what is no JSON is a failure, once."""
        try:
            known = self.origin.outline.data(part)
        except OutlineError as error:
            self._fail(error.at, error.message)
            return {}
        return known if isinstance(known, dict) else {}

    def _fail(self, at: int, message: str) -> None:
        line, column = _position(self.origin.outline.text, at)
        self._failures.append(
            Failure(
                FailureKind.SYNTAX,
                self.origin.document.path,
                f"line {line}, column {column}: {self.origin.address}: {message}",
            )
        )

    def _expression(self, name: str) -> Any:
        """What the configuration says of an argument; ``None`` when it is not set there."""
        if not self.is_configured:
            return LENIENT
        if self._expressions is None:
            self._expressions = self._object(self._expressions_part)
        found = self._expressions.get(name)
        if found is not None:
            return found
        part = self.values.get(name)
        text = self.origin.outline.text
        if part is None or text[part.start] not in "[{" or not self._lenient(name):
            return None
        at = part.start + 1
        while text[at] in " \t\r\n":
            at += 1
        return LENIENT if text[part.start] == "[" and text[at] == "{" else None

    def _read(self, name: str, expression: Any) -> Value | None:
        origin = self.origin
        part = self.values.get(name)
        mark = self.unknown().get(name)
        if expression is None and (mark is not True or not self._lenient(name)):
            return None
        subject = f"{origin.address}.{name}"
        if part is None or mark is True:
            return after_apply(origin.span, expression, subject) if mark is True else None
        if origin.outline.text[part.start] == "n":
            return None
        try:
            return Reader(origin, part).read(mark, expression, subject)
        except ValueError as error:
            self._fail(part.start, f"the value of {name}: {error}")
            return None


def _always(_name: str) -> bool:
    """A data source computes attributes, never blocks that look like those of its configuration."""
    return True


def _region_of_arn(arn: Value | None) -> Value | None:
    """The region in which something exists already, by its ARN."""
    fields = (known_text(arn) or "").split(":", _ARN_FIELDS - 1)
    if arn is None or len(fields) < _ARN_FIELDS or fields[0] != "arn":
        return None
    return Known(fields[3], arn.span) if tables.partitions().of(fields[3]) is not None else None


def _parts_of(key: str) -> tuple[str, str, str]:
    """(module path, local name, alias) of a provider key: ``module.a:aws.west``."""
    module, _colon, own = key.rpartition(":")
    name, _dot, alias = own.partition(".")
    return module, name, alias


def _last_keys(instances: list[str]) -> list[str]:
    """The string keys of module instances that differ in their last key; empty for none."""
    keys: dict[str, None] = {}
    for address in instances:
        if not address.endswith('"]'):
            return []
        start = address.rfind('["')
        keys[address[start + 2 : -2]] = None
    return list(keys)


def _is_telling(value: Value) -> bool:
    text = known_text(value)
    return text is not None and (
        tables.partitions().of(text) is not None
        or text.startswith("arn:")
        or (len(text) == 12 and text.isdigit())  # noqa: PLR2004  an account id
    )


def _plain(value: Value) -> Value:
    """The value without its evidence, for the place where it is written itself."""
    copy = value.through()
    copy.via = ()
    return copy


def _canonical(text: str) -> str | None:
    """One spelling of a JSON text; ``None`` for any other text."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except (ValueError, RecursionError):
        return None


def _texts_of(value: Value | None) -> Iterator[str]:
    stack = [] if value is None else [value]
    while stack:
        current = stack.pop()
        if isinstance(current, Known):
            if isinstance(current.data, str):
                yield current.data
        elif isinstance(current, Many):
            stack.extend(current.items)
        elif isinstance(current, Mapping):
            stack.extend(current.entries.values())
