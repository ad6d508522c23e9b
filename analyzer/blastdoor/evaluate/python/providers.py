"""Provider configurations of a Pulumi program: those that it makes, and that of its stacks.

A bridged provider has the arguments of the Terraform provider that it is made from. What a resource is
not given is the default configuration, which the stacks' files may say; one that a program makes takes
nothing from these, but the region is taken for said where they say it.

Source: Pulumi documentation, "Providers" (explicit and default configuration); "AWS: Installation &
Configuration"; API reference of ``Provider`` in pulumi_aws, pulumi_gcp and pulumi_azure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from blastdoor.evaluate import clouds
from blastdoor.evaluate.data_sources import account_of_arn, partition_of_region
from blastdoor.evaluate.python.addresses import title_of
from blastdoor.evaluate.python.things import Call, Instance, Thing
from blastdoor.fact import Provider
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
    turns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Mapping as Table

    from blastdoor.span import Span

    ToValue = Callable[[Thing, Span | None], Value]

_LIBRARIES: Final = {"pulumi_aws": "aws", "pulumi_gcp": "google", "pulumi_azure": "azurerm"}
"""Library → the provider of Terraform that it is made from."""
_SPELT: Final = {"assume_role": "assume_roles"}
"""Argument of Terraform's provider → its name here, where that may be another."""
_IDENTITIES: Final = ("profile", "access_key", "shared_credentials_files", "shared_config_files")
_HOPS: Final = 12


def is_provider(name: str) -> bool:
    """Whether a class is a provider configuration, by its dotted name."""
    library, _dot, rest = name.partition(".")
    return library in _LIBRARIES and rest in ("Provider", "provider.Provider")


class Arguments(NamedTuple):
    """What a resource or a provider is given, however it is written."""

    keywords: dict[str, Thing]
    spans: dict[str, Span]
    """Keyword → the place of its value."""
    options: Thing | None
    complete: bool
    """Whether these are all arguments."""


def arguments_of(call: Call) -> Arguments:
    """The arguments of a resource: by name, or in an object of arguments behind its title."""
    keywords = {
        k: v for k, v in call.keywords.items() if k not in ("opts", "resource_name", "args")
    }
    spans = dict(call.spans)
    options = call.keywords.get("opts")
    complete = call.complete
    given = [*call.arguments[1:], *(v for k, v in call.keywords.items() if k == "args")]
    for thing in given:
        if isinstance(thing, Call) and thing.name.endswith("Args"):
            keywords.update(thing.keywords)
            spans.update(thing.spans)
            complete = complete and thing.complete
        elif isinstance(thing, Call) and thing.name.endswith("ResourceOptions"):
            options = thing
        elif isinstance(thing, Mapping):
            keywords.update(thing.entries)
            spans.update({k: v.span for k, v in thing.entries.items() if v.span is not None})
            complete = complete and thing.complete
        elif not (isinstance(thing, Known) and thing.data is None):
            complete = False
    return Arguments(keywords, spans, options, complete)


