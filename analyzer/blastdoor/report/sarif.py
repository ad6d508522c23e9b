"""SARIF 2.1.0 for code scanning: one run, streamed result by result.

The bar is no error and no warning from sarif-multitool with the rule kinds ``Sarif;Ghas``; limits
and what is used come from GitHub's documentation, "SARIF support for code scanning":

- at most 25,000 results a run: the most severe stay, and a notification says how many went;
- every region has both lines and both columns, columns count code points;
- URIs are relative to the repository, whatever the working directory;
- ``security-severity`` and the tag ``security`` stand only on rules that are about access: they
  turn a result into a security alert; the others have ``problem.severity``;
- ``automationDetails.id`` only when a category is given: it would defeat the upload action's own;
- suppressed results are left out unless asked for: GitHub shows them as open alerts;
- related locations are shown by GitHub only where the message links to them, so it does.

What cannot be analysed is a tool notification, never silence.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from blastdoor.finding import FailureKind, Level
from blastdoor.fixes import fix_of
from blastdoor.report import sarif_model as model
from blastdoor.report.escape import sanitise, sanitise_lines
from blastdoor.report.linehash import line_hashes
from blastdoor.report.provenance import provenance_json
from blastdoor.report.redact import legible, quoted_parts
from blastdoor.report.summary import summarise
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TextIO

    from blastdoor.beside import PeerFinding, PeerRun
    from blastdoor.fact import Language
    from blastdoor.finding import Failure, Finding, Report
    from blastdoor.report.views import RuleView
    from blastdoor.span import Document, Span

MAX_RESULTS: Final = 25_000
"""GitHub refuses a file with more results in a run."""
MAX_DESCRIPTION: Final = 1024
"""GitHub's limit for short and full descriptions."""
MAX_TAGS: Final = 10
"""Tags of a rule that GitHub shows."""
MAX_RELATED: Final = 100
"""Related locations written for one result; GitHub shows as many."""
MAX_LINKS: Final = 5
"""Related locations that a message links to."""
MAX_SNIPPET: Final = 400
"""Code points of a source line or range that is quoted."""

REPOSITORY: Final = "https://github.com/blastdoor/blastdoor"

SECURITY_FAMILIES: Final = frozenset({"grant", "network"})
_SEVERITY: Final = {Level.ERROR: "8.0", Level.WARNING: "5.5", Level.NOTE: "2.0"}
_PROBLEM: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}
_RANK: Final = {Level.ERROR: 80.0, Level.WARNING: 50.0, Level.NOTE: 20.0}
_CERTAINTY: Final = {"very-high": 15.0, "high": 10.0, "medium": 5.0, "low": 0.0}
_OMITTED: Final = "omitted"

_NOTIFICATIONS: Final = {
    FailureKind.SYNTAX.value: "A file does not parse.",
    FailureKind.LIMIT.value: "Something is beyond a limit of the analysis.",
    FailureKind.UNREADABLE.value: "A file cannot be read.",
    FailureKind.TIMEOUT.value: "The analysis took too long.",
    FailureKind.INTERNAL.value: "A rule failed.",
    FailureKind.CONFIGURATION.value: "The configuration cannot be used.",
    FailureKind.SUPPRESSION.value: "An ignore comment cannot be used.",
    FailureKind.INCOMPLETE.value: "A file says that a part of it is missing.",
    FailureKind.DUPLICATE.value: "Something is written twice, and one of the two counts.",
    FailureKind.PEER.value: "A tool that runs beside could not do its part.",
    _OMITTED: "There are more results than a run may hold.",
}

_MILD: Final = frozenset(
    {
        _OMITTED,
        FailureKind.SUPPRESSION.value,
        FailureKind.DUPLICATE.value,
        FailureKind.PEER.value,
    }
)
"""Kinds of notification that keep no run from being a success."""
_PEERS: Final = {"Checkov": "https://www.checkov.io"}
"""Where other tools live."""
_LANGUAGES: Final[Mapping[str, Language]] = {
    "py": "python",
    "pyi": "python",
    "yaml": "cloudformation",
    "yml": "cloudformation",
    "json": "cloudformation",
    "template": "cloudformation",
}


