"""Judgements over what a program asks of a cloud's API: where its calls go, and how far one goes."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.detect.hit import Hit
from blastdoor.facts.reading import chain, items_of, origin, written_at_use
from blastdoor.facts.target import collection_axis, named_baseline
from blastdoor.finding import Act, Related, Remedy
from blastdoor.reach import DESTROY, WRITE, Everywhere, Reach, Regions
from blastdoor.value import Meaning, OneOf, Unknown, Value, known_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from blastdoor.fact import ApiCall, ApiClient, Facts

_SEVERAL: Final = 2
_SHOWN: Final = 3
_CHANGES: Final = ("write", "destroy")
_TARGETS: Final = ("Accounts", "DeploymentTargets", "Regions")
_TARGET_FLAGS: Final = frozenset(
    {"--accounts", "--deployment-targets", "--regions", "--cli-input-json", "--cli-input-yaml"}
    | {"--generate-cli-skeleton"}
)
"""AWS CLI Command Reference, cloudformation update-stack-set."""
_HOLES: Final = "\ufffc"
_IGNORED: Final = "AWS_REGION"
"""A variable that Boto3 does not read."""


def region_loop_mutates(facts: Facts) -> Iterator[Hit]:
    """A loop over regions changes something in each of them."""
    for call in facts.unit.calls:
        if call.effect not in _CHANGES or call.dry or call.name in tables.api().baseline:
            continue
        if named_baseline((call.owner, call.client.service)):
            continue
        loop = _region_loop(call)
        if loop is None:
            continue
        collection, text = loop
        names = _regions(collection)
        words = f"{len(names)} regions ({', '.join(names[:_SHOWN])}{', …' * (len(names) > _SHOWN)})"
        if not names:
            words = "every enabled region"
        because = origin(collection) or ("" if names else text)
        yield Hit(
            call.name_span,
            f"regions: {words}{because and f' ({because})'}, one after the other without a stop; "
            f"{call.name} in each",
            call.owner or call.client.service,
            call.operation,
            "regions",
            f"{call.name} {' '.join(names) or 'every region'}",
            "destroys" if call.effect == "destroy" else "",
            contain="take one region as an argument, and stop at the first that fails",
            related=chain(collection, call.name_span),
            reach=Reach(
                regions=Regions(*names) if names else Regions(Everywhere()),
                mutation=DESTROY if call.effect == "destroy" else WRITE,
            ),
        )


def _region_loop(call: ApiCall) -> tuple[Value, str] | None:
    """The loop whose turns send the call to other regions; ``None`` when none does."""
    region = call.client.region
    each = isinstance(region, Unknown) and region.meaning is Meaning.EACH_REGION
    several = isinstance(region, OneOf) and len(_regions(region)) >= _SEVERAL
    if not each and not several:
        return None
    for collection, text, _span in (*call.client.loops, *call.loops):
        if collection_axis(collection) == "regions":
            return collection, text
    return None


def _regions(value: Value) -> list[str]:
    """The region ids among the elements or alternatives of a value."""
    if isinstance(value, OneOf):
        texts = [known_text(alternative.value) for alternative in value.alternatives]
    else:
        texts = [known_text(item) for item in items_of(value)[0]]
    known = tables.partitions().regions
    return list(dict.fromkeys([text for text in texts if text is not None and text in known]))


def client_region_unset(facts: Facts) -> Iterator[Hit]:
    """A client that talks to whatever region its surroundings happen to say."""
    unit = facts.unit
    worldwide = tables.api().worldwide
    changes: dict[int, list[ApiCall]] = {}
    for call in unit.calls:
        if call.effect in _CHANGES and not call.dry:
            changes.setdefault(id(call.client), []).append(call)
    several = unit.context.several_regions or bool(unit.context.foreign)
    if any(_region_of(setting.name) for setting in unit.process_settings):
        return
    beside = _beside(facts)
    for client in unit.clients:
        if client.given or client.invoked or not client.service or client.service in worldwide:
            continue
        doing = changes.get(id(client), [])
        names = list(dict.fromkeys([call.operation for call in doing]))
        goes = "goes" if len(names) == 1 else "go"
        does = f"; {', '.join(names[:_SHOWN])} {goes} there" if names else ""
        yield Hit(
            client.span,
            f"regions: whichever the process finds, for a client of {client.service}{does}",
            client.owner or client.service,
            client.service,
            "regions",
            client.service,
            _weight(doing, several=several, script=unit.is_script),
            contain=f'say it: client("{client.service}", region_name=…)',
            related=tuple([Related(c.name_span, f"{c.operation} goes there") for c in doing[:5]]),
            remedies=() if beside is None else (_pinned(client, beside),),
        )


def _pinned(client: ApiClient, region: str) -> Remedy:
    """The step that gives a client a region."""
    return Remedy(Act.ADD, client.span, f'say region_name="{region}"', region, "region_name")


def _beside(facts: Facts) -> str | None:
    """The region that every other client of a file is given as a literal, when it is one."""
    given = [client.region for client in facts.unit.clients if client.given]
    regions = {known_text(region) for region in given}
    if len(regions) != 1 or any(written_at_use(region) is None for region in given):
        return None
    return regions.pop()


def _weight(doing: list[ApiCall], *, several: bool, script: bool) -> str:
    """The condition that makes a client without a region weigh more."""
    if not doing:
        return ""
    if several:
        return "changes-among-several-regions"
    destroys = any(call.effect == "destroy" for call in doing)
    return "destroys-in-a-script" if script and destroys else ""


def _region_of(name: str) -> bool:
    """Whether something of the process gives Boto3 its region."""
    return name in ("AWS_DEFAULT_REGION", "setup_default_session(region_name)")


def process_wide_cloud_context(facts: Facts) -> Iterator[Hit]:
    """Code that changes where or as whom everything in its process talks to a cloud."""
    for setting in facts.unit.process_settings:
        words = known_text(setting.value)
        value = f" to {words}" if words is not None else ""
        axis = "accounts" if "profile" in setting.name.lower() else "regions"
        yield Hit(
            setting.span,
            f"{axis}: {setting.name} is set{value} for the whole process; every client made without "
            f"its own from here on follows, in whatever module",
            setting.owner or setting.name,
            setting.name,
            axis,
            words or "",
            "from-its-own-argument" if setting.guarded else "",
            contain="make a session with it, and hand the session on",
            related=chain(setting.value, setting.span),
            remedies=(Remedy(Act.OWN, setting.span, "make a session of it", "session"),)
            if setting.name.startswith("setup_default_session(")
            else (),
        )


def ineffective_region_variable(facts: Facts) -> Iterator[Hit]:
    """A region that is set where Boto3 does not look."""
    settings = facts.unit.process_settings
    if any(_region_of(setting.name) for setting in settings):
        return
    lost = [
        c for c in facts.unit.clients if not c.given and c.service not in tables.api().worldwide
    ]
    for setting in settings:
        if setting.name != _IGNORED or setting.others or not lost:
            continue
        words = known_text(setting.value)
        yield Hit(
            setting.span,
            f"regions: AWS_REGION{f' ({words})' if words else ''} is not what Boto3 reads; the client "
            f"of {lost[0].service or 'a service'} goes to AWS_DEFAULT_REGION or its profile's region",
            setting.owner or setting.name,
            setting.name,
            "regions",
            words or "",
            contain="pass region_name, or set AWS_DEFAULT_REGION",
            related=tuple([Related(c.span, f"a client of {c.service}") for c in lost[:5]]),
            remedies=tuple([_pinned(c, words) for c in lost]) if words else (),
        )


def bulk_settings_overwrite(facts: Facts) -> Iterator[Hit]:
    """Settings that are overwritten from a mapping, whatever is in it."""
    for write in facts.unit.bulk_writes:
        yield Hit(
            write.span,
            f"environment: every setting that has a name in {write.text} is overwritten in "
            f"{write.what}, also those that nobody thought of",
            write.owner or write.what,
            write.what,
            "environment",
            write.text,
            contain="take the settings that are meant by name, and refuse others",
        )


def stackset_updates_everything(facts: Facts) -> Iterator[Hit]:
    """A stack set is updated without saying which of its instances."""
    for call in facts.unit.calls:
        if call.name != "cloudformation.update_stack_set" or not call.complete or call.dry:
            continue
        if any(name in call.arguments for name in _TARGETS):
            continue
        yield Hit(
            call.name_span,
            "accounts: every instance of the stack set, in every account and region (no "
            "DeploymentTargets, Accounts or Regions), by update_stack_set",
            call.owner or call.client.service,
            call.operation,
            "accounts",
            call.name,
            contain="name DeploymentTargets and Regions, one of each first",
        )
    for command in facts.commands:
        if not _updates_everything(command.words):
            continue
        yield Hit(
            command.span,
            "accounts: every instance of the stack set, in every account and region (no "
            f"--deployment-targets, --accounts or --regions), by update-stack-set {command.script.when}",
            command.script.owner,
            command.script.attribute,
            "accounts",
            "aws cloudformation update-stack-set",
            contain="name --deployment-targets and --regions, one of each first",
            related=chain(command.value, command.span),
        )


def _updates_everything(words: Sequence[str]) -> bool:
    """Whether a command line updates a stack set and names none of its instances."""
    if posixpath.basename(words[0]) != "aws" or "update-stack-set" not in words:
        return False
    flags = {word.partition("=")[0] for word in words if word.startswith("-")}
    # A word that is not known may be all of them.
    open_ = any(not word.strip(_HOLES) or word.startswith("$") for word in words)
    return not open_ and flags.isdisjoint(_TARGET_FLAGS)
