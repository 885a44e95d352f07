"""station.web.scope; over a province's database in tests/station/province/test_desk.py"""

from __future__ import annotations

import pytest

from station.web.scope import in_short, is_open, narrowed


@pytest.mark.parametrize(
    ("opened", "chosen", "shown"),
    [
        ("hai-ninh mong-cai", "", "hai-ninh mong-cai"),
        ("hai-ninh mong-cai", "mong-cai", "mong-cai"),
        ("*", "mong-cai", "mong-cai"),
        ("*", "", "*"),
        ("hai-ninh", "mong-cai", "hai-ninh"),
        ("hai-ninh", "*", "hai-ninh"),
        ("hai-ninh mong-cai", "hai-ninh mong-cai", "hai-ninh mong-cai"),
        ("hai-ninh", "hai", "hai-ninh"),
        ("*", "hai-ninh mong-cai", "*"),
        ("", "hai-ninh", ""),
        ("", "*", ""),
    ],
)
def test_what_is_chosen_only_narrows_what_is_open(opened: str, chosen: str, shown: str) -> None:
    assert narrowed(opened, chosen) == shown


def test_nothing_is_open_to_whom_nothing_was_opened() -> None:
    assert not is_open("", "") and not is_open("", "hai-ninh") and not is_open("", "*")
    assert is_open("hai-ninh", "hai-ninh") and is_open("*", "hai-ninh") and not is_open("*", "*")


def test_a_line_of_the_log_names_communes_and_of_very_many_how_many() -> None:
    assert in_short("hai-ninh mong-cai") == "hai-ninh mong-cai"
    assert in_short(" ".join(f"xa-{n:03d}" for n in range(300))) == "300"
