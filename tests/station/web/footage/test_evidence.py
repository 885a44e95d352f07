"""station.web.footage.evidence, over HTTP with packages of a box that really recorded"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from station.footage.folder import FootageStage
from station.web.visitor import COOKIE
from tests.support.duty_screen import DutyScreen, csrf_of
from tests.support.judged_packages import JudgedPackages
from tests.support.pdf import text_of

PAGE = "/requests/pole-7/01a2-first"


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_verdict_stands_before_all_else(packages: JudgedPackages, screen: DutyScreen) -> None:
    packages.here(to_s=110)

    page = screen.client().get(PAGE).text

    assert "XÁC THỰC mọi thứ hộp đã ký đều có đủ" in words(page)
    assert page.index('class="verdict good"') < page.index("<video")
    assert page.count("data-film") == 3
    assert "Vụ việc số 12/2026 · Ngã tư Hải Ninh, Hướng Bắc" in words(page)
    assert ("view_evidence", "pole-7/01a2-first") in screen.acts()


def test_what_is_missing_or_altered_is_named_with_its_time(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    packages.here("01-missing", lost="footage-2.mp4")
    bad = packages.here("02-bad")
    film = bad.package / "footage-1.mp4"
    data = bytearray(film.read_bytes())
    data[len(data) // 2] ^= 1
    film.write_bytes(data)

    missing = screen.client().get("/requests/pole-7/01-missing").text
    altered = screen.client(language="en").get("/requests/pole-7/02-bad").text

    assert "XÁC THỰC NHƯNG CÒN THIẾU" in missing
    assert 'class="absent"' in missing
    assert 'class="verdict problem"' in altered
    assert "NOT AUTHENTIC" in altered
    assert re.search(r"footage-1\.mp4 \d\d:\d\d:\d\d – \d\d:\d\d:\d\d, \d\d/\d\d/\d{4} is not", words(altered))


def test_nothing_is_called_good_before_it_was_judged(packages: JudgedPackages, screen: DutyScreen) -> None:
    folder = packages.here()
    folder.tell(stage=FootageStage.ARRIVED, verdict=None)
    client = screen.client("binh")

    page = client.get(PAGE).text

    assert "verdict" not in page
    assert "<video" not in page
    assert "hand-over" not in page
    assert client.get(f"{PAGE}/films/1").status_code == 503
    assert client.get(f"{PAGE}/report.pdf").status_code == 503


def test_events_are_marks_on_the_time_bar(packages: JudgedPackages, screen: DutyScreen) -> None:
    packages.here()

    page = screen.client(language="en").get(PAGE).text

    assert page.count('class="mark"') == 1
    assert page.count('class="mark alert"') == 1
    assert page.count("data-jump") == 2
    assert "motorcycle, goes the wrong way" in page


def test_a_film_comes_in_the_ranges_that_a_player_asks_for(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    folder, client = packages.here(), screen.client()
    film = (folder.package / "footage-1.mp4").read_bytes()

    whole = client.get(f"{PAGE}/films/1")
    part = client.get(f"{PAGE}/films/1", headers={"range": "bytes=1000-1999"})

    assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "video/mp4", film)
    assert (part.status_code, part.content) == (206, film[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(film)}"
    assert part.headers["cache-control"] == "no-store"
    assert screen.acts().count(("view_evidence", "pole-7/01a2-first/footage-1.mp4")) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/requests/pole-7/nothing",
        "/requests/..%2f..%2fetc/passwd",
        "/requests/pole-7/..%2f01a2-first",
        f"{PAGE}/films/9",
        f"{PAGE}/films/-1",
        f"{PAGE}/films/..%2f..%2fbox.pub",
        f"{PAGE}/hand-over",
    ],
)
def test_no_path_leads_elsewhere(packages: JudgedPackages, screen: DutyScreen, path: str) -> None:
    packages.here()

    assert screen.client("binh").get(path).status_code in (404, 405, 422)


@pytest.mark.parametrize("path", ["", "/progress", "/films/1", "/report.pdf", "/hand-over"])
def test_nobody_gets_anything_without_a_login(packages: JudgedPackages, screen: DutyScreen, path: str) -> None:
    packages.here()

    answer = screen.client(None).get(PAGE + path, headers={"accept": "*/*"})

    assert answer.status_code == 401
    assert len(answer.content) < 200


@pytest.mark.long
def test_a_supervisor_hands_over_one_zip_and_the_page_says_so(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    folder, client = packages.here(), screen.client("binh")
    csrf = csrf_of(client.get(PAGE).text)

    done = client.post(f"{PAGE}/hand-over", data={"csrf": csrf, "to": " Cơ quan\u202e điều tra\n"})
    page = client.get(done.headers["location"]).text
    fetched = client.get(f"{PAGE}/hand-over")

    assert done.status_code == 303
    assert "cho Cơ quan\ufffd điều tra, thành ngatu-12-2026-pole-7-north-" in words(page)
    with zipfile.ZipFile(io.BytesIO(fetched.content)) as archive:
        assert archive.testzip() is None
        (report,) = (name for name in archive.namelist() if name.endswith("report.pdf"))
        assert "BIÊN BẢN TRÍCH XUẤT DỮ LIỆU HÌNH ẢNH" in text_of(archive.read(report))
    assert fetched.headers["content-disposition"].startswith('attachment; filename="ngatu-12-2026')
    assert b"handed_over" in (folder.package / "custody.log").read_bytes()
    verbs = [verb for verb, _ in screen.acts()]
    assert verbs.index("hand_over") < verbs.index("export")


def test_an_officer_can_neither_hand_over_nor_release(packages: JudgedPackages, screen: DutyScreen) -> None:
    folder, client = packages.here(), screen.client("lan")
    page = client.get(PAGE).text
    csrf = csrf_of(page)

    answers = [
        client.post(f"{PAGE}/hand-over", data={"csrf": csrf, "to": "x"}),
        client.post(f"{PAGE}/release", data={"csrf": csrf}),
        client.get(f"{PAGE}/hand-over"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "hand-over" not in page
    assert b"handed_over" not in (folder.package / "custody.log").read_bytes()


@pytest.mark.parametrize("to", ["", "  \n", "x" * 201])
def test_a_hand_over_to_nobody_is_refused(packages: JudgedPackages, screen: DutyScreen, to: str) -> None:
    folder, client = packages.here(), screen.client("binh", "en")
    csrf = csrf_of(client.get(PAGE).text)

    answer = client.post(f"{PAGE}/hand-over", data={"csrf": csrf, "to": to})

    assert answer.status_code == 422
    assert "to whom is it handed over?" in answer.text
    assert b"handed_over" not in (folder.package / "custody.log").read_bytes()


def test_without_the_pages_token_nothing_is_handed_over(packages: JudgedPackages, screen: DutyScreen) -> None:
    folder, client = packages.here(), screen.client("binh")

    assert client.post(f"{PAGE}/hand-over", data={"to": "x"}).status_code == 403
    assert b"handed_over" not in (folder.package / "custody.log").read_bytes()


def test_what_was_altered_here_since_it_came_is_not_handed_over(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    folder, client = packages.here(), screen.client("binh", "en")
    (folder.package / "footage-2.mp4").unlink()
    csrf = csrf_of(client.get(PAGE).text)

    answer = client.post(f"{PAGE}/hand-over", data={"csrf": csrf, "to": "x"})

    assert answer.status_code == 409
    assert "authentic when it came, authentic with missing now" in answer.text


@pytest.mark.long
def test_the_report_is_printed_in_the_language_of_whoever_asks(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    packages.here()

    vietnamese = screen.client().get(f"{PAGE}/report.pdf")
    english = screen.client(language="en").get(f"{PAGE}/report.pdf")

    assert "BIÊN BẢN TRÍCH XUẤT DỮ LIỆU HÌNH ẢNH" in text_of(vietnamese.content)
    assert "REPORT ON EXTRACTED FOOTAGE" in text_of(english.content)
    assert "made" in text_of(english.content)
    assert ("export", "pole-7/01a2-first") in screen.acts()


def test_a_release_that_cannot_go_out_is_told(packages: JudgedPackages, screen: DutyScreen) -> None:
    """Nobody listens where the broker should be."""
    packages.here()
    config = screen.console.config  # its default is the same object for every configuration
    config.__dict__["broker"] = config.broker.model_copy(update={"port": 9})
    client = screen.client("binh", "en")
    csrf = csrf_of(client.get(PAGE).text)

    answer = client.post(f"{PAGE}/release", data={"csrf": csrf})

    assert answer.status_code == 503
    assert "broker 127.0.0.1:9" in answer.text


def test_what_a_box_said_does_nothing_on_the_page(packages: JudgedPackages, screen: DutyScreen) -> None:
    hostile = "<script>alert(1)</script>\x1b[2J"
    packages.here("01-here", purpose=hostile, case_number=hostile, officer=hostile)
    packages.asked("02-not", purpose=hostile).tell(stage="refused", detail=hostile)

    for name in ("01-here", "02-not"):
        page = screen.client().get(f"/requests/pole-7/{name}").text
        assert "<script>alert" not in page
        assert "\x1b" not in page


def test_progress_is_told_in_words_for_a_page_that_refreshes_itself(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    folder = packages.asked()
    folder.tell(stage="sending", size_bytes=2_000_000, arrived_bytes=500_000)
    client = screen.client()

    stated = client.get(f"{PAGE}/progress").json()

    assert (stated["stage"], stated["words"], stated["percent"]) == ("sending", "đang gửi", 25)
    assert stated["arrived"] == "500,0 kB / 2,0 MB"
    assert [each["key"] for each in client.get("/requests/progress").json()] == ["pole-7/01a2-first"]
    assert "requests.js" in client.get(PAGE).text


def test_why_a_box_refused_is_said_in_the_language_of_whoever_looks(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    detail = "nothing of it is there: of camera north there is footage from 2026-11-27T07:03:22Z to now"
    packages.asked().tell(stage="refused", detail=detail)

    page = words(screen.client().get(PAGE).text)

    assert "không có phần nào của khoảng này: camera north chỉ có đoạn ghi hình từ 14:03:22, 27/11/2026" in page


@contextmanager
def at_the_page(chromium: Browser, screen: DutyScreen, path: str, width: int = 1366) -> Iterator[Page]:
    """A supervisor's browser; nothing may be amiss in its console."""
    context = chromium.new_context(viewport={"width": width, "height": 768})
    account = screen.console.accounts.find("binh")
    assert account is not None
    token = screen.console.sessions.begin(account, "127.0.0.1", "test").token
    context.add_cookies([{"name": COOKIE, "value": token, "url": screen.url}])
    page, complaints = context.new_page(), list[str]()
    page.set_default_timeout(60_000)
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        page.goto(screen.url + path)
        yield page
        assert complaints == []
    finally:
        context.close()


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_films_play_as_one_stretch_of_time(
    packages: JudgedPackages, screen: DutyScreen, chromium: Browser
) -> None:
    packages.here(to_s=110)

    with at_the_page(chromium, screen, PAGE) as page:
        clock, bar = page.locator("#at"), page.locator(".timebar")
        expect(clock).to_have_text("15:00:02")
        page.locator("[data-jump]").nth(1).click()
        expect(clock).to_have_text("15:00:25")
        size = bar.bounding_box()
        assert size is not None
        bar.click(position={"x": size["width"] * 0.97, "y": 20})
        expect(page.locator("[data-film].on")).to_contain_text("Video 3")
        expect(clock).to_have_text(re.compile(r"15:01:4[5-7]"))
        bar.click(position={"x": size["width"] * 0.28, "y": 20})  # nothing was recorded there: the next film
        expect(clock).to_have_text("15:00:36")
        page.evaluate("document.querySelector('video').play()")
        expect(clock).to_have_text(re.compile(r"15:00:3[89]"))


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_a_page_of_a_request_that_is_under_way_goes_on_by_itself(
    packages: JudgedPackages, screen: DutyScreen, chromium: Browser
) -> None:
    folder = packages.asked()

    with at_the_page(chromium, screen, PAGE) as page:
        expect(page.locator("[data-words]")).to_have_text("đã yêu cầu")
        folder.tell(stage="sending", size_bytes=2_000_000, arrived_bytes=500_000)
        expect(page.locator("[data-arrived]")).to_have_text("500,0 kB / 2,0 MB")
        folder.tell(arrived_bytes=1_000_000)
        expect(page.locator("[data-arrived]")).to_have_text("1,0 MB / 2,0 MB")
        folder.tell(stage="refused", detail="no")
        expect(page.locator("[data-words]")).to_have_text("bị từ chối")


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", ["", "/../01-asked"])
@pytest.mark.parametrize("width", [1366, 390])
def test_nothing_serious_hinders_people_at_the_page(
    packages: JudgedPackages, screen: DutyScreen, chromium: Browser, path: str, width: int
) -> None:
    packages.here(to_s=110, lost="footage-2.mp4")
    packages.asked("01-asked")

    with at_the_page(chromium, screen, PAGE + path, width) as page:
        found = Axe().run(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    serious = [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]
    assert serious == [], found.generate_report()
