"""Secrets are not quoted; what only names a secret is."""

from __future__ import annotations

import time

import pytest

from blastdoor.report.redact import is_secret_name, masked, masked_parts

KEY = "AKIA" + "IOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('password = "hunter2"', 'password = "***"'),
        ('  master_password   = "a b"', '  master_password   = "***"'),
        ('MasterUserPassword: "x y"', 'MasterUserPassword: "***"'),
        ("DBPassword: hunter2 # no", "DBPassword: *** # no"),
        ('"client_secret": "s3"', '"client_secret": "***"'),
        (r"\"api_token\": \"t0k\"", r"\"api_token\": \"***\""),
        ("connect(password='x', user='y')", "connect(password='***', user='y')"),
        ('token: str = "abc"', 'token: str = "***"'),
        ('private_key = "abc"', 'private_key = "***"'),
        ('{ name = "DB_PASSWORD", value = "x" }', '{ name = "DB_PASSWORD", value = "***" }'),
        (f'access_key = "{KEY}"', 'access_key = "***"'),
        (f"# was {KEY}.", "# was ***."),
        ("postgres://app:s3cret@db/x", "postgres://app:***@db/x"),
        ("-----BEGIN RSA PRIVATE KEY----- MIIE", "***"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "password = var.password",
        'password = "${var.password}"',
        "password = random_password.db.result",
        'secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"',
        "MasterUserPassword: '{{resolve:secretsmanager:x}}'",
        "MasterUserPassword: !Ref Password",
        "manage_master_user_password = true",
        "ManageMasterUserPassword: true",
        'minimum_password_length = "8"',
        'actions = ["secretsmanager:GetSecretValue", "sts:GetSessionToken"]',
        'password = ""',
        'source = "https://example.com/a:b"',
        'bucket_key_enabled = "x"',
    ],
)
def test_names_of_secrets_are_not_masked(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        (0, 8, ("", "password", ' = "***";')),
        (11, 20, ("password = ", '"***"', ";")),
        (13, 15, ('password = "', "***", '";')),
        (18, 21, ('password = "', '***";', "")),
        (20, 21, ('password = "***"', ";", "")),
    ],
)
def test_a_marked_range_keeps_its_place(start: int, end: int, parts: tuple[str, str, str]) -> None:
    assert masked_parts('password = "hunter2";', start, end) == parts


@pytest.mark.parametrize(
    ("name", "secret"),
    [("password", True), ("db.master_password", True), ("tokens", False), ("for_each", False)],
)
def test_attribute_names(name: str, *, secret: bool) -> None:
    assert is_secret_name(name) is secret


@pytest.mark.parametrize(
    "text",
    [
        "password" * 5000,
        "password " + " " * 50_000,
        "://" * 20_000,
        'token="' * 8000,
        "x:" * 20_000,
    ],
)
def test_hostile_lines_take_linear_time(text: str) -> None:
    start = time.process_time()
    masked(text)

    assert time.process_time() - start < 1
