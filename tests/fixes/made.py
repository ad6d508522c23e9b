"""Files mended by all rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor import engine
from blastdoor.catalog import load
from blastdoor.fixes.mend import Mended, mend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.finding import Report


def run(files: Mapping[str, str], *, unsafe: bool) -> Mended:
    """What becomes of some files."""
    rules = list(load())

    def analyse(texts: Mapping[str, str]) -> Report:
        return engine.analyze_files({**files, **texts}, rules)

    kinds = {rule.id: rule.fix for rule in rules}
    return mend(analyse({}), analyse, kinds, unsafe=unsafe)
