"""What a file is, told by its path: the only list of file kinds that are analysed."""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a file is written in and what it is for."""

    TERRAFORM = "terraform"
    """Configuration in the native syntax."""
    TERRAFORM_JSON = "terraform json"
    VARIABLES = "tfvars"
    """Values of root variables."""
    VARIABLES_JSON = "tfvars json"
    TERRAGRUNT = "terragrunt"
    """Configuration of Terragrunt under one of the names that Terragrunt gives it."""
    HCL = "hcl"
    """May be configuration that Terragrunt's includes and reads: in scope only when they do."""
    LOCK = "terraform lock"
    """Says that ``terraform init`` ran in the directory: it is a root."""
    PLAN = "terraform plan"
    """Output of ``terraform show -json``; only the content tells it (`blastdoor.source.plans`)."""
    TEMPLATE = "cloudformation template"
    """A template of CloudFormation or SAM, in YAML or JSON (`blastdoor.source.content`)."""
    PYTHON = "python"
    """Python that builds, configures or calls infrastructure (`blastdoor.source.content`)."""
    DOCUMENT = "configuration document"
    """Settings, or steps of a deployment, in the form of some tool (`blastdoor.source.content`)."""

    @property
    def language(self) -> str:
        """The language that rule pages name."""
        return _LANGUAGES.get(self, "terraform")

    @property
    def configuration(self) -> bool:
        """Whether findings can stand in it; the others are context only."""
        return self not in (Kind.HCL, Kind.LOCK)


TOLD_BY_CONTENT: Final = frozenset({Kind.TEMPLATE, Kind.PYTHON, Kind.DOCUMENT})
"""Kinds that the content of a file tells, not its name."""
_LANGUAGES: Final = {
    Kind.TEMPLATE: "cloudformation",
    Kind.PYTHON: "python",
    Kind.DOCUMENT: "document",
}
_NAMES: Final = {
    ".terraform.lock.hcl": Kind.LOCK,
    "root.hcl": Kind.TERRAGRUNT,
    "terragrunt.hcl": Kind.TERRAGRUNT,
    "terragrunt.hcl.json": Kind.TERRAGRUNT,
    "terragrunt.stack.hcl": Kind.TERRAGRUNT,
}
_ENDINGS: Final = (
    (".tf", Kind.TERRAFORM),
    (".tofu", Kind.TERRAFORM),
    (".tf.json", Kind.TERRAFORM_JSON),
    (".tofu.json", Kind.TERRAFORM_JSON),
    (".tfvars", Kind.VARIABLES),
    (".tfvars.json", Kind.VARIABLES_JSON),
    (".hcl", Kind.HCL),
)
_OTHER_TOOLS: Final = (
    ".nomad.hcl",
    ".pkr.hcl",
    ".pkrvars.hcl",
    ".tfmock.hcl",
    ".tfquery.hcl",
    ".tfstack.hcl",
    ".tftest.hcl",
)
"""Endings of files that Packer, Nomad and Terraform's own tests and stacks use."""


def kind_of(path: str) -> Kind | None:
    """The kind of the file at ``path``; ``None`` where the name alone does not tell one.

    Terraform's own idea of a file to leave alone is ours: names that begin with a dot, end with
    ``~`` or stand between ``#`` (editors' leftovers) are no configuration.
    """
    name = posixpath.basename(path)
    found = _NAMES.get(name)
    if found is not None:
        return found
    for ending, kind in _ENDINGS:
        if name.endswith(ending):
            if kind is Kind.HCL and name.endswith(_OTHER_TOOLS):
                return None
            hidden = kind in (Kind.TERRAFORM, Kind.TERRAFORM_JSON, Kind.HCL)
            return None if hidden and name.startswith(".") else kind
    return None
