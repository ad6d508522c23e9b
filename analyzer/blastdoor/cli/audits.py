"""The commands of audits and their options: what `--help` says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from blastdoor.cli.streams import CallerError

if TYPE_CHECKING:
    from collections.abc import Callable

_QUERIES: Final = (
    "widest-reach",
    "unpinned-regions",
    "all-at-once",
    "changed-by-agent",
    "trend",
    "changes",
    "failures",
    "rules",
    "repositories",
    "audits",
)
"""The questions that are ready; a test holds them against `blastdoor.audit.query`."""


def _supported() -> None:
    """Raises CallerError where processes cannot be limited."""
    if sys.platform == "win32":
        raise CallerError("audit needs a system with limits for processes, as Linux and macOS have")


class _Audit(click.Group):
    """A group whose command without a name is the audit itself."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for name in self.commands if name != "run"]


class _WithoutName(click.Context):
    """The context of the command that one calls without its name."""

    @property
    def command_path(self) -> str:
        return self.parent.command_path if self.parent is not None else "blastdoor audit"


class _Run(click.Command):
    """The audit itself, which its help calls as one calls it."""

    context_class = _WithoutName


def _store_option(command: Callable[..., int]) -> Callable[..., int]:
    """Effect: gives a command the option that names the store."""
    return click.option(
        "--store",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        default="audit.sqlite",
        show_default=True,
        help="The SQLite file with the ledger and the results of all audits.",
    )(command)


@click.group(cls=_Audit, add_help_option=False)
def audit() -> None:
    """Ask of many repositories where one change can take everything down."""


@audit.command(
    "run",
    cls=_Run,
    epilog="""\
\b
Examples:
  blastdoor audit clones/ --store audit.sqlite --report audit.html --sarif-dir sarif
  blastdoor audit mirror/network.git --revision v2.1
  blastdoor audit github:acme --exclude 'examples/**'
  blastdoor audit gitlab:acme/platform --forge-url https://git.acme.example/api/v4
  blastdoor audit --list repositories.csv --jobs 8
  blastdoor audit --resume                   what was broken off goes on
  blastdoor audit query widest-reach         ask the store; --help lists the questions

\b
A SOURCE is a folder, a clone, a bare repository, a directory of clones, a git URL, github:NAME or
gitlab:GROUP. Repositories are read from git's objects; nothing of them runs.

\b
Exit codes:
  0  every repository was analysed, whatever was found
  2  a repository could not be analysed, or the audit could not run
  3  there is no repository
  130  stopped with Ctrl-C; --resume goes on
""",
    context_settings={"ignore_unknown_options": False},
)
@click.argument("sources", metavar="[SOURCE]...", nargs=-1, type=str)
@click.option(
    "--list",
    "lists",
    metavar="FILE",
    multiple=True,
    type=click.Path(dir_okay=False),
    help="Sources, one a line, or CSV with the columns repository, revision, name, owner.",
)
@_store_option
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write one HTML file to look at; without sources, of the store as it is.",
)
@click.option(
    "--sarif-dir",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Write one SARIF log per repository.",
)
@click.option(
    "--export", metavar="parquet=DIR", help="Write the tables as Parquet files (extra audit)."
)
@click.option("--resume", is_flag=True, help="Go on with the audit that was broken off.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(1, 4096),
    help="Repositories at a time.  [default: the processors]",
)
@click.option("--revision", metavar="REV", default="", help="What to read.  [default: HEAD]")
@click.option(
    "--include",
    metavar="GLOB",
    multiple=True,
    help="Report on these files only, as in .gitignore; may be repeated.",
)
@click.option(
    "--exclude", metavar="GLOB", multiple=True, help="Do not report on these; may be repeated."
)
@click.option(
    "--memory-limit",
    "memory",
    metavar="MB",
    type=click.IntRange(200),
    default=1500,
    show_default=True,
    help="Address space of one worker.",
)
@click.option(
    "--time-limit",
    "seconds",
    metavar="SECONDS",
    type=click.IntRange(1),
    default=300,
    show_default=True,
    help="CPU time for one repository.",
)
@click.option("--select", metavar="RULES", multiple=True, help="Run these rules or families only.")
@click.option("--ignore", metavar="RULES", multiple=True, help="Do not run these.")
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Use this configuration for every repository.",
)
@click.option(
    "--trust-config", is_flag=True, help="Let a repository's own blastdoor.toml hold for it."
)
@click.option(
    "--no-inline-suppressions", is_flag=True, help="Leave comments that suppress without effect."
)
@click.option(
    "--no-provenance", is_flag=True, help="Do not look for marks of AI agents on commits."
)
@click.option("--forge-url", metavar="URL", default="", help="API of a forge of your own.")
@click.option("--ssh", is_flag=True, help="Clone by ssh what a forge lists.")
@click.option("--archived", is_flag=True, help="Audit archived repositories of a forge, too.")
@click.option("--forks", is_flag=True, help="Audit forks of a forge, too.")
@click.option(
    "--engine",
    type=click.Choice(("local", "dask")),
    default="local",
    show_default=True,
    help="Where workers are.",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="A Dask scheduler.  [default: a cluster of this machine]"
)
@click.option(
    "--log",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="What happened to each repository, a JSON line each.  [default: beside the store]",
)
@click.option("--allow-failures", is_flag=True, help="Failures never change the exit code.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("--no-progress", is_flag=True, help="Show no progress on a terminal.")
def run(**given: Any) -> int:
    """Analyse many repositories, and keep what they reach in a store.

    Each has a worker process of its own with limits; one that crashes, runs out of memory or never ends
    is reported and takes no other along. A run that was stopped, whatever stopped it, goes on with
    --resume. Repositories that have not changed are not analysed again.
    """
    _supported()
    import gc

    from blastdoor.cli import audit as running

    gc.enable()
    return running.audit(running.Request(**given))


@audit.command(
    epilog="""\
\b
Questions:
  widest-reach       units by how far they reach: regions, accounts, fleets
  unpinned-regions   resources whose region the code does not pin, by repository and owner
  all-at-once        rollouts without steps that may be production
  changed-by-agent   findings on lines that an AI agent wrote
  trend              new, gone and unchanged findings since an earlier audit
  changes            the findings that are new or gone, one by one
  failures           what could not be analysed, repositories first
  rules              findings by rule
  repositories       each repository with what became of it
  audits             the audits of the store

\b
Examples:
  blastdoor audit query widest-reach --limit 20
  blastdoor audit query trend --audit 7 --base 3 --format csv > trend.csv
  blastdoor audit query changed-by-agent --agent 'Copilot%' --format json
"""
)
@click.argument("name", metavar="QUESTION", type=click.Choice(_QUERIES))
@_store_option
@click.option(
    "--audit", "number", metavar="N", type=int, help="Which audit.  [default: the newest]"
)
@click.option(
    "--base", metavar="N", type=int, help="The audit to compare with.  [default: the one before]"
)
@click.option("--agent", metavar="NAME", help="Only this agent; % stands for any letters.")
@click.option("--repository", metavar="NAME", help="Only this repository.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "csv")),
    default="text",
    show_default=True,
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="Most rows as text; 0 is all. JSON and CSV hold all unless it is given.",
)
@click.pass_context
def query(context: click.Context, /, **given: Any) -> int:
    """Ask the store of audits a question."""
    _supported()
    from blastdoor.cli import audit as running

    if (
        given["form"] != "text"
        and context.get_parameter_source("limit") is click.core.ParameterSource.DEFAULT
    ):
        given["limit"] = 0
    return running.query(running.Question(**given))
