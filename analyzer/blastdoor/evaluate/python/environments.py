"""Where the stacks of a CDK program go: ``env`` of a stack, or of the stage around it.

Source: AWS CDK Developer Guide, "Environments": a stack takes the environment of its stage where it has
none; without any, ``region`` and ``account`` stand for what the deployment decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation import values
from blastdoor.evaluate.python.addresses import scope_of
from blastdoor.evaluate.python.things import Bound, Call, Class, Instance, Thing
from blastdoor.value import Known, Mapping, Reason, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.span import Span

    ToValue = Callable[[Thing, Span | None], Value]

_HOPS: Final = 12
_STACKS: Final = ("aws_cdk.Stack", "aws_cdk.core.Stack")
_TOKENS: Final = {"region": values.REGION, "account": values.ACCOUNT, "partition": values.PARTITION}
"""Attribute of a stack → the pseudo parameter that it is where its environment does not say it."""


def is_stack(kind: Class) -> bool:
    """Whether a class is one of stacks."""
    return any(name in _STACKS for name in kind.base_names())


def given_environment(call: Call) -> Thing | None:
    """What a stack or stage is given as its environment."""
    thing = call.keywords.get("env")
    return None if isinstance(thing, Known) and thing.data is None else thing


def environment_of(
    scope: Thing, value: ToValue, hops: int = 0
) -> tuple[Value | None, Value | None]:
    """Region and account of what is made in a scope, as far as the stack or stage around it says."""
    call = scope.call if isinstance(scope, Instance) else scope
    if not isinstance(call, Call) or hops > _HOPS:
        return None, None
    environment = given_environment(call)
    if environment is not None:
        return environment_said(environment, value)
    outer = scope_of(call)
    return (None, None) if outer is None else environment_of(outer, value, hops + 1)


def environment_said(thing: Thing | None, value: ToValue) -> tuple[Value | None, Value | None]:
    """Region and account of an ``Environment``."""
    if isinstance(thing, Call) and thing.name.endswith("Environment"):
        parts = {
            name: value(inner, thing.spans.get(name, thing.span))
            for name, inner in thing.keywords.items()
        }
    elif isinstance(thing, Mapping):
        parts = dict(thing.entries)
    else:
        return None, None
    region, account = parts.get("region"), parts.get("account")
    if isinstance(region, Unknown) and region.reason is Reason.ENVIRONMENT:
        region = values.region_of_environment(region.span)
    return region, account


def attribute_of_stack(thing: Bound, value: ToValue) -> Value | None:
    """What ``self.region`` of a stack is; ``None`` for what is no attribute of one."""
    if thing.name not in _TOKENS:
        return None
    base = thing.base
    stack: Thing | None
    if isinstance(base, Instance):
        stack = base if is_stack(base.kind) else None
    elif isinstance(base, Call) and base.name in _STACKS:
        stack = base
    elif isinstance(base, Call) and base.name.endswith("Stack.of") and base.arguments:
        stack = base.arguments[0]
    else:
        stack = None
    if stack is None:
        return None
    region, account = environment_of(stack, value)
    said = {"region": region, "account": account}.get(thing.name)
    return said if isinstance(said, Known) else values.pseudo(_TOKENS[thing.name])
