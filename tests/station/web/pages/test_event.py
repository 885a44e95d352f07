"""station.web.pages.event over HTTP, with a real store"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import URL

from tests.support.duty_screen import DutyScreen
from tests.support.jpegs import jpeg
from tests.support.stores import Place
from tests.support.told_events import born, event_at, health, picture_of, road_user

AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
AT_MS = round(AT.timestamp() * 1000)
HOSTILE = "<img src=x onerror=alert(1)>"
FRAME = {"frame": {"width_px": 640, "height_px": 480}, "model": {"name": "yolox-nano", "sha256": "a" * 64}}

TITLES = {
    "zones": [{"id": "lane-1", "name": "Làn xe máy", "points": []}],
    "rules": [{"id": "stop-line", "kind": "line", "name": "Vạch dừng"}],
}


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DutyScreen]:
    """An alert in two messages with both its pictures, its neighbours, and one with hostile words."""
    folder: Path = tmp_path_factory.mktemp("duty")
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    image, thumbnail = picture_of(jpeg(b"close"), 1, 900)
    scene, whole = picture_of(jpeg(b"whole"), 1, 901, kind="scene")
    seen = road_user(1, AT, riders=2)
    seen |= {
        "vehicle_colour": {"word": "red", "confidence": 0.8},
        "clothes_colour": {"word": "unknown", "confidence": 0.2},
        "entered_zones": ["lane-1"],
    }
    alert = {"kind": "wrong_way", "severity": "alert", "object": seen, **FRAME}
    recording = {
        "recording": {"state": "recording", "mode": "continuous", "kept_since": "2026-11-20T00:00:00Z"}
    }
    with closing(place.open(now=lambda: AT.timestamp() + 1)) as store:
        store.commit(
            [
                born("north-01", "Ngã tư chợ", {"north": "Hướng Bắc"}, AT, north=TITLES),
                born("east-02", "Cầu", {"gate": "A"}, AT),
            ]
        )
        store.commit([health("north-01", AT, {"north": recording}), thumbnail, whole])
        store.commit([event_at(1, AT, lasts_s=None, image=image, scene=scene, **alert)])
        store.commit([event_at(1, AT, seq=2, revision=2, lasts_s=4.0, suppressed=2, **alert)])
        store.commit([event_at(2, AT - timedelta(seconds=30)), event_at(3, AT + timedelta(seconds=30))])
        store.commit([event_at(4, AT + timedelta(seconds=5), box="east-02", camera="gate")])
        odd = road_user(5, AT, label=HOSTILE, entered_zones=[HOSTILE])
        store.commit([event_at(5, AT - timedelta(hours=2), object=odd, rule={"id": HOSTILE, "kind": HOSTILE})])
    place.close()
    screen = DutyScreen(folder, "hai-ninh")
    with screen.served():
        yield screen
    screen.close()


@pytest.fixture(scope="module")
def lan(screen: DutyScreen) -> Iterator[httpx.Client]:
    with closing(screen.client()) as client:
        yield client


def page(client: httpx.Client, number: int = 1) -> str:
    answer = client.get(f"/events/north-01/e-{number}")
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


@pytest.mark.long
def test_an_event_is_said_as_an_officer_says_it(lan: httpx.Client) -> None:
    text = page(lan)

    assert "Xe máy, 2 người, đi ngược chiều" in text
    assert "Hướng Bắc, Ngã tư chợ" in text
    assert "Thứ Năm 26/11/2026" in text
    assert "09:00:00" in text
    assert "09:00:04" in text
    assert "2 sự kiện giống vậy trước đó" in text
    assert re.search(r"Kéo dài\s*</dt>\s*<dd[^>]*>4.0 giây", text)
    assert re.search(r"Màu xe\s*</dt>\s*<dd[^>]*>\s*đỏ", text)
    assert "Màu áo" not in text, "nobody could say it"


@pytest.mark.parametrize(
    ("words", "address", "found"),
    [
        (
            "Camera này, trước và sau 10 phút",
            "/lookup?from=2026-11-26T08%3A50&to=2026-11-26T09%3A11&camera=north-01%2Fnorth",
            {"e-1", "e-2", "e-3"},
        ),
        (
            "Tất cả camera, trước và sau 1 giờ",
            "/lookup?from=2026-11-26T08%3A00&to=2026-11-26T10%3A01",
            {"e-1", "e-2", "e-3", "e-4"},
        ),
    ],
)
def test_what_happened_around_it_is_one_press_away(
    lan: httpx.Client, words: str, address: str, found: set[str]
) -> None:
    assert f'<a class="chip" href="{address}">{words}</a>' in page(lan)
    listed = unescape(lan.get(address).text)
    assert set(re.findall(r'href="/events/[^/"]+/(e-\d+)"', listed)) == found


def test_zones_and_rules_are_called_as_the_technician_wrote_for_people(lan: httpx.Client) -> None:
    text = page(lan)

    assert re.search(r"Vùng\s*</dt>\s*<dd[^>]*>\s*Làn xe máy\s*<", text)
    assert re.search(r"Quy tắc\s*</dt>\s*<dd[^>]*>\s*Vạch dừng: ", text)
    assert "vào vùng Làn xe máy" in text
    assert "Quy tắc Vạch dừng: " in unescape(lan.get("/events/north-01/e-1/review").text)
    listed = unescape(lan.get("/lookup?from=2026-11-26T08:50&to=2026-11-26T09:11&view=list").text)
    assert "Vạch dừng" in listed and "Làn xe máy" in listed


def test_its_path_is_drawn_over_the_whole_view(lan: httpx.Client) -> None:
    text = page(lan)

    assert re.search(r'<img src="/pictures/[0-9a-f]{64}" alt="ảnh toàn cảnh của camera">', text)
    assert '<polyline class="path" points="100.0,600.0 300.0,650.0 450.0,700.0"/>' in text
    assert '<rect class="place" x="400.0" y="500.0" width="100.0" height="200.0"/>' in text
    assert "khung hình trống" not in text
    assert "khung hình trống" in page(lan, 2), "without a whole view the frame is empty"


def test_every_message_stands_there_with_what_was_new(lan: httpx.Client) -> None:
    text = page(lan)

    assert "bắt đầu, vào vùng Làn xe máy, kèm ảnh toàn cảnh, kèm ảnh" in text
    assert "kết thúc: đã đi khỏi" in text


def test_it_leads_to_its_neighbours_here_and_elsewhere(lan: httpx.Client) -> None:
    found = re.findall(r'href="(/events/[^"/]+/[^"/]+)"', page(lan))

    assert found.index("/events/north-01/e-2") < found.index("/events/north-01/e-3")
    assert "/events/east-02/e-4" in found


def test_footage_around_it_can_be_asked_for(lan: httpx.Client) -> None:
    text = page(lan)

    assert "Hộp có lẽ vẫn còn đoạn ghi hình" in text
    ask = f"/requests/new?box=north-01&camera=north&from_ms={AT_MS - 60_000}&to_ms={AT_MS + 64_000}"
    assert f'href="{ask}"' in text
    assert lan.get(ask).status_code == 200


def test_what_becomes_of_it_is_asked_with_the_step_that_was_seen(lan: httpx.Client) -> None:
    text = page(lan)

    assert '<form method="post" action="/events/north-01/e-1/review"' in text
    assert 'name="change" value="0"' in text
    for step in ("seen", "confirmed", "passed_on", "false:animal"):
        assert f'name="step" value="{step}"' in text


def test_no_text_of_a_box_is_a_part_of_the_page(lan: httpx.Client) -> None:
    raw = lan.get("/events/north-01/e-5").text

    assert "<img src=x" not in raw
    assert raw.count("&lt;img src=x") > 2


@pytest.mark.parametrize("path", ["north-01/e-99", "elsewhere/e-1", "north-01/%00", "east-02/e-1"])
def test_there_is_no_page_of_what_is_not_there(lan: httpx.Client, path: str) -> None:
    assert lan.get(f"/events/{path}").status_code == 404


def test_whoever_looks_is_noted(lan: httpx.Client, screen: DutyScreen) -> None:
    page(lan)

    assert screen.acts()[-1] == ("view_event", "north-01/e-1")


def test_nobody_sees_it_without_a_login(screen: DutyScreen) -> None:
    with closing(screen.client(login=None)) as client:
        assert client.get("/events/north-01/e-1").status_code in (303, 401)
