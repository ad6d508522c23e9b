"""The same work on Dask distributed: a cluster that is there, or one of this machine.

A task of Dask keeps a worker process of ours, so that a poison repository ends that and not the worker
of Dask. Dask runs the tasks of workers that die elsewhere; when the scheduler dies, the audit ends, and
the ledger knows what is left. Folders have to be there under the same path on every machine; URLs need
git.
"""

from __future__ import annotations

import json
import queue
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from blastdoor.audit.child import Child
from blastdoor.audit.run import EngineError
from blastdoor.audit.work import CRASH, Job, failed

try:
    from distributed import Client, LocalCluster, WorkerPlugin, get_worker
except ImportError as error:
    message = "--engine dask needs Dask distributed: pip install 'blastdoor[dask]'"
    raise EngineError(message) from error

if TYPE_CHECKING:
    from distributed import Future, Worker

_PLUGIN: Final = "blastdoor-audit"
_PATIENCE: Final = 2.0
"""Seconds between two looks at whether the scheduler is still there."""
_CONNECT: Final = 30
_AHEAD: Final = 2
"""Jobs that a thread of a worker has in reach."""


class Keeper(WorkerPlugin):  # type: ignore[misc]  # it is Any to us
    """What a worker of Dask keeps: worker processes of ours that are idle."""

    name = _PLUGIN

    def setup(self, worker: Worker) -> None:
        """Effect: gives the worker its keeper."""
        worker.blastdoor_children = queue.SimpleQueue()

    def teardown(self, worker: Worker) -> None:
        """Effect: ends the processes that are idle."""
        with suppress(queue.Empty):
            while True:
                worker.blastdoor_children.get_nowait().close()


def perform(order: str) -> bytes:
    """The outcome of a job, both as JSON. Runs on a worker of Dask."""
    idle = get_worker().blastdoor_children
    try:
        child = idle.get_nowait()
    except queue.Empty:
        child = Child()
    try:
        outcome = child.run(Job.from_json(json.loads(order)))
    except BaseException:
        child.close()
        raise
    idle.put(child)
    return json.dumps(outcome, separators=(",", ":")).encode()


class Dask:
    """A cluster. Raises EngineError when there is none at the address."""

    def __init__(self, address: str | None, jobs: int) -> None:
        self._cluster = None
        self._outcomes: queue.SimpleQueue[tuple[int, Future]] = queue.SimpleQueue()
        self._flying: dict[int, Future] = {}
        self._count = 0
        try:
            if address is None:
                self._cluster = LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=50,
                )
            self._client = Client(self._cluster or address, timeout=_CONNECT)
            self._client.register_plugin(Keeper())
        except (OSError, ValueError) as error:
            self.close()
            message = f"no Dask scheduler answers at {address}: {error}"
            raise EngineError(message) from error

    @property
    def width(self) -> int:
        """Some jobs for each thread, so that none waits; at least a few while workers are to come."""
        try:
            threads: int = sum(self._client.nthreads().values())
        except (OSError, ValueError) as error:
            message = f"the scheduler is lost: {error}"
            raise EngineError(message) from error
        return _AHEAD * max(threads, 2)

    def submit(self, token: int, job: Job) -> None:
        """Effect: hands a job to the scheduler."""
        self._count += 1
        future = self._client.submit(
            perform,
            json.dumps(job.to_json(), separators=(",", ":")),
            key=f"blastdoor-{token}-{self._count}",
            pure=False,
        )
        self._flying[token] = future
        future.add_done_callback(lambda done: self._outcomes.put((token, done)))

    def next(self) -> tuple[int, dict[str, Any]]:
        """The next outcome. Raises EngineError when the scheduler is lost."""
        while True:
            with suppress(queue.Empty):
                token, future = self._outcomes.get(timeout=_PATIENCE)
                if self._flying.get(token) is not future:
                    continue
                outcome = self._read(future)
                del self._flying[token]
                return token, outcome
            if self._client.status != "running":
                message = "the scheduler is lost"
                raise EngineError(message)

    def _read(self, future: Future) -> dict[str, Any]:
        if future.status in ("cancelled", "lost"):
            message = "the scheduler is lost"
            raise EngineError(message)
        if future.status == "error":
            # Dask's own: every worker that had it died. Whatever it is, it is told.
            words = f"{type(future.exception()).__name__}: {future.exception()}"
            return {**failed(CRASH, words[:500]), "cost": {"cpu": 0.0, "wall": 0.0, "memory": 0}}
        try:
            outcome: dict[str, Any] = json.loads(future.result(timeout=_CONNECT))
        except (OSError, RuntimeError) as error:
            message = f"the scheduler is lost: {error}"
            raise EngineError(message) from error
        return outcome

    def close(self) -> None:
        """Effect: lets the cluster go; ends it when it is our own."""
        client = getattr(self, "_client", None)
        with suppress(OSError, RuntimeError, TimeoutError):
            if client is not None:
                client.cancel(list(self._flying.values()))
                client.close(timeout=5)
        if self._cluster is not None:
            with suppress(OSError, RuntimeError, TimeoutError):
                self._cluster.close(timeout=10)
