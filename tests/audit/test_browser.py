"""The HTML report in a browser: looked at, searched, filtered, with the keyboard, with hostile words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.audit.browser import PROGRAM, Browser
from tests.audit.conftest import EVERY, ROLLOUT, write
from tests.audit.made import filled, result

from blastdoor.audit.report import document
from blastdoor.audit.setup import TREE, Setup, Target
from blastdoor.audit.store import Store
from blastdoor.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not on the path"),
]
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\"><style>*{display:none}</style>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with 50,000 findings in 50 repositories."""
    folder = tmp_path_factory.mktemp("large")
    with Store(str(folder / "s.sqlite"), write=True) as store:
        filled(store, 50, 1000)
        (folder / "large.html").write_text(document(store.connection), "utf-8", newline="\n")
    return folder / "large.html"


def _count(browser: Browser) -> str:
    words: str = browser.run("document.querySelector('#findings .count span').textContent")
    return words


def _typed(browser: Browser, words: str) -> str:
    browser.run(
        f"(() => {{ const i = document.getElementById('search'); i.value = {words!r};"
        " i.dispatchEvent(new Event('input')); return new Promise(r => setTimeout(r, 500)); })()"
    )
    return _count(browser)


def test_a_page_asks_nobody_and_says_nothing(browser: Browser, large: Path) -> None:
    browser.said.clear()
    browser.requests.clear()
    browser.open(large)

    assert browser.said == []
    assert {url.split(":", 1)[0] for url in browser.requests} == {"file"}
    assert len(browser.requests) == 1
    assert browser.run("document.querySelectorAll('.finding').length") == 50
    assert _count(browser).startswith("49,995 findings")


def test_search_and_filters(browser: Browser, large: Path) -> None:
    browser.open(large)

    assert _typed(browser, "q77 r00012") == "11 findings"
    assert _typed(browser, "nothing like that") == "No findings"
    browser.run("document.getElementById('reset').click()")
    browser.run("[...document.querySelectorAll('.filters .error')][0].click()")
    assert _count(browser).startswith("16,6")
    assert browser.run("[...document.querySelectorAll('.filters .error')][0].ariaPressed") == "true"
    browser.run("document.querySelector('#heat td button').click()")
    assert _count(browser).startswith("999 findings")
    assert browser.run("document.getElementById('filter-repository').value") == "v0"


def test_pages_turn(browser: Browser, large: Path) -> None:
    browser.open(large)
    first = browser.run("document.querySelector('.finding').textContent")
    browser.run("[...document.querySelectorAll('#findings .count button')][1].click()")

    assert "51\u2013100" in _count(browser)
    assert browser.run("document.querySelector('.finding').textContent") != first
    assert "51\u2013100" in browser.run("document.getElementById('live').textContent")
    assert browser.run("document.activeElement.tagName") == "SUMMARY"


def test_a_finding_opens_with_its_evidence_by_keyboard(browser: Browser, large: Path) -> None:
    browser.open(large)
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"
    browser.run("document.querySelector('.finding summary').focus()")
    browser.press("Enter")
    browser.run("new Promise(r => setTimeout(r, 200))")

    assert browser.run("document.querySelector('.finding').open") is True
    assert "the default" in browser.run("document.querySelector('.finding .chain').textContent")
    assert browser.run("document.querySelector('.finding mark').textContent") == "regions = var.all"


def test_everything_that_can_be_pressed_has_a_name(browser: Browser, large: Path) -> None:
    browser.open(large)
    nameless = browser.run(
        "[...document.querySelectorAll('button, select, input, a')].filter(e =>"
        " !(e.ariaLabel || e.textContent).trim()).map(e => e.outerHTML)"
    )
    assert nameless == []
    assert browser.run("document.querySelectorAll('h1').length") == 1
    assert browser.run("document.querySelectorAll('th:not([scope])').length") == 0
    assert browser.run("document.documentElement.lang") == "en"


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_in_both_themes(browser: Browser, large: Path, *, dark: bool) -> None:
    browser.open(large, dark=dark)
    low = browser.run(_CONTRAST)
    assert low == []
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    browser.run("document.getElementById('theme').click()")
    assert browser.run("getComputedStyle(document.body).backgroundColor") != background
    browser.run("localStorage.clear()")


_CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (color, below) => {
    canvas.fillStyle = `rgb(${below.join()})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const behind = (e) => {
    const chain = []; for (let at = e; at; at = at.parentElement) chain.unshift(at);
    const over = (below, at) => rgb(getComputedStyle(at).backgroundColor, below);
    return chain.reduce(over, [255, 255, 255]);
  };
  const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => c.map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const low = new Set();
  for (const e of document.querySelectorAll('main *, header *')) {
    if (!e.textContent.trim() || e.children.length || !e.checkVisibility()) continue;
    if (e.closest('svg, noscript, :disabled')) continue;
    const ground = behind(e);
    const [a, b] = [light(rgb(getComputedStyle(e).color, ground)), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) low.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
  }
  return [...low];
})()"""


def test_a_narrow_screen_scrolls_one_way(browser: Browser, large: Path) -> None:
    browser.open(large, width=390, height=844)
    assert browser.run(_TOO_WIDE) == []
    assert browser.run("document.documentElement.scrollWidth") == 390


_TOO_WIDE = """[...document.querySelectorAll('main *, header *')].filter(e =>
  !e.parentElement.closest('.scroll, nav, pre') && !e.matches('.hidden')
  && e.getBoundingClientRect().right > 391).map(e => `${e.tagName}.${e.className}`)"""


def test_hostile_words_stay_words(browser: Browser, tmp_path: Path) -> None:
    told = result(1, 30)
    for finding in told["findings"]:  # type: ignore[attr-defined]
        for key in ("message", "path", "unit", "contain", "rule", "axis", "title", "environment"):
            finding[key] = HOSTILE
        finding["evidence"] = [HOSTILE]
        finding["quote"] = [HOSTILE, HOSTILE, HOSTILE]
        finding["related"][0].update(path=HOSTILE, message=HOSTILE)
        finding["provenance"] = {
            "commit": HOSTILE,
            "marks": [{"agent": HOSTILE, "where": HOSTILE, "text": HOSTILE}],
        }
    told["owners"] = {HOSTILE: [HOSTILE]}
    with Store(str(tmp_path / "s.sqlite"), write=True) as store:
        target = Target(HOSTILE, TREE, HOSTILE, owner=HOSTILE)
        audit = store.begin([target], Setup(), started="1", day="", left_out={HOSTILE: 1})
        (one,) = store.pending(audit)
        outcome = {"state": "done", "key": "k", "commit": HOSTILE, "reason": None, "result": told}
        cost = {"cpu": 0.0, "wall": 0.0, "memory": 0}
        store.enter(audit, one.repository, {**outcome, "cost": cost})
        store.finish(audit, "2")
        text = document(store.connection, logs="./logs")
    (tmp_path / "hostile.html").write_text(text, "utf-8", newline="\n")
    browser.said.clear()
    browser.requests.clear()
    browser.open(tmp_path / "hostile.html")
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    browser.run("new Promise(r => setTimeout(r, 300))")

    assert browser.said == []
    assert len(browser.requests) == 1
    assert browser.run("document.querySelectorAll('img, main style').length") == 0
    assert browser.run("document.title") == "Audit of 1 repository · blastdoor"
    assert HOSTILE in browser.run("document.querySelector('.finding').textContent")


def test_one_repository_is_told_by_its_folders(browser: Browser, tmp_path: Path) -> None:
    write(tmp_path / "net", {"live/main.tf": EVERY, "deploy/main.tf": ROLLOUT})
    file = tmp_path / "r.html"
    run(["check", str(tmp_path / "net"), "--output", f"html={file}", "--isolated", "-q"])
    browser.open(file)

    folders = browser.run(
        "[...document.querySelectorAll('#heat tbody th')].map(e => e.textContent)"
    )
    assert sorted(folders) == ["net/deploy", "net/live"]
    assert "every region" in browser.run("document.querySelector('#regions table').textContent")
    browser.run("document.querySelector('#heat tbody th button').click()")
    assert browser.run("document.getElementById('search').value") == f"{folders[0]}/"


def test_print_leaves_the_controls_out(browser: Browser, large: Path) -> None:
    browser.open(large)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.querySelector('.filters')).display") == "none"
    assert browser.run("getComputedStyle(document.querySelector('.scroll')).maxHeight") == "none"
    browser.call("Emulation.setEmulatedMedia", media="screen")
