"""station.stats_table"""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from station.stats import BoxStats, StoreStats, UnfilledGap
from station.stats_table import tables
from station.store.alarms import StandingAlarm

AT_MS = 1_795_787_890_000
LARGE = BoxStats(
    "hai-ninh/truong-tieu-hoc-so-2",
    "never told",
    AT_MS,
    messages=1_000_000,
    events=123_456,
    open_events=12,
    pictures=98_765,
    counts=2_345,
    missing=30_000,
    gone=12,
    conflicts=1,
    unreadable=4,
)
WELL = replace(LARGE, box="hai-ninh/hai-ninh-03", state="online", missing=0, gone=0, conflicts=0, unreadable=0)
STREAM = "01a21dc8-b10e-71bc-96e1-b473f295ae8f"
GAP = UnfilledGap("hai-ninh/hai-ninh-03", STREAM, 123_456, 123_999, 500, "gone", AT_MS, "second_station")
ALARM = StandingAlarm("quota", "hai-ninh/hai-ninh-03", AT_MS, AT_MS, 12, "more \x1b]0;x than 1 GiB " * 9)
STORE = StoreStats("0008", (WELL, LARGE), (GAP,), 3, (ALARM,), 12_345, 2**31, 2**36, 0, 2**20)
HEADINGS = ("box", "state", "last seen", "events", "open", "pictures", "counts", "stream", "missing", "gone",
            "conflicts", "unreadable", "since")  # fmt: skip


def shown(store: StoreStats, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    with console.capture() as capture:
        for part in tables(store):
            console.print(part, soft_wrap=isinstance(part, Text))
    return capture.get()


@pytest.mark.parametrize("width", [80, 120])
def test_every_heading_and_number_is_whole_in_a_narrow_terminal(width: int) -> None:
    text = shown(STORE, width)

    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    words = text.split()
    assert all(each in words for heading in HEADINGS for each in heading.split())
    assert {"truong-tieu-hoc-so-2", "123456", "98765", "30000", "123999", "(second_station)"} <= set(words)
    assert "2.0 GiB" in text
    assert "\x1b" not in text


def test_only_what_is_amiss_is_told_as_amiss() -> None:
    text = shown(replace(STORE, boxes=(WELL,), gaps=(), alarms=()), 80)

    assert not [word for word in ("amiss", "gaps\n", "alarms") if word in text]
    amiss = shown(STORE, 80).partition("amiss")[2].partition("gaps")[0]
    assert "truong-tieu-hoc-so-2" in amiss
    assert "hai-ninh-03" not in amiss


def test_boxes_of_several_communes_are_shown_with_theirs() -> None:
    text = shown(replace(STORE, boxes=(WELL, replace(LARGE, box="dong-trieu/box-1"))), 80)

    assert text.startswith("all communes")
    assert "dong-trieu/box-1" in text
    assert "hai-ninh/hai-ninh-03" in text
