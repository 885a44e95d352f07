"""models.label.site"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.label.test_prefill import BrokenNetwork
from tests.support.brokers import until
from tests.support.label_page import LabelPage, served
from tests.support.labelled import NAMES, pictures

CAR = {"label": "car", "left": 1, "top": 2, "right": 30, "bottom": 40}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelPage]:
    with served(pictures(tmp_path_factory.mktemp("site") / "set")) as made:
        yield made


def test_the_page_and_all_it_needs_are_served_and_no_other_file(page: LabelPage) -> None:
    for name, kind in (
        ("", "text/html"),
        ("main.js", "text/javascript"),
        ("page.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ):
        answer = page.client.get(name)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == "no-store"
        assert "http://" not in answer.text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in answer.text
    for name in (
        "words.py",
        "..%2Fsite.py",
        "..%2F..%2Fcli.py",
        "%2Fetc%2Fpasswd",
        "none.js",
        "docs",
        "openapi.json",
    ):
        assert page.client.get(name).status_code == 404, name


def test_the_whole_set_is_told(page: LabelPage) -> None:
    told_set = page.client.get("set").json()

    assert [each["name"] for each in told_set["pictures"]] == list(NAMES)
    assert told_set["cameras"] == {"cam_00": 2, "cam_01": 2}
    assert told_set["classes"][0] == "motorcycle"


def test_words_come_in_the_reader_s_language(page: LabelPage) -> None:
    assert page.client.get("words", params={"lang": "vi"}).json()["labels"]["motorcycle"] == "xe máy"
    assert page.client.get("words", params={"lang": "xx"}).json()["language"] == "en"


def test_a_sheet_is_saved_over_the_version_that_was_seen_and_no_other(page: LabelPage) -> None:
    number = page.client.get("set").json()["pictures"][0]["id"]

    saved = page.put(number, 0, state="done", boxes=[CAR])
    assert (saved.status_code, saved.json(), saved.headers["etag"]) == (200, {"version": 1}, '"1"')
    stale = page.put(number, 0)
    assert (stale.status_code, stale.json()["version"]) == (412, 1)
    assert stale.json()["boxes"] == [{**CAR, "ignored": False}]
    again = page.client.get(f"pictures/{number}")
    assert (again.json()["state"], again.headers["etag"]) == ("done", '"1"')
    changes = page.client.get("changes", params={"since": 0}).json()
    assert [each["id"] for each in changes["pictures"]] == [number]


@pytest.mark.parametrize(
    "sheet",
    [
        {"boxes": [{**CAR, "right": 641}]}, {"boxes": [{**CAR, "bottom": 2}]}, {"boxes": [{**CAR, "left": -1}]},
        {"boxes": [{**CAR, "label": "tank"}]}, {"boxes": [{**CAR, "more": 1}]}, {"boxes": [{"label": "car"}]},
        {"state": "perhaps"}, {"boxes": [CAR] * 1001}, {"proposals": [CAR]}, {"boxes": 3},
    ],
)  # fmt: skip
def test_what_is_no_label_of_this_picture_is_refused(page: LabelPage, sheet: dict[str, object]) -> None:
    number = page.client.get("set").json()["pictures"][3]["id"]

    assert page.put(number, 0, **sheet).status_code == 422
    assert page.client.get(f"pictures/{number}").json()["version"] == 0


def test_a_change_that_names_no_version_is_refused(page: LabelPage) -> None:
    answer = page.client.put("pictures/1", json={"state": "open", "boxes": [], "proposals": []})

    assert answer.status_code == 428
    assert page.put(999, 0).status_code == 404


def test_pictures_and_tiles_are_sent(page: LabelPage) -> None:
    picture = page.workplace.folder / NAMES[0]
    number = page.client.get("set").json()["pictures"][0]["id"]

    assert page.client.get(f"pictures/{number}/image").content == picture.read_bytes()
    assert page.client.get(f"pictures/{number}/tile").headers["content-type"] == "image/jpeg"
    assert page.client.get("pictures/999/image").status_code == 404


def test_a_picture_that_went_away_is_told(tmp_path: Path) -> None:
    with served(pictures(tmp_path / "set")) as page:
        (tmp_path / "set" / NAMES[0]).unlink()
        answer = page.client.get("pictures/1/image")

    assert (answer.status_code, "cannot be read" in answer.json()["error"]) == (409, True)


def test_what_goes_wrong_beside_the_page_is_told_in_it(tmp_path: Path) -> None:
    with served(pictures(tmp_path / "set"), BrokenNetwork()) as page:
        until(lambda: page.client.get("changes", params={"since": 0}).json()["trouble"] == "the network failed")
