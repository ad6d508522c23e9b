"""One run of ``reach``: the map of what a repository touches."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from blastdoor import __version__
from blastdoor.cli import check as checking
from blastdoor.cli import names
from blastdoor.cli.places import locate
from blastdoor.cli.streams import drop_stdout, progress_for
from blastdoor.delta.atlas import Atlas
from blastdoor.source import Tree

if TYPE_CHECKING:
    from typing import TextIO

    from blastdoor.delta.atlas import UnitMap
    from blastdoor.finding import Failure
    from blastdoor.report.text import Choice

FORMATS: Final = ("text", "json")
_COLUMNS: Final = 120
"""Columns of what is written to no terminal."""


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    paths: tuple[str, ...] = ()
    form: str | None = None
    outputs: tuple[str, ...] = ()
    allow_failures: bool = False
    config_file: str | None = None
    isolated: bool = False
    colour: Choice = "auto"
    quiet: bool = False
    no_progress: bool = False


def reach(request: Request) -> int:
    """The exit code. Effect: analyses, writes the map. Raises CallerError."""
    from blastdoor import engine

    outputs = checking.outputs_of(request.outputs, request.form, FORMATS)
    shown = next((form for form, file in outputs if file == checking.STDOUT), request.form)
    place = locate(request.paths or (os.curdir,), request.config_file, isolated=request.isolated)
    config = names.configuration(place.root, request.config_file, isolated=request.isolated)
    tree = Tree(
        place.root,
        exclude=config.exclude,
        include=config.include,
        named=place.files,
        max_size=config.max_file_size,
    )
    files = [
        names.beside(config, f, trusted=request.config_file is not None) for f in config.var_files
    ]
    options = engine.Options(
        var_files=tuple(place.relative(file) for file in files),
        environments=config.environments,
    )
    atlas = Atlas()
    quiet = request.quiet or request.no_progress
    progress = None if quiet else progress_for(sys.stderr, os.environ)
    try:
        report = engine.check(
            tree,
            (),
            options,
            selection=None if place.whole else place.selects,
            observe=atlas.observe,
            progress=progress,
        )
    finally:
        if progress is not None:
            progress.clear()
    units = atlas.units()
    for form, file in outputs:
        if file != checking.STDOUT:
            checking.to_file(file, partial(_write, request, form, units, report.failures))
    try:
        _write(request, shown or "text", units, report.failures, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    if not request.allow_failures and any(failure.fatal for failure in report.failures):
        return checking.FAILED
    return checking.CLEAN if units else checking.NOTHING


def _write(
    request: Request, form: str, units: list[UnitMap], failures: list[Failure], stream: TextIO
) -> None:
    from blastdoor.report import atlas

    if form == "json":
        atlas.write_atlas_json(stream, units, failures, version=__version__)
        return
    from blastdoor.report.text import style_for

    columns = shutil.get_terminal_size((_COLUMNS, 24)).columns if stream.isatty() else _COLUMNS
    atlas.write_atlas_text(
        stream,
        units,
        failures,
        style=style_for(stream, request.colour, os.environ),
        columns=columns,
        summary=not request.quiet,
    )
