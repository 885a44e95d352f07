"""station.shift.report"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from pypdf import PdfReader

from station.handover.print import Imprint
from station.lookup.timeline.outages import Outage
from station.shift.alerts import ShiftAlerts
from station.shift.report import MOST, shift_report
from station.shift.shift import LineCount, Shift, ShiftAlarm, ShiftPerson
from station.shift.times import shift_at
from tests.station.shift.test_words import alert
from tests.support.pdf import pages_of, text_of

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 27, 14, 5, tzinfo=HERE)
RANGE = shift_at(NOW - timedelta(hours=1), HERE)
QUIET = Shift(RANGE, ShiftAlerts((), {}, 0), 0, 1, (), (), (), (), (), ())
IMPRINT = Imprint(NOW, "Lê Văn A")


def full(number: int = 3) -> Shift:
    at = RANGE.start_ms
    listed = tuple(
        alert(
            box="Ngã tư",
            camera=f"Camera {n}",
            began_ms=at + n * 1000,
            received_ms=at + n * 1000,
            note="ghi " * n,
        )
        for n in range(number)
    )
    late = alert(box="Cổng chợ", camera="Cổng", began_ms=at - 7_200_000, received_ms=at + 60_000, state="seen")
    return replace(
        QUIET,
        alerts=ShiftAlerts((*listed, late), {"new": number, "seen": 1}, 2),
        events=number + 40,
        outages=(
            Outage("Ngã tư", "", "offline", at, at + 60_000, ""),
            Outage("Chợ", "Cổng", "lost", at, None, "", (2, "cong")),
            Outage("Chợ", "", "silent", at + 3_600_000, at + 7_200_000, "", (2, "")),
        ),
        counts=(LineCount("Ngã tư", "Bắc", "vach", {("car", "in"): 1_234}, 4 * 3_600_000),),
        alarms=(ShiftAlarm("backup_due", "", at, None),),
        people=(ShiftPerson("lan", "Nguyễn Thị Lan", "officer", at, at + 1, {"log_in": 1, "review": 5}),),
    )


def test_it_says_what_the_next_shift_has_to_know() -> None:
    text = text_of(shift_report(full(), "hai-ninh", IMPRINT, "vi"))

    for words in (
        "BIÊN BẢN BÀN GIAO CA TRỰC", "hai-ninh: ca sáng, 06:00:00 – 14:00:00, 27/11/2026",
        "4: chưa ai tiếp nhận 3, đang xử lý 1",
        "04:00:00, 27/11/2026, đến muộn, lúc 06:01:00", "mất kết nối", "còn khi hết ca",
        "vẫn kết nối nhưng im lặng", "1.234", "50 %",
        "Nguyễn Thị Lan", "Người giao ca", "Người nhận ca", "lập lúc 14:05:00, 27/11/2026, người lập: Lê Văn A",
    ):  # fmt: skip
        assert words in text, words


def test_what_overlaps_of_a_camera_and_its_box_is_summed_once() -> None:
    text = " ".join(text_of(shift_report(full(), "hai-ninh", IMPRINT, "en")).split())

    summed = text[text.index("what overlaps counted once") : text.index("4. Requests")]
    assert "Chợ, Cổng 8 h" in summed
    assert "Chợ 1 h" in summed
    assert "Ngã tư 1 min" in summed


def test_what_was_over_within_ten_seconds_has_no_row_and_is_counted() -> None:
    at = RANGE.start_ms
    starts = tuple(
        Outage("Chợ", "Cổng", "starting", at + n * 60_000, at + n * 60_000 + 40, "", (2, "cong"))
        for n in (1, 2)
    )
    restarted, quiet = replace(QUIET, outages=starts), replace(full(), outages=(*full().outages, *starts))

    only, beside = (
        " ".join(text_of(shift_report(each, "hai-ninh", IMPRINT, "en")).split()) for each in (restarted, quiet)
    )

    assert "was starting" not in only + beside
    assert "outages 0, and 2 shorter than 10 s" in only
    assert "outages 3, and 2 shorter than 10 s" in beside
    assert "No outage lasted 10 s or longer." in only
    assert "was there all the time" not in only
    assert "Chợ, Cổng 0 s (2 shorter than 10 s)" in only


def test_a_shift_that_goes_on_counts_until_now() -> None:
    now = Imprint(RANGE.start + timedelta(hours=3), "Lê Văn A")

    text = " ".join(text_of(shift_report(full(), "hai-ninh", now, "en")).split())

    assert "Chợ, Cổng 3 h" in text
    assert "went on at its end" not in text


def test_of_a_box_that_invents_lines_only_some_are_printed_and_the_rest_counted() -> None:
    lines = tuple(LineCount("Chợ", "Cổng", f"vach-{n:04}", {("car", "in"): 1}, 0) for n in range(MOST + 700))

    text = " ".join(text_of(shift_report(replace(QUIET, counts=lines), "hai-ninh", IMPRINT, "en")).split())

    assert f"vach-{MOST - 1:04}" in text and f"vach-{MOST:04}" not in text
    assert "and 700 more" in text


def test_a_quiet_shift_has_words_for_each_part() -> None:
    text = text_of(shift_report(QUIET, "hai-ninh", IMPRINT, "en"))

    for words in (
        "There was no alert.", "Every box and camera was there all the time.", "No line counts.",
        "Nothing was asked for, and nothing is under way.", "No message is missing.", "Nobody was logged in.",
    ):  # fmt: skip
        assert words in text


@pytest.mark.long
def test_where_no_box_was_known_none_is_said_to_have_been_there() -> None:
    for language, words in (("en", "had not heard of any box yet"), ("vi", "chưa biết hộp nào")):
        text = " ".join(text_of(shift_report(replace(QUIET, boxes=0), "hai-ninh", IMPRINT, language)).split())
        assert words in text
        assert "all the time" not in text
        assert "suốt ca" not in text


def test_a_shift_of_many_alerts_goes_on_over_pages_and_says_what_it_leaves_out() -> None:
    pages = pages_of(shift_report(full(400), "hai-ninh", IMPRINT, "en"))

    assert len(pages) > 8
    assert "and 101 more" in " ".join(pages)


def test_pictures_of_alerts_are_printed_where_they_are_there() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 48)).save(file, "JPEG")
    shown = replace(full(), alerts=ShiftAlerts(
        (alert(picture_sha256="a"), alert(picture_sha256="b"), alert()), {"new": 3}, 0,
    ))  # fmt: skip

    pdf = shift_report(shown, "hai-ninh", IMPRINT, "vi", {"a": file.getvalue()}.get)

    assert sum(len(page.images) for page in PdfReader(io.BytesIO(pdf)).pages) == 1


def test_the_same_shift_and_moment_give_the_same_bytes() -> None:
    assert shift_report(full(), "x", IMPRINT, "vi") == shift_report(full(), "x", IMPRINT, "vi")
