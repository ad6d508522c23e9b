"""A template with its deployments to an evaluated unit: resources, settings and what shaped them."""

from __future__ import annotations

import posixpath
import re
from functools import partial
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation import resource as lowered
from blastdoor.evaluate.cloudformation import sam
from blastdoor.evaluate.cloudformation.deployments import MAX_DEPLOYMENTS, MAX_FILES
from blastdoor.evaluate.cloudformation.embedded import embedded
from blastdoor.evaluate.cloudformation.estate import (
    NESTED,
    STACK_SET,
    Estate,
    parameters_of_set,
    place,
    place_of_instances,
)
from blastdoor.evaluate.cloudformation.evaluator import Evaluator, Given, Scope
from blastdoor.evaluate.cloudformation.template import doubles, failures_of, fields, read, text_of
from blastdoor.evaluate.cloudformation.values import existing, under
from blastdoor.fact import (
    EnvironmentDefault,
    Evaluated,
    Fallback,
    Lookup,
    ModuleCall,
    RegionTable,
    Resource,
    Setting,
)
from blastdoor.fact import Stack as PlacedStack
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.parse.data import Sequence as SequenceNode
from blastdoor.span import Document, Span
from blastdoor.value import Evidence, Known, Mapping, Reason, Step, Unknown, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from blastdoor.evaluate.cloudformation.deployments import Deployment
    from blastdoor.evaluate.cloudformation.template import Template
    from blastdoor.parse.data import Node, Scalar

