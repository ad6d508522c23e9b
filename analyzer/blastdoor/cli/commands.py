"""The commands and their options: what `--help` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from blastdoor import __version__
from blastdoor.cli import audits, forges, review
from blastdoor.cli.streams import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable

_COLOUR: Final = ("auto", "always", "never")
_LEVELS: Final = ("note", "warning", "error", "never")
_SETTINGS: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

_SENTENCE: Final = 200
"""Letters of the sentence that says what a command does; the formatter breaks its lines."""

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Effect: writes the first sentence of each command, whole."""
        shown = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        rows = [(name, command.get_short_help_str(_SENTENCE)) for name, command in shown]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


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


def _config_option(command: Callable[..., int]) -> Callable[..., int]:
    """Effect: gives a command the option that names the configuration."""
    return click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=_file(),
        help="Use this configuration.  [default: the nearest blastdoor.toml]",
    )(command)


def _detectors_option(command: Callable[..., int]) -> Callable[..., int]:
    """Effect: gives a command the option that names distributions with detectors."""
    return click.option(
        "--detectors",
        metavar="DISTRIBUTION",
        multiple=True,
        help="Let rule pages use the detectors of this installed distribution; may be repeated.",
    )(command)


def _settings(command: Callable[..., int]) -> Callable[..., int]:
    """Effect: gives a command the options that say which rules there are."""
    command = click.option(
        "--isolated", is_flag=True, help="Leave out rules that a configuration names."
    )(command)
    return _config_option(_detectors_option(command))


