"""Worker processes that meet what no repository should hold: the neighbours do not notice."""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.audit.conftest import EVERY, write
from tests.audit.made import result

from blastdoor.audit.child import Child
from blastdoor.audit.identity import engine_digest
from blastdoor.audit.run import Local, Run, log_name
from blastdoor.audit.setup import TREE, Setup, Target
from blastdoor.audit.store import Store
from blastdoor.audit.work import CRASH, Job, failed
from blastdoor.audit.worker import command

if TYPE_CHECKING:
    from pathlib import Path

POISON = """\
import ctypes, json, os, sys, time
sys.path[:] = json.loads(sys.argv.pop())
from blastdoor.audit import worker
real = worker.work
def work(job, desk):
    name = job.target.name
    if name == "memory":
        held = []
        while True:
            held.append(bytearray(50_000_000))
    if name == "segfault":
        ctypes.string_at(0)
    if name == "endless":
        while True:
            pass
    if name == "asleep":
        time.sleep(1_000)
    if name == "exit":
        os._exit(7)
    if name == "deep":
        raise RecursionError
    if name == "noise":
        print("{}" * 1_000, flush=True)
        os.write(1, b"noise")
    if name == "error":
        raise KeyError("a bug")
    if name == "once" and not os.path.exists(os.environ["BLASTDOOR_TEST_MARK"]):
        open(os.environ["BLASTDOOR_TEST_MARK"], "w").close()
        os._exit(9)
    return real(job, desk)
worker.work = work
worker.main()
"""
WORDS = {
    "memory": ("limit", "memory"),
    "segfault": ("crash", "SIGSEGV"),
    "endless": ("limit", "CPU time"),
    "asleep": ("limit", "from start to end"),
    "exit": ("crash", "ended with 7"),
    "deep": ("internal", "recursion"),
    "error": ("crash", "KeyError"),
}


@pytest.fixture
def start() -> list[str]:
    """The command of a worker that misbehaves where the name of a repository says so."""
    return [sys.executable, "-I", "-c", POISON, command()[-1]]


def _setup() -> Setup:
    return Setup(engine=engine_digest(()), seconds=1, memory=600)


class Told:
    """Notes what happened."""

    def __init__(self) -> None:
        self.ended_: list[tuple[str, str, int]] = []

    def began(self, target: Target) -> None:
        """Nothing is noted."""

    def ended(self, target: Target, outcome: dict[str, object], attempts: int) -> None:
        """Effect: notes the outcome."""
        self.ended_.append((target.name, str(outcome["state"]), attempts))


def test_poison_takes_no_neighbour_along(
    tmp_path: Path, start: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Setup, "wall", lambda _self: 4.0)
    folder = tmp_path / "code"
    write(folder, {"main.tf": EVERY})
    good = [f"good{number:02}" for number in range(30)]
    names = sorted([*good, *WORDS], key=lambda name: name[::-1])
    targets = [Target(name, TREE, str(folder)) for name in [*names, "noise"]]
    setup = _setup()
    told = Told()
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        number = store.begin(targets, setup, started="", day="2026-11-27", left_out={})
        engine = Local(2, start)
        try:
            Run(store, number, setup, day="2026-11-27", watchers=[told]).all(engine)
        finally:
            engine.close()
        rows = store.connection.execute(
            "SELECT r.name, l.state, l.kind, l.reason, l.attempts FROM ledger l"
            " JOIN repository r ON r.id = l.repository"
        ).fetchall()
        found = {row["name"]: row for row in rows}
        (results,) = store.connection.execute("SELECT count(*) FROM result").fetchone()

    assert {name for name, row in found.items() if row["state"] == "done"} == {*good, "noise"}
    assert results == 1
    for name, (kind, words) in WORDS.items():
        assert (found[name]["state"], found[name]["kind"]) == ("failed", kind), name
        assert words in found[name]["reason"]
        assert found[name]["attempts"] == (2 if kind == "crash" else 1)
    assert sorted(name for name, _state, _attempts in told.ended_) == sorted([*names, "noise"])


