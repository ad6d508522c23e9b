"""Detectors of installed distributions: the only code of others that runs.

A page names one as ``DISTRIBUTION.NAME``; the distribution has the entry point ``NAME`` in the group
``blastdoor.detectors``, a function of `blastdoor.fact.Facts` that gives `blastdoor.detect.hit.Hit`.
It is found only when the caller names the distribution, and imported only when a rule that names it is
to run. Distributions are looked for where the interpreter installs them, never on the rest of the
search path, and a module that would come from anywhere else, such as the directory that is analysed,
is refused.
"""

from __future__ import annotations

import re
import site
import sysconfig
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Final

from blastdoor.cli.streams import CallerError
from blastdoor.report.escape import sanitise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from blastdoor.catalog import Rule
    from blastdoor.detect import Detector

GROUP: Final = "blastdoor.detectors"
"""The group of the entry points."""


def folders() -> list[str]:
    """The directories into which this interpreter installs distributions."""
    found = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        found.append(site.getusersitepackages())
    return [*dict.fromkeys(found)]


def available(named: Iterable[str]) -> Mapping[str, metadata.EntryPoint]:
    """The detectors of the distributions that the caller names, by the names that pages use.

    Imports none of them. Raises CallerError for a distribution that is not installed or has none.
    """
    result: dict[str, metadata.EntryPoint] = {}
    for name in named:
        found = {f"{_normal(name)}.{entry.name}": entry for entry in _entry_points(name)}
        if not found:
            message = f"the distribution {sanitise(name)} has no entry point in {GROUP}"
            raise CallerError(message)
        result.update(found)
    return result


def load(rules: Iterable[Rule], known: Mapping[str, metadata.EntryPoint]) -> Mapping[str, Detector]:
    """The detectors, of those known, that rules name. Effect: imports them. Raises CallerError."""
    wanted = {rule.detector for rule in rules if rule.detector is not None}
    return {name: _load(name, entry) for name, entry in known.items() if name in wanted}


def _entry_points(name: str) -> Iterator[metadata.EntryPoint]:
    try:
        found = next(
            one
            for one in metadata.distributions(path=folders())
            if _normal(one.metadata["Name"] or "") == _normal(name)
        )
    except StopIteration:
        raise CallerError(f"no distribution called {sanitise(name)} is installed") from None
    yield from (entry for entry in found.entry_points if entry.group == GROUP)


def _normal(name: str) -> str:
    """A distribution's name as the packaging specifications compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _load(name: str, entry: metadata.EntryPoint) -> Detector:
    top = entry.module.partition(".")[0]
    try:
        found = util.find_spec(top)
    except (ImportError, ValueError):
        found = None
    places = [] if found is None else [found.origin, *(found.submodule_search_locations or ())]
    installed = [Path(folder).resolve() for folder in folders()]
    for place in places:
        real = Path(place or "").resolve()
        if place and not any(real.is_relative_to(folder) for folder in installed):
            raise CallerError(
                f"{name}: the module {top} would come from {sanitise(str(real))}, which is no "
                "installed distribution; it is not imported"
            )
    try:
        detector = entry.load()
    except Exception as error:
        why = sanitise(f"{type(error).__name__}: {error}"[:300])
        raise CallerError(f"{name}: the detector cannot be imported: {why}") from error
    if not callable(detector):
        raise CallerError(f"{name}: {entry.value} is no function")
    result: Detector = detector
    return result
