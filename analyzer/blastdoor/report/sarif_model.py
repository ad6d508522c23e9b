"""The SARIF object model: the only importer of ``sarif_om``, and the serialiser for its objects.

``sarif_om`` has no types and no serialiser that keeps ``level: warning``: its companion drops what
equals a default, and a consumer then takes the rule's level instead. Here each class that the
report uses has one constructor with types, and `plain` writes an object as JSON data: absent
properties are left out, ``level`` and ``kind`` never.

Property names and defaults are those of SARIF 2.1.0 (OASIS standard, 27 March 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NewType, cast

import sarif_om

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from blastdoor.finding import Level

_om: Final[Any] = sarif_om
"""The library's classes take what they are given: the constructors below are its types."""

SCHEMA_URI: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SARIF_VERSION: Final = "2.1.0"
SOURCE_ROOT: Final = "%SRCROOT%"

Message = NewType("Message", object)
Region = NewType("Region", object)
Artifact = NewType("Artifact", object)
Spot = NewType("Spot", object)
Location = NewType("Location", object)
Descriptor = NewType("Descriptor", object)
Tool = NewType("Tool", object)
Result = NewType("Result", object)
Notification = NewType("Notification", object)
Invocation = NewType("Invocation", object)
Suppression = NewType("Suppression", object)
Provenance = NewType("Provenance", object)
Automation = NewType("Automation", object)
CodeFlow = NewType("CodeFlow", object)
FixModel = NewType("FixModel", object)

Json = Any
"""JSON data."""


def message(text: str) -> Message:
    """A plain-text message; ``[words](id)`` links to the related location of that id."""
    return Message(_om.Message(text=text))


def multiformat(text: str, markdown: str | None = None) -> object:
    """A text with an optional Markdown form."""
    return _om.MultiformatMessageString(text=text, markdown=markdown)


def region(start: tuple[int, int], end: tuple[int, int], snippet: str | None = None) -> Region:
    """A range from a line and column to the line and column just behind it."""
    return Region(
        _om.Region(
            start_line=start[0],
            start_column=start[1],
            end_line=end[0],
            end_column=end[1],
            snippet=None if snippet is None else _om.ArtifactContent(text=snippet),
        )
    )


def artifact(uri: str, *, relative: bool = True) -> Artifact:
    """A file by its URI, relative to the source root or absolute."""
    return Artifact(_om.ArtifactLocation(uri=uri, uri_base_id=SOURCE_ROOT if relative else None))


def spot(file: Artifact, where: Region | None = None, context: Region | None = None) -> Spot:
    """A range in a file with a wider range around it, or a file as a whole.

    It is JSON data already: one spot stands in several locations, and is walked once.
    """
    return Spot(
        plain(_om.PhysicalLocation(artifact_location=file, region=where, context_region=context))
    )


def location(
    place: Spot, *, words: Message | None = None, number: int | None = None, unit: str = ""
) -> Location:
    """A place, with what it says there and the unit it belongs to."""
    return Location(
        _om.Location(
            id=-1 if number is None else number,
            physical_location=place,
            logical_locations=(
                [_om.LogicalLocation(fully_qualified_name=unit, kind="resource")] if unit else None
            ),
            message=words,
        )
    )


def descriptor(  # noqa: PLR0913  a descriptor's properties
    slug: str,
    *,
    name: str,
    short: str,
    full: str,
    level: Level,
    help_text: str | None = None,
    help_markdown: str | None = None,
    help_uri: str | None = None,
    properties: Mapping[str, Json] | None = None,
) -> Descriptor:
    """A rule, or a kind of notification."""
    return Descriptor(
        _om.ReportingDescriptor(
            id=slug,
            name=name,
            short_description=multiformat(short),
            full_description=multiformat(full),
            help=None if help_text is None else multiformat(help_text, help_markdown),
            help_uri=help_uri,
            default_configuration=_om.ReportingConfiguration(level=level.word),
            properties=properties,
        )
    )


def tool(  # noqa: PLR0913  a driver's properties
    *,
    name: str,
    full_name: str,
    organization: str,
    version: str,
    semantic_version: str | None,
    information_uri: str,
    rules: Sequence[Descriptor],
    notifications: Sequence[Descriptor],
) -> Tool:
    """The tool with the rules and kinds of notification that the run speaks of."""
    driver = _om.ToolComponent(
        name=name,
        full_name=full_name,
        organization=organization,
        version=version,
        semantic_version=semantic_version,
        information_uri=information_uri,
        rules=list(rules),
        notifications=list(notifications) or None,
    )
    return Tool(_om.Tool(driver=driver))


def result(  # noqa: PLR0913  a result's properties
    *,
    rule: str,
    rule_index: int | None,
    level: Level,
    words: Message,
    place: Location,
    related: Sequence[Location],
    flow: CodeFlow | None,
    fingerprints: Mapping[str, str],
    rank: float,
    suppression: Suppression | None,
    properties: Mapping[str, Json],
    fixes: Sequence[FixModel] = (),
    baseline: str = "",
) -> Result:
    """One finding; ``baseline`` is its state against an earlier run, where there is one."""
    return Result(
        _om.Result(
            rule_id=rule,
            rule_index=-1 if rule_index is None else rule_index,
            level=level.word,
            kind="fail",
            message=words,
            locations=[place],
            related_locations=list(related) or None,
            code_flows=None if flow is None else [flow],
            partial_fingerprints=dict(fingerprints),
            rank=rank,
            suppressions=None if suppression is None else [suppression],
            fixes=list(fixes) or None,
            baseline_state=baseline or None,
            properties=dict(properties) or None,
        )
    )


