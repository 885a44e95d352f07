"""station.web.render"""

from __future__ import annotations

import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import playwright
import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from agent.language import translated
from station.web.render import PLACE, STATIC, Templates, asset, messages, span_of
from tests.support.catalogue import catalogue

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON_MS = round(datetime(2026, 11, 27, 12, 0, 5, tzinfo=ZONE).timestamp() * 1000)


@pytest.fixture
def templates() -> Templates:
    return Templates(ZONE)


@pytest.fixture(autouse=True)
def _in_any_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGUAGE", raising=False)


def test_moments_are_told_by_the_stations_zone_as_people_say_them(templates: Templates) -> None:
    assert templates.clock(NOON_MS) == "12:00:05"
    assert templates.day(NOON_MS) == "27/11/2026"
    assert templates.weekday("vi", NOON_MS) == "Thứ Sáu"
    assert templates.weekday("en", NOON_MS) == "Friday"
    assert templates.moment("vi", NOON_MS - 3 * 86_400_000) == "12:00:05 24/11/2026"
    assert templates.clock(None) == templates.day(None) == templates.moment("vi", None) == "–"


def test_the_day_is_left_out_today_and_yesterday_is_called_so(templates: Templates) -> None:
    now = datetime.now(ZONE).replace(hour=12, minute=0, second=5, microsecond=0)
    today, yesterday = (round(each.timestamp() * 1000) for each in (now, now - timedelta(days=1)))
    assert templates.moment("vi", today) == "12:00:05"
    assert templates.moment("vi", yesterday) == "hôm qua 12:00:05"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (89, "89 s"), (90, "2 min"), (5400, "90 min"), (5460, "1 h 31 min"), (172_800, "2 days")],
)
def test_how_long_is_told_in_the_largest_units_that_say_it(seconds: float, said: str) -> None:
    assert span_of("en", seconds) == said
    assert span_of("en", None) == "–"


def test_what_a_box_wrote_is_text_on_a_page_and_steers_nothing(templates: Templates) -> None:
    hostile = "<script>alert(1)</script>\x1b]0;x\x07\u202e"
    values = {"what": hostile, "hint": "", "visitor": None}
    page = templates.page("trouble.html", "vi", values)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_a_value_that_a_page_lacks_is_a_fault_and_no_hole(templates: Templates) -> None:
    with pytest.raises(UndefinedError):
        templates.page("trouble.html", "vi", {"visitor": None})


def test_a_static_file_is_named_with_the_version_of_what_is_in_it() -> None:
    found = asset("console.css")
    assert isinstance(found, Markup)
    assert re.fullmatch(r"/static/console\.css\?v=[0-9a-f]{12}", found)


def test_every_message_of_a_template_is_translated() -> None:
    said = {text for _, text in messages()}
    assert "Log in" in said
    vietnamese = catalogue("vi")
    assert [text for text in sorted(said) if not (vietnamese.get(text) and vietnamese.get(text).string)] == []


@pytest.mark.parametrize("path", sorted(PLACE.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_runs_or_styles_anything_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_no_script_makes_markup_out_of_text(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)


def test_a_language_that_nobody_has_written_is_english() -> None:
    assert translated("x", "fr") == "x"


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_every_script_can_be_read(path: Path, tmp_path: Path) -> None:
    """By the engine that Playwright brings."""
    node = next((Path(playwright.__file__).parent / "driver").glob("node*"))
    module = tmp_path / "script.mjs"
    module.write_bytes(path.read_bytes())
    done = subprocess.run([node, "--check", module], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