@dataclass(frozen=True, slots=True)
class Revision:
    """What version control says of the analysed files."""

    repository: str
    """URI of the repository."""
    commit: str = ""
    branch: str = ""


def semantic_version(version: str) -> str | None:
    """A Python version (PEP 440) as a semantic version; ``None`` where it has no counterpart."""
    match = re.fullmatch(
        r"(\d+)\.(\d+)(?:\.(\d+))?(?:(a|b|rc)(\d+))?(?:\.dev(\d+))?(?:\+([0-9A-Za-z.]+))?", version
    )
    if match is None:
        return None
    major, minor, patch, stage, number, dev, local = match.groups()
    before = []
    if stage:
        before.append({"a": "alpha", "b": "beta", "rc": "rc"}[stage] + f".{int(number)}")
    if dev:
        before.append(f"dev.{int(dev)}")
    text = f"{int(major)}.{int(minor)}.{int(patch or 0)}"
    return text + (f"-{'.'.join(before)}" if before else "") + (f"+{local}" if local else "")


def pascal(slug: str) -> str:
    """A slug in the spelling of SARIF rule names: ``EveryRegionTarget``.

    A name must differ from the id in more than case.
    """
    name = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^0-9A-Za-z]+", slug))
    return name if name.lower() != slug.lower() else name + "Rule"


def language_of(path: str) -> Language:
    """The language of a file's example in a rule's help, by its name."""
    if path.endswith(".tf.json"):
        return "terraform"
    return _LANGUAGES.get(path.rpartition(".")[2].lower(), "terraform")


def uri_of(path: str) -> tuple[str, bool]:
    """The percent-encoded URI of a path, and whether it is relative to the source root."""
    if path.startswith("/") or re.match(r"[A-Za-z]:/", path):
        return "file:///" + quote(_octets(path.lstrip("/")), safe="/:~"), False
    return quote(_octets(path), safe="/~"), True


def _octets(path: str) -> bytes:
    """A path as bytes; surrogates that stand for undecodable bytes become them (PEP 383)."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


def _escaped(text: str) -> str:
    """Text whose brackets are no links (SARIF 2.1.0, 3.11.6)."""
    return re.sub(r"([\\\[\]])", r"\\\1", text)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."


def _capital(text: str) -> str:
    """A sentence's first letter, unless the sentence begins with an address or another name."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


def _shortened(text: str, limit: int = MAX_DESCRIPTION) -> str:
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(".,;: ") + "…"


def plain_text(markdown: str) -> str:
    """Markdown prose without its marks."""
    text = re.sub(r"^```[^\n]*\n?", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\[\]\n]*)\]\([^()\s]*\)", r"\1", text)
    text = re.sub(r"^#{1,6} +", "", text, flags=re.MULTILINE)
    return re.sub(r"\*\*([^*\n]+)\*\*", r"\1", text).strip()


def _paragraph(markdown: str) -> str:
    return " ".join(plain_text(markdown.strip().split("\n\n", 1)[0]).split())


def describe_rule(rule: RuleView, language: Language, version: str) -> model.Descriptor:
    """A rule's metadata."""
    security = rule.family in SECURITY_FAMILIES
    tags = [rule.family, *rule.axes, *rule.tags]
    if security:
        tags.insert(0, "security")
    else:
        tags = [tag for tag in tags if tag != "security"]
    properties: dict[str, Any] = {
        "tags": list(dict.fromkeys(tags))[:MAX_TAGS],
        "precision": rule.confidence,
        "code": rule.code,
    }
    if security:
        properties["security-severity"] = _SEVERITY[rule.level]
    else:
        properties["problem.severity"] = _PROBLEM[rule.level]
    title = _shortened(_sentence(legible(rule.title)))
    explained = plain_text(f"{rule.why.strip()}\n\n{rule.fix_text.strip()}")
    ours = rule.path.startswith("rules/")
    return model.descriptor(
        rule.id,
        name=pascal(rule.id),
        short=title,
        full=_shortened(_sentence(sanitise(_paragraph(rule.why) or title))),
        level=rule.level,
        help_text=sanitise_lines(explained) or title,
        help_markdown=sanitise_lines(rule.help(language)) or None,
        help_uri=f"{REPOSITORY}/blob/v{quote(version)}/{quote(rule.path)}" if ours else None,
        properties=properties,
    )