MAX_RESOURCES: Final = 5_000
"""Resources of one unit; CloudFormation itself takes 500 of one template."""
_ENVIRONMENTS: Final = frozenset(
    {
        "env",
        "envname",
        "environment",
        "environmentname",
        "environmenttype",
        "envtype",
        "stage",
        "stagename",
    }
)
"""Names of parameters that say the environment, in lower case and without what is no letter."""
MAX_STACKS: Final = 600
"""Stacks of one unit, nested ones counted."""
MAX_NESTING: Final = 24
"""Stacks within stacks."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_BESIDE: Final = (*lowered.ATTRIBUTES, *lowered.QUALIFIED)
_STACKS: Final = frozenset({*NESTED, STACK_SET})
_CDK_PATH: Final = "aws:cdk:path"


class Stack:
    """One template with one set of inputs."""

    def __init__(self, program: Program, template: Template, evaluator: Evaluator) -> None:
        self.program = program
        self.template = template
        self.evaluator = evaluator
        self.parent: Stack | None = None
        self.prefix = ""
        self.depth = 0
        self.children: dict[str, Stack | None] = {}
        self._open: set[str] = set()
        evaluator.outputs = self.output
        evaluator.exports = program.exported
        evaluator.snippets = lambda said: program.snippet(template, said)
        if template.serverless:
            begun = sam.names(template)
            evaluator.generated = lambda name: name.startswith(begun)

    def child(self, name: str) -> Stack | None:
        """The nested stack of a resource; ``None`` where its template is not in the repository."""
        if name not in self.children:
            self.children[name] = None
            self.children[name] = self.program.nested(self, name)
        return self.children[name]

    def output(self, name: str, output: str, span: Span) -> Value | None:
        """An output of a nested stack; ``None`` where that is not known."""
        if name not in self.template.section("Resources") or name in self._open:
            return None
        self._open.add(name)
        try:
            child = self.child(name)
            if child is None:
                return None
            found = child.evaluator.section("Outputs").get(output)
            body = {} if found is None else fields(found.node)
            if found is None or "Value" not in body:
                return Unknown(Reason.UNDECLARED, f"{name}.Outputs.{output}", span)
            node = body["Value"][1]
            value = child.evaluator.evaluate(node, found.scope)
            words = f"output {output} of {child.prefix.rstrip('.')}"
            return value.through(Evidence(Step.OUTPUT, words, child.evaluator.span(node)))
        finally:
            self._open.discard(name)


class Program:
    """The evaluation of one unit: what its stacks share."""

    def __init__(self, estate: Estate, unit: Evaluated) -> None:
        self.estate = estate
        self.unit = unit
        self.stacks: list[Stack] = []

    def exported(self, name: str) -> Value | None:
        """What an export of another template of the repository stands for."""
        found = self.estate.exported(name)
        if found is None:
            return None
        path, value = found
        self.unit.inputs.add(path)
        return value

    def snippet(self, template: Template, said: str) -> tuple[Document, Node] | None:
        """The file of the repository that a template includes. Effect: keeps what cannot be read."""
        path = self.estate.beside(template.document.path, said)
        text = None if path is None else self.estate.repository.files.read(path)
        if path is None or text is None:
            return None
        self.unit.inputs.add(path)
        document = Document(path, text)
        roots, _comments, faults = read(document)
        self.unit.failures.extend(failures_of(document, faults))
        if len(roots) != 1 or not isinstance(roots[0], MappingNode):
            return None
        self.unit.failures.extend(doubles(document, roots[0]))
        return document, roots[0]

    def root(self, path: str) -> Stack | None:
        """The stack of the unit's own template."""
        template = self.estate.load(path)
        if template is None:
            return None
        found = self.estate.deployments(path)
        self.unit.inputs.update(found.read)
        self.unit.variables_files = lambda: sorted(found.read)
        if found.left_out:
            words = f"deployments beyond {MAX_DEPLOYMENTS} of one template"
            root = Span(template.document, template.root.start, template.root.start)
            self.unit.opaque.append(Unknown(Reason.BUDGET, words, root))
        if found.files_left_out:
            words = f"files of parameters beyond {MAX_FILES} around one template"
            root = Span(template.document, template.root.start, template.root.start)
            self.unit.opaque.append(Unknown(Reason.BUDGET, words, root))
        given = [
            Given(deployment.name, deployment.parameters)
            for deployment in found.deployments
            if deployment.parameters is not None
        ]
        stack = Stack(self, template, Evaluator(template, place=place(found), given=given))
        self.stacks.append(stack)
        self.unit.stacks.extend(_placed(found.deployments, template))
        self.unit.deployments = tuple([_told(one) for one in found.deployments])
        return stack

    def nested(self, parent: Stack, name: str) -> Stack | None:
        """A stack within a stack."""
        evaluator = parent.evaluator
        key, body = parent.template.section("Resources")[name]
        parts = fields(body)
        type_ = text_of(parts["Type"][1]) if "Type" in parts else None
        if type_ not in _STACKS or "Properties" not in parts:
            return None
        properties = evaluator.evaluate(parts["Properties"][1], Scope(parent.prefix + name))
        if not isinstance(properties, Mapping):
            return None
        span = evaluator.span(key)
        where = evaluator.place
        condition = text_of(parts["Condition"][1]) if "Condition" in parts else None
        if condition is not None and not evaluator.holds(condition, Scope(name)):
            where = where.of_some()
        if type_ == STACK_SET:
            body_, failures = embedded(properties.get("TemplateBody"), span.path)
            self.unit.failures.extend(failures)
            template = body_
            where = place_of_instances(properties, parent.prefix + name)
        else:
            path = self.estate.template_of(parent.template, name, properties)
            template = None if path is None else self.estate.load(path)
        if template is None:
            return None
        if parent.depth >= MAX_NESTING or len(self.stacks) >= MAX_STACKS:
            message = (
                f"{name} is not followed: more than {MAX_NESTING} levels or {MAX_STACKS} stacks"
            )
            self._limit(message, span)
            return None
        around: Stack | None = parent
        while around is not None:
            if around.template is template:
                message = f"{name} nests a template that is around it"
                self._limit(message, span)
                return None
            around = around.parent
        address = parent.prefix + name
        inputs = (
            parameters_of_set(properties)
            if type_ == STACK_SET
            else _inputs(properties.get(NESTED[type_][1]), address, span)
        )
        stack = Stack(
            self,
            template,
            Evaluator(
                template,
                place=where,
                given=[] if inputs is None else [Given("", inputs)],
                budget=evaluator.budget,
            ),
        )
        stack.parent, stack.prefix, stack.depth = parent, f"{address}.", parent.depth + 1
        self.stacks.append(stack)
        if type_ in NESTED:
            self._call(stack, properties, type_, address, span)
        return stack

    def _limit(self, message: str, span: Span) -> None:
        self.unit.failures.append(Failure(FailureKind.LIMIT, span.path, message, span))

    def _call(
        self, stack: Stack, properties: Mapping, type_: str, address: str, span: Span
    ) -> None:
        given = properties.get(NESTED[type_][1])
        inputs = dict(given.entries) if isinstance(given, Mapping) else {}
        spans = given.key_spans if isinstance(given, Mapping) else {}
        source = known_text(properties.get(NESTED[type_][0])) or stack.template.document.path
        call = ModuleCall(
            address.rpartition(".")[2],
            address,
            source,
            span,
            inputs,
            {name: spans.get(name, span) for name in inputs},
            passes_providers=False,
            local=True,
        )
        self.unit.modules.append(call)
        for name, value in inputs.items():
            where = value.span or span
            self.unit.settings.append(
                Setting(name, value, where, spans.get(name, span), "input", address)
            )


