"""station.access.detail_words"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.language import translated
from station.access.audit_entry import FIRST, AuditVerb, LogEnd, entry_of
from station.access.detail_words import NAMES, browser_words, detail_words
from station.lookup.wanted import EventSearch
from tests.support.people import LAN

STATION = Path(__file__).parents[3] / "station"


def shown(**detail: Any) -> dict[str, str]:
    entry = entry_of(LogEnd(0, FIRST), 0, LAN, AuditVerb.LOOK_UP, "", detail)
    found = detail_words(entry, lambda at_ms: f"at {at_ms}")
    return {translated(name, "vi"): translated(value, "vi") for name, value in found}


def test_details_read_as_people_say_them() -> None:
    found = shown(
        role="supervisor", disabled=True, locked_until_ms=5, why="wrong", browser="x\x1by", label="car"
    )
    assert found == {
        "vai trò": "chỉ huy",
        "đã khóa": "có",
        "phải đợi đến": "at 5",
        "lý do": "sai tên hoặc mật khẩu",
        "trình duyệt": "trình duyệt không rõ",
        "nhãn": "ô tô",
    }


def test_moments_are_told_by_the_stations_clock_however_they_were_noted() -> None:
    assert shown(since="2026-03-02T10:00:00+07:00", until="no moment", made_ms=10**30) == {
        "từ": "at 1772420400000",
        "đến": "no moment",
        "tạo lúc": f"{10**30}",
    }


def test_words_of_another_room_come_with_the_page() -> None:
    entry = entry_of(
        LogEnd(0, FIRST), 0, LAN, AuditVerb.REVIEW, "", {"state": "false", "plan": 3, "kinds": ["motion"]}
    )
    found = dict(detail_words(entry, str, {"state": {"false": "báo nhầm"}}))

    assert {translated(name, "vi"): translated(value, "vi") for name, value in found.items()} == {
        "loại sự kiện": "chuyển động",
        "trạng thái": "báo nhầm",
    }


def test_what_says_nothing_is_left_out_and_what_nobody_named_stands_as_it_is() -> None:
    assert shown(who="", words=None, everywhere=False, other=[1, "a\x1b"], more={"a": 1}) == {
        "đăng xuất ở mọi nơi": "không",
        "other": "1, a\ufffd",
        "more": "a: 1",
    }


def noted_names() -> Iterator[tuple[str, str]]:
    """(file, name) of each detail that a page or a command of the station notes."""
    for path in sorted(STATION.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and getattr(called, "attr", "") in ("note", "_note"):
                dicts = [each for each in node.args if isinstance(each, ast.Dict)]
                keys = [key.value for each in dicts for key in each.keys if isinstance(key, ast.Constant)]
                yield from ((path.name, str(key)) for key in keys)
                yield from ((path.name, each.arg) for each in node.keywords if each.arg)


@pytest.mark.long
def test_every_detail_that_a_page_notes_has_words_in_both_languages() -> None:
    assert {each for each in noted_names() if each[1] not in NAMES} == set()
    assert ("accounts.py", "by") in set(noted_names())
    assert set(EventSearch.__slots__) - set(NAMES) == set()


CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/130.0 Safari/537.36"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1 Version/17.5 Mobile Safari/604.1"
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (CHROME, "Chrome trên Windows"),
        (f"{CHROME} Edg/130.0", "Edge trên Windows"),
        (f"{CHROME} coc_coc_browser/130", "Cốc Cốc trên Windows"),
        (PHONE, "Safari trên iPhone"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", "Firefox trên Android"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Linux"),
        ("curl/8", "trình duyệt không rõ"),
        ("", "trình duyệt không rõ"),
    ],
)
def test_a_browser_is_named_as_its_owner_knows_it(said: str, words: str) -> None:
    assert translated(browser_words(said), "vi") == words
