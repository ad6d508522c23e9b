"""The commands and their options: what `--help` says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from blastdoor import __version__
from blastdoor.cli.streams import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

_COLOUR: Final = ("auto", "always", "never")
_LEVELS: Final = ("note", "warning", "error", "never")
_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

EXIT_CODES: Final = """\
\b
Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on (default: warning)
  2  something could not be run or analysed, whatever was found
  3  nothing to analyse
"""


class _Group(click.Group):
    """Commands in the order in which one meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


def _rule_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Slugs, and codes where one begins, for the shell to complete; also behind a comma."""
    from blastdoor import catalog

    done, comma, begun = incomplete.rpartition(",")
    names = [name for rule in catalog.load() for name in (rule.id, rule.code)]
    names += catalog.FAMILIES
    if not begun:
        names = [name for name in names if name.islower()]
    return [f"{done}{comma}{name}" for name in names if name.startswith(begun)]


def _families(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    from blastdoor import catalog

    return [name for name in catalog.FAMILIES if name.startswith(incomplete)]


def _file() -> click.Path:
    """A file for the shell to complete; whether it is there is checked later, with better words."""
    return click.Path(dir_okay=False)


@click.group(
    cls=_Group,
    context_settings=_SETTINGS,
    epilog=f"""\
\b
Examples:
  blastdoor check                            the infrastructure in this directory
  blastdoor check live/prod modules/net      two of its parts, judged within the whole
  blastdoor check --output sarif=out.sarif   text to read, SARIF to upload
  blastdoor explain RGN010                   why a rule hurts and how to fix it

{EXIT_CODES}
""",
)
@click.version_option(__version__, prog_name="blastdoor", message="%(prog)s %(version)s")
def cli() -> None:
    """Say how far infrastructure code reaches: overrides, regions, accounts, grants, guards.

    Nothing is run, nothing is sent: files are read and judged.
    """


@cli.command(
    epilog=f"""\
\b
Examples:
  blastdoor check                            everything in this directory
  blastdoor check main.tf                    findings of one file; what surrounds it is read too
  blastdoor check - --stdin-filename main.tf < main.tf
  blastdoor check --select region,GRT001     one family and one rule
  blastdoor check --format sarif > out.sarif
  blastdoor check --output sarif=out.sarif --output json=out.json
  blastdoor check --write-baseline known.json, then: blastdoor check --baseline known.json

