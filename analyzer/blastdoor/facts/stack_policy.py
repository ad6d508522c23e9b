"""Stack policies of CloudFormation stacks.

Source: AWS CloudFormation User Guide, "Prevent updates to stack resources": a stack policy has the
form of an IAM policy document. AWS CloudFormation API Reference, UpdateStack: the policy of
``StackPolicyDuringUpdateBody`` stands in for that of the stack while the update runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor import tables
from blastdoor.evaluate.jsontext import decode
from blastdoor.fact import StackPolicy
from blastdoor.facts.iam import Policy, statements
from blastdoor.facts.reading import items_of
from blastdoor.value import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated


def stack_policies(unit: Evaluated) -> Iterator[StackPolicy]:
    """The stack policies that the unit writes out."""
    table = tables.things("stack")
    for resource in unit.resources:
        row = None if resource.is_data else table.get(resource.type)
        for part, attribute in row.names.items() if row is not None else ():
            value = resource.get(attribute)
            document = None if value is None else decode(value)
            if value is None or not isinstance(document, Mapping):
                continue
            items, complete = items_of(document.get("Statement"))
            found = tuple(statements([Policy(resource, attribute, "stack", value, document)]))
            whole = complete and document.complete and len(found) == len(items)
            yield StackPolicy(resource, attribute, found, whole, part == "during")
