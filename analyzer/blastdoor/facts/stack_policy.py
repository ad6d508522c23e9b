"""Stack policies of CloudFormation stacks.

Source: AWS CloudFormation User Guide, "Prevent updates to stack resources": a stack policy has the
form of an IAM policy document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.jsontext import decode
from blastdoor.fact import StackPolicy
from blastdoor.facts.iam import Policy, statements
from blastdoor.facts.reading import items_of
from blastdoor.value import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated

_ARGUMENTS: Final = {"aws_cloudformation_stack": "policy_body"}


def stack_policies(unit: Evaluated) -> Iterator[StackPolicy]:
    """The stack policies that the unit writes out."""
    for resource in unit.resources:
        attribute = _ARGUMENTS.get(resource.type)
        value = None if attribute is None or resource.is_data else resource.get(attribute)
        if attribute is None or value is None:
            continue
        document = decode(value)
        if not isinstance(document, Mapping):
            continue
        items, complete = items_of(document.get("Statement"))
        found = tuple(statements([Policy(resource, attribute, "stack", value, document)]))
        yield StackPolicy(
            resource, attribute, found, complete and document.complete and len(found) == len(items)
        )
