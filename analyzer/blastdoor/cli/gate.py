"""``gate`` and ``ack``: whether a change may pass, and the word of a second person for it."""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor import __version__, config
from blastdoor.change import Changed, compare
from blastdoor.cli import check as checking
from blastdoor.cli import names
from blastdoor.cli.sides import ends, past
from blastdoor.cli.streams import CallerError, drop_stdout, emit, progress_for
from blastdoor.finding import Finding, Level, Report, Suppression, fingerprinted
from blastdoor.gate import approvals as exports
from blastdoor.gate import judge as judging
from blastdoor.gate.policy import Policy
from blastdoor.gate.signature import Keys
from blastdoor.provenance import Lines, Reader, marked, origin
from blastdoor.record import dataclass
from blastdoor.report.escape import sanitise
from blastdoor.source import MAX_SIZE, read_regular, repository_root
from blastdoor.source.entry import inside
from blastdoor.source.history import MAX_MAILMAP, History, Mailmap
from blastdoor.source.revision import Git, GitError, Revision
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from blastdoor.catalog import RuleSet
    from blastdoor.change import Comparison
    from blastdoor.config import Config
    from blastdoor.engine import Options
    from blastdoor.gate.approvals import Approval
    from blastdoor.gate.judge import Decision, Judge
    from blastdoor.report.text import Choice

FORMATS: Final = ("text", "json", "sarif", "markdown")
"""What a decision can be written as."""
CLOSED: Final = 1
MAX_APPROVALS: Final = 20_000_000
"""Largest export of approvals, in bytes."""
MAX_PAGES: Final = 2_000
_DIGITS: Final = 12
"""Digits of an object id that people are shown."""
_SHALLOW: Final = ".git/shallow"


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    base: str
    head: str = "HEAD"
    form: str | None = None
    outputs: tuple[str, ...] = ()
    approvals: str | None = None
    allowed_signers: str | None = None
    allowed_keys: str | None = None
    require_signatures: bool = False
    cross_check: bool = False
    no_snippets: bool = False
    colour: Choice = "auto"
    quiet: bool = False
    no_progress: bool = False


