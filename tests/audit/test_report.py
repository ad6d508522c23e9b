"""The HTML report: its data, its escapes, its policy."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from tests.audit.conftest import EVERY, QUEUE, ROLLOUT, Audits, Make, commit, write
from tests.audit.made import filled

from blastdoor.audit import report
from blastdoor.audit.store import Store
from blastdoor.cli import run
from blastdoor.report.html.page import Card, embedded, page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

HOSTILE = "</script><img src=x onerror=alert(1)>&\u2028\u202e'\""


class Parts(HTMLParser):
    """What a browser would see: elements, and the text of each script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.raw: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in ("script", "style"):
            self.raw.append("")

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1] in ("script", "style") and self.raw:
            self.raw[-1] += data
        self.texts.append(data)


def _data(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


def test_hostile_words_are_never_markup() -> None:
    text = page({"a": [HOSTILE]}, HOSTILE, HOSTILE, [Card(HOSTILE, HOSTILE, HOSTILE)])
    parts = Parts(text)

    assert "img" not in parts.elements
    assert not [name for name, _value in parts.attributes if name.startswith("on")]
    assert parts.elements.count("script") == 2
    assert _data(text) == {"a": [HOSTILE]}
    assert "\u202e" not in "".join(parts.texts[: parts.texts.index("blastdoor")])


def test_data_cannot_end_its_block() -> None:
    text = embedded({HOSTILE: "<!--<script>"})

    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == {HOSTILE: "<!--<script>"}


def test_the_policy_allows_what_the_page_carries_and_nothing_else() -> None:
    text = page({}, "a", "b", [])
    policy = re.search('Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].split(";"))

    def digest(element: str) -> str:
        found = re.findall(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert len(found) == 1
        return f"'sha256-{base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()}'"

    assert rules == {
        "default-src": "'none'",
        "script-src": digest("script"),
        "style-src": digest("style"),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not [value for name, value in Parts(text).attributes if name == "style"]
    assert "url(" not in text
    assert "@import" not in text


def test_an_audit_writes_its_report(audits: Audits, make: Make, tmp_path: Path) -> None:
    net = make("net", {"main.tf": EVERY, "CODEOWNERS": "* @acme/net\n"})
    make("app", {"main.tf": QUEUE})
    logs = tmp_path / "logs of it"
    code = audits(
        net.parent, "--report", tmp_path / "audit.html", "--sarif-dir", logs, "--no-progress"
    )
    data = _data((tmp_path / "audit.html").read_text("utf-8"))

    assert code == 0
    assert [one[0] for one in data["repositories"]] == ["net", "app"]  # type: ignore[attr-defined]
    assert data["repositories"][0][9] == "./logs%20of%20it/net.sarif"  # type: ignore[index]
    assert data["totals"]["every_region"] == 1  # type: ignore[index]
    strings = data["strings"]
    rules = {strings[row[2]] for row in data["findings"]}  # type: ignore[attr-defined,index]
    assert "every-region-target" in rules
    owners = {strings[row[13]] for row in data["findings"]}  # type: ignore[attr-defined,index]
    assert owners == {"@acme/net"}
    url = data["rules"]["every-region-target"]["url"]  # type: ignore[index]
    assert url.endswith("rules/region/every-region-target.md")
    assert data["trend"] is None


def test_the_trend_marks_what_is_new(audits: Audits, make: Make, tmp_path: Path) -> None:
    net = make("net", {"main.tf": EVERY})
    audits(net)
    commit(net, {"rollout.tf": ROLLOUT})
    audits(net, "--report", tmp_path / "audit.html")
    data = _data((tmp_path / "audit.html").read_text("utf-8"))
    trend, findings = data["trend"], data["findings"]

    assert trend["new"] == sum(row[15] for row in findings) > 0  # type: ignore[index,attr-defined]
    assert trend["gone"] == 0  # type: ignore[index]
    assert [one["id"] for one in data["history"]] == [1, 2]  # type: ignore[attr-defined]


def test_a_report_can_be_drawn_from_a_store_that_is_there(
    audits: Audits, make: Make, tmp_path: Path
) -> None:
    audits(make("net", {"main.tf": EVERY}))
    assert audits("--report", tmp_path / "later.html") == 0
    assert _data((tmp_path / "later.html").read_text("utf-8"))["findings"]


def test_a_report_without_an_audit_is_an_error(audits: Audits, tmp_path: Path) -> None:
    assert audits("--report", tmp_path / "a.html") == 2
    assert "no store" in audits.err
    assert audits(".", "--report", tmp_path / "missing" / "a.html") == 2
    assert "directory does not exist" in audits.err


def test_a_page_holds_the_worst_and_counts_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_FINDINGS", 100)
    monkeypatch.setattr(report, "MAX_ROWS", 30)
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        filled(store, 4, 90)
        data = report.told(store.connection, 2)

    assert len(data["findings"]) == 100
    assert {row[1] for row in data["findings"]} == {0}
    assert len(data["regions"]["rows"]) == 30
    assert data["regions"]["more"] == 4 * 40 - 30


def test_reach_is_told_by_region() -> None:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row

    def names(reach: str, known: int, pinned: int | None, breadth: int) -> list[str]:
        sql = "SELECT ? AS reach, ? AS known, ? AS pinned, ? AS breadth"
        return report._names(connection.execute(sql, (reach, known, pinned, breadth)).fetchone())

    assert names("every region", 1, None, 1000) == ["every region"]
    assert names("global", 0, None, 0) == ["global"]
    assert names("unknown: var.region: not known", 0, None, 0) == ["not known"]
    assert names("one region, decided by the environment", 1, 0, 1) == ["environment decides"]
    assert names("eu-west-1, eu-west-2 and us-east-1", 1, 1, 3) == [
        *("eu-west-1", "eu-west-2", "us-east-1")
    ]
    assert names("eu-west-1 and 7 more", 1, 1, 8) == ["eu-west-1", "other regions"]


def test_lines_are_linked_where_the_forge_is_known() -> None:
    commit_ = "a" * 40
    address = "https://github.com/acme/net.git"

    assert report._address(address, commit_) == f"https://github.com/acme/net/blob/{commit_}/"
    assert report._address("https://git.acme.example/net", commit_) == ""
    assert report._address("javascript:alert(1)", commit_) == ""
    assert report._address(address, "") == ""


def test_check_writes_one_repository(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "net"
    write(where, {"live/main.tf": EVERY, "live/<b>.tf": ROLLOUT})
    code = run(["check", str(where), "--output", f"html={tmp_path / 'r.html'}", "--isolated"])
    text = (tmp_path / "r.html").read_text("utf-8")
    data = _data(text)

    assert code == 1, capsys.readouterr().err
    assert data["single"] is True
    assert data["totals"]["every_region"] == 1  # type: ignore[index]
    assert any("<b>.tf" in word for word in data["strings"])  # type: ignore[attr-defined]
    assert "<b>" not in text


def test_check_writes_a_page_for_nothing_found(tmp_path: Path) -> None:
    where = tmp_path / "net"
    write(where, {"main.tf": QUEUE})
    run(["check", str(where), "--output", f"html={tmp_path / 'r.html'}", "--select", "grant"])
    assert _data((tmp_path / "r.html").read_text("utf-8"))["findings"] == []
