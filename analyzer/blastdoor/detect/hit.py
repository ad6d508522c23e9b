"""What a detector or a page's ``match`` says: a place, a sentence, and what judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastdoor.record import dataclass

if TYPE_CHECKING:
    from blastdoor.finding import Level, Related, Remedy
    from blastdoor.reach import Reach
    from blastdoor.span import Span


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule applies; the engine turns it into a finding of the rule."""

    span: Span
    """The value that is wrong, not the block around it."""
    message: str
    """What reaches how far, from where: one sentence."""
    unit: str
    """Address of what it is about, such as ``module.net.aws_s3_bucket.logs``."""
    attribute: str = ""
    """Path of the attribute within the unit."""
    axis: str = ""
    """The reach axis it concerns, or ``""`` for the first axis of the page."""
    value: str = ""
    """The offending value, normalised: part of the fingerprint."""
    condition: str = ""
    """Key into the page's ``levels``; ``""`` keeps the page's level."""
    level: Level | None = None
    """A level that outranks the page, for rows of a table that carry their own."""
    contain: str = ""
    """What would contain it: one imperative clause, or ``""``."""
    related: tuple[Related, ...] = ()
    """Further places that explain it, from the cause to the use."""
    reach: Reach | None = None
    before: str = ""
    """In a diff: what base reaches on the axis, in words."""
    after: str = ""
    also: tuple[str, ...] = ()
    """In a diff: addresses of the other things to which the same happens for the same cause."""
    covers: tuple[Span, ...] = ()
    """The places at which it says all that a superseded rule would say of the same attribute; none
    for its own place and whatever stands there."""
    remedies: tuple[Remedy, ...] = ()
    """The steps that together would mend it."""
    environment: str | None = None
    """The environment it concerns, when the detector knows better than the unit does."""
