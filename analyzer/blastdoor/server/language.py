"""The language server: requests in, what is known of the folders out.

Events of the editor mark a folder as changed; after a short pause one worker thread analyses it, and a
further edit ends an analysis that nobody waits for. Diagnostics are pushed, unless the client pulls.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import io
import os
import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from blastdoor import __version__
from blastdoor.report.change import write_change_markdown
from blastdoor.report.redact import legible
from blastdoor.server import render
from blastdoor.server.positions import offset, range_of
from blastdoor.server.project import (
    Opener,
    Project,
    Result,
    Roots,
    ScopeError,
    Settings,
    SupersededError,
    resolved,
)
from blastdoor.server.reaching import around
from blastdoor.source import MAX_SIZE
from blastdoor.span import Document

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from blastdoor.finding import Finding

PAUSE: Final = 0.02
"""Seconds without an edit after which the analysis begins."""
_STACK: Final = 256_000_000
"""Bytes of the worker's stack: evaluation goes as deep as on the main thread."""
_PATTERNS: Final = (
    "**/*.{tf,tofu,tfvars,hcl,json,yaml,yml,template,cfn,py}",
    "**/{blastdoor.toml,pyproject.toml}",
)
"""Files whose change on disk may change what is known."""
_GARBAGE: Final = 200_000
"""Objects that come to be before garbage is looked for: an analysis replaces as many as it makes."""
_SHOWING: Final = 5.0
"""Seconds that a client may take to show a document."""
MAX_ACTIONS: Final = 20
"""Diagnostics of one request for which actions are looked for."""


