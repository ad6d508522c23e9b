"""One audit: pending repositories to workers, outcomes to the store, until nothing is pending.

The loop itself does no work. It may be ended at any moment: what is done is in the store, and
`Store.reopen` gives back what was on its way.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from blastdoor.audit.child import Child
from blastdoor.audit.work import CRASH, DONE, FAILED, Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from blastdoor.audit.setup import Setup, Target
    from blastdoor.audit.store import Open, Store

ATTEMPTS: Final = 2
"""How often one run tries a repository whose worker crashes; limits and errors are not tried again.

What was begun by a run that was itself ended does not count: that says nothing about the repository.
"""
_MAX_NAME: Final = 150

Outcome = dict[str, Any]


class EngineError(Exception):
    """Workers that cannot be reached any more; what is done is in the store."""


class Engine(Protocol):
    """Where the work is done."""

    @property
    def width(self) -> int:
        """How many jobs it can hold at a time."""

    def submit(self, token: int, job: Job) -> None:
        """Effect: begins a job."""

    def next(self) -> tuple[int, Outcome]:
        """The token and outcome of a job that has ended. Effect: waits. Raises EngineError."""

    def close(self) -> None:
        """Effect: ends what still works."""


class Watcher(Protocol):
    """Somebody who is told what happens."""

    def began(self, target: Target) -> None:
        """A repository is being worked on."""

    def ended(self, target: Target, outcome: Outcome, attempts: int) -> None:
        """A repository has its outcome, which is in the store."""


class Local:
    """Workers on this machine, one process and one thread that waits for it each."""

    def __init__(self, jobs: int, start: Sequence[str] | None = None) -> None:
        """``start`` is the command of a worker, by default our own."""
        self._orders: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[tuple[int, Outcome]] = queue.SimpleQueue()
        self.children = [Child(start) for _ in range(jobs)]
        self._threads = [
            threading.Thread(target=self._keep, args=(child,), daemon=True)
            for child in self.children
        ]
        for thread in self._threads:
            thread.start()

    @property
    def width(self) -> int:
        """One for each worker, and one that waits for the next to be free."""
        return len(self.children) + 1

    def _keep(self, child: Child) -> None:
        while (order := self._orders.get()) is not None:
            token, job = order
            self._outcomes.put((token, child.run(job)))

    def submit(self, token: int, job: Job) -> None:
        """Effect: puts a job in the queue."""
        self._orders.put((token, job))

    def next(self) -> tuple[int, Outcome]:
        """The next outcome."""
        return self._outcomes.get()

    def close(self) -> None:
        """Effect: ends every worker at once."""
        for _child in self.children:
            self._orders.put(None)
        for child in self.children:
            child.stop()
        for thread in self._threads:
            thread.join()
        for child in self.children:
            child.close()


class Run:
    """The run of one audit over what is pending in its ledger."""

    def __init__(
        self,
        store: Store,
        audit: int,
        setup: Setup,
        *,
        day: str,
        watchers: Sequence[Watcher] = (),
        logs: Path | None = None,
    ) -> None:
        """``logs`` is the folder that SARIF logs go to."""
        self.store = store
        self.audit = audit
        self.setup = setup
        self.day = day
        self.watchers = watchers
        self.logs = logs

    def all(self, engine: Engine) -> None:
        """Effect: works off what is pending. Raises EngineError, KeyboardInterrupt."""
        waiting = self.store.pending(self.audit)[::-1]
        flying: dict[int, Open] = {}
        crashes: Counter[int] = Counter()
        while waiting or flying:
            while waiting and len(flying) < engine.width:
                one = waiting.pop()
                one = one._replace(attempts=one.attempts + 1)
                flying[one.repository] = one
                self._begin(engine, one)
            token, outcome = engine.next()
            one = flying.pop(token)
            crashed = outcome["state"] == FAILED and outcome["reason"]["kind"] == CRASH
            if crashed:
                crashes[token] += 1
                if crashes[token] < ATTEMPTS:
                    waiting.append(one)
                    continue
            self._end(one, outcome)

    def _begin(self, engine: Engine, one: Open) -> None:
        self.store.take(self.audit, one.repository)
        known = self.store.known(one.repository, sarif=self.setup.sarif)
        engine.submit(one.repository, Job(one.target, self.setup, known, self.day))
        for watcher in self.watchers:
            watcher.began(one.target)

    def _end(self, one: Open, outcome: Outcome) -> None:
        if self.logs is not None:
            # The log comes first: a repository that the ledger calls done has one.
            self._log(self.logs, one.target, outcome)
        self.store.enter(self.audit, one.repository, outcome)
        for watcher in self.watchers:
            watcher.ended(one.target, outcome, one.attempts)

    def _log(self, folder: Path, target: Target, outcome: Outcome) -> None:
        file = folder / log_name(target.name)
        if outcome["state"] == DONE:
            text = outcome["result"]["sarif"]
        elif outcome["state"] == FAILED:
            # What an earlier audit found is not what this one says.
            file.unlink(missing_ok=True)
            return
        else:
            text = self.store.log_of(outcome["key"])
        if text is not None:
            draft = file.with_name(f".{file.name}.tmp")
            try:
                draft.write_text(text, encoding="utf-8", newline="\n")
                draft.replace(file)
            except BaseException:
                with suppress(OSError):
                    draft.unlink()
                raise


def log_name(name: str) -> str:
    """The file name of a repository's SARIF log: ``acme%2Fnetwork.sarif``."""
    text = quote(name, safe="")
    if text.startswith(".") or len(text) > _MAX_NAME:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        text = f"{text[:_MAX_NAME].lstrip('.')}-{digest}"
    return f"{text}.sarif"


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def failures_of(outcome: Mapping[str, Any]) -> int:
    """How many fatal failures of parts a result tells of."""
    result = outcome.get("result")
    return sum(one["fatal"] for one in result["failures"]) if result else 0
