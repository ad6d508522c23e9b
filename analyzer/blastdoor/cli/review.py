"""The commands of the review gate and their options: what `--help` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable

_COLOUR: Final = ("auto", "always", "never")
_FORMATS: Final = ("text", "json", "sarif", "markdown")

_EXIT_CODES: Final = """\
\b
Exit codes:
  0  the gate is open
  1  it is closed: something needs the word of a second person
  2  something could not be run or judged, which closes it too
"""


def _judging(command: Callable[..., int]) -> Callable[..., int]:
    """Effect: gives a command the options that say how words are judged."""
    for option in (
        click.option("--no-progress", is_flag=True, help="Show no progress on a terminal."),
        click.option(
            "--color",
            "colour",
            type=click.Choice(_COLOUR),
            default="auto",
            show_default=True,
            help="Colour the text; NO_COLOR and FORCE_COLOR are obeyed.",
        ),
        click.option("--no-snippets", is_flag=True, help="Quote no source lines in SARIF."),
        click.option(
            "--cross-check",
            is_flag=True,
            help="Let a second parser read the changed Terraform files (extra crosscheck).",
        ),
    ):
        command = option(command)
    return command


@click.command(
    epilog=f"""\
\b
Examples:
  blastdoor gate origin/main                 this branch, as a pull request merges it
  blastdoor gate origin/main HEAD --format markdown > comment.md
  blastdoor gate main --approvals reviews.json

{_EXIT_CODES}
"""
)
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="[HEAD]", required=False, default="HEAD")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    help="What to write to standard output.  [default: text]",
)
@click.option(
    "--output",
    "outputs",
    metavar="FORMAT=FILE",
    multiple=True,
    help="Write the decision to a file as well (- is standard output); may be repeated.",
)
@click.option(
    "--approvals",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Approvals that the forge exported as JSON; those of the head commit count.",
)
@click.option(
    "--require-signatures", is_flag=True, help="Take only acknowledgements in signed commits."
)
@click.option(
    "--allowed-signers",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="SSH keys that may sign, by address.  [default: what [gate] of the base names]",
)
@click.option(
    "--allowed-keys",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="OpenPGP keys that may sign.  [default: what [gate] of the base names]",
)
@_judging
@click.option("-q", "--quiet", is_flag=True, help="Say only what closes the gate.")
def gate(**given: Any) -> int:
    """Let a change pass only when a second person has said yes to what it widens.

    BASE is where the change goes, HEAD what it is (by default the commit here). What HEAD reaches that
    BASE did not, guards that it takes away, and changes to the reviewing itself each need an
    acknowledgement by somebody who wrote no part of the change and is no agent. Who may give it, and
    every other setting, is read from BASE, never from HEAD.
    """
    from blastdoor.cli import gate as running

    return running.gate(running.Request(**given))


@click.command(
    epilog="""\
\b
Examples:
  blastdoor ack origin/main                  ask about each, one by one
  blastdoor ack main HEAD --finding 3fa9c0d41b22 --reviewer "A Reviewer <reviewer@example.com>" \\
      --reason "needed in both regions, rehearsed" --rollback "revert, then apply" --expires 2027-01-31

\b
Exit codes:
  0  what was to be acknowledged is, or nothing needs it
  1  nothing was acknowledged
  2  it cannot be: the reviewer wrote the change, is an agent, or is not named in BASE
"""
)
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="[HEAD]", required=False, default="HEAD")
@click.option(
    "--finding",
    "findings",
    metavar="FINGERPRINT",
    multiple=True,
    help="Acknowledge this one: the first digits of its fingerprint; may be repeated.",
)
@click.option("--reviewer", metavar="PERSON", help='Who says yes: "Name <address>".')
@click.option("--reason", metavar="WORDS", help="Why it may reach so far.")
@click.option("--rollback", metavar="WORDS", help="How it is undone.")
@click.option("--expires", metavar="DAY", help="The last day on which it holds: YYYY-MM-DD.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_judging
def ack(**given: Any) -> int:
    """Say yes to what a change widens, as the second person.

    Shows exactly what is accepted, and writes one file for each below .blastdoor/acks. It counts once
    the reviewer has committed it.
    """
    from blastdoor.cli import ack as running

    return running.ack(running.Request(**given))
