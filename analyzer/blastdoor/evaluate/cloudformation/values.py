"""What CloudFormation's references look like as values: shared by all that lowers to its types.

A reference to a resource (``Ref``) is an `Unknown` whose subject is the logical id, one to an
attribute (``Fn::GetAtt``) one whose subject is ``LogicalId.Attribute``; both have the meaning
`Meaning.RESOURCE`. A parameter without a value is an `Unknown` whose subject is
``Parameters.Name``. ``AWS::NoValue`` is a null, which is no value at all. The pseudo parameters are
the one value that the deployment decides (`Inherited` for the region), or what is known of it.

Source: AWS CloudFormation Template Reference, "Intrinsic function reference" and "Pseudo parameters
reference".
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.data_sources import DNS_SUFFIX, partition_of_region
from blastdoor.record import dataclass
from blastdoor.value import (
    SECRET,
    Alternative,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    Null,
    OneOf,
    Reason,
    Unknown,
    Value,
    known_text,
    one_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastdoor.fact import Copy
    from blastdoor.span import Span
    from blastdoor.value import Evidence

REGION: Final = "AWS::Region"
ACCOUNT: Final = "AWS::AccountId"
PARTITION: Final = "AWS::Partition"
URL_SUFFIX: Final = "AWS::URLSuffix"
STACK_NAME: Final = "AWS::StackName"
STACK_ID: Final = "AWS::StackId"
NOTIFICATIONS: Final = "AWS::NotificationARNs"
NO_VALUE: Final = "AWS::NoValue"
PSEUDO: Final = frozenset(
    {REGION, ACCOUNT, PARTITION, URL_SUFFIX, STACK_NAME, STACK_ID, NOTIFICATIONS, NO_VALUE}
)


def region_of_environment(span: Span | None = None) -> Inherited:
    """The region of a stack that nothing in the repository says."""
    return Inherited(Reason.ENVIRONMENT, REGION, span, meaning=Meaning.CURRENT_REGION)


def account_of_environment(span: Span | None = None) -> Unknown:
    """The account of a stack that nothing in the repository says."""
    return Unknown(Reason.ENVIRONMENT, ACCOUNT, span, meaning=Meaning.CURRENT_ACCOUNT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stack goes, as far as that is known."""

    region: Value = field(default_factory=region_of_environment)
    """`Known`, `OneOf`, or `Inherited` where whoever deploys it decides."""
    account: Value = field(default_factory=account_of_environment)
    stack_name: Value | None = None
    copies: tuple[Copy, ...] = ()
    """Each region that the template goes to, as far as that is known."""

    @property
    def partition(self) -> Value:
        """The partition of the region."""
        return _partition(self.region)

    def of_some(self) -> Place:
        """The place of what may be there in some of the copies only, and nobody knows which."""
        return replace(self, copies=()) if self.copies else self


ANYWHERE: Final = Place()
"""Where a stack goes that nothing is known of."""


def _partition(region: Value) -> Value:
    if known_text(region) is not None:
        return partition_of_region(region)
    if isinstance(region, OneOf):
        return one_of(
            [Alternative(_partition(a.value), a.condition) for a in region.alternatives],
            region.span,
            region.via,
        )
    return Unknown(Reason.ENVIRONMENT, PARTITION, meaning=Meaning.CURRENT_PARTITION)


def pseudo(name: str, place: Place = ANYWHERE, span: Span | None = None) -> Value:
    """The value of a pseudo parameter, said to stand at ``span`` unless it is known from elsewhere."""
    if name == NO_VALUE:
        return Null("any", span)
    if name == REGION:
        return _here(place.region, span)
    if name == ACCOUNT:
        return _here(place.account, span)
    if name == PARTITION:
        return _here(place.partition, span)
    if name == URL_SUFFIX:
        return _suffix(place.partition, span)
    if name == STACK_NAME and place.stack_name is not None:
        return place.stack_name
    return Unknown(Reason.ENVIRONMENT, name, span)


def _here(value: Value, span: Span | None) -> Value:
    return value.at(span) if span is not None and isinstance(value, Unknown) else value


