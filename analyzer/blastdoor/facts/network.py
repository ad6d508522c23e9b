"""Rules of networks that let something in: security groups, lists of subnets, firewalls.

Which argument of which resource says what is in the table of networks. What is not known is left out:
a rule whose protocol or ports are not known is no opening, and neither is a source with a hole.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final

from blastdoor import reach, tables
from blastdoor.fact import Endpoint, Opening
from blastdoor.facts.reading import HOLE, at_path, blocks_at, bodies_of, items_of, term, truth
from blastdoor.value import Known, Many, Mapping, Value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from blastdoor.fact import Evaluated, Resource, Term
    from blastdoor.span import Span

    Get = Callable[[str], Value | None]

_PROTOCOLS: Final = {
    "all": reach.ALL_PROTOCOLS,
    "any": reach.ALL_PROTOCOLS,
    "*": reach.ALL_PROTOCOLS,
    "1": "icmp",
    "6": "tcp",
    "17": "udp",
    "58": "icmpv6",
    "132": "sctp",
}
_WITH_PORTS: Final = frozenset({reach.ALL_PROTOCOLS, "tcp", "udp", "sctp"})
_EVERY_PORT: Final = (0, reach.LAST_PORT)
_RANGE: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?\Z", re.ASCII)
_ANY: Final = ("0.0.0.0/0", "::/0")
_HALVES: Final = 8
"""Longest prefix of the networks that are put together to see whether they are all there is."""
_MAX_REACH: Final = 64
"""Most sources and most ranges of ports of one rule that a reach is made of."""


def openings(unit: Evaluated) -> Iterator[Opening]:
    """The rules of the unit that let something in."""
    table = tables.networks().openings
    for resource in unit.resources:
        if resource.is_data:
            continue
        for row in table.get(resource.type, ()):
            if not row.block:
                yield from _rule(resource, row, resource.get, resource.span)
                continue
            bodies = list(bodies_of(resource.get(row.block)))
            first = _first_refusal(bodies, row)
            for body in bodies:
                number = _number(body.get(row.order)) if row.order else None
                if first is None or (number is not None and number < first):
                    yield from _rule(resource, row, body.get, body.span or resource.span)


def unsettled(unit: Evaluated) -> Iterator[tuple[Resource, str, Value]]:
    """(resource, block, value) of each source, protocol or port of a rule that is not known."""
    table = tables.networks().openings
    for resource in unit.resources:
        for row in () if resource.is_data else table.get(resource.type, ()):
            given = None if not row.block else resource.get(row.block)
            if given is not None and not _settled(given):
                yield resource, row.block, given
            gets = [resource.get] if not row.block else [b.get for b in bodies_of(given)]
            for get in gets:
                if not all(_holds(get, wanted) for wanted in row.when):
                    continue
                for name in (*row.sources, row.protocol, *row.ports, *row.ranges):
                    value = get(name)
                    if value is None:
                        continue
                    items, complete = items_of(value)
                    if not complete:
                        yield resource, row.block, value
                    for item in items:
                        if not isinstance(item, Known):
                            yield resource, row.block, item


def _settled(value: Value) -> bool:
    """Whether it is known which blocks there are, whatever is in them."""
    return isinstance(value, Mapping) or (isinstance(value, Many) and value.complete)


def _first_refusal(bodies: list[Mapping], row: tables.OpeningRow) -> int | None:
    """The number of the first rule that refuses something to every address.

    What comes behind it may be refused by it; nothing is said of that.
    """
    numbers = [
        number
        for body in bodies
        if row.refused and all(_holds(body.get, wanted) for wanted in row.refused)
        if (number := _number(body.get(row.order))) is not None
        if anywhere(_sources(body.get, row, body.span))
    ]
    return min(numbers, default=None)


def _rule(resource: Resource, row: tables.OpeningRow, get: Get, span: Span) -> Iterator[Opening]:
    if not all(_holds(get, wanted) for wanted in row.when):
        return
    sources = tuple(_sources(get, row, span))
    if not sources:
        return
    services: Iterable[Get] = [get]
    if row.services:
        services = [body.get for body in bodies_of(get(row.services))]
    for service in services:
        protocol = _protocol(service(row.protocol))
        if protocol is None:
            continue
        ports, value = _ports(service, row, protocol)
        if ports is not None:
            yield Opening(resource, row.block, row.layer, sources, protocol, ports, value)


def _holds(get: Get, wanted: tables.Holds) -> bool:
    text = _text(get(wanted.attribute))
    return (wanted.absent if text is None and _absent(get(wanted.attribute)) else text) == (
        wanted.value
    )


def _absent(value: Value | None) -> bool:
    return value is None or (isinstance(value, Known) and value.data in (None, ""))


def _text(value: Value | None) -> str | None:
    """A known scalar in lower case."""
    if not isinstance(value, Known) or value.data is None:
        return None
    data = value.data
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, float) and data.is_integer():
        data = int(data)
    return str(data).strip().lower()


def _sources(get: Get, row: tables.OpeningRow, span: Span | None) -> Iterator[Term]:
    for name in row.sources:
        for item in items_of(get(name))[0]:
            at = item.span or span
            found = None if at is None else term(item, at)
            if found is not None and found.text and HOLE not in found.text:
                yield found


def _protocol(value: Value | None) -> str | None:
    text = _text(value)
    return None if not text else _PROTOCOLS.get(text, text)


def _ports(
    get: Get, row: tables.OpeningRow, protocol: str
) -> tuple[tuple[tuple[int, int], ...] | None, Value | None]:
    """The ranges of ports and what says them; no ranges where they are not known."""
    if protocol not in _WITH_PORTS:
        return (), None
    if row.ranges:
        return _ranges(get, row)
    if protocol == reach.ALL_PROTOCOLS:
        return (_EVERY_PORT,), get(row.protocol)
    given = [next(at_path(get, name), None) for name in row.ports]
    first, last = map(_number, given)
    if first is None or last is None or not 0 <= first <= last <= reach.LAST_PORT:
        return None, None
    return ((first, last),), given[0]


def _ranges(
    get: Get, row: tables.OpeningRow
) -> tuple[tuple[tuple[int, int], ...] | None, Value | None]:
    given = [value for name in row.ranges if not _absent(value := get(name))]
    if not given:
        return (_EVERY_PORT,), get(row.protocol)
    found: list[tuple[int, int]] = []
    for value in given:
        for item in items_of(value)[0]:
            text = _text(item)
            if text == "*":
                found.append(_EVERY_PORT)
            elif text is not None and (match := _RANGE.match(text)) is not None:
                first, last = int(match[1]), int(match[2] or match[1])
                if first <= last <= reach.LAST_PORT:
                    found.append((first, last))
    return (tuple(found) or None), given[0]


def _number(value: Value | None) -> int | None:
    text = _text(value)
    return int(text) if text is not None and re.fullmatch(r"\d{1,5}", text, re.ASCII) else None


def endpoints(unit: Evaluated) -> Iterator[Endpoint]:
    """The public endpoints of the unit whose networks the code settles."""
    table = tables.networks().endpoints
    for resource in unit.resources:
        row = None if resource.is_data else table.get(resource.type)
        if row is None:
            continue
        for body in blocks_at(resource.get, row.block):
            switch = body.get(row.switch)
            public = None if switch is None else truth(switch)
            if public is False or (switch is not None and public is None and not _absent(switch)):
                continue
            given = list(at_path(body.get, row.sources))
            sources = [
                found
                for value in given
                for item in items_of(value)[0]
                if (found := term(item, resource.span)) is not None and HOLE not in found.text
            ]
            yield Endpoint(
                resource,
                f"{row.block}.{row.sources}",
                row.what,
                tuple(sources),
                row.open_when_absent and all(_absent(value) for value in given),
                switch if public else None,
            )


def anywhere(sources: Iterable[Term]) -> list[Term]:
    """The sources that are every address there is, or that are it together."""
    words = tables.networks().anywhere
    found: list[Term] = []
    wide: dict[ipaddress.IPv4Network | ipaddress.IPv6Network, Term] = {}
    for source in sources:
        text = source.text.strip()
        if text.lower() in words:
            found.append(source)
            continue
        length = text.rpartition("/")[2]
        if length.isascii() and length.isdigit() and len(length) > len(str(_HALVES)):
            continue
        network = _network(text)
        if network is None or network.prefixlen > _HALVES:
            continue
        if network.prefixlen == 0:
            found.append(source)
        else:
            wide.setdefault(network, source)
    if not found:
        for version in (4, 6):
            parts = [network for network in wide if network.version == version]
            whole = list(ipaddress.collapse_addresses(parts))  # type: ignore[type-var]
            if whole and whole[0].prefixlen == 0:
                found.extend(wide[network] for network in parts)
    return found


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    if "/" not in text:
        return None
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def network_of(opening: Opening, sources: Iterable[Term]) -> reach.Network:
    """What some of the sources of an opening may reach."""
    words = tables.networks().anywhere
    cidrs: list[str] = []
    for source in sources:
        if len(cidrs) >= _MAX_REACH:
            break
        cidrs.extend(_ANY if source.text.strip().lower() in words else (source.text,))
    found: list[reach.Opening] = []
    for cidr in cidrs:
        for first, last in opening.ports[:_MAX_REACH] or ((-1, -1),):
            try:
                found.append(reach.Opening(cidr, opening.protocol, first, last))
            except ValueError:
                continue
    return reach.Network(*found)
