"""Pipelines and shell scripts: the texts that a shell runs, and what is known of when.

One walk reads every pipeline's form: what stands under ``run``, ``script``, ``command`` and the like is
a script, and what stands around it says whether somebody is asked first.

Sources: GitHub Actions, "Workflow syntax" (``jobs.<id>.environment``); GitLab CI/CD, "YAML syntax
reference" (``when: manual``, ``environment``); CircleCI, "Configuration reference" (``type: approval``);
AWS CodeBuild User Guide, "Build specification reference"; Bitbucket Pipelines, "Step options"
(``trigger: manual``); Azure Pipelines, "YAML schema" (``deployment``); Buildkite, "Block step"; GNU make
manual, "Recipe Syntax".
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.evaluate.scalars import placed
from blastdoor.fact import Evaluated, Script, Term
from blastdoor.finding import Failure, FailureKind
from blastdoor.parse.data import Mapping, Scalar, Sequence
from blastdoor.parse.tree import Comment
from blastdoor.source.content import is_pipeline_name, is_shell_name
from blastdoor.span import Document, Span
from blastdoor.value import Known, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.parse.data import Node
    from blastdoor.units import Repository

_SCRIPTS: Final = frozenset(
    {
        "after_script",
        "bash",
        "before_script",
        "command",
        "commands",
        "cmds",
        "pwsh",
        "run",
        "script",
    }
)
"""Keys whose value is a script, or a list of the lines of one."""
_JOBS: Final = frozenset({"jobs", "stages", "phases", "pipelines", "steps", "workflows"})
"""Keys that are no name of a job."""
_PASSING: Final = frozenset(
    {
        "cleanup",
        "demo",
        "destroy",
        "dev",
        "e2e",
        "ephemeral",
        "integration",
        "pr",
        "preview",
        "review",
    }
    | {"sandbox", "teardown", "test", "testing", "tests", "tmp"}
)
"""Words of names of what does not last, or of what is there to take away."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_MARK: Final = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*(blastdoor:[^\n]*)", re.MULTILINE)
_TARGET: Final = re.compile(r"(?P<name>[\w./%-]+(?:[ \t]+[\w./%-]+)*)[ \t]*::?(?!=)")
_MAKE_VARIABLE: Final = re.compile(r"\$\((\w+)\)")
_MAX_DEPTH: Final = 40


def is_steps(path: str) -> bool:
    """Whether a document is a pipeline or a script, and no file of settings, by its name."""
    return is_pipeline_name(path) or is_shell_name(path)


def fill(unit: Evaluated, document: Document, repository: Repository) -> None:
    """Effect: puts the scripts of a pipeline or of a file of a shell into a unit."""
    path = document.path
    if path.endswith((".yml", ".yaml")):
        unit.scripts.extend(_pipeline(document, repository))
        return
    repository.remark(document, _comments(document))
    if path.endswith((".mk", "Makefile")):
        unit.scripts.extend(_recipes(document))
        return
    text = document.text
    value = Known(text, Span(document, 0, len(text)), (), (Piece(text, document, 0, len(text)),))
    name = posixpath.basename(path)
    passing = _passes(name) or _passes(posixpath.dirname(path))
    term = Term(text, Span(document, 0, len(text)), value)
    unit.scripts.append(Script(path, "", term, f"in {name}", by_hand=True, passing=passing))


def _comments(document: Document) -> list[Comment]:
    return [Comment(m.start(), m.end(), m[1]) for m in _MARK.finditer(document.text)]


def _passes(*names: str) -> bool:
    return any(
        not _PASSING.isdisjoint(word.lower() for word in _WORD.findall(name)) for name in names
    )


# Pipelines


class _Around(NamedTuple):
    """What stands around a script."""

    job: str
    asked: bool
    passing: bool


def _pipeline(document: Document, repository: Repository) -> Iterator[Script]:
    from blastdoor.parse.yaml import parse_yaml

    parsed = parse_yaml(document)
    for fault in parsed.faults:
        repository.fault(Failure(FailureKind.SYNTAX, document.path, fault.message, fault.span))
    repository.remark(document, parsed.comments)
    name = posixpath.basename(document.path).partition(".")[0]
    for root in parsed.roots:
        title = _text(_entry(root, "name"))
        around = _Around("", asked=False, passing=_passes(name, title))
        yield from _walk(document, root, around, _approved(root), 0)


