"""A worker process: jobs in on one pipe, outcomes out on another, one after the other.

It limits itself before each job: address space, CPU time, the size of a file, no core dump. What
cannot be caught (a crash, the limit of CPU time) ends it, and whoever started it sees that. When the
pipe of jobs closes, it ends at once, in the middle of a job too: nobody is left to take the outcome.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import struct
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final

from blastdoor.audit.work import INTERNAL, Desk, Job, failed, work

if TYPE_CHECKING:
    from blastdoor.audit.setup import Setup

HEAD: Final = struct.Struct(">Q")
"""Length of a message, before it."""
_RECURSION: Final = 12_000
_MAX_FILE: Final = 4_000_000_000
"""Largest file that it, or a git that it runs, may write, in bytes."""
_HIGH_WATER: Final = "VmHWM:"


def main() -> None:
    """Effect: works until there are no more jobs."""
    orders, answers = _pipes()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, waiting), daemon=True).start()
    desk = Desk()
    while True:
        job = Job.from_json(json.loads(waiting.get()))
        _limit(job.setup)
        _forget_peak()
        began, used = time.perf_counter(), _cpu()
        try:
            outcome = work(job, desk)
        except RecursionError:
            outcome = failed(INTERNAL, "needs deeper recursion than there is")
        outcome["cost"] = {
            "cpu": round(_cpu() - used, 4),
            "wall": round(time.perf_counter() - began, 4),
            "memory": _peak(),
        }
        data = json.dumps(outcome, separators=(",", ":")).encode()
        answers.write(HEAD.pack(len(data)) + data)
        answers.flush()


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes of orders and answers. Effect: nothing else that runs here can read or write them."""
    orders = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return orders, answers


def _listen(orders: IO[bytes], waiting: queue.SimpleQueue[bytes]) -> None:
    """Effect: hands on the orders; ends the process when there is nobody left to give any."""
    while True:
        head = orders.read(HEAD.size)
        if len(head) < HEAD.size:
            os._exit(0)
        data = orders.read(HEAD.unpack(head)[0])
        waiting.put(data)


def _limit(setup: Setup) -> None:
    """Effect: limits what the process, and what it starts, may use for the next job."""
    memory = setup.memory * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    seconds = int(_own_cpu()) + 1 + setup.seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    size = _MAX_FILE if largest == resource.RLIM_INFINITY else min(largest, _MAX_FILE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, largest))


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _cpu() -> float:
    """CPU time so far, that of ended children included, in seconds."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return _own_cpu() + children.ru_utime + children.ru_stime


def _forget_peak() -> None:
    """Effect: lets the kernel measure the peak of memory anew, where it can (proc(5), clear_refs)."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123  proc
            file.write("5")
    except OSError:
        return


def _peak() -> int:
    """The peak resident set since `_forget_peak`, or of the process, in bytes."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            for row in file:
                if row.startswith(_HIGH_WATER):
                    return int(row.split()[1]) * 1024
    except OSError:
        pass
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def command() -> list[str]:
    """The command that starts a worker with the modules of this process, whatever folder it is in."""
    begin = (
        "import json,sys\n"
        "sys.path[:]=json.loads(sys.argv.pop())\n"
        "from blastdoor.audit.worker import main\n"
        "main()"
    )
    return [sys.executable, "-I", "-c", begin, json.dumps([p for p in sys.path if p])]


def pack(data: Any) -> bytes:
    """A message with its length."""
    text = json.dumps(data, separators=(",", ":")).encode()
    return HEAD.pack(len(text)) + text