@dataclass(eq=False)
class Desk:
    """One project with what the event loop knows of it."""

    project: Project
    wanted: int = 1
    """Number of the last change."""
    done: int = 0
    """Number of the change that `result` knows of."""
    result: Result | None = None
    published: dict[str, str] = field(default_factory=dict)
    """URI → digest of the diagnostics that the client has."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None


class Editor:
    """The folders of one client and what is open of them."""

    def __init__(self, server: LanguageServer, opener: Opener) -> None:
        self.server = server
        self.opener = opener
        self.settings = Settings()
        self.roots = Roots()
        self.folders: list[Path] = []
        self.desks: dict[Project, Desk] = {}
        self.names: dict[tuple[Path, str], str] = {}
        """(root, path) of an open buffer → the URI that the client calls it by."""
        self.tasks: set[asyncio.Task[None]] = set()
        self.worker: ThreadPoolExecutor | None = None
        self.scratch: Path | None = None
        self.ready = asyncio.Event()
        """Whether the folders are known that the client has begun with."""

    # What the client can do

    @property
    def _client(self) -> lsp.ClientCapabilities:
        return self.server.client_capabilities

    @property
    def encoding(self) -> str:
        """The units of columns that were agreed on."""
        found = self.server.server_capabilities.position_encoding
        return str(
            found.value if isinstance(found, lsp.PositionEncodingKind) else found or "utf-16"
        )

    @property
    def pulls(self) -> bool:
        """Whether the client asks for diagnostics: then none are pushed."""
        document = self._client.text_document
        return document is not None and document.diagnostic is not None

    @property
    def shows_related(self) -> bool:
        """Whether the client shows places beside a diagnostic."""
        document = self._client.text_document
        if document is None:
            return False
        pushed, pulled = document.publish_diagnostics, document.diagnostic
        return bool(
            (pushed is not None and pushed.related_information)
            or (pulled is not None and pulled.related_information)
        )

    @property
    def _edits(self) -> lsp.WorkspaceEditClientCapabilities:
        workspace = self._client.workspace
        found = workspace and workspace.workspace_edit
        return found or lsp.WorkspaceEditClientCapabilities()

    # Folders

    def open_folder(self, folder: Path) -> None:
        """Effect: takes a folder in; one that cannot be judged is said to the user."""
        if folder not in self.folders:
            self.folders.append(folder)
        self._take_in(folder)

    def _take_in(self, folder: Path) -> None:
        try:
            project = Project(self.opener(folder, self.settings))
        except ScopeError as error:
            self.say(str(error), lsp.MessageType.Error)
            return
        old = self.roots.projects.get(folder)
        self.roots.projects[folder] = project
        desk = self.desks[project] = Desk(project)
        if old is not None:
            desk.published = self.desks.pop(old).published
        for uri in self.server.workspace.text_documents:
            path = self._path(desk, uri)
            if path:
                self.names[project.scope.root, path] = uri
        self.changed(desk)

    def close_folder(self, folder: Path) -> None:
        """Effect: forgets a folder; nothing is said of its files any more."""
        if folder in self.folders:
            self.folders.remove(folder)
        project = self.roots.projects.pop(folder, None)
        if project is None:
            return
        desk = self.desks.pop(project)
        if desk.timer is not None:
            desk.timer.cancel()
        desk.wanted += 1
        self._publish(desk, {})

    def configure(self, settings: Settings) -> None:
        """Effect: everything is judged anew, as the user wants it now."""
        if settings != self.settings:
            self.settings = settings
            for folder in list(self.folders):
                self._take_in(folder)

    def desk_of(self, uri: str) -> tuple[Desk, str] | None:
        """The desk of a file and its path there; ``None`` for what belongs to no folder."""
        path = uris.to_fs_path(uri) if uri.startswith("file:") else None
        if not path:
            return None
        found = self.roots.of(Path(path))
        return None if found is None else (self.desks[found[0]], found[1])

    def uri_of(self, desk: Desk, path: str) -> str:
        """The URI of a file, as the client itself calls it when it is open."""
        root = desk.project.scope.root
        known = self.names.get((root, path))
        return known or uris.from_fs_path(str(root / path)) or ""

    def buffers(self, desk: Desk) -> dict[str, str]:
        """Path → text of what is open of a folder; what is too large is left to the disk's limits."""
        found = {}
        for uri, document in self.server.workspace.text_documents.items():
            path = self._path(desk, uri)
            if path and len(document.source) <= MAX_SIZE:
                found[path] = document.source
        return found

    # Events

    def opened(self, uri: str) -> None:
        """Effect: a buffer is there; the disk may have changed since it was read."""
        for desk in self._around(uri):
            self.names[desk.project.scope.root, self._path(desk, uri)] = uri
            desk.project.refresh()
            self.changed(desk)

    def edited(self, uri: str) -> None:
        """Effect: a buffer says something else."""
        for desk in self._around(uri):
            self.changed(desk)

    def closed(self, uri: str) -> None:
        """Effect: from here on the disk speaks for a file."""
        for desk in self._around(uri):
            self.names.pop((desk.project.scope.root, self._path(desk, uri)), None)
            desk.project.refresh()
            self.changed(desk)

    def _around(self, uri: str) -> list[Desk]:
        """The desks whose files a file is among: two folders may belong to one repository."""
        return [desk for desk in self.desks.values() if self._path(desk, uri)]

    @staticmethod
    def _path(desk: Desk, uri: str) -> str:
        file = uris.to_fs_path(uri) if uri.startswith("file:") else None
        return (desk.project.path_of(resolved(Path(file))) if file else None) or ""

    def touched(self, names: Iterable[str]) -> None:
        """Effect: files on disk have changed; those that decide how to judge make everything anew."""
        files = [resolved(Path(path)) for uri in names if (path := uris.to_fs_path(uri))]
        for folder, project in list(self.roots.projects.items()):
            scope = project.scope
            own = [file for file in files if file.is_relative_to(scope.root)]
            if any(file.is_relative_to(s) for file in files for s in scope.settings):
                self._take_in(folder)
            elif own:
                project.refresh()
                self.changed(self.desks[project])
        for folder in self.folders:  # a configuration that was wrong may be right by now
            if folder not in self.roots.projects and files:
                self._take_in(folder)

    def changed(self, desk: Desk) -> None:
        """Effect: the folder is analysed when nothing has happened for a moment."""
        desk.wanted += 1
        if desk.timer is not None:
            desk.timer.cancel()
        loop = asyncio.get_running_loop()
        desk.timer = loop.call_later(PAUSE, lambda: self._start(self.settle(desk)))

    def _start(self, work: Awaitable[object]) -> None:
        async def run() -> None:
            await work

        task = asyncio.get_running_loop().create_task(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    # Analysis

    async def _worked(self, work: Callable[[], Any]) -> Any:
        if self.worker is None:
            before = threading.stack_size(_STACK)
            self.worker = ThreadPoolExecutor(1, "blastdoor")
            # The thread is started by the first task, the size of its stack is taken then.
            self.worker.submit(lambda: None).result()
            threading.stack_size(before)
        return await asyncio.get_running_loop().run_in_executor(self.worker, work)

    async def settle(self, desk: Desk) -> Result | None:
        """What is known with all that was changed so far. Effect: the client learns what is new."""
        async with desk.lock:
            while desk.done != desk.wanted and desk.project in self.desks:
                number = desk.wanted
                buffers = self.buffers(desk)

                def superseded(number: int = number) -> bool:
                    return desk.wanted != number

                try:
                    if desk.result is None:
                        await self._first(desk, buffers, superseded)
                    desk.result = await self._worked(
                        partial(desk.project.analyse, buffers, superseded)
                    )
                except SupersededError:
                    continue
                desk.done = number
                self._tell(desk)
        return desk.result

    async def _first(
        self, desk: Desk, buffers: Mapping[str, str], superseded: Callable[[], bool]
    ) -> None:
        """Effect: in a large folder, says first what is known of the units of what is open."""
        early = await self._worked(lambda: desk.project.first(buffers, superseded))
        if early is not None and not self.pulls:
            known = self._diagnostics(desk, early)
            here = {self.uri_of(desk, path) for path in buffers}
            for uri in known.keys() & here:
                self._send(uri, known[uri])

    def _tell(self, desk: Desk) -> None:
        assert desk.result is not None
        workspace = self._client.workspace
        if not self.pulls:
            self._publish(desk, self._diagnostics(desk, desk.result))
        elif workspace is not None and workspace.diagnostics is not None:
            before, now = desk.published, {}
            for uri, found in self._diagnostics(desk, desk.result).items():
                now[uri] = _digest(found)
            desk.published = now
            if now != before and workspace.diagnostics.refresh_support:
                self.server.workspace_diagnostic_refresh(None)
        lens = None if workspace is None else workspace.code_lens
        if lens is not None and lens.refresh_support:
            self.server.workspace_code_lens_refresh(None)

    def _diagnostics(self, desk: Desk, result: Result) -> dict[str, list[lsp.Diagnostic]]:
        """URI → what is to be said of a file, for every file of which something is."""
        encoding, related = self.encoding, self.shows_related
        found: dict[str, list[lsp.Diagnostic]] = {}

        def uri_of(path: str) -> str:
            return self.uri_of(desk, path)

        for finding in result.report.findings:
            said = render.diagnostic(finding, encoding, uri_of, related=related)
            found.setdefault(uri_of(finding.span.path), []).append(said)
        for failure in result.report.failures:
            if failure.path not in ("", "."):
                said = render.failure(failure, encoding)
                found.setdefault(uri_of(failure.path), []).append(said)
        return found

    def _publish(self, desk: Desk, known: Mapping[str, list[lsp.Diagnostic]]) -> None:
        """Effect: pushes what the client does not have yet."""
        if self.pulls:
            return
        digests = {uri: _digest(found) for uri, found in known.items()}
        for uri in {**desk.published, **digests}:
            if desk.published.get(uri) != digests.get(uri):
                self._send(uri, known.get(uri, []))
        desk.published = digests

    def _send(self, uri: str, found: list[lsp.Diagnostic]) -> None:
        open_ = self.server.workspace.text_documents.get(uri)
        version = None if open_ is None else open_.version
        self.server.text_document_publish_diagnostics(
            lsp.PublishDiagnosticsParams(uri, found, version)
        )

    # Requests

    async def _known(self, uri: str) -> tuple[Desk, str, Result] | None:
        """The desk of a file, its path there and what is known; ``None`` where nothing is."""
        await self.ready.wait()
        place = self.desk_of(uri)
        result = None if place is None else await self.settle(place[0])
        return None if place is None or result is None else (*place, result)

    async def _looked(self, uri: str) -> tuple[Desk, str, Result] | None:
        """The same with what stands in the files: looked at when there is nothing else to do."""
        known = await self._known(uri)
        while known is not None and known[2].things is None:
            desk, _path, result = known

            def superseded(desk: Desk = desk) -> bool:
                return desk.done != desk.wanted or desk.project not in self.desks

            with contextlib.suppress(SupersededError):
                await self._worked(partial(desk.project.things, result, superseded))
            known = await self._known(uri)
        return known

    async def pulled(
        self, uri: str, previous: str | None
    ) -> lsp.RelatedFullDocumentDiagnosticReport | lsp.RelatedUnchangedDocumentDiagnosticReport:
        """The diagnostics of one file."""
        known = await self._known(uri)
        found: list[lsp.Diagnostic] = []
        if known is not None:
            desk, path, result = known
            found = self._diagnostics(desk, result).get(self.uri_of(desk, path), [])
        number = _digest(found)
        if number == previous:
            return lsp.RelatedUnchangedDocumentDiagnosticReport(number)
        return lsp.RelatedFullDocumentDiagnosticReport(found, result_id=number)

    async def pulled_all(
        self, previous: Iterable[lsp.PreviousResultId]
    ) -> lsp.WorkspaceDiagnosticReport:
        """The diagnostics of every file; one of which nothing is said any more is said to be clean."""
        await self.ready.wait()
        had = {one.uri: one.value for one in previous}
        known: dict[str, list[lsp.Diagnostic]] = {uri: [] for uri in had}
        for desk in list(self.desks.values()):
            result = await self.settle(desk)
            if result is not None:
                known.update(self._diagnostics(desk, result))
        items: list[lsp.WorkspaceDocumentDiagnosticReport] = []
        for uri, found in known.items():
            number = _digest(found)
            open_ = self.server.workspace.text_documents.get(uri)
            version = None if open_ is None else open_.version
            if had.get(uri) == number:
                items.append(
                    lsp.WorkspaceUnchangedDocumentDiagnosticReport(uri, number, version=version)
                )
            else:
                items.append(
                    lsp.WorkspaceFullDocumentDiagnosticReport(
                        uri, found, version=version, result_id=number
                    )
                )
        return lsp.WorkspaceDiagnosticReport(items)

    async def hover(self, uri: str, where: lsp.Position) -> lsp.Hover | None:
        """What is found at a place, and how far the thing there reaches."""
        known = await self._looked(uri)
        if known is None:
            return None
        desk, path, result = known
        text = self.buffers(desk).get(path)
        if text is None:
            return None
        document = Document(path, text)
        at = offset(document, where, self.encoding)
        rules = desk.project.scope.rules
        found = [
            (finding, rules.get(finding.rule))
            for finding in result.report.findings
            if finding.span.path == path and finding.span.start <= at <= finding.span.end
        ]
        thing = around((result.things or {}).get(path, ()), document, at)
        words = render.hover(found, thing)
        if not words:
            return None
        return lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, words))

    async def lenses(self, uri: str) -> list[lsp.CodeLens]:
        """The lines above the things of a file."""
        known = await self._looked(uri)
        if known is None:
            return []
        _desk, path, result = known
        return render.lenses((result.things or {}).get(path, ()), self.encoding)

    async def actions(self, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        """What can be done about what is found in a range, and the comparison with HEAD."""
        known = await self._known(params.text_document.uri)
        if known is None:
            return []
        desk, path, result = known
        only = params.context.only
        found: list[lsp.CodeAction] = []
        if _asked(lsp.CodeActionKind.QuickFix, only):
            near = [
                finding
                for finding in result.report.findings
                if finding.span.path == path
                and _overlap(range_of(finding.span, self.encoding), params.range)
            ]
            buffers = self.buffers(desk)
            for finding in near[:MAX_ACTIONS]:
                found += await self._about(desk, finding, result, buffers)
        if _asked(lsp.CodeActionKind.Source, only):
            command = lsp.Command(
                "blastdoor: what would widen if I save this?",
                render.SHOW_WIDENINGS,
                arguments=[params.text_document.uri],
            )
            found.append(
                lsp.CodeAction(command.title, kind=lsp.CodeActionKind.Source, command=command)
            )
        return found

    async def _about(
        self, desk: Desk, finding: Finding, result: Result, buffers: Mapping[str, str]
    ) -> list[lsp.CodeAction]:
        encoding = self.encoding
        project = desk.project
        said = render.diagnostic(
            finding, encoding, lambda path: self.uri_of(desk, path), related=False
        )
        found = []
        fix = await self._worked(lambda: project.fix(finding, result, buffers))
        if fix is not None:
            edit = self._edit(desk, render.fix_edits(fix, encoding))
            found.append(render.mending(fix, said, edit))
        place = await self._worked(lambda: project.silencing(finding, result, buffers))
        if place is not None:
            snippets = bool(self._edits.snippet_edit_support)
            text = render.silencing(place[0], place[1], encoding, snippets=snippets)
            edit = self._edit(desk, {finding.span.path: [text]})
            title = f"Suppress {finding.rule} with a reason"
            found.append(
                lsp.CodeAction(
                    title, kind=lsp.CodeActionKind.QuickFix, diagnostics=[said], edit=edit
                )
            )
        return found

    def _edit(self, desk: Desk, edits: Mapping[str, list[Any]]) -> lsp.WorkspaceEdit:
        """Edits by path in the form that the client takes."""
        if not self._edits.document_changes:
            return lsp.WorkspaceEdit(
                changes={self.uri_of(desk, path): found for path, found in edits.items()}
            )
        changes = []
        for path, found in edits.items():
            uri = self.uri_of(desk, path)
            open_ = self.server.workspace.text_documents.get(uri)
            name = lsp.OptionalVersionedTextDocumentIdentifier(
                uri, None if open_ is None else open_.version
            )
            changes.append(lsp.TextDocumentEdit(name, found))
        return lsp.WorkspaceEdit(document_changes=changes)

    async def widens(self, uri: str) -> str | None:
        """What saving would widen, as Markdown. Effect: shows it, where the client can."""
        await self.ready.wait()
        place = self.desk_of(uri)
        if place is None:
            self.say("the file belongs to no folder that is open", lsp.MessageType.Warning)
            return None
        desk = place[0]
        buffers = self.buffers(desk)
        try:
            found, names = await self._worked(lambda: desk.project.widens(buffers))
        except ScopeError as error:
            self.say(str(error), lsp.MessageType.Warning)
            return None
        stream = io.StringIO()
        write_change_markdown(stream, found, desk.project.scope.rules, names=names)
        text = stream.getvalue()
        window = self._client.window
        if window is not None and window.show_document is not None and window.show_document.support:
            shown = self._scratch() / "blastdoor-widens.md"
            shown.write_text(text, encoding="utf-8")
            params = lsp.ShowDocumentParams(uris.from_fs_path(str(shown)) or "", take_focus=True)
            # The answer comes when it is shown, so that a client may do more with it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_SHOWING):
                    await self.server.window_show_document_async(params)
        else:
            self.say(text, lsp.MessageType.Info)
        return text

    def _scratch(self) -> Path:
        if self.scratch is None:
            self.scratch = Path(tempfile.mkdtemp(prefix="blastdoor-"))
        return self.scratch

    def say(self, words: str, kind: lsp.MessageType) -> None:
        """Effect: shows the user a message."""
        lines = "\n".join(legible(line) for line in words.splitlines())
        self.server.window_show_message(lsp.ShowMessageParams(kind, lines))

    def leave(self) -> None:
        """Effect: lets go of everything."""
        for desk in self.desks.values():
            desk.wanted += 1
            if desk.timer is not None:
                desk.timer.cancel()
        if self.worker is not None:
            self.worker.shutdown(wait=False, cancel_futures=True)
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)


