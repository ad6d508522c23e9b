"""Data sources of Google Cloud and Azure that are known, or partly known, without asking them.

Sources: documentation of ``google_client_config``, ``google_project`` and ``google_iam_policy`` in
terraform-provider-google; of ``azurerm_client_config``, ``azurerm_subscription`` and
``azurerm_role_definition`` in terraform-provider-azurerm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from blastdoor import tables
from blastdoor.evaluate.clouds import AZURE, GOOGLE, Get, google_provider_region, is_set
from blastdoor.value import (
    Encoded,
    Known,
    Many,
    Mapping,
    Piece,
    Reason,
    Text,
    Unknown,
    Value,
    known_text,
    within_budget,
)

if TYPE_CHECKING:
    from blastdoor.fact import Provider
    from blastdoor.span import Span

Handler = Callable[[str, Get, "Provider | None", str, "Span"], Value | None]


def _google_client_config(
    attribute: str, _get: Get, provider: Provider | None, _subject: str, _span: Span
) -> Value | None:
    if provider is None or provider.name not in GOOGLE:
        return None
    if attribute == "project":
        return provider.account
    if attribute == "region":
        return google_provider_region(provider.get) or provider.region
    if attribute == "zone":
        return provider.get("zone")
    return None


def _google_project(
    attribute: str, get: Get, provider: Provider | None, _subject: str, _span: Span
) -> Value | None:
    if attribute != "project_id":
        return None
    given = get("project_id")
    if given is not None and is_set(given):
        return given
    return provider.account if provider is not None and provider.name in GOOGLE else None


def _google_iam_policy(
    attribute: str, get: Get, _provider: Provider | None, _subject: str, span: Span
) -> Value | None:
    if attribute != "policy_data":
        return None
    given = get("binding")
    blocks = given.items if isinstance(given, Many) else ()
    complete = given is None or (isinstance(given, Many) and given.complete)
    bindings: list[Value] = []
    for block in blocks:
        if isinstance(block, Mapping):
            names = ("role", "members", "condition")
            entries = {name: found for name in names if (found := block.get(name)) is not None}
            bindings.append(
                Mapping(
                    entries, block.span, complete=block.complete, key_spans=dict(block.key_spans)
                )
            )
        else:
            complete = False
    policy = Mapping({"bindings": Many(tuple(bindings), span, complete=complete)}, span)
    return within_budget(Encoded(policy, span))


def _azure_account(get: Get, provider: Provider | None) -> Value | None:
    given = get("subscription_id")
    if given is not None and is_set(given):
        return given
    return provider.account if provider is not None and provider.name == AZURE else None


def _azure_client_config(
    attribute: str, _get: Get, provider: Provider | None, _subject: str, _span: Span
) -> Value | None:
    if attribute == "subscription_id" and provider is not None and provider.name == AZURE:
        return provider.account
    if attribute == "tenant_id" and provider is not None and provider.name == AZURE:
        value = provider.get("tenant_id")
        return value if is_set(value) else None
    return None


def _azure_subscription(
    attribute: str, get: Get, provider: Provider | None, _subject: str, span: Span
) -> Value | None:
    if attribute not in ("id", "subscription_id"):
        return None
    account = _azure_account(get, provider)
    if account is None or attribute == "subscription_id":
        return account
    text = known_text(account)
    if text is not None:
        return Known(f"/subscriptions/{text}", span, account.via)
    head = Piece("/subscriptions/", span.document, span.start, span.end)
    return Text((head, account), span)


def _azure_role_definition(
    attribute: str, get: Get, _provider: Provider | None, subject: str, span: Span
) -> Value | None:
    """A built-in role by its name: its id is the same everywhere."""
    name = known_text(get("name"))
    role_id = tables.bindings().azure_role_ids.get(name.lower()) if name is not None else None
    if role_id is None:
        return None
    if attribute == "role_definition_id":
        return Known(role_id, span)
    if attribute != "id":
        return None
    tail = f"/providers/Microsoft.Authorization/roleDefinitions/{role_id}"
    if get("scope") is None:
        return Known(tail, span)
    hole = Unknown(Reason.DATA_SOURCE, subject, span)
    return Text((hole, Piece(tail, span.document, span.start, span.end)), span)


HANDLERS: Final[dict[str, Handler]] = {
    "google_client_config": _google_client_config,
    "google_project": _google_project,
    "google_iam_policy": _google_iam_policy,
    "azurerm_client_config": _azure_client_config,
    "azurerm_subscription": _azure_subscription,
    "azurerm_role_definition": _azure_role_definition,
}
