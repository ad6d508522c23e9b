"""String literals that name a region or partition within something whose own region is known.

Reading every argument of every resource would cost more than all other extraction together, so only
those resources are read whole in which such a literal can matter: a partition other than ``aws`` is in
play, one block ends in several regions or takes what it needs from a table by region, or its name says
a region; and, where the repository speaks of several regions or
partitions, those whose place is open and in whose file an ARN or address stands; somebody who asks
for all that can be found gets all of these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.cloudformation import resource as lowered
from blastdoor.evaluate.cloudformation.values import Place
from blastdoor.evaluate.jsontext import decode
from blastdoor.fact import LiteralText, Resource
from blastdoor.facts.copies import regions_of
from blastdoor.facts.reading import HOLE, place, rests_on_default, text_of
from blastdoor.reach import partition_of
from blastdoor.value import (
    Encoded,
    Known,
    Many,
    Mapping,
    OneOf,
    Piece,
    Step,
    Text,
    Unknown,
    Value,
    known_text,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Evaluated
    from blastdoor.span import Document

_REGION: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:us|eu|ap|sa|ca|me|af|il|mx|cn|eusc)-[a-z]{1,6}(?:-[a-z]{1,12})?-\d{1,2}"
    r"(?![0-9])(?=([a-z])?)"
)
"""An id of a region, and the letter behind it where it is a zone."""
_ARN: Final = re.compile(r"(?<![A-Za-z0-9])arn:(aws[a-z-]{0,12}):[a-z0-9-]{0,40}:")
_SUFFIX: Final = re.compile(r"\.(amazonaws\.com(?:\.cn)?|amazonaws\.eu)(?![A-Za-z0-9.-])")
_PARTITION_OF_SUFFIX: Final = {
    "amazonaws.com": "aws",
    "amazonaws.com.cn": "aws-cn",
    "amazonaws.eu": "aws-eusc",
}
_SERVICE_NAME: Final = re.compile(r"com\.amazonaws\.(?:vpce\.)?[a-z-]{5,16}-\d\.[a-z0-9.-]{1,80}\Z")
"""The name of an endpoint service, as in ``com.amazonaws.eu-west-1.s3``."""
_PRINCIPALS: Final = frozenset(
    {"Principal", "Service", "service", "identifiers", "principal", "principals"}
)
"""Arguments that name who may act."""
_NAME_ARGUMENTS: Final = (
    *("name", "bucket", "identifier", "cluster_identifier", "function_name"),
    *("Name", "AlarmName", "BucketName", "ClusterIdentifier", "ClusterName", "DBClusterIdentifier"),
    *("DBInstanceIdentifier", "FunctionName", "LogGroupName", "QueueName", "RepositoryName"),
    *("StateMachineName", "StreamName", "TableName", "TopicName"),
)
"""Arguments that are the name which people and other programs know a resource by."""
_ZONE: Final = re.compile(r"^[a-z]{2,4}(?:-[a-z]+)+-\d[a-z]$")


def literals(unit: Evaluated, *, thorough: bool = False) -> Iterator[LiteralText]:
    """The literals of the resources in which a foreign region or partition would matter.

    ``thorough`` adds those of every resource beside which an ARN or address stands.
    """
    looks = _Looks()
    words = ["arn:aws:"] if thorough or unit.context.foreign else []
    words += ["amazonaws."] if thorough or unit.context.several_regions else []

    def undecided(resource: Resource) -> bool:
        """Whether the code leaves it open where the resource is, by more than a default."""
        return known_text(resource.region) is None or rests_on_default(resource.region)

    groups: dict[tuple[str, int], list[Resource]] = defaultdict(list)
    for resource in unit.resources:
        if tables.is_aws(resource.type):
            groups[resource.span.path, resource.span.start].append(resource)
    tabled = {table.module for table in unit.region_tables}
    for members in groups.values():
        several = len(regions_of(members)) > 1 or members[0].module in tabled
        for number, resource in enumerate(members):
            partition = known_text(resource.partition)
            foreign = partition is not None and partition != "aws"
            if (
                foreign
                or looks.hold(resource.span.document, "arn:aws-", "amazonaws.com.cn")
                or (several and number == 0)
                or (
                    (thorough or (bool(words) and undecided(resource)))
                    and looks.hold(resource.span.document, *words)
                )
                or (
                    resource.provider is None
                    and looks.hold(resource.span.document, "arn:aws")
                    and any(named_regions(resource))
                )
            ):
                yield from _of(resource)
    yield from _of_calls(unit, looks, words)


def named_regions(resource: Resource) -> Iterator[tuple[str, Value, str]]:
    """(argument, value, region) of each literal name that holds the id of exactly one region."""
    own = frozenset(resource.names())
    for argument in _NAME_ARGUMENTS:
        value = resource.get(argument) if argument in own else None
        text = known_text(value)
        if value is None or text is None:
            continue
        found = {m.group() for m in _REGION.finditer(text.lower()) if not m[1]}
        named = found & tables.partitions().regions.keys()
        if len(named) == 1:
            yield argument, value, named.pop()


def _of_calls(unit: Evaluated, looks: _Looks, words: list[str]) -> Iterator[LiteralText]:
    """The literals among the arguments of calls.

    Of those that go to a partition other than the usual one, to several regions in turn, or, where that
    matters, to a region that something else decides.
    """
    for client in unit.clients:
        if client.endpoint is not None and words:
            resource = lowered.make(
                f"{client.service} client",
                client.service,
                Mapping({"endpoint_url": client.endpoint}, client.span),
                span=client.span,
                address=f"a client of {client.service}",
                place=Place(region=client.region),
                module=unit.address,
            )
            resource.request = True
            yield from _of(resource)
    groups: dict[tuple[str, int], list[Resource]] = defaultdict(list)
    for call in unit.calls:
        for region in turns(call.client.region) if call.arguments else ():
            resource = lowered.make(
                call.name,
                call.name,
                Mapping(call.arguments, call.span),
                span=call.name_span,
                address=call.name,
                place=Place(region=region),
                module=unit.address,
            )
            resource.request = True
            groups[call.name_span.path, call.name_span.start].append(resource)
    for members in groups.values():
        several = len(regions_of(members)) > 1
        for resource in members:
            partition = known_text(resource.partition)
            if partition is None:
                wanted = bool(words) and looks.hold(resource.span.document, *words)
            else:
                wanted = partition != "aws" or looks.hold(resource.span.document, "arn:aws-")
            if wanted or several:
                yield from _of(resource)


class _Looks:
    """Which documents hold some words: each is looked at once."""

    def __init__(self) -> None:
        self._found: dict[tuple[Document, str], bool] = {}

    def hold(self, document: Document, *words: str) -> bool:
        """Whether a document holds one of some words."""
        for word in words:
            found = self._found.get((document, word))
            if found is None:
                found = self._found[document, word] = word in document.text
            if found:
                return True
        return False


def _of(resource: Resource) -> Iterator[LiteralText]:
    for name in resource.names():
        value = resource.get(name)
        if value is not None:
            yield from _within(resource, name, value)


def _within(resource: Resource, attribute: str, value: Value) -> Iterator[LiteralText]:
    stack: list[tuple[Value, str]] = [(value, attribute)]
    while stack:
        current, path = stack.pop()
        if isinstance(current, Many):
            stack.extend((item, path) for item in reversed(current.items))
        elif isinstance(current, Mapping):
            stack.extend(
                (item, f"{path}.{name}") for name, item in reversed(current.entries.items())
            )
        elif isinstance(current, Encoded):
            stack.append((current.inner, path))
        elif isinstance(current, (Known, Text)):
            document = decode(current)
            if document is not None:
                stack.append((document, path))
            else:
                yield from _literal(resource, path, current)
        elif isinstance(current, (OneOf, Unknown)):
            continue


def _literal(resource: Resource, path: str, value: Known | Text) -> Iterator[LiteralText]:
    text = text_of(value)
    if not text or len(text) > 20_000:  # noqa: PLR2004  scripts are no references
        return
    span = value.span
    if span is None:
        return
    steps = {evidence.step for evidence in value.via}
    computed = Step.DATA in steps
    own = HOLE if computed else _own_text(value)
    prose = any(blank in text for blank in " \n\t")
    arn = None if prose else _ARN.search(text)
    suffix = None if prose else _SUFFIX.search(text)
    regions = tuple(
        dict.fromkeys(
            m.group() for m in _REGION.finditer(own) if m.group() in tables.partitions().regions
        )
    )
    if arn is None and suffix is None and not regions:
        return
    last = path.rsplit(".", 1)[-1]
    if ".Condition." in f".{path}." or ".condition." in f".{path}.":
        return
    role: str
    partition: str | None = None
    if arn is not None:
        role, partition = "arn", arn.group(1)
    elif suffix is not None:
        if last in _PRINCIPALS or _is_service(own, regions):
            role = "service-principal"
        else:
            role = "endpoint"
            partition = _PARTITION_OF_SUFFIX.get(suffix.group(1))
    elif regions and _SERVICE_NAME.match(text):
        role = "endpoint"
    elif _ZONE.match(text):
        role = "zone"
    else:
        role = "region"
    if regions and partition is None and role in ("region", "zone"):
        partition = partition_of(regions[0])
    yield LiteralText(
        text,
        place(value, span) or span,
        resource,
        path,
        regions,
        partition,
        role,  # type: ignore[arg-type]  # one of the roles
        given=Step.VARIABLES_FILE in steps,
        said=arn is None or _says(value, arn.start(1), f"arn:{partition}"),
    )


def _says(value: Known | Text, at: int, words: str) -> bool:
    """Whether the source of a text itself holds what the text says at an offset."""
    for part in value.pieces if isinstance(value, Known) else value.parts:
        length = len(part.text) if isinstance(part, Piece) else len(HOLE)
        if isinstance(part, Piece) and at < length:
            return part.exact or words in part.document.text[part.start : part.end]
        at -= length
    return True


def _is_service(text: str, regions: tuple[str, ...]) -> bool:
    """``ec2.amazonaws.com``: one name before the suffix and no region is a service principal."""
    return not regions and text.count(".") <= 3 and "/" not in text and " " not in text  # noqa: PLR2004


def _own_text(value: Known | Text) -> str:
    """The text as it is written there: what interpolations put into it stands as a hole."""
    parts = value.pieces if isinstance(value, Known) else value.parts
    span = value.span
    if not parts or span is None:
        # A text without pieces was computed; it counts as written only where it stands.
        text = str(value.data) if isinstance(value, Known) else HOLE
        return text if span is None or text in span.text else HOLE
    return "".join(
        part.text
        if isinstance(part, Piece)
        and part.exact
        and part.document is span.document
        and span.start <= part.start
        and part.end <= span.end
        else HOLE
        for part in parts
    )
