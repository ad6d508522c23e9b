"""An audit from the command line to the store."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.audit.conftest import (
    BROKEN,
    ENVIRONMENT,
    EVERY,
    QUEUE,
    ROLLOUT,
    TEMPLATE,
    commit,
    dump,
    git,
    program,
    write,
)

from blastdoor.audit import identity
from blastdoor.audit.store import Store, StoreError
from blastdoor.cli import run

if TYPE_CHECKING:
    from tests.audit.conftest import Audits, Make

AGENT = "Co-authored-by: Cursor <cursoragent@cursor.com>"


@pytest.fixture
def three(make: Make) -> None:
    make("net", {"live/prod/main.tf": EVERY, "CODEOWNERS": "* @acme/net\n/live/ @acme/live\n"})
    make("shop", {"prod/deploy.tf": ROLLOUT, "role.yaml": TEMPLATE})
    make("small", {"main.tf": QUEUE})


@pytest.mark.usefixtures("three")
def test_an_audit_says_what_check_says(
    audits: Audits, clones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audits(clones) == 0

    for name in ("net", "shop", "small"):
        run(["check", str(clones / name), "--format", "json", "--isolated"])
        said = json.loads(capsys.readouterr().out)
        expected = [
            (f["fingerprint"], f["message"], f["level"], f["path"], f["start"]["line"])
            for f in said["findings"]
        ]
        found = audits.rows(
            "SELECT fingerprint, message, level, path, line FROM findings WHERE repository = ?"
            " ORDER BY rank",
            name,
        )
        assert found == expected
    assert audits.rows("SELECT name FROM repository ORDER BY name") == [
        ("net",),
        ("shop",),
        ("small",),
    ]
    assert "3 repositories" in audits.err


@pytest.mark.usefixtures("three")
def test_what_has_not_changed_is_not_analysed_again(audits: Audits, clones: Path) -> None:
    audits(clones)
    before = dump(audits.store)
    assert audits(clones) == 0

    assert audits.rows("SELECT reused FROM ledger WHERE audit = 2") == [(1,)] * 3
    assert dump(audits.store) == before
    assert audits.rows("SELECT count(*) FROM result") == [(3,)]

    commit(clones / "small", {"main.tf": QUEUE.replace("eu-west-1", "eu-central-1")})
    audits(clones)
    again = audits.rows(
        "SELECT r.name, l.reused FROM ledger l JOIN repository r ON r.id = l.repository"
        " WHERE l.audit = 3 ORDER BY 1"
    )
    assert again == [("net", 1), ("shop", 1), ("small", 0)]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    "further",
    [
        ["--exclude", "live/**"],
        ["--ignore", "GRT001"],
        ["--no-inline-suppressions"],
        ["--select", "region"],
    ],
)
def test_another_question_is_another_result(
    audits: Audits, clones: Path, further: list[str]
) -> None:
    audits(clones)
    audits(clones, *further)

    assert audits.rows("SELECT sum(reused) FROM ledger WHERE audit = 2") == [(0,)]


@pytest.mark.usefixtures("three")
def test_a_changed_rule_is_another_result(audits: Audits, clones: Path, tmp_path: Path) -> None:
    write(tmp_path, {"audit.toml": 'rules = ["own"]\n'})
    assert (
        run(["rules", "new", "odd-queue", "--folder", "own", "--match", "aws_sqs_queue.name"]) == 0
    )
    audits(clones, "--config", "audit.toml")
    assert audits.rows("SELECT count(*) FROM findings WHERE rule = 'odd-queue'") == [(1,)]
    text = (tmp_path / "own/odd-queue.md").read_text("utf-8")
    (tmp_path / "own/odd-queue.md").write_text(text.replace("level: warning", "level: error"))
    audits(clones, "--config", "audit.toml")

    levels = "SELECT level FROM findings WHERE rule = 'odd-queue' AND audit = ?"
    assert audits.rows(levels, 1) == [("warning",)]
    assert audits.rows(levels, 2) == [("error",)]
    assert audits.rows("SELECT sum(reused) FROM ledger WHERE audit = 2") == [(0,)]


def test_the_digest_sees_every_page_and_table_and_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path, {"rules/a/one.md": "1", "rules/tables/t.json": "1", "rules/notes.txt": "1"})
    monkeypatch.setattr("blastdoor.tables.home", lambda: tmp_path / "rules")
    before = identity.engine_digest(())
    seen = {before}
    for name in ("rules/a/one.md", "rules/tables/t.json"):
        write(tmp_path, {name: "2"})
        seen.add(identity.engine_digest(()))
    write(tmp_path, {"further/b.md": "1"})
    seen.add(identity.engine_digest([str(tmp_path / "further")]))
    monkeypatch.setattr(identity, "__version__", "9.9.9")
    seen.add(identity.engine_digest(()))

    assert len(seen) == 5


def test_a_folder_is_known_by_its_content(audits: Audits, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    write(plain, {"main.tf": QUEUE, ".terraform/modules/modules.json": "{}"})
    stamp = (plain / "main.tf").stat()
    audits(plain)
    audits(plain)
    (plain / "main.tf").write_text(QUEUE.replace("eu-west-1", "eu-west-2"), encoding="utf-8")
    os.utime(plain / "main.tf", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    audits(plain)
    write(plain, {".terraform/modules/modules.json": '{"Modules": []}'})
    audits(plain)

    assert audits.rows("SELECT reused FROM ledger ORDER BY audit") == [(0,), (1,), (0,), (0,)]
    assert audits.ask("widest-reach", "--audit", 3)[0]["reach"] == "eu-west-2"


def test_a_repository_does_not_configure_its_own_audit(audits: Audits, make: Make) -> None:
    where = make("own", {"main.tf": EVERY, "blastdoor.toml": 'ignore = ["every-region-target"]\n'})
    rules = "SELECT DISTINCT rule FROM findings WHERE audit = ? AND rule = 'every-region-target'"

    audits(where)
    assert audits.rows(rules, 1) == [("every-region-target",)]
    audits(where, "--trust-config")
    assert audits.rows(rules, 2) == []


def test_a_trusted_configuration_that_cannot_be_used_is_a_failure(
    audits: Audits, make: Make
) -> None:
    where = make("own", {"main.tf": EVERY, "blastdoor.toml": 'ignore = ["no-such-rule"]\nx = 1\n'})

    audits(where, "--trust-config")
    (row,) = audits.ask("failures")
    assert (row["kind"], row["path"]) == ("configuration", "blastdoor.toml")
    assert audits.rows("SELECT count(*) FROM findings WHERE rule = 'every-region-target'") == [(1,)]


def test_a_suppression_with_a_last_day_is_looked_at_each_day(
    audits: Audits, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = '# blastdoor: ignore[every-region-target] reason="known" until=2027-01-01\n'
    where = make("dated", {"main.tf": EVERY.replace("  regions ", f"  {comment}  regions ")})
    days = iter(["2026-11-27", "2026-11-27", "2027-02-01"])

    class Clock:
        UTC = __import__("datetime").UTC

        class datetime:  # noqa: N801  the library's own
            @staticmethod
            def now(tz: object) -> Clock.datetime:
                return Clock.datetime()

            def date(self) -> Clock.datetime:
                return self

            def isoformat(self, timespec: str = "") -> str:
                return "2026-11-27T00:00:00" if timespec else next(days)

    monkeypatch.setattr("blastdoor.cli.audit.dt", Clock)
    for _ in range(3):
        audits(where)

    assert audits.rows("SELECT reused FROM ledger ORDER BY audit") == [(0,), (1,), (0,)]
    open_ = "SELECT count(*) FROM findings WHERE audit = ? AND suppressed IS NULL AND rule = ?"
    assert audits.rows(open_, 2, "every-region-target") == [(0,)]
    assert audits.rows(open_, 3, "every-region-target") == [(1,)]


@pytest.mark.usefixtures("three")
def test_a_bare_mirror_is_read_from_its_objects(
    audits: Audits, clones: Path, tmp_path: Path
) -> None:
    mirrors = tmp_path / "mirrors"
    mirrors.mkdir()
    for name in ("net", "shop", "small"):
        git(mirrors, "clone", "-q", "--mirror", str(clones / name), f"{name}.git")
    write(clones / "net", {"live/prod/main.tf": "# not committed\n"})
    audits(clones)
    before = dump(audits.store)
    audits(mirrors)

    assert dump(audits.store) == before
    assert audits.rows("SELECT sum(reused) FROM ledger WHERE audit = 2") == [(3,)]


def test_a_revision_can_be_named(audits: Audits, make: Make) -> None:
    where = make("net", {"main.tf": EVERY})
    git(where, "tag", "v1")
    commit(where, {"main.tf": QUEUE})
    audits(where, "--revision", "v1")

    assert audits.rows("SELECT count(*) FROM findings WHERE rule = 'every-region-target'") == [(1,)]
    assert audits(where, "--revision", "v2") == 2
    assert "v2 names no commit" in audits.err


def test_owners_environments_and_agents(audits: Audits, make: Make) -> None:
    where = make(
        "net",
        {"live/prod/main.tf": EVERY, "CODEOWNERS": "* @acme/net\n/live/ @acme/live\n"},
    )
    commit(where, {"live/prod/deploy.tf": ROLLOUT}, f"deploys\n\n{AGENT}\n")
    commit(where, {"live/prod/main.tf": f"# a comment\n{EVERY}"})
    audits(where)

    written = audits.ask("changed-by-agent")
    assert {(row["path"], row["owner"]) for row in written} == {
        ("live/prod/deploy.tf", "@acme/live")
    }
    assert {row["agent"] for row in written} == {"Cursor"}
    assert audits.ask("changed-by-agent", "--agent", "Copilot%") == []
    (rollout,) = audits.ask("all-at-once")
    assert rollout["environment"] == "production"
    assert rollout["rule"] == "all-at-once"
    widest = audits.ask("widest-reach")[0]
    assert (widest["axis"], widest["breadth"]) == ("regions", 1000)
    assert (widest["owner"], widest["environment"]) == ("@acme/live", "production")


def test_a_line_that_a_person_wrote_over_is_no_agent_s(audits: Audits, make: Make) -> None:
    where = make("net", {"notes.md": ""})
    commit(where, {"main.tf": EVERY}, f"regions\n\n{AGENT}\n")
    changed = EVERY.replace("= data.aws", "=   data.aws")
    commit(where, {"main.tf": changed})
    audits(where)

    assert audits.rows("SELECT rule FROM findings WHERE rule = 'every-region-target'")
    assert [
        row for row in audits.ask("changed-by-agent") if row["rule"] == "every-region-target"
    ] == []


def test_what_does_not_parse_is_a_failure_of_a_file(audits: Audits, make: Make) -> None:
    make("good", {"main.tf": QUEUE})
    where = make("bad", {"main.tf": BROKEN, "more.tf": EVERY})
    assert audits(where.parent) == 0

    (row,) = audits.ask("failures")
    assert (row["repository"], row["part"], row["kind"], row["line"]) == (
        "bad",
        "file",
        "syntax",
        2,
    )


def test_trends_by_fingerprint(audits: Audits, make: Make) -> None:
    where = make("net", {"main.tf": EVERY, "role.yaml": TEMPLATE})
    make("other", {"main.tf": EVERY})
    audits(where.parent)
    commit(where, {"main.tf": f"\n\n\n{EVERY}", "deploy.tf": ROLLOUT, "role.yaml": "a: 1\n"})
    audits(where.parent)
    trend = {(row["repository"], row["rule"]): row for row in audits.ask("trend")}

    def counts(*key: str) -> list[object]:
        return [trend[key][word] for word in ("new", "gone", "unchanged")]  # type: ignore[index]  # a pair

    assert counts("net", "every-region-target") == [0, 0, 1]
    assert counts("net", "all-at-once") == [1, 0, 0]
    assert counts("net", "admin-grant") == [0, 1, 0]
    assert counts("other", "every-region-target") == [0, 0, 1]
    states = {(row["state"], row["rule"]) for row in audits.ask("changes")}
    assert {("new", "all-at-once"), ("gone", "admin-grant")} <= states
    assert "every-region-target" not in {rule for _state, rule in states}


def test_a_repository_that_fails_is_not_gone(audits: Audits, make: Make) -> None:
    where = make("net", {"main.tf": EVERY})
    audits(where)
    (where / ".git/refs/heads/main").unlink()
    assert audits(where) == 2

    assert audits.ask("changes") == []
    assert audits.ask("failures")[0]["part"] == "repository"
    assert audits(where, "--allow-failures") == 0


@pytest.mark.usefixtures("three")
def test_one_sarif_log_for_each_repository(audits: Audits, clones: Path, tmp_path: Path) -> None:
    audits(clones)
    audits(clones, "--sarif-dir", "logs")
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    log = json.loads((tmp_path / "logs/net.sarif").read_text("utf-8"))

    assert names == ["net.sarif", "shop.sarif", "small.sarif"]
    assert {r["ruleId"] for r in log["runs"][0]["results"]} >= {"every-region-target"}
    before = (tmp_path / "logs/net.sarif").read_bytes()
    (tmp_path / "logs/net.sarif").unlink()
    audits(clones, "--sarif-dir", "logs")
    assert (tmp_path / "logs/net.sarif").read_bytes() == before
    assert audits.rows("SELECT sum(reused) FROM ledger WHERE audit = 3") == [(3,)]


@pytest.mark.usefixtures("three")
def test_two_stores_of_the_same_audit_say_the_same(
    audits: Audits, clones: Path, tmp_path: Path
) -> None:
    audits(clones)
    first = dump(audits.store)
    audits.store = tmp_path / "other.sqlite"
    audits(clones)

    assert dump(audits.store) == first


@pytest.mark.usefixtures("three")
def test_one_audit_writes_at_a_time(audits: Audits, clones: Path) -> None:
    with Store(str(audits.store), write=True):
        assert audits(clones) == 2
    assert "another audit writes to" in audits.err


def test_a_file_that_is_no_store_stays_as_it_is(audits: Audits, clones: Path, make: Make) -> None:
    make("small", {"main.tf": QUEUE})
    audits.store.write_text("something else, long enough to be no SQLite file at all")
    assert audits(clones) == 2
    assert audits.store.read_text().startswith("something else")
    other = sqlite3.connect(audits.store.with_name("other.sqlite"))
    other.execute("CREATE TABLE a (b)")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="no store of audits"):
        Store(str(audits.store.with_name("other.sqlite")), write=True)


def test_nothing_to_audit(audits: Audits, tmp_path: Path) -> None:
    assert audits() == 2
    assert audits("--resume") == 2
    assert "was broken off" in audits.err
    (tmp_path / "empty.txt").write_text("# nothing\n")
    assert audits("--list", "empty.txt") == 3
    assert audits(tmp_path / "absent") == 2


@pytest.mark.usefixtures("three")
def test_the_log_tells_of_each_repository(audits: Audits, clones: Path, tmp_path: Path) -> None:
    audits(clones)
    rows = [json.loads(row) for row in (tmp_path / "audit.sqlite.log").read_text().splitlines()]

    assert sorted(row["repository"] for row in rows if row["event"] == "began") == [
        "net",
        "shop",
        "small",
    ]
    ended = {row["repository"]: row for row in rows if row["event"] == "ended"}
    assert ended["net"]["state"] == "done"
    assert ended["net"]["cpu"] > 0
    assert ended["net"]["memory"] > 1_000_000


# Broken off


def _many(make: Make, count: int) -> None:
    for number in range(count):
        text = "".join(
            EVERY.replace("orders", f"o{at}").replace("all", f"all{at}") for at in range(90)
        )
        files = {f"m{at}/main.tf": f"# {number}\n{text}" for at in range(3)}
        make(f"r{number:02}", {**files, "role.yaml": TEMPLATE})


def _started(clones: Path, store: Path, *further: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program("audit", *further, "--store", store, "--jobs", 2, *([] if further else [clones])),
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Tests that a shell runs in the background would hand on that Ctrl-C is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  no threads
    )


def _children(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, check=False
    )
    return [int(word) for word in found.stdout.split()]


def _reached(store: Path, done: int, process: subprocess.Popen[bytes]) -> None:
    """Effect: waits until as many repositories are done."""
    for _ in range(2_000):
        if store.exists():
            try:
                connection = sqlite3.connect(store, timeout=10)
                row = connection.execute("SELECT sum(state = 'done') FROM ledger").fetchone()
                connection.close()
            except sqlite3.OperationalError:
                row = (None,)
            if row[0] is not None and row[0] >= done:
                return
        assert process.poll() is None
        time.sleep(0.005)
    pytest.fail("the audit does not get on")


@pytest.mark.parametrize("done", [0, 1, 5, 9])
def test_a_killed_audit_goes_on_with_the_same_results(
    audits: Audits, clones: Path, make: Make, tmp_path: Path, done: int
) -> None:
    _many(make, 10)
    audits(clones)
    expected = dump(audits.store)
    store = tmp_path / "killed.sqlite"
    process = _started(clones, store)
    _reached(store, done, process)
    workers = _children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    for _ in range(50):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            break
        time.sleep(0.1)
    else:
        pytest.fail("workers outlive the audit")
    resumed = _started(clones, store, "--resume")
    _out, err = resumed.communicate(timeout=120)

    # With one left the audit may have ended before the kill came: then there is nothing to go on with.
    ended = done == 9 and b"was broken off" in err
    assert ended or resumed.returncode == 0, err
    assert dump(store) == expected
    connection = sqlite3.connect(store)
    assert connection.execute("SELECT count(*) FROM result").fetchone() == (10,)
    connection.close()


def test_killed_workers_take_nothing_along(
    audits: Audits, clones: Path, make: Make, tmp_path: Path
) -> None:
    _many(make, 10)
    audits(clones)
    expected = dump(audits.store)
    store = tmp_path / "killed.sqlite"
    process = _started(clones, store)
    killed = 0
    # Each repository is tried twice, so that more than one worker killed at a time may fail one.
    while process.poll() is None and killed < 3:
        time.sleep(0.4)
        for pid in _children(process.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    process.communicate(timeout=120)

    assert killed
    found = dump(store)
    if found != expected:
        assert all("SIGKILL" in row for row in set(found["ledger"]) - set(expected["ledger"]))
        assert len(set(found["ledger"]) - set(expected["ledger"])) <= 1


def test_ctrl_c_says_how_to_go_on(clones: Path, make: Make, tmp_path: Path) -> None:
    _many(make, 60)
    store = tmp_path / "stopped.sqlite"
    process = _started(clones, store)
    _reached(store, 2, process)
    workers = _children(process.pid)
    os.kill(process.pid, signal.SIGINT)
    _out, err = process.communicate(timeout=60)

    assert process.returncode == 130, err
    assert b"--resume" in err
    assert b"Traceback" not in err
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    resumed = _started(clones, store, "--resume")
    resumed.communicate(timeout=120)
    assert resumed.returncode == 0
    connection = sqlite3.connect(store)
    assert connection.execute("SELECT count(*) FROM ledger WHERE state = 'done'").fetchone() == (
        60,
    )
    connection.close()
