"""Which files only their content tells apart, and what it tells.

YAML, JSON and Python hold anything. A file is in scope when a search of its bytes finds what no file
without infrastructure has; everything else is out of scope, which is no failure. The search comes
before decoding and parsing and must stay cheap: `bytes.find` for a few words, and more only where
these are there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from blastdoor.source.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable


_resources: Final = re.compile(rb"""Resources["']?[ \t]*:""").finditer
_types: Final = re.compile(rb"""Type["']?[ \t]*:[ \t]*["']?[A-Za-z0-9]++::[A-Za-z0-9]""").finditer
_IN_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
"""What stands before the end of a longer word."""
_BEFORE_KEY: Final = frozenset(b" \t\n\r\f\v{,\"'")


def _is_template(_path: str, data: bytes) -> bool:
    """Whether a file says that it is a template of CloudFormation, or has resources with types.

    Lists of types, as documentation and schemas have them, are none.
    """
    if b"AWSTemplateFormatVersion" in data or b"AWS::Serverless-2016-10-31" in data:
        return True
    if b"Resources" not in data or b"::" not in data:
        return False
    # Patterns that begin with plain text are found much faster than with what may stand before it.
    return any(
        not found.start() or data[found.start() - 1] in _BEFORE_KEY for found in _resources(data)
    ) and any(
        not found.start() or data[found.start() - 1] not in _IN_WORD for found in _types(data)
    )


_PLAIN: Final = (
    *(
        b"boto3",
        b"botocore",
        b"aws_cdk",
        b"pulumi",
        b"troposphere",
        b"awacs",
    ),
    *(b"all_regions", b"all_accounts", b"all_env", b"apply_to_all", b"everywhere"),
    *(b"GLOBAL_", b"COMMON_"),
)
_CLOSER: Final = (
    # A name, a key or an argument: not prose, and no ``# type: ignore[override]``.
    (
        (b"override", b"Override", b"OVERRIDE"),
        re.compile(
            rb"""(?:override|Override|OVERRIDE)\w*(?:["'\]]?[ \t]*[=(|)\[:{}]|\.\w|["'])"""
            rb"""|(?:\*\*|["'.|=][ \t]?)\w*(?:override|Override|OVERRIDE)"""
            rb"""|import[^\n]*(?:override|Override|OVERRIDE)"""
        ).search,
    ),
    ((b"AWS_",), re.compile(rb"AWS_(?:DEFAULT_)?(?:REGION|PROFILE)").search),
    (
        (b"terraform", b"tofu", b"terragrunt", b"cdk"),
        re.compile(rb"[\"' ](?:terraform|tofu|terragrunt|cdk)[\"' ]").search,
    ),
    (
        (b"-north", b"-south", b"-east", b"-west", b"-central"),
        re.compile(rb"-(?:north|south|east|west|central)(?:east|west)?-\d").search,
    ),
    (
        (b"rollout", b"Rollout", b"ROLLOUT", b"feature", b"Feature", b"FEATURE"),
        re.compile(rb"\b(?:rollout|Rollout|ROLLOUT)|\b(?i:feature_?flags)").search,
    ),
    (
        (b"regions", b"Regions", b"REGIONS"),
        re.compile(rb"\b(?:[Rr]egions|REGIONS)[\"']?\s*[:=]").search,
    ),
)
"""Texts, and what they are part of where they count."""


def _speaks(data: bytes) -> bool:
    """Whether a Python file holds a word without which it says nothing of a cloud or many places.

    Plain texts are looked for by themselves, which is ten times faster than one pattern of them all.
    """
    if any(text in data for text in _PLAIN):
        return True
    return any(
        any(text in data for text in texts) and search(data) is not None
        for texts, search in _CLOSER
    )


def _is_python(path: str, data: bytes) -> bool:
    """Whether a Python file may build, configure or call infrastructure."""
    name = path.rpartition("/")[2]
    if name in ("setup.py", "conftest.py") or name.startswith("test_") or name.endswith("_test.py"):
        return False
    return _speaks(data)