def _walk(
    document: Document, node: Node, around: _Around, approved: frozenset[str], depth: int
) -> Iterator[Script]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(node, Sequence):
        asked = around.asked
        for item in node.items:
            # Buildkite: what follows a block step waits until somebody has said yes.
            asked = asked or _entry(item, "block") is not None
            yield from _walk(document, item, around._replace(asked=asked), approved, depth + 1)
        return
    if not isinstance(node, Mapping):
        return
    here = around._replace(asked=around.asked or _is_asked(node))
    environment = _text(_entry(node, "environment")) or _text(
        _entry(_entry(node, "environment"), "name")
    )
    here = here._replace(passing=here.passing or _passes(environment))
    for key, inner in node.entries:
        name = str(key.value)
        if name in _SCRIPTS:
            yield from _scripts(document, name, inner, here)
        if isinstance(inner, Scalar):
            continue
        below = here
        if isinstance(inner, Mapping) and not here.job and name not in _JOBS | _SCRIPTS:
            below = here._replace(
                job=name,
                asked=here.asked or name in approved,
                passing=here.passing or _passes(name),
            )
        yield from _walk(document, inner, below, approved, depth + 1)


def _is_asked(node: Mapping) -> bool:
    """Whether a job or step waits for somebody, or belongs to an environment that may be protected."""
    if _entry(node, "environment") is not None and _entry(node, "version") is None:
        return True
    if "manual" in (_text(_entry(node, "when")), _text(_entry(node, "trigger"))):
        return True
    rules = _entry(node, "rules")
    return isinstance(rules, Sequence) and any(
        _text(_entry(rule, "when")) == "manual" for rule in rules.items
    )


def _approved(root: Node) -> frozenset[str]:
    """The jobs of CircleCI that run only behind an approval, however far behind."""
    found: set[str] = set()
    for _name, workflow in _entries(_entry(root, "workflows")):
        jobs = _entry(workflow, "jobs")
        if not isinstance(jobs, Sequence):
            continue
        needs: dict[str, set[str]] = {}
        approvals: set[str] = set()
        for job in jobs.items:
            for name, body in _entries(job):
                requires = _entry(body, "requires")
                items = requires.items if isinstance(requires, Sequence) else []
                needs[name] = {_text(item) for item in items}
                if _text(_entry(body, "type")) == "approval":
                    approvals.add(name)
        behind = set(approvals)
        for _round in range(len(needs)):
            more = {name for name, required in needs.items() if required & behind} - behind
            if not more:
                break
            behind |= more
        found |= behind
    return frozenset(found)


def _scripts(document: Document, key: str, node: Node, around: _Around) -> Iterator[Script]:
    items = node.items if isinstance(node, Sequence) else [node]
    for item in items:
        if isinstance(item, Scalar) and isinstance(item.value, str):
            span = Span(document, item.start, item.end)
            pieces = placed(document, item.start, item.end, item.value)
            value = Known(item.value, span, (), pieces)
            job = around.job or posixpath.basename(document.path)
            yield Script(
                job,
                key,
                Term(item.value, span, value),
                f"in {'job ' if around.job else ''}{job}",
                asked=around.asked,
                passing=around.passing,
            )


def _entry(node: Node | None, name: str) -> Node | None:
    """The value of a key of a mapping, the last one of that name."""
    found = None
    if isinstance(node, Mapping):
        for key, inner in node.entries:
            if key.value == name:
                found = inner
    return found


def _entries(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Mapping):
        for key, inner in node.entries:
            yield str(key.value), inner


def _text(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else ""


# Make


def _recipes(document: Document) -> Iterator[Script]:
    """The recipes of a makefile, a script for each of their lines with what continues it."""
    target = ""
    text = document.text
    name = posixpath.basename(document.path)
    number, last = 1, len(document.line_starts)
    while number <= last:
        start, end = document.line_range(number)
        line = text[start:end]
        if line.startswith("\t"):
            while text[start:end].rstrip("\r\n").endswith("\\") and number < last:
                number += 1
                end = document.line_range(number)[1]
            begin = start + len(text[start:end]) - len(text[start:end].lstrip("\t @+-"))
            # A variable of make is no command of the shell, whatever its parentheses.
            written = _MAKE_VARIABLE.sub(r"${\1}", text[begin:end])
            span = Span(document, begin, end)
            value = Known(written, span, (), (Piece(written, document, begin, end),))
            yield Script(
                f"{name}: {target}" if target else name,
                "",
                Term(written, span, value),
                f"in target {target} of {name}",
                by_hand=True,
                passing=_passes(target),
            )
        else:
            match = _TARGET.match(line)
            if match is not None:
                target = match["name"].split()[0]
        number += 1