def settings_of(given: object) -> Settings:
    """The settings that a client sends; what is none is left out."""
    table = given.get("blastdoor", given) if isinstance(given, dict) else {}
    if not isinstance(table, dict):
        return Settings()

    def texts(key: str) -> tuple[str, ...]:
        value = table.get(key)
        found = value if isinstance(value, list) else []
        return tuple([text for text in found if isinstance(text, str) and text])

    file = table.get("configFile")
    return Settings(
        config_file=file if isinstance(file, str) and file else None,
        select=texts("select"),
        ignore=texts("ignore"),
        pedantic=table.get("pedantic") is True,
    )


def _digest(found: Iterable[lsp.Diagnostic]) -> str:
    return hashlib.sha256(repr(list(found)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _asked(kind: str, only: Iterable[str] | None) -> bool:
    return only is None or any(kind == one or kind.startswith(f"{one}.") for one in only)


def _overlap(one: lsp.Range, other: lsp.Range) -> bool:
    def key(place: lsp.Position) -> tuple[int, int]:
        return place.line, place.character

    return key(one.start) <= key(other.end) and key(other.start) <= key(one.end)


def serve(opener: Opener) -> None:
    """Effect: speaks the protocol on standard input and output until the client leaves."""
    gc.set_threshold(_GARBAGE)
    server = build(opener)
    server.start_io()


def build(opener: Opener) -> LanguageServer:
    """The server, not yet listening.

    Texts are sent whole: a buffer that differs from the client's by one odd line end would be worse
    than thirty kilobytes for each edit.
    """
    server = LanguageServer(
        "blastdoor", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full
    )
    editor = Editor(server, opener)

    @server.feature(lsp.INITIALIZE)
    def _initialize(params: lsp.InitializeParams) -> None:
        editor.settings = settings_of(params.initialization_options)

    @server.feature(lsp.INITIALIZED)
    async def _initialized(_params: lsp.InitializedParams) -> None:
        await _ask_settings(editor)
        for folder in list(server.workspace.folders.values()):
            _open(editor, folder.uri)
        if not server.workspace.folders:
            _open(editor, server.workspace.root_uri or "")
        editor.ready.set()
        await _watch(server)

    @server.feature(lsp.SHUTDOWN)
    def _shutdown(_params: None) -> None:
        editor.leave()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def _folders(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        for folder in params.event.removed:
            path = uris.to_fs_path(folder.uri)
            if path:
                editor.close_folder(Path(os.path.realpath(path)))
        for folder in params.event.added:
            _open(editor, folder.uri)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def _configuration(params: lsp.DidChangeConfigurationParams) -> None:
        if isinstance(params.settings, dict) and params.settings:
            editor.configure(settings_of(params.settings))
        else:
            await _ask_settings(editor)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def _watched(params: lsp.DidChangeWatchedFilesParams) -> None:
        editor.touched([change.uri for change in params.changes])

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def _opened(params: lsp.DidOpenTextDocumentParams) -> None:
        editor.opened(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def _edited(params: lsp.DidChangeTextDocumentParams) -> None:
        editor.edited(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def _closed(params: lsp.DidCloseTextDocumentParams) -> None:
        editor.closed(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def _saved(params: lsp.DidSaveTextDocumentParams) -> None:
        editor.touched([params.text_document.uri])

    @server.feature(
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.DiagnosticOptions(
            inter_file_dependencies=True, workspace_diagnostics=True, identifier=render.SOURCE
        ),
    )
    async def _pull(params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        return await editor.pulled(params.text_document.uri, params.previous_result_id)

    @server.feature(lsp.WORKSPACE_DIAGNOSTIC)
    async def _pull_all(params: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
        return await editor.pulled_all(params.previous_result_ids)

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def _hover(params: lsp.HoverParams) -> lsp.Hover | None:
        return await editor.hover(params.text_document.uri, params.position)

    @server.feature(lsp.TEXT_DOCUMENT_CODE_LENS)
    async def _lens(params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        return await editor.lenses(params.text_document.uri)

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.Source]),
    )
    async def _action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        return await editor.actions(params)

    @server.command(render.SHOW_WIDENINGS)
    async def _widens(uri: str) -> str | None:
        return await editor.widens(uri)

    return server


def _open(editor: Editor, uri: str) -> None:
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    if path:
        editor.open_folder(Path(os.path.realpath(path)))


async def _ask_settings(editor: Editor) -> None:
    """Effect: takes over the client's settings, where it can be asked for them."""
    workspace = editor.server.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return
    items = [lsp.ConfigurationItem(section="blastdoor")]
    found = await editor.server.workspace_configuration_async(lsp.ConfigurationParams(items))
    if found and isinstance(found[0], dict):
        editor.configure(settings_of(found[0]))


async def _watch(server: LanguageServer) -> None:
    """Effect: asks the client to tell what changes on disk, where it can."""
    workspace = server.client_capabilities.workspace
    watching = workspace and workspace.did_change_watched_files
    if not watching or not watching.dynamic_registration:
        return
    options = lsp.DidChangeWatchedFilesRegistrationOptions(
        [lsp.FileSystemWatcher(pattern) for pattern in _PATTERNS]
    )
    registration = lsp.Registration(
        "blastdoor-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options
    )
    with contextlib.suppress(Exception):
        await server.client_register_capability_async(lsp.RegistrationParams([registration]))
