"""station.look.folder"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from agent.core.types import Instant
from agent.errors import NgatuError
from agent.wire import codec
from agent.wire.payloads import AckBody
from station.look.folder import LookFacts, LookFolder, pictures_of
from tests.support.jpegs import jpeg

FACTS = LookFacts("hai-ninh", "hai-ninh-03", "north", "Lan <b>", "case 12")


def user(number: int, data: bytes, **more: str) -> dict[str, str]:
    known = {"number": str(number), "time": at(time.time()), "sha256": sha256(data).hexdigest()}
    return {**known, **more}


def at(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, UTC).isoformat()


def answer(*pictures: bytes, **more: Any) -> AckBody:
    digest = codec.pictures_sha256(sha256(data).hexdigest() for data in pictures)
    body = codec.ack(
        "cmd-1", "done", Instant(0.0, 1e9), None, {"sent": len(pictures), "pictures_sha256": digest}
    )
    added = {"seq": 1, "stream": "s-1", "published_at": "2026-03-02T11:04:07.412Z"}
    return codec.parse(AckBody, json.dumps({**json.loads(body), **added, **more}).encode())


def test_the_page_shows_the_newest_while_it_lasts_and_all_at_its_end(tmp_path: Path) -> None:
    folder = LookFolder(tmp_path / "look", FACTS)
    assert 'http-equiv="refresh"' in folder.page.read_text()
    pictures = [jpeg(shade) for shade in (b"dark", b"bright")]
    for number, data in enumerate(pictures, 1):
        assert folder.add(data, user(number, data))
    page = folder.page.read_text()
    assert ('src="0002.jpg"' in page, 'src="0001.jpg"' in page) == (True, False)
    assert "Lan &lt;b&gt;" in page

    assert folder.end(answer(*pictures))
    page = folder.page.read_text()
    assert ('src="0001.jpg"' in page, "refresh" in page) == (True, False)
    noted = json.loads((tmp_path / "look/look.json").read_text())
    assert (noted["officer"], noted["purpose"], noted["complete"]) == ("Lan <b>", "case 12", True)
    assert [each["sha256"] for each in noted["pictures"]] == [sha256(data).hexdigest() for data in pictures]
    assert (tmp_path / "look/0001.jpg").read_bytes() == pictures[0]


def test_only_whoever_looked_may_read_it(tmp_path: Path) -> None:
    folder = LookFolder(tmp_path / "look", FACTS)
    data = jpeg(b"dark")
    folder.add(data, user(1, data))

    assert folder.path.stat().st_mode & 0o077 == 0
    assert all(each.stat().st_mode & 0o077 == 0 for each in folder.path.iterdir())


def test_what_is_no_picture_of_the_box_is_not_kept(tmp_path: Path) -> None:
    folder = LookFolder(tmp_path / "look", FACTS)
    data = jpeg(b"dark")
    for bad, props in (
        (b"<script>", user(1, b"<script>")),
        (data, user(1, b"another")),
        (data, user(1, data) | {"number": "../../x"}),
        (data, {"sha256": sha256(data).hexdigest()}),
    ):
        assert not folder.add(bad, props)

    assert (folder.damaged, folder.pictures) == (4, [])
    assert [each.name for each in folder.path.iterdir()] == ["index.html"]


def test_a_box_that_sends_more_or_larger_pictures_than_were_asked_for_fills_no_disk(tmp_path: Path) -> None:
    folder = LookFolder(tmp_path / "look", FACTS, most=pictures_of(2, 0.5))
    data = jpeg(b"dark")
    kept = [number for number in (*range(40), 999_999) if folder.add(data, user(number, data))]
    large = data[:-2] + bytes(300_000) + data[-2:]

    assert kept == [1, 2]
    assert not folder.add(large, user(1, large))
    assert sorted(each.name for each in folder.path.glob("*.jpg")) == ["0001.jpg", "0002.jpg"]


def test_a_picture_that_comes_twice_is_one_and_a_missing_one_is_told(tmp_path: Path) -> None:
    folder = LookFolder(tmp_path / "look", FACTS)
    first, second = jpeg(b"dark"), jpeg(b"bright")
    assert folder.add(first, user(1, first))
    assert folder.add(first, user(1, first))

    assert len(folder.pictures) == 1
    assert not folder.end(answer(first, second))
    assert not LookFolder(tmp_path / "other", FACTS).end(None)
    assert not (tmp_path / "other").exists(), "without a picture nothing stays"


def test_a_folder_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="cannot be made: File exists"):
        LookFolder(tmp_path, FACTS)


def test_a_picture_that_was_held_up_is_kept_and_never_shown_as_what_is_now(tmp_path: Path) -> None:
    now = [1_800_000_000.0]
    folder = LookFolder(tmp_path / "look", FACTS, now_s=lambda: now[0])
    pictures = [jpeg(shade) for shade in (b"dark", b"grey", b"bright")]
    for number, taken_s, came_s in ((1, 0.0, 0.5), (2, 1.0, 13.0), (3, 12.5, 13.2)):
        now[0] = 1_800_000_000.0 + came_s
        data = pictures[number - 1]
        assert folder.add(data, user(number, data, time=at(1_800_000_000.0 + taken_s)))
        page = folder.page.read_text()
        assert ('src="0002.jpg"' in page, folder.newest and folder.newest.number) == (
            False,
            1 if number < 3 else 3,
        )

    assert folder.end(answer(*pictures)), "it is a picture that the box sent all the same"
    noted = json.loads((tmp_path / "look/look.json").read_text())
    assert [each["late"] for each in noted["pictures"]] == [False, True, False]
    assert 'src="0002.jpg"' in folder.page.read_text(), "when it is over, each has its time beside it"


@pytest.mark.parametrize("gap_s", [0.5, 10.0])
def test_where_nothing_comes_any_more_the_last_picture_is_not_shown_as_what_is_now(
    tmp_path: Path, gap_s: float
) -> None:
    now = [1_800_000_000.0]
    folder = LookFolder(tmp_path / "look", FACTS, gap_s=gap_s, now_s=lambda: now[0])
    data = jpeg(b"dark")
    folder.turn()
    assert "no picture yet" in folder.page.read_text()
    folder.add(data, user(1, data, time=at(now[0])))
    now[0] += gap_s + 4.9
    folder.turn()
    assert 'src="0001.jpg"' in folder.page.read_text()
    now[0] += 0.2
    folder.turn()
    page = folder.page.read_text()
    assert ('src="0001.jpg"' in page, "nothing has come since" in page) == (False, True)

    folder.add(data, user(2, data, time=at(now[0])))
    assert 'src="0002.jpg"' in folder.page.read_text()
