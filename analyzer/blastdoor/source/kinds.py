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
    """Says that something around a Terraform directory supplies providers and inputs."""
    LOCK = "terraform lock"
    """Says that ``terraform init`` ran in the directory: it is a root."""
    PLAN = "terraform plan"
    """Output of ``terraform show -json``; only the content tells it (`blastdoor.source.plans`)."""

    @property
    def language(self) -> str:
        """The language that rule pages name."""
        return "terraform"

    @property
    def configuration(self) -> bool:
        """Whether findings can stand in it; the others are context only."""
        return self not in (Kind.TERRAGRUNT, Kind.LOCK)


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
)
# A language whose files only their content tells apart (CloudFormation among YAML and JSON, Python
# that builds infrastructure) adds its endings here and a look at the head of the file in
# `blastdoor.source.disk.Tree.files`.


def kind_of(path: str) -> Kind | None:
    """The kind of the file at ``path``; ``None`` for what is out of scope.

    Terraform's own idea of a file to leave alone is ours: names that begin with a dot, end with
    ``~`` or stand between ``#`` (editors' leftovers) are no configuration.
    """
    name = posixpath.basename(path)
    found = _NAMES.get(name)
    if found is not None:
        return found
    for ending, kind in _ENDINGS:
        if name.endswith(ending):
            leftover = name.startswith(".") and kind in (Kind.TERRAFORM, Kind.TERRAFORM_JSON)
            return None if leftover else kind
    return None
