"""Faults that users reported of other scanners, shown not to be ours; each names its thread.

The examples are our own. The threads are public issues of bridgecrewio/checkov, aquasecurity/trivy,
aquasecurity/tfsec and terraform-linters/tflint.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from blastdoor import catalog, engine
from blastdoor.source import Tree
from blastdoor.value import OneOf, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.evaluate.conftest import Unit

    from blastdoor.finding import Report

GUARDED = """
variable "protect" {
  type    = bool
  default = false
}
variable "final" {
  default = null
}
resource "aws_db_instance" "main" {
  engine                    = "postgres"
  skip_final_snapshot       = !var.protect
  final_snapshot_identifier = var.final
}
output "final" {
  value = var.final
}
"""


def report(files: Mapping[str, str], *select: str) -> Report:
    chosen = frozenset(select) or frozenset({"data-kept-by-force-lost"})
    return engine.analyze_files(files, list(catalog.load()), engine.Options(select=chosen))


def places(found: Report) -> list[str]:
    return [f"{finding.rule} {finding.unit}" for finding in found.findings]


def test_a_module_from_a_registry_is_not_judged_by_what_is_not_there() -> None:
    """checkov#6135: a registry module's resources were said to lack what its inputs configure."""
    found = report(
        {
            "main.tf": """
module "bucket" {
  source  = "terraform-aws-modules/s3-bucket/aws"
  version = "4.1.0"
  lifecycle_rule = [{ id = "log", enabled = true, expiration = { days = 90 } }]
}
provider "aws" {
  region = module.bucket.region
}
"""
        },
        *[rule.id for rule in catalog.load()],
    )
    assert places(found) == []
    reason = "provider: output of a module that is not in the repository: module.bucket"
    assert found.coverage.reasons == {reason: 1}


def test_the_order_of_module_names_changes_nothing(unit: type[Unit]) -> None:
    """checkov#7470: two calls of one module and a third that reads an output of one of them."""
    for first, second in (("a", "b"), ("b", "a")):
        here = unit(
            {
                "main.tf": f"""
module "{first}" {{
  source = "./shared"
}}
module "{second}" {{
  source = "./shared"
  result = module.{first}.result
}}
module "c" {{
  source  = "./user"
  protect = true
  ref     = module.{first}.result
}}
""",
                "shared/main.tf": """
variable "result" {
  default = "given"
}
output "result" {
  value = var.result
}
""",
                "user/main.tf": """
variable "protect" {
  default = false
}
variable "ref" {
  default = null
}
resource "aws_db_instance" "main" {
  deletion_protection = var.protect
  identifier          = var.ref
}
""",
            }
        )
        assert here.argument("module.c.aws_db_instance.main", "deletion_protection") is True
        assert here.argument("module.c.aws_db_instance.main", "identifier") == "given"


def test_one_file_named_is_read_with_the_files_beside_it(tmp_path: Path) -> None:
    """checkov#3515: a single file was scanned, and a variable's default stood in another file."""
    (tmp_path / "variables.tf").write_text('variable "skip" {\n  default = false\n}\n')
    (tmp_path / "main.tf").write_text(
        'provider "aws" {\n  region = "eu-west-1"\n}\n'
        'resource "aws_db_instance" "main" {\n  skip_final_snapshot = var.skip\n}\n'
    )
    tree = Tree(tmp_path, git=False)
    rules = catalog.load()
    named = engine.check(tree, rules, selection=lambda path: path == "main.tf")
    assert [f for f in named.findings if f.rule == "data-kept-by-force-lost"] == []
    (tmp_path / "variables.tf").write_text('variable "skip" {\n  default = true\n}\n')
    named = engine.check(Tree(tmp_path, git=False), rules, selection=lambda path: path == "main.tf")
    assert [f.unit for f in named.findings if f.rule == "data-kept-by-force-lost"] == [
        "aws_db_instance.main"
    ]