def _undescribed(slug: str) -> model.Descriptor:
    """Metadata for a finding whose rule is not among the given ones."""
    title = _sentence(slug)
    return model.descriptor(
        slug, name=pascal(slug), short=title, full=title, level=Level.WARNING, help_text=title
    )


class _Places:
    """Locations of spans, with what they quote of the source."""

    __slots__ = ("_artifacts", "snippets")

    def __init__(self, *, snippets: bool) -> None:
        self.snippets = snippets
        self._artifacts: dict[str, model.Artifact] = {}

    def artifact(self, path: str) -> model.Artifact:
        """The file of a path."""
        known = self._artifacts.get(path)
        if known is None:
            uri, relative = uri_of(path)
            known = self._artifacts[path] = model.artifact(uri, relative=relative)
        return known

    def spot(self, span: Span) -> model.Spot:
        """The place of a span, with the line around it."""
        return model.spot(self.artifact(span.path), *self._regions(span))

    def step(self, span: Span) -> model.Spot:
        """The place of a span, without the line around it."""
        return model.spot(self.artifact(span.path), self._regions(span)[0])

    def file(self, path: str) -> model.Spot:
        """A file as a whole."""
        return model.spot(self.artifact(path))

    def _regions(self, span: Span) -> tuple[model.Region, model.Region | None]:
        """The range of a span and, where it is short, the line around it."""
        begin, finish = span.begin, span.finish
        if not self.snippets or finish.line != begin.line:
            return model.region(begin, finish), None
        document = span.document
        low, high = document.line_range(begin.line)
        if high - low > MAX_SNIPPET:
            return model.region(begin, finish), None
        before, inside, behind = quoted_parts(document, low, high, span.start, span.end)
        context = None
        if before or behind:
            context = model.region(
                (begin.line, 1),
                (begin.line, high - low + 1),
                sanitise(before + inside + behind),
            )
        return model.region(begin, finish, sanitise(inside)), context


def _mention(text: str, place: str) -> int:
    """Where a text names a place, as a word of its own and not as a link; -1 where it does not."""
    at = text.find(place)
    while at >= 0:
        before = text[at - 1] if at else " "
        behind = text[at + len(place) : at + len(place) + 1] or " "
        if not (before.isalnum() or before in "_/.[-" or behind.isalnum() or behind in "_:]"):
            break
        at = text.find(place, at + 1)
    return at


def _linked_message(finding: Finding) -> str:
    """The message with what contains it, and links to the related locations."""
    text = _escaped(_sentence(legible(finding.message)))
    links = []
    for number, related in enumerate(finding.related[:MAX_LINKS], 1):
        place = _escaped(sanitise(str(related.span)))
        for named in dict.fromkeys((place, place.rpartition("/")[2])):
            at = _mention(text, named)
            if at >= 0:
                text = f"{text[:at]}[{named}]({number}){text[at + len(named) :]}"
                break
        else:
            links.append(f"[{place}]({number})")
    if finding.contain:
        text += f" To contain it: {_escaped(_sentence(legible(finding.contain)))}"
    if links:
        text += f" See {', '.join(links)}."
    return text


