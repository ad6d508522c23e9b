"""The templates of a repository, which of them run which, and where each is deployed.

A template that only other templates of the repository nest is evaluated within them, with the inputs
that they give; all others are units.
"""

from __future__ import annotations

import posixpath
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation import template as templates
from blastdoor.evaluate.cloudformation import values
from blastdoor.evaluate.cloudformation.assembly import of_assembly
from blastdoor.evaluate.cloudformation.deployments import (
    MAX_DEPLOYMENTS,
    Around,
    Deployment,
    Found,
    of_files,
)
from blastdoor.evaluate.cloudformation.evaluator import Evaluator, Given, Scope
from blastdoor.evaluate.cloudformation.samconfig import of_sam
from blastdoor.evaluate.cloudformation.suppressions import comments_of
from blastdoor.evaluate.expression import to_text
from blastdoor.fact import Copy
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Mapping as MappingNode
from blastdoor.source.kinds import Kind
from blastdoor.span import Document, Span
from blastdoor.value import (
    Alternative,
    Evidence,
    Known,
    Many,
    Mapping,
    Step,
    Value,
    alternatives,
    known_text,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from blastdoor.evaluate.cloudformation.template import Template
    from blastdoor.units import Repository

NESTED: Final = {
    "AWS::CloudFormation::Stack": ("TemplateURL", "Parameters"),
    "AWS::Serverless::Application": ("Location", "Parameters"),
}
"""Types that stand for another template: the properties with its place and its parameters."""
STACK_SET: Final = "AWS::CloudFormation::StackSet"
_PIPELINE: Final = "AWS::CodePipeline::Pipeline"
_ACTIONS: Final = ("CloudFormation", "CloudFormationStackSet", "CloudFormationStackInstances")
_DEPLOYING: Final = frozenset({*NESTED, STACK_SET, _PIPELINE})
_ASSET: Final = "aws:asset:path"
_MAX_COPIES: Final = 200
"""Regions of one deployment that are looked at: there are fewer in all partitions together."""
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_ARN_FIELDS: Final = 6
_KEPT_TEXT: Final = 6_000_000
"""Source text whose templates are kept at the same time."""
_NO_TEMPLATE: Final = "file with resources of AWS that is no template"
_SEVERAL: Final = "a template is one document: what follows the first is not read"


class Estate:
    """The templates of one repository."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._cache: OrderedDict[str, Template] = OrderedDict()
        self._size = 0
        self._nothing: set[str] = set()
        self.around = Around(repository)
        self._parameters: dict[str, frozenset[str]] = {}
        self._beside: dict[str, list[str]] = {}
        self.nested: dict[str, set[str]] = {}
        """Path of a template → those that nest it."""
        self._nests: dict[str, set[str]] = {}
        self._includes: dict[str, set[str]] = {}
        self._exporting: dict[str, None] = {}
        self._importing: set[str] = set()
        self._exports: dict[str, list[tuple[str, str]]] | None = None
        self.targets: dict[str, list[Deployment]] = {}
        """Path of a template → deployments that other templates say."""
        self.paths = list(repository.others.get(Kind.TEMPLATE, ()))
        self._listed = frozenset(self.paths)
        self.found: dict[str, Found] = {}

    # Reading

    def load(self, path: str) -> Template | None:
        """The template in a file; ``None`` for what is none. Effect: keeps what cannot be read."""
        kept = self._cache.get(path)
        if kept is not None:
            self._cache.move_to_end(path)
            return kept
        if path in self._nothing:
            return None
        template = self._read(path)
        if template is None:
            self._nothing.add(path)
            return None
        self._cache[path] = template
        self._size += len(template.document.text)
        while self._size > _KEPT_TEXT and len(self._cache) > 1:
            _path, dropped = self._cache.popitem(last=False)
            self._size -= len(dropped.document.text)
        return template

    def _read(self, path: str) -> Template | None:
        repository = self.repository
        text = repository.files.read(path)
        if text is None:
            return None
        document = Document(path, text)
        roots, comments, faults = templates.read(document)
        known = bool(roots) and templates.is_template(roots[0])
        if known or faults:
            repository.read_paths.add(path)
        for failure in templates.failures_of(document, faults):
            repository.fault(failure)
        if not known:
            if not faults:
                repository.skipped[_NO_TEMPLATE] += 1
            return None
        root = roots[0]
        assert isinstance(root, MappingNode)
        if len(roots) > 1:
            second = Span(document, roots[1].start, roots[1].end)
            repository.fault(Failure(FailureKind.SYNTAX, path, _SEVERAL, second))
        for failure in templates.doubles(document, root):
            repository.fault(failure)
        template = templates.make(document, root)
        for failure in templates.misshapen(template):
            repository.fault(failure)
        repository.remark(document, [*comments, *comments_of(template)], _blocks(template))
        return template

    # Surveying

    def survey(self) -> list[str]:
        """The paths of the templates that are units, in the order of the listing."""
        found = []
        for path in self.paths:
            template = self.load(path)
            if template is None:
                continue
            found.append(path)
            self._parameters[path] = frozenset(template.section("Parameters"))
            self._beside.setdefault(posixpath.dirname(path), []).append(path)
            self._runs(template)
            self._shares(template)
        called = {path for path, callers in self.nested.items() if callers - {path}}
        roots = [path for path in found if path not in called]
        # Templates that only nest one another have no root: each is looked at for itself.
        reached = set(roots)
        pending = list(roots)
        while pending:
            for path in self.nests(pending.pop()):
                if path not in reached:
                    reached.add(path)
                    pending.append(path)
        chosen = {*roots, *(path for path in found if path not in reached)}
        return [path for path in found if path in chosen]

    def _runs(self, template: Template) -> None:
        """Effect: notes the templates that a template nests, and the deployments it makes."""
        path = template.document.path
        evaluator: Evaluator | None = None
        for name, (_key, body) in template.section("Resources").items():
            parts = templates.fields(body)
            type_ = templates.text_of(parts["Type"][1]) if "Type" in parts else None
            if type_ not in _DEPLOYING or "Properties" not in parts:
                continue
            evaluator = evaluator or Evaluator(template)
            properties = evaluator.evaluate(parts["Properties"][1], Scope(name))
            if not isinstance(properties, Mapping):
                continue
            if type_ in NESTED:
                target = self.template_of(template, name, properties)
                if target is not None and target != path:
                    self.nested.setdefault(target, set()).add(path)
                    self._nests.setdefault(path, set()).add(target)
            elif type_ == STACK_SET:
                self._stack_set(path, name, properties)
            else:
                self._pipeline(path, name, properties)

    def _shares(self, template: Template) -> None:
        """Effect: notes what a template includes, and whether it exports and imports."""
        path, text = template.document.path, template.document.text
        if templates.INCLUDE in text:
            places = (self.beside(path, said) for said in templates.included(template.root))
            self._includes[path] = {place for place in places if place is not None}
        if "ImportValue" in text:
            self._importing.add(path)
        if any("Export" in templates.fields(b) for _key, b in template.section("Outputs").values()):
            self._exporting[path] = None

    def reads(self, path: str) -> Iterator[str]:
        """The paths of what a template may read beside itself and those that it nests."""
        yield from sorted(self.deployments(path).read)
        yield from sorted(self._includes.get(path, ()))
        if path in self._importing:
            for other in self._exporting:
                yield other
                yield from sorted(self.deployments(other).read)

    @staticmethod
    def beside(path: str, said: str) -> str | None:
        """The path that a text names relative to a file; ``None`` for an address or an absolute path."""
        if "://" in said or said.startswith("/"):
            return None
        found = posixpath.normpath(posixpath.join(posixpath.dirname(path), said))
        return None if found.startswith("..") else found

    # Exports

    def exported(self, name: str) -> tuple[str, Value] | None:
        """What an export stands for, and the template that has it.

        ``None`` where not exactly one template exports the name, or its value is not known.
        """
        if self._exports is None:
            self._exports = {}
            for path in self._exporting:
                self._index(path, self._exports)
        found = self._exports.get(name, [])
        if len(found) != 1:
            return None
        path, output = found[0]
        evaluator = self._evaluator(path)
        entry = None if evaluator is None else evaluator.section("Outputs").get(output)
        body = {} if entry is None else templates.fields(entry.node)
        if evaluator is None or entry is None or "Value" not in body:
            return None
        node = body["Value"][1]
        value = evaluator.evaluate(node, entry.scope)
        if not isinstance(value, Known) or value.data is None:
            return None
        words = f"export {name} of {path}"
        return path, value.through(Evidence(Step.OUTPUT, words, evaluator.span(node)))

    def _evaluator(self, path: str) -> Evaluator | None:
        template = self.load(path)
        if template is None:
            return None
        found = self.deployments(path)
        given = [Given(d.name, d.parameters) for d in found.deployments if d.parameters is not None]
        return Evaluator(template, place=place(found), given=given)

    def _index(self, path: str, exports: dict[str, list[tuple[str, str]]]) -> None:
        """Effect: notes the exports of a template, each under every name that it may have."""
        evaluator = self._evaluator(path)
        if evaluator is None:
            return
        for output, entry in evaluator.section("Outputs").items():
            export = templates.fields(entry.node).get("Export")
            name = None if export is None else templates.fields(export[1]).get("Name")
            if name is None:
                continue
            value = evaluator.evaluate(name[1], entry.scope)
            for alternative in alternatives(value):
                text = to_text(alternative.value)
                if text is not None:
                    exports.setdefault(text, []).append((path, output))

    def nests(self, path: str) -> list[str]:
        """The paths of the templates that a template nests."""
        return sorted(self._nests.get(path, ()))

    def template_of(self, template: Template, name: str, properties: Mapping) -> str | None:
        """The path of the template that a nested stack has, when it is in the repository."""
        body = templates.fields(template.section("Resources")[name][1])
        type_ = templates.text_of(body["Type"][1]) or ""
        location = properties.get(NESTED.get(type_, ("TemplateURL",))[0])
        directory = posixpath.dirname(template.document.path)
        metadata = templates.fields(body["Metadata"][1]) if "Metadata" in body else {}
        asset = templates.text_of(metadata[_ASSET][1]) if _ASSET in metadata else None
        return self.local(directory, asset or known_text(location))

    def local(self, directory: str, said: str | None) -> str | None:
        """The path of a template that a text names relative to a directory."""
        if not said or "://" in said or said.startswith("/"):
            return None
        path = posixpath.normpath(posixpath.join(directory, said))
        return path if path in self._listed and self.load(path) is not None else None

    def _stack_set(self, path: str, name: str, properties: Mapping) -> None:
        target = self.local(posixpath.dirname(path), known_text(properties.get("TemplateURL")))
        if target is None:
            return
        label = f"stack set {name} in {path}"
        copies = _instances(properties, label)
        parameters = parameters_of_set(properties)
        region = _each(copies)
        self._deploy(target, Deployment(label, path, region, None, None, parameters, copies))

    def _pipeline(self, path: str, name: str, properties: Mapping) -> None:
        """Effect: notes what the actions of a pipeline deploy."""
        stages = properties.get("Stages")
        for stage in stages.items if isinstance(stages, Many) else ():
            actions = stage.get("Actions") if isinstance(stage, Mapping) else None
            for action in actions.items if isinstance(actions, Many) else ():
                if isinstance(action, Mapping):
                    self._action(path, name, action)

    def _action(self, path: str, name: str, action: Mapping) -> None:
        kind, settings = action.get("ActionTypeId"), action.get("Configuration")
        if not isinstance(kind, Mapping) or not isinstance(settings, Mapping):
            return
        if known_text(kind.get("Provider")) not in _ACTIONS:
            return
        said = known_text(settings.get("TemplatePath"))
        if said is None:
            return
        # Artifact::file, where the artifact is mostly the repository itself.
        file = said.rpartition("::")[2]
        target = self.local("", file) or self.local(posixpath.dirname(path), file)
        if target is None:
            return
        label = f"action {known_text(action.get('Name')) or name} of {name} in {path}"
        region = action.get("Region")
        copies: tuple[Copy, ...] = ()
        if region is None and settings.get("Regions") is not None:
            region = settings.get("Regions")
            copies = _listed(region, label)
            region = _each(copies) or region
        parameters = self._overrides(settings.get("ParameterOverrides"))
        configuration = known_text(settings.get("TemplateConfiguration"))
        if configuration is not None:
            given = self.around.parameters(configuration.rpartition("::")[2])
            if given is not None:
                parameters = {**given, **(parameters or {})}
        stack = settings.get("StackName")
        account = _account_of_role(action.get("RoleArn"))
        self._deploy(target, Deployment(label, path, region, account, stack, parameters, copies))

    @staticmethod
    def _overrides(value: Value | None) -> dict[str, Value] | None:
        if value is None:
            return None
        from blastdoor.evaluate.jsontext import decode

        found = decode(value)
        return dict(found.entries) if isinstance(found, Mapping) else None

    def _deploy(self, target: str, deployment: Deployment) -> None:
        self.targets.setdefault(target, []).append(deployment)

    # Deployments

    def deployments(self, path: str) -> Found:
        """Where a template is deployed and with which parameters, as far as the repository says."""
        found = self.found.get(path)
        if found is None:
            found = self.found[path] = self._around(path)
        return found

    def _around(self, path: str) -> Found:
        found = Found()
        directory = posixpath.dirname(path)
        given: list[Deployment] = list(self.targets.get(path, ()))
        found.read.update(deployment.path for deployment in given)
        for deployment in (
            *of_sam(self.around, path),
            *of_assembly(self.around, path),
        ):
            given.append(deployment)
            found.read.add(deployment.path)
        names = self._parameters.get(path)
        if names:
            beside = {other: self._parameters[other] for other in self._beside.get(directory, ())}
            given.extend(of_files(self.around, path, names, beside, found))
        found.deployments = given[:MAX_DEPLOYMENTS]
        found.left_out = len(given) - len(found.deployments)
        return found


def place(found: Found) -> values.Place:
    """Where a template goes, over all its deployments."""

    def over(given: list[tuple[str, Value | None]], otherwise: Value) -> Value:
        if all(value is None for _name, value in given):
            return otherwise
        return one_of([Alternative(otherwise if v is None else v, name) for name, v in given])

    every = found.deployments
    # Files of parameters say nothing of a place: they go with whatever does.
    placed = [d for d in every if d.region is not None or d.account is not None]
    stacks = [d.stack_name for d in every if d.stack_name is not None]
    return values.Place(
        over([(d.name, d.region) for d in placed], values.region_of_environment()),
        over([(d.name, d.account) for d in placed], values.account_of_environment()),
        stacks[0] if len(stacks) == 1 == len(every) else None,
        tuple([copy for deployment in placed for copy in _copies(deployment)]),
    )


def _copies(deployment: Deployment) -> tuple[Copy, ...]:
    """Each region that a deployment goes to, where that is known."""
    region, account = deployment.region, known_text(deployment.account)
    if deployment.copies or region is None or known_text(region) is None:
        return deployment.copies
    return (Copy(region, None if account is None else (account,), deployment.name),)


def _instances(properties: Mapping, label: str) -> tuple[Copy, ...]:
    """The regions that the instances of a stack set go to: each account of a group has them all."""
    groups = properties.get("StackInstancesGroup")
    copies: list[Copy] = []
    for number, group in enumerate(groups.items if isinstance(groups, Many) else ()):
        given = group.get("Regions") if isinstance(group, Mapping) else None
        if isinstance(given, Many):
            account = (f"each of group {number + 1} of {label}",)
            copies += [Copy(item, account, label) for item in given.items if known_text(item)]
    return tuple(copies[:_MAX_COPIES])


def _each(copies: Sequence[Copy]) -> Value | None:
    """The regions of copies as one value."""
    each = [
        Alternative(copy.region, f"{copy.said}: {known_text(copy.region)}")
        for copy in copies[:MAX_DEPLOYMENTS]
    ]
    return one_of(each) if each else None


def _account_of_role(role: Value | None) -> Value | None:
    """The account of the role that an action takes; ``None`` where that is the pipeline's own."""
    text = known_text(role) or ""
    parts = text.split(":", _ARN_FIELDS - 1)
    if role is None or len(parts) != _ARN_FIELDS or not _ACCOUNT.fullmatch(parts[4]):
        return None
    return Known(parts[4], role.span, role.via)


def parameters_of_set(properties: Mapping) -> dict[str, Value]:
    """The parameters that a stack set gives to its stacks; a group of instances may have its own."""
    parameters = _pairs(properties.get("Parameters"))
    groups = properties.get("StackInstancesGroup")
    overrides = [
        _pairs(group.get("ParameterOverrides"))
        for group in (groups.items if isinstance(groups, Many) else ())
        if isinstance(group, Mapping)
    ]
    for name in sorted({name for group in overrides for name in group}):
        usual = parameters.get(name) or values.parameter(name)
        given = [group.get(name, usual) for group in overrides[:MAX_DEPLOYMENTS]]
        parameters[name] = one_of(
            [Alternative(v, f"instances of group {n}") for n, v in enumerate(given, 1)]
        )
    return parameters


def _pairs(said: Value | None) -> dict[str, Value]:
    parameters: dict[str, Value] = {}
    for item in said.items if isinstance(said, Many) else ():
        key = known_text(item.get("ParameterKey")) if isinstance(item, Mapping) else None
        value = item.get("ParameterValue") if isinstance(item, Mapping) else None
        if key is not None and value is not None:
            parameters[key] = value
    return parameters


def place_of_instances(properties: Mapping, address: str) -> values.Place:
    """Where the stacks of a stack set go."""
    copies = _instances(properties, f"stack set {address}")
    region = _each(copies)
    return values.Place() if region is None else values.Place(region, copies=copies)


def _listed(value: Value | None, label: str) -> tuple[Copy, ...]:
    """Regions of one text, parted by commas: each account of the action has them all."""
    text = to_text(value) if value is not None else None
    if value is None or not text:
        return ()
    names = [name.strip() for name in text.split(",") if name.strip()]
    each = [Copy(Known(n, value.span, value.via), (label,), label) for n in names[:_MAX_COPIES]]
    return tuple(each)


def _blocks(template: Template) -> Iterator[tuple[int, int]]:
    """The offsets of the entries of the sections: what a comment in or before one speaks of."""
    for entries in template.sections.values():
        for key, node in entries.values():
            yield key.start, max(node.end, key.end)