def gate(request: Request) -> int:
    """The exit code. Effect: judges a change, writes the decision. Raises CallerError."""
    outputs = checking.outputs_of(request.outputs, request.form, FORMATS)
    shown = next((form for form, file in outputs if file == checking.STDOUT), request.form)
    with ExitStack() as stack:
        try:
            git = stack.enter_context(repository())
            if git.shallow():
                decision, rules = _shallow(git), names.rule_set(config.Config(), trusted=False)
            else:
                judge, rules = prepared(request, git, stack)
                decision = judge.decision()
        except GitError as error:
            raise CallerError(sanitise(str(error))) from error
    for form, file in outputs:
        if file != checking.STDOUT:
            checking.to_file(file, partial(_write, request, form, decision, rules))
    try:
        _write(request, shown or "text", decision, rules, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    if decision.failures:
        return checking.FAILED
    return checking.CLEAN if decision.open else CLOSED


@contextmanager
def repository() -> Iterator[Git]:
    """The objects of the repository around the working directory. Raises CallerError, GitError."""
    here = Path(os.path.realpath(os.curdir))
    with Git(repository_root(here) or here) as git:
        yield git


def prepared(request: Request, git: Git, stack: ExitStack) -> tuple[Judge, RuleSet]:
    """The judge of a change, with the rules of its base. Raises CallerError, GitError."""
    request = _without_dots(request)
    base_id, head_id = git.commit(request.base), git.commit(request.head)
    start = git.merge_base(base_id, head_id)
    base = Revision(git, base_id)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blastdoor-")))
    settings = _base_configuration(base, folder, request.base)
    rules = names.rule_set(settings, trusted=False)
    options = checking.options_of(checking.Request(), settings, rules, None)

    changed = [Changed(c.base, c.head) for c in git.changes(start, head_id)]
    found = _compared(
        request, Revision(git, start), Revision(git, head_id), changed, rules, options
    )
    history = History(git)
    reader = Reader(settings.gate.agents)
    known = origin(history, base_id, head_id, reader)
    lines = Lines(history, known, reader)
    found = replace(
        found,
        widenings=marked(found.widenings, lines),
        introduced=marked(found.introduced, lines),
    )
    head = Revision(git, head_id)
    gate_settings = settings.gate
    if request.require_signatures:
        gate_settings = replace(gate_settings, signatures=True)
    case = judging.Case(
        history,
        base,
        start,
        head,
        found,
        changed,
        Policy(gate_settings, base.read),
        Mailmap((base.read(".mailmap") or "")[:MAX_MAILMAP]),
        reader,
        _keys(request, settings, base),
        dt.datetime.now(tz=dt.UTC).date(),
        (request.base, request.head),
        settings.rules,
        tuple(_approvals(request)),
        tuple(_cross_checked(request, head, changed)),
    )
    return judging.Judge(case, {rule.id: rule for rule in rules}), rules


def _without_dots(request: Request) -> Request:
    """``main...`` and ``main...HEAD`` as two names: a gate always begins where head left base."""
    base, head, dots = ends(request.base, None if request.head == "HEAD" else request.head)
    return replace(request, base=base, head=head or "HEAD") if dots else request


def _compared(
    request: Request,
    base: Revision,
    head: Revision,
    changed: list[Changed],
    rules: RuleSet,
    options: Options,
) -> Comparison:
    quiet = request.quiet or request.no_progress
    progress = None if quiet else progress_for(sys.stderr, os.environ)
    try:
        history = past(base.git, base.commit)
        return compare(base, head, changed, rules, options, history=history, progress=progress)
    finally:
        if progress is not None:
            progress.clear()


def _base_configuration(base: Revision, folder: Path, name: str) -> Config:
    """The configuration of a revision, laid out in a folder with its rule pages. Raises CallerError."""
    for file in ("blastdoor.toml", "pyproject.toml"):
        text = base.read(file)
        if text is None or (file == "pyproject.toml" and "[tool.blastdoor" not in text):
            continue
        (folder / file).write_text(text, encoding="utf-8", newline="")
        try:
            settings = config.read(folder / file, trusted=False)
        except config.ConfigError as error:
            words = str(error).replace(str(folder / file), file)
            raise CallerError(f"in {sanitise(name)}: {sanitise(words)}") from error
        for path in _pages(base, settings):
            page = base.read(path)
            if page is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(page, encoding="utf-8", newline="")
        return settings
    return config.Config()


def _pages(base: Revision, settings: Config) -> list[str]:
    """The rule pages of a revision that its configuration names."""
    folders = tuple(f"{inside(rules) or rules}/" for rules in settings.rules)
    found = [
        path
        for path in base.oids()
        if path.startswith(folders) and path.endswith(".md") and inside(path) == path
    ]
    if len(found) > MAX_PAGES:
        raise CallerError(f"the base holds more than {MAX_PAGES} rule pages")
    return found


def _keys(request: Request, settings: Config, base: Revision) -> Keys:
    """Whose signatures count: files that the caller names, else those of the base."""

    def read(named: str | None, configured: str | None) -> str | None:
        if named is not None:
            data = read_regular(Path(os.path.realpath(named)), MAX_SIZE)
            if data is None:
                raise CallerError(f"{sanitise(named)}: no such file")
            return data.decode("utf-8", "replace")
        if configured is None:
            return None
        text = base.read(configured)
        if text is None:
            raise CallerError(f"{sanitise(configured)}, which [gate] names, is not in the base")
        return text

    own = settings.gate
    return Keys(
        read(request.allowed_signers, own.allowed_signers),
        read(request.allowed_keys, own.allowed_keys),
    )


def _approvals(request: Request) -> list[Approval]:
    if request.approvals is None:
        return []
    data = read_regular(Path(os.path.realpath(request.approvals)), MAX_APPROVALS)
    name = sanitise(request.approvals)
    if data is None:
        raise CallerError(f"{name}: no such file")
    try:
        return exports.read(data.decode("utf-8", "replace"))
    except exports.ApprovalError as error:
        raise CallerError(f"{name} {error}") from error


def _cross_checked(request: Request, head: Revision, changed: list[Changed]) -> list[Finding]:
    """What a second parser reads differently, where it is asked for. Raises CallerError."""
    if not request.cross_check:
        return []
    from blastdoor.gate import crosscheck

    if not crosscheck.is_there():
        raise CallerError("--cross-check needs python-hcl2: pip install 'blastdoor[crosscheck]'")
    paths = [c.head for c in changed if c.head is not None and c.head.endswith((".tf", ".tofu"))]
    found = []
    for path in paths:
        text = head.read(path)
        why = None if text is None else crosscheck.disagreement(Document(path, text))
        if text is not None and why is not None:
            document = Document(path, text)
            blob = head.git.tree(head.commit)[path].oid
            found.append(
                Finding(
                    judging.REQUIRED,
                    Level.ERROR,
                    f"review: two parsers read {path} differently ({why})",
                    Span(document, 0, len(text.partition("\n")[0])),
                    path,
                    judging.REVIEW_AXIS,
                    value=f"cross-check\0{blob}",
                    contain="write it so that there is one way to read it",
                    after=blob[:_DIGITS],
                )
            )
    return fingerprinted(found)


def _shallow(git: Git) -> Decision:
    """The decision where history is cut off: closed, with the command that mends it."""
    del git
    document = Document(_SHALLOW, "")
    about = Finding(
        judging.UNVERIFIABLE,
        Level.ERROR,
        "review: the clone is shallow",
        Span(document, 0, 0),
        _SHALLOW,
        judging.REVIEW_AXIS,
    )
    problem = judging.Problem(
        judging.UNVERIFIABLE,
        "without the history nobody can tell who wrote what",
        "git fetch --unshallow (in a workflow: fetch-depth: 0)",
    )
    gated = judging.Gated(fingerprinted([about])[0], "history is cut off", (problem,))
    return judging.Decision([gated])


# Outcome


def _write(request: Request, form: str, decision: Decision, rules: RuleSet, stream: TextIO) -> None:
    """Effect: writes the decision in one format."""
    if form == "sarif":
        report = Report(
            findings=judging.findings_of(decision),
            failures=decision.failures,
            suppressed=[
                replace(
                    one.finding,
                    suppression=Suppression(
                        f"acknowledged by {one.by}" if one.accepted else "needs a second person",
                        until=one.until,
                        accepted=one.accepted,
                    ),
                )
                for one in decision.gated
                if one.finding.rule not in (judging.REQUIRED, judging.UNVERIFIABLE)
            ],
        )
        from blastdoor.report.sarif import write_sarif

        write_sarif(
            stream,
            report,
            rules,
            version=__version__,
            include_suppressed=True,
            snippets=not request.no_snippets,
        )
        return
    from blastdoor.report import gate as reporting

    if form == "json":
        reporting.write_json(stream, decision, version=__version__)
    elif form == "markdown":
        reporting.write_markdown(stream, decision)
    else:
        from blastdoor.report.text import style_for

        style = style_for(stream, request.colour, os.environ)
        reporting.write_text(stream, decision, rules, style=style, summary=not request.quiet)


def remark(words: str) -> None:
    """Effect: says something beside the output."""
    emit(sys.stderr, f"blastdoor: {words}\n")
