"""Terraform's file system functions: they read what the analysed root holds.

Source: Terraform language documentation, "Functions", section "Filesystem Functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.functions.base import Call, Table, set_of, utf8
from blastdoor.evaluate.functions.encoding import base64_text, digest
from blastdoor.value import Known, Mapping, Piece, Reason, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _read(call: Call, value: Value) -> str | Unknown:
    path = call.text(value)
    text = call.files.read(path)
    return Unknown(Reason.OUTSIDE_FILE, path, call.span) if text is None else text


def _file(call: Call, arguments: Sequence[Value]) -> Value:
    path = call.text(arguments[0])
    document = call.files.document(path)
    if document is None:
        return Unknown(Reason.OUTSIDE_FILE, path, call.span)
    text = document.text
    return Known(text, call.span, (), (Piece(text, document, 0, len(text)),))


def _fileexists(call: Call, arguments: Sequence[Value]) -> Value:
    text = _read(call, arguments[0])
    return call.known(data=True) if isinstance(text, str) else text


def _filebase64(call: Call, arguments: Sequence[Value]) -> Value:
    text = _read(call, arguments[0])
    return call.known(base64_text(utf8(text))) if isinstance(text, str) else text


def _hashed(algorithm: str, *, base64: bool) -> Callable[[Call, Sequence[Value]], Value]:
    def function(call: Call, arguments: Sequence[Value]) -> Value:
        text = _read(call, arguments[0])
        return call.known(digest(text, algorithm, base64=base64)) if isinstance(text, str) else text

    return function


def _fileset(call: Call, arguments: Sequence[Value]) -> Value:
    directory, pattern = call.texts(arguments)
    names = call.files.names(directory, pattern)
    if names is None:
        return Unknown(Reason.OUTSIDE_FILE, directory, call.span)
    return set_of(call, [call.known(name) for name in names], element="string")


def _templatefile(call: Call, arguments: Sequence[Value]) -> Value:
    path = call.text(arguments[0])
    variables = arguments[1]
    mapping = call.mapping(variables)
    if mapping.via:
        entries = {name: item.through(*mapping.via) for name, item in mapping.entries.items()}
    else:
        entries = mapping.entries
    if not isinstance(mapping, Mapping):
        raise call.missing(variables)
    return call.files.template(path, entries, call.span)


def _abspath(call: Call, arguments: Sequence[Value]) -> Value:
    return Unknown(Reason.ENVIRONMENT, f"abspath({call.text(arguments[0])[:80]!r})", call.span)


def _basename(call: Call, arguments: Sequence[Value]) -> Value:
    path = call.text(arguments[0])
    if not path:
        return call.known(".")
    return call.known(path.rstrip("/").rpartition("/")[2] or "/")


def _dirname(call: Call, arguments: Sequence[Value]) -> Value:
    path = call.text(arguments[0])
    return call.known(_clean(path[: path.rfind("/") + 1]))


def _clean(path: str) -> str:
    """The shortest path that means the same (Go's ``filepath.Clean``)."""
    rooted = path.startswith("/")
    kept: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if kept and kept[-1] != "..":
                kept.pop()
                continue
            if rooted:
                continue
        kept.append(part)
    return ("/" if rooted else "") + "/".join(kept) or "."


def _pathexpand(call: Call, arguments: Sequence[Value]) -> Value:
    path = call.text(arguments[0])
    if path.startswith("~"):
        return Unknown(Reason.ENVIRONMENT, "home directory", call.span)
    return arguments[0] if isinstance(arguments[0], Known) else call.known(path)


FUNCTIONS: Final[Table] = {
    "abspath": (_abspath, 1, 1),
    "basename": (_basename, 1, 1),
    "dirname": (_dirname, 1, 1),
    "file": (_file, 1, 1),
    "filebase64": (_filebase64, 1, 1),
    "filebase64sha256": (_hashed("sha256", base64=True), 1, 1),
    "filebase64sha512": (_hashed("sha512", base64=True), 1, 1),
    "fileexists": (_fileexists, 1, 1),
    "filemd5": (_hashed("md5", base64=False), 1, 1),
    "fileset": (_fileset, 2, 2),
    "filesha1": (_hashed("sha1", base64=False), 1, 1),
    "filesha256": (_hashed("sha256", base64=False), 1, 1),
    "filesha512": (_hashed("sha512", base64=False), 1, 1),
    "pathexpand": (_pathexpand, 1, 1),
    "templatefile": (_templatefile, 2, 2),
}
