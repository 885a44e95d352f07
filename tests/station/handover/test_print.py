"""station.handover.print"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.translatable import tr
from station.handover.letters import shown
from station.handover.print import Imprint, PrintColumn, Sheet
from tests.support.pdf import pages_of, text_of

HERE = timezone(timedelta(hours=7))
AT = datetime(2026, 11, 27, 14, 3, 22, tzinfo=HERE)
TITLE = "Biên bản trích xuất dữ liệu hình ảnh"
COLUMNS = PrintColumn("file", 2), PrintColumn("khoảng thời gian", 3), PrintColumn("điều được thấy", 5)


def sheet(by: str = "Lê Văn A", language: str = "vi") -> Sheet:
    return Sheet(TITLE, language, Imprint(AT, by))


def test_it_says_by_whom_and_when_on_each_page_and_which_page_it_is() -> None:
    paper = sheet(language="en")
    paper.title(TITLE)
    for number in range(80):
        paper.paragraph(f"đoạn {number}")

    pages = pages_of(paper.bytes())

    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert "made 14:03:22, 27/11/2026 by Lê Văn A" in page
        assert f"page {number} of {len(pages)}" in page


def test_a_table_goes_on_over_pages_with_its_headings_and_loses_no_row() -> None:
    paper = sheet()
    paper.table(
        COLUMNS,
        [(f"footage-{n}.mp4", f"lúc {n}", "không đúng như hộp đã ký " * (n % 4)) for n in range(200)],
        "",
    )

    pages = pages_of(paper.bytes())

    assert len(pages) > 3
    assert all("file khoảng thời gian điều được thấy" in page for page in pages)
    found = re.findall(r"footage-(\d+)\.mp4", " ".join(pages))
    assert list(map(int, found)) == list(range(200))


def test_a_row_longer_than_a_page_goes_on_on_the_next() -> None:
    paper = sheet()
    paper.table(COLUMNS, [("a", "b", " ".join(f"chữ{n}" for n in range(900)))], "")

    pages = pages_of(paper.bytes())

    assert len(pages) > 1
    assert re.findall(r"chữ(\d+)", " ".join(pages)) == [str(n) for n in range(900)]


def test_an_empty_table_says_so() -> None:
    paper = sheet()
    paper.table(COLUMNS, [], "Không có gì.")

    assert "Không có gì." in text_of(paper.bytes())


def test_the_same_words_and_moment_give_the_same_bytes() -> None:
    def made() -> bytes:
        paper = sheet()
        paper.heading("Đoạn ghi hình")
        paper.facts([("mục đích", "va chạm")])
        return paper.bytes()

    assert made() == made()


def test_words_are_in_the_language_of_the_sheet_not_of_the_process() -> None:
    paper = sheet(language="vi")
    paper.paragraph(tr("authentic"))

    assert "xác thực" in text_of(paper.bytes())


def test_a_text_that_looks_like_an_order_to_the_printer_is_text() -> None:
    paper = sheet()
    paper.paragraph("{nb} **đậm** --gạch-- \\n %PDF-1.7 endobj )(")

    assert "{nb} **đậm** --gạch-- \\n %PDF-1.7 endobj )(" in text_of(paper.bytes())


HOSTILE = st.text(max_size=300) | st.text("aă\x00\x1b\u202e日\ud800 ", max_size=2_000) | st.just("x" * 5_000)


@pytest.mark.long
@settings(max_examples=40)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_whatever_text_comes_the_sheet_opens_and_says_the_rest(one: str, two: str, three: str) -> None:
    paper = sheet(by=one)
    paper.title(two, three)
    paper.heading(one)
    paper.paragraph(two)
    paper.facts([(one, two), (three, one)])
    paper.table(COLUMNS, [(one, two, three), ("Nguyễn Thị Hường", "trước", "sau")], "")
    paper.paragraph("Người giao ký tên: Đặng Ngọc Quỳnh")

    text = text_of(paper.bytes())

    assert "Nguyễn Thị Hường trước sau" in text
    assert "Người giao ký tên: Đặng Ngọc Quỳnh" in text
    for word in shown(two).split():
        if 0 < len(word) < 15 and "□" not in word:
            assert word in text
