"""The commands that take blastdoor to other tools and their options: what `--help` says."""

from __future__ import annotations

from typing import Any, Final

import click

_FORGES: Final = ("github", "gitlab", "none")


@click.command(
    epilog="""\
\b
Examples:
  blastdoor init                             what this repository lacks
  blastdoor init --dry-run                   show it, write nothing
  blastdoor init --baseline                  and accept what is found now
  blastdoor init live --forge gitlab         one folder, on GitLab

\b
Exit codes:
  0  it is written, or was there already
  2  something could not be written, or not analysed for the baseline
"""
)
@click.argument("path", metavar="[PATH]", default=".", type=click.Path(readable=False))
@click.option(
    "--forge",
    type=click.Choice(_FORGES),
    help="Write the workflow for this one.  [default: what the files or the remote show]",
)
@click.option(
    "--baseline",
    is_flag=True,
    help="Analyse, and write what is found as the baseline: only later findings are reported.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, write nothing.")
def init(**given: Any) -> int:
    """Write the configuration, workflow and hook that a repository lacks.

    blastdoor.toml goes to PATH (by default this directory), the workflow to where the forge looks for
    it, and a hook into .pre-commit-config.yaml if there is one. What is there stays as it is, and a
    pipeline of your own is only shown what to add.
    """
    from blastdoor.cli import init as beginning

    return beginning.init(beginning.Request(**given))


@click.group()
def export() -> None:
    """Write rules for other tools."""


@export.command(
    epilog="""\
\b
Examples:
  blastdoor export checkov policies
  checkov --directory . --external-checks-dir policies

\b
Exit codes:
  0  at least one policy is written
  2  something could not be written
  3  no rule can be one
"""
)
@click.argument("folder", metavar="DIR", type=click.Path(readable=False))
@click.option("--dry-run", is_flag=True, help="Say what would be written, write nothing.")
@click.option("--isolated", is_flag=True, help="Leave out rules that a configuration names.")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Use this configuration.  [default: the nearest blastdoor.toml]",
)
@click.option(
    "--detectors",
    metavar="DISTRIBUTION",
    multiple=True,
    help="Let rule pages use the detectors of this installed distribution; may be repeated.",
)
def checkov(**given: Any) -> int:
    """Write rules that judge one attribute as custom policies of Checkov.

    Those are the pages with a `match`, such as the rules of your organisation. The others are listed
    with the reason.
    """
    from blastdoor.cli import export as exporting

    return exporting.checkov(exporting.Request(**given))