_SETTINGS: Final = re.compile(
    r"(?:^|[._-])(?:overrides?|feature[._-]?flags?|flags|rollouts?|regions|kill[._-]?switch(?:es)?)"
    r"(?=[._-])",
    re.IGNORECASE,
)
"""Names of files that hold overrides, flags or settings by region."""
_SCOPED: Final = re.compile(
    rb"[\"']\*[\"']|\b(?:all|any|every|everywhere|everyone|global|worldwide)\b|apply_to_all|applyToAll"
    rb"|\b(?:percent|percentage|rollout|weight|traffic|targets|users|segments)\b|all_(?:regions|acc|env)"
    rb"|-(?:north|south|east|west|central)(?:east|west)?-\d",
    re.IGNORECASE,
)
"""Words without which no setting means everyone, nor any place from which it may go to everyone."""
_FLAGS: Final = re.compile(rb"\"flags\"\s*:\s*\{").search
_VALUES: Final = re.compile(rb"\"values\"\s*:\s*\{").search
_PIPELINE: Final = re.compile(
    r"(?:^|/)(?:\.github/(?:workflows/[^/]+|actions/(?:[^/]+/)*action)|action|\.circleci/config"
    r"|[^/]*\.gitlab-ci|buildspec[^/]*|bitbucket-pipelines|azure-pipelines[^/]*|\.buildkite/[^/]+"
    r"|\.drone)\.ya?ml\Z"
)
"""Names of files in which pipelines are written."""
_PROGRAMS: Final = re.compile(
    rb"\b(?:terraform|tofu|terragrunt|cdk|cdktf|pulumi|sam|kubectl|gcloud|eksctl|az (?:group|aks|sql)"
    rb"|s3 r[bm]|eb terminate|(?:serverless|sls) remove|(?:terminate|rebuild)-environment"
    rb"|close-account|update-stack-set|delete-[a-z-]+)\b"
)
"""Programs without which a script changes nothing that we know of."""
_SHELL: Final = (".sh", ".bash", ".mk", "Makefile")


def _is_settings(path: str, data: bytes) -> bool:
    """Whether a data file says by its name, or by its form, that it holds settings for many places."""
    name = path.rpartition("/")[2]
    if name == "cdk.json":
        return b"requireApproval" in data
    if name.startswith("samconfig."):
        return b"confirm_changeset" in data
    if _SETTINGS.search(name) is not None:
        return _SCOPED.search(data) is not None
    return (
        name.endswith(".json")
        and b'"version"' in data
        and _FLAGS(data) is not None
        and _VALUES(data) is not None
    )


def _is_pipeline(path: str, data: bytes) -> bool:
    """Whether a file is a pipeline that runs a program which changes a cloud."""
    return is_pipeline_name(path) and _PROGRAMS.search(data) is not None


def is_pipeline_name(path: str) -> bool:
    """Whether pipelines are written in files of this name."""
    return _PIPELINE.search(path) is not None


def is_shell_name(path: str) -> bool:
    """Whether a file has the name of a script or a makefile."""
    return path.endswith(_SHELL)


def _is_shell(_path: str, data: bytes) -> bool:
    """Whether a script runs a program which changes a cloud."""
    return _PROGRAMS.search(data) is not None


_LOOKS: Final[tuple[tuple[tuple[str, ...], Callable[[str, bytes], bool], Kind], ...]] = (
    ((".yaml", ".yml", ".json", ".template", ".cfn"), _is_template, Kind.TEMPLATE),
    ((".py",), _is_python, Kind.PYTHON),
    ((".yaml", ".yml"), _is_pipeline, Kind.DOCUMENT),
    ((".yaml", ".yml", ".json", ".toml"), _is_settings, Kind.DOCUMENT),
    (_SHELL, _is_shell, Kind.DOCUMENT),
)
"""(endings of names, look at path and bytes, kind when the look finds what it looks for), in order."""
_ENDINGS: Final = tuple({ending for endings, _look, _kind in _LOOKS for ending in endings})


def told_by_content(path: str) -> bool:
    """Whether the content of a file with this name is worth a look."""
    return path.endswith(_ENDINGS)


def kind_of_content(path: str, data: bytes) -> Kind | None:
    """The kind of a file that its name does not tell; ``None`` for what is out of scope."""
    for endings, look, kind in _LOOKS:
        if path.endswith(endings) and look(path, data):
            return kind
    return None