{EXIT_CODES}
"""
)
@click.argument(
    "paths", metavar="[PATH]...", nargs=-1, type=click.Path(readable=False, allow_dash=True)
)
@click.option(
    "--stdin-filename",
    metavar="FILE",
    type=_file(),
    help="Where the text of standard input (PATH `-`) belongs; its directory is read too.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="What to write to standard output.  [default: text]",
)
@click.option(
    "--output",
    "outputs",
    metavar="FORMAT=FILE",
    multiple=True,
    help="Write a report to a file as well (- is standard output); may be repeated.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_LEVELS),
    help="The least level that makes the exit code 1.  [default: warning]",
)
@click.option("--exit-zero", is_flag=True, help="Findings never change the exit code.")
@click.option(
    "--allow-failures",
    is_flag=True,
    help="What cannot be analysed is reported but does not make the exit code 2.",
)
@click.option(
    "--select",
    metavar="RULES",
    multiple=True,
    shell_complete=_rule_names,
    help="Run these only: slugs, codes or families, with commas between; may be repeated.",
)
@click.option(
    "--ignore",
    metavar="RULES",
    multiple=True,
    shell_complete=_rule_names,
    help="Do not run these; may be repeated.",
)
@click.option(
    "--pedantic",
    is_flag=True,
    help="Run the rules that only the thorough want, too, and show every place of a file.",
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=_file(),
    help="Use this configuration.  [default: the nearest blastdoor.toml]",
)
@click.option("--isolated", is_flag=True, help="Use no configuration that stands beside the code.")
@click.option(
    "--var-file",
    "var_files",
    metavar="FILE",
    multiple=True,
    type=_file(),
    help="Values of Terraform root variables; may be repeated, the last wins.",
)
@click.option(
    "--exclude",
    metavar="GLOB",
    multiple=True,
    help="Read but do not report these files, as in .gitignore; may be repeated.",
)
@click.option(
    "--no-inline-suppressions", is_flag=True, help="Report what ignore comments would silence."
)
@click.option("--include-suppressed", is_flag=True, help="List what is suppressed, marked as such.")
@click.option(
    "--baseline",
    metavar="FILE",
    type=_file(),
    help="Do not report the findings that this file knows.",
)
@click.option(
    "--write-baseline",
    metavar="FILE",
    type=_file(),
    help="Write the findings of this run to a baseline; they count as known.",
)
@click.option(
    "--category",
    metavar="NAME",
    help="Tell this SARIF log from others of the same commit (automationDetails).",
)
@click.option("--no-snippets", is_flag=True, help="Quote no source lines in text and SARIF.")
@click.option(
    "--color",
    "colour",
    type=click.Choice(_COLOUR),
    default="auto",
    show_default=True,
    help="Colour the text; auto obeys NO_COLOR and FORCE_COLOR.",
)
@click.option("-q", "--quiet", is_flag=True, help="Leave out the summary, remarks and progress.")
@click.option("--no-progress", is_flag=True, help="Show no progress on a terminal.")
def check(**given: Any) -> int:
    """Judge infrastructure code.

    PATH is a directory or a file, by default the working directory; `-` is standard input. Findings
    are reported for the paths; the repository around them is read as context.
    """
    from blastdoor.cli import check as running

    return running.check(running.Request(**given))


def _settings(command: Callable[..., int]) -> Callable[..., int]:
    """Effect: gives a command the options that say which configuration names further rules."""
    command = click.option(
        "--isolated", is_flag=True, help="Leave out rules that a configuration names."
    )(command)
    return click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=_file(),
        help="Use this configuration.  [default: the nearest blastdoor.toml]",
    )(command)


@cli.command()
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True
)
@click.option("--family", metavar="F", shell_complete=_families, help="The rules of one family.")
@_settings
def rules(form: str, family: str | None, config_file: str | None, *, isolated: bool) -> int:
    """List the rules."""
    from blastdoor.cli import names, pages

    config = names.configuration(Path.cwd(), config_file, isolated=isolated)
    pages.show_rules(
        names.rule_set(config, trusted=config_file is not None),
        None if family is None else names.family(family),
        as_json=form == "json",
    )
    return 0


@cli.command()
@click.argument("rule", metavar="RULE", shell_complete=_rule_names)
@click.option("--color", "colour", type=click.Choice(_COLOUR), default="auto", show_default=True)
@_settings
def explain(rule: str, colour: Any, config_file: str | None, *, isolated: bool) -> int:
    """Show the page of a rule: why it hurts, examples, how to fix it.

    RULE is a slug or a code: every-region-target or RGN010.
    """
    from blastdoor.cli import names, pages

    config = names.configuration(Path.cwd(), config_file, isolated=isolated)
    found = names.find(rule, names.rule_set(config, trusted=config_file is not None))
    pages.show_page(found, colour)
    return 0


@cli.command(
    epilog="""\
\b
To install:
  bash  blastdoor completion bash > ~/.local/share/bash-completion/completions/blastdoor
  zsh   blastdoor completion zsh > "${fpath[1]}/_blastdoor"
  fish  blastdoor completion fish > ~/.config/fish/completions/blastdoor.fish
"""
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> int:
    """Print the script that lets a shell complete commands, options and rules."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(cli, {}, "blastdoor", "_BLASTDOOR_COMPLETE")
    # The class for bash asks the installed bash for its version first; printing needs none.
    click.echo(ShellComplete.source(script))
    return 0
