"""Python followed without running it: names, flow, functions, imports, and what stays unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blastdoor import catalog
from blastdoor.engine import Options, check, survey
from blastdoor.evaluate import python
from blastdoor.fact import TOLD_ELSEWHERE
from blastdoor.finding import FailureKind
from blastdoor.source import Memory
from blastdoor.units import Repository
from blastdoor.value import (
    Known,
    Many,
    Mapping,
    OneOf,
    Text,
    Unknown,
    Value,
    alternatives,
    known_text,
)

if TYPE_CHECKING:
    from blastdoor.fact import Evaluated

MARK = "import boto3\n"
_RULES = tuple(catalog.load())


def units(files: dict[str, str]) -> dict[str, Evaluated]:
    source = Memory(files)
    repository = Repository(source, list(source.files()))
    survey(repository)
    return {subject.path: subject.evaluate() for subject in repository.subjects}


def unit(text: str, **others: str) -> Evaluated:
    files = {"m.py": MARK + text}
    files.update({f"{name}.py": other for name, other in others.items()})
    return units(files)["m.py"]


def plain(value: Value) -> object:
    """A value as Python data; ``?`` for what is not known, a set of alternatives as a tuple."""
    if isinstance(value, Known):
        return value.data
    if isinstance(value, Many):
        return [plain(item) for item in value.items] + ([] if value.complete else ["…"])
    if isinstance(value, Mapping):
        entries: dict[str, object] = {key: plain(inner) for key, inner in value.entries.items()}
        return entries if value.complete else {**entries, "…": "…"}
    if isinstance(value, OneOf):
        return tuple(sorted({str(plain(a.value)) for a in value.alternatives}))
    if isinstance(value, Text):
        return "".join(
            str(plain(part)) if isinstance(part, Value) else part.text for part in value.parts
        )
    return "?"


def result(text: str, **others: str) -> object:
    """What the name ``x`` of a module stands for at its last assignment."""
    found = [s for s in unit(text, **others).settings if s.name == "x"]
    return plain(found[-1].value) if found else "?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 'a' + 'b'", "ab"),
        ("y = 'eu'\nx = f'{y}-west-1'", "eu-west-1"),
        ("x = 'eu-%s-1' % 'west'", "eu-west-1"),
        ("x = '{}-{}'.format('a', 'b')", "a-b"),
        ("x = '-'.join(['a', 'b'])", "a-b"),
        ("x = 'A,B'.lower().split(',')", ["a", "b"]),
        ("x = ['a', *('b', 'c')]", ["a", "b", "c"]),
        ("x = {'a': 1, **{'b': 2}, 'a': 3}", {"a": 3, "b": 2}),
        ("x = {'a': 1} | {'a': 2}", {"a": 2}),
        ("x = dict({'a': 1}, b=2)", {"a": 1, "b": 2}),
        ("x = {'a': [1, {'b': 2}]}['a'][1]['b']", 2),
        ("x = {'a': 1}.get('b', 2)", 2),
        ("x = [1, 2, 3][-1]", 3),
        ("x = [r for r in ['a', 'b']]", ["a", "b"]),
        ("x = {r: 1 for r in ('a', 'b')}", {"a": 1, "b": 1}),
        ("x = [r for r in ['a', 'b'] if len(r) > y]", ["a", "b", "…"]),
        ("x = 'a' if True else 'b'", "a"),
        ("x = 'a' if unknown else 'b'", ("a", "b")),
        ("x = None or 'b'", "b"),
        ("x = not 0", True),
        ("x = -1", -1),
        ("a, (b, x) = 1, (2, 3)", 3),
        ("a = x = 4", 4),
        ("x: str = 'a'", "a"),
        ("x = 1\nx += 2", 3),
        ("if (x := 'a'): pass", "a"),
        ("x = 'a' 'b'", "ab"),
        ("x = unknown()", "?"),
        ("x = 1 << 2", "?"),
        ("x = f'{y!r}'", "?"),
    ],
)
def test_expressions(text: str, expected: object) -> None:
    assert result(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if unknown:\n    y = 'a'\nelse:\n    y = 'b'\nx = y", ("a", "b")),
        ("y = 'a'\nif unknown:\n    y = 'b'\nx = y", ("a", "b")),
        ("if True:\n    y = 'a'\nelse:\n    y = 'b'\nx = y", "a"),
        ("try:\n    y = 'a'\nexcept OSError:\n    y = 'b'\nx = y", ("a", "b")),
        ("with open('f') as f:\n    y = 'a'\nx = y", "a"),
        ("y = []\ny.append('a')\ny.extend(['b'])\nx = y", ["a", "b"]),
        ("y = {}\ny['a'] = 1\ny.update({'b': 2})\nx = y", {"a": 1, "b": 2}),
        ("y = {}\ny[unknown] = 1\nx = y", {"…": "…"}),
        ("y = []\nfor n in ['a', 'b']:\n    y.append(n)\nx = y", [("a", "b"), "…"]),
        (
            "match unknown:\n    case 1:\n        y = 'a'\n    case _:\n        y = 'b'\nx = y",
            ("a", "b"),
        ),
        ("y = 'a'\ndel y\nx = y", "?"),
        ("while unknown:\n    y = 'a'\nx = y", "a"),
    ],
)
def test_flow(text: str, expected: object) -> None:
    assert result(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(a, b='c'):\n    return a + b\nx = f('d')", "dc"),
        ("def f(*, a):\n    return a\nx = f(a='d')", "d"),
        ("def f(**k):\n    return k\nx = f(a=1)", {"a": 1}),
        ("def f(a):\n    if a == 1:\n        return 'one'\n    return 'other'\nx = f(1)", "one"),
        (
            "def f(a):\n    if a:\n        return 'one'\n    return 'other'\nx = f(y)",
            ("one", "other"),
        ),
        ("f = lambda a: a + 'b'\nx = f('a')", "ab"),
        ("def f():\n    def g():\n        return y\n    y = 'in'\n    return g()\nx = f()", "in"),
        ("def f(n):\n    return f(n)\nx = f(1)", "?"),
        ("y = 'a'\ndef f():\n    global y\n    return y\nx = f()", "a"),
        ("class C:\n    R = 'a'\n    def get(self):\n        return self.R\nx = C().get()", "a"),
        ("class C:\n    def __init__(self, r):\n        self.r = r\nx = C('a').r", "a"),
        ("class B:\n    R = 'b'\nclass C(B):\n    pass\nx = C.R", "b"),
        ("class C:\n    @staticmethod\n    def get(a):\n        return a\nx = C.get('s')", "s"),
        ("async def f():\n    return 'a'\nx = 1\n", 1),
    ],
)
def test_functions_and_classes(text: str, expected: object) -> None:
    assert result(text) == expected


def test_values_of_other_modules() -> None:
    settings_ = "REGION = 'cn-north-1'\nMAP = {'a': REGION}\ndef f(a):\n    return a + REGION\n"
    assert result("from other import REGION\nx = REGION", other=settings_) == "cn-north-1"
    assert result("import other\nx = other.MAP['a']", other=settings_) == "cn-north-1"
    assert result("from other import *\nx = MAP['a']", other=settings_) == "cn-north-1"
    assert result("from . import other\nx = other.f('in ')", other=settings_) == "in cn-north-1"
    assert result("from other import REGION as r\nx = r", other=settings_) == "cn-north-1"
    assert result("from missing import REGION\nx = REGION") == "?"
    circle = "from m import x\nREGION = 'a'\n"
    assert result("from other import REGION\nx = REGION", other=circle) == "a"


def test_what_one_module_does_to_another_stays_there() -> None:
    shared = "D = {'a': 1}\ndef put(k):\n    D[k] = 2\n"
    files = {
        "one.py": MARK + "import shared\nshared.put('b')\nx = shared.D\n",
        "shared.py": shared,
        "two.py": MARK + "import shared\nx = shared.D\n",
    }
    found = units(files)
    assert [plain(s.value) for s in found["two.py"].settings] == [{"a": 1}]


def test_a_place_in_an_imported_function_is_in_its_file() -> None:
    helper = (
        "import boto3\ndef stop(region):\n"
        "    boto3.client('ec2', region_name=region).stop_instances(InstanceIds=[])\n"
    )
    main = "from helper import stop\nfor r in ['eu-west-1', 'us-east-1']:\n    stop(r)\n"
    report = check(
        Memory({"main.py": MARK + main, "helper.py": helper}),
        _RULES,
        Options(select=frozenset({"region-loop-mutates"})),
    )
    (finding,) = report.findings
    assert (finding.span.path, finding.span.text) == ("helper.py", "stop_instances")


def test_loops_and_clients() -> None:
    found = unit(
        "session = boto3.Session(region_name='eu-west-1')\n"
        "table = session.resource('dynamodb').Table('orders')\n"
        "table.put_item(Item={})\n"
        "pages = session.client('s3').get_paginator('list_objects_v2').paginate(Bucket='b')\n"
    )
    assert [(c.service, plain(c.region), c.given) for c in found.clients] == [
        ("dynamodb", "eu-west-1", True),
        ("s3", "eu-west-1", True),
    ]
    assert [(c.name, c.effect) for c in found.calls if c.effect] == [
        ("dynamodb.put_item", "write"),
        ("s3.list_objects_v2", "read"),
    ]


def test_a_name_that_is_rebound_is_the_later_one() -> None:
    found = unit(
        "client = boto3.client('ec2')\nclient = boto3.client('ec2', region_name='cn-north-1')\n"
        "client.stop_instances(InstanceIds=['i-1'])\n"
    )
    (call,) = found.calls
    assert plain(call.client.region) == "cn-north-1"


def test_work_is_limited_and_said() -> None:
    calls = "".join(f"def f{n}(a):\n    f{n + 1}(a)\n    f{n + 1}(a + 'x')\n" for n in range(60))
    found = unit(calls + "def f60(a):\n    return a\nf0('a')\n")
    assert found.failures == []
    many = "x = [" + ", ".join("f(y)" for _n in range(29_000)) + "]\n"
    limited = unit(many)
    assert [failure.kind for failure in limited.failures] == [FailureKind.LIMIT]


def test_what_cannot_be_read_is_a_failure_and_the_rest_goes_on() -> None:
    report = check(
        Memory(
            {
                "old.py": "import boto3\nprint 'x'\n",
                "new.py": "import boto3\nboto3.setup_default_session(region_name='cn-north-1')\n",
            }
        ),
        _RULES,
        Options(),
    )
    assert [(f.kind, f.path) for f in report.failures] == [(FailureKind.SYNTAX, "old.py")]
    assert [f.rule for f in report.findings] == ["process-wide-cloud-context"]


def test_unknown_arguments_say_so() -> None:
    (client,) = unit("def f(**k):\n    return boto3.client('ec2', **k)\n").clients
    assert client.given
    assert isinstance(client.region, Unknown)


_STATEMENTS = st.sampled_from(
    [
        "x = [1]", "x += y", "x = {**x}", "del x", "x['a'] = x", "x = x.y.z", "return_ = x()",
        "x = [y for y in x]", "x = lambda: x", "x, *y = z", "x = x if x else x", "x = f'{x}'",
        "x.append(x)", "x.update(x)", "for x in x: pass", "while x: x = x", "global x",
        "class x(x): x = x", "def x(x=x, *a, **k): return x", "x(x, *x, **x)", "x = x | x",
        "with x as x: pass", "try: x\nexcept x: x = 1\nfinally: x = 2", "import x.y as x",
        "from .x import *", "x = x[x:x]", "x = (x := x)", "x = -x", "x: x = x", "assert x", "raise x",
        "x = boto3.client(x, x)", "x = os.getenv(x, x)", "dict.fromkeys(x, x)", "x = x % x",
        "match x:\n  case {'a': x}: pass\n  case _: x = 1", "x = await_", "x = b'1'", "x = ...",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(_STATEMENTS, max_size=12))
def test_any_program_is_followed(lines: list[str]) -> None:
    text = "import boto3, os\n" + "\n".join(lines) + "\n"
    report = check(Memory({"m.py": text}), _RULES, Options())
    assert [f for f in report.failures if f.kind is FailureKind.INTERNAL] == []


def test_pulumi_azure_with_its_classic_names() -> None:
    found = unit(
        "import pulumi\n"
        "import pulumi_azure as azure\n"
        "azure.keyvault.KeyVault('secrets', purge_protection_enabled=False,\n"
        "    opts=pulumi.ResourceOptions(ignore_changes=['*'], protect=True))\n"
        "azure.authorization.Assignment('owner', role_definition_name='Owner')\n"
    )
    assert [r.type for r in found.resources] == ["azurerm_key_vault", "azurerm_role_assignment"]
    lifecycle = found.resources[0].get("lifecycle")
    assert isinstance(lifecycle, Mapping)
    assert sorted(lifecycle.entries) == ["ignore_changes", "prevent_destroy"]


PULUMI = "import pulumi_aws as aws\naws.s3.Bucket('logs')\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"Pulumi.dev.yaml": "config:\n  aws:region: eu-west-1\n"}, ["eu-west-1"]),
        (
            {
                "Pulumi.dev.yaml": "config: {'aws:region': eu-west-1}\n",
                "Pulumi.prod.yml": "config:\n  aws:region: cn-north-1\n  app:size: 3\n",
            },
            ["eu-west-1", "cn-north-1"],
        ),
        (
            {
                "Pulumi.dev.yaml": "config:\n  aws:region: eu-west-1\n",
                "Pulumi.prod.yaml": "config:\n  app:size: 3\n",
            },
            None,
        ),
        ({"Pulumi.dev.yaml": "config: [\n"}, None),
        ({}, None),
    ],
)
def test_stacks_of_pulumi_say_the_region_of_the_default_provider(
    files: dict[str, str], expected: list[str] | None
) -> None:
    source = Memory(
        {
            "app/__main__.py": PULUMI,
            "app/Pulumi.yaml": "name: app\n",
            **{f"app/{name}": text for name, text in files.items()},
        }
    )
    repository = Repository(source, list(source.files()))
    (subject,) = python.survey(repository)
    (bucket,) = subject.evaluate().resources
    if expected is None:
        assert isinstance(bucket.region, Unknown)
        return
    region = bucket.region
    assert region is not None
    assert [known_text(a.value) for a in alternatives(region)] == expected
    assert all(f"app/{name}" in subject.reads for name in files)


def test_modules_that_import_each_other_say_the_same_in_any_order() -> None:
    """What a name stands for depends on how far away it is imported, not on who asked before."""
    files = {
        "a.py": "import boto3\nfrom b import REGION\nNAME = 'orders'\n"
        "boto3.client('s3', region_name=REGION)\n",
        "b.py": "import boto3\nfrom a import NAME\nREGION = 'eu-west-1'\n"
        "boto3.client('sns').delete_topic(TopicArn=NAME)\n",
        "c.py": "import boto3\nfrom b import NAME, REGION\n"
        "boto3.client('sns', region_name=REGION).delete_topic(TopicArn=NAME)\n",
    }

    def told(found: dict[str, Evaluated]) -> dict[str, list[str]]:
        return {
            path: [repr((client.region, client.span.text)) for client in one.clients]
            + [repr(call.arguments) for call in one.calls]
            for path, one in found.items()
        }

    forward = told(units(files))
    backward = told(units(dict(reversed(files.items()))))
    assert forward == backward
    assert "eu-west-1" in forward["c.py"][0]
    assert "orders" in forward["c.py"][1]


def test_an_import_that_nobody_uses_is_not_followed() -> None:
    """A module is looked at when one of its names is asked for."""
    text = (
        "import boto3\nimport heavy\nfrom heavy import NAME\n"
        "boto3.client('s3', region_name='eu-west-1')\n"
    )
    read: list[str] = []

    class Noting(Memory):
        def read(self, path: str) -> str | None:
            read.append(path)
            return super().read(path)

    files = Noting({"app.py": text, "heavy.py": "NAME = 'x'\n" * 3})
    repository = Repository(files, files.files())
    survey(repository)
    (found,) = [one.evaluate() for one in repository.subjects]
    assert len(found.clients) == 1
    assert "heavy.py" in found.inputs
    assert "heavy.py" not in read


def test_a_return_outside_of_a_function_ends_what_is_read() -> None:
    found = unit("a = 1\nreturn\nb = 2\n")

    assert [setting.name for setting in found.settings] == ["a"]
    assert found.failures == []


CALLS = """
import boto3
for region in ["us-east-1", "ap-south-1"]:
    boto3.client("ec2", region_name=region).run_instances(ImageId="ami-0123456789abcdef0")
