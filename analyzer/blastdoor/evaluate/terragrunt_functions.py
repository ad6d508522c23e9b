"""Terragrunt's own functions on values of which more or less is known.

Source: Terragrunt documentation, "HCL Reference", "Functions". What the environment decides is unknown,
with or without a default: ``get_env``, ``run_cmd``, the identity of the caller. ``sops_decrypt_file``
never reads the file.

Paths are those of the analysed root. Where Terragrunt gives an absolute path, `ROOT` stands for the part
that is not known here; it contains a mark that no name contains.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from blastdoor.evaluate.expression import Frame, evaluate
from blastdoor.evaluate.functions.base import Call, Stop, distribute
from blastdoor.span import Span
from blastdoor.value import (
    Encoded,
    Known,
    Many,
    Mapping,
    Meaning,
    OneOf,
    Reason,
    Unknown,
    Value,
    known_text,
    within_budget,
)

if TYPE_CHECKING:
    from blastdoor.evaluate.terragrunt_config import Config

ROOT: Final = "/\ufffc"
"""Stands for the absolute path of the analysed root, which is not known."""
_WITH_VARIABLES: Final = ("apply", "console", "destroy", "import", "plan", "push", "refresh")
_PATH_FUNCTIONS: Final = frozenset(
    {"abspath", "basename", "dirname", "endswith", "file", "filebase64", "fileexists", "format",
     "join", "replace", "strcontains", "templatefile", "tostring", "trimprefix", "trimspace",
     "trimsuffix"}
)  # fmt: skip
"""Functions whose result is the same whatever stands for `ROOT`, or still begins with it."""
_SEARCHES: Final = frozenset({"regex", "regexall", "split"})

_Own = Callable[["Config", Call, Sequence[Value]], Value]
Function = Callable[["Config", str, Sequence[Value], Span], Value]


def guarded(name: str, arguments: Sequence[Value], span: Span) -> Value | None:
    """What a function of Terraform's gives that would look into the path of the analysed root."""
    if name in _PATH_FUNCTIONS or not any(_absolute(argument) for argument in arguments):
        return None
    if name in _SEARCHES:
        pattern = known_text(arguments[0])
        if name != "split" and pattern is not None and not pattern.startswith(("^", "/", "(^")):
            return None
        if name == "split" and pattern == "/":
            # How many parts come first is not known, so that no position is.
            text = known_text(arguments[1]) or ""
            parts = text[len(ROOT) :].split("/")
            return Many(tuple([Known(part, span) for part in parts if part]), span, complete=False)
    if name in ("merge", "concat", "coalesce", "try", "can", "lookup", "contains", "tolist"):
        return None
    return Unknown(Reason.ENVIRONMENT, f"{name}() of an absolute path", span)


def _absolute(value: Value) -> bool:
    text = known_text(value)
    return text is not None and text.startswith(ROOT)


def locate(path: str, directory: str) -> str | None:
    """A path of Terragrunt's as one of the analysed root; ``None`` when it leads out of it."""
    if "\0" in path:
        return None
    if path.startswith(ROOT):
        rest = path[len(ROOT) :]
        if rest and not rest.startswith("/"):
            return None
        target = posixpath.normpath(rest.lstrip("/") or ".")
    elif path.startswith(("/", "~")) or ROOT in path:
        return None
    else:
        target = posixpath.normpath(posixpath.join(directory, path))
    return None if target == ".." or target.startswith("../") else target


def deep(parent: Value, child: Value) -> Value:
    """A deep merge: maps are merged key by key, lists put together, else the child's word counts."""
    if isinstance(parent, Mapping) and isinstance(child, Mapping):
        entries = dict(parent.entries)
        for name, value in child.entries.items():
            entries[name] = deep(entries[name], value) if name in entries else value
        complete = parent.complete and child.complete
        spans = {**parent.key_spans, **child.key_spans}
        return within_budget(
            Mapping(entries, child.span or parent.span, complete=complete, key_spans=spans)
        )
    if isinstance(parent, Many) and isinstance(child, Many):
        complete = parent.complete and child.complete
        items = parent.items + child.items
        return within_budget(Many(items, child.span or parent.span, complete=complete))
    if isinstance(child, Mapping) and isinstance(parent, Unknown):
        spans = child.key_spans
        return Mapping(dict(child.entries), child.span, child.via, complete=False, key_spans=spans)
    return child