def test_a_worker_that_crashed_once_is_tried_again(
    tmp_path: Path, start: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLASTDOOR_TEST_MARK", str(tmp_path / "mark"))
    write(tmp_path / "code", {"main.tf": EVERY})
    setup = _setup()
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        targets = [Target("once", TREE, str(tmp_path / "code"))]
        number = store.begin(targets, setup, started="", day="", left_out={})
        engine = Local(1, start)
        try:
            Run(store, number, setup, day="").all(engine)
        finally:
            engine.close()
        row = store.connection.execute("SELECT state, attempts FROM ledger").fetchone()

    assert tuple(row) == ("done", 2)


class Crashing:
    """An engine whose first worker dies."""

    width = 1

    def __init__(self, crashes: int) -> None:
        self._crashes = crashes
        self._tokens: list[int] = []

    def submit(self, token: int, job: Job) -> None:
        self._tokens.append(token)

    def next(self) -> tuple[int, dict[str, object]]:
        self._crashes -= 1
        cost = {"cpu": 0.0, "wall": 0.0, "memory": 0}
        if self._crashes >= 0:
            return self._tokens.pop(), {**failed(CRASH, "ended"), "cost": cost}
        done = {"state": "done", "key": "k", "commit": "", "reason": None, "result": result(1, 2)}
        return self._tokens.pop(), {**done, "cost": cost}

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("crashes", "failures"), [(1, 0), (2, 1)])
def test_runs_that_were_ended_say_nothing_against_a_repository(
    tmp_path: Path, crashes: int, failures: int
) -> None:
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        setup = Setup()
        audit = store.begin([Target("a", TREE, "a")], setup, started="", day="", left_out={})
        for _run in range(3):
            (one,) = store.pending(audit)
            store.take(audit, one.repository)
            store.reopen(audit)
        Run(store, audit, setup, day="").all(Crashing(crashes))
        assert store.tally(audit).failed == failures


def test_a_clean_worker_is_used_again_and_no_other(tmp_path: Path, start: list[str]) -> None:
    write(tmp_path / "code", {"main.tf": EVERY})
    child = Child(start)
    setup = _setup()

    def pid_after(name: str) -> int | None:
        child.run(Job(Target(name, TREE, str(tmp_path / "code")), setup, today="2026-11-27"))
        return child.pid

    first = pid_after("good")
    assert first is not None
    assert pid_after("good") == first
    assert pid_after("deep") is None
    assert pid_after("good") not in (None, first)
    child.close()
    assert child.pid is None
    outcome = child.run(Job(Target("good", TREE, str(tmp_path / "code")), setup))
    assert outcome["state"] == "failed"


def test_a_worker_that_is_stopped_lets_go_of_whoever_waits_for_it(tmp_path: Path) -> None:
    silent = [sys.executable, "-S", "-c", "import sys; sys.stdin.buffer.read(1); sys.stdin.read()"]
    job = Job(Target("a", TREE, str(tmp_path)), Setup(engine="0" * 64, seconds=600))
    for _ in range(30):
        child = Child(silent)
        outcomes: list[object] = []
        thread = threading.Thread(target=lambda c=child, o=outcomes: o.append(c.run(job)))
        thread.start()
        while child.pid is None:
            time.sleep(0.001)
        child.stop()
        thread.join(30)
        assert not thread.is_alive()
        child.close()
        assert outcomes
        assert child.run(job)["state"] == "failed"


def test_real_limits_hold_for_real_code(tmp_path: Path) -> None:
    text = "".join(
        EVERY.replace("orders", f"o{at}").replace('"all"', f'"a{at}"') for at in range(400)
    )
    write(tmp_path / "code", {f"m{at}/main.tf": text for at in range(60)})
    child = Child()
    target = Target("large", TREE, str(tmp_path / "code"))
    began = time.perf_counter()
    outcome = child.run(Job(target, Setup(engine=engine_digest(()), seconds=1), today="2026-11-27"))

    assert outcome["reason"] == {"kind": "limit", "message": "took more than 1 s of CPU time"}
    assert time.perf_counter() - began < 30
    child.close()


def test_a_worker_with_other_rules_does_not_pretend(tmp_path: Path) -> None:
    write(tmp_path / "code", {"main.tf": EVERY})
    child = Child()
    outcome = child.run(Job(Target("a", TREE, str(tmp_path / "code")), Setup(engine="0" * 64)))
    child.close()

    assert outcome["reason"]["kind"] == "internal"
    assert "other rules" in outcome["reason"]["message"]


def test_a_job_survives_its_journey() -> None:
    setup = Setup(
        engine="e",
        folders=("/a",),
        levels={"a": "note"},
        environments={"live/**": "production"},
        paths=(("x/**", ("a", "b")),),
        include=("a",),
    )
    job = Job(Target("n", TREE, "/p", "r", "o"), setup, [("k", "", "o")], "2026-11-27")
    back = Job.from_json(json.loads(json.dumps(job.to_json())))

    assert (back.target, back.setup, back.known, back.today) == (
        job.target,
        job.setup,
        job.known,
        job.today,
    )
    assert back.setup.digest == setup.digest


def test_limits_and_logs_change_no_key() -> None:
    base = Setup(engine="e")

    assert base.digest == Setup(engine="e", memory=1, seconds=1, sarif=True).digest
    assert base.digest != Setup(engine="e", ignore=("a",)).digest
    assert base.digest != Setup(engine="f").digest


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("net", "net.sarif"),
        ("acme/net", "acme%2Fnet.sarif"),
        ("../../etc/passwd", None),
        ("a" * 400, None),
        (".hidden", None),
    ],
)
def test_names_of_logs_stay_in_their_folder(name: str, file: str | None) -> None:
    found = log_name(name)

    assert "/" not in found
    assert not found.startswith(".")
    assert len(found) < 200
    assert file is None or found == file
