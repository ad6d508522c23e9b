"""Judgements over networks: what any address may reach.

The three judgements on openings exclude one another: all ports, else a port of administration or
data, else another port that is not the web's.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.network import anywhere, network_of
from blastdoor.facts.reading import chain, origin, place, rests_on_default, words_of
from blastdoor.finding import Level
from blastdoor.reach import ALL_PROTOCOLS, LAST_PORT, Network, Reach
from blastdoor.reach import Opening as Passage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.fact import Facts, Opening, Resource, Term
    from blastdoor.value import Value

_RETURN_TRAFFIC: Final = 1024
"""Ports of one range of a subnet's list from which on it is taken to let answers in."""
_SHOWN: Final = 4
EVERYTHING: Final = Network(Passage("0.0.0.0/0"))
"""What a public endpoint lets in, as far as the code says."""


def public_endpoint_enabled(facts: Facts) -> Iterator[Hit]:
    """A database, a cluster or a control plane gets a public endpoint."""
    for guard in facts.guards:
        if guard.kind == "public-endpoint" and guard.unsafe:
            yield _endpoint(
                guard.value,
                guard.resource,
                guard.attribute,
                f"network: {guard.resource.address} {'gives' if guard.resource.request else 'gets'} an "
                f"address on the internet "
                f"({guard.attribute.rsplit('.', 1)[-1]} = {words_of(guard.value)}{{where}})",
                f"set {guard.attribute} = {guard.safe_text}",
                Level.named(guard.level),
            )
    for endpoint in facts.endpoints:
        sources = anywhere(endpoint.sources)
        if sources:
            value = sources[0].value
            if endpoint.switch is not None and rests_on_default(value):
                value = endpoint.switch  # who switched it on could have named the networks
            yield _endpoint(
                value,
                endpoint.resource,
                endpoint.attribute,
                f"network: any address may reach {endpoint.what} of {endpoint.resource.address} "
                f"({sources[0].text}{{where}})",
                "name the networks that need it, or go through a private endpoint",
            )
        elif endpoint.switch is not None and endpoint.open_by_default:
            yield _endpoint(
                endpoint.switch,
                endpoint.resource,
                endpoint.attribute,
                f"network: any address may reach {endpoint.what} of {endpoint.resource.address} "
                "(it is public, and no networks are named{where})",
                "name the networks that need it, or go through a private endpoint",
            )


def _endpoint(
    value: Value,
    resource: Resource,
    attribute: str,
    message: str,
    contain: str,
    level: Level | None = None,
) -> Hit:
    at = place(value, resource.span) or resource.span
    where = origin(value)
    return Hit(
        at,
        message.replace("{where}", f", {where}" if where else ""),
        resource.address,
        attribute,
        "network",
        words_of(value),
        level=level,
        contain=contain,
        related=chain(value, at),
        reach=Reach(network=EVERYTHING),
    )


class _Width(Enum):
    ALL = "every port"
    ADMIN = "ports of administration or data"
    OTHER = "other ports"


def open_ingress_all(facts: Facts) -> Iterator[Hit]:
    """Any address may reach all ports or protocols."""
    for found in _open(facts, _Width.ALL):
        yield _hit(
            found,
            "every port" if found.protocols != {ALL_PROTOCOLS} else "every port by any protocol",
            "name the networks or security groups that need it, and the ports they need",
        )


def open_ingress_admin_port(facts: Facts) -> Iterator[Hit]:
    """Any address may reach a port of administration or data."""
    for found in _open(facts, _Width.ADMIN):
        names = dict.fromkeys(name for opening in found.openings for name in _services(opening))
        yield _hit(
            found,
            f"{_listed(list(names))} ({found.ports})",
            "allow the networks that need it, or go through a session manager or a private network",
        )


def open_ingress_other(facts: Facts) -> Iterator[Hit]:
    """Any address may reach another port."""
    for found in _open(facts, _Width.OTHER):
        yield _hit(found, found.ports, "allow the networks or security groups that need it")


class _Found:
    """The openings of one width that one source of one resource makes."""

    def __init__(self, source: Term) -> None:
        self.source = source
        self.sources: dict[str, Term] = {}
        self.openings: list[Opening] = []

    @property
    def protocols(self) -> set[str]:
        """The protocols let in."""
        return {opening.protocol for opening in self.openings}

    @property
    def ports(self) -> str:
        """The ports let in, in words."""
        return _listed(list(dict.fromkeys(_ports(opening) for opening in self.openings)))


def _open(facts: Facts, width: _Width) -> Iterator[_Found]:
    groups: dict[tuple[str, str, str, int], _Found] = {}
    for opening in facts.openings:
        sources = anywhere(opening.sources)
        if not sources or _width(opening) is not width:
            continue
        at = place(sources[0].value, sources[0].span) or sources[0].span
        key = (opening.resource.address, opening.layer, at.path, at.start)
        found = groups.setdefault(key, _Found(sources[0]))
        found.sources.update((source.text, source) for source in sources)
        found.openings.append(opening)
    yield from groups.values()


def _width(opening: Opening) -> _Width | None:
    """The width of an opening; ``None`` for web ports and for what has no ports."""
    if not opening.ports or opening.protocol not in (ALL_PROTOCOLS, "tcp", "udp", "sctp"):
        return None
    if any(first <= 1 and last == LAST_PORT for first, last in opening.ports):
        return None if opening.protocol == "sctp" else _Width.ALL
    if _services(opening):
        return _Width.ADMIN
    if opening.layer == "subnet":
        return None
    web = tables.networks().web_ports
    if all(first == last and first in web for first, last in opening.ports):
        return None
    return _Width.OTHER


def _services(opening: Opening) -> list[str]:
    """The names of the services of administration or data that an opening lets in."""
    table = tables.networks().admin_ports
    protocols = ("tcp", "udp") if opening.protocol == ALL_PROTOCOLS else (opening.protocol,)
    names: dict[str, None] = {}
    for first, last in opening.ports:
        if opening.layer == "subnet" and last - first >= _RETURN_TRAFFIC:
            continue
        for protocol in protocols:
            for port, name in table.get(protocol, {}).items():
                if first <= port <= last:
                    names[name] = None
    return list(names)


def _ports(opening: Opening) -> str:
    protocol = "any protocol" if opening.protocol == ALL_PROTOCOLS else opening.protocol
    ranges = [str(a) if a == b else f"{a}-{b}" for a, b in opening.ports]
    return f"{protocol} {_listed(ranges)}"


def _listed(words: list[str]) -> str:
    more = len(words) - _SHOWN
    shown = ", ".join(words[:_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _hit(found: _Found, what: str, contain: str) -> Hit:
    first = found.openings[0]
    source = found.source
    at = place(source.value, source.span) or source.span
    where = origin(source.value)
    texts = _listed(sorted(found.sources))
    attribute = first.attribute or "rule"
    subnet = first.layer == "subnet"
    unless = " that no earlier rule refuses" if subnet else ""
    return Hit(
        at,
        f"network: any address may reach {what}{unless} (from {texts}"
        f"{', ' + where if where else ''}), "
        f"by {first.resource.address}",
        first.resource.address,
        attribute,
        "network",
        f"{texts} {found.ports}",
        condition="subnet-list" if subnet else "",
        contain=contain,
        related=chain(source.value, at),
        reach=Reach(network=network_of(first, found.sources.values())),
    )