def test_a_list_whose_default_stands_in_another_file(unit: type[Unit]) -> None:
    """checkov#3517: the same of a list: its default in another file was taken for nothing."""
    here = unit(
        {
            "variables.tf": 'variable "bypass" {\n  default = ["AzureServices"]\n}\n',
            "main.tf": """
resource "azurerm_storage_account" "a" {
  network_rules {
    default_action = "Deny"
    bypass         = var.bypass
  }
}
""",
        }
    )
    assert here.argument("azurerm_storage_account.a", "network_rules") == [
        {"default_action": "Deny", "bypass": ["AzureServices"]}
    ]


def test_a_value_of_an_unset_variable_is_not_the_opposite_of_what_is_wanted() -> None:
    """checkov#5597, #5824: what a consumer passes later was judged as if it were set to nothing."""
    found = report(
        {
            "main.tf": """
provider "aws" {
  region = "eu-west-1"
}
variable "skip" {
  type = bool
}
resource "aws_db_instance" "main" {
  skip_final_snapshot = var.skip
}
"""
        }
    )
    assert places(found) == []


def test_resources_of_a_counted_module_refer_to_one_another(unit: type[Unit]) -> None:
    """checkov#3847: with `count` on the call, separate resources of a module were not joined."""
    module = """
resource "aws_s3_bucket" "b" {
  bucket = "logs"
}
resource "aws_s3_bucket_versioning" "v" {
  bucket = aws_s3_bucket.b.bucket
}
output "bucket" {
  value = aws_s3_bucket_versioning.v.bucket
}
"""
    for repeat, reference in (
        ("", "module.m.bucket"),
        ("count = 1", "module.m[0].bucket"),
        ('for_each = { for k in ["x"] : k => k }', 'module.m["x"].bucket'),
    ):
        here = unit(
            {
                "main.tf": f"""
module "m" {{
  source = "./m"
  {repeat}
}}
locals {{
  it = {reference}
}}
""",
                "m/main.tf": module,
            }
        )
        assert here.argument("module.m.aws_s3_bucket_versioning.v", "bucket") == "logs"
        assert here.local("it") == "logs"


SIBLINGS = """
provider "aws" {
  region = "eu-west-1"
}
resource "random_password" "p" {
  length = 16
}
module "first" {
  source  = "./db"
  protect = true
  FINAL
}
module "second" {
  source  = "./db"
  protect = true
}
"""


def test_siblings_get_what_the_caller_passes() -> None:
    """trivy#10926: a sibling got its defaults when another call had no unknown argument."""
    for final in ("final = random_password.p.result", ""):
        files = {"main.tf": SIBLINGS.replace("FINAL", final), "db/main.tf": GUARDED}
        assert places(report(files)) == []
    # The default would be a finding.
    files = {"main.tf": SIBLINGS.replace("protect = true", ""), "db/main.tf": GUARDED}
    files["main.tf"] = files["main.tf"].replace("FINAL", "")
    assert places(report(files)) == ["data-kept-by-force-lost module.first.aws_db_instance.main"]


def test_a_block_repeated_by_an_unset_variable_is_still_judged() -> None:
    """trivy#7099: a resource whose `for_each` is a variable without a value vanished silently."""
    found = report(
        {
            "main.tf": """
provider "aws" {
  region = "eu-west-1"
}
variable "databases" {
  type = map(object({ size = number }))
}
resource "aws_db_instance" "main" {
  for_each            = var.databases
  allocated_storage   = each.value.size
  skip_final_snapshot = true
}
"""
        }
    )
    assert places(found) == ["data-kept-by-force-lost aws_db_instance.main"]


def test_variables_in_the_arguments_of_several_resources(unit: type[Unit]) -> None:
    """trivy#4997: a bucket's settings that came through variables and locals were not seen."""
    here = unit("""
variable "block" {
  type    = object({ acls = optional(bool, true), policy = optional(bool, true) })
  default = {}
}
locals {
  block = merge({ acls = false }, var.block)
}
resource "aws_s3_bucket_public_access_block" "b" {
  bucket              = "b"
  block_public_acls   = local.block.acls
  block_public_policy = local.block.policy
}
""")
    address = "aws_s3_bucket_public_access_block.b"
    assert here.argument(address, "block_public_acls") is True
    assert here.argument(address, "block_public_policy") is True


