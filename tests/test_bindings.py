"""IAM bindings of Google Cloud and role assignments of Azure as facts, and their coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor import engine, facts, tables
from blastdoor.evaluate.terraform import evaluate_root
from blastdoor.source import Memory
from blastdoor.units import Repository, Root

if TYPE_CHECKING:
    from blastdoor.fact import Binding
    from blastdoor.finding import Coverage

ROLE = 'role_definition_name = "Owner"\n  principal_id = "00000000-0000-0000-0000-000000000001"\n'


def extracted(text: str) -> tuple[list[Binding], Coverage]:
    """The bindings of one file, and how much of it is known."""
    source = Memory({"main.tf": text})
    repository = Repository(source, list(source.files()))
    with engine.room():
        unit = evaluate_root(repository, Root(".", is_root=True))
        found, coverage = facts.extract(unit)
    return found.bindings, coverage


def only(text: str) -> Binding:
    """The only binding of one file."""
    (found,) = extracted(text)[0]
    return found


def assignment(scope: str, more: str = "") -> str:
    """An assignment of Owner on a scope."""
    return f'resource "azurerm_role_assignment" "a" {{\n  scope = {scope}\n  {ROLE}}}\n{more}'


@pytest.mark.parametrize(
    ("type_", "arguments", "kind", "scope", "authority"),
    [
        ("google_organization_iam_member", 'org_id = "1"', "organization", "1", "additive"),
        ("google_folder_iam_binding", 'folder = "folders/1"', "folder", "folders/1", "role"),
        ("google_project_iam_member", 'project = "p"', "project", "p", "additive"),
        (
            "google_billing_account_iam_member",
            'billing_account_id = "b"',
            "billing-account",
            "b",
            "additive",
        ),
        ("google_storage_bucket_iam_binding", 'bucket = "b"', "resource", "b", "role"),
        (
            "google_service_account_iam_member",
            'service_account_id = "s"',
            "resource",
            "s",
            "additive",
        ),
        ("google_pubsub_topic_iam_member", 'topic = "t"', "resource", "t", "additive"),
    ],
)
def test_a_binding_of_google(
    type_: str, arguments: str, kind: str, scope: str, authority: str
) -> None:
    who = 'members = ["a:b", "c:d"]' if type_.endswith("binding") else 'member = "a:b"'
    found = only(f'resource "{type_}" "x" {{\n  {arguments}\n  role = "roles/r"\n  {who}\n}}\n')

    assert (found.cloud, found.kind, found.role, found.authority) == (
        "google",
        kind,
        "roles/r",
        authority,
    )
    assert getattr(found.scope, "data", None) == scope
    assert found.members[0].text == "a:b"
    assert found.members[0].span.text == '"a:b"'
    assert found.members_known
    assert found.conditional is False


def test_a_project_binding_without_a_project_is_on_the_provider_s() -> None:
    found = only(
        'provider "google" {\n  project = "p"\n}\n'
        'resource "google_project_iam_member" "x" {\n  role = "r"\n  member = "m"\n}\n'
    )
    assert getattr(found.scope, "data", None) == "p"


@pytest.mark.parametrize(
    "policy",
    [
        "data.google_iam_policy.a.policy_data",
        (
            'jsonencode({ bindings = [{ role = "roles/a", members = ["x"] },'
            ' { role = "roles/b", members = ["y"], condition = { title = "t" } }] })'
        ),
        (
            '<<-E\n    {"bindings": [{"role": "roles/a", "members": ["x"]},\n'
            '     {"role": "roles/b", "members": ["y"], "condition": {"title": "t"}}]}\n  E'
        ),
    ],
)
def test_a_policy_is_one_binding_for_each_role(policy: str) -> None:
    found, _coverage = extracted(
        'data "google_iam_policy" "a" {\n'
        '  binding {\n    role = "roles/a"\n    members = ["x"]\n  }\n'
        '  binding {\n    role = "roles/b"\n    members = ["y"]\n'
        '    condition {\n      title = "t"\n    }\n  }\n}\n'
        'resource "google_folder_iam_policy" "p" {\n  folder = "folders/1"\n'
        f"  policy_data = {policy}\n}}\n"
    )

    assert [(b.role, [m.text for m in b.members], b.conditional) for b in found] == [
        ("roles/a", ["x"], False),
        ("roles/b", ["y"], True),
    ]
    assert {b.authority for b in found} == {"policy"}


def test_members_that_are_made_here_have_no_text_and_are_counted() -> None:
    found = only(
        'variable "v" {}\nresource "google_service_account" "s" {}\n'
        'data "google_service_account" "d" {}\n'
        'resource "google_project_iam_binding" "x" {\n  role = "r"\n  members = ["a",'
        " google_service_account.s.member, data.google_service_account.d.member]\n}\n"
    )
    assert ([m.text for m in found.members], found.unnamed, found.members_known) == (["a"], 2, True)
    given = only(
        'variable "v" {}\nresource "google_project_iam_binding" "x" {\n  role = "r"\n'
        '  members = ["a", var.v]\n}\n'
    )
    assert ([m.text for m in given.members], given.unnamed, given.members_known) == (
        ["a"],
        0,
        False,
    )


def test_a_policy_that_is_not_known_is_still_a_binding() -> None:
    found = only(
        'variable "p" {}\nresource "google_project_iam_policy" "p" {\n  project = "p"\n'
        "  policy_data = var.p\n}\n"
    )
    assert (found.role, found.members, found.members_known) == ("", (), False)


@pytest.mark.parametrize(
    ("scope", "kind"),
    [
        ('"/"', "tenant"),
        ('"/providers/Microsoft.Management/managementGroups/x"', "management-group"),
        ('"/providers/microsoft.management/managementgroups/x/"', "management-group"),
        ('"/subscriptions/s"', "subscription"),
        ('"/subscriptions/${var.v}"', "subscription"),
        ('"/subscriptions/s/resourceGroups/g"', "resource-group"),
        ('"/subscriptions/s/resourceGroups/${var.v}"', "resource-group"),
        ('"/subscriptions/s/resourceGroups/g/providers/A.B/c/d"', "resource"),
        ('"/subscriptions/s/providers/A.B/c/d"', "resource"),
        ("data.azurerm_subscription.s.id", "subscription"),
        ("azurerm_subscription.s.id", "subscription"),
        ('"${data.azurerm_subscription.s.id}"', "subscription"),
        ('"${data.azurerm_subscription.s.id}/resourceGroups/g"', "resource-group"),
        ("azurerm_management_group.m.id", "management-group"),
        ("azurerm_resource_group.g.id", "resource-group"),
        ("azurerm_storage_account.s.id", "resource"),
        ('"${azurerm_storage_account.s.id}/blobServices/default"', "resource"),
        ("var.v", ""),
        ('var.b ? "/" : "/subscriptions/s"', ""),
        ('"x"', ""),
    ],
)
def test_the_kind_of_an_azure_scope(scope: str, kind: str) -> None:
    found = only(
        assignment(
            scope,
            'variable "v" {}\nvariable "b" {}\ndata "azurerm_subscription" "s" {}\n'
            'resource "azurerm_subscription" "s" {}\nresource "azurerm_management_group" "m" {}\n'
            'resource "azurerm_resource_group" "g" {}\nresource "azurerm_storage_account" "s" {}\n',
        )
    )
    assert found.kind == kind
    assert (found.cloud, found.role) == ("azure", "Owner")


def test_a_role_by_its_id() -> None:
    found = only(
        'resource "azurerm_role_assignment" "a" {\n  scope = "/"\n  principal_id = "p"\n'
        '  role_definition_id = "/providers/X/roleDefinitions/B24988AC-6180-42a0-ab88-20f7382dd24c"'
        "\n}\n"
    )
    assert (found.role, found.role_attribute) == ("Contributor", "role_definition_id")


def test_a_role_that_is_read_by_its_name() -> None:
    found = only(
        'data "azurerm_role_definition" "r" {\n  name = "Storage Blob Data Reader"\n}\n'
        'resource "azurerm_role_assignment" "a" {\n  scope = "/"\n  principal_id = "p"\n'
        "  role_definition_id = data.azurerm_role_definition.r.id\n}\n"
    )
    assert found.role == "Storage Blob Data Reader"


def test_access_entries_are_bindings() -> None:
    found, _coverage = extracted(
        'resource "google_storage_bucket_acl" "a" {\n  bucket = "b"\n'
        '  role_entity = ["OWNER:user-x", "READER:allUsers"]\n}\n'
        'resource "google_bigquery_dataset" "d" {\n  dataset_id = "d"\n'
        '  access {\n    role = "READER"\n    special_group = "allAuthenticatedUsers"\n  }\n}\n'
    )
    assert [(b.role, b.members[0].text) for b in found] == [
        ("OWNER", "user-x"),
        ("READER", "allUsers"),
        ("READER", "allAuthenticatedUsers"),
    ]


def test_coverage_counts_bindings_and_places() -> None:
    _found, coverage = extracted(
        'provider "azurerm" {\n  subscription_id = "s"\n  features {}\n}\n'
        'provider "google" {}\nvariable "v" {}\n'
        'resource "azurerm_user_assigned_identity" "i" {\n  location = "West US"\n}\n'
        'resource "azurerm_role_assignment" "made" {\n  scope = "/"\n'
        '  role_definition_name = "Reader"\n'
        "  principal_id = azurerm_user_assigned_identity.i.principal_id\n}\n"
        'resource "azurerm_role_assignment" "given" {\n  scope = var.v\n'
        '  role_definition_name = "Reader"\n  principal_id = "p"\n}\n'
        'resource "google_project_iam_member" "m" {\n  role = var.v\n  member = "m"\n}\n'
    )
    assert coverage.resolved["binding"] == 1
    assert coverage.undecidable["binding"] == 2
    assert coverage.resolved["region"] == 1
    assert (coverage.resolved["provider"], coverage.undecidable["provider"]) == (1, 1)


def test_the_table_of_bindings() -> None:
    table = tables.bindings()

    assert table.google["google_organization"].argument == "org_id"
    assert {row.scope for row in table.google.values()} == {
        "organization",
        "folder",
        "project",
        "billing-account",
        "resource",
    }
    assert len(table.azure_role_ids) == len(table.azure_roles_by_id) == 4
    assert not table.basic_roles & (table.read_roles | set(table.administrators))
    assert table.public_members == {"allUsers", "allAuthenticatedUsers"}
    assert {row.type.partition("_")[0] for row in table.replacements.values()} == {"aws"}


def test_the_table_of_what_others_use() -> None:
    rows = tables.shared()

    assert {row.type for row in rows} == {
        "google_project_service",
        "aws_organizations_account",
        "provider.azurerm",
    }
    assert all(row.takes and row.contain for row in rows)


def test_the_places_of_other_clouds() -> None:
    places = tables.locations()

    assert [row.id for row in places.azure_partitions] == [
        "azure",
        "azure-china",
        "azure-usgovernment",
    ]
    assert places.google_defaults == {"google_bigquery_dataset": "us"}
    assert "config" in places.google_spread["google_spanner_instance"]
