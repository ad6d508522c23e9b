"""Resources of CloudFormation's types, from whatever language they are written in.

`make` turns a type, a logical id, properties and attributes into the `Resource` that extractors read.
A property is read by its name (``BucketName``). What stands beside ``Properties`` is read by the names
of `ATTRIBUTES`; ``Condition`` and ``Metadata``, which are properties of some types too, as
``Resource.Condition`` and ``Resource.Metadata``.

Source: AWS CloudFormation Template Reference, "Resource attribute reference".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.cloudformation.values import ANYWHERE, Place
from blastdoor.fact import Resource
from blastdoor.value import Known, Mapping, Value

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as AbstractMapping

    from blastdoor.span import Span

ATTRIBUTES: Final = (
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "UpdatePolicy",
    "UpdateReplacePolicy",
)
"""Attributes of a resource whose names no property of a resource has."""
QUALIFIED: Final = ("Condition", "Metadata")
"""Attributes that are read with ``Resource.`` before them."""


def make(  # noqa: PLR0913  a resource's parts, all but the first three by keyword
    type_: str,
    name: str,
    properties: Mapping | Callable[[], Value | None],
    *,
    span: Span,
    address: str = "",
    attributes: AbstractMapping[str, Value | Callable[[], Value | None]] | None = None,
    place: Place = ANYWHERE,
    module: str = "",
    label_span: Span | None = None,
    path: tuple[str, ...] = (),
    is_data: bool = False,
    written_type: str = "",
) -> Resource:
    """A resource of a CloudFormation type.

    ``name`` is the logical id, ``span`` the header (the logical id), ``module`` the path of the file
    that holds it. ``properties`` and each of ``attributes`` may be a function that gives the value:
    it is called when something first asks.
    """
    given = attributes or {}
    kept: dict[str, Value | None] = {}

    def whole() -> Mapping | None:
        if "" not in kept:
            kept[""] = properties if isinstance(properties, Value) else properties()
        found = kept[""]
        return found if isinstance(found, Mapping) else None

    def beside(attribute: str) -> Value | None:
        if attribute not in kept:
            found = given[attribute]
            kept[attribute] = found if isinstance(found, Value) else found()
        return kept[attribute]

    def get(attribute: str) -> Value | None:
        if attribute in ATTRIBUTES:
            value = beside(attribute) if attribute in given else None
        elif attribute.startswith("Resource."):
            short = attribute.removeprefix("Resource.")
            value = beside(short) if short in given and short in QUALIFIED else None
        else:
            mapping = whole()
            value = None if mapping is None else mapping.entries.get(attribute)
        return None if isinstance(value, Known) and value.data is None else value

    def names() -> tuple[str, ...]:
        mapping = whole()
        own = () if mapping is None else tuple(mapping.entries)
        return (*own, *(name for name in ATTRIBUTES if name in given))

    return Resource(
        type_,
        name,
        address or name,
        span,
        get,
        names,
        None,
        place.region,
        place.partition,
        place.account,
        is_data=is_data,
        module=module,
        label_span=label_span or span,
        path=path or (*(part for part in module.split("/") if part), name),
        written_type=written_type or type_,
        copies=place.copies,
    )
