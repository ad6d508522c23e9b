"""A client of the server as it is started by an editor: another process, standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import defaultdict
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 60
"""Seconds after which a test gives up."""


class Client:
    """What a test does to the server and what it hears of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.wire = LanguageClient("test", "0")
        self.diagnostics: dict[str, list[lsp.Diagnostic]] = {}
        self.versions: dict[str, int] = defaultdict(int)
        self.pushes = 0
        self.messages: list[str] = []
        self.shown: list[str] = []
        self.refreshed = 0
        self.asked: dict[str, Any] | None = None
        self._news = asyncio.Event()
        self._listen()

    def _listen(self) -> None:
        wire = self.wire

        @wire.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def _pushed(params: lsp.PublishDiagnosticsParams) -> None:
            self.diagnostics[params.uri] = list(params.diagnostics)
            self.pushes += 1
            self._news.set()

        @wire.feature(lsp.WINDOW_SHOW_MESSAGE)
        def _said(params: lsp.ShowMessageParams) -> None:
            self.messages.append(params.message)
            self._news.set()

        @wire.feature(lsp.WINDOW_SHOW_DOCUMENT)
        def _shown(params: lsp.ShowDocumentParams) -> lsp.ShowDocumentResult:
            self.shown.append(params.uri)
            self._news.set()
            return lsp.ShowDocumentResult(success=True)

        @wire.feature(lsp.WORKSPACE_CONFIGURATION)
        def _settings(params: lsp.ConfigurationParams) -> list[Any]:
            return [self.asked for _item in params.items]

        @wire.feature(lsp.WORKSPACE_DIAGNOSTIC_REFRESH)
        def _again(_params: None) -> None:
            self.refreshed += 1
            self._news.set()

        @wire.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def _register(_params: lsp.RegistrationParams) -> None:
            return None

    async def start(self, capabilities: lsp.ClientCapabilities, **more: Any) -> Any:
        await self.wire.start_io(
            sys.executable,
            "-m",
            "blastdoor",
            "lsp",
            env={**os.environ, "PYTHONPATH": str(ROOT / "analyzer")},
            cwd=str(ROOT),
        )
        folders = more.pop("folders", [self.root])
        named = [lsp.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders]
        found = await self.wire.initialize_async(
            lsp.InitializeParams(capabilities, root_uri=None, workspace_folders=named, **more)
        )
        self.wire.initialized(lsp.InitializedParams())
        return found

    def uri(self, path: str) -> str:
        return Path(os.path.normpath(self.root / path)).as_uri()

    def open(self, path: str, text: str | None = None) -> None:
        uri = self.uri(path)
        text = (self.root / path).read_text(encoding="utf-8") if text is None else text
        self.wire.text_document_did_open(
            lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "terraform", 0, text))
        )

    def edit(self, path: str, text: str) -> None:
        uri = self.uri(path)
        self.versions[uri] += 1
        self.wire.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(self.versions[uri], uri),
                [lsp.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def close(self, path: str) -> None:
        self.wire.text_document_did_close(
            lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(self.uri(path)))
        )

    def changed_on_disk(self, path: str) -> None:
        event = lsp.FileEvent(self.uri(path), lsp.FileChangeType.Changed)
        self.wire.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))

    def codes(self, path: str) -> list[str]:
        return [str(one.code) for one in self.diagnostics.get(self.uri(path), [])]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for what the server says to make a condition true."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def quiet(self) -> None:
        """Waits until the server has dealt with everything sent so far."""
        await self.hover("none.tf", 0, 0)

    async def hover(self, path: str, line: int, character: int) -> str:
        found = await self.wire.text_document_hover_async(
            lsp.HoverParams(
                lsp.TextDocumentIdentifier(self.uri(path)), lsp.Position(line, character)
            )
        )
        if found is None:
            return ""
        assert isinstance(found.contents, lsp.MarkupContent)
        return found.contents.value

    async def actions(self, path: str, where: lsp.Range, *only: str) -> list[lsp.CodeAction]:
        found = await self.wire.text_document_code_action_async(
            lsp.CodeActionParams(
                lsp.TextDocumentIdentifier(self.uri(path)),
                where,
                lsp.CodeActionContext([], only=list(only) or None),
            )
        )
        return [action for action in found or [] if isinstance(action, lsp.CodeAction)]

    async def stop(self) -> None:
        await self.wire.shutdown_async(None)
        self.wire.exit(None)
        await self.wire.stop()


PLAIN = lsp.ClientCapabilities(
    text_document=lsp.TextDocumentClientCapabilities(
        publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(related_information=True)
    )
)
"""A client that takes what it is sent."""


@pytest.fixture
def editor(tmp_path: Path) -> Callable[..., Any]:
    """A client with a server for the files given: path → text."""

    @asynccontextmanager
    async def started(
        files: dict[str, str], capabilities: lsp.ClientCapabilities = PLAIN, **more: Any
    ) -> AsyncIterator[Client]:
        root = tmp_path / "work"
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        client = Client(root.resolve())
        client.asked = more.pop("asked", None)
        await client.start(capabilities, **more)
        try:
            yield client
        finally:
            async with asyncio.timeout(PATIENCE):
                await client.stop()

    return started
