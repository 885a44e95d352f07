"""station.handover.report"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from station.handover.dossier import Dossier, PlaceNames, dossier_of
from station.handover.report import HandOver, grouped, report
from tests.support.judged_packages import JudgedPackages
from tests.support.pdf import text_of

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 11, 27, 14, 3, 22, tzinfo=HERE)
NAMES = PlaceNames("Ngã tư Hải Ninh", "Hướng Bắc")


def hand_over(language: str, to: str | None = "Cơ quan điều tra") -> HandOver:
    return HandOver(AT, "Trần Thị B", language, to)


def dossier(packages: JudgedPackages, **words: str) -> Dossier:
    return dossier_of(packages.here(to_s=110, **words), packages.custody, NAMES)


def test_it_says_what_the_package_is_and_what_it_is_worth(packages: JudgedPackages) -> None:
    found = dossier(packages)

    text = text_of(report(found, hand_over("vi")))

    for words in (
        "BIÊN BẢN TRÍCH XUẤT DỮ LIỆU HÌNH ẢNH", "12/2026", "Va chạm ở ngã tư", "Lê Văn A", "XÁC THỰC",
        "Ngã tư Hải Ninh (pole-7)", "Hướng Bắc (north)", "Cơ quan điều tra", "Trần Thị B",
    ):  # fmt: skip
        assert words in text
    pressed = text.replace(" ", "")
    for digest in (found.box_key_sha256, found.station_key_sha256, *(file.sha256 for file in found.files[1:])):
        assert digest in pressed
    assert grouped(found.box_key_sha256)[:9] in text


def test_each_finding_has_its_file_and_its_time(packages: JudgedPackages) -> None:
    text = text_of(report(dossier(packages, lost="footage-2.mp4"), hand_over("en")))

    assert "AUTHENTIC WITH MISSING" in text
    assert re.search(r"footage-2\.mp4 \d\d:\d\d:\d\d – \d\d:\d\d:\d\d, \d\d/\d\d/\d{4}", text)
    assert "? missing" in text.replace("missing ?", "? missing")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_moment_in_it_is_written_for_programs(packages: JudgedPackages, language: str) -> None:
    text = text_of(report(dossier(packages), hand_over(language)))

    assert not re.search(r"\d{4}-\d\d-\d\dT", text)
    assert not re.search(r"[+]00:00|[+]07:00", text)


def test_it_says_what_a_program_cannot_say(packages: JudgedPackages) -> None:
    text = text_of(report(dossier(packages), hand_over("en", None)))

    assert "no lawyer wrote it" in text
    assert "does not say what the films show" in text
    assert "7. Hand-over" not in text
    assert text.count("(sign, and write the full name)") == 2


def test_the_same_package_and_moment_give_the_same_bytes(packages: JudgedPackages) -> None:
    found = dossier(packages)

    assert report(found, hand_over("vi")) == report(found, hand_over("vi"))


def test_nothing_that_an_officer_typed_breaks_it(packages: JudgedPackages) -> None:
    hostile = "x" * 200 + "\x1b[2J\u202e<script>日本"
    found = dossier(packages, purpose=hostile[:200], case_number="=1+1 \u0007" + "9" * 40, officer="😀")

    assert "XÁC THỰC" in text_of(report(found, hand_over("vi", hostile)))
