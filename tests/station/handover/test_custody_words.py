"""station.handover.custody_words"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.language import translated
from station.handover import custody_words
from verifier.custody_log import FIRST, Act, CustodyEntry


def entry(act: Act, detail: str, by: str = "station") -> CustodyEntry:
    return CustodyEntry(1, FIRST, datetime(2026, 3, 2, tzinfo=UTC), act, by, detail, "hai-ninh", FIRST, FIRST)


@pytest.mark.parametrize(
    ("act", "detail", "words"),
    [
        ("received", "27 files, 15012345 bytes", "27 file, 15,0 MB"),
        ("opened", "decrypted: footage-1.mp4", "đã giải mã: footage-1.mp4"),
        ("verified", "authentic with missing", "xác thực nhưng còn thiếu"),
        ("handed_over", "as clip.zip", "thành clip.zip"),
        ("handed_over", "to Tòa án, as clip.zip", "cho Tòa án, thành clip.zip"),
        (
            "handed_over",
            f"to Tòa án, as a.zip: authentic; report {'ab' * 32}",
            f"cho Tòa án, thành a.zip: xác thực; sha256 của report.pdf: {'ab' * 32}",
        ),
        ("verified", "something else", "something else"),
        ("received", "27 files, 9{20} bytes\x1b", "27 files, 9{20} bytes\ufffd"),
    ],
)
def test_what_the_station_writes_is_said_in_the_language_of_who_reads(
    act: Act, detail: str, words: str
) -> None:
    assert translated(custody_words.detail(entry(act, detail)), "vi") == words


def test_the_station_is_told_apart_from_people() -> None:
    assert custody_words.done_by(entry("opened", "")) == "the station itself"
    assert custody_words.done_by(entry("handed_over", "", "Trần Thị B\n")) == "Trần Thị B "
    assert custody_words.act(entry("handed_over", "")) == "handed over"