def _wrapped(function: _Own) -> Function:
    def call(config: Config, name: str, arguments: Sequence[Value], span: Span) -> Value:
        this = Call(name, span, config.files)

        def apply(values: Sequence[Value]) -> Value:
            try:
                return function(config, this, values)
            except Stop as stop:
                return stop.value

        if any(isinstance(argument, OneOf) for argument in arguments):
            try:
                return distribute(this, arguments, apply)
            except Stop as stop:
                return stop.value
        return apply(arguments)

    return call


def _absent(config: Config, call: Call, what: str) -> Unknown:
    """What a call gives that needs a file which is not here; an error where one is caught."""
    reason = Reason.INVALID if config.budget.speculative else Reason.OUTSIDE_FILE
    return Unknown(reason, f"{call.name}: {what}", call.span)


def absolute(path: str) -> str:
    """A path of the analysed root as Terragrunt says it."""
    return ROOT if path in ("", ".") else f"{ROOT}/{path}"


def _directory(config: Config) -> str:
    return posixpath.dirname(config.context) or "."


def _find_in_parent_folders(config: Config, call: Call, arguments: Sequence[Value]) -> Value:
    name = call.text(arguments[0]) if arguments else ""
    here = _directory(config)
    while here != ".":
        here = posixpath.dirname(here) or "."
        for candidate in (name,) if name else ("terragrunt.hcl", "terragrunt.hcl.json"):
            path = posixpath.normpath(posixpath.join(here, candidate))
            if not path.startswith("..") and config.reader.repository.holds(path):
                return call.known(absolute(path))
    if len(arguments) > 1:
        return arguments[1]
    return _absent(config, call, f"no {name or 'terragrunt.hcl'} in the folders above")


def _selected(config: Config, call: Call, arguments: Sequence[Value]) -> str | None:
    """The directory of the include that a path function speaks of; ``None`` without any."""
    if config.child is not None:
        return posixpath.dirname(config.path) or "."
    includes = list(config.known_includes().items())
    if not includes:
        return None
    if len(includes) > 1:
        if not arguments:
            raise call.invalid("several includes and no name")
        includes = [pair for pair in includes if pair[0] == call.text(arguments[0])]
        if not includes:
            raise call.invalid("no such include")
    path = includes[0][1]
    if path is None:
        raise Stop(Unknown(Reason.OUTSIDE_FILE, call.name, call.span))
    return posixpath.dirname(path) or "."


def _path_relative_to_include(config: Config, call: Call, arguments: Sequence[Value]) -> Value:
    included = _selected(config, call, arguments)
    return call.known("." if included is None else posixpath.relpath(_directory(config), included))


def _path_relative_from_include(config: Config, call: Call, arguments: Sequence[Value]) -> Value:
    included = _selected(config, call, arguments)
    return call.known("." if included is None else posixpath.relpath(included, _directory(config)))


def _get_parent_terragrunt_dir(config: Config, call: Call, arguments: Sequence[Value]) -> Value:
    included = _selected(config, call, arguments)
    return call.known(absolute(_directory(config) if included is None else included))


def _get_terragrunt_dir(config: Config, call: Call, _: Sequence[Value]) -> Value:
    return call.known(absolute(_directory(config)))


def _get_original_terragrunt_dir(config: Config, call: Call, _: Sequence[Value]) -> Value:
    return call.known(absolute(posixpath.dirname(config.original)))


def _get_repo_root(_: Config, call: Call, __: Sequence[Value]) -> Value:
    return call.known(ROOT)


def _get_path_from_repo_root(config: Config, call: Call, _: Sequence[Value]) -> Value:
    return call.known(_directory(config))


def _get_path_to_repo_root(config: Config, call: Call, _: Sequence[Value]) -> Value:
    return call.known(posixpath.relpath(".", _directory(config)))