def test_the_defaults_of_a_called_module_count() -> None:
    """tfsec#1948: the default of a variable within a module was not seen when it was called."""
    safe = GUARDED.replace("default = false", "default = true")
    call = 'provider "aws" {\n  region = "eu-west-1"\n}\nmodule "db" {\n  source = "./db"\n}\n'
    assert places(report({"main.tf": call, "db/main.tf": safe})) == []
    assert places(report({"main.tf": call, "db/main.tf": GUARDED})) != []


def test_an_override_is_laid_over_what_it_overrides() -> None:
    """checkov#1779: a resource in an override file was judged as if it were all of it."""
    base = """
provider "aws" {
  region = "eu-west-1"
}
resource "aws_db_instance" "main" {
  skip_final_snapshot       = true
  final_snapshot_identifier = "last"
  lifecycle {
    prevent_destroy = true
  }
}
"""
    over = 'resource "aws_db_instance" "main" {\n  skip_final_snapshot = false\n}\n'
    assert places(report({"main.tf": base})) != []
    assert places(report({"main.tf": base, "main_override.tf": over})) == []
    alone = report({"main.tf": base, "main_override.tf": over}, *[r.id for r in catalog.load()])
    assert not any("main_override" in f.span.path and "lacks" in f.message for f in alone.findings)


def test_an_override_may_give_a_module_its_source(unit: type[Unit]) -> None:
    """tflint#86: a module call whose source stood in an override file was an error."""
    here = unit(
        {
            "main.tf": 'module "foo" {\n  name = "n"\n}\nlocals {\n  it = module.foo.name\n}\n',
            "main_override.tf": 'module "foo" {\n  source = "./foo"\n}\n',
            "foo/main.tf": 'variable "name" {}\noutput "name" {\n  value = var.name\n}\n',
        }
    )
    assert here.local("it") == "n"
    assert here.evaluated.failures == []


def test_ten_thousand_instances_cost_little(unit: type[Unit]) -> None:
    """trivy#6959: a map of 10,000 keys under `for_each` took more than ten gigabytes."""
    begin = time.process_time()
    here = unit("""
locals {
  names = [for n in range(1000) : "name-${n}"]
  teams = [for n in range(10) : "team-${n}"]
  pairs = merge([for t in local.teams : { for n in local.names : "${t}-${n}" => t }]...)
}
resource "aws_sqs_queue" "q" {
  for_each = local.pairs
  name     = each.key
  tags     = { team = each.value }
}
output "arns" {
  value = { for k, q in aws_sqs_queue.q : k => q.arn }
}
""")
    (queue,) = here.resources("aws_sqs_queue.q")
    name = queue.get("name")
    assert isinstance(name, (Unknown, OneOf))
    assert here.evaluated.failures == []
    assert time.process_time() - begin < 5


def test_nested_modules_with_counts_cost_little() -> None:
    """checkov#7524: deeply nested modules with count and for_each went from minutes to hours."""
    depth = 12
    files = {
        "main.tf": 'module "m" {\n  source = "./m0"\n  count  = 3\n  v      = count.index\n}\n'
    }
    for number in range(depth):
        files[f"m{number}/main.tf"] = f"""
variable "v" {{}}
module "left" {{
  source   = "../m{number + 1}"
  for_each = toset(["a", "b"])
  v        = var.v
}}
module "right" {{
  source = "../m{number + 1}"
  count  = 2
  v      = var.v
}}
"""
    files[f"m{depth}/main.tf"] = """
variable "v" {}
resource "aws_db_instance" "main" {
  identifier          = var.v
  skip_final_snapshot = true
}
"""
    begin = time.process_time()
    found = report(files)
    assert len(found.findings) == 1
    assert found.failures == []
    assert time.process_time() - begin < 20
