"""The page as text: everything escaped, styles and script named by their digests in the policy.

The policy lets nothing load and nothing run but the two texts of this package (Content Security Policy
Level 3, section 2.3.1, hash sources; inline event handlers and style attributes stay forbidden). The
data of the findings is a block of JSON, in which ``<`` and ``>`` are escapes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter, defaultdict
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from blastdoor.report.page.model import LEVELS
from blastdoor.report.redact import legible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from blastdoor.report.page.model import FindingRow, Page, ReachRow, RepositoryRow

MOST_DETAILS: Final = 5_000
"""Findings, the worst first, that come with their chain and source lines."""
_MOST_ROWS: Final = 300
_MOST_UNITS: Final = 40
_MOST_PLACES: Final = 40
_MOST_LINES: Final = 100
_WEIGHT: Final = {"error": 9, "warning": 3, "note": 1}
_STEPS: Final = (1, 4, 10, 28, 82)
"""Weights from which on a cell is hotter."""
_REGION: Final = re.compile(r"\b[a-z]{2,}(?:-[a-z]+)+-?\d\b")
_MORE: Final = re.compile(r"and \d+ more\Z")


def write_page(stream: TextIO, page: Page) -> None:
    """Effect: writes a page."""
    for part in _parts(page):
        stream.write(part)


def _parts(page: Page) -> Iterator[str]:
    style, script = _text("page.css"), _text("page.js")
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{_safe(page.title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#findings">To the findings</a>
<header><div><h1>{_safe(page.title)}</h1><p>{_safe(page.about)}</p></div>
<button id="theme" type="button">Light or dark</button></header>
<main>
"""
    yield from _numbers(page)
    yield from _heat(page)
    yield from _grid(page)
    yield from _widest(page)
    yield from _findings(page)
    yield from _failures(page)
    yield from _all_repositories(page)
    yield "</main>\n<footer>blastdoor read the code and ran nothing of it. What is not known makes no"
    yield " finding.</footer>\n"
    yield f'<script type="application/json" id="data">{_data(page)}</script>\n'
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def _text(name: str) -> str:
    return files("blastdoor.report.page").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _safe(text: object) -> str:
    """Text for an element or a quoted attribute; what a reader cannot see is made visible."""
    return escape(legible(str(text)), quote=True)


# Headlines


def _numbers(page: Page) -> Iterator[str]:
    levels = Counter(finding.level for finding in page.findings)
    failed = sum(1 for row in page.repositories if row.failed)
    entries = [
        (len(page.repositories), "repositories" if len(page.repositories) != 1 else "repository", ""),
        (sum(row.units for row in page.repositories), "units", ""),
        (sum(row.resources for row in page.repositories), "resources", ""),
        (levels["error"], "errors", "error"),
        (levels["warning"], "warnings", "warning"),
        (levels["note"], "notes", "note"),
        (
            len({(row.repository, row.unit) for row in page.reaches if row.broad}),
            "units that take in what nobody has named",
            "",
        ),
    ]
    if failed or page.failures:
        entries.append((len(page.failures), "places that could not be analysed", "error"))
    if page.trend is not None:
        new, gone, _unchanged, since = page.trend
        entries += [(new, f"new since {since}", "error" if new else ""), (gone, f"gone since {since}", "")]
    yield '<ul class="numbers">\n'
    for number, words, kind in entries:
        yield f'<li><b class="{kind}">{number:,}</b><span>{_safe(words)}</span></li>\n'
    yield "</ul>\n"


# Repositories by axes


