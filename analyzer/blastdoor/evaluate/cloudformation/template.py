"""One template: its text read as YAML or JSON, and its sections.

Source: AWS CloudFormation User Guide, "Template anatomy" and "CloudFormation template format".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Mapping, Node, Scalar, Sequence
from blastdoor.parse.json import parse_json
from blastdoor.record import dataclass
from blastdoor.span import BYTE_ORDER_MARK, Document, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as AbstractSequence

    from blastdoor.parse.tree import Comment, SyntaxFault

Field = tuple[Scalar, Node]
"""A key with where it stands, and its value."""

SERVERLESS: Final = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
INCLUDE: Final = "AWS::Include"
_MODELLED: Final = frozenset(
    {SERVERLESS, LANGUAGE_EXTENSIONS, INCLUDE, "AWS::CodeDeployBlueGreen", "AWS::SecretsManager"}
)
"""Transforms that change nothing here, or what is done here too; by the name without its date."""
_BARE: Final = ("Ref", "Condition")
_FUNCTIONS: Final = (
    *("And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals"),
    *("FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length", "Not", "Or"),
    *("RefAll", "Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll"),
    "GetStackOutput",
)
SHORT_FORMS: Final = {
    **{f"!{name}": name for name in _BARE},
    **{f"!{name}": f"Fn::{name}" for name in _FUNCTIONS},
}
"""YAML's short form of each intrinsic function → its name."""
_SECTIONS: Final = (
    *("AWSTemplateFormatVersion", "Conditions", "Globals", "Hooks", "Mappings", "Metadata"),
    *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
)
_NO_FIELDS: Final[dict[str, Field]] = {}


@dataclass(slots=True, eq=False)
class Template:
    """A template that was read, before anything is evaluated."""

    document: Document
    root: Mapping
    sections: dict[str, dict[str, Field]]
    """Name of a section → its entries, the last one of a name."""
    transforms: tuple[str, ...]
    """Names of the macros that the template is sent through, the template's own declaration first."""
    transform_spans: dict[str, Span]
    opaque: tuple[str, ...] = ()
    """Logical ids of what stands for resources that are not here: modules of Rain's or the registry."""

    def section(self, name: str) -> dict[str, Field]:
        """The entries of a section; empty where there is none."""
        return self.sections.get(name, _NO_FIELDS)

    def span(self, node: Node) -> Span:
        """Where a node of it stands."""
        return Span(self.document, node.start, node.end)

    @property
    def serverless(self) -> bool:
        """Whether SAM makes the resources."""
        return SERVERLESS in self.transforms

    @property
    def foreign(self) -> tuple[str, ...]:
        """The macros whose work is not known: they may change or add anything."""
        return tuple(name for name in self.transforms if name.rsplit("-20", 1)[0] not in _FAMILIAR)


_FAMILIAR: Final = frozenset(name.rsplit("-20", 1)[0] for name in _MODELLED)


def fields(node: Node | None) -> dict[str, Field]:
    """The entries of a mapping by key, the last one of those with the same key."""
    if not isinstance(node, Mapping):
        return {}
    return {str(key.value): (key, value) for key, value in node.entries}


def text_of(node: Node | None) -> str | None:
    """The text of a scalar that is a string."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node.value
    return None


def plain(value: str | float) -> str:
    """A scalar as CloudFormation writes it out."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def read(document: Document) -> tuple[list[Node], list[Comment], list[SyntaxFault]]:
    """The documents of a YAML or JSON text, its comments that speak to blastdoor, and its faults.

    What begins with a brace is JSON; where that fails it may still be YAML, which has the braces too
    and allows comments and commas at the end.
    """
    text = document.text
    head = text[:4096].lstrip(BYTE_ORDER_MARK + " \t\r\n")
    wrong: list[SyntaxFault] = []
    if head.startswith("{"):
        node, wrong = parse_json(document)
        if node is not None:
            return [node], [], []
    from blastdoor.parse.yaml import parse_yaml

    parsed = parse_yaml(document, SHORT_FORMS)
    faults = parsed.faults
    if faults and wrong and (not parsed.roots or document.path.endswith(".json")):
        faults = wrong
    return parsed.roots, parsed.comments, faults


