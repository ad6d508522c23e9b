"""Findings for people: the source line, the underlined value, its origin, what contains it.

Everything that comes from a scanned file passes `sanitise`, and what is quoted of the source has
its secrets masked. The form follows rustc's diagnostics::

    error[every-region-target]: regions: every enabled region (data.aws_regions.all)
      --> live/orders/main.tf:12:20
       |
    12 |   for_each = toset(data.aws_regions.all.names)
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: name the regions
       = rule: RGN010 A deployment targets every region
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from blastdoor.finding import Level
from blastdoor.report.escape import expand, fitting, sanitise, width
from blastdoor.report.redact import legible, quoted_parts
from blastdoor.report.summary import summarise
from blastdoor.report.views import by_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from blastdoor.finding import Failure, Finding, Related, Report
    from blastdoor.report.summary import KindCoverage
    from blastdoor.report.views import RuleView
    from blastdoor.span import Span

MAX_COLUMNS: Final = 120
"""Code points of a source line that a snippet shows."""
MAX_RELATED: Final = 5
"""Related places shown with their source line; further ones are named only."""
MAX_REASONS: Final = 5
"""Reasons for unknown values that the summary names."""
_SECRET_CONTEXT: Final = 200
"""Code points before a clipped line in which the name of a secret is looked for."""

Choice = Literal["auto", "always", "never"]


def wants_colour(stream: TextIO, choice: Choice, environ: Mapping[str, str]) -> bool:
    """Whether to colour what goes to a stream.

    An explicit choice wins, then ``NO_COLOR`` (no-color.org), ``FORCE_COLOR`` (force-color.org) and
    ``TERM=dumb``; otherwise a terminal is coloured.
    """
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in {"", "0", "false"}:
        return True
    if environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


class Style:
    """Terminal colours, or none. Codes are ECMA-48 SGR of the sixteen basic colours."""

    __slots__ = ("on",)

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def level(self, level: Level, text: str) -> str:
        """Text in the colour of a level."""
        return self._paint(_LEVEL_CODES[level], text)

    def failure(self, text: str) -> str:
        """Text about something that could not be analysed."""
        return self._paint("1;35", text)

    def strong(self, text: str) -> str:
        """The message."""
        return self._paint("1", text)

    def frame(self, text: str) -> str:
        """Gutter, arrows and line numbers."""
        return self._paint("1;34", text)

    def related(self, text: str) -> str:
        """Marks under a related place."""
        return self._paint("36", text)


_LEVEL_CODES: Final = {Level.ERROR: "1;31", Level.WARNING: "1;33", Level.NOTE: "1;36"}

PLAIN: Final = Style(on=False)


def style_for(stream: TextIO, choice: Choice, environ: Mapping[str, str]) -> Style:
    """How to write to a stream: see `wants_colour`."""
    return Style(on=wants_colour(stream, choice, environ))


class _Excerpt(NamedTuple):
    """One source line as it is shown, with the columns to underline."""

    number: int
    column: int
    code: str
    indent: int
    length: int
    tail: str


def _excerpt(span: Span) -> _Excerpt:
    """The first line of a span, clipped around it, tabs expanded, secrets masked."""
    document = span.document
    starts = document.line_starts
    index = (bisect_right(starts, span.start) or 1) - 1
    low, high = document.line_range(index + 1)
    begin = min(max(span.start, low), high)
    tail = ""
    end = span.end
    if end > high:
        last = bisect_right(starts, end) - 1
        if last > index and starts[last] == end:
            last -= 1
        if last > index:
            tail = f" … to line {last + 1}"
        end = high
    end = max(end, begin)
    cut_low, cut_high = low, high
    if high - low > MAX_COLUMNS:
        spare = max(MAX_COLUMNS - (end - begin), MAX_COLUMNS // 4)
        cut_low = max(low, begin - spare // 2)
        cut_high = min(high, cut_low + MAX_COLUMNS)
        cut_low = max(low, min(cut_low, cut_high - MAX_COLUMNS))
        end = min(end, cut_high)
    lead = max(low, cut_low - _SECRET_CONTEXT)
    before, marked, behind = quoted_parts(
        document, lead, min(high, cut_high + _SECRET_CONTEXT), begin, end
    )
    if cut_low > low:
        before = "…" + before[max(0, len(before) - (begin - cut_low)) :]
    if cut_high < high:
        behind = behind[: cut_high - end] + "…"
    before = expand(sanitise(before))
    indent = width(before)
    marked = expand(sanitise(marked), indent)
    length = width(marked)
    behind = expand(sanitise(behind), indent + length)
    code = (before + marked + behind).rstrip()
    return _Excerpt(
        index + 1, document.position(span.start).column, code, indent, max(1, length), tail
    )


def _place(span: Span) -> str:
    line, column = span.begin
    return f"{sanitise(span.path)}:{line}:{column}"


class _Block:
    """The lines of one finding or failure while they are put together."""

    __slots__ = ("gutter", "lines", "separated", "style")

    def __init__(self, style: Style, gutter: int) -> None:
        self.style = style
        self.gutter = gutter
        self.lines: list[str] = []
        self.separated = False
        """Whether an empty line of the gutter is due before the next remark."""

    def arrow(self, place: str, *, first: bool) -> None:
        """Effect: adds the line that says where the next snippet stands."""
        mark = "-->" if first else ":::"
        self.lines.append(f"{' ' * self.gutter}{self.style.frame(mark)} {place}")

    def bar(self) -> None:
        """Effect: adds an empty line of the gutter."""
        self.lines.append(f"{' ' * self.gutter} {self.style.frame('|')}")

    def snippet(self, excerpt: _Excerpt, marks: str, label: str) -> None:
        """Effect: adds a source line and the line that underlines a part of it."""
        frame = self.style.frame
        number = frame(f"{excerpt.number:>{self.gutter}} |")
        self.lines.append(f"{number} {excerpt.code}" if excerpt.code else number)
        under = f"{' ' * excerpt.indent}{marks}{excerpt.tail}"
        if label:
            under = f"{under} {label}"
        self.lines.append(f"{' ' * self.gutter} {frame('|')} {under}")

    def remark(self, name: str, text: str) -> None:
        """Effect: adds a line such as ``= help: …``."""
        if self.separated:
            self.bar()
            self.separated = False
        self.lines.append(
            f"{' ' * self.gutter} {self.style.frame('=')} {self.style.strong(name)}: {text}"
        )

    def text(self) -> str:
        """Everything, with a final line end."""
        self.lines.append("")
        return "\n".join(self.lines)


def _shown(finding: Finding) -> tuple[list[Related], list[Related]]:
    """The related places to show with their source line, and those only to name."""
    shown: list[Related] = []
    named: list[Related] = []
    primary = (finding.span.path, finding.span.begin.line)
    seen = {primary}
    for related in finding.related:
        key = (related.span.path, related.span.begin.line)
        if key in seen or len(shown) >= MAX_RELATED:
            named.append(related)
        else:
            seen.add(key)
            shown.append(related)
    return shown, named


def render_finding(finding: Finding, rule: RuleView | None = None, style: Style = PLAIN) -> str:
    """One finding, ending in a line end."""
    primary = _excerpt(finding.span)
    shown, named = _shown(finding)
    excerpts = [_excerpt(related.span) for related in shown]
    widest = max([primary.number, *[excerpt.number for excerpt in excerpts]])
    block = _Block(style, len(str(widest)))
    head = style.level(finding.level, f"{finding.level.word}[{sanitise(finding.rule)}]")
    block.lines.append(f"{head}{style.strong(': ' + legible(finding.message))}")
    path = sanitise(finding.span.path)
    block.arrow(f"{path}:{primary.number}:{primary.column}", first=True)
    block.bar()
    block.snippet(primary, style.level(finding.level, "^" * primary.length), "")
    last = (finding.span.path, primary.number)
    for related, excerpt in zip(shown, excerpts, strict=True):
        block.bar()
        if related.span.path != last[0] or excerpt.number < last[1]:
            where = f"{sanitise(related.span.path)}:{excerpt.number}:{excerpt.column}"
            block.arrow(where, first=False)
            block.bar()
        last = (related.span.path, excerpt.number)
        label = style.related(legible(related.message))
        block.snippet(excerpt, style.related("-" * excerpt.length), label)
    block.separated = True
    for related in named:
        block.remark("note", f"{_place(related.span)}: {legible(related.message)}")
    for words in finding.evidence:
        block.remark("note", legible(words))
    if finding.before:
        block.remark("before", legible(finding.before))
    if finding.after:
        block.remark("after", legible(finding.after))
    reach = finding.reach if not finding.after else None
    for line in reach.describe() if reach is not None else ():
        block.remark("reach", legible(line))
    for words in finding.written_by:
        block.remark("written by", legible(words))
    if finding.contain:
        block.remark("help", legible(finding.contain))
    if finding.suppression is not None:
        block.remark("suppressed", legible(finding.suppression.reason))
    if rule is not None:
        block.remark("rule", f"{sanitise(rule.code)} {sanitise(rule.title)}")
    return block.text()


def render_line(finding: Finding) -> str:
    """One finding in one line, without its source."""
    where = _place(finding.span)
    return f"{where}: {finding.level.word}[{sanitise(finding.rule)}]: {legible(finding.message)}"


def render_failure_line(failure: Failure) -> str:
    """One failure in one line, without its source."""
    where = sanitise(failure.path)
    if failure.span is not None:
        line, column = failure.span.begin
        where = f"{where}:{line}:{column}"
    return f"{where}: {failure.word}[{failure.kind.value}]: {legible(failure.message)}"


def render_failure(failure: Failure, style: Style = PLAIN) -> str:
    """One failure, ending in a line end."""
    excerpt = _excerpt(failure.span) if failure.span is not None else None
    block = _Block(style, len(str(excerpt.number)) if excerpt is not None else 1)
    head = style.failure(f"{failure.word}[{failure.kind.value}]")
    block.lines.append(f"{head}{style.strong(': ' + legible(failure.message))}")
    if excerpt is None:
        if failure.path:
            block.arrow(sanitise(failure.path), first=True)
    else:
        where = f"{sanitise(failure.path)}:{excerpt.number}:{excerpt.column}"
        block.arrow(where, first=True)
        block.bar()
        block.snippet(excerpt, style.failure("^" * excerpt.length), "")
    if failure.rule is not None:
        block.remark("rule", sanitise(failure.rule))
    return block.text()


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: ``1 file``, ``2 files``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def _coverage(kind: KindCoverage) -> str:
    share = kind.share
    known = "none" if share is None else f"{share:.0%} of {kind.decidable}"
    beyond = f" (+{kind.undecidable} elsewhere)" if kind.undecidable else ""
    return f"{sanitise(kind.kind)} {known}{beyond}"


def _listed(counts: Mapping[str, int], limit: int = 10) -> str:
    items = [f"{number} {sanitise(name)}" for name, number in list(counts.items())[:limit]]
    if len(counts) > limit:
        items.append(f"{sum(list(counts.values())[limit:])} other")
    return ", ".join(items)


def render_summary(report: Report, style: Style = PLAIN) -> str:
    """What the report amounts to, ending in a line end."""
    summary = summarise(report)
    levels = ", ".join(
        style.level(level, counted(number, level.word))
        for level, number in summary.levels.items()
        if number
    )
    scanned = ", ".join(
        (
            counted(summary.units, "unit"),
            counted(summary.files, "file"),
            counted(summary.resources, "resource"),
        )
    )
    lines = [f"{levels or style.strong('no findings')} in {scanned}"]
    hidden = []
    if summary.suppressed:
        hidden.append(f"{summary.suppressed} suppressed")
    if summary.baselined:
        hidden.append(f"{summary.baselined} in the baseline")
    if hidden:
        lines.append(f"not shown: {', '.join(hidden)}")
    for noun, kinds in (("failure", summary.failures), ("remark", summary.remarks)):
        if kinds:
            total = style.failure(counted(sum(kinds.values()), noun))
            lines.append(f"{total}: {_listed(kinds)}")
    if summary.skipped:
        lines.append(f"skipped: {_listed(summary.skipped)}")
    if summary.planned:
        lines.append(f"planned: {_listed(summary.planned)}")
    if summary.coverage:
        lines.append(
            f"known of what is decided here: {'; '.join(map(_coverage, summary.coverage))}"
        )
    if summary.reasons:
        lines.append(f"the rest: {_listed(summary.reasons, MAX_REASONS)}")
    return "\n".join(lines) + "\n"


def write_text(
    stream: TextIO,
    report: Report,
    rules: Iterable[RuleView],
    *,
    style: Style = PLAIN,
    include_suppressed: bool = False,
    summary: bool = True,
) -> None:
    """Effect: writes failures, findings in report order and the summary to a text stream.

    What the stream's encoding cannot hold is written as a backslash escape.
    """
    encoding = getattr(stream, "encoding", None)

    def write(text: str) -> None:
        stream.write(fitting(text, encoding))

    known = by_id(rules)
    for failure in report.failures:
        write(render_failure(failure, style) + "\n")
    for finding in report.findings:
        write(render_finding(finding, known.get(finding.rule), style) + "\n")
    if include_suppressed:
        for finding in report.suppressed:
            write(render_finding(finding, known.get(finding.rule), style) + "\n")
    if summary:
        write(render_summary(report, style))