def _heat(page: Page) -> Iterator[str]:
    cells: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    weights: Counter[int] = Counter()
    axes: Counter[str] = Counter()
    for finding in page.findings:
        axis = finding.axis or "other"
        cells[finding.repository, axis][finding.level] += 1
        weight = _WEIGHT.get(finding.level, 1)
        weights[finding.repository] += weight
        axes[axis] += weight
    if not cells:
        yield "<h2>Where it reaches too far</h2><p>Nothing was found.</p>\n"
        return
    columns = [axis for axis, _weight in sorted(axes.items(), key=lambda one: (-one[1], one[0]))]
    rows = sorted(weights, key=lambda index: (-weights[index], page.repositories[index].name))
    yield '<h2 id="heat">Where it reaches too far</h2>\n'
    yield "<p>Findings by repository and axis, the heaviest first. A number opens its findings.</p>\n"
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="heat"><table class="heat">\n'
    yield '<thead><tr><th scope="col">repository</th>'
    for axis in columns:
        yield f'<th scope="col">{_safe(axis)}</th>'
    yield "</tr></thead>\n<tbody>\n"
    for index in rows[:_MOST_ROWS]:
        yield f'<tr><th scope="row">{_safe(page.repositories[index].name)}</th>'
        for axis in columns:
            yield f"<td>{_cell(index, axis, cells.get((index, axis)))}</td>"
        yield "</tr>\n"
    yield "</tbody></table></div>\n"
    if len(rows) > _MOST_ROWS:
        yield f'<p class="soft">{len(rows) - _MOST_ROWS:,} more repositories have findings.</p>\n'


def _cell(index: int, axis: str, counts: Counter[str] | None) -> str:
    if not counts:
        return '<span class="soft" aria-label="none">·</span>'
    weight = sum(_WEIGHT.get(level, 1) * number for level, number in counts.items())
    step = sum(weight >= start for start in _STEPS)
    words = ", ".join(
        f"{counts[level]} {level}{'' if counts[level] == 1 else 's'}"
        for level in LEVELS
        if counts[level]
    )
    chosen = "" if axis == "other" else axis
    return (
        f'<button type="button" class="h{step}" data-repo="{index}" data-axis="{_safe(chosen)}" '
        f'title="{_safe(words)}" aria-label="{_safe(f"{axis}: {words}")}">'
        f"{sum(counts.values()):,}</button>"
    )


# Units by regions


def _grid(page: Page) -> Iterator[str]:
    rows = [row for row in page.reaches if row.axis == "regions" and row.reach != "global"]
    if not rows:
        return
    places: Counter[str] = Counter()
    by_unit: dict[tuple[int, str], list[ReachRow]] = defaultdict(list)
    for row in rows:
        by_unit[row.repository, row.unit].append(row)
        places.update(dict.fromkeys(_REGION.findall(row.reach), 1))
    named = sorted(name for name, _count in places.most_common(_MOST_PLACES))
    yield '<h2 id="grid">Who can change what where</h2>\n'
    yield "<p>Units and the regions that their code acts in, the widest first.</p>\n"
    yield '<ul class="key"><li><i></i>named</li><li><i class="full"></i>every region</li>'
    yield '<li><i class="open"></i>decided by what runs it, or not known</li></ul>\n'
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="grid"><table class="grid">\n'
    yield '<thead><tr><th scope="col">unit</th>'
    for name in (*named, "elsewhere", "open"):
        yield f'<th scope="col" class="place">{_safe(name)}</th>'
    yield '<th scope="col" class="number">resources</th></tr></thead>\n<tbody>\n'
    ranked = sorted(
        by_unit.items(),
        key=lambda one: (
            not any(row.broad for row in one[1]),
            -len({name for row in one[1] for name in _REGION.findall(row.reach)}),
            -sum(row.resources for row in one[1]),
            one[0],
        ),
    )
    for (index, unit), items in ranked[:_MOST_ROWS]:
        yield _grid_row(page.repositories[index], unit, items, named)
    yield "</tbody></table></div>\n"
    if len(ranked) > _MOST_ROWS:
        yield f'<p class="soft">{len(ranked) - _MOST_ROWS:,} more units act in fewer.</p>\n'


