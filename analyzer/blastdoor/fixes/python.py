"""Edits of Python: libcst rewrites an expression in a child process of its own.

libcst keeps comments and layout, but it costs three hundred milliseconds to import, much memory, and on
hostile nesting its process; so it runs in a child that is held to limits and that serves all edits of
one run. Without it (the extra ``fix``), and where the child fails, there is no fix.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor.finding import Act
from blastdoor.fixes import Edit
from blastdoor.span import Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.finding import Remedy

MAX_TEXT: Final = 300_000
"""Characters of a file that libcst is given."""
TIMEOUT: Final = 20.0
"""Seconds for one edit."""
_KEPT: Final = 256
"""Edits that are kept: an editor asks for the same ones again and again, and its texts come and go."""
_CHILD: Final = Path(__file__).with_name("child.py")
_ACTS: Final = frozenset({Act.SET, Act.REMOVE, Act.ADD, Act.OWN, Act.DERIVE})


@cache
def available() -> bool:
    """Whether libcst is installed."""
    return find_spec("libcst") is not None


class _Child:
    """The process that rewrites, begun with its first request and once more after it has failed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Effect: ends the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.kill()
        process.wait()
        with suppress(OSError):  # what it was still to be told
            process.stdin.close()
        process.stdout.close()

    def ask(self, request: dict[str, object]) -> object:
        """The answer to a request; ``None`` when there is none in time."""
        with self._lock:
            if self._process is not None and self._process.poll() is not None:
                self.close()
            process = self._process
            if process is None:
                atexit.unregister(self.close)
                atexit.register(self.close)
                process = self._process = subprocess.Popen(  # noqa: S603  our own program
                    [sys.executable, "-I", str(_CHILD)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    encoding="utf-8",
                )
            assert process.stdin is not None
            assert process.stdout is not None
            timer = threading.Timer(TIMEOUT, process.kill)
            timer.start()
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except OSError:
                line = ""
            finally:
                timer.cancel()
            if not line:
                self.close()
                return None
            answer: object = json.loads(line)
            return answer


_CHILD_PROCESS: Final = _Child()


def edits(remedy: Remedy) -> Sequence[Edit]:
    """The edits that a remedy is in Python; none where libcst is not there or finds none."""
    text = remedy.span.document.text
    if remedy.act not in _ACTS or len(text) > MAX_TEXT or not available():
        return ()
    return _edits(remedy.span, remedy.act, json.dumps(remedy.data), remedy.name)


@lru_cache(_KEPT)
def _edits(span: Span, act: Act, data: str, name: str) -> tuple[Edit, ...]:
    request = {
        "text": span.document.text,
        "start": span.start,
        "end": span.end,
        "act": act.value,
        "data": json.loads(data),
        "name": name,
    }
    answer = _CHILD_PROCESS.ask(request)
    if not isinstance(answer, list):
        return ()
    return tuple([Edit(Span(span.document, start, end), text) for start, end, text in answer])
