"""The child process that rewrites Python with libcst: one request a line, one answer a line.

It is run by its path in an isolated interpreter and imports nothing of blastdoor. A request is a JSON
object with ``text``, ``start`` and ``end`` (characters) of an expression, ``act`` (``set``, ``remove``,
``add``, ``own`` or ``derive``), ``data`` and ``name``; the answer is a list of edits, each
``[start, end, text]``, or ``null``.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final, TypeGuard

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, ParentNodeProvider

MEMORY: Final = 1_500_000_000
"""Bytes of address space."""
SECONDS: Final = 120
"""CPU seconds for all requests together."""
MEMBERS: Final = {("RemovalPolicy", "DESTROY", "Retain"): "RETAIN"}
"""Enumeration, member, value that is to be → its member.

Source: AWS CDK API Reference, RemovalPolicy."""
BOUND: Final = frozenset({"auto_delete_objects", "auto_delete_images", "empty_on_delete"})
"""Arguments that a construct only takes when its data goes with it.

Source: AWS CDK API Reference, Bucket and Repository."""
_TWO: Final = 2


class Text:
    """A module, and where its nodes stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        wrapper = MetadataWrapper(cst.parse_module(text))
        self.module = wrapper.module
        self.parents: Any = wrapper.resolve(ParentNodeProvider)
        self.spans: dict[tuple[int, int], cst.CSTNode] = {}
        self.places: dict[int, tuple[int, int]] = {}
        for node, span in wrapper.resolve(ByteSpanPositionProvider).items():
            if isinstance(node, cst.BaseExpression):
                place = (span.start, span.start + span.length)
                self.spans[place] = node
                self.places[id(node)] = place

    def bytes_at(self, place: int) -> int:
        """The offset in bytes of an offset in characters."""
        return len(self.text[:place].encode())

    def characters_at(self, place: int) -> int:
        """The offset in characters of an offset in bytes."""
        return len(self.text.encode()[:place].decode())

    def answer(self, node: cst.CSTNode, text: str) -> list[Any]:
        """The edit that writes a text in place of a node."""
        start, end = self.places[id(node)]
        return [self.characters_at(start), self.characters_at(end), text]


