"""Where resources of Google Cloud and Azure are: region, project or subscription, partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from blastdoor.value import Inherited

if TYPE_CHECKING:
    from tests.evaluate.conftest import Unit

GOOGLE = (
    'provider "google" {\n  project = "p"\n  region = "europe-west1"\n'
    '  zone = "europe-west1-b"\n}\n'
)
LATER = 'variable "r" {}\n'


def of(type_: str, *arguments: str) -> str:
    """A resource of a type called ``a``."""
    return f'resource "{type_}" "a" {{\n' + "\n".join(arguments) + "\n}\n"


# Google Cloud


@pytest.mark.parametrize(
    ("text", "address", "expected"),
    [
        (of("google_redis_instance"), "google_redis_instance.a", "europe-west1"),
        (of("google_compute_instance"), "google_compute_instance.a", "europe-west1"),
        (
            of("google_compute_instance", 'zone = "us-east1-c"'),
            "google_compute_instance.a",
            "us-east1",
        ),
        (of("google_redis_instance", 'region = "us-east1"'), "google_redis_instance.a", "us-east1"),
        (of("google_redis_instance", "region = null"), "google_redis_instance.a", "europe-west1"),
        (of("google_storage_bucket", 'location = "EU"'), "google_storage_bucket.a", "eu"),
        (of("google_storage_bucket", 'location = "ASIA1"'), "google_storage_bucket.a", "asia1"),
        (of("google_kms_key_ring", 'location = "global"'), "google_kms_key_ring.a", "global"),
        (
            of("google_container_cluster", 'location = "us-east1-c"'),
            "google_container_cluster.a",
            "us-east1",
        ),
        (of("google_container_cluster"), "google_container_cluster.a", "europe-west1"),
        (
            of("google_compute_subnetwork", 'region = "projects/p/regions/us-east1"'),
            "google_compute_subnetwork.a",
            "us-east1",
        ),
        (of("google_bigquery_dataset"), "google_bigquery_dataset.a", "us"),
        (of("google_project_service", 'service = "s"'), "google_project_service.a", ...),
        (of("google_compute_instance", 'zone = "${var.r}-b"'), "google_compute_instance.a", None),
    ],
)
def test_a_google_resource_is_where_it_or_its_provider_says(
    unit: type[Unit], text: str, address: str, expected: object
) -> None:
    here = unit(GOOGLE + LATER + text)
    wanted = "<NO_VALUE var.r>" if expected is None else expected
    assert here.region(address) == wanted
    assert unit.plain(here.resource(address).partition) == "gcp"
    assert unit.plain(here.resource(address).account) == "p"


def test_the_zone_of_a_provider_says_its_region(unit: type[Unit]) -> None:
    here = unit('provider "google" {\n  zone = "us-east1-c"\n}\n' + of("google_redis_instance"))
    provider = here.provider("provider.google")
    assert unit.plain(provider.region) == "us-east1"
    assert provider.region_span is not None
    assert provider.region_span.text == '"us-east1-c"'
    assert here.region("google_redis_instance.a") == "us-east1"


def test_what_nothing_says_is_decided_outside(unit: type[Unit]) -> None:
    here = unit('provider "google" {\n  region = "us-east1"\n}\n' + of("google_compute_instance"))
    resource = here.resource("google_compute_instance.a")
    assert isinstance(resource.region, Inherited)
    assert isinstance(resource.account, Inherited)
    implied = unit(of("google_redis_instance")).resource("google_redis_instance.a")
    assert isinstance(implied.region, Inherited)


def test_the_beta_provider_has_a_place_of_its_own(unit: type[Unit]) -> None:
    here = unit(
        GOOGLE
        + 'provider "google-beta" {\n  project = "beta"\n  region = "us-west1"\n}\n'
        + of("google_redis_instance", "provider = google-beta")
    )
    assert here.region("google_redis_instance.a") == "us-west1"
    assert unit.plain(here.resource("google_redis_instance.a").account) == "beta"


def test_the_project_is_the_resource_s_own_before_the_provider_s(unit: type[Unit]) -> None:
    here = unit(
        GOOGLE
        + of("google_redis_instance", 'project = "q"')
        + 'resource "google_folder_iam_member" "f" {\n  folder = "folders/1"\n}\n'
        + "locals {\n  p = google_redis_instance.a.project\n"
        "  r = google_redis_instance.a.region\n  c = data.google_client_config.c.project\n"
        "  d = data.google_project.d.project_id\n}\n"
        'data "google_client_config" "c" {}\ndata "google_project" "d" {}\n'
    )
    assert unit.plain(here.resource("google_redis_instance.a").account) == "q"
    assert unit.plain(here.resource("google_folder_iam_member.f").account) == "folders/1"
    assert [here.local(n) for n in "prcd"] == ["q", "europe-west1", "p", "p"]


def test_one_module_in_two_projects_is_looked_at_twice(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'provider "google" {\n  project = "p"\n}\n'
            'provider "google" {\n  alias = "q"\n  project = "q"\n}\n'
            'module "a" {\n  source = "./m"\n}\n'
            'module "b" {\n  source = "./m"\n  providers = { google = google.q }\n}\n',
            "m/main.tf": 'module "n" {\n  source = "./n"\n}\n',
            "m/n/main.tf": of("google_pubsub_topic"),
        }
    )
    found = {r.address: unit.plain(r.account) for r in here.evaluated.resources}
    assert found == {
        "module.a.module.n.google_pubsub_topic.a": "p",
        "module.b.module.n.google_pubsub_topic.a": "q",
    }


def test_a_policy_document_of_google_is_known(unit: type[Unit]) -> None:
    here = unit(
        'data "google_iam_policy" "a" {\n  binding {\n    role = "roles/owner"\n'
        '    members = ["allUsers"]\n  }\n}\n'
        "locals {\n  a = data.google_iam_policy.a.policy_data\n}\n"
    )
    assert here.local("a") == {
        "json": {"bindings": [{"role": "roles/owner", "members": ["allUsers"]}]}
    }


def test_a_resource_may_be_named_in_full(unit: type[Unit]) -> None:
    here = unit(
        of("google_storage_bucket", 'location = "EU"')
        + "locals {\n  a = resource.google_storage_bucket.a.location\n}\n"
    )
    assert here.local("a") == "EU"


# Azure


@pytest.mark.parametrize(
    ("written", "region", "partition"),
    [
        ('"West Europe"', "westeurope", "azure"),
        ('"China East 2"', "chinaeast2", "azure-china"),
        ('"usgovvirginia"', "usgovvirginia", "azure-usgovernment"),
        ('"global"', "global", "<ENVIRONMENT the environment of azurerm>"),
        ("var.r", "<NO_VALUE var.r>", "<ENVIRONMENT the environment of azurerm>"),
    ],
)
def test_an_azure_location_in_its_normal_form(
    unit: type[Unit], written: str, region: str, partition: str
) -> None:
    here = unit(
        'provider "azurerm" {\n  subscription_id = "s"\n  features {}\n}\n'
        + LATER
        + of("azurerm_resource_group", 'name = "a"', f"location = {written}")
    )
    found = here.resource("azurerm_resource_group.a")
    assert unit.plain(found.region) == region
    assert unit.plain(found.partition) == partition
    assert unit.plain(found.account) == "s"


@pytest.mark.parametrize(
    ("environment", "partition"),
    [("public", "azure"), ("china", "azure-china"), ("usgovernment", "azure-usgovernment")],
)
def test_the_environment_is_the_partition(
    unit: type[Unit], environment: str, partition: str
) -> None:
    here = unit(
        f'provider "azurerm" {{\n  environment = "{environment}"\n  features {{}}\n}}\n'
        + of("azurerm_subnet", 'name = "a"')
    )
    assert unit.plain(here.provider("provider.azurerm").partition) == partition
    assert unit.plain(here.resource("azurerm_subnet.a").partition) == partition
    assert here.region("azurerm_subnet.a") is ...


def test_the_location_of_a_resource_group_goes_through_modules(unit: type[Unit]) -> None:
    here = unit(
        {
            "main.tf": 'module "g" {\n  source = "./g"\n  for_each = { x = "West US" }\n'
            "  place = each.value\n}\n"
            + of("azurerm_storage_account", "location = module.g.x.group.location"),
            "g/main.tf": 'variable "place" {}\n'
            + of("azurerm_resource_group", 'name = "a"', "location = var.place")
            + 'output "group" {\n  value = azurerm_resource_group.a\n}\n',
        }
    )
    assert here.region("azurerm_storage_account.a") == "westus"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("azurerm_resource_group.a.name", "westus"),
        ('"orders"', "westus"),
        ('"rg-${var.r}"', "northeurope"),
        (
            '"elsewhere"',
            "<DATA_SOURCE data.azurerm_resource_group.g.location>",
        ),
        (
            "random_pet.p.id",
            "<DATA_SOURCE data.azurerm_resource_group.g.location>",
        ),
    ],
)
def test_a_group_that_is_read_by_the_name_it_is_made_with(
    unit: type[Unit], name: str, expected: str
) -> None:
    here = unit(
        {
            "main.tf": LATER
            + of("azurerm_resource_group", 'name = "orders"', 'location = "West US"')
            + 'resource "random_pet" "p" {}\n'
            'resource "azurerm_resource_group" "b" {\n  name = "rg-${var.r}"\n'
            '  location = "northeurope"\n}\n'
            'resource "azurerm_resource_group" "c" {\n  name = random_pet.p.id\n'
            '  location = "uksouth"\n}\n'
            f'module "m" {{\n  source = "./m"\n  group = {name}\n}}\n',
            "m/main.tf": 'variable "group" {}\n'
            'data "azurerm_resource_group" "g" {\n  name = var.group\n}\n'
            + of("azurerm_storage_account", "location = data.azurerm_resource_group.g.location"),
        }
    )
    assert here.region("module.m.azurerm_storage_account.a") == expected


def test_groups_that_are_named_after_one_another_end(unit: type[Unit]) -> None:
    count = 400
    text = "".join(
        f'resource "azurerm_resource_group" "g{n}" {{\n  location = "uksouth"\n'
        f"  name = data.azurerm_resource_group.d{n}.location\n}}\n"
        f'data "azurerm_resource_group" "d{n}" {{\n  name = "n{n}"\n}}\n'
        for n in range(count)
    )
    here = unit(text + "locals {\n  a = data.azurerm_resource_group.d0.location\n}\n")
    assert here.local("a") == "<DATA_SOURCE data.azurerm_resource_group.d0.location>"
    assert len(here.evaluated.resources) == 2 * count


def test_what_a_block_gets_beyond_what_is_written_is_computed(unit: type[Unit]) -> None:
    here = unit(
        of("azurerm_kubernetes_cluster", 'identity {\n  type = "SystemAssigned"\n}')
        + "locals {\n  id = azurerm_kubernetes_cluster.a.identity[0].principal_id\n"
        "  type = azurerm_kubernetes_cluster.a.identity[0].type\n}\n"
    )
    assert here.local("id") == "<COMPUTED azurerm_kubernetes_cluster.a.identity[0].principal_id>"
    assert here.local("type") == "SystemAssigned"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("data.azurerm_subscription.s.id", "/subscriptions/s"),
        ("data.azurerm_subscription.t.id", "/subscriptions/{<NO_VALUE var.r>}"),
        ("data.azurerm_client_config.c.subscription_id", "s"),
        (
            "data.azurerm_role_definition.owner.id",
            (
                "/providers/Microsoft.Authorization/roleDefinitions/"
                "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
            ),
        ),
        (
            "data.azurerm_role_definition.own.id",
            "<DATA_SOURCE data.azurerm_role_definition.own.id>",
        ),
    ],
)
def test_data_sources_of_azure_that_need_no_call(
    unit: type[Unit], expression: str, expected: str
) -> None:
    here = unit(
        'provider "azurerm" {\n  subscription_id = "s"\n  features {}\n}\n'
        + LATER
        + 'data "azurerm_subscription" "s" {}\n'
        'data "azurerm_subscription" "t" {\n  subscription_id = var.r\n}\n'
        'data "azurerm_client_config" "c" {}\n'
        'data "azurerm_role_definition" "owner" {\n  name = "Owner"\n}\n'
        'data "azurerm_role_definition" "own" {\n  name = "Keeper"\n}\n'
        f"locals {{\n  a = {expression}\n}}\n"
    )
    assert here.local("a") == expected