def _suffix(partition: Value, span: Span | None) -> Value:
    if isinstance(partition, OneOf):
        return one_of(
            [Alternative(_suffix(a.value, span), a.condition) for a in partition.alternatives],
            span,
            partition.via,
        )
    suffix = DNS_SUFFIX.get(known_text(partition) or "")
    if suffix is None:
        return Unknown(Reason.ENVIRONMENT, URL_SUFFIX, span)
    return Known(suffix, span, partition.via)


def reference(logical_id: str, span: Span | None = None) -> Unknown:
    """What ``Ref`` of a resource gives: its name, id or ARN, as its type has it."""
    return Unknown(Reason.COMPUTED, logical_id, span, meaning=Meaning.RESOURCE)


def attribute(logical_id: str, name: str, span: Span | None = None) -> Unknown:
    """What ``Fn::GetAtt`` of a resource gives."""
    return Unknown(Reason.COMPUTED, f"{logical_id}.{name}", span, meaning=Meaning.RESOURCE)


def parameter(name: str, span: Span | None = None) -> Unknown:
    """A parameter whose value whoever deploys the stack gives."""
    return Unknown(Reason.NO_VALUE, f"Parameters.{name}", span)


def imported(name: str, span: Span | None = None) -> Unknown:
    """What ``Fn::ImportValue`` gives: an export of another stack."""
    return Unknown(Reason.EXPORT, name, span)


def undeclared(name: str, span: Span | None = None) -> Unknown:
    """A reference to what the template does not declare."""
    return Unknown(Reason.UNDECLARED, name, span)


def choice(condition: str, yes: Value, no: Value, span: Span | None = None) -> Value:
    """What ``Fn::If`` gives where the condition is open: either side, each with its condition."""
    return one_of([Alternative(yes, condition), Alternative(no, f"not {condition}")], span)


def existing(value: Value) -> Value:
    """A property in which what a list holds under a condition counts as there.

    ``Fn::If`` with a value and ``AWS::NoValue`` in a list says whether there is an item, as the
    condition of a resource says whether there is a resource; the condition is in the evidence.
    """
    if isinstance(value, Many):
        items = tuple([existing(_present(item)) for item in value.items])
        if all(new is old for new, old in zip(items, value.items, strict=True)):
            return value
        found: Value = Many(items, value.span, value.via, complete=value.complete)
        return found.hidden() if value.marks & SECRET else found
    if isinstance(value, Mapping):
        entries = {name: existing(inner) for name, inner in value.entries.items()}
        if all(entries[name] is inner for name, inner in value.entries.items()):
            return value
        found = Mapping(
            entries, value.span, value.via, complete=value.complete, key_spans=value.key_spans
        )
        return found.hidden() if value.marks & SECRET else found
    return value


def _present(item: Value) -> Value:
    if not isinstance(item, OneOf):
        return item
    there = [a.value for a in item.alternatives if not _is_null(a.value)]
    if len(there) != 1 or len(item.alternatives) == 1:
        return item
    return under(there[0], item.via) if item.via else there[0]


def under(value: Value, via: tuple[Evidence, ...]) -> Value:
    """A value each part of which says what brought it: a finding may stand on any of them."""
    if isinstance(value, Many):
        items = tuple([under(item, via) for item in value.items])
        found: Value = Many(items, value.span, value.via + via, complete=value.complete)
    elif isinstance(value, Mapping):
        entries = {name: under(inner, via) for name, inner in value.entries.items()}
        found = Mapping(
            entries,
            value.span,
            value.via + via,
            complete=value.complete,
            key_spans=value.key_spans,
        )
    else:
        return value.through(*via)
    return found.hidden() if value.marks & SECRET else found


def _is_null(value: Value) -> bool:
    return isinstance(value, Known) and value.data is None


def distribute(value: Value, change: Callable[[Value], Value]) -> Value:
    """A function of one value, of each alternative where there are several."""
    if not isinstance(value, OneOf):
        return change(value)
    return one_of(
        [Alternative(change(a.value), a.condition) for a in value.alternatives],
        value.span,
        value.via,
    )