class _Writer:
    """Builds the results of one run."""

    __slots__ = ("_hashes", "_indices", "_places", "_rules")

    def __init__(
        self,
        findings: Sequence[Finding],
        rules: Mapping[str, RuleView],
        indices: Mapping[str, int],
        places: _Places,
    ) -> None:
        self._rules = rules
        self._indices = indices
        self._places = places
        wanted: dict[int, tuple[Document, set[int]]] = {}
        for finding in findings:
            document = finding.span.document
            wanted.setdefault(id(document), (document, set()))[1].add(finding.span.begin.line)
        self._hashes = {
            key: line_hashes(document.text, lines) for key, (document, lines) in wanted.items()
        }

    def result(self, finding: Finding) -> model.Result:
        """One result."""
        places = self._places
        span = finding.span
        rule = self._rules.get(finding.rule)
        words = _linked_message(finding)
        spot = places.spot(span)
        steps = [
            (places.step(place.span), model.message(_capital(_escaped(legible(place.message)))))
            for place in finding.related[:MAX_RELATED]
        ]
        flow = None
        if len(steps) > 1:
            use = model.message(_escaped(_sentence(legible(finding.message))))
            flow = model.code_flow(
                [model.location(place, words=said) for place, said in [*steps, (spot, use)]]
            )
        fingerprints = {}
        line_hash = self._hashes[id(span.document)].get(span.begin.line)
        if line_hash is not None:
            fingerprints["primaryLocationLineHash"] = line_hash
        if finding.fingerprint:
            fingerprints["blastdoor/v1"] = finding.fingerprint
        return model.result(
            rule=finding.rule,
            rule_index=self._indices[finding.rule],
            level=finding.level,
            words=model.message(words),
            place=model.location(spot, unit=sanitise(finding.unit)),
            related=[
                model.location(place, words=said, number=number)
                for number, (place, said) in enumerate(steps, 1)
            ],
            flow=flow,
            fingerprints=fingerprints,
            rank=_rank(finding, rule),
            suppression=self._suppression(finding),
            properties=_properties(finding),
            fixes=self._fixes(finding, rule),
            baseline=finding.baseline,
        )

    def _fixes(self, finding: Finding, rule: RuleView | None) -> list[model.FixModel]:
        found = None if rule is None else fix_of(finding, rule.fix)
        if found is None:
            return []
        changes: dict[str, list[tuple[model.Region, str]]] = {}
        for edit in found.edits:
            where = model.region(edit.span.begin, edit.span.finish)
            changes.setdefault(edit.span.path, []).append((where, edit.text))
        files = [(self._places.artifact(path), texts) for path, texts in changes.items()]
        words = _capital(_escaped(_sentence(legible(found.title))))
        return [model.fix(words, files, {"safe": found.safe})]

    def _suppression(self, finding: Finding) -> model.Suppression | None:
        why = finding.suppression
        if why is None:
            return None
        place = None if why.span is None else model.location(self._places.spot(why.span))
        return model.suppression(
            legible(why.reason), place, in_source=why.span is not None, accepted=why.accepted
        )


def _rank(finding: Finding, rule: RuleView | None) -> float:
    """Priority of 0 to 100: the level decides, then how sure the rule is."""
    return _RANK[finding.level] + _CERTAINTY.get(rule.confidence if rule else "", 0.0)


def _properties(finding: Finding) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if finding.before or finding.after:
        properties["before"] = legible(finding.before)
        properties["after"] = legible(finding.after)
    if finding.axis:
        properties["axis"] = finding.axis
    if finding.attribute:
        properties["attribute"] = sanitise(finding.attribute)
    if finding.provenance:
        properties["provenance"] = provenance_json(finding, legible)
    if finding.evidence:
        properties["evidence"] = [legible(words) for words in finding.evidence]
    if finding.reach is not None:
        properties["reach"] = finding.reach.to_json()
    return properties


def _most_severe(findings: list[Finding], rules: Mapping[str, RuleView]) -> list[Finding]:
    """As many findings as a run may hold, the most severe, in the order they came."""
    if len(findings) <= MAX_RESULTS:
        return findings
    weight = [
        (finding.suppression is not None, -_rank(finding, rules.get(finding.rule)))
        for finding in findings
    ]
    kept = sorted(range(len(findings)), key=weight.__getitem__)[:MAX_RESULTS]
    return [findings[at] for at in sorted(kept)]


