"""The editor server over its protocol: from the last key to diagnostics, the first analysis, memory.

    python benchmarks/lsp.py [--edits 100] [--one-root]

A client like an editor's starts ``blastdoor lsp`` on a generated repository of 200 files, opens a
file of 1,000 lines and types into it. Each edit changes what is found, so that its diagnostics are known
by what they say; the time until they come has the server's pause (20 ms) in it and is shown with and
without. CPU time of the server is what an idle machine would take at most.
``--one-root`` puts all 200 files into one Terraform root: the worst case, for a root is one unit.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from blastdoor.server.language import PAUSE

ROOT = Path(__file__).resolve().parent.parent
FILES = 200
LINES = 1_000
PER_ROOT = 5


def block(number: int) -> str:
    """25 lines: a bucket, a rule and a policy."""
    return f"""resource "aws_s3_bucket" "b{number}" {{
  bucket = "${{var.name}}-bucket-{number}"
  tags = {{
    Name  = "bucket-{number}"
    Owner = local.owner
  }}
}}

resource "aws_security_group_rule" "r{number}" {{
  type              = "ingress"
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["10.{number % 250}.0.0/16"]
  security_group_id = "sg-12345678"
}}

resource "aws_iam_policy" "p{number}" {{
  name = "p{number}"
  policy = jsonencode({{
    Statement = [{{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "${{var.name}}/*" }}]
  }})
}}

"""


BASE = (
    'provider "aws" {\n  region = "eu-west-1"\n}\n'
    'variable "name" {\n  default = "x"\n}\nlocals {\n  owner = "team"\n}\n'
)


def generate(root: Path, *, one_root: bool) -> Path:
    """The file to type into. Effect: writes a repository of `FILES` files."""
    (root / ".git").mkdir(parents=True)
    folders = 1 if one_root else FILES // PER_ROOT
    number = 0
    for count in range(FILES - 1):
        folder = root / f"stack{count % folders}"
        folder.mkdir(exist_ok=True)
        number += 1
        text = BASE if count < folders else block(number)
        (folder / f"part{count}.tf").write_text(text, encoding="utf-8")
    big = root / "stack0" / "big.tf"
    text = ""
    while text.count("\n") < LINES - 12:
        number += 1
        text += block(number)
    big.write_text(text, encoding="utf-8")
    return big


def memory(process: int) -> float:
    """The most memory that a process has held, in megabytes (Linux only)."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    held = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(held.split()[1]) / 1024


def spent(process: int) -> float:
    """The CPU time that a process has taken, in milliseconds (Linux only)."""
    try:
        fields = (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(") ", 1)[1].split()
        )
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1000


async def measure(root: Path, uri: str, text: str, edits: int) -> dict[str, float]:
    """Milliseconds and megabytes of one session."""
    client = LanguageClient("benchmark", "0")
    heard: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()

    @client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
    def _pushed(params: lsp.PublishDiagnosticsParams) -> None:
        heard.put_nowait(params)

    environment = {**os.environ, "PYTHONPATH": str(ROOT / "analyzer")}
    await client.start_io(sys.executable, "-m", "blastdoor", "lsp", env=environment, cwd=str(ROOT))
    folder = lsp.WorkspaceFolder(root.as_uri(), root.name)
    await client.initialize_async(
        lsp.InitializeParams(lsp.ClientCapabilities(), workspace_folders=[folder])
    )
    wide = text.replace('["10.', '["0.0.0.0/0", "10.', 1)
    start = time.perf_counter()
    client.initialized(lsp.InitializedParams())
    client.text_document_did_open(
        lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "terraform", 0, wide))
    )
    while True:
        told = await asyncio.wait_for(heard.get(), 60)
        if told.uri == uri and told.diagnostics:
            break
    first = (time.perf_counter() - start) * 1000
    times = []
    server = client._server  # noqa: SLF001  the process has no public name
    assert server is not None
    before = spent(server.pid)
    for number in range(1, edits + 1):
        line = number % 900
        lines = (wide if number % 2 == 0 else text).splitlines(keepends=True)
        lines.insert(line, f"# typed {number}\n")
        start = time.perf_counter()
        client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(number, uri),
                [lsp.TextDocumentContentChangeWholeDocument("".join(lines))],
            )
        )
        while True:
            told = await asyncio.wait_for(heard.get(), 60)
            if told.uri == uri and bool(told.diagnostics) == (number % 2 == 0):
                break
        times.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.05)
    cpu = (spent(server.pid) - before) / edits
    held = memory(server.pid)
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]
    times.sort()
    return {
        "first": first,
        "median": statistics.median(times),
        "p95": times[int(len(times) * 0.95)],
        "most": times[-1],
        "cpu": cpu,
        "memory": held,
    }


def main() -> None:
    """Effect: measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--one-root", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "work"
        big = generate(root, one_root=given.one_root)
        found = asyncio.run(
            measure(root, big.as_uri(), big.read_text(encoding="utf-8"), given.edits)
        )
    pause = PAUSE * 1000
    print(f"first analysis after initialized   {found['first']:7.0f} ms   (budget 1,500)")
    for name in ("median", "p95", "most"):
        behind = found[name] - pause
        print(
            f"diagnostics after an edit, {name:6}  {behind:7.1f} ms behind the pause of "
            f"{pause:.0f} ms, {found[name]:.1f} with it"
        )
    print(f"CPU of the server for an edit      {found['cpu']:7.1f} ms")
    print(f"memory                             {found['memory']:7.0f} MB   (budget 300)")


if __name__ == "__main__":
    main()
