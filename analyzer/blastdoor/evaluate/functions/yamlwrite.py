"""The YAML text that ``yamlencode`` writes.

Source: Terraform language documentation, "Functions", section "yamlencode": block style, every string
and key quoted, strings of several lines as literal blocks; the details are those that
`terraform console` 1.11 shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.value import MAX_TEXT, Known, Many, Mapping, Value

if TYPE_CHECKING:
    from blastdoor.evaluate.functions.base import Call

_ESCAPES: Final = {
    "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f",
    "\r": "\\r", "\x1b": "\\e", '"': '\\"', "\\": "\\\\", "\x85": "\\N",
    "\u2028": "\\L", "\u2029": "\\P", "\ufeff": "\\uFEFF",
}  # fmt: skip


_WIDTH: Final = 80
"""Columns beyond which a quoted string with spaces is broken."""


def encode(call: Call, value: Value) -> str:
    """The text of a wholly known value. Raises `Stop` for what is not written here."""
    lines: list[str] = []
    if isinstance(value, (Many, Mapping)):
        _write(call, value, "", "", lines)
        return "\n".join(lines) + "\n"
    text = _scalar(call, value, 0, "  ")
    if not isinstance(value, Known) or not isinstance(value.data, str):
        text += "\n..."
    return text + "\n"


def _write(call: Call, value: Value, lead: str, indent: str, lines: list[str]) -> None:
    """Effect: adds the lines of ``value``; ``lead`` stands before the first one."""
    if len(lines) > MAX_TEXT // 8:
        message = "text too long"
        raise call.budget(message)
    if isinstance(value, Many) and value.items:
        for item in value.items:
            _write(call, item, f"{lead}- ", f"{indent}  ", lines)
            lead = indent
    elif isinstance(value, Mapping) and value.entries:
        for name, item in sorted(value.entries.items()):
            key = f"{lead}{_quoted(call, name)}:"
            lead = indent
            if isinstance(item, Many) and item.items:
                # A list below a key stands at the level of the key.
                lines.append(key)
                _write(call, item, indent, indent, lines)
            elif isinstance(item, Mapping) and item.entries:
                lines.append(key)
                _write(call, item, f"{indent}  ", f"{indent}  ", lines)
            else:
                _write(call, item, f"{key} ", f"{indent}  ", lines)
    else:
        lines.append(lead + _scalar(call, value, len(lead), indent))


def _scalar(call: Call, value: Value, column: int, indent: str) -> str:
    if isinstance(value, Many):
        return "[]"
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Known) and not isinstance(value.data, str):
        return "null" if value.data is None else call.scalar_text(value.data)
    text = call.text(value)
    lines = text.split("\n")
    if len(lines) > 1 and not any(line.endswith(" ") for line in lines):
        return _block(call, lines, indent)
    quoted = _quoted(call, text)
    if column + len(quoted) > _WIDTH and " " in text:
        message = "a long line"
        raise call.unsupported(message)
    return quoted


def _block(call: Call, lines: list[str], indent: str) -> str:
    """A literal block of several lines."""
    ending = lines[-1] == ""
    body = lines[:-1] if ending else lines
    plain = all(line.isprintable() and (not line or max(line) < "\U00010000") for line in body)
    if not body[0] or not body[-1] or body[0].startswith(" ") or not plain:
        message = "a string of several lines"
        raise call.unsupported(message)
    return "\n".join(["|" if ending else "|-", *[indent + line if line else "" for line in body]])


def _quoted(call: Call, text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    parts = []
    for character in text:
        escaped = _ESCAPES.get(character)
        if escaped is None and character > "\uffff":
            escaped = f"\\U{ord(character):08X}"
        if escaped is None and not character.isprintable():
            message = "a character that is not printable"
            raise call.unsupported(message)
        parts.append(escaped or character)
    return f'"{"".join(parts)}"'
