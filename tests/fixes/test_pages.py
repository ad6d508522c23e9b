"""What pages promise of fixes, held against their own examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog, change, engine, pagetest
from blastdoor.fixes.mend import mend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from blastdoor.catalog import Block, Rule
    from blastdoor.finding import Report

RULES = tuple(catalog.load(thorough=True))
FIXED = [rule for rule in RULES if rule.fix != "none"]
CASES = [case for case in pagetest.cases(RULES) if case.block.section == "Bad"]


def test_rules_of_every_family_of_state_have_fixes() -> None:
    assert {rule.family for rule in FIXED} == {"override", "region", "account", "guard", "rollout"}


@pytest.mark.parametrize("rule", FIXED, ids=[rule.id for rule in FIXED])
def test_a_promised_fix_mends_an_example_and_twice_changes_nothing(rule: Rule) -> None:
    mended = 0
    for case in CASES:
        block = case.block
        if case.rule is not rule or ("state" in rule.modes and block.base):
            continue

        def analyse(texts: Mapping[str, str], block: Block = block) -> Report:
            files = {**block.files, **texts}
            if block.base:
                return change.analyze_files(files, [rule], base=block.base)
            return engine.analyze_files(files, [rule])

        done = mend(analyse({}), analyse, {rule.id: rule.fix}, unsafe=True)
        again = mend(analyse(done.texts), analyse, {rule.id: rule.fix}, unsafe=True)
        assert again.texts == {}
        assert len(done.report.findings) == len(analyse({}).findings) - len(done.done)
        mended += len(done.done)
    assert mended
