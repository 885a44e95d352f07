"""station.handover.drawings"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import partial

import pytest
from PIL import Image
from pypdf import PdfReader

from station.handover.drawings import MAX_PIXELS, BarMark, pictures, signatures, time_bar
from station.handover.print import Imprint, Sheet
from tests.support.pdf import pages_of, text_of

MARKS = {"=": BarMark((120, 160, 150), "", "đúng như đã ký"), "?": BarMark((240, 200, 90), "?", "thiếu")}


def sheet() -> Sheet:
    return Sheet("Biên bản", "vi", Imprint(datetime(2026, 11, 27, tzinfo=UTC), "A"))


def jpeg(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 80)).save(file, "JPEG")
    return file.getvalue()


def test_a_bar_says_its_ends_and_what_its_marks_mean_but_not_those_it_has_not() -> None:
    whole, holed = sheet(), sheet()
    whole.draw(partial(time_bar, cells="=" * 240, marks=MARKS, ends=("14:00:00", "15:00:00")))
    holed.draw(partial(time_bar, cells="=" * 200 + "?" * 40, marks=MARKS, ends=("14:00:00", "15:00:00")))

    assert "14:00:00 15:00:00 đúng như đã ký" in text_of(whole.bytes())
    assert "thiếu" not in text_of(whole.bytes())
    assert "thiếu" in text_of(holed.bytes())


def test_both_sign_on_one_page() -> None:
    paper = sheet()
    for _ in range(46):
        paper.paragraph("đoạn")
    paper.draw(partial(signatures, who=[("Người giao", "Lê Văn A"), ("Người nhận", "Trần Thị B")]))

    last = pages_of(paper.bytes())[-1]

    assert all(word in last for word in ("Người giao", "Người nhận", "Lê Văn A", "Trần Thị B"))


@pytest.mark.parametrize("data", [b"", b"no picture", jpeg()[:200], b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_a_picture_that_is_none_is_told(data: bytes) -> None:
    paper = sheet()
    paper.draw(partial(pictures, found=[(data, "ngã tư"), (jpeg(), "cổng chợ")]))

    pdf = paper.bytes()

    assert "ngã tư" in text_of(pdf)
    assert "cổng chợ" in text_of(pdf)
    assert len(PdfReader(io.BytesIO(pdf)).pages[0].images) == 1


def test_a_picture_of_too_many_points_is_not_opened() -> None:
    head = bytearray(jpeg())
    at = head.index(b"\xff\xc0") + 5
    head[at : at + 4] = (65_000).to_bytes(2) * 2
    assert MAX_PIXELS < 65_000**2
    paper = sheet()
    paper.draw(partial(pictures, found=[(bytes(head), "lớn")]))

    assert not PdfReader(io.BytesIO(paper.bytes())).pages[0].images


def test_many_pictures_go_on_over_pages() -> None:
    paper = sheet()
    paper.draw(partial(pictures, found=[(jpeg(64 + n, 48), f"ảnh {n}") for n in range(40)]))

    pages = pages_of(paper.bytes())

    assert len(pages) > 1
    assert all(f"ảnh {n}" in " ".join(pages) for n in range(40))
