"""What would write the partition or the region of a thing in place of a literal one, as remedies.

Templates have pseudo parameters for both. A Terraform module asks a data source, the one that it has or
one that is added; a resource that says its region by a name is asked nothing: the name is taken. Source:
terraform-provider-aws, docs of the data sources aws_region and aws_partition ("name" is there in every
version, "region" since version 6); AWS CloudFormation User Guide, "Pseudo parameters reference".
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, Literal

from blastdoor.facts.reading import decided_by
from blastdoor.finding import Act, Remedy
from blastdoor.span import Span
from blastdoor.value import Step

if TYPE_CHECKING:
    from blastdoor.fact import Evaluated, Resource

    What = Literal["partition", "region"]

_NAME: Final = "current"
"""What a data source is called that is added."""
_OWN: Final = re.compile(r"(?:each|var|local)\.[A-Za-z0-9_]+")
"""A name that a resource may take its region from."""
_NEWER: Final = re.compile(r"data\.aws_region\.\w+\.region\b")


def within(span: Span, text: str, part: str) -> Span | None:
    """The place of ``part`` of ``text``, when a span holds that text just once."""
    written = span.text
    if written.count(text) != 1 or text.count(part) != 1:
        return None
    start = span.start + written.index(text) + text.index(part)
    return Span(span.document, start, start + len(part))


def derived(
    unit: Evaluated, resource: Resource, span: Span | None, what: What
) -> tuple[Remedy, ...]:
    """The remedies that write, at ``span`` within a string, what the notation has for the place.

    Empty where the text does not say what that is, or the literal is not written beside the resource.
    """
    if span is None or resource.request:
        return ()
    words = f"take the {what} from {decided_by(resource, what)}"
    if "::" in resource.type:
        return (Remedy(Act.DERIVE, span, words, what),)
    if (posixpath.dirname(span.path) or ".") != resource.module:
        return ()
    if what == "region":
        own = resource.get("region")
        if own is not None:
            said = [e.span.text for e in own.via if e.step is Step.ATTRIBUTE]
            name = next((text for text in said if _OWN.fullmatch(text)), None)
            if name is None:
                return ()
            return (Remedy(Act.DERIVE, span, f"take the region from {name}", what, name),)
    return _asked(unit, resource, span, what)


def _asked(unit: Evaluated, resource: Resource, span: Span, what: What) -> tuple[Remedy, ...]:
    """The same by a data source of the module."""
    type_ = f"aws_{what}"
    attribute: str = what
    if what == "region" and _NEWER.search(span.document.text) is None:
        attribute = "name"
    beside = [
        other
        for other in unit.resources
        if other.is_data and other.type == type_ and other.module == resource.module
    ]
    for other in beside:
        if other.provider is resource.provider and other.collection is None and not other.names():
            name = f"data.{type_}.{other.name}.{attribute}"
            words = f"take the {what} from data.{type_}.{other.name}"
            return (Remedy(Act.DERIVE, span, words, what, name),)
    selected = resource.provider if resource.selects_provider else None
    if (selected is not None and selected.alias) or any(other.name == _NAME for other in beside):
        return ()
    name = f"data.{type_}.{_NAME}.{attribute}"
    words = f"take the {what} from data.{type_}.{_NAME}"
    return (
        Remedy(Act.DERIVE, span, words, what, name),
        Remedy(Act.DECLARE, span, words, type_, _NAME),
    )
