"""The page of a report: what it shows, that nothing in it can run, and that it stays quick."""

from __future__ import annotations

import io
import json
import os
import re
import time
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from tests.report.browser import CHROMIUM, browser

from blastdoor.cli import run
from blastdoor.report.page.model import FindingRow, Page, ReachRow, RepositoryRow, RuleRow
from blastdoor.report.page.render import MOST_DETAILS, write_page

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202e"


def finding(index: int = 0, **changes: object) -> FindingRow:
    values: dict[str, object] = {
        "repository": index % 2,
        "rule": "every-region-target",
        "level": ("error", "warning", "note")[index % 3],
        "path": f"live/{index}.tf",
        "line": index + 1,
        "unit": "aws_sqs_queue.orders",
        "axis": ("regions", "accounts")[index % 2],
        "message": f"regions: every region, number {index}",
        "contain": "list the regions",
        "new": index % 7 == 0,
        "quote": ("regions = ", "data.aws_regions.all.names", ""),
        "related": [("main.tf", 3, "what decides it", ("data ", '"aws_regions"', ' "all" {}'))],
        "reach": [("regions", "every region")],
    }
    values.update(changes)
    return FindingRow(**values)  # type: ignore[arg-type]  # names as the class has them


def reach(unit: str, words: str, *, broad: bool) -> ReachRow:
    return ReachRow(
        0,
        unit,
        environment="production",
        axis="regions",
        reach=words,
        known=True,
        broad=broad,
        resources=9,
        path="a.tf",
        line=4,
        via="x",
    )


def page(findings: list[FindingRow]) -> Page:
    return Page(
        "Where can one change take everything down?",
        "Audit 1",
        [
            RepositoryRow("network", "team@example.com", 2, 9),
            RepositoryRow("shop", sarif="s.sarif"),
        ],
        findings,
        {
            "every-region-target": RuleRow(
                "RGN010", "A deployment targets every region", "https://example.com/r"
            )
        },
        [
            reach("live", "every region", broad=True),
            reach("app", "cn-north-1 and eu-west-1", broad=False),
        ],
        [("shop", "broken.tf", "syntax error")],
        (3, 1, 20, "audit 0"),
    )


def written(shown: Page) -> str:
    stream = io.StringIO()
    write_page(stream, shown)
    return stream.getvalue()


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_nothing_of_what_was_analysed_becomes_markup() -> None:
    shown = page([finding(message=HOSTILE, path=HOSTILE, unit=HOSTILE, axis=HOSTILE)])
    shown.repositories[0].name = HOSTILE
    shown.failures.append((HOSTILE, HOSTILE, HOSTILE))
    shown.reaches[0].unit = shown.reaches[0].via = HOSTILE
    text = written(shown)
    tags = _Tags()
    tags.feed(text)
    assert [tag for tag, _ in tags.tags if tag in ("img", "iframe", "object")] == []
    assert [tag for tag, _ in tags.tags].count("script") == 2
    assert not any(name.startswith("on") or name == "style" for _, a in tags.tags for name in a)
    assert "\u202e" not in text


def test_the_policy_names_what_is_there_and_nothing_loads() -> None:
    text = written(page([finding()]))
    tags = _Tags()
    tags.feed(text)
    policy = next(a["content"] for t, a in tags.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert not [a for _, a in tags.tags if a.get("src")]
    assert not [t for t, _ in tags.tags if t == "link"]


def test_headlines_and_tables_say_what_the_script_would() -> None:
    text = written(page([finding(0), finding(1)]))
    assert re.search(r'<b class="error">1</b><span>errors', text)
    assert "3</b><span>new since audit 0" in text
    assert 'href="s.sarif"' in text
    assert "syntax error" in text
    assert 'data-repo="0" data-axis="regions"' in text


def test_details_are_those_of_the_worst() -> None:
    text = written(page([finding(i) for i in range(MOST_DETAILS + 5)]))
    found = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert len(data["details"]) == MOST_DETAILS
    assert data["findings"][-1][-1] is None


def test_check_writes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "main.tf").write_text(
        'data "aws_regions" "all" {}\n'
        'resource "aws_cloudformation_stack_instances" "a" {\n'
        '  stack_set_name = "a"\n  regions = data.aws_regions.all.names\n}\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    assert run(["check", "main.tf", "--output", "html=page.html", "--quiet"]) == 1
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "every-region-target" in text
    assert 'class="full"' in text
    assert run(["check", "main.tf", "--output", "html=-"]) == 2


@pytest.mark.full
@pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("BLASTDOOR_REQUIRE_CHROMIUM"), reason="no Chromium"
)
def test_a_person_can_work_with_it(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(written(page([finding(i) for i in range(50_000)])), encoding="utf-8")
    with browser(tmp_path / "profile") as shown:
        shown.open(file)
        assert shown.run("document.querySelectorAll('#rows tr').length") == 100
        assert shown.run("document.getElementById('count').textContent") == "1 to 100 of 50,000"
        shown.run(
            "(() => { const t = document.getElementById('text'); t.value = 'number 4999';"
            " t.dispatchEvent(new Event('input')); })()"
        )
        began = time.perf_counter()
        shown.run("new Promise(done => setTimeout(done, 200))")
        assert time.perf_counter() - began < 10
        assert shown.run("document.getElementById('count').textContent") == "1 to 11 of 11"
        shown.run("document.querySelector('#rows button').click()")
        assert "data.aws_regions.all.names" in shown.run(
            "document.querySelector('.detail').textContent"
        )
        assert shown.run("document.querySelector('#rows button').ariaExpanded") == "true"
        shown.run("document.getElementById('clear').click()")
        shown.run("document.querySelector('button[data-axis=\"accounts\"]').click()")
        assert shown.run("document.getElementById('axis').value") == "accounts"
        assert shown.run("document.getElementById('count').textContent").endswith("of 25,000")
        shown.run("document.dispatchEvent(new KeyboardEvent('keydown', {key: '/'}))")
        assert shown.run("document.activeElement.id") == "text"
        before = shown.run("getComputedStyle(document.body).backgroundColor")
        shown.run("document.getElementById('theme').click()")
        assert shown.run("getComputedStyle(document.body).backgroundColor") != before
        assert shown.console == []
