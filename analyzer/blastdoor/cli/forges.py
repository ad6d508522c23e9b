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
