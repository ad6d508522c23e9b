"""Checkov beside us: a program of its own, its places, levels and crashes."""

from __future__ import annotations

import io
import json
import os
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from blastdoor import engine
from blastdoor.beside import PeerRun
from blastdoor.beside.checkov import Checkov, Same, command_for
from blastdoor.catalog import load
from blastdoor.cli import main
from blastdoor.finding import Finding, Level, Report
from blastdoor.report.sarif import write_sarif

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FAKE = """\
    import json, os, pathlib, sys, time
    assert sys.argv[1:3] == ["--directory", "files"], sys.argv
    files = sorted(p.relative_to("files").as_posix() for p in pathlib.Path("files").rglob("*.*"))
    if "slow.tf" in files:
        time.sleep(60)
    if "deadly.tf" in files:
        print("Traceback ...\\nTypeError: unhashable type: 'dict'", file=sys.stderr)
        sys.exit(2)
    records = []
    for name in files:
        for number, line in enumerate(pathlib.Path("files", name).read_text().splitlines(), 1):
            if line.strip().startswith("resource"):
                records.append({
                    "check_id": "CKV_AWS_293", "check_name": "Ensure protection",
                    "file_path": "/" + name, "file_line_range": [number, number + 3],
                    "resource": "aws_db_instance." + line.split('"')[3],
                    "guideline": "https://example.com/ckv", "severity": None,
                })
    part = {
        "check_type": "terraform",
        "results": {"failed_checks": records, "parsing_errors": ["/files/odd.tf"] * ("odd.tf" in files)},
        "summary": {"checkov_version": "3.0.1"},
    }
    assert not [name for name in os.environ if name.startswith("BC_")]
    print(json.dumps([part, {"passed": 0}]))
    sys.exit(1 if records else 0)
"""
DATABASE = """\
resource "aws_db_instance" "orders" {
  deletion_protection = false
}
"""
OTHER = """\

  resource "aws_db_instance" "stock" {
}
"""


@pytest.fixture
def fake(tmp_path: Path) -> str:
    script = tmp_path / "fake.py"
    script.write_text(textwrap.dedent(FAKE))
    program = tmp_path / ("checkov.cmd" if os.name == "nt" else "checkov")
    if os.name == "nt":
        program.write_text(f'@"{sys.executable}" "{script}" %*\r\n')
    else:
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
        program.chmod(0o755)
    return str(program)


def run(
    program: str, files: Mapping[str, str], ours: Iterable[Finding] = (), timeout: float = 60.0
) -> PeerRun:
    rules = list(load())
    peer = Checkov([program], timeout)
    try:
        peer.start(files)
        peers = {rule.id: rule.peers.get("checkov", ()) for rule in rules}
        levels = {name: rule.level for rule in rules for name in rule.peers.get("checkov", ())}
        return peer.finish(ours, levels, Same(peers))
    finally:
        peer.close()


def test_its_findings_get_places_and_levels_of_ours(fake: str) -> None:
    found = run(fake, {"main.tf": DATABASE, "b/stock.tf": OTHER})

    places = [(f.rule, str(f.span), f.span.begin.column, f.span.text) for f in found.findings]
    assert places == [
        ("CKV_AWS_293", "b/stock.tf:2", 3, 'resource "aws_db_instance" "stock" {'),
        ("CKV_AWS_293", "main.tf:1", 1, 'resource "aws_db_instance" "orders" {'),
    ]
    assert {f.level for f in found.findings} == {Level.WARNING}
    assert found.version == "3.0.1"
    assert found.failures == []


def test_what_ours_say_already_is_left_out(fake: str) -> None:
    files = {"main.tf": DATABASE, "b/stock.tf": OTHER}
    report = engine.analyze_files(files, list(load()))
    assert "deletion-protection-off" in {finding.rule for finding in report.findings}

    found = run(fake, files, report.findings)

    assert [f.unit for f in found.findings] == ["aws_db_instance.stock"]
    assert found.same == 1


def test_a_file_it_dies_on_is_split_off_and_the_rest_still_runs(fake: str) -> None:
    files = {f"{number}.tf": OTHER for number in range(6)} | {"deadly.tf": "x = 1\n"}

    found = run(fake, files)

    assert [(f.path, f.message) for f in found.failures] == [
        ("deadly.tf", "Checkov: TypeError: unhashable type: 'dict'")
    ]
    assert len(found.findings) == 6
    assert not found.failures[0].fatal


def test_a_file_it_cannot_parse_is_a_failure_of_its(fake: str) -> None:
    found = run(fake, {"odd.tf": "x = = 1\n"})

    assert [(f.path, f.message) for f in found.failures] == [
        ("odd.tf", "Checkov: it cannot parse the file")
    ]


def test_it_is_limited_in_time(fake: str) -> None:
    started = time.monotonic()

    found = run(fake, {"slow.tf": "x = 1\n"}, timeout=1.5)

    assert time.monotonic() - started < 30
    assert [f.message for f in found.failures] == ["Checkov: it took longer than 1.5 s"]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    assert command_for(str(tmp_path / "nothing")) is None

    found = run(str(tmp_path / "nothing"), {"main.tf": DATABASE})

    assert [f.message for f in found.failures] == [
        "Checkov cannot be started: No such file or directory"
    ]


def test_nothing_to_look_at_starts_nothing(fake: str) -> None:
    assert run(fake, {}) == PeerRun("Checkov")


def test_sarif_holds_it_as_a_second_run(fake: str) -> None:
    found = run(fake, {"main.tf": DATABASE, "deadly.tf": "x = 1\n"})
    out = io.StringIO()

    write_sarif(out, Report(), [], version="0.1.0", category="infra", beside=[found])

    ours, theirs = json.loads(out.getvalue())["runs"]
    assert ours["results"] == []
    assert theirs["tool"]["driver"]["name"] == "Checkov"
    assert theirs["tool"]["driver"]["semanticVersion"] == "3.0.1"
    (result,) = theirs["results"]
    assert result["level"] == "warning"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (1, 1, 38)
    assert set(result["partialFingerprints"]) == {"primaryLocationLineHash"}
    (note,) = theirs["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "warning"
    assert theirs["invocations"][0]["executionSuccessful"] is False
    assert [one["automationDetails"]["id"] for one in (ours, theirs)] == ["infra", "infra-checkov"]


def test_the_command_line_adds_what_it_found(
    fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "main.tf").write_text(DATABASE + OTHER)
    monkeypatch.chdir(root)
    monkeypatch.setenv("BC_API_KEY", "a key that nobody is given")

    with pytest.raises(SystemExit) as stopped:
        main(["check", "--select", "GRD001", "--with", f"checkov={fake}"])

    out = capsys.readouterr().out
    assert stopped.value.code == 1
    assert "main.tf:5: warning[CKV_AWS_293]: Ensure protection, aws_db_instance.stock" in out
    assert "Checkov 3.0.1: 1 finding; 1 left out, which blastdoor says already" in out


def test_only_checkov_is_known(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(DATABASE)

    with pytest.raises(SystemExit) as stopped:
        main(["check", str(tmp_path), "--with", "tfsec"])

    assert stopped.value.code == 2
    assert "only checkov is known" in capsys.readouterr().err