def _read_terragrunt_config(config: Config, call: Call, arguments: Sequence[Value]) -> Value:
    text = call.text(arguments[0])
    path = locate(text, _directory(config))
    repository = config.reader.repository
    if path is None:
        if not config.budget.speculative:
            config.reader.fail(call.span, f"{call.name} leads out of the analysed root")
        return _absent(config, call, "leads out of the analysed root")
    if not repository.holds_file(path):
        path = posixpath.normpath(posixpath.join(path, "terragrunt.hcl"))
        if not repository.holds_file(path):
            return arguments[1] if len(arguments) > 1 else _absent(config, call, text)
    name = posixpath.basename(path)
    if name == "terragrunt.stack.hcl" or path.endswith(".json"):
        return Unknown(Reason.UNSUPPORTED, f"{call.name}({path})", call.span)
    if name == "terragrunt.values.hcl":
        parsed = repository.config_file(path)
        value = None if parsed is None else config.values_of(parsed)
    else:
        value = config.reader.value(path, config, call.span)
    return _absent(config, call, path) if value is None else value


def _read_tfvars_file(config: Config, call: Call, arguments: Sequence[Value]) -> Value:
    text = call.text(arguments[0])
    path = locate(text, _directory(config))
    found = None if path is None else config.reader.repository.variables_file(path)
    if path is None or found is None:
        return _absent(config, call, text)
    config.reader.inputs.add(path)
    document = found.body.document
    entries = {
        name: evaluate(attribute.expression, Frame(config, document, {}))
        for name, attribute in found.body.attributes.items()
    }
    return Encoded(within_budget(Mapping(entries, call.span)), call.span)


def _mark_as_read(_: Config, call: Call, arguments: Sequence[Value]) -> Value:
    return call.known(call.text(arguments[0])) if arguments else call.known("")


def _commands_that_need_vars(_: Config, call: Call, __: Sequence[Value]) -> Value:
    return Many(tuple([call.known(name) for name in _WITH_VARIABLES]), call.span)


def _commands(_: Config, call: Call, __: Sequence[Value]) -> Value:
    return Unknown(Reason.FUNCTION, call.name, call.span)


def _deep_merge(_: Config, call: Call, arguments: Sequence[Value]) -> Value:
    result: Value = Mapping({}, call.span)
    for argument in arguments:
        if isinstance(argument, Known) and argument.data is None:
            continue
        if not isinstance(argument, Mapping):
            raise call.missing(argument)
        result = deep(result, argument)
    return result


def _environment(_: Config, call: Call, arguments: Sequence[Value]) -> Value:
    shown = known_text(arguments[0]) if arguments and call.name == "get_env" else None
    return Unknown(Reason.ENVIRONMENT, f"{call.name}({shown or ''})", call.span)


def _current_account(_: Config, call: Call, __: Sequence[Value]) -> Value:
    meaning = Meaning.CURRENT_ACCOUNT
    return Unknown(Reason.ENVIRONMENT, f"{call.name}()", call.span, meaning=meaning)


FUNCTIONS: Final[dict[str, Function]] = {
    name: _wrapped(function)
    for name, function in {
        "constraint_check": _commands,
        "deep_merge": _deep_merge,
        "find_in_parent_folders": _find_in_parent_folders,
        "get_aws_account_alias": _environment,
        "get_aws_account_id": _current_account,
        "get_aws_caller_identity_arn": _environment,
        "get_aws_caller_identity_user_id": _environment,
        "get_default_retryable_errors": _commands,
        "get_env": _environment,
        "get_original_terragrunt_dir": _get_original_terragrunt_dir,
        "get_parent_terragrunt_dir": _get_parent_terragrunt_dir,
        "get_path_from_repo_root": _get_path_from_repo_root,
        "get_path_to_repo_root": _get_path_to_repo_root,
        "get_platform": _environment,
        "get_repo_root": _get_repo_root,
        "get_terraform_cli_args": _environment,
        "get_terraform_command": _environment,
        "get_terraform_commands_that_need_input": _commands,
        "get_terraform_commands_that_need_locking": _commands,
        "get_terraform_commands_that_need_parallelism": _commands,
        "get_terraform_commands_that_need_vars": _commands_that_need_vars,
        "get_terragrunt_dir": _get_terragrunt_dir,
        "get_terragrunt_source_cli_flag": _environment,
        "get_working_dir": _environment,
        "mark_as_read": _mark_as_read,
        "mark_glob_as_read": _commands,
        "path_relative_from_include": _path_relative_from_include,
        "path_relative_to_include": _path_relative_to_include,
        "read_terragrunt_config": _read_terragrunt_config,
        "read_tfvars_file": _read_tfvars_file,
        "run_cmd": _environment,
        "sops_decrypt_file": _environment,
    }.items()
}