def _placed(deployments: Sequence[Deployment], template: Template) -> Iterator[PlacedStack]:
    """The stacks that are named beside the region they go to, each at the head of its template."""
    head = template.root.entries[0][0] if template.root.entries else template.root
    for deployment in deployments:
        name, region = known_text(deployment.stack_name), deployment.region
        if name is not None and region is not None and region.span is not None:
            yield PlacedStack(
                name, region, deployment.account, template.span(head), template.document.path
            )


def _told(deployment: Deployment) -> tuple[str, ...]:
    """The words that tell what a deployment is for: its environment, or the name of its file."""
    for name, value in (deployment.parameters or {}).items():
        text = known_text(value) if _plain(name) in _ENVIRONMENTS else None
        if text is not None:
            return tuple(_WORD.findall(text))
    label, opened, environment = deployment.name.partition(" [")
    if opened:
        return tuple(_WORD.findall(environment))
    return tuple(_WORD.findall(posixpath.basename(label))) if label == deployment.path else ()


def _inputs(given: Value | None, address: str, span: Span) -> dict[str, Value] | None:
    """The parameters that a nested stack gets; ``None`` where they are not known."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not given.complete:
        return None
    return {
        name: value.through(Evidence(Step.INPUT, f"input {name} of {address}", value.span or span))
        for name, value in given.entries.items()
    }


def evaluate_template(estate: Estate, path: str) -> Evaluated:
    """One unit: a template with those that it nests, over all its deployments."""
    unit = Evaluated(path, "cloudformation", context=estate.repository.context)
    unit.inputs.add(path)
    program = Program(estate, unit)
    root = program.root(path)
    if root is None:
        return unit
    pending = [root]
    while pending:
        stack = pending.pop()
        _collect(stack, unit)
        found = [stack.child(name) for name in _nested_names(stack)]
        pending.extend(child for child in reversed(found) if child is not None)
    unit.close = lambda: _close(program, unit)
    unit.secrets = root.evaluator.budget.secrets
    if root.evaluator.budget.exceeded:
        message = "the evaluation budget of this template is spent; values beyond it are unknown"
        unit.failures.append(Failure(FailureKind.LIMIT, path, message))
    return unit


def _close(program: Program, unit: Evaluated) -> None:
    """Effect: breaks the circles between stacks, so that a unit goes when it is done."""
    unit.close = _closed
    for stack in program.stacks:
        stack.children.clear()
        stack.evaluator.forget()
    program.stacks.clear()


def _closed() -> None:
    """Nothing, for what is closed already."""


def _nested_names(stack: Stack) -> Iterator[str]:
    for name, (_key, body) in stack.template.section("Resources").items():
        parts = fields(body)
        if "Type" in parts and text_of(parts["Type"][1]) in _STACKS:
            condition = text_of(parts["Condition"][1]) if "Condition" in parts else None
            if condition is None or stack.evaluator.holds(condition, Scope(name)) is not False:
                yield name


def _collect(stack: Stack, unit: Evaluated) -> None:
    """Effect: adds to a unit what a stack holds."""
    template, evaluator = stack.template, stack.evaluator
    unit.inputs.add(template.document.path)
    for name, span in template.transform_spans.items():
        if name in template.foreign:
            unit.opaque.append(Unknown(Reason.MACRO, name, span))
    evaluator.rules()
    first = len(unit.resources)
    for made in (*_hooks(stack), *_resources(stack, unit)):
        if len(unit.resources) >= MAX_RESOURCES:
            message = f"more than {MAX_RESOURCES} resources of one unit; the rest is not read"
            unit.failures.append(Failure(FailureKind.LIMIT, template.document.path, message))
            break
        unit.resources.append(made)
    _settings(stack, unit)
    # Everything is read once: what is opaque or lacks a key shows only then.
    for made in unit.resources[first:]:
        for name in made.names():
            made.get(name)
    unit.opaque.extend(evaluator.opaque.values())
    for name, keys, key, span, owner, where in evaluator.missed:
        unit.lookups.append(Lookup(name, keys, key, span, stack.prefix + owner, where))
    for name, (regions, span) in evaluator.by_region.items():
        unit.region_tables.append(RegionTable(name, regions, span, template.document.path))
    for tried, known, value, span, owner in evaluator.fallbacks:
        unit.fallbacks.append(
            Fallback(tried, known, value, span, stack.prefix + owner, "DefaultValue of FindInMap")
        )


def _hooks(stack: Stack) -> Iterator[Resource]:
    """The hooks of a template, read as resources are: how CodeDeploy moves traffic to new tasks.

    Source: AWS CloudFormation User Guide, "Perform ECS blue/green deployments through CodeDeploy".
    """
    evaluator = stack.evaluator
    for name, (key, body) in stack.template.section("Hooks").items():
        parts = fields(body)
        type_ = _type(evaluator, parts.get("Type"), Scope("Hooks"))
        if type_ is None or "Properties" not in parts:
            evaluator.evaluate_opaque(body, key)
            continue
        address = f"{stack.prefix}Hooks.{name}"
        yield lowered.make(
            type_,
            name,
            partial(evaluator.evaluate, parts["Properties"][1], Scope(address)),
            span=evaluator.span(key),
            address=address,
            place=evaluator.place,
            module=evaluator.document.path,
            path=(*evaluator.document.path.split("/"), *address.split(".")),
        )


def _resources(stack: Stack, unit: Evaluated) -> Iterator[Resource]:
    """The resources of a template, those of its loops one by one and those that SAM adds."""
    evaluator = stack.evaluator
    section = fields(stack.template.root).get("Resources")
    if section is None:
        return
    defaults = sam.globals_of(evaluator) if stack.template.serverless else None
    for key, body, scope in evaluator.entries(section[1], Scope("Resources")):
        if body is None:
            continue
        name = str(key.value)
        if name == "Fn::Transform":
            evaluator.evaluate_opaque(body, key)
            continue
        name = evaluator.name(name, scope) or name
        for made in _resource(stack, key, name, body, scope, defaults):
            if defaults is not None:
                layering = defaults.layering(made.written_type, made.address, made.span)
                if layering is not None:
                    unit.layerings.append(layering)
            yield made


def _resource(
    stack: Stack,
    key: Scalar,
    name: str,
    body: Node,
    scope: Scope,
    defaults: sam.Globals | None,
) -> Iterator[Resource]:
    """One resource and what SAM makes of it; nothing where it is not there, or opaque."""
    evaluator = stack.evaluator
    parts = fields(body)
    type_ = _type(evaluator, parts.get("Type"), scope)
    span = evaluator.span(key)
    if type_ is None:
        evaluator.evaluate_opaque(body, key)
        return
    address = stack.prefix + name
    scope = Scope(address, scope.assumed, scope.names)
    condition = text_of(parts["Condition"][1]) if "Condition" in parts else None
    open_: tuple[Evidence, ...] = ()
    if condition is not None:
        condition = evaluator.name(condition, scope) or condition
        held = evaluator.holds(condition, scope)
        if held is False:
            return
        if held is None:
            where = evaluator.section("Conditions").get(condition)
            said = evaluator.span(parts["Condition"][1] if where is None else where.node)
            open_ = (Evidence(Step.CONDITION, f"condition {condition}", said),)
        scope = evaluator.assuming(condition, True, scope)  # noqa: FBT003  a fact

    def reader(node: Node) -> Callable[[], Value | None]:
        return lambda: evaluator.evaluate(node, scope)

    def properties() -> Value | None:
        entry = parts.get("Properties")
        value: Value | None = Mapping({}, span)
        if entry is not None:
            value = evaluator.evaluate(entry[1], scope)
        if evaluator.optional and value is not None:
            value = existing(value)
        if defaults is not None:
            ignored = None
            if "IgnoreGlobals" in parts:
                ignored = evaluator.evaluate(parts["IgnoreGlobals"][1], scope)
            value = defaults.under(type_, value, ignored)
        return under(value, open_) if open_ and value is not None else value

    attributes: dict[str, Value | Callable[[], Value | None]] = {
        attribute: reader(parts[attribute][1]) for attribute in _BESIDE if attribute in parts
    }
    if condition is not None:
        attributes["Condition"] = Known(condition, evaluator.span(parts["Condition"][1]))
    metadata = fields(parts["Metadata"][1]) if "Metadata" in parts else {}
    path = (*evaluator.document.path.split("/"), *address.split("."))
    construct = text_of(metadata[_CDK_PATH][1]) if _CDK_PATH in metadata else None
    if construct is not None:
        address = stack.prefix + construct
        path = (*evaluator.document.path.split("/"), *construct.split("/"))
    made = lowered.make(
        sam.LOWERED.get(type_, type_) if stack.template.serverless else type_,
        name,
        properties,
        span=span,
        address=address,
        attributes=attributes,
        place=evaluator.place.of_some() if open_ else evaluator.place,
        module=evaluator.document.path,
        path=path,
        written_type=type_,
    )
    yield made
    if stack.template.serverless:
        yield from sam.generated(made, parts, evaluator)


def _type(evaluator: Evaluator, entry: tuple[Scalar, Node] | None, scope: Scope) -> str | None:
    """The type of a resource; ``None`` where it is no text, as of a module of Rain's."""
    if entry is None:
        return None
    said = text_of(entry[1])
    if said is not None and scope.names and "${" in said:
        said = known_text(evaluator.evaluate(entry[1], scope))
    # A module of the registry stands for several resources.
    return None if said is None or said.endswith("::MODULE") else said


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalpha())


