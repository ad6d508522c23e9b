"""Terraform's encoding and hash functions.

Sources: Terraform language documentation, "Functions", sections "Encoding Functions" and "Hash and
Crypto Functions"; RFC 8259 (JSON), RFC 4180 (CSV), RFC 4122 (UUID version 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from blastdoor.evaluate.functions.base import Call, Table, parse_number, push, utf8, valid_text
from blastdoor.value import (
    MAX_DEPTH,
    MAX_SIZE,
    MAX_TEXT,
    Encoded,
    Known,
    Many,
    Mapping,
    Text,
    Unknown,
    Value,
    within_budget,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_YAML: Final = 200_000
"""Longest YAML text that is decoded."""
MAX_YAML_DEPTH: Final = 100
"""Deepest nesting of YAML that is decoded."""


# Base64 and hashes


def base64_text(data: bytes) -> str:
    """Bytes in base64."""
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode("ascii")


def digest(text: str, algorithm: str, *, base64: bool) -> str:
    """The hash of a string in UTF-8, in hexadecimal or base64."""
    from hashlib import new

    hashed = new(algorithm, utf8(text), usedforsecurity=False)
    return base64_text(hashed.digest()) if base64 else hashed.hexdigest()


def _hash(algorithm: str, *, base64: bool) -> Callable[[Call, Sequence[Value]], Value]:
    def function(call: Call, arguments: Sequence[Value]) -> Value:
        return call.known(digest(call.text(arguments[0]), algorithm, base64=base64))

    return function


def _base64encode(call: Call, arguments: Sequence[Value]) -> Value:
    return call.known(base64_text(utf8(call.text(arguments[0]))))


def _decoded(call: Call, text: str) -> bytes:
    from binascii import Error, a2b_base64

    body = text.replace("\n", "").replace("\r", "")
    message = "not valid base64"
    if not body.isascii():
        raise call.invalid(message)
    try:
        return a2b_base64(body.encode("ascii"), strict_mode=True) if body else b""
    except Error:
        raise call.invalid(message) from None


def _base64decode(call: Call, arguments: Sequence[Value]) -> Value:
    data = _decoded(call, call.text(arguments[0]))
    try:
        return call.known(data.decode("utf-8"))
    except UnicodeDecodeError:
        message = "the decoded bytes are not UTF-8"
        raise call.invalid(message) from None


_ENCODINGS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "windows-1252": "cp1252",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}


def _encoding(call: Call, value: Value) -> str:
    name = call.text(value)
    codec = _ENCODINGS.get(name.lower())
    if codec is None:
        raise call.unsupported(name[:40])
    return codec


def _textencodebase64(call: Call, arguments: Sequence[Value]) -> Value:
    text, codec = call.text(arguments[0]), _encoding(call, arguments[1])
    try:
        return call.known(base64_text(text.encode(codec)))
    except UnicodeEncodeError:
        message = "the string has characters that the encoding lacks"
        raise call.invalid(message) from None


def _textdecodebase64(call: Call, arguments: Sequence[Value]) -> Value:
    data, codec = _decoded(call, call.text(arguments[0])), _encoding(call, arguments[1])
    try:
        return call.known(data.decode(codec))
    except UnicodeDecodeError:
        message = "the bytes are not of the encoding"
        raise call.invalid(message) from None


_NAMESPACES: Final = {
    "dns": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "url": "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
    "oid": "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
    "x500": "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
}


def _uuidv5(call: Call, arguments: Sequence[Value]) -> Value:
    from hashlib import sha1

    namespace, name = call.texts(arguments)
    digits = _NAMESPACES.get(namespace, namespace).replace("-", "")
    try:
        space = bytes.fromhex(digits)
    except ValueError:
        space = b""
    if len(space) != 16:  # noqa: PLR2004
        message = "invalid namespace"
        raise call.invalid(message)
    hashed = sha1(space + utf8(name), usedforsecurity=False)
    data = bytearray(hashed.digest()[:16])
    data[6] = data[6] & 0x0F | 0x50
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return call.known(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
)


def _urlencode(call: Call, arguments: Sequence[Value]) -> Value:
    data = utf8(call.text(arguments[0]))
    return call.known(
        "".join([chr(b) if b in _UNRESERVED else "+" if b == 0x20 else f"%{b:02X}" for b in data])  # noqa: PLR2004
    )


# JSON


def _jsonencode(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Unknown) and value.reason.name == "INVALID":
        return value
    return within_budget(Encoded(value, call.span))


def _plain(value: Value) -> Value:
    """A value as JSON gives it back: sets are lists, encoded strings stay strings."""
    if isinstance(value, Many):
        plain = not any(isinstance(i, (Many, Mapping)) for i in value.items)
        if value.element is None and not value.is_set and plain:
            return value
        return Many(
            tuple([_plain(item) for item in value.items]),
            value.span,
            value.via,
            complete=value.complete,
        )
    if isinstance(value, Mapping) and (
        value.element is not None
        or any(isinstance(i, (Many, Mapping)) for i in value.entries.values())
    ):
        return Mapping(
            {name: _plain(item) for name, item in value.entries.items()},
            value.span,
            value.via,
            complete=value.complete,
            key_spans=value.key_spans,
        )
    return value


class _Rejected(Exception):  # noqa: N818  a constant that JSON has not
    """NaN or an infinity in a JSON text."""


def _reject(text: str) -> Any:
    raise _Rejected(text)


def _json_number(text: str) -> Any:
    number = parse_number(text)
    return _reject(text) if number is None else number


def _nesting(text: str) -> int:
    """An upper bound of the nesting of a JSON text."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                quoted = False
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _jsondecode(call: Call, arguments: Sequence[Value]) -> Value:
    value = arguments[0]
    if isinstance(value, Encoded):
        return push(_plain(value.inner), value.via)
    if isinstance(value, Text):
        decoded = _decode_placed(value)
        if decoded is None:
            raise call.missing(value)
        return decoded
    text = call.text(value)
    if len(text) > MAX_TEXT or _nesting(text) >= MAX_DEPTH:
        message = "JSON text too large"
        raise call.budget(message)
    if isinstance(value, Known) and value.pieces:
        decoded = _decode_placed(value)
        if decoded is not None:
            return decoded
    from json import loads

    try:
        data = loads(text, parse_constant=_reject, parse_float=_json_number, parse_int=_json_number)
    except (ValueError, _Rejected):
        message = "not valid JSON"
        raise call.invalid(message) from None
    return within_budget(_lift(call, data))