def _notifications(
    failures: Sequence[Failure],
    omitted: int,
    kinds: Mapping[str, int],
    indices: Mapping[str, int],
    places: _Places,
    *,
    allow_failures: bool,
) -> list[model.Notification]:
    notes = []
    for failure in failures:
        level = Level.ERROR if failure.fatal else Level.WARNING
        place = None
        if failure.span is not None:
            place = model.location(places.spot(failure.span))
        elif failure.path:
            place = model.location(places.file(failure.path))
        rule = None if failure.rule is None else (failure.rule, indices.get(failure.rule))
        notes.append(
            model.notification(
                failure.kind.value,
                kinds[failure.kind.value],
                Level.NOTE if allow_failures else level,
                model.message(_escaped(_sentence(legible(failure.message)))),
                place=place,
                rule=rule,
            )
        )
    if omitted:
        words = (
            f"{omitted} results of less weight were left out: a run may hold {MAX_RESULTS} results."
        )
        notes.append(
            model.notification(_OMITTED, kinds[_OMITTED], Level.WARNING, model.message(words))
        )
    return notes


def _figures(report: Report) -> dict[str, Any]:
    """What the run's property bag says of the analysis as a whole."""
    summary = summarise(report)
    return {
        "units": summary.units,
        "files": summary.files,
        "resources": summary.resources,
        "suppressed": summary.suppressed,
        "baselined": summary.baselined,
        "skipped": dict(summary.skipped),
        "coverage": {
            kind.kind: {
                "resolved": kind.resolved,
                "unresolved": kind.unresolved,
                "undecidable": kind.undecidable,
            }
            for kind in summary.coverage
        },
    }


def write_sarif(  # noqa: PLR0913  what the command line decides
    stream: TextIO,
    report: Report,
    rules: Iterable[RuleView],
    *,
    version: str,
    root: str | None = None,
    category: str | None = None,
    include_suppressed: bool = False,
    snippets: bool = True,
    allow_failures: bool = False,
    revision: Revision | None = None,
    beside: Sequence[PeerRun] = (),
) -> None:
    """Effect: writes one SARIF log to a text stream: one run, and one of each tool beside.

    ``root`` is an absolute path to name as the source root; without it the log holds no path of the
    machine. ``snippets`` quotes short source lines, secrets masked. ``allow_failures`` writes
    failures as notes of a successful run.
    """
    known = by_id(rules)
    findings = list(report.findings)
    if include_suppressed:
        findings += report.suppressed
        findings.sort(
            key=lambda f: (f.span.path, f.span.start, f.span.end, f.rule, f.unit, f.message)
        )
    kept = _most_severe(findings, known)
    omitted = len(findings) - len(kept)

    places = _Places(snippets=snippets)
    first_path: dict[str, str] = {}
    for finding in kept:
        first_path.setdefault(finding.rule, finding.span.path)
    used = sorted(first_path)
    indices = {slug: index for index, slug in enumerate(used)}
    kinds = sorted({failure.kind.value for failure in report.failures})
    if omitted:
        kinds.append(_OMITTED)
    kind_indices = {kind: index for index, kind in enumerate(kinds)}
    driver = model.tool(
        name="blastdoor",
        full_name=f"blastdoor {version}",
        organization="blastdoor",
        version=version,
        semantic_version=semantic_version(version),
        information_uri=REPOSITORY,
        rules=[
            describe_rule(known[slug], language_of(first_path[slug]), version)
            if slug in known
            else _undescribed(slug)
            for slug in used
        ],
        notifications=[
            model.descriptor(
                kind,
                name=f"{pascal(kind).removesuffix('Rule')}Failure",
                short=_NOTIFICATIONS[kind],
                full=_NOTIFICATIONS[kind],
                help_text=_NOTIFICATIONS[kind],
                level=Level.WARNING if kind in _MILD else Level.ERROR,
            )
            for kind in kinds
        ],
    )
    notes = _notifications(
        report.failures, omitted, kind_indices, indices, places, allow_failures=allow_failures
    )
    fatal = any(failure.fatal for failure in report.failures)
    head: dict[str, object] = {
        "tool": driver,
        "invocations": [model.invocation(notes, successful=allow_failures or not fatal)],
        "automationDetails": model.automation(category) if category else None,
        "versionControlProvenance": (
            None
            if revision is None
            else [model.provenance(revision.repository, revision.commit, revision.branch)]
        ),
        "originalUriBaseIds": model.source_root(_root_uri(root)),
        "columnKind": "unicodeCodePoints",
        "properties": _figures(report),
    }
    encode = json.JSONEncoder(separators=(",", ":")).encode
    stream.write(f'{{"$schema":"{model.SCHEMA_URI}","version":"{model.SARIF_VERSION}","runs":[')
    stream.write(encode(model.plain(head))[:-1])
    stream.write(',"results":[')
    writer = _Writer(kept, known, indices, places)
    separator = "\n"
    for finding in kept:
        stream.write(separator + encode(model.plain(writer.result(finding))))
        separator = ",\n"
    stream.write("\n]}" if kept else "]}")
    stream.writelines(",\n" + encode(model.plain(_beside(run, places, category))) for run in beside)
    stream.write("]}\n")


