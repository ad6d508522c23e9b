"""``blastdoor lsp``: the editor server, judging a folder as ``check`` and ``diff`` would."""

from __future__ import annotations

import io
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

from blastdoor.cli import check as checking
from blastdoor.cli import names, sides
from blastdoor.cli.places import Place, locate
from blastdoor.cli.streams import CallerError
from blastdoor.detect import KNOWN
from blastdoor.source import configuration_file, repository_root
from blastdoor.source.revision import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from blastdoor.catalog import RuleSet
    from blastdoor.change import Comparison
    from blastdoor.config import Config
    from blastdoor.engine import Options
    from blastdoor.finding import Report
    from blastdoor.server.project import Scope, Settings

MISSING = "the editor server needs the extra: pip install 'blastdoor[lsp]'"
BUFFERS = "the working tree with what is open"


def run() -> int:
    """The exit code. Effect: serves on standard input and output. Raises CallerError."""
    try:
        from blastdoor.server.language import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("pygls", "lsprotocol"):
            raise CallerError(MISSING) from error
        raise
    logging.basicConfig(stream=sys.stderr, level=logging.ERROR)
    serve(open_folder)
    # Whoever prints to standard output from here on would break into a protocol.
    sys.stdout = io.StringIO()
    return 0


def open_folder(folder: Path, settings: Settings) -> Scope:
    """What it takes to judge a folder. Raises ScopeError.

    A configuration beside the code is the user's own here as for ``check``; detectors of other
    distributions are not loaded, and rules that name one do not run.
    """
    from blastdoor.server.project import Scope, ScopeError

    request = checking.Request(
        paths=(str(folder),),
        select=settings.select,
        ignore=settings.ignore,
        pedantic=settings.pedantic,
        config_file=settings.config_file,
    )
    try:
        place = locate(request.paths, request.config_file, isolated=False)
        config = names.configuration(place.root, request.config_file, isolated=False)
        installed = names.entry_points(config, (), isolated=False)
        rules = names.rule_set(config, installed, trusted=request.trusted)
        options = checking.options_of(
            checking.with_ignored(request, _foreign(rules)), config, rules, place
        )
        known = checking.known_of(request, config)
        watched = _watched(config, place, trusted=request.trusted)
    except CallerError as error:
        raise ScopeError(str(error)) from error
    return Scope(
        place.root,
        rules,
        options,
        partial(checking.tree_of, request, config, place),
        None if place.whole else place.selects,
        partial(_refined, request, config, rules, known, place),
        partial(_against_head, place, config, rules, options),
        watched,
    )


def _foreign(rules: RuleSet) -> tuple[str, ...]:
    """The rules whose detector another distribution would bring."""
    return tuple(rule.id for rule in rules if rule.detector and rule.detector not in KNOWN)


def _watched(config: Config, place: Place, *, trusted: bool) -> frozenset[Path]:
    """The files that decide how to judge, those that are not there yet among them."""
    found = {place.root / "blastdoor.toml", *names.rule_folders(config, trusted=trusted)}
    file = configuration_file(place.root)
    if file is not None:
        found.add(file)
    if config.file is not None:
        found.add(config.file)
    if config.baseline is not None:
        found.add(names.beside(config, config.baseline, trusted=trusted))
    return frozenset(found)


def _refined(
    request: checking.Request,
    config: Config,
    rules: RuleSet,
    known: str | None,
    place: Place,
    report: Report,
) -> Report:
    report = checking.without_ignored(report, config, rules)
    return checking.compared(request, report, known, whole=place.whole)


def _against_head(
    place: Place, config: Config, rules: RuleSet, options: Options, buffers: Mapping[str, str]
) -> tuple[Comparison, tuple[str, str]]:
    """What the working tree with some texts over it does against HEAD. Raises ScopeError."""
    from blastdoor.change import compare
    from blastdoor.server.project import ScopeError

    top = repository_root(place.root)
    if top is None:
        raise ScopeError("no git repository here: there is no HEAD to compare with")
    prefix = place.root.relative_to(top).as_posix() if place.root != top else ""
    try:
        with Git(top) as git:
            both = sides.working_tree(git, "HEAD", place.root, prefix, config)
            both = sides.with_texts(both, buffers)
            found = compare(
                both.base, both.head, both.changed, rules, options, history=both.history
            )
    except (CallerError, GitError, OSError) as error:
        raise ScopeError(str(error)) from error
    return found, ("HEAD", BUFFERS)