def limit() -> None:
    """Effect: holds this process to its limits, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def rewritten(text: Text, request: dict[str, Any]) -> list[Any] | None:
    """The edits of one request; ``None`` where the code is not as plain as it must be."""
    place = (text.bytes_at(request["start"]), text.bytes_at(request["end"]))
    if request["act"] == "derive":
        return _derived(text, place, request["data"])
    one = _rewritten(text, request, place)
    return None if one is None else [one]


def _rewritten(text: Text, request: dict[str, Any], place: tuple[int, int]) -> list[Any] | None:
    """The one edit that most requests come to."""
    node = text.spans.get(place)
    if node is None:
        return None
    if request["act"] == "set":
        if _is_bound(text, node):
            return None
        written = _literal(node, request["data"])
        return None if written is None else text.answer(node, written)
    if request["act"] == "add":
        made = node if _is_call(node) else text.parents.get(node)
        if not _is_call(made) or (made is not node and made.func is not node):
            return None
        added = _added(made, request["name"], request["data"])
        return None if added is None else text.answer(made, text.module.code_for_node(added))
    if request["act"] == "own":
        return _session(text, node, request["data"])
    argument = text.parents.get(node)
    call = text.parents.get(argument)
    if not isinstance(argument, cst.Arg) or not isinstance(call, cst.Call):
        return None
    if argument.keyword is not None:
        without = _without(call, argument)
        return None if without is None else text.answer(call, text.module.code_for_node(without))
    required = _required(text, call, argument)
    return None if required is None else text.answer(call, required)


def _is_bound(text: Text, node: cst.CSTNode) -> bool:
    """Whether another argument of the call needs the value to be what it is."""
    call = text.parents.get(text.parents.get(node))
    names = {item.keyword.value for item in call.args if item.keyword} if _is_call(call) else set()
    return isinstance(node, cst.Attribute) and not names.isdisjoint(BOUND)


def _is_call(node: object) -> TypeGuard[cst.Call]:
    return isinstance(node, cst.Call)


def _literal(old: cst.CSTNode, data: str | float | bool | None) -> str | None:  # noqa: FBT001  a value
    if isinstance(old, cst.Attribute) and isinstance(old.value, (cst.Name, cst.Attribute)):
        owner = old.value.value if isinstance(old.value, cst.Name) else old.value.attr.value
        member = MEMBERS.get((str(owner), old.attr.value, str(data)))
        if member is None:
            return None
        return cst.Module([]).code_for_node(old.with_changes(attr=cst.Name(member)))
    if isinstance(old, cst.SimpleString):
        if old.prefix or len(old.quote) != 1 or "\\" in old.value:
            return None
        if isinstance(data, str) and data.isprintable() and not set(data) & set("'\"\\"):
            return f"{old.quote}{data}{old.quote}"
        return repr(data)
    is_word = isinstance(old, cst.Name) and old.value in ("True", "False", "None")
    return repr(data) if is_word or isinstance(old, (cst.Integer, cst.Float)) else None


def _without(call: cst.Call, argument: cst.Arg) -> cst.Call | None:
    """A call without one of its arguments; the others keep their layout and comments."""
    kept = [item for item in call.args if item is not argument]
    if kept and call.args[-1] is argument:
        comma = argument.comma
        before = kept[-1].comma
        space = before.whitespace_after if isinstance(before, cst.Comma) else None
        if isinstance(space, cst.ParenthesizedWhitespace) and space.first_line.comment is not None:
            if not isinstance(comma, cst.Comma):
                return None
            behind = comma.whitespace_after
            if not isinstance(behind, cst.ParenthesizedWhitespace):
                return None
            after = space.with_changes(indent=behind.indent, last_line=behind.last_line)
            comma = comma.with_changes(whitespace_after=after)
        kept[-1] = kept[-1].with_changes(
            comma=comma, whitespace_after_arg=argument.whitespace_after_arg
        )
    return call.with_changes(args=kept)


def _added(call: cst.Call, name: str, data: str | float | bool | None) -> cst.Call | None:  # noqa: FBT001  a value
    """A call with one more argument, laid out as the ones before it."""
    if any(
        item.star == "**" or (item.keyword and item.keyword.value == name) for item in call.args
    ):
        return None
    value = cst.parse_expression(json.dumps(data) if isinstance(data, str) else repr(data))
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    one = cst.Arg(value, keyword=cst.Name(name), equal=equal)
    if not call.args:
        return call.with_changes(args=[one])
    *before, last = call.args
    space: cst.BaseParenthesizableWhitespace = cst.SimpleWhitespace(" ")
    if isinstance(call.whitespace_before_args, cst.ParenthesizedWhitespace):
        space = call.whitespace_before_args
        if space.first_line.comment is not None:
            return None
    if isinstance(last.comma, cst.Comma):
        ending = last.comma
        one = one.with_changes(comma=ending, whitespace_after_arg=last.whitespace_after_arg)
    else:
        one = one.with_changes(whitespace_after_arg=last.whitespace_after_arg)
    bare = cst.SimpleWhitespace("")
    kept = last.with_changes(comma=cst.Comma(bare, space), whitespace_after_arg=bare)
    if _commented(last):
        return None
    return call.with_changes(args=[*before, kept, one])


def _commented(argument: cst.Arg) -> bool:
    """Whether a comment stands behind an argument."""
    spaces = [argument.whitespace_after_arg]
    if isinstance(argument.comma, cst.Comma):
        spaces.append(argument.comma.whitespace_after)
    return any(
        isinstance(space, cst.ParenthesizedWhitespace)
        and (
            space.first_line.comment is not None or any(line.comment for line in space.empty_lines)
        )
        for space in spaces
    )


def _derived(text: Text, place: tuple[int, int], what: str) -> list[Any] | None:
    """A stretch of a string that CDK fills in when it is deployed: ``Aws.PARTITION``, ``Aws.REGION``.

    Source: AWS CDK API Reference, Aws.
    """
    start, end = place
    around = [
        (last - first, first, last, node)
        for (first, last), node in text.spans.items()
        if first <= start and end <= last
    ]
    if not around:
        return None
    _length, first, last, node = min(around, key=lambda found: found[0])
    name, importing = _cdk(text)
    if name is None:
        return None
    data = text.text.encode()
    before, after = data[first:start].decode(), data[end:last].decode()
    if isinstance(node, cst.SimpleString):
        if node.prefix or "\\" in node.value or set(node.value) & set("{}"):
            return None
        before = f"f{before}"
    elif not isinstance(node, cst.FormattedString) or "r" in node.prefix.lower():
        return None
    written = f"{before}{{{name}.{what.upper()}}}{after}"
    edits = [[text.characters_at(first), text.characters_at(last), written]]
    if importing is not None:
        if importing > first:
            return None
        edits.append([text.characters_at(importing), text.characters_at(importing), ", Aws"])
    return edits


def _cdk(text: Text) -> tuple[str | None, int | None]:
    """What a module calls ``aws_cdk.Aws``, and where it has to be imported for that, if it has."""
    place: int | None = None
    for line in text.module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.Import):
                for one in statement.names:
                    if text.module.code_for_node(one.name) == "aws_cdk":
                        return f"{one.evaluated_alias or 'aws_cdk'}.Aws", None
            if not isinstance(statement, cst.ImportFrom) or statement.module is None:
                continue
            source = text.module.code_for_node(statement.module)
            if source not in ("aws_cdk", "aws_cdk.core") or isinstance(
                statement.names, cst.ImportStar
            ):
                continue
            for one in statement.names:
                if one.name.value == "Aws":
                    return one.evaluated_alias or "Aws", None
                if one.name.value == "core" and source == "aws_cdk":
                    return f"{one.evaluated_alias or 'core'}.Aws", None
            first = statement.names[0]
            last = first.asname.name if first.asname is not None else first.name
            place = place or text.places[id(last)][1]
    taken = any(isinstance(n, cst.Name) and n.value == "Aws" for n in text.spans.values())
    return (None, None) if place is None or taken else ("Aws", place)


def _session(text: Text, node: cst.CSTNode, name: str) -> list[Any] | None:
    """A session by a name in place of the default one, with the clients of the file made by it.

    Clients at the top of the file and before it have the session that the process had till then.
    Source: Boto3 documentation, "Session reference" (``setup_default_session`` passes its arguments on).
    """
    call: Any = node
    while call is not None and not (
        _is_call(call) and _dotted(text, call.func) == "boto3.setup_default_session"
    ):
        call = text.parents.get(call)
    line = text.parents.get(text.parents.get(call))
    if call is None or not isinstance(text.parents.get(line), cst.Module):
        return None
    if name in {found.value for found in text.spans.values() if isinstance(found, cst.Name)}:
        return None
    start, end = text.places[id(call.func)]
    edits = [(start, end, f"{name} = boto3.Session")]
    for place, found in text.spans.items():
        if _dotted(text, found) not in ("boto3.client", "boto3.resource"):
            continue
        if not _is_call(text.parents.get(found)):
            return None
        if place[0] < start and not _in_function(text, found):
            continue
        edits.append((place[0], place[0] + len("boto3"), name))
    if len(edits) == 1:
        return None
    edits.sort()
    data = text.text.encode()
    first, last = edits[0][0], edits[-1][1]
    parts, at = [], first
    for begin, stop, written in edits:
        parts += [data[at:begin].decode(), written]
        at = stop
    return [text.characters_at(first), text.characters_at(last), "".join(parts)]


def _dotted(text: Text, node: cst.CSTNode) -> str:
    return text.module.code_for_node(node) if isinstance(node, cst.Attribute) else ""


def _in_function(text: Text, node: cst.CSTNode) -> bool:
    above = text.parents.get(node)
    while above is not None:
        if isinstance(above, (cst.FunctionDef, cst.Lambda)):
            return True
        above = text.parents.get(above)
    return False


def _required(text: Text, call: cst.Call, argument: cst.Arg) -> str | None:
    """``os.environ[K]`` for ``os.environ.get(K, V)`` and ``os.getenv(K, V)``."""
    function = call.func
    if (
        not isinstance(function, cst.Attribute)
        or len(call.args) != _TWO
        or call.args[1] is not argument
        or any(item.keyword is not None or item.star for item in call.args)
    ):
        return None
    above = text.parents.get(text.parents.get(call))
    if _is_call(above) and isinstance(above.func, cst.Attribute):
        name = above.func.attr.value
        if name in ("get", "getenv") and above.args[-1].value is call:
            return None  # A default of another default would be asked for at every call.
    owner = text.module.code_for_node(function.value)
    if (owner, function.attr.value) == ("os", "getenv"):
        owner = "os.environ"
    elif function.attr.value != "get" or owner not in ("os.environ", "environ"):
        return None
    return f"{owner}[{text.module.code_for_node(call.args[0].value)}]"


def main() -> None:
    """Effect: answers the requests of standard input until it ends."""
    limit()
    known: Text | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if known is None or known.text != request["text"]:
                known = Text(request["text"])
            found = rewritten(known, request)
        except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError, ValueError):
            known, found = None, None
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