def _mappings(root: Node) -> Iterator[Mapping]:
    """Every mapping of a document once, however often an alias names it."""
    seen: set[int] = set()
    stack: list[Node] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Scalar) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            stack.extend(node.items)
            continue
        stack.extend([value for _key, value in node.entries])
        yield node


def included(root: Node) -> Iterator[str]:
    """The places that a template includes from, as far as they are written out."""
    for node in _mappings(root):
        for key, value in node.entries:
            if key.value == "Fn::Transform":
                given = fields(value).get("Parameters")
                place = None if given is None else fields(given[1]).get("Location")
                text = None if place is None else text_of(place[1])
                if text is not None:
                    yield text


def is_template(node: Node) -> bool:
    """Whether a document is a template: it says so, or it has resources with types."""
    if not isinstance(node, Mapping):
        return False
    sections = fields(node)
    if "Resources" not in sections:
        return "AWSTemplateFormatVersion" in sections
    if "AWSTemplateFormatVersion" in sections or "Transform" in sections:
        return True
    for name, (_key, body) in fields(sections["Resources"][1]).items():
        if name.startswith("Fn::ForEach"):
            return True
        type_ = fields(body).get("Type")
        if type_ is not None and ("::" in (text_of(type_[1]) or "") or not _is_scalar(type_[1])):
            return True
    return False


def _is_scalar(node: Node) -> bool:
    return isinstance(node, Scalar)


def make(document: Document, root: Mapping) -> Template:
    """A document as a template."""
    sections: dict[str, dict[str, Field]] = {}
    transforms: dict[str, Span] = {}
    for name, (_key, node) in fields(root).items():
        if name == "Transform":
            items = node.items if isinstance(node, Sequence) else [node]
            for item in items:
                said = text_of(item) or text_of(fields(item).get("Name", (None, None))[1])
                if said == INCLUDE and fields(item):
                    said = f"{INCLUDE} of the whole template"
                transforms.setdefault(said or "", Span(document, item.start, item.end))
        elif name in _SECTIONS:
            sections[name] = fields(node)
    opaque = tuple(
        name
        for name, (_key, body) in sections.get("Resources", _NO_FIELDS).items()
        if _is_opaque(name, body)
    )
    return Template(document, root, sections, tuple(transforms), transforms, opaque)


def _is_opaque(name: str, body: Node) -> bool:
    type_ = fields(body).get("Type")
    if type_ is None:
        return name == "Fn::Transform"
    return not _is_scalar(type_[1]) or (text_of(type_[1]) or "").endswith("::MODULE")


def failures_of(document: Document, faults: AbstractSequence[SyntaxFault]) -> Iterator[Failure]:
    """What could not be read of a document."""
    for fault in faults:
        yield Failure(FailureKind.SYNTAX, document.path, fault.message, fault.span)


def doubles(document: Document, root: Node) -> Iterator[Failure]:
    """The keys that stand twice in one mapping: CloudFormation takes the last without a word.

    So they are remarks: what counts is judged.
    """
    for node in _mappings(root):
        if len({key.value for key, _value in node.entries}) == len(node.entries):
            continue
        known: set[object] = set()
        for key, _value in node.entries:
            if key.value in known:
                message = f"the key {str(key.value)[:80]!r} stands twice here; the last one counts"
                span = Span(document, key.start, key.end)
                yield Failure(FailureKind.DUPLICATE, document.path, message, span)
            known.add(key.value)


def misshapen(template: Template) -> Iterator[Failure]:
    """What of a template cannot be read although its text is well formed."""
    document = template.document
    sections = fields(template.root)
    for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        if name not in sections:
            continue
        key, node = sections[name]
        if not isinstance(node, Mapping) and not _empty(node):
            message = f"the section {name} is no mapping: nothing in it is read"
            yield Failure(
                FailureKind.SYNTAX, document.path, message, Span(document, key.start, key.end)
            )
    for name, (key, node) in template.section("Resources").items():
        if not isinstance(node, Mapping) and not name.startswith("Fn::"):
            message = f"the resource {name[:80]} is no mapping: it is not read"
            yield Failure(
                FailureKind.SYNTAX, document.path, message, Span(document, key.start, key.end)
            )


def _empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value in (None, "")
