"""The same audit on Dask distributed: real schedulers and workers, ended in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.audit.conftest import ENVIRONMENT, EVERY, TEMPLATE, dump, program

from blastdoor.audit.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.audit.conftest import Audits, Make

pytestmark = pytest.mark.full
pytest.importorskip("distributed")


def _many(make: Make, count: int) -> None:
    for number in range(count):
        text = "".join(
            EVERY.replace("orders", f"o{at}").replace("all", f"all{at}") for at in range(90)
        )
        files = {f"m{at}/main.tf": f"# {number}\n{text}" for at in range(6)}
        make(f"r{number:02}", {**files, "role.yaml": TEMPLATE})


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "cluster.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=ENVIRONMENT, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _scheduler(port: int, host: str = "127.0.0.1") -> list[str]:
    return [
        *(sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", host),
        *("--port", str(port), "--no-dashboard", "--no-show"),
    ]


def _worker(address: str, name: str) -> list[str]:
    return [
        *(
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            address,
            "--no-nanny",
            "--no-dashboard",
        ),
        *("--nthreads", "1", "--name", name, "--death-timeout", "30"),
    ]


def _audit(store: Path, address: str, *sources: object) -> list[str]:
    return program(
        *("audit", *sources, "--store", store, "--engine", "dask", "--scheduler", address)
    )


def _reached(store: Path, done: int, process: subprocess.Popen[bytes]) -> None:
    """Effect: waits until as many repositories are done."""
    for _ in range(3_000):
        if store.exists() and store.stat().st_size:
            try:
                with Store(str(store)) as opened:
                    if opened.tally(1).done >= done:
                        return
            except Exception:  # noqa: BLE001  it is being made
                pass
        assert process.poll() is None
        time.sleep(0.02)
    pytest.fail("the audit does not get on")


def test_a_local_cluster_finds_the_same(
    audits: Audits, make: Make, clones: Path, tmp_path: Path
) -> None:
    _many(make, 4)
    audits(clones)
    store = tmp_path / "dask.sqlite"
    done = subprocess.run(
        program("audit", clones, "--store", store, "--engine", "dask", "--jobs", 2),
        env=ENVIRONMENT,
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert dump(store) == dump(audits.store)


def test_workers_that_are_killed_lose_nothing(
    audits: Audits, make: Make, clones: Path, tmp_path: Path
) -> None:
    _many(make, 16)
    audits(clones)
    store = tmp_path / "dask.sqlite"
    port = _free()
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(_running(_scheduler(port), tmp_path))
        workers = [
            stack.enter_context(_running(_worker(address, f"w{at}"), tmp_path)) for at in range(3)
        ]
        process = stack.enter_context(_running(_audit(store, address, clones), tmp_path))
        for done, worker in zip((2, 6), workers[:2], strict=True):
            _reached(store, done, process)
            os.killpg(worker.pid, signal.SIGKILL)
        assert process.wait(120) == 0

    assert dump(store) == dump(audits.store)


def test_a_scheduler_that_is_lost_is_no_loss(
    audits: Audits, make: Make, clones: Path, tmp_path: Path
) -> None:
    _many(make, 16)
    audits(clones)
    store = tmp_path / "dask.sqlite"
    port = _free()
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        scheduler = stack.enter_context(_running(_scheduler(port), tmp_path))
        stack.enter_context(_running(_worker(address, "first"), tmp_path))
        process = subprocess.Popen(
            _audit(store, address, clones), env=ENVIRONMENT, cwd=tmp_path, stderr=subprocess.PIPE
        )
        _reached(store, 3, process)
        os.killpg(scheduler.pid, signal.SIGKILL)
        _out, err = process.communicate(timeout=120)
        assert process.returncode == 2
        assert b"scheduler is lost" in err
        assert b"--resume" in err

    with Store(str(store)) as opened:
        assert 3 <= opened.tally(1).done < 16
    port = _free()
    address = f"tcp://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(_running(_scheduler(port), tmp_path))
        stack.enter_context(_running(_worker(address, "second"), tmp_path))
        process = stack.enter_context(_running(_audit(store, address, "--resume"), tmp_path))
        assert process.wait(120) == 0

    assert dump(store) == dump(audits.store)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[list[tuple[str, str]]]:
    """(network namespace, address) of three hosts that see each other over a bridge."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need ip and root")
    mark = f"bd{os.getpid() % 100_000}"
    made = []
    try:
        try:
            _ip("link", "add", mark, "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode()}")
        _ip("link", "set", mark, "up")
        for number in range(1, 4):
            name, address = f"{mark}n{number}", f"10.213.77.{number}"
            _ip("netns", "add", name)
            made.append((name, address))
            _ip(
                "link",
                "add",
                f"{mark}v{number}",
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                name,
            )
            _ip("link", "set", f"{mark}v{number}", "master", mark, "up")
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield made
    finally:
        for name, _address in made:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", mark], check=False, capture_output=True)


def test_hosts_of_their_own(
    audits: Audits, make: Make, clones: Path, tmp_path: Path, hosts: list[tuple[str, str]]
) -> None:
    _many(make, 8)
    audits(clones)
    store = tmp_path / "dask.sqlite"
    address = f"tcp://{hosts[0][1]}:8786"

    def on(number: int, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", hosts[number][0], *command]

    with ExitStack() as stack:
        stack.enter_context(_running(on(0, _scheduler(8786, hosts[0][1])), tmp_path))
        first, _second = [
            stack.enter_context(_running(on(at, _worker(address, f"host{at}")), tmp_path))
            for at in (1, 2)
        ]
        process = stack.enter_context(_running(on(0, _audit(store, address, clones)), tmp_path))
        _reached(store, 2, process)
        os.killpg(first.pid, signal.SIGKILL)
        assert process.wait(120) == 0

    assert dump(store) == dump(audits.store)
