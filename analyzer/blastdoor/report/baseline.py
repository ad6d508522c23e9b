"""The baseline file: findings that are known and not to be reported again.

A JSON object with ``version`` and ``findings``, sorted; each entry holds the ``blastdoor/v1``
fingerprint that identifies the finding and, for people, the rule, the path and the unit. Line
numbers are left out, so that the file changes only when findings do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from blastdoor.report.escape import encodable, sanitise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from blastdoor.finding import Finding, Report

VERSION: Final = 1
"""Version of the file's form."""


class BaselineError(ValueError):
    """A baseline file that cannot be used, with its name and what is wrong."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{sanitise(name)}: {problem}")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The fingerprints of known findings."""

    fingerprints: frozenset[str]

    def stale(self, findings: Iterable[Finding]) -> int:
        """How many entries no finding matches any more."""
        return len(self.fingerprints - {finding.fingerprint for finding in findings})


def write_baseline(stream: TextIO, findings: Iterable[Finding]) -> None:
    """Effect: writes the baseline that silences the findings."""
    entries = sorted(
        {
            (finding.span.path, finding.rule, finding.unit, finding.fingerprint)
            for finding in findings
        }
    )
    lines = [
        json.dumps(
            {
                "path": encodable(path),
                "rule": encodable(rule),
                "unit": encodable(unit),
                "fingerprint": fingerprint,
            }
        )
        for path, rule, unit, fingerprint in entries
    ]
    body = ",\n    ".join(lines)
    findings_text = f"[\n    {body}\n  ]" if lines else "[]"
    stream.write(f'{{\n  "version": {VERSION},\n  "findings": {findings_text}\n}}\n')


def read_baseline(text: str, name: str) -> Baseline:
    """The baseline that a file's text holds; ``name`` is what errors call the file.

    Raises BaselineError.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        problem = f"not a baseline: {error.msg} at line {error.lineno}, column {error.colno}"
        raise BaselineError(name, problem) from error
    except RecursionError as error:
        raise BaselineError(name, "not a baseline: nested too deeply") from error
    if not isinstance(data, dict):
        raise BaselineError(name, "not a baseline: an object is expected")
    version = data.get("version")
    if type(version) is not int:
        raise BaselineError(name, "not a baseline: it has no version")
    if version != VERSION:
        problem = f"baseline version {version} is not {VERSION}: write it again"
        raise BaselineError(name, problem)
    entries = data.get("findings")
    if not isinstance(entries, list):
        raise BaselineError(name, "'findings' is not a list")
    fingerprints = set()
    for number, entry in enumerate(entries, 1):
        fingerprint = entry.get("fingerprint") if isinstance(entry, dict) else None
        if not isinstance(fingerprint, str) or not fingerprint:
            raise BaselineError(name, f"finding {number} has no fingerprint")
        fingerprints.add(fingerprint)
    return Baseline(frozenset(fingerprints))


def apply_baseline(report: Report, baseline: Baseline) -> Report:
    """The report without the findings that the baseline knows; they are counted.

    Failures stay: what could not be analysed is never known.
    """
    known = baseline.fingerprints
    kept = [finding for finding in report.findings if finding.fingerprint not in known]
    gone = len(report.findings) - len(kept)
    return replace(report, findings=kept, baselined=report.baselined + gone)
