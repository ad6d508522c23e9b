"""Regions and accounts of Google Cloud and Azure on the axes of reach."""

from __future__ import annotations

import pytest

from blastdoor.reach import (
    AccountElement,
    Accounts,
    AllIn,
    Order,
    Organization,
    OrganizationalUnit,
    Partitions,
    Regions,
    account,
    region_of,
)


@pytest.mark.parametrize(
    ("partition", "region", "expected"),
    [
        ("aws", "eu-west-1", "eu-west-1"),
        ("aws-cn", "cn-north-1", "cn-north-1"),
        ("gcp", "europe-west1", "gcp/europe-west1"),
        ("azure", "westeurope", "azure/westeurope"),
        ("azure-china", "chinaeast2", "azure-china/chinaeast2"),
    ],
)
def test_a_region_names_its_partition(partition: str, region: str, expected: str) -> None:
    written = region_of(partition, region)

    assert written == expected
    assert Regions(written).partitions() == Partitions(partition)
    assert Regions(AllIn(partition)).compare(Regions(written)) is Order.WIDER


def test_a_region_of_another_cloud_is_somewhere_new() -> None:
    assert Regions("gcp/us-east1").compare(Regions("us-east-1")) is Order.INCOMPARABLE


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("organizations/123", Organization("organizations/123")),
        ("folders/123", OrganizationalUnit("folders/123")),
        ("example-orders", "example-orders"),
        ("/subscriptions/0-1", "0-1"),
        ("/subscriptions/0-1/resourceGroups/g", "0-1"),
        (
            "/providers/Microsoft.Management/managementGroups/r-x",
            OrganizationalUnit("/providers/Microsoft.Management/managementGroups/r-x"),
        ),
    ],
)
def test_an_account_by_its_form(text: str, element: AccountElement) -> None:
    assert account(text) == element


def test_a_folder_is_wider_than_nothing_and_within_the_organization() -> None:
    folder = Accounts(account("folders/1"))

    assert Accounts(account("organizations/1")).compare(folder) is Order.WIDER
    assert folder.compare(Accounts()) is Order.WIDER