@click.group(
    cls=_Group,
    context_settings=_SETTINGS,
    epilog=f"""\
\b
Examples:
  blastdoor check                            the infrastructure in this directory
  blastdoor check live/prod modules/net      two of its parts, judged within the whole
  blastdoor check --output sarif=out.sarif   text to read, SARIF to upload
  blastdoor diff main                        what a change reaches that main does not
  blastdoor reach                            what touches which regions and accounts
  blastdoor gate main                        whether a second person has said yes to that
  blastdoor audit clones/                    many repositories into one store of findings
  blastdoor init                             begin: configuration, workflow and hook
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
  terraform show -json tfplan | blastdoor check - --stdin-filename plan.json
  blastdoor check --select region,GRT001     one family and one rule
  blastdoor check --format sarif > out.sarif
  blastdoor check --output sarif=out.sarif --output json=out.json
  blastdoor check --write-baseline known.json, then: blastdoor check --baseline known.json
  blastdoor check --diff-base main...        what this branch brings
  blastdoor check --show-fixes               what --fix would change, as a diff

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
    "--allow-empty", is_flag=True, help="With nothing to analyse the exit code is 0, not 3."
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
@_config_option
@click.option("--isolated", is_flag=True, help="Use no configuration that stands beside the code.")
@_detectors_option
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
    "--with",
    "beside",
    metavar="TOOL",
    multiple=True,
    help="Run another tool beside, and add what it finds: checkov, or checkov=COMMAND.",
)
@click.option(
    "--with-timeout",
    "beside_timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    help="How long it may take.",
)
@click.option(
    "--fix", is_flag=True, help="Write the safe fixes into the files; report what is left."
)
@click.option(
    "--unsafe-fixes",
    is_flag=True,
    help="With --fix or --show-fixes: those somebody must look at, too.",
)
@click.option("--show-fixes", is_flag=True, help="Print the fixes as a diff.")
@click.option(
    "--no-inline-suppressions", is_flag=True, help="Report what ignore comments would silence."
)
@click.option("--include-suppressed", is_flag=True, help="List what is suppressed, marked as such.")
@click.option(
    "--diff-base",
    metavar="REV",
    help="Report only what was not found in this revision; `main...` is where the branch left main.",
)
@click.option(
    "--only-agent-changes",
    is_flag=True,
    help="With --diff-base: report only what commits marked by an AI agent wrote.",
)
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


@cli.command(
    epilog=f"""\
\b
Examples:
  blastdoor diff main                        the working tree against main
  blastdoor diff main HEAD                   two revisions
  blastdoor diff origin/main...              what this branch adds to main
  blastdoor diff --staged                    what the next commit changes
  blastdoor diff before/ after/              two directories
  blastdoor diff plan.json                   a plan against the state it was made from
  blastdoor diff main --format markdown      a comment for a pull request
  blastdoor diff main... --only-agent-changes

{EXIT_CODES}
"""
)
@click.argument("base", metavar="[BASE]", required=False)
@click.argument("head", metavar="[HEAD]", required=False)
@click.option(
    "--staged",
    "--cached",
    "staged",
    is_flag=True,
    help="HEAD is what is staged, and BASE is HEAD unless it is named.",
)
@click.option(
    "--only-agent-changes",
    is_flag=True,
    help="Report only what commits marked by an AI agent wrote.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "sarif", "markdown")),
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
    "--config",
    "config_file",
    metavar="FILE",
    type=_file(),
    help="Use this configuration.  [default: the nearest blastdoor.toml]",
)
@click.option("--isolated", is_flag=True, help="Use no configuration that stands beside the code.")
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
@click.option("-q", "--quiet", is_flag=True, help="Leave out the sums, remarks and progress.")
@click.option("--no-progress", is_flag=True, help="Show no progress on a terminal.")
def diff(**given: Any) -> int:
    """Say what a change reaches that was not reached before.

    BASE and HEAD are revisions of the repository here, or two directories; without HEAD it is the
    working tree. Alone, BASE may be a Terraform plan in JSON. Revisions are read from git's objects:
    nothing is checked out, nothing is run.
    """
    from blastdoor.cli import diff as running

    return running.diff(running.Request(**given))


@cli.command(
    epilog="""\
\b
Examples:
  blastdoor reach                            the map of this repository
  blastdoor reach live/payments              one part of it
  blastdoor reach --format json

\b
Exit codes:
  0  the map is written
  2  something could not be run or analysed
  3  nothing to analyse
"""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(readable=False))
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    help="What to write to standard output.  [default: text]",
)
@click.option(
    "--output",
    "outputs",
    metavar="FORMAT=FILE",
    multiple=True,
    help="Write the map to a file as well (- is standard output); may be repeated.",
)
@click.option(
    "--allow-failures",
    is_flag=True,
    help="What cannot be analysed is reported but does not make the exit code 2.",
)
@_config_option
@click.option("--isolated", is_flag=True, help="Use no configuration that stands beside the code.")
@click.option(
    "--color",
    "colour",
    type=click.Choice(_COLOUR),
    default="auto",
    show_default=True,
    help="Colour the text; auto obeys NO_COLOR and FORCE_COLOR.",
)
@click.option("-q", "--quiet", is_flag=True, help="Leave out the sums and the progress.")
@click.option("--no-progress", is_flag=True, help="Show no progress on a terminal.")
def reach(**given: Any) -> int:
    """Show what touches which regions, accounts and shares of a fleet.

    One block for each unit, the broadest reach first; no rule judges it.
    """
    from blastdoor.cli import reach as running

    return running.reach(running.Request(**given))


cli.add_command(review.gate)
cli.add_command(review.ack)
cli.add_command(audits.audit)
cli.add_command(forges.init)
cli.add_command(forges.export)


@cli.command(
    epilog="""\
\b
Editors (docs/editors has a page for each):
  VS Code    the extension in editors/vscode starts it
  Neovim     vim.lsp.config.blastdoor = { cmd = { "blastdoor", "lsp" }, root_markers = { ".git" } }
  Helix      [language-server.blastdoor]  command = "blastdoor"  args = ["lsp"]

\b
Settings (initializationOptions, or the section "blastdoor" of the client's configuration):
  configFile  a configuration to use instead of the nearest blastdoor.toml
  select      a list of rules to run only: slugs, codes or families
  ignore      a list of rules not to run
  pedantic    true runs the rules that only the thorough want

\b
Exit codes:
  0  the client has left
  2  the extra is missing: pip install 'blastdoor[lsp]'
"""
)
@click.option("--stdio", is_flag=True, help="Accepted: there is no other way to talk to it.")
def lsp(stdio: bool) -> int:  # noqa: FBT001  as click calls it
    """Serve an editor: what check says, while one types.

    Speaks the Language Server Protocol on standard input and output. Open buffers are laid over the
    disk; the same rules, configuration and suppressions hold as for check. Nothing of the workspace
    is run.
    """
    import gc

    from blastdoor.cli import lsp as running

    gc.enable()
    del stdio
    return running.run()


@cli.group(
    cls=_Group,
    invoke_without_command=True,
    epilog="""\
\b
Examples:
  blastdoor rules                            every rule, those of your organisation too
  blastdoor rules --family grant
  blastdoor rules new no-backups             a page of your own, with an example that works
  blastdoor rules test our-rules             its examples, run as tests
""",
)
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True
)
@click.option("--family", metavar="F", shell_complete=_families, help="The rules of one family.")
@_settings
@click.pass_context
def rules(context: click.Context, /, form: str, family: str | None, **given: Any) -> int:
    """List the rules, or work on rules of your own."""
    from blastdoor.cli import names, pages

    if context.invoked_subcommand is not None:
        given.update(form=None if form == "text" else form, family=family)
        for name, value in given.items():
            if value:
                option = {"form": "format", "config_file": "config"}.get(name, name)
                raise click.UsageError(
                    f"--{option} stands before {context.invoked_subcommand}: it belongs to the list",
                    context,
                )
        return 0
    pages.show_rules(
        names.rules_here(**given),
        None if family is None else names.family(family),
        as_json=form == "json",
    )
    return 0


@rules.command(
    epilog="""\
\b
Examples:
  blastdoor rules new no-backups
  blastdoor rules new owner-tag-missing --match aws_s3_bucket.tags.Owner --level note
  blastdoor rules new old-image --match data.aws_ami.owners --folder platform/rules
  blastdoor rules new odd-name --detector acme-rules.odd-name

\b
The slug names the bad pattern, never the cure. The page passes `blastdoor rules test` as it is
written; make it yours from there: the match, the reason, the examples, how to fix it.

\b
Exit codes:
  0  the page is written
  2  it is not: the name is taken, the file exists, an option makes no sense
"""
)
@click.argument("slug", metavar="SLUG")
@click.option(
    "--family",
    type=click.Choice(("override", "region", "account", "grant", "network", "guard", "rollout")),
    default="guard",
    show_default=True,
    help="What the rule is about.",
)
@click.option(
    "--level",
    type=click.Choice(("note", "warning", "error")),
    default="warning",
    show_default=True,
    help="How heavy a finding is.",
)
@click.option(
    "--folder",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Where to put the page.  [default: the folder that blastdoor.toml names, or our-rules]",
)
@click.option(
    "--match",
    metavar="TYPE.ATTRIBUTE",
    help="Begin with: this attribute of this resource (or data.TYPE) has to be set.",
)
@click.option(
    "--detector",
    metavar="NAME",
    help="Begin with the name of a detector, DISTRIBUTION.ENTRY-POINT, instead of a match.",
)
@_config_option
def new(config_file: str | None, **given: Any) -> int:
    """Write the page of a new rule.

    SLUG becomes the rule's name: no-backups is written to no-backups.md.
    """
    from blastdoor.cli import own

    if given["match"] and given["detector"]:
        raise click.UsageError("a page has either a match or a detector")
    return own.new(own.Draft(**given), config_file)


@rules.command(
    epilog="""\
\b
Examples:
  blastdoor rules test                       the folders that blastdoor.toml names
  blastdoor rules test our-rules             every page of a folder
  blastdoor rules test our-rules/no-backups.md

\b
In the example of a page:
  a = 0 # finding                one finding on this line, and on no line without a mark
  a = 0 # finding: is 0          whose message holds these words
  a = 0 # finding (note)         and which has this level
  ```hcl findings=4,9            the same for text that can hold no comment
  # file: modules/net/main.tf    a further file begins

\b
Exit codes:
  0  every example gives what its page says
  1  an example gives something else
  2  a page cannot be used (unknown key, taken name, no example), or nothing could be run
"""
)
@click.argument("targets", metavar="[FOLDER|PAGE]...", nargs=-1, type=click.Path(readable=False))
@_settings
@click.option(
    "--color",
    "colour",
    type=click.Choice(_COLOUR),
    default="auto",
    show_default=True,
    help="Colour the text; auto obeys NO_COLOR and FORCE_COLOR.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong, and the summary.")
def test(**given: Any) -> int:
    """Run the examples of rule pages.

    Each page is read strictly, and each of its examples is analysed with that rule alone. What differs
    is said with the page and the line.
    """
    from blastdoor.cli import own

    return own.test(own.Trial(**given))


@cli.command()
@click.argument("rule", metavar="RULE", shell_complete=_rule_names)
@click.option("--color", "colour", type=click.Choice(_COLOUR), default="auto", show_default=True)
@_settings
def explain(rule: str, colour: Any, **given: Any) -> int:
    """Show the page of a rule: why it hurts, examples, how to fix it.

    RULE is a slug or a code: every-region-target or RGN010.
    """
    from blastdoor.cli import names, pages

    pages.show_page(names.find(rule, names.rules_here(**given)), colour)
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
