"""Terraform's IP network functions.

Source: Terraform language documentation, "Functions", section "IP Network Functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastdoor.evaluate.functions.base import Call, Table
    from blastdoor.value import Value


@dataclass(frozen=True, slots=True)
class _Network:
    """An address block: its first address, the length of its prefix and of its addresses."""

    base: int
    prefix: int
    bits: int

    def text(self, number: int) -> str:
        from ipaddress import IPv4Address, IPv6Address

        return str(IPv4Address(number) if self.bits == 32 else IPv6Address(number))  # noqa: PLR2004

    @property
    def mask(self) -> int:
        return ((1 << self.prefix) - 1) << (self.bits - self.prefix)


def _network(call: Call, text: str) -> _Network:
    from ipaddress import AddressValueError, IPv4Address, IPv6Address

    address, slash, length = text.partition("/")
    message = f"invalid CIDR block {text[:60]!r}"
    if not slash or not length.isascii() or not length.isdecimal() or len(length) > 3:  # noqa: PLR2004
        raise call.invalid(message)
    try:
        if ":" in address:
            if "%" in address:
                raise call.invalid(message)
            base, bits = int(IPv6Address(address)), 128
        else:
            octets = [octet.lstrip("0") or octet[-1:] for octet in address.split(".")]
            base, bits = int(IPv4Address(".".join(octets))), 32
    except AddressValueError:
        raise call.invalid(message) from None
    prefix = int(length)
    if prefix > bits:
        raise call.invalid(message)
    network = _Network(base, prefix, bits)
    return _Network(base & network.mask, prefix, bits)


def _cidrhost(call: Call, arguments: Sequence[Value]) -> Value:
    number = call.whole(arguments[1])
    network = _network(call, call.text(arguments[0]))
    size = 1 << (network.bits - network.prefix)
    if not -size <= number < size:
        message = f"prefix of {network.prefix} has no host number {number}"
        raise call.invalid(message)
    return call.known(network.text(network.base + (number if number >= 0 else size + number)))


def _cidrnetmask(call: Call, arguments: Sequence[Value]) -> Value:
    network = _network(call, call.text(arguments[0]))
    if network.bits != 32:  # noqa: PLR2004
        message = "IPv6 addresses have no netmask"
        raise call.invalid(message)
    return call.known(network.text(network.mask))


def _cidrsubnet(call: Call, arguments: Sequence[Value]) -> Value:
    added, number = call.whole(arguments[1]), call.whole(arguments[2])
    network = _network(call, call.text(arguments[0]))
    prefix = network.prefix + added
    if added < 0 or prefix > network.bits:
        message = "insufficient address space"
        raise call.invalid(message)
    if not 0 <= number < 1 << added:
        message = f"prefix extension of {added} does not accommodate {number}"
        raise call.invalid(message)
    base = network.base + (number << (network.bits - prefix))
    return call.known(f"{network.text(base)}/{prefix}")


def _cidrsubnets(call: Call, arguments: Sequence[Value]) -> Value:
    added = [call.whole(argument) for argument in arguments[1:]]
    network = _network(call, call.text(arguments[0]))
    items = []
    at = network.base
    end = network.base + (1 << (network.bits - network.prefix))
    for bits in added:
        prefix = network.prefix + bits
        if bits < 1 or prefix > network.bits or bits > 32:  # noqa: PLR2004
            message = "invalid prefix extension"
            raise call.invalid(message)
        size = 1 << (network.bits - prefix)
        at = -(-at // size) * size
        if at + size > end:
            message = "not enough remaining address space"
            raise call.invalid(message)
        items.append(call.known(f"{network.text(at)}/{prefix}"))
        at += size
    return call.many(items, element="string")


FUNCTIONS: Final[Table] = {
    "cidrhost": (_cidrhost, 2, 2),
    "cidrnetmask": (_cidrnetmask, 1, 1),
    "cidrsubnet": (_cidrsubnet, 3, 3),
    "cidrsubnets": (_cidrsubnets, 1, None),
}
