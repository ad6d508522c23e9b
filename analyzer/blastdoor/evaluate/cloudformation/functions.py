"""Functions of CloudFormation that compute: networks within a network."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_NETWORKS: Final = 256


def cidr(arguments: Sequence[str]) -> list[str] | None:
    """What ``Fn::Cidr`` gives: the first networks of a size within another; ``None`` if there are not.

    Source: AWS CloudFormation Template Reference, "Fn::Cidr": ``cidrBits`` is the inverse of the mask.
    """
    try:
        block = ipaddress.ip_network(arguments[0].strip(), strict=False)
        count = int(arguments[1])
        bits = int(arguments[2]) if len(arguments) > 2 else None  # noqa: PLR2004  the third argument
    except ValueError:
        return None
    width = block.max_prefixlen
    prefix = width - bits if bits is not None else None
    if prefix is None:
        # The smallest size that gives as many networks as are asked for.
        prefix = block.prefixlen + max(count - 1, 0).bit_length()
    if not 1 <= count <= _MAX_NETWORKS or not block.prefixlen <= prefix <= width:
        return None
    if count > 1 << (prefix - block.prefixlen):
        return None
    size = 1 << (width - prefix)
    first = int(block.network_address)
    return [f"{block.network_address.__class__(first + n * size)}/{prefix}" for n in range(count)]
