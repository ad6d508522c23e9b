"""Paths as a report shows them: relative to another directory, in places and in sentences alike.

The analysis names files relative to the root that it reads. Logs name them relative to the repository,
a terminal relative to the directory in which somebody would open them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from blastdoor.beside import PeerRun
    from blastdoor.finding import Failure, Finding, Report

_BETWEEN: Final = re.compile(r"([\s,;()\"'`]+)")
"""What parts the words of a sentence; a path with a blank is looked for as a whole."""
_NUMBERS: Final = 2
"""Numbers that may follow a path: a line and a column."""


class Relocation:
    """One way to name files anew.

    ``rename`` gives the new name of a path. ``files`` are the paths that sentences may hold; a word
    that is none of them stays.
    """

    def __init__(self, rename: Callable[[str], str], files: Collection[str]) -> None:
        self._rename = rename
        self._files = files
        self._blank = [path for path in files if _BETWEEN.search(path)]
        self._documents: dict[int, tuple[Document, Document]] = {}

    def report(self, report: Report) -> Report:
        """The report with every path, also within its sentences, named anew."""
        return replace(
            report,
            findings=[self._finding(finding) for finding in report.findings],
            suppressed=[self._finding(finding) for finding in report.suppressed],
            failures=[self._failure(failure) for failure in report.failures],
        )

    def run(self, run: PeerRun) -> PeerRun:
        """The run of another tool with every path named anew."""
        return replace(
            run,
            findings=[replace(one, span=self.span(one.span)) for one in run.findings],
            failures=[
                one if one.path == "." else replace(one, path=self._rename(one.path))
                for one in run.failures
            ],
        )

    def words(self, text: str) -> str:
        """A sentence with the paths that it holds named anew."""
        for path in self._blank:
            if path in text:
                return self._rename(path).join([self.words(part) for part in text.split(path)])
        return "".join([self._word(word) for word in _BETWEEN.split(text)])

    def _word(self, word: str) -> str:
        path = word.rstrip(".:")
        for _number in range(_NUMBERS):
            before, colon, number = path.rpartition(":")
            if not colon or not number.isdecimal():
                break
            path = before
        return self._rename(path) + word[len(path) :] if path in self._files else word

    def span(self, span: Span) -> Span:
        """The same place in the file under its new name."""
        old = span.document
        found = self._documents.get(id(old))
        if found is None:
            # The old document is kept so that no other gets its identity.
            found = self._documents[id(old)] = (old, Document(self._rename(old.path), old.text))
        return Span(found[1], span.start, span.end)

    def _finding(self, finding: Finding) -> Finding:
        why = finding.suppression
        if why is not None and why.span is not None:
            why = replace(why, span=self.span(why.span))
        return replace(
            finding,
            message=self.words(finding.message),
            span=self.span(finding.span),
            contain=self.words(finding.contain),
            related=tuple(
                [
                    replace(one, span=self.span(one.span), message=self.words(one.message))
                    for one in finding.related
                ]
            ),
            suppression=why,
            remedies=tuple(
                [
                    replace(one, span=self.span(one.span), words=self.words(one.words))
                    for one in finding.remedies
                ]
            ),
        )

    def _failure(self, failure: Failure) -> Failure:
        return replace(
            failure,
            path=self._rename(failure.path),
            message=self.words(failure.message),
            span=None if failure.span is None else self.span(failure.span),
        )
