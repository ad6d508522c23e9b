"""What is done goes at once: nothing of a unit is left to the garbage collector."""

from __future__ import annotations

import ast
import gc
from typing import TYPE_CHECKING

import pytest

from blastdoor import catalog, tables
from blastdoor.detect import KNOWN
from blastdoor.engine import check
from blastdoor.fact import Evaluated, Resource
from blastdoor.parse import tree
from blastdoor.parse.data import Node
from blastdoor.source import Memory
from blastdoor.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastdoor.catalog import RuleSet

PYTHON = {
    "app.py": """\
import boto3
import helpers
from helpers import REGIONS, Client, make
from tables import TABLES


class Keeper:
    def __init__(self, region):
        self.client = boto3.client("dynamodb", region_name=region)
        self.again = self

    def drop(self, name):
        try:
            return self.client.delete_table(TableName=name)
        except Exception:
            return None
        finally:
            self.done = True


def walk(depth):
    return walk(depth - 1) if depth else [lambda: walk]


for region in REGIONS:
    Keeper(region).drop(TABLES["main"])
    make(region).terminate_instances(InstanceIds=helpers.ids())
walk(3)
Client().inner.delete_bucket(Bucket="b")
""",
    "helpers.py": """\
import boto3
from tables import TABLES

REGIONS = ["eu-west-1", "eu-west-2"]


def ids():
    return [name for name in TABLES.values()]


def make(region):
    def inner():
        return boto3.client("ec2", region_name=region)

    return inner()


class Client:
    inner = boto3.client("s3")
""",
    "tables.py": """\
import boto3
from helpers import REGIONS

TABLES = {"main": "orders"}


def reset():
    for region in REGIONS:
        boto3.client("dynamodb", region_name=region).delete_table(TableName="orders")
""",
}
TEMPLATE = {
    "outer.yaml": """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod]}
Conditions:
  Live: !Equals [!Ref Stage, prod]
Resources:
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: inner.yaml
      Parameters: {Stage: !Ref Stage}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: "*", Action: "sts:AssumeRole"}]
""",
    "inner.yaml": """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Stage: {Type: String}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Delete
    Properties: {TableName: !Sub "${Stage}-orders"}
""",
}
TERRAFORM = {
    "main.tf": """\
provider "aws" {
  region = local.region
}

locals {
  region = "eu-west-1"
  names  = ["a", "b"]
}

module "inner" {
  source   = "./inner"
  for_each = toset(local.names)
  name     = each.key
}
""",
    "inner/main.tf": """\
variable "name" {}

resource "aws_s3_bucket" "this" {
  bucket        = "${var.name}-data"
  force_destroy = true
}
""",
}


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    """All rules."""
    return catalog.load(tables.home(), detectors=KNOWN)


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What only the collector finds, once it is asked to keep that."""
    gc.collect()
    gc.disable()
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize(
    "files", [PYTHON, TEMPLATE, TERRAFORM], ids=["python", "template", "terraform"]
)
def test_nothing_is_left(files: dict[str, str], rules: RuleSet, garbage: list[object]) -> None:
    """Trees, values and resources go when the analysis is over, and the findings stay."""
    check(Memory(files), rules)  # what is loaded once and kept
    gc.collect()
    report = check(Memory(files), rules)
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    assert report.findings
    kinds = (ast.AST, tree.Node, Node, Value, Resource, Evaluated)
    left = {type(one).__name__ for one in garbage if isinstance(one, kinds)}
    assert not left