def _beside(run: PeerRun, places: _Places, category: str | None) -> dict[str, object]:
    """The run of another tool on the same files."""
    used = {finding.rule: finding for finding in reversed(run.findings)}
    indices = {rule: index for index, rule in enumerate(sorted(used))}
    kept = run.findings[:MAX_RESULTS]
    kind = FailureKind.PEER.value
    words = _NOTIFICATIONS[kind]
    driver = model.tool(
        name=run.tool,
        full_name=f"{run.tool} {run.version}".strip(),
        organization=run.tool,
        version=run.version or "unknown",
        semantic_version=semantic_version(run.version) if run.version else None,
        information_uri=_PEERS.get(run.tool, REPOSITORY),
        rules=[
            model.descriptor(
                rule,
                name=pascal(rule),
                short=legible(used[rule].title),
                full=legible(used[rule].title),
                help_text=legible(used[rule].title),
                help_uri=used[rule].uri or None,
                level=used[rule].level,
            )
            for rule in sorted(used)
        ],
        notifications=[
            model.descriptor(
                kind,
                name="PeerFailure",
                short=words,
                full=words,
                help_text=words,
                level=Level.WARNING,
            )
        ],
    )
    notes = [
        model.notification(
            kind,
            0,
            Level.WARNING,
            model.message(_escaped(_sentence(legible(failure.message)))),
            place=None if failure.path == "." else model.location(places.file(failure.path)),
        )
        for failure in run.failures
    ]
    results = [
        model.result(
            rule=finding.rule,
            rule_index=indices[finding.rule],
            level=finding.level,
            words=model.message(_escaped(_sentence(legible(finding.title)))),
            place=model.location(places.spot(finding.span), unit=sanitise(finding.unit)),
            related=(),
            flow=None,
            fingerprints=_peer_fingerprints(finding),
            rank=_RANK[finding.level],
            suppression=None,
            properties={},
        )
        for finding in kept
    ]
    return {
        "tool": driver,
        "invocations": [model.invocation(notes, successful=not notes)],
        "automationDetails": model.automation(f"{category}-{run.tool.lower()}")
        if category
        else None,
        "originalUriBaseIds": model.source_root(None),
        "columnKind": "unicodeCodePoints",
        "properties": {"sameAsOurs": run.same, "omitted": len(run.findings) - len(kept)},
        "results": results,
    }


def _peer_fingerprints(finding: PeerFinding) -> dict[str, str]:
    line = finding.span.begin.line
    found = line_hashes(finding.span.document.text, {line}).get(line)
    return {} if found is None else {"primaryLocationLineHash": found}


def _root_uri(root: str | None) -> str | None:
    if root is None:
        return None
    uri = Path(root).as_uri()
    return uri if uri.endswith("/") else uri + "/"
