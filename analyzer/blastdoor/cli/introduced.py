"""One run of ``check --diff-base``: the findings that the working tree has and a revision had not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastdoor.change import compare
from blastdoor.cli import sides
from blastdoor.cli.streams import CallerError
from blastdoor.cli.written import written
from blastdoor.report.escape import sanitise
from blastdoor.source import repository_root
from blastdoor.source.revision import Git, GitError

if TYPE_CHECKING:
    from blastdoor.catalog import RuleSet
    from blastdoor.cli.places import Place
    from blastdoor.config import Config
    from blastdoor.engine import Options, Progress
    from blastdoor.finding import Report
    from blastdoor.source import Source


def introduced(  # noqa: PLR0913  what a run of check has at hand
    base: str,
    source: Source,
    place: Place,
    config: Config,
    rules: RuleSet,
    options: Options,
    *,
    progress: Progress | None = None,
    only_agents: bool = False,
    quiet: bool = False,
) -> Report:
    """What the rules that judge a state say of ``source`` and did not say of ``base``.

    A guard that was on in base has the level of its loss. With ``only_agents``, what an AI agent wrote.
    Raises CallerError.
    """
    top = repository_root(place.root)
    if top is None:
        raise CallerError("--diff-base needs a git repository")
    prefix = place.root.relative_to(top).as_posix() if place.root != top else ""
    try:
        with Git(top) as git:
            both = sides.working_tree(git, base, place.root, prefix, config)
            found = compare(both.base, source, both.changed, rules, options, progress=progress)
            if both.commits is not None:
                found = written(
                    found,
                    git,
                    both.commits,
                    config,
                    prefix=prefix,
                    only_agents=only_agents,
                    quiet=quiet,
                )
    except GitError as error:
        raise CallerError(f"--diff-base: {sanitise(str(error))}") from error
    state = {rule.id for rule in rules if "state" in rule.modes}
    whole = found.whole()
    return replace(
        whole,
        findings=sorted(
            (f for f in whole.findings if f.rule in state and place.selects(f.span.path)),
            key=lambda f: (f.span.path, f.span.start, f.span.end, f.rule, f.unit, f.message),
        ),
        failures=[f for f in whole.failures if place.whole or place.selects(f.path)],
    )
