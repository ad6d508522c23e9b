"""What an editor sees, over the protocol."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN = """resource "aws_security_group_rule" "ssh" {
  type              = "ingress"
  from_port         = 22
  to_port           = 22
  protocol          = "tcp"
  cidr_blocks       = ["0.0.0.0/0"]
  security_group_id = "sg-1"
}
"""
CLOSED = OPEN.replace("0.0.0.0/0", "10.0.0.0/8")
DATABASE = """resource "aws_db_instance" "main" {
  deletion_protection = false
}
"""
PROVIDER = 'provider "aws" {\n  region = "eu-west-1"\n}\n'
PULLING = lsp.ClientCapabilities(
    text_document=lsp.TextDocumentClientCapabilities(diagnostic=lsp.DiagnosticClientCapabilities()),
    workspace=lsp.WorkspaceClientCapabilities(
        diagnostics=lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    ),
)
EVERYWHERE = lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))


def test_diagnostics_follow_the_buffer_not_the_disk(editor: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with editor({"main.tf": OPEN}) as client:
            await client.until(lambda: client.codes("main.tf") == ["open-ingress-admin-port"])
            client.open("main.tf")
            client.edit("main.tf", CLOSED)
            await client.until(lambda: client.codes("main.tf") == [])
            client.edit("main.tf", "\n" + OPEN)
            await client.until(lambda: client.codes("main.tf") != [])
            (found,) = client.diagnostics[client.uri("main.tf")]
            assert found.range.start == lsp.Position(6, 23)
            assert found.source == "blastdoor"
            client.edit("main.tf", CLOSED)
            await client.until(lambda: client.codes("main.tf") == [])
            client.close("main.tf")  # the disk speaks again
            await client.until(lambda: client.codes("main.tf") != [])

    asyncio.run(scenario())


def test_a_value_is_judged_across_files_with_its_evidence(editor: Callable[..., Any]) -> None:
    files = {
        "main.tf": OPEN.replace('["0.0.0.0/0"]', "var.from"),
        "variables.tf": 'variable "from" {\n  default = ["10.0.0.0/8"]\n}\n',
    }

    async def scenario() -> None:
        async with editor(files) as client:
            client.open("variables.tf")
            client.edit("variables.tf", files["variables.tf"].replace("10.0.0.0/8", "0.0.0.0/0"))
            await client.until(
                lambda: bool(client.codes("main.tf") or client.codes("variables.tf"))
            )
            (found,) = [one for some in client.diagnostics.values() for one in some]
            places = {place.location.uri for place in found.related_information or ()}
            assert places & {client.uri("variables.tf"), client.uri("main.tf")}

    asyncio.run(scenario())


def test_columns_count_utf16_unless_something_else_is_agreed_on(
    editor: Callable[..., Any],
) -> None:
    line = '  cidr_blocks       = ["10.0.0.0/8", /* 🎈é */ "0.0.0.0/0"]'
    text = OPEN.replace('  cidr_blocks       = ["0.0.0.0/0"]', line)
    codes = {"utf-16": "utf-16-le", "utf-8": "utf-8", "utf-32": "utf-32-le"}

    async def scenario() -> None:
        for encoding, codec in codes.items():
            capabilities = lsp.ClientCapabilities(
                general=lsp.GeneralClientCapabilities(
                    position_encodings=[lsp.PositionEncodingKind(encoding)]
                )
            )
            async with editor({"main.tf": text}, capabilities) as client:
                await client.until(lambda: client.codes("main.tf") != [])
                (found,) = client.diagnostics[client.uri("main.tf")]
                before = line[: line.index('"0.0.0.0/0"')]
                width = {"utf-16": 2, "utf-8": 1, "utf-32": 4}[encoding]
                assert found.range.start.character == len(before.encode(codec)) // width
                client.open("main.tf")
                words = await client.hover("main.tf", 5, found.range.start.character + 1)
                assert "How to fix" in words

    asyncio.run(scenario())


def test_a_client_that_pulls_is_not_pushed_to(editor: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with editor({"main.tf": OPEN, "a/other.tf": OPEN}, PULLING) as client:
            client.open("main.tf")
            name = lsp.TextDocumentIdentifier(client.uri("main.tf"))
            first = await client.wire.text_document_diagnostic_async(
                lsp.DocumentDiagnosticParams(name)
            )
            assert [one.code for one in first.items] == ["open-ingress-admin-port"]
            again = await client.wire.text_document_diagnostic_async(
                lsp.DocumentDiagnosticParams(name, previous_result_id=first.result_id)
            )
            assert again.kind == "unchanged"
            whole = await client.wire.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams([]))
            assert {item.uri for item in whole.items} == {
                client.uri("main.tf"),
                client.uri("a/other.tf"),
            }
            client.edit("main.tf", CLOSED)
            ids = [lsp.PreviousResultId(item.uri, item.result_id) for item in whole.items]
            later = await client.wire.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams(ids))
            told = {item.uri: item for item in later.items}
            assert not told[client.uri("main.tf")].items
            assert told[client.uri("a/other.tf")].kind == "unchanged"
            await client.until(lambda: client.refreshed > 0)
            assert client.pushes == 0

    asyncio.run(scenario())


def test_a_hover_says_why_and_how_far(editor: Callable[..., Any]) -> None:
    policy = """resource "aws_iam_policy" "read" {
  policy = jsonencode({
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }]
  })
}
"""

    async def scenario() -> None:
        async with editor({"main.tf": PROVIDER + policy + OPEN}) as client:
            client.open("main.tf")
            words = await client.hover("main.tf", 4, 4)
            assert "Reach of aws\\_iam\\_policy.read" in words
            assert "s3:GetObject" in words
            assert "eu-west-1" in await client.hover("main.tf", 0, 2)
            words = await client.hover("main.tf", 13, 26)
            assert "open-ingress-admin-port" in words
            assert "How to fix" in words
            assert await client.hover("main.tf", 10_000, 7) == ""

    asyncio.run(scenario())


def test_lenses_stand_above_providers_and_policies(editor: Callable[..., Any]) -> None:
    text = PROVIDER + (
        'resource "aws_dynamodb_table" "orders" {\n'
        '  replica {\n    region_name = "eu-central-1"\n  }\n'
        '  replica {\n    region_name = "eu-north-1"\n  }\n}\n'
    )

    async def scenario() -> None:
        async with editor({"main.tf": text}) as client:
            client.open("main.tf")
            found = await client.wire.text_document_code_lens_async(
                lsp.CodeLensParams(lsp.TextDocumentIdentifier(client.uri("main.tf")))
            )
            told = {lens.range.start.line: lens.command.title for lens in found}
            assert told == {0: "eu-west-1 · 1 resource", 3: "2 regions"}

    asyncio.run(scenario())


def test_a_suppression_is_offered_where_it_works(editor: Callable[..., Any]) -> None:
    heredoc = (
        'resource "aws_iam_policy" "p" {\n  policy = <<EOT\n{"Statement": [\n'
        '{"Effect": "Allow", "Action": "*", "Resource": "*"}\n]}\nEOT\n}\n'
    )

    async def scenario() -> None:
        async with editor({"main.tf": OPEN, "policy.tf": heredoc}) as client:
            client.open("main.tf")
            client.open("policy.tf")
            for path, line in (("main.tf", 5), ("policy.tf", 0)):
                found = await client.actions(path, EVERYWHERE, lsp.CodeActionKind.QuickFix)
                offered = [action for action in found if action.title.startswith("Suppress")]
                assert offered, path
                (edit,) = offered[0].edit.changes[client.uri(path)]
                assert edit.range.start == lsp.Position(line, 0)
                assert edit.range.start == edit.range.end
                assert edit.new_text.strip().endswith(']  reason=""'.replace("  ", " "))
                lines = (client.root / path).read_text(encoding="utf-8").splitlines(keepends=True)
                lines.insert(line, edit.new_text.replace('""', '"known"'))
                before = len(client.codes(path))
                client.edit(path, "".join(lines))
                await client.until(lambda p=path, b=before: len(client.codes(p)) < b)

    asyncio.run(scenario())


def test_a_client_with_snippets_gets_a_place_for_the_reason(editor: Callable[..., Any]) -> None:
    capabilities = lsp.ClientCapabilities(
        workspace=lsp.WorkspaceClientCapabilities(
            workspace_edit=lsp.WorkspaceEditClientCapabilities(
                document_changes=True, snippet_edit_support=True
            )
        )
    )

    async def scenario() -> None:
        async with editor({"main.tf": OPEN}, capabilities) as client:
            client.open("main.tf")
            found = await client.actions("main.tf", EVERYWHERE, lsp.CodeActionKind.QuickFix)
            (action,) = [one for one in found if one.title.startswith("Suppress")]
            (change,) = action.edit.document_changes
            (edit,) = change.edits
            assert "${1:" in edit.snippet.value
            assert change.text_document.version == 0

    asyncio.run(scenario())


def test_a_fix_is_offered_that_mends(editor: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with editor({"main.tf": DATABASE}) as client:
            client.open("main.tf")
            await client.until(lambda: client.codes("main.tf") != [])
            found = await client.actions("main.tf", EVERYWHERE, lsp.CodeActionKind.QuickFix)
            fixes = [one for one in found if not one.title.startswith("Suppress")]
            assert fixes
            (edit,) = fixes[0].edit.changes[client.uri("main.tf")]
            assert edit.new_text == "true"
            assert (edit.range.start.line, edit.range.start.character) == (1, 24)

    asyncio.run(scenario())


def read(uri: str) -> str:
    return Path(uri.removeprefix("file://")).read_text(encoding="utf-8")


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=author", "-c", "user.email=author@example.com"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def test_what_would_widen_is_told_before_it_is_saved(
    editor: Callable[..., Any], tmp_path: Path
) -> None:
    root = tmp_path / "work"
    root.mkdir()
    (root / "main.tf").write_text(CLOSED, encoding="utf-8")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    capabilities = lsp.ClientCapabilities(
        window=lsp.WindowClientCapabilities(
            show_document=lsp.ShowDocumentClientCapabilities(support=True)
        )
    )

    async def scenario() -> None:
        async with editor({}, capabilities) as client:
            client.open("main.tf")
            client.edit("main.tf", OPEN)
            text = await client.wire.workspace_execute_command_async(
                lsp.ExecuteCommandParams("blastdoor.widens", arguments=[client.uri("main.tf")])
            )
            assert "1 widening" in text
            assert "network" in text
            await client.until(lambda: bool(client.shown))
            (uri,) = client.shown
            assert read(uri) == text

    asyncio.run(scenario())


def test_the_comparison_is_offered_as_an_action(editor: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with editor({"main.tf": OPEN}) as client:
            client.open("main.tf")
            params = lsp.CodeActionParams(
                lsp.TextDocumentIdentifier(client.uri("main.tf")),
                EVERYWHERE,
                lsp.CodeActionContext([], only=[lsp.CodeActionKind.Source]),
            )
            # The client's library takes an action with a command for a command: what it keeps of it
            # is the text.
            (found,) = await client.wire.text_document_code_action_async(params)
            assert "blastdoor.widens" in str(found.command)
            assert client.uri("main.tf") in str(found.command)

    asyncio.run(scenario())


def test_without_a_repository_there_is_nothing_to_compare_with(
    editor: Callable[..., Any],
) -> None:
    async def scenario() -> None:
        async with editor({"main.tf": OPEN}) as client:
            client.open("main.tf")
            await client.wire.workspace_execute_command_async(
                lsp.ExecuteCommandParams("blastdoor.widens", arguments=[client.uri("main.tf")])
            )
            await client.until(lambda: bool(client.messages))
            assert "HEAD" in client.messages[0]

    asyncio.run(scenario())


def test_settings_and_configuration_are_taken_over_as_they_change(
    editor: Callable[..., Any],
) -> None:
    asking = lsp.ClientCapabilities(workspace=lsp.WorkspaceClientCapabilities(configuration=True))

    async def scenario() -> None:
        async with editor(
            {"main.tf": OPEN}, asking, asked={"ignore": ["open-ingress-admin-port"]}
        ) as client:
            client.open("main.tf")
            await client.quiet()
            assert await client.hover("main.tf", 5, 26) != ""
            assert client.codes("main.tf") == []
            client.asked = {}
            client.wire.workspace_did_change_configuration(lsp.DidChangeConfigurationParams(None))
            await client.until(lambda: client.codes("main.tf") != [])
            file = client.root / "blastdoor.toml"
            file.write_text('ignore = ["NET001"]\n[levels]\n', encoding="utf-8")
            client.changed_on_disk("blastdoor.toml")
            file.write_text('ignore = ["open-ingress-admin-port"]\n', encoding="utf-8")
            client.changed_on_disk("blastdoor.toml")
            await client.until(lambda: client.codes("main.tf") == [])
            file.write_text("ignore = 7\n", encoding="utf-8")
            client.changed_on_disk("blastdoor.toml")
            await client.until(lambda: any("ignore" in words for words in client.messages))

    asyncio.run(scenario())


def test_files_on_disk_are_watched(editor: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with editor({"main.tf": CLOSED}) as client:
            client.open("main.tf")
            await client.hover("main.tf", 0, 0)
            (client.root / "more.tf").write_text(OPEN.replace("ssh", "too"), encoding="utf-8")
            client.changed_on_disk("more.tf")
            await client.until(lambda: client.codes("more.tf") != [])
            (client.root / "more.tf").unlink()
            client.changed_on_disk("more.tf")
            await client.until(lambda: client.codes("more.tf") == [])

    asyncio.run(scenario())


def test_a_hostile_workspace_is_survived(editor: Callable[..., Any], tmp_path: Path) -> None:
    files = {
        "main.tf": OPEN,
        "broken.tf": 'resource "aws_s3_bucket" {{{ \0',
        "deep.tf": "locals {\n  a = " + "[" * 20_000 + "\n}\n",
        "template.yaml": "AWSTemplateFormatVersion: x\nResources: " + "[" * 5_000,
    }

    async def scenario() -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "main.tf").write_text(OPEN, encoding="utf-8")
        async with editor(files, folders=[tmp_path / "work", other]) as client:
            await client.until(lambda: "open-ingress-admin-port" in client.codes("main.tf"))
            await client.until(lambda: client.codes("../other/main.tf") != [])
            client.open("main.tf")
            client.edit("main.tf", "# " + "x" * 2_000_000)  # the limit of the disk holds, too
            client.edit("main.tf", OPEN + 'resource "aws_s3_bucket" "b" {\n  bucket = "${')
            await client.until(
                lambda: {"open-ingress-admin-port", "syntax"} <= set(client.codes("main.tf"))
            )
            for path in files:
                (client.root / path).unlink()
            client.root.rmdir()
            client.changed_on_disk("main.tf")
            client.close("main.tf")
            await client.until(lambda: client.codes("main.tf") == [])
            client.open("main.tf", OPEN)  # in a folder that is not there any more
            await client.until(lambda: client.codes("main.tf") != [])

    asyncio.run(scenario())


def test_a_request_that_is_cancelled_is_answered_as_such(editor: Callable[..., Any]) -> None:
    text = "".join(OPEN.replace("ssh", f"r{number}") for number in range(1_500))

    async def scenario() -> None:
        async with editor({"main.tf": text}) as client:
            client.open("main.tf")
            params = lsp.HoverParams(
                lsp.TextDocumentIdentifier(client.uri("main.tf")), lsp.Position(5, 26)
            )
            future = client.wire.protocol.send_request("textDocument/hover", params, msg_id="h1")
            client.wire.cancel_request(lsp.CancelParams("h1"))
            with pytest.raises(JsonRpcException, match="ancel"):
                await asyncio.wait_for(asyncio.wrap_future(future), 30)
            assert "How to fix" in await client.hover("main.tf", 5, 26)

    asyncio.run(scenario())