def _decode_placed(value: Known | Text) -> Value | None:
    """A JSON text whose pieces stand in a source, decoded with the places of its parts."""
    from blastdoor.evaluate.jsontext import decode

    return decode(value)


def _lift(call: Call, data: Any) -> Value:
    """Python data as a value."""
    if isinstance(data, dict):
        return Mapping({str(name): _lift(call, item) for name, item in data.items()}, call.span)
    if isinstance(data, list):
        return Many(tuple([_lift(call, item) for item in data]), call.span)
    if isinstance(data, str):
        return Known(valid_text(data), call.span)
    return Known(data, call.span)


# CSV


def _csvdecode(call: Call, arguments: Sequence[Value]) -> Value:
    rows = _csv_rows(call, call.text(arguments[0]))
    if not rows:
        message = "missing header line"
        raise call.invalid(message)
    header, *records = rows
    if len(set(header)) != len(header):
        message = "duplicate column name"
        raise call.invalid(message)
    if len(records) * (len(header) + 1) > MAX_SIZE:
        message = "list too long"
        raise call.budget(message)
    items = []
    for record in records:
        if len(record) != len(header):
            message = "wrong number of fields"
            raise call.invalid(message)
        entries = zip(header, record, strict=True)
        items.append(Mapping({name: call.known(field) for name, field in entries}, call.span))
    row = ("object", tuple([(name, "string") for name in sorted(header)]))
    return call.many(items, element=row)


def _csv_rows(call: Call, text: str) -> list[list[str]]:
    """The records of a CSV text: empty lines do not count, quotes stand around whole fields."""
    text = text.replace("\r\n", "\n")
    rows: list[list[str]] = []
    row: list[str] = []
    at = 0
    while at < len(text):
        if not row and text[at] == "\n":
            at += 1
            continue
        field, at = _csv_field(call, text, at)
        row.append(field)
        if at < len(text) and text[at] == ",":
            at += 1
            if at < len(text):
                continue
            row.append("")
        rows.append(row)
        row = []
        at += 1
        if len(rows) > MAX_SIZE:
            message = "list too long"
            raise call.budget(message)
    if row:
        rows.append(row)
    return rows


def _csv_field(call: Call, text: str, at: int) -> tuple[str, int]:
    """The field that begins at ``at``, and the place of the comma or line end behind it."""
    if text[at : at + 1] != '"':
        ends = [end for end in (text.find(",", at), text.find("\n", at)) if end >= 0]
        end = min(ends, default=len(text))
        field = text[at:end]
        if '"' in field:
            message = "bare quote in a field"
            raise call.invalid(message)
        return field, end
    parts: list[str] = []
    at += 1
    while True:
        end = text.find('"', at)
        if end < 0:
            message = "unterminated quote"
            raise call.invalid(message)
        parts.append(text[at:end])
        at = end + 1
        following = text[at : at + 1]
        if following == '"':
            parts.append('"')
            at += 1
            continue
        if following not in ("", ",", "\n"):
            message = "text behind a quoted field"
            raise call.invalid(message)
        return "".join(parts), at


# YAML


def _yamlencode(call: Call, arguments: Sequence[Value]) -> Value:
    if isinstance(arguments[0], Unknown):
        raise call.missing(arguments[0])
    if not arguments[0].resolved:
        raise call.missing(arguments[0])
    from blastdoor.evaluate.functions.yamlwrite import encode

    return call.known(encode(call, arguments[0]))


def _yamldecode(call: Call, arguments: Sequence[Value]) -> Value:
    text = call.text(arguments[0])
    if len(text) > MAX_YAML:
        message = "YAML text too long"
        raise call.budget(message)
    from blastdoor.evaluate.functions.yamltext import decode

    return decode(call, text)


FUNCTIONS: Final[Table] = {
    "base64decode": (_base64decode, 1, 1),
    "base64encode": (_base64encode, 1, 1),
    "base64sha256": (_hash("sha256", base64=True), 1, 1),
    "base64sha512": (_hash("sha512", base64=True), 1, 1),
    "csvdecode": (_csvdecode, 1, 1),
    "jsondecode": (_jsondecode, 1, 1),
    "jsonencode": (_jsonencode, 1, 1),
    "md5": (_hash("md5", base64=False), 1, 1),
    "sha1": (_hash("sha1", base64=False), 1, 1),
    "sha256": (_hash("sha256", base64=False), 1, 1),
    "sha512": (_hash("sha512", base64=False), 1, 1),
    "textdecodebase64": (_textdecodebase64, 2, 2),
    "textencodebase64": (_textencodebase64, 2, 2),
    "urlencode": (_urlencode, 1, 1),
    "uuidv5": (_uuidv5, 2, 2),
    "yamldecode": (_yamldecode, 1, 1),
    "yamlencode": (_yamlencode, 1, 1),
}
