"""agent.tools.preview.site"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from agent.clock import SystemClock
from agent.config.schema import load
from agent.detectors import load_detector
from agent.detectors.shared import SharedDetector
from agent.tools.preview.answer import PageAnswer, PageRequest
from agent.tools.preview.footage import recorded
from agent.tools.preview.live import Live
from agent.tools.preview.site import PAGE, PreviewSite, masked_as_well
from agent.translatable import tr
from tests.support.brokers import until

CROSSED = [[0.1, 0.1], [0.4, 0.1], [0.1, 0.6], [0.4, 0.6]]
SQUARE = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.6], [0.1, 0.6]]


class Asked:
    """A site with its camera, asked as the server asks."""

    def __init__(self, file: Path, video: Path) -> None:
        config, self.file = load(file), file
        camera, clock = config.cameras[0], SystemClock()
        detector = SharedDetector(load_detector(config.detector), clock)
        self.live = Live(camera, camera.pipeline(config.device), detector, clock)
        notice = tr("choose another")
        self.site = PreviewSite(file, "road", self.live, [recorded(video)], detector, clock, notice)

    def get(self, name: str, **query: str) -> PageAnswer:
        return self.site(PageRequest("GET", name, query))

    def post(self, name: str, values: Any, **query: str) -> PageAnswer:
        return self.site(PageRequest("POST", name, query, json.dumps(values).encode()))

    def answered(self, name: str, **query: str) -> Any:
        answer = self.get(name, **query)
        assert answer.status == HTTPStatus.OK, answer.body
        return json.loads(answer.body)


@pytest.fixture
def asked(config_file: Path, road: Path) -> Iterator[Asked]:
    asked = Asked(config_file, road / "road.mp4")
    thread = threading.Thread(target=asked.live.run)
    thread.start()
    yield asked
    asked.site.close()
    asked.live.stop()
    thread.join(10)


def test_the_page_is_made_of_files_of_the_package(asked: Asked) -> None:
    for name, file in (
        ("", "page.html"),
        ("page.js", "page.js"),
        ("page.css", "page.css"),
        ("icon.svg", "icon.svg"),
    ):
        assert asked.get(name).body == (PAGE / file).read_bytes()


@pytest.mark.parametrize(
    "name", ["../site.py", "page/page.html", "/etc/passwd", "page.html", "PAGE.JS", "draw", "\0"]
)
def test_what_is_not_in_the_table_is_not_there(asked: Asked, name: str) -> None:
    assert asked.get(name).status == HTTPStatus.NOT_FOUND
    assert asked.post("view", {}).status == HTTPStatus.NOT_FOUND


def test_a_picture_comes_behind_what_is_seen_in_it(asked: Asked) -> None:
    body = asked.get("view", after="0").body
    length = int.from_bytes(body[:4])
    head = json.loads(body[4 : 4 + length])

    assert head["seen"]["size"] == [512, 256]
    assert body[4 + length :][:2] == b"\xff\xd8"
    assert asked.get("view", after="much").status == HTTPStatus.BAD_REQUEST


def test_the_drawing_begins_as_the_file_and_stays_where_it_is_when_the_page_comes_again(asked: Asked) -> None:
    began = asked.answered("places")
    assert began["drawn"] == began["file"]
    assert began["file"]["zones"][0]["id"] == "road"
    assert began["footage"] == ["road.mp4"]
    assert (began["notice"], began["mistakes"]) == ("choose another", [])

    drawn = {**began["drawn"], "zones": [*began["drawn"]["zones"], {"id": "new", "polygon": SQUARE}]}
    judged = json.loads(asked.post("draw", drawn).body)
    again = asked.answered("places")

    assert judged["mistakes"] == []
    assert "{id: new, polygon:" in judged["yaml"]
    assert again["drawn"] == drawn
    assert again["file"] == began["file"]


def test_what_is_wrong_is_told_in_the_language_of_the_reader(asked: Asked) -> None:
    drawn = {**asked.answered("places")["drawn"], "privacy_masks": [CROSSED]}
    answered = {
        code: json.loads(asked.post("draw", drawn, lang=code).body)["mistakes"] for code in ("en", "vi")
    }

    assert answered["en"][-1]["path"] == ["privacy_masks", 0]
    assert "cross" in answered["en"][-1]["what"]
    assert "cắt nhau" in answered["vi"][-1]["what"]
    assert asked.answered("words", lang="vi")["language"] == "vi"
    assert asked.answered("words", lang="../vi")["language"] == "en"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"zones": []}', b'{"zones": {}, "rules": [], "privacy_masks": []}', b"\xff",
     b'{"zones": [], "rules": [], "privacy_masks": [], "source": []}',
     b'{"zones": ' + b"[" * 30_000 + b"]" * 30_000 + b', "rules": [], "privacy_masks": []}',
     b'{"zones": ' + b"[" * 700 + b"]" * 700 + b', "rules": [], "privacy_masks": []}'],
    ids=range(9),
)  # fmt: skip
def test_nonsense_changes_nothing(asked: Asked, body: bytes) -> None:
    before = asked.answered("places")
    for name in ("draw", "try"):
        answer = asked.site(PageRequest("POST", name, {}, body))
        assert answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.OK)
        if answer.status == HTTPStatus.OK:
            assert json.loads(answer.body)["mistakes"]
            asked.post("draw", before["drawn"])

    assert asked.answered("places") == before
    assert asked.answered("trial") == {"course": None}


def test_the_file_is_read_again_when_it_was_changed_and_never_written(asked: Asked) -> None:
    text = asked.file.read_text(encoding="utf-8")
    asked.post("draw", {"zones": [], "rules": [], "privacy_masks": [SQUARE]})
    assert asked.file.read_text(encoding="utf-8") == text

    asked.file.write_text(text.replace("the-line", "stop-line"), encoding="utf-8")
    answered = json.loads(asked.post("read", {}).body)
    assert answered["drawn"] == answered["file"]
    assert "stop-line" in answered["yaml"]

    asked.file.write_text("nonsense", encoding="utf-8")
    answer = asked.post("read", {}, lang="vi")
    assert answer.status == HTTPStatus.CONFLICT
    assert set(json.loads(answer.body)) == {"what", "hint"}
    assert asked.answered("places")["drawn"] == answered["drawn"]


def test_what_the_file_hides_since_it_was_read_again_is_hidden_at_once(asked: Asked) -> None:
    def shown(after: int) -> tuple[int, bytes]:
        body = asked.get("view", after=str(after)).body
        length = int.from_bytes(body[:4])
        return json.loads(body[4 : 4 + length]).get("number", after), body[4 + length :]

    number, before = shown(0)
    asked.post("try", {"footage": 0})
    until(lambda: asked.answered("trial")["course"] == "done", 40)
    text = asked.file.read_text(encoding="utf-8")
    masked = text.replace(
        "  - name: road\n", "  - name: road\n    privacy_masks: [[[0, 0], [1, 0], [1, 1], [0, 1]]]\n"
    )
    asked.file.write_text(masked, encoding="utf-8")
    assert json.loads(asked.post("read", {}).body)["mistakes"] == []
    after = b""
    while not after:
        number, after = shown(number)

    assert brightest(before) > 50
    assert brightest(after) == 0, "the first picture after it, and each that follows"
    assert asked.answered("trial") == {"course": None}
    assert asked.get("picture", number="0").status == HTTPStatus.NOT_FOUND


def brightest(jpeg: bytes) -> int:
    """The brightest pixel; 0: all is black."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return int(image.max())