boto3.client("ecs").update_service(deploymentConfiguration={"minimumHealthyPercent": 0})
boto3.client("sqs").set_queue_attributes(Attributes={"Policy": "{}", "DelaySeconds": "1"})
boto3.client("sns").set_topic_attributes(AttributeName="DisplayName", AttributeValue="x")
boto3.resource("s3").Object("b", "k").put(Body=b"")
boto3.client("ec2").modify_instance_attribute(DisableApiTermination={"Value": False})
boto3.client("rds").delete_db_instance(SkipFinalSnapshot=True)
boto3.client("ec2").disable_snapshot_block_public_access()
boto3.client("rds").describe_db_instances()
"""


def test_calls_set_properties_of_resources() -> None:
    found = unit(CALLS).resources

    assert [(r.type, known_text(r.region), r.names()) for r in found] == [
        ("AWS::EC2::Instance", "us-east-1", ("ImageId",)),
        ("AWS::EC2::Instance", "ap-south-1", ("ImageId",)),
        ("AWS::ECS::Service", None, ("DeploymentConfiguration",)),
        ("AWS::SQS::QueuePolicy", None, ("PolicyDocument",)),
        ("AWS::EC2::Instance", None, ("DisableApiTermination",)),
        ("rds.delete_db_instance", None, ("SkipFinalSnapshot",)),
        ("AWS::EC2::SnapshotBlockPublicAccess", None, ("State",)),
    ]
    service, group = found[2].get("DeploymentConfiguration"), found[4].get("DisableApiTermination")
    assert service is not None
    assert group is not None
    assert plain(service) == {"MinimumHealthyPercent": 0}
    assert plain(group) is False
    assert all(resource.request for resource in found)


PROVIDERS = """
import pulumi
import pulumi_aws as aws
west = aws.Provider("west", aws.ProviderArgs(region="us-west-2", profile="w"))
for region in ["eu-west-1", "eu-central-1"]:
    each = aws.Provider(f"in-{region}", region=region)
    aws.sqs.Queue("each", opts=pulumi.ResourceOptions(provider=each))
