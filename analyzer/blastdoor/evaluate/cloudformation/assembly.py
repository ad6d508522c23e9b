"""What a CDK app has written: the environment that its manifest gives to each stack.

Source: aws-cdk, Cloud Assembly manifest schema (``ArtifactManifest``).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.cloudformation.deployments import Around, Deployment, said
from blastdoor.finding import Failure, FailureKind
from blastdoor.span import Document, Span

if TYPE_CHECKING:
    from blastdoor.value import Known

_ENVIRONMENT: Final = re.compile(r"aws://([^/]+)/([^/]+)")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_STACK: Final = "aws:cloudformation:stack"


def of_assembly(around: Around, path: str) -> list[Deployment]:
    """The environment that a CDK app's manifest gives to a template that the app wrote."""
    directory, name = posixpath.split(path)
    if not name.endswith(".template.json"):
        return []
    where = posixpath.join(directory, "manifest.json")
    if where not in around.kept:
        around.kept[where] = _read_manifest(around, where)
    found: dict[str, list[Deployment]] = around.kept[where]
    return found.get(name, [])


def _read_manifest(around: Around, path: str) -> dict[str, list[Deployment]]:
    """Name of a template → where the manifest says that it goes."""
    directory, name = posixpath.split(path)
    repository = around.repository
    if name not in around.names(directory):
        return {}
    text = repository.files.read(path)
    if text is None or '"artifacts"' not in text:
        return {}
    import json

    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        repository.fault(Failure(FailureKind.SYNTAX, path, "the manifest of a CDK app is no JSON"))
        return {}
    artifacts = data.get("artifacts") if isinstance(data, dict) else None
    if not isinstance(artifacts, dict):
        return {}
    found: dict[str, list[Deployment]] = {}
    document = Document(path, text)
    for artifact in artifacts.values():
        if not isinstance(artifact, dict) or artifact.get("type") != _STACK:
            continue
        properties = artifact.get("properties")
        template = properties.get("templateFile") if isinstance(properties, dict) else None
        if isinstance(template, str):
            found.setdefault(template, []).append(_deployment(document, artifact, properties))
    return found


def _deployment(document: Document, artifact: dict[str, Any], properties: Any) -> Deployment:
    account, region = None, None
    match = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
    words = f"the environment of the stack in {document.path}"
    if match is not None:
        if _ACCOUNT.fullmatch(match[1]):
            account = _at(document, match[1], words)
        if not match[2].startswith("unknown-"):
            region = _at(document, match[2], words, match[0])
    stack = properties.get("stackName")
    name = _at(document, stack, words) if isinstance(stack, str) else None
    return Deployment(document.path, document.path, region, account, name)


def _at(document: Document, text: str, words: str, within: str = "") -> Known:
    at = document.text.find(within or text)
    at = document.text.find(text, max(at, 0))
    span = Span(document, max(at, 0), max(at, 0) + len(text))
    return said(text, span, words)
