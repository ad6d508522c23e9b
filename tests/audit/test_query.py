"""Questions to the store, and what the answers are written as."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest
from tests.audit.conftest import ENVIRONMENT, EVERY, QUEUE, ROLLOUT, TEMPLATE, commit, program
from tests.audit.made import filled

from blastdoor.audit.query import QUERIES, QueryError, ask
from blastdoor.audit.schema import TABLES
from blastdoor.audit.setup import TREE, Setup, Target
from blastdoor.audit.store import Store
from blastdoor.audit.telling import PART, WHOLE, breadth, pinned
from blastdoor.cli import audits as commands
from blastdoor.cli import run
from blastdoor.reach import (
    ANY_ACCOUNT,
    EVERYWHERE,
    INHERITED,
    Accounts,
    AllIn,
    Fleet,
    Organization,
    OrganizationalUnit,
    Regions,
    Unresolved,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.conftest import Audits, Make

    from blastdoor.reach import Extent


def test_the_command_offers_the_questions_that_there_are() -> None:
    assert tuple(QUERIES) == commands._QUERIES


@pytest.mark.parametrize(
    ("extent", "far", "fixed"),
    [
        (Regions(EVERYWHERE), WHOLE, None),
        (Regions(AllIn("aws-cn")), PART, None),
        (Regions("eu-west-1", "eu-west-2"), 2, True),
        (Regions(INHERITED), 1, False),
        (Accounts(ANY_ACCOUNT), WHOLE, None),
        (Accounts(Organization()), WHOLE, None),
        (Accounts(OrganizationalUnit("ou-1")), PART, None),
        (Accounts("111122223333"), 1, None),
        (Fleet(99.6), 99, None),
        (Fleet(100), 100, None),
        (Unresolved("a variable"), 0, None),
        (None, 0, None),
    ],
)
def test_breadth_is_one_number(extent: Extent | None, far: int, *, fixed: bool | None) -> None:
    assert breadth(extent) == far
    assert pinned(extent) is fixed


@pytest.fixture
def asked(audits: Audits, make: Make) -> Audits:
    open_ = QUEUE.replace('region = "eu-west-1"', "")
    where = make(
        "net", {"prod/main.tf": EVERY, "more/main.tf": open_, "CODEOWNERS": "/more @acme/more\n"}
    )
    make("shop", {"prod/deploy.tf": ROLLOUT, "role.yaml": TEMPLATE, "live/main.tf": QUEUE})
    audits(where.parent)
    return audits


def test_unpinned_regions_by_repository_and_owner(asked: Audits) -> None:
    rows = {(row["repository"], row["owner"]): row for row in asked.ask("unpinned-regions")}

    assert rows["net", "@acme/more"]["inherited"] == 1
    assert rows["net", "@acme/more"]["percent"] == 100.0
    assert rows["shop", ""]["pinned"] == 1


def test_every_question_has_its_answer(asked: Audits, make: Make, clones: Path) -> None:
    commit(clones / "shop", {"role.yaml": "a: 1\n"})
    asked(clones)
    for name in QUERIES:
        rows = asked.ask(name)
        assert rows or name in ("changed-by-agent", "failures"), name
        assert rows == asked.ask(name)
        other = asked.ask(name, "--repository", "net") if name != "audits" else []
        assert {row["repository"] for row in other if "repository" in row} <= {"net"}


def test_csv_is_no_formula(asked: Audits, capsys: pytest.CaptureFixture[str]) -> None:
    run(["audit", "query", "unpinned-regions", "--store", str(asked.store), "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [row["repository"] for row in rows if row["owner"] == "'@acme/more"] == ["net"]


def test_text_is_a_table_that_says_what_it_leaves_out(
    asked: Audits, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["audit", "query", "widest-reach", "--store", str(asked.store), "--limit", "2"]
    assert run(arguments) == 0
    out, err = capsys.readouterr()

    assert out.splitlines()[0].split()[:3] == ["repository", "unit", "environment"]
    assert len(out.splitlines()) == 3
    assert "every region" in out.splitlines()[1]
    assert "only the first 2 rows" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["widest-reach", "--audit", "9"], "no audit 9"),
        (["trend"], "nothing to compare with"),
    ],
)
def test_questions_that_cannot_be_answered(
    asked: Audits, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(["audit", "query", *arguments, "--store", str(asked.store)]) == 2
    assert words in capsys.readouterr().err


def test_a_store_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["audit", "query", "rules", "--store", str(tmp_path / "none.sqlite")]) == 2
    assert "no store of audits" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()


def test_an_unfinished_audit_is_asked_by_its_number(tmp_path: Path) -> None:
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        store.begin([Target("a", TREE, "/a")], Setup(), started="", day="", left_out={})
        with pytest.raises(QueryError, match="finished"):
            ask(store.connection, "rules")
        assert next(iter(ask(store.connection, "repositories", audit=1).rows))[:2] == (
            "a",
            "pending",
        )


def test_text_that_a_terminal_would_obey_is_shown(
    make: Make, audits: Audits, capsys: pytest.CaptureFixture[str]
) -> None:
    where = make("odd", {"a\x1b[31m/main.tf": EVERY})
    audits(where)
    run(["audit", "query", "widest-reach", "--store", str(audits.store)])

    assert "\x1b" not in capsys.readouterr().out


def test_parquet_holds_the_tables(asked: Audits, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    assert asked("--export", f"parquet={tmp_path / 'out'}") == 0
    findings = pq.read_table(tmp_path / "out/findings.parquet").to_pylist()
    expected = asked.rows("SELECT repository, fingerprint, line FROM findings ORDER BY audit, id")

    assert [(f["repository"], f["fingerprint"], f["line"]) for f in findings] == expected
    reach = pq.read_table(tmp_path / "out/reach.parquet").to_pylist()
    assert {row["reach"] for row in reach} >= {"every region", "eu-west-1"}
    names = {path.stem for path in (tmp_path / "out").iterdir()}
    assert names == {
        "agents",
        "coverage",
        "failures",
        "findings",
        "owners",
        "reach",
        "repositories",
    }


def test_export_says_what_it_cannot_do(asked: Audits) -> None:
    assert asked("--export", "orc=out") == 2
    assert "parquet=DIR" in asked.err


def test_the_docs_name_every_table_and_column() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs/audit.md").read_text("utf-8")
    for row in TABLES.splitlines():
        words = row.split()
        if row.startswith("CREATE TABLE"):
            assert f"`{words[2]}`" in text
        elif row.startswith("  ") and words[0].strip('"').islower() and words[0].isidentifier():
            assert words[0] in text, row


def _all_answers(store: Store) -> dict[str, int]:
    return {name: sum(1 for _ in ask(store.connection, name).rows) for name in QUERIES}


def test_a_small_store_answers_by_the_numbers(tmp_path: Path) -> None:
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        filled(store, 20, 100)
        answers = _all_answers(store)
        new, gone, same = store.connection.execute(
            "SELECT sum(new), sum(gone), sum(unchanged) FROM (" + QUERIES["trend"].sql + ")",
            {"audit": 2, "base": 1, "repository": None},
        ).fetchone()

    assert (new, gone, same) == (0, 2, 20 * 100 - 2)
    assert answers["changes"] == 2
    assert answers["widest-reach"] == 20 * 40
    assert answers["changed-by-agent"] == 20 * 2
    assert answers["rules"] == 90


def test_a_log_is_kept_compressed(audits: Audits, make: Make) -> None:
    where = make("net", {"main.tf": EVERY})
    audits(where, "--sarif-dir", "logs")
    ((data,),) = audits.rows("SELECT sarif FROM result")

    assert isinstance(data, bytes)
    assert json.loads(zlib.decompress(data))["version"] == "2.1.0"


def test_asking_needs_no_parser_and_no_engine(asked: Audits) -> None:
    code = (
        "import sys\nfrom blastdoor.cli import run\n"
        f"run(['audit', 'query', 'rules', '--store', {str(asked.store)!r}])\n"
        "print([m for m in sys.modules if m.startswith('blastdoor.')"
        " and m.split('.')[1] in ('engine', 'parse', 'evaluate', 'detect', 'catalog')], file=sys.stderr)"
    )
    done = subprocess.run(
        [program()[0], "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )

    assert done.stderr.strip() == "[]"
