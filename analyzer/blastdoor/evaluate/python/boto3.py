"""boto3 and botocore: which clients a program makes, where they send what, and what it asks for.

Sources: Boto3 documentation, "Session reference" (a client's region: its own argument, the session's,
``AWS_DEFAULT_REGION``, the profile), "Resources", "Paginators"; botocore 1.44.5, configprovider.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.cloudformation import resource as lowered
from blastdoor.evaluate.cloudformation.values import Place
from blastdoor.evaluate.python import names
from blastdoor.evaluate.python.things import Bound, Call, Instance, Thing, name_of
from blastdoor.fact import ApiCall, ApiClient
from blastdoor.span import Span
from blastdoor.value import (
    Evidence,
    Inherited,
    Known,
    Many,
    Mapping,
    Meaning,
    Reason,
    Step,
    Unknown,
    Value,
    known_text,
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from blastdoor.fact import Resource

    ToValue = Callable[[Thing, Span | None], Value]

_MODULES: Final = ("boto3", "aioboto3", "botocore.session")
_LIBRARIES: Final = ("boto3", "aioboto3", "botocore")
_MAKERS: Final = ("client", "resource", "create_client")
_SESSIONS: Final = ("Session", "session.Session", "get_session")
_NO_CALLS: Final = frozenset(
    {
        "can_paginate",
        "close",
        "exceptions",
        "generate_presigned_post",
        "generate_presigned_url",
        "get_paginator",
        "get_waiter",
        "meta",
        "get_available_subresources",
    }
)
_LISTS: Final = {
    "describe_organization": Meaning.ORGANIZATION,
    "describe_regions": Meaning.EVERY_REGION,
    "get_available_regions": Meaning.EVERY_REGION,
    "list_regions": Meaning.EVERY_REGION,
    "list_roots": Meaning.ORGANIZATION_ROOT,
}
"""Method → what its answer stands for."""
_LISTING: Final = ("describe_", "list_")
"""How methods begin whose answer, where nothing narrows it, has all there is."""
_GROUP: Final = "AWS::EC2::SecurityGroup"
_RANGES: Final = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
_CREDENTIALS: Final = ("aws_access_key_id", "aws_secret_access_key", "profile_name")
_MAX_HOPS: Final = 20


_CONFIGS: Final = frozenset({"botocore.client.Config", "botocore.config.Config"})
"""Names of the class that holds the configuration of a client."""


class Clients:
    """The clients of one program, each made once however often it is used."""

    def __init__(
        self,
        value: ToValue,
        default: Value | None,
        *,
        invoked: Callable[[], bool],
        environment: Value | None = None,
    ) -> None:
        self._value = value
        self._default = default
        """The region of the default session, when the program gives it one."""
        self._environment = environment
        """The region that the program puts into its environment."""
        self._invoked = invoked
        """Whether something else starts the program, in a region: a function of Lambda."""
        self._clients: dict[int, ApiClient | None] = {}
        self._kept: list[Call] = []

    def of(self, thing: Thing) -> ApiClient | None:
        """The client that a thing is, or whose part it is."""
        current: Thing | None = thing
        for _hop in range(_MAX_HOPS):
            if isinstance(current, Call):
                found = self._made(current)
                if found is not None:
                    return found
                current = current.function
            elif isinstance(current, Bound):
                current = current.base
            else:
                return None
        return None

    def _made(self, call: Call) -> ApiClient | None:
        key = id(call)
        if key not in self._clients:
            self._kept.append(call)  # an identity is one only while its object lives
            self._clients[key] = self._make(call)
        return self._clients[key]

    def _make(self, call: Call) -> ApiClient | None:
        function = call.function
        name = name_of(function)
        session: Call | None = None
        if name:
            module, _dot, maker = name.rpartition(".")
            if module not in _MODULES or maker not in _MAKERS:
                return None
        elif isinstance(function, Bound) and function.name in _MAKERS:
            session = function.base if isinstance(function.base, Call) else None
            if session is None or not _is_session(session):
                return None
        else:
            return None
        given = call.argument(0, "service_name")
        service = None if given is None else known_text(self._value(given, call.span))
        complete = call.complete and (session is None or session.complete)
        found = self._said(call.argument(1, "region_name"), call)
        config = call.argument(9, "config")
        if found is None and config is not None and not _is_none(config):
            # botocore, `Session._resolve_region_name`: the argument, the configuration, the session's.
            if isinstance(config, Call) and name_of(config.function) in _CONFIGS:
                found = self._said(config.argument(0, "region_name"), config)
                complete = complete and config.complete
            else:
                complete = False
        if found is None and session is not None:
            found = self._said(session.argument(3, "region_name"), call)
        endpoint = call.argument(5, "endpoint_url")
        if found is not None:
            where = found
        else:
            where = self._unsaid(call, complete=complete, own=session is not None)
        return ApiClient(
            service or "",
            where,
            found is not None or not complete or session_profile(session) is not None,
            call.name_span,
            call.owner,
            self._invoked(),
            loops_of(call, self._value),
            self._value(endpoint, call.span)
            if endpoint is not None
            else None
            if call.complete
            else Unknown(Reason.UNRESOLVED, "**kwargs", call.span),
            any(name in call.keywords for name in _CREDENTIALS)
            or (session is not None and any(n in session.keywords for n in _CREDENTIALS)),
            call.assigned,
        )

    def _said(self, thing: Thing | None, call: Call) -> Value | None:
        """What an argument is; ``None`` where it is left out, or None."""
        found = None if thing is None else self._value(thing, call.span)
        return None if isinstance(found, Known) and found.data is None else found

    def _unsaid(self, call: Call, *, complete: bool, own: bool) -> Value:
        """The region of a client that is given none; ``own``: of a session of its own."""
        if not complete:
            return Unknown(Reason.UNRESOLVED, "**kwargs", call.span)
        default = None if own else self._default
        if default is None:
            default = self._environment
        if default is not None:
            return default
        words = "the region of the environment"
        return Inherited(Reason.ENVIRONMENT, words, call.name_span, meaning=Meaning.CURRENT_REGION)


def _is_none(thing: Thing) -> bool:
    return isinstance(thing, Known) and thing.data is None


def _is_session(call: Call) -> bool:
    name = name_of(call.function)
    module, _dot, rest = name.partition(".")
    return module in _LIBRARIES and rest.endswith(_SESSIONS)


def session_profile(session: Call | None) -> Thing | None:
    """The profile of a session, which brings a region of its own."""
    return None if session is None else session.argument(4, "profile_name")


def loops_of(call: Call, value: ToValue) -> tuple[tuple[Value, str, Span], ...]:
    """The loops around a call."""
    return tuple([(value(loop.collection, loop.span), loop.text, loop.span) for loop in call.loops])


def meaning(call: Call) -> Value | None:
    """What the answer of a call stands for: a list of every region, or nothing in particular."""
    operation = operation_of(call)
    if operation is None:
        return None
    found = _LISTS.get(operation)
    if found is None:
        everything = operation.startswith(_LISTING) and not call.keywords and call.complete
        if not everything or not _is_of_client(call):
            return None
    return Unknown(Reason.DATA_SOURCE, f"{operation}()", call.span, meaning=found)


def _is_of_client(call: Call) -> bool:
    """Whether a call goes back to something that makes a client here."""
    current: Thing = call
    for _hop in range(_MAX_HOPS):
        if isinstance(current, Bound):
            current = current.base
        elif isinstance(current, Call):
            if name_of(current.function).partition(".")[0] in _LIBRARIES:
                return True
            current = current.function
        else:
            return False
    return False


def operation_of(call: Call) -> str | None:
    """The method of the API that a call is; ``None`` for none."""
    function = call.function
    if not isinstance(function, Bound) or function.name in _NO_CALLS:
        return None
    base = function.base
    if function.name in ("paginate", "wait") and isinstance(base, Call):
        # client.get_paginator("list_tables").paginate()
        inner = base.function
        if isinstance(inner, Bound) and inner.name == "get_paginator" and base.arguments:
            first = base.arguments[0]
            return known_text(first) if isinstance(first, Value) else None
        return None
    if function.name.startswith("_") or isinstance(base, Instance):
        return None
    return function.name


def method_span(call: Call) -> Span:
    """The name of the method that is called: ``delete_table`` of ``client.delete_table``."""
    span = call.name_span
    function = call.function
    if isinstance(function, Bound) and span.text.endswith(function.name):
        return Span(span.document, span.end - len(function.name), span.end)
    return span


def api_call(call: Call, client: ApiClient, operation: str, value: ToValue) -> ApiCall:
    """The fact that a call is."""
    arguments = {
        name: value(thing, call.spans.get(name, call.span)) for name, thing in call.keywords.items()
    }
    dry = arguments.get("DryRun")
    tries = isinstance(dry, Known) and dry.data is True
    hints = "dry" in call.guarded.lower() or "apply" in call.guarded.lower()
    return ApiCall(
        client,
        operation,
        call.span,
        method_span(call),
        tables.api().effect(client.service, operation) if client.service else "",
        call.owner,
        tries or hints,
        loops_of(call, value),
        arguments,
        call.complete,
        call.guarded,
    )


def as_resources(call: ApiCall, path: str) -> Iterator[Resource]:
    """The resource whose properties a call sets, once for each region that a loop sends it to.

    None for a call that sets none.
    """
    row = tables.api().row(call.client.service, call.operation)
    if row is None or (row.needs and row.needs not in call.arguments):
        return
    if any(known_text(call.arguments.get(name)) != text for name, text in row.when.items()):
        return
    properties = _properties(call, row)
    type_ = row.type
    if type_ == _GROUP and "CidrIp" in call.arguments:
        type_ = f"{_GROUP}Ingress"
    for region in turns(call.client.region):
        yield lowered.make(
            type_,
            call.name,
            properties,
            span=call.name_span,
            address=f"{call.owner or path.rpartition('/')[2]}: {call.name}",
            place=Place(region=region),
            module=path,
        )


def _permissions(value: Value) -> Value:
    """Permissions of EC2's API, whose ranges are lists, as rules of one range each."""
    if not isinstance(value, Many):
        return value
    rules: list[Value] = []
    complete = value.complete
    for permission in value.items:
        if not isinstance(permission, Mapping):
            complete = False
            continue
        for name in _RANGES:
            ranges = permission.entries.get(name)
            if ranges is None:
                continue
            if not isinstance(ranges, Many):
                complete = False
                continue
            complete = complete and ranges.complete
            for one in ranges.items:
                if isinstance(one, Mapping):
                    entries = {**permission.entries, **one.entries}
                    spans = {**permission.key_spans, **one.key_spans}
                    rules.append(Mapping(entries, one.span, key_spans=spans))
    return Many(tuple(rules), value.span, value.via, complete=complete)


def _properties(call: ApiCall, row: tables.CallRow) -> Mapping:
    """The arguments of a call by the names of properties."""
    found: names.Tree = {}
    for name, value in call.arguments.items():
        below = [path for path in row.names if path.startswith(f"{name}.")]
        for path in below:
            inner = _below(value, path.split(".")[1:])
            if inner is not None:
                names.put(found, row.names[path], inner)
        small = name[:1].islower() and "::" in row.type
        said = names.renamed(value) if small else value
        if name in row.names:
            path = row.names[name]
            names.put(found, path, _permissions(said) if path == "SecurityGroupIngress" else said)
        elif not below:
            found[names.property_name(name) if small else name] = said
    for path, data in row.sets.items():
        # No literal that a fix could replace: the call itself says it.
        itself = Evidence(Step.ELEMENT, call.operation, call.name_span)
        names.put(found, path, Known(data, call.name_span, (itself,)))
    return names.whole(found, call.span, complete=call.complete)


def _below(value: Value, path: list[str]) -> Value | None:
    """What a value has at a path of keys."""
    current: Value | None = value
    for name in path:
        if not isinstance(current, Mapping):
            return None
        current = current.entries.get(name)
    return current