queue = aws.sqs.Queue("west", opts=pulumi.ResourceOptions(provider=west))
aws.sqs.Queue("child", opts=pulumi.ResourceOptions(parent=queue))
aws.sqs.Queue("open", opts=pulumi.ResourceOptions(provider=choose()))
aws.sqs.Queue("default")
"""


def test_providers_of_pulumi_and_what_is_under_them() -> None:
    found = unit(PROVIDERS)
    under = [
        (r.name, known_text(r.region), None if r.provider is None else r.provider.address)
        for r in found.resources
    ]

    assert under == [
        ("each", "eu-west-1", "provider.aws.each"),
        ("each", "eu-central-1", "provider.aws.each"),
        ("west", "us-west-2", "provider.aws.west"),
        ("child", "us-west-2", "provider.aws.west"),
        ("open", None, None),
        ("default", None, None),
    ]
    assert [provider.address for provider in found.providers] == [
        "provider.aws.west",
        "provider.aws.each",
        "provider.aws.each",
    ]
    (west, _one, _other) = found.providers
    assert known_text(west.get("profile")) == "w"
    assert west.get("allowed_account_ids") is None


STACKS = """
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3

class Logs(Stack):
    def __init__(self, scope, construct_id, **kwargs):
        super().__init__(scope, construct_id, **kwargs)
        s3.Bucket(self, "Logs", bucket_name=f"logs-{self.region}-{self.account}")
"""


def test_stacks_of_another_file_are_placed_where_they_are_made() -> None:
    app = """
from aws_cdk import App, Environment
from stacks import Logs

app = App()
Logs(app, "Ireland", env=Environment(region="eu-west-1", account="111122223333"))
Logs(app, "Anywhere")
"""
    found = units({"app.py": app, "stacks.py": STACKS})
    placed = [r for r in found["app.py"].resources if r.type == "AWS::S3::Bucket"]
    own = [r for r in found["stacks.py"].resources if r.type == "AWS::S3::Bucket"]

    assert [(r.address, known_text(r.region), r.span.path) for r in placed] == [
        ("Ireland/Logs", "eu-west-1", "stacks.py")
    ]
    assert known_text(placed[0].get("BucketName")) == "logs-eu-west-1-111122223333"
    assert TOLD_ELSEWHERE in placed[0].extra
    assert [known_text(r.get("BucketName")) for r in own] == [None]
    assert not own[0].extra
