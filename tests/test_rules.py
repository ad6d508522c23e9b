"""Every block of every rule page, run through the engine."""

from __future__ import annotations

import pytest

from blastdoor import catalog, pagetest
from blastdoor.change import analyze_files

RULES = catalog.load(thorough=True)
CASES = list(pagetest.cases(RULES))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_block(case: pagetest.Case) -> None:
    assert pagetest.run(case, analyze_files) == []