def test_a_trial_tells_the_events_of_what_is_drawn_with_their_pictures(asked: Asked) -> None:
    drawn = asked.answered("places")["drawn"]
    line = {"kind": "line", "id": "drawn-line", "start": [0.6, 0.1], "end": [0.6, 0.9]}
    asked.post("draw", {**drawn, "rules": [line]})
    started = json.loads(asked.post("try", {"footage": 0}).body)
    until(lambda: asked.answered("trial")["course"] == "done", 40)
    answered = asked.answered("trial")

    assert started["course"] in ("running", "done")
    assert [(each["rule"], each["direction"]) for each in answered["events"]] == [("drawn-line", "out")]
    assert asked.get("picture", number="0").body[:2] == b"\xff\xd8"
    assert asked.get("picture", number="1").status == HTTPStatus.NOT_FOUND
    assert asked.get("picture", number="-1").status == HTTPStatus.NOT_FOUND


def test_what_is_wrong_is_not_tried_and_footage_is_chosen_by_its_number_alone(asked: Asked) -> None:
    for number in (1, -1, True, None, "../road.mp4", 1e400):
        assert asked.post("try", {"footage": number}).status == HTTPStatus.BAD_REQUEST
    asked.post("draw", {"zones": [{"id": "x"}], "rules": [], "privacy_masks": []})
    assert asked.post("try", {"footage": 0}).status == HTTPStatus.CONFLICT


def test_what_the_file_hides_stays_hidden_in_a_trial_whatever_is_drawn(config_file: Path) -> None:
    camera = load(config_file).cameras[0]
    masked = masked_as_well(camera, [SQUARE])

    assert masked.privacy_masks == (((0.1, 0.1), (0.4, 0.1), (0.4, 0.6), (0.1, 0.6)),)
