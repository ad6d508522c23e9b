"""A template with its deployments to an evaluated unit: resources, settings and what shaped them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation import resource as lowered
from blastdoor.evaluate.cloudformation import values
from blastdoor.evaluate.cloudformation.evaluator import Evaluator, Scope
from blastdoor.evaluate.cloudformation.template import Template, fields, text_of
from blastdoor.fact import Evaluated, Fallback, Lookup, Resource, Setting
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Node, Scalar
from blastdoor.value import Known, Mapping, Reason, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_RESOURCES: Final = 5_000
"""Resources of one unit; CloudFormation itself takes 500 of one template."""
_BESIDE: Final = (*lowered.ATTRIBUTES, *lowered.QUALIFIED)


def collect(evaluator: Evaluator, unit: Evaluated, prefix: str = "") -> None:
    """Effect: adds to a unit what a template holds; ``prefix`` stands before its addresses."""
    template = evaluator.template
    unit.inputs.add(template.document.path)
    for name, span in template.transform_spans.items():
        if name in template.foreign:
            unit.opaque.append(Unknown(Reason.MACRO, name, span))
    for made in resources(evaluator, prefix):
        if len(unit.resources) >= MAX_RESOURCES:
            message = f"more than {MAX_RESOURCES} resources of one template; the rest is not read"
            unit.failures.append(Failure(FailureKind.LIMIT, template.document.path, message))
            break
        unit.resources.append(made)
    _settings(evaluator, unit)


def finish(evaluator: Evaluator, unit: Evaluated, prefix: str = "") -> None:
    """Effect: adds what only the reading of all values tells."""
    unit.opaque.extend(evaluator.opaque.values())
    for name, keys, key, span, owner, where in evaluator.missed:
        unit.lookups.append(Lookup(name, keys, key, span, prefix + owner, where))
    for tried, known, value, span, owner in evaluator.fallbacks:
        unit.fallbacks.append(
            Fallback(tried, known, value, span, prefix + owner, "DefaultValue of Fn::FindInMap")
        )


def resources(evaluator: Evaluator, prefix: str = "") -> Iterator[Resource]:
    """The resources of a template, those of its loops one by one."""
    node = evaluator.template.root
    section = fields(node).get("Resources")
    if section is None:
        return
    for key, body, scope in evaluator.entries(section[1], Scope("Resources")):
        if body is None:
            continue
        name = str(key.value)
        if name == "Fn::Transform":
            evaluator.evaluate_opaque(body, key)
            continue
        name = evaluator.name(name, scope) or name
        found = resource(evaluator, key, name, body, scope, prefix)
        if found is not None:
            yield found


def resource(  # noqa: PLR0913, PLR0917  what one entry of the section is
    evaluator: Evaluator, key: Scalar, name: str, body: Node, scope: Scope, prefix: str
) -> Resource | None:
    """One resource; ``None`` for what is none: not there, or made by something opaque."""
    parts = fields(body)
    type_ = _type(evaluator, parts.get("Type"), scope)
    span = evaluator.span(key)
    if type_ is None:
        evaluator.evaluate_opaque(body, key)
        return None
    scope = Scope(name, scope.assumed, scope.names)
    condition = text_of(parts["Condition"][1]) if "Condition" in parts else None
    if condition is not None:
        condition = evaluator.name(condition, scope) or condition
        if evaluator.holds(condition, scope) is False:
            return None
        scope = evaluator.assuming(condition, True, scope)  # noqa: FBT003  a fact
    address = prefix + name

    def reader(node: Node, owner: str) -> Callable[[], Value | None]:
        inside = Scope(owner, scope.assumed, scope.names)
        return lambda: evaluator.evaluate(node, inside)

    def properties() -> Value | None:
        entry = parts.get("Properties")
        if entry is None:
            return Mapping({}, span)
        return evaluator.evaluate(entry[1], scope)

    attributes: dict[str, Value | Callable[[], Value | None]] = {
        attribute: reader(parts[attribute][1], address)
        for attribute in _BESIDE
        if attribute in parts
    }
    return lowered.make(
        type_,
        name,
        properties,
        span=span,
        address=address,
        attributes=attributes,
        place=evaluator.place,
        module=evaluator.document.path,
        path=(*evaluator.document.path.split("/"), *address.split(".")),
    )


def _type(evaluator: Evaluator, entry: tuple[Scalar, Node] | None, scope: Scope) -> str | None:
    """The type of a resource; ``None`` where it is no text, as of a module of Rain's."""
    if entry is None:
        return None
    said = text_of(entry[1])
    if said is None or (scope.names and "${" in said):
        value = evaluator.evaluate(entry[1], scope)
        said = value.data if isinstance(value, Known) and isinstance(value.data, str) else None
    # A module of the registry, which stands for several resources.
    return None if said is None or said.endswith("::MODULE") else said


def _settings(evaluator: Evaluator, unit: Evaluated) -> None:
    """Effect: adds the defaults of parameters and the mappings."""
    template = evaluator.template
    for name, (key, node) in template.section("Parameters").items():
        default = evaluator.default(name)
        if default is None:
            continue
        where = evaluator.span(fields(node)["Default"][1])
        owner = f"Parameters.{name}"
        unit.settings.append(
            Setting(name, default, where, evaluator.span(key), "default", owner)
        )
    for name, (key, node) in template.section("Mappings").items():
        value = evaluator.evaluate(node, Scope(f"Mappings.{name}"))
        owner = f"Mappings.{name}"
        unit.settings.append(
            Setting(name, value, evaluator.span(node), evaluator.span(key), "local", owner)
        )


def evaluate(template: Template, place: values.Place = values.ANYWHERE) -> Evaluated:
    """A template for itself, without deployments."""
    unit = Evaluated(template.document.path, "cloudformation")
    evaluator = Evaluator(template, place=place)
    collect(evaluator, unit)
    finish(evaluator, unit)
    return unit