class Providers:
    """The provider configurations of one program."""

    def __init__(self, value: ToValue, settings: Table[str, Value], use: Span | None) -> None:
        """``settings`` are what all stacks say of AWS; ``use`` is the first place that takes them."""
        self._value = value
        self._region = settings.get("region")
        self._made: dict[int, list[Provider]] = {}
        self._kept: list[Call] = []
        self.default = None if use is None or not settings else _default(settings, use)
        """The default configuration of AWS, where the stacks' files say something of it."""

    def all(self) -> Iterator[Provider]:
        """Every configuration, in the order in which they are made."""
        if self.default is not None:
            yield self.default
        for made in self._made.values():
            yield from made

    def of(self, call: Call) -> list[Provider]:
        """What a call makes: one configuration for each turn of the loop that it stands in."""
        found = self._made.get(id(call))
        if found is None:
            self._kept.append(call)  # an identity is one only while its object lives
            found = self._made[id(call)] = list(self._make(call))
        return found

    def _make(self, call: Call) -> Iterator[Provider]:
        name = _LIBRARIES[call.name.partition(".")[0]]
        title = title_of(call)
        said = arguments_of(call)

        def get(argument: str) -> Value | None:
            spelt = argument if argument in said.keywords else _SPELT.get(argument, argument)
            thing = said.keywords.get(spelt)
            if thing is None:
                return None if said.complete else Unknown(Reason.UNRESOLVED, "args", call.span)
            span = said.spans.get(spelt, call.span)
            found = self._value(thing, span)
            found = found.at(span) if found.span is None else found
            return None if isinstance(found, Known) and found.data is None else found

        place = "region" if "region" in said.keywords else "zone"
        given = get("region") if name == "aws" else clouds.google_provider_region(get)
        region = given or (self._region if name == "aws" else None)
        for turn in turns(region) if region is not None else [_inherited(name, call)]:
            yield Provider(
                name,
                title,
                turn,
                _account(name, get, call.name_span),
                Known(clouds.GCP, call.span) if name == "google" else partition_of_region(turn),
                call.name_span,
                None if given is None else said.spans.get(place, call.span),
                f"provider.{name}.{title}",
                credentials=tuple(_credentials(get)),
                get=get,
            )

    def chosen(self, options: Thing | None, hops: int = 0) -> list[Provider] | Unknown | None:
        """The configurations that the options of a resource name, or those of what it is a part of.

        ``None`` where they leave it to the default one.
        """
        if options is None or (isinstance(options, Known) and options.data is None):
            return None
        if not isinstance(options, Call) or hops > _HOPS:
            return Unknown(Reason.CALLER, "opts")
        given = options.keywords.get("provider")
        if isinstance(given, Call) and is_provider(given.name):
            return self.of(given)
        if given is not None or "providers" in options.keywords or not options.complete:
            return Unknown(Reason.CALLER, "the provider", options.span)
        parent = options.keywords.get("parent")
        call = parent.call if isinstance(parent, Instance) else parent
        if parent is None:
            return None
        if not isinstance(call, Call):
            return Unknown(Reason.CALLER, "the parent's provider", options.span)
        return self.chosen(arguments_of(call).options, hops + 1)


def _inherited(name: str, call: Call) -> Inherited:
    words = "aws:region" if name == "aws" else f"the environment of {name}"
    return Inherited(Reason.ENVIRONMENT, words, call.name_span, meaning=Meaning.CURRENT_REGION)


def _account(name: str, get: Callable[[str], Value | None], span: Span) -> Value:
    """The account, project or subscription that a configuration acts in."""
    found: Value | None = None
    if name == "aws":
        allowed = get("allowed_account_ids")
        if isinstance(allowed, Many) and allowed.complete and len(allowed.items) == 1:
            found = allowed.items[0]
        elif (role := _role(get)) is not None:
            found = account_of_arn(role)
    else:
        found = get("project" if name == "google" else "subscription_id")
    words = f"the credentials of {name}"
    return found or Inherited(Reason.ENVIRONMENT, words, span, meaning=Meaning.CURRENT_ACCOUNT)


def _role(get: Callable[[str], Value | None]) -> Value | None:
    found = get("assume_role")
    bodies = found.items if isinstance(found, Many) else (found,)
    roles = [body.entries.get("role_arn") for body in bodies if isinstance(body, Mapping)]
    return roles[-1] if roles else None


def _credentials(get: Callable[[str], Value | None]) -> Iterator[str]:
    for name in _IDENTITIES:
        value = get(name)
        if value is not None:
            yield f"{name}={value.key()!r}"
    role = _role(get)
    if role is not None:
        yield f"role={role.key()!r}"


def _default(settings: Table[str, Value], use: Span) -> Provider:
    """The default configuration of AWS, of what the stacks' files say."""
    used = Evidence(Step.ATTRIBUTE, "the default provider", use)
    given = {name: value.through(used) for name, value in settings.items()}
    region = settings.get("region")
    where = region or Inherited(
        Reason.ENVIRONMENT, "aws:region", use, meaning=Meaning.CURRENT_REGION
    )
    return Provider(
        "aws",
        "",
        where,
        _account("aws", given.get, use),
        partition_of_region(where),
        use,
        None if region is None else region.span,
        "provider.aws",
        credentials=tuple(_credentials(given.get)),
        get=given.get,
    )
