"""A worker process as its keeper sees it: given a job, it answers, crashes or runs out of something.

It is used again only after a clean job and while it is small; each job else has a new process, so that
no repository meets what another one left behind.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final

from blastdoor.audit.work import CRASH, LIMIT, failed
from blastdoor.audit.worker import HEAD, command, pack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.audit.work import Job

MAX_JOBS: Final = 200
"""Most jobs of one process."""
MAX_MEMORY: Final = 300_000_000
"""Peak resident set, in bytes, after which a process is not used again."""
MAX_ANSWER: Final = 2_000_000_000
"""Largest outcome, in bytes."""
_CHUNK: Final = 1 << 20
_LAST_WORDS: Final = 2_000


class Child:
    """The keeper of one worker process at a time. Effect: `run` starts and ends processes."""

    def __init__(self, start: Sequence[str] | None = None) -> None:
        """``start`` is the command of a worker, by default our own."""
        self._start = [*(command() if start is None else start)]
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._jobs = 0
        self._lock = threading.Lock()
        self._closed = False

    def run(self, job: Job) -> dict[str, Any]:
        """The outcome of a job, with its cost; that of a worker that died says how."""
        began = time.perf_counter()
        process = self._started()
        if process is None:
            return self._ended("the audit was stopped", CRASH, began)
        try:
            assert process.stdin is not None
            process.stdin.write(pack(job.to_json()))
            process.stdin.flush()
            outcome = self._answer(process, began + job.setup.wall())
        except TimeoutError:  # it is an OSError too
            seconds = round(job.setup.wall())
            return self._ended(f"took more than {seconds} s from start to end", LIMIT, began)
        except (OSError, EOFError):
            return self._ended(*self._post_mortem(process, job), began)
        except ValueError as error:
            return self._ended(f"the worker answered with nonsense: {error}", CRASH, began)
        self._jobs += 1
        clean = outcome.get("reason") is None
        if not clean or self._jobs >= MAX_JOBS or outcome["cost"]["memory"] > MAX_MEMORY:
            self._end()
        return outcome

    def stop(self) -> None:
        """Effect: kills the process, and starts no other; `run` of another thread returns.

        The pipes stay open: one that is closed here would leave a thread that waits for it waiting.
        """
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._kill(self._process)

    def close(self) -> None:
        """Effect: ends the process and lets go of its pipes. No other thread may be in `run`."""
        self._closed = True
        self._end()

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """The id of the process, if one runs."""
        process = self._process
        return None if process is None else process.pid

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._closed:
                return None
            if self._process is not None and self._process.poll() is not None:
                self._let_go()
            if self._process is None:
                self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the process
                self._process = subprocess.Popen(
                    self._start,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    # A group of its own, so that git goes with it, and Ctrl-C comes to us alone.
                    start_new_session=True,
                )
                self._jobs = 0
            return self._process

    def _answer(self, process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
        """One message. Raises EOFError, TimeoutError, ValueError, OSError."""
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            size = HEAD.unpack(self._exactly(process, selector, HEAD.size, deadline))[0]
            if size > MAX_ANSWER:
                message = f"{size:,} bytes"
                raise ValueError(message)
            data = self._exactly(process, selector, size, deadline)
        answer = json.loads(data)
        if not isinstance(answer, dict) or "state" not in answer or "cost" not in answer:
            raise ValueError("no outcome")
        return answer

    def _exactly(
        self,
        process: subprocess.Popen[bytes],
        selector: selectors.BaseSelector,
        size: int,
        deadline: float,
    ) -> bytes:
        assert process.stdout is not None
        parts: list[bytes] = []
        while size:
            left = deadline - time.perf_counter()
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            part = os.read(process.stdout.fileno(), min(size, _CHUNK))
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _post_mortem(self, process: subprocess.Popen[bytes], job: Job) -> tuple[str, str]:
        """Why a worker died, in words, and of what kind that is."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        code = process.poll()
        if code is None:
            return "the worker stopped answering", CRASH
        if -code == signal.SIGXCPU:
            return f"took more than {job.setup.seconds} s of CPU time", LIMIT
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            hint = ": the machine may be short of memory" if -code == signal.SIGKILL else ""
            return f"the worker was ended by {name}{hint}", CRASH
        if "MemoryError" in self._last_words():
            return f"needs more than {job.setup.memory:,} MB of memory", LIMIT
        last = self._last_words().strip().splitlines()
        return f"the worker ended with {code}: {last[-1] if last else 'no word'}", CRASH

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        with suppress(OSError, ValueError):
            end = self._errors.seek(0, os.SEEK_END)
            self._errors.seek(max(0, end - _LAST_WORDS))
            return self._errors.read().decode("utf-8", "replace")
        return ""

    def _ended(self, message: str, kind: str, began: float) -> dict[str, Any]:
        """The outcome of a job whose worker is gone. Effect: makes sure of that."""
        self._end()
        wall = round(time.perf_counter() - began, 4)
        return {**failed(kind, message), "cost": {"cpu": 0.0, "wall": wall, "memory": 0}}

    def _end(self) -> None:
        with self._lock:
            process = self._process
            if process is None:
                return
            self._kill(process)
            process.wait()
            self._let_go()

    def _let_go(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
        errors, self._errors = self._errors, None
        if errors is not None:
            errors.close()
