"""Rules of networks: what is read from them, which rule speaks, and what breaks nothing."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from blastdoor import catalog, facts
from blastdoor.engine import Options, check
from blastdoor.evaluate.terraform import evaluate_root
from blastdoor.facts.network import anywhere, network_of
from blastdoor.source import Memory
from blastdoor.units import Repository, Root

if TYPE_CHECKING:
    from blastdoor.catalog import Rule
    from blastdoor.fact import Facts, Opening
    from blastdoor.finding import Report

NETWORK = frozenset(
    {
        "open-ingress-all",
        "open-ingress-admin-port",
        "open-ingress-other",
        "public-endpoint-enabled",
    }
)


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(catalog.load())


def run(files: dict[str, str]) -> Report:
    return check(Memory(files), rules(), Options(select=NETWORK))


def facts_of(text: str) -> Facts:
    source = Memory({"main.tf": text})
    repository = Repository(source, list(source.files()))
    return facts.extract(evaluate_root(repository, Root(".", is_root=True)))[0]


def ingress(**arguments: Any) -> str:
    lines = "".join(f"    {name} = {json.dumps(value)}\n" for name, value in arguments.items())
    return f'resource "aws_security_group" "g" {{\n  ingress {{\n{lines}  }}\n}}\n'


def opening(**arguments: Any) -> Opening:
    (found,) = facts_of(ingress(**arguments)).openings
    return found


# Facts


def test_an_opening() -> None:
    found = opening(
        from_port=22,
        to_port="23",
        protocol="6",
        cidr_blocks=["10.0.0.0/8"],
        ipv6_cidr_blocks=["::/0"],
        prefix_list_ids=["pl-1"],
    )

    assert (found.attribute, found.layer, found.protocol) == ("ingress", "group", "tcp")
    assert found.ports == ((22, 23),)
    assert [source.text for source in found.sources] == ["10.0.0.0/8", "::/0", "pl-1"]
    assert [source.text for source in anywhere(found.sources)] == ["::/0"]
    assert network_of(found, found.sources).describe() == (
        "tcp 22-23 with 10.0.0.0/8, tcp 22-23 with ::/0 and tcp 22-23 with pl-1"
    )


def test_all_protocols_have_all_ports() -> None:
    found = opening(from_port=0, to_port=0, protocol=-1, cidr_blocks=["0.0.0.0/0"])

    assert (found.protocol, found.ports) == ("-1", ((0, 65535),))


def test_a_protocol_without_ports() -> None:
    found = opening(from_port=8, to_port=0, protocol="icmp", cidr_blocks=["0.0.0.0/0"])

    assert (found.protocol, found.ports) == ("icmp", ())


@pytest.mark.parametrize(
    "arguments",
    [
        {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": []},
        {"from_port": 22, "to_port": 22, "protocol": "tcp", "security_groups": ["sg-1"]},
        {"from_port": 22, "to_port": 21, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": 22, "to_port": 99999, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": -5, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": "ssh", "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": 2.5, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": True, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": 22, "to_port": 22, "protocol": None, "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": 22, "to_port": 22, "protocol": {"a": 1}, "cidr_blocks": ["0.0.0.0/0"]},
        {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": {"a": "0.0.0.0/0"}},
    ],
)
def test_what_is_no_opening(arguments: dict[str, Any]) -> None:
    assert facts_of(ingress(**arguments)).openings == []


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (["0.0.0.0/0"], ["0.0.0.0/0"]),
        (["::/0"], ["::/0"]),
        (["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/1", "128.0.0.0/1"]),
        (["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2"], ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/2"]),
        (["0.0.0.0/1", "::/1"], []),
        (["10.0.0.0/8"], []),
        (["0.0.0.0/32", "0.0.0.0"], []),
        (["0.0.0.0/99", "x/0", "/0", "", "::/0/0", "sg-1"], []),
        (["Internet"], ["Internet"]),
        (["VirtualNetwork", "AzureLoadBalancer"], []),
    ],
)
def test_what_is_every_address(sources: list[str], found: list[str]) -> None:
    given = opening(from_port=1, to_port=1, protocol="tcp", cidr_blocks=[*sources, "10.1.1.1/32"])

    assert [source.text for source in anywhere(given.sources)] == found


# Which rule speaks


def test_one_place_has_one_finding_the_widest() -> None:
    report = run(
        {
            "main.tf": """
            resource "google_compute_firewall" "f" {
              name          = "f"
              network       = "n"
              source_ranges = ["0.0.0.0/0"]
              allow {
                protocol = "udp"
                ports    = ["53"]
              }
              allow {
                protocol = "tcp"
                ports    = ["22"]
              }
              allow {
                protocol = "all"
              }
            }
            """
        }
    )

    assert [finding.rule for finding in report.findings] == ["open-ingress-all"]


def test_the_rules_do_not_need_each_other() -> None:
    text = ingress(from_port=22, to_port=22, protocol="tcp", cidr_blocks=["0.0.0.0/0"])
    report = check(
        Memory({"main.tf": text}), rules(), Options(select=frozenset({"open-ingress-other"}))
    )

    assert report.findings == []


def test_the_json_syntax_says_the_same() -> None:
    rule = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}
    document = {"resource": {"aws_security_group": {"g": {"ingress": [rule]}}}}
    written = run({"main.tf.json": json.dumps(document)})
    native = run({"main.tf": ingress(**rule)})

    assert [(f.rule, f.message, f.value) for f in written.findings] == [
        (f.rule, f.message, f.value) for f in native.findings
    ]
    assert len(native.findings) == 1


def test_a_finding_says_what_reaches_how_far_and_how_to_contain_it() -> None:
    (finding,) = run(
        {"main.tf": ingress(from_port=22, to_port=22, protocol="tcp", cidr_blocks=["0.0.0.0/0"])}
    ).findings

    assert finding.message == (
        "network: any address may reach SSH (tcp 22) (from 0.0.0.0/0), by aws_security_group.g"
    )
    assert finding.contain.startswith("allow the networks that need it")
    assert finding.span.text == '"0.0.0.0/0"'
    assert finding.reach is not None
    assert finding.reach.describe() == ["network: tcp 22 with 0.0.0.0/0"]


def test_a_repeated_rule_is_one_finding_per_place() -> None:
    report = run(
        {
            "main.tf": """
            locals {
              world = ["0.0.0.0/0"]
            }
            resource "aws_security_group_rule" "r" {
              for_each          = { ssh = 22, mysql = 3306 }
              type              = "ingress"
              security_group_id = "sg-1"
              from_port         = each.value
              to_port           = each.value
              protocol          = "tcp"
              cidr_blocks       = local.world
            }
            """
        }
    )

    assert [finding.rule for finding in report.findings] == ["open-ingress-admin-port"]


# Size


def test_a_long_list_of_networks_costs_little() -> None:
    many = [f"10.{a}.{b}.0/24" for a in range(80) for b in range(250)]
    text = ingress(from_port=22, to_port=22, protocol="tcp", cidr_blocks=[*many, "0.0.0.0/0"])
    start = time.perf_counter()
    report = run({"main.tf": text})

    assert [finding.rule for finding in report.findings] == ["open-ingress-admin-port"]
    assert time.perf_counter() - start < 10
