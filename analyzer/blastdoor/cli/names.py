"""Rules as a caller names them: slugs, codes and families; and which rules there are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor import catalog, config, tables
from blastdoor.cli.streams import CallerError
from blastdoor.detect import KNOWN
from blastdoor.report.escape import sanitise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

    from blastdoor.catalog import Rule, RuleSet
    from blastdoor.config import Config

EntryPoints = Mapping[str, "EntryPoint"]
"""Detectors of installed distributions by the names that pages use; not imported yet."""
SUGGESTIONS: Final = 3
"""Similar names that an error offers."""
MIN_PART: Final = 3
"""Letters from which on a part of a name says what is meant."""


def configuration(start: Path, file: str | None, *, isolated: bool) -> Config:
    """The configuration that holds for ``start``. Raises CallerError."""
    try:
        return config.load(start, file=file, isolated=isolated)
    except config.ConfigError as error:
        raise CallerError(sanitise(str(error))) from error


def beside(settings: Config, path: str, *, trusted: bool) -> Path:
    """A path that a configuration names. Raises CallerError when it leads out of the folder.

    A file that the caller named may point anywhere; one found beside the code may not.
    """
    assert settings.folder is not None
    target = Path(os.path.realpath(settings.folder / path))
    if not trusted and not target.is_relative_to(os.path.realpath(settings.folder)):
        file = sanitise(str(settings.file))
        raise CallerError(f"{file}: {sanitise(path)} leads out of the folder of the configuration")
    return target


def rule_folders(settings: Config, *, trusted: bool, missing: bool = False) -> list[Path]:
    """The folders of further rules that a configuration names; ``missing``: they may be.

    Raises CallerError.
    """
    folders = [beside(settings, folder, trusted=trusted) for folder in settings.rules]
    for folder in folders:
        if not missing and not folder.is_dir():
            file = sanitise(str(settings.file))
            raise CallerError(f"{file}: rules: {sanitise(str(folder))} is no directory")
    return folders


def entry_points(settings: Config, named: Iterable[str], *, isolated: bool) -> EntryPoints:
    """The detectors of the distributions that the caller names. Raises CallerError."""
    given = [*settings.detectors, *words(named)]
    if not given:
        return {}
    if isolated:
        raise CallerError("--isolated loads no detectors: leave --detectors out")
    from blastdoor.cli import detectors  # the library behind it takes its time

    return detectors.available(given)


def rules_here(config_file: str | None, detectors: Iterable[str], *, isolated: bool) -> RuleSet:
    """The rules that hold in the working directory. Raises CallerError."""
    settings = configuration(Path.cwd(), config_file, isolated=isolated)
    known = entry_points(settings, detectors, isolated=isolated)
    return rule_set(settings, known, trusted=config_file is not None)


def rule_set(settings: Config, installed: Iterable[str] = (), *, trusted: bool) -> RuleSet:
    """The shipped rules and those of the configuration's folders. Raises CallerError.

    ``installed`` are the detectors, besides the shipped ones, that pages may name.
    """
    folders = rule_folders(settings, trusted=trusted)
    try:
        rules = catalog.load(tables.home(), *folders, detectors={*KNOWN, *installed})
        settings.check_rules(
            [*(name for rule in rules for name in (rule.id, rule.code)), *catalog.FAMILIES]
        )
    except (catalog.PageError, config.ConfigError) as error:
        raise CallerError(sanitise(str(error))) from error
    return rules


def words(given: Iterable[str]) -> list[str]:
    """The words of options that may be repeated and hold several, with commas between."""
    return [word for text in given for part in text.split(",") if (word := part.strip())]


def find(name: str, rules: RuleSet) -> Rule:
    """The rule of a slug or code. Raises CallerError with what may have been meant."""
    rule = rules.get(name)
    if rule is None:
        raise _unknown(name, rules, families=False)
    return rule


def resolve(given: Iterable[str], rules: RuleSet, *, pedantic: bool) -> frozenset[str]:
    """The slugs of the rules that slugs, codes and families name. Raises CallerError.

    A family means those of its rules that run without being named: `usual` says which of them speak
    under their conditions only.
    """
    result: set[str] = set()
    for name in given:
        rule = rules.get(name)
        if rule is not None:
            result.add(rule.id)
        elif name.lower() in catalog.FAMILIES:
            members = [rule for rule in rules if rule.family == name.lower()]
            usual = ("on", "pedantic") if pedantic else ("on",)
            result.update(rule.id for rule in members if rule.default in usual or rule.on_when)
        else:
            raise _unknown(name, rules, families=True)
    return frozenset(result)


def usual(given: Iterable[str], rules: RuleSet) -> frozenset[str]:
    """The slugs of the opt-in rules that families brought in and nothing names."""
    named = {rule.id for name in given if (rule := rules.get(name)) is not None}
    families = {name.lower() for name in given if rules.get(name) is None}
    return frozenset(
        rule.id
        for rule in rules
        if rule.family in families and rule.default == "opt-in" and rule.id not in named
    )


def every(given: Iterable[str], rules: RuleSet) -> frozenset[str]:
    """Like `resolve`, a family meaning all of its rules."""
    result: set[str] = set()
    for name in given:
        rule = rules.get(name)
        if rule is not None:
            result.add(rule.id)
        elif name.lower() in catalog.FAMILIES:
            result.update(rule.id for rule in rules if rule.family == name.lower())
        else:
            raise _unknown(name, rules, families=True)
    return frozenset(result)


def family(name: str) -> str:
    """A family of rules. Raises CallerError."""
    if name.lower() not in catalog.FAMILIES:
        known = ", ".join(catalog.FAMILIES)
        raise CallerError(f"no family is called {sanitise(name)}; there are {known}")
    return name.lower()


def _unknown(name: str, rules: RuleSet, *, families: bool) -> CallerError:
    import difflib

    known = {text: text for rule in rules for text in (rule.id, rule.code)}
    if families:
        known.update((text, text) for text in catalog.FAMILIES)
    lowered = {text.lower(): text for text in known}
    typed = name.lower()
    close = [text for text in lowered if text.startswith(typed)] if len(typed) >= MIN_PART else []
    close += difflib.get_close_matches(typed, lowered, SUGGESTIONS, 0.6)
    if not close and len(typed) >= MIN_PART:
        close = [text for text in lowered if typed in text]
    close = [*dict.fromkeys(close)][:SUGGESTIONS]
    hint = (
        f"; did you mean {' or '.join(lowered[text] for text in close)}?"
        if close
        else "; `blastdoor rules` lists them"
    )
    return CallerError(f"no rule is called {sanitise(name)}{hint}")
