"""station.access.detail_words"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.language import translated
from station.access.audit_entry import FIRST, AuditVerb, LogEnd, entry_of
from station.access.detail_words import NAMES, detail_words
from tests.support.people import LAN

STATION = Path(__file__).parents[3] / "station"


def shown(**detail: Any) -> dict[str, str]:
    entry = entry_of(LogEnd(0, FIRST), 0, LAN, AuditVerb.LOOK_UP, "", detail)
    found = detail_words(entry, lambda at_ms: f"at {at_ms}")
    return {translated(name, "vi"): translated(value, "vi") for name, value in found}


def test_details_read_as_people_say_them() -> None:
    assert shown(role="supervisor", disabled=True, locked_until_ms=5, why="wrong", browser="x\x1by") == {
        "vai trò": "chỉ huy",
        "đã khóa": "có",
        "phải đợi đến": "at 5",
        "lý do": "sai tên hoặc mật khẩu",
        "trình duyệt": "x\ufffdy",
    }


def test_moments_are_told_by_the_stations_clock_however_they_were_noted() -> None:
    assert shown(since="2026-03-02T10:00:00+07:00", until="no moment", made_ms=10**30) == {
        "từ": "at 1772420400000",
        "đến": "no moment",
        "tạo lúc": f"{10**30}",
    }


def test_what_says_nothing_is_left_out_and_what_nobody_named_stands_as_it_is() -> None:
    assert shown(who="", words=None, everywhere=False, other=[1, "a"], more={"a": 1}) == {
        "đăng xuất ở mọi nơi": "không",
        "other": "1, a",
        "more": "a: 1",
    }


def noted_names() -> Iterator[tuple[str, str]]:
    """(file, name) of each detail that a page or a command of the station notes."""
    for path in sorted(STATION.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note":
                dicts = [each for each in node.args if isinstance(each, ast.Dict)]
                keys = [key.value for each in dicts for key in each.keys if isinstance(key, ast.Constant)]
                yield from ((path.name, str(key)) for key in keys)
                yield from ((path.name, each.arg) for each in node.keywords if each.arg)


def test_every_detail_that_a_page_notes_has_words_in_both_languages() -> None:
    assert {each for each in noted_names() if each[1] not in NAMES} == set()
    assert ("own.py", "by") in set(noted_names())