def _grid_row(
    repository: RepositoryRow, unit: str, items: Sequence[ReachRow], named: Sequence[str]
) -> str:
    found = {name for row in items for name in _REGION.findall(row.reach)}
    every = any(row.broad and not _REGION.findall(row.reach) for row in items)
    elsewhere = bool(found - set(named)) or any(_MORE.search(row.reach) for row in items)
    unsaid = any(not row.known or not (row.broad or _REGION.search(row.reach)) for row in items)
    cells = [
        _dot("full", "every region") if every else _dot("", "named") if name in found else ""
        for name in named
    ]
    cells.append(_dot("full", "every region") if every else _dot("", "more") if elsewhere else "")
    cells.append(_dot("open", "decided outside or not known") if unsaid else "")
    return (
        f'<tr><th scope="row">{_safe(repository.name)}<div class="soft">{_safe(unit)}</div></th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + f'<td class="number">{sum(row.resources for row in items):,}</td></tr>\n'
    )


def _dot(kind: str, words: str) -> str:
    return f'<i class="{kind}" role="img" aria-label="{_safe(words)}" title="{_safe(words)}"></i>'


def _widest(page: Page) -> Iterator[str]:
    rows = [row for row in page.reaches if row.broad][:_MOST_UNITS]
    if not rows:
        return
    yield '<h2 id="widest">The widest units</h2>\n'
    yield "<p>What takes in more than anybody has named, and the line that decides it.</p>\n"
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="widest"><table>\n'
    yield '<thead><tr><th scope="col">unit</th><th scope="col">reach</th><th scope="col">decided by'
    yield '</th><th scope="col" class="number">resources</th></tr></thead>\n<tbody>\n'
    for row in rows:
        name = page.repositories[row.repository].name
        place = f"{row.path}:{row.line}" if row.line is not None else row.path
        environment = f' <span class="badge">{_safe(row.environment)}</span>' if row.environment else ""
        yield f'<tr><th scope="row">{_safe(name)}<div class="soft">{_safe(row.unit)}</div></th>'
        yield f"<td>{_safe(row.axis)}: {_safe(row.reach)}{environment}</td>"
        yield f'<td>{_safe(row.via)}<div class="soft">{_safe(place)}</div></td>'
        yield f'<td class="number">{row.resources:,}</td></tr>\n'
    yield "</tbody></table></div>\n"


# Findings


def _findings(page: Page) -> Iterator[str]:
    yield '<h2 id="findings" tabindex="-1">Findings</h2>\n'
    yield '<div class="filters" role="search">'
    yield '<input id="text" type="search" placeholder="Search words, files, rules (press /)" '
    yield 'aria-label="Search the findings">'
    yield _choice("level", "any level", [(str(i), level) for i, level in enumerate(LEVELS)])
    axes = sorted({finding.axis for finding in page.findings if finding.axis})
    yield _choice("axis", "any axis", [(axis, axis) for axis in axes])
    if len(page.repositories) > 1:
        shown = Counter(finding.repository for finding in page.findings)
        named = sorted(((str(i), page.repositories[i].name) for i in shown), key=lambda one: one[1])
    else:
        named = []
    yield _choice("repo", "any repository", named)
    used = sorted({finding.rule for finding in page.findings})
    order = {rule: index for index, rule in enumerate(page.rules)}
    yield _choice("rule", "any rule", [(str(order[rule]), rule) for rule in used])
    only = []
    if any(finding.new for finding in page.findings):
        only.append(("new", "only new"))
    if any(finding.agent for finding in page.findings):
        only.append(("agent", "only by agents"))
    yield _choice("only", "new and old", only)
    yield '<button id="clear" type="button">Clear</button></div>\n'
    yield '<div class="pages"><button id="back" type="button">Back</button>'
    yield '<button id="next" type="button">Next</button><span id="count" aria-live="polite" '
    yield f'class="soft">{len(page.findings):,} findings</span></div>\n'
    yield '<div class="scroll found-box"><table class="found"><colgroup><col class="level"><col>'
    yield '<col class="where"></colgroup>\n<thead><tr><th scope="col">level</th><th scope="col">'
    yield 'finding</th><th scope="col">where</th></tr></thead>\n<tbody id="rows">\n'
    for finding in page.findings[:_MOST_LINES]:
        repository = page.repositories[finding.repository].name
        yield f'<tr><td><b class="{_safe(finding.level)}">{_safe(finding.level)}</b></td>'
        yield f"<td>{_safe(finding.message)}</td><td><div>{_safe(repository)}</div>"
        yield f'<div class="soft">{_safe(finding.path)}:{finding.line}</div></td></tr>\n'
    yield "</tbody></table></div>\n"