def fix(
    words: str,
    changes: Iterable[tuple[Artifact, Sequence[tuple[Region, str]]]],
    properties: Mapping[str, Json],
) -> FixModel:
    """What would mend a result: per file, the ranges that go and the texts that come."""
    return FixModel(
        _om.Fix(
            description=_om.Message(text=words),
            artifact_changes=[
                _om.ArtifactChange(
                    artifact_location=file,
                    replacements=[
                        _om.Replacement(
                            deleted_region=where,
                            inserted_content=_om.ArtifactContent(text=text) if text else None,
                        )
                        for where, text in replacements
                    ],
                )
                for file, replacements in changes
            ],
            properties=dict(properties),
        )
    )


def code_flow(steps: Sequence[Location]) -> CodeFlow:
    """The way a value took, from its cause to its use."""
    return CodeFlow(
        _om.CodeFlow(
            thread_flows=[
                _om.ThreadFlow(locations=[_om.ThreadFlowLocation(location=step) for step in steps])
            ]
        )
    )


def suppression(
    justification: str, place: Location | None, *, in_source: bool, accepted: bool = True
) -> Suppression:
    """Why a result is silenced, and where that is written; ``accepted`` or still under review."""
    # data, not an object: sarif_om spells the property ``state``, as a draft of the standard did
    return Suppression(
        {
            "kind": "inSource" if in_source else "external",
            "status": "accepted" if accepted else "underReview",
            "justification": justification or None,
            "location": place,
        }
    )


def notification(
    kind: str,
    index: int,
    level: Level,
    words: Message,
    *,
    place: Location | None = None,
    rule: tuple[str, int | None] | None = None,
) -> Notification:
    """Something the tool has to say about its own run; ``rule`` is the id and index of a rule."""
    associated = None
    if rule is not None:
        slug, rule_index = rule
        associated = _om.ReportingDescriptorReference(
            id=slug, index=-1 if rule_index is None else rule_index
        )
    return Notification(
        _om.Notification(
            descriptor=_om.ReportingDescriptorReference(id=kind, index=index),
            associated_rule=associated,
            level=level.word,
            message=words,
            locations=None if place is None else [place],
        )
    )


def invocation(notifications: Sequence[Notification], *, successful: bool) -> Invocation:
    """The run of the tool."""
    return Invocation(
        _om.Invocation(
            execution_successful=successful,
            tool_execution_notifications=list(notifications) or None,
        )
    )


def provenance(repository: str, revision: str, branch: str) -> Provenance:
    """Which revision of which repository was analysed."""
    return Provenance(
        _om.VersionControlDetails(
            repository_uri=repository,
            revision_id=revision or None,
            branch=branch or None,
            mapped_to=_om.ArtifactLocation(uri_base_id=SOURCE_ROOT),
        )
    )


def automation(identifier: str) -> Automation:
    """What tells runs of one category from those of another."""
    return Automation(_om.RunAutomationDetails(id=identifier))


def source_root(uri: str | None) -> dict[str, object]:
    """``originalUriBaseIds``: what relative URIs are relative to."""
    description = _om.Message(text="The root of the repository.")
    return {SOURCE_ROOT: _om.ArtifactLocation(uri=uri, description=description)}


_ALWAYS: Final = frozenset({"level", "kind"})
_LEAVES: Final = frozenset({str, int, float, bool, type(None)})

_Fields = tuple[tuple[str, str, object, bool], ...]
_FIELDS: dict[type, _Fields] = {}
"""Per class of the model: attribute, property name, default, and whether it is always written."""


def _fields(kind: type) -> _Fields:
    fields = _FIELDS.get(kind)
    if fields is None:
        # attrs keeps the property's name in the schema beside each attribute
        fields = _FIELDS[kind] = tuple(
            (
                attribute.name,
                attribute.metadata["schema_property_name"],
                _default(attribute.default),
                attribute.metadata["schema_property_name"] in _ALWAYS,
            )
            for attribute in kind.__attrs_attrs__  # type: ignore[attr-defined]
        )
    return fields


def _default(default: Any) -> object:
    """The value that a property has when it is absent; collections come from factories."""
    factory = getattr(default, "factory", None)
    if factory is not None:
        return factory()
    return default if isinstance(default, str | int | float) else None


def plain(value: object) -> Json:
    """An object of the model, or a collection of them, as JSON data."""
    kind = type(value)
    if kind in _LEAVES:
        return value
    if kind is list or kind is tuple:
        return [plain(item) for item in cast("Iterable[object]", value)]
    if kind is dict:
        items = cast("dict[str, object]", value).items()
        return {name: plain(item) for name, item in items if item is not None}
    data = {}
    held = vars(value)
    for attribute, name, default, always in _fields(kind):
        item = held[attribute]
        if item is not None and (always or item != default):
            data[name] = item if type(item) in _LEAVES else plain(item)
    return data