def _allowed(node: Node) -> tuple[str, ...]:
    """The texts that a parameter may have."""
    entry = fields(node).get("AllowedValues")
    items = entry[1].items if entry is not None and isinstance(entry[1], SequenceNode) else []
    return tuple([text for text in map(text_of, items) if text is not None])


def _settings(stack: Stack, unit: Evaluated) -> None:
    """Effect: adds the defaults and given values of parameters, and the mappings."""
    template, evaluator = stack.template, stack.evaluator
    for name, (key, node) in template.section("Parameters").items():
        owner = f"{stack.prefix}Parameters.{name}"
        default = evaluator.default(name)
        if default is not None:
            where = evaluator.span(fields(node)["Default"][1])
            unit.settings.append(
                Setting(name, default, where, evaluator.span(key), "default", owner)
            )
            if _plain(name) in _ENVIRONMENTS and stack.parent is None:
                unit.environment_defaults.append(
                    EnvironmentDefault(
                        f"Parameters.{name}", default, where.text, where, owner, _allowed(node)
                    )
                )
        if stack.parent is not None:
            continue
        for given in evaluator.given:
            value = given.parameters.get(name)
            if value is not None and value.span is not None:
                value = evaluator.guarded(name, value)
                place_ = value.span or evaluator.span(key)
                unit.settings.append(Setting(name, value, place_, place_, "tfvars", owner))
    for name, (key, node) in template.section("Mappings").items():
        value = evaluator.evaluate(node, Scope(f"Mappings.{name}"))
        unit.settings.append(
            Setting(
                name,
                value,
                evaluator.span(node),
                evaluator.span(key),
                "local",
                f"{stack.prefix}Mappings.{name}",
            )
        )