def _choice(name: str, every: str, options: Iterable[tuple[str, str]]) -> str:
    options = list(options)
    hidden = "" if options else " hidden"
    inner = "".join(f'<option value="{_safe(value)}">{_safe(words)}</option>' for value, words in options)
    return f'<select id="{name}" aria-label="{every}"{hidden}><option value="">{every}</option>{inner}</select>'


def _failures(page: Page) -> Iterator[str]:
    if not page.failures:
        return
    yield '<h2 id="failures">What could not be analysed</h2>\n'
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="failures"><table>\n<tbody>\n'
    for repository, path, message in page.failures[: _MOST_ROWS * 3]:
        yield f'<tr><th scope="row">{_safe(repository)}<div class="soft">{_safe(path)}</div></th>'
        yield f"<td>{_safe(message)}</td></tr>\n"
    yield "</tbody></table></div>\n"
    if len(page.failures) > _MOST_ROWS * 3:
        yield f'<p class="soft">and {len(page.failures) - _MOST_ROWS * 3:,} more</p>\n'


def _all_repositories(page: Page) -> Iterator[str]:
    if len(page.repositories) < 2:  # noqa: PLR2004  the headline says it of one
        return
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for finding in page.findings:
        counts[finding.repository][finding.level] += 1
    yield '<h2 id="all">Repositories</h2>\n'
    yield '<div class="scroll" tabindex="0" role="region" aria-labelledby="all"><table>\n<thead><tr>'
    for name in ("repository", "owner", "units", "resources", "errors", "warnings", "notes", "log"):
        kind = "" if name in ("repository", "owner", "log") else ' class="number"'
        yield f'<th scope="col"{kind}>{name}</th>'
    yield "</tr></thead>\n<tbody>\n"
    for index, row in sorted(enumerate(page.repositories), key=lambda one: one[1].name):
        yield f'<tr><th scope="row">{_safe(row.name)}</th><td>{_safe(row.owner)}</td>'
        if row.failed:
            yield f'<td colspan="6" class="error">{_safe(row.failed)}</td></tr>\n'
            continue
        for number in (row.units, row.resources, *(counts[index][level] for level in LEVELS)):
            yield f'<td class="number">{number:,}</td>'
        log = f'<a href="{_safe(row.sarif)}">SARIF</a>' if row.sarif else ""
        yield f"<td>{log}</td></tr>\n"
    yield "</tbody></table></div>\n"


def _data(page: Page) -> str:
    """The findings for the script, as one JSON text that ends no element."""
    order = {rule: index for index, rule in enumerate(page.rules)}
    details: list[dict[str, Any]] = []
    rows = []
    for finding in page.findings:
        place = None
        if len(details) < MOST_DETAILS:
            place = len(details)
            details.append(_detail(finding))
        rows.append(
            [
                finding.repository,
                order[finding.rule],
                LEVELS.index(finding.level),
                legible(finding.path),
                finding.line,
                legible(finding.unit),
                finding.axis,
                legible(finding.message),
                legible(finding.contain),
                int(finding.new),
                legible(finding.agent),
                place,
            ]
        )
    text = json.dumps(
        {
            "repositories": [legible(row.name) for row in page.repositories],
            "rules": [
                {"id": rule, "code": row.code, "title": row.title, "uri": row.uri}
                for rule, row in page.rules.items()
            ],
            "findings": rows,
            "details": details,
        },
        separators=(",", ":"),
    )
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _detail(finding: FindingRow) -> dict[str, Any]:
    return {
        "quote": finding.quote and [legible(part) for part in finding.quote],
        "related": [
            [legible(path), line, legible(message), quote and [legible(part) for part in quote]]
            for path, line, message, quote in finding.related
        ],
        "evidence": [legible(words) for words in finding.evidence],
        "reach": [[axis, legible(words)] for axis, words in finding.reach],
    }
