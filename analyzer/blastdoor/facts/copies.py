"""The regions in which one piece of code creates what it says, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.fact import Copy
from blastdoor.value import Inherited, Meaning, Unknown, known_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blastdoor.fact import Resource


def copies_of(resource: Resource) -> tuple[Copy, ...]:
    """Each known region that a resource is created in, with what is known of the account there."""
    if resource.copies:
        return resource.copies
    region = resource.region
    if region is None or known_text(region) is None:
        return ()
    return (Copy(region, _account(resource)),)


def _account(resource: Resource) -> tuple[str, ...] | None:
    known = known_text(resource.account)
    if known is not None:
        return (known,)
    account = resource.account
    if resource.provider is not None and isinstance(account, Inherited):
        return tuple(sorted(resource.provider.credentials))
    if isinstance(account, Unknown) and account.meaning is Meaning.CURRENT_ACCOUNT:
        provider = resource.provider
        return () if provider is None else tuple(sorted(provider.credentials))
    return None


def regions_of(resources: Iterable[Resource]) -> set[str]:
    """The known regions that resources are created in."""
    return {
        region
        for resource in resources
        for copy in copies_of(resource)
        if (region := known_text(copy.region)) is not None
    }
