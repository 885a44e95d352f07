"""station.uplink.requests.pictures"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import URL

from station.store.blobs import BLOBS
from station.uplink.requests.effect import RequestPart
from station.uplink.requests.order import RequestReason
from station.uplink.requests.pictures import PictureEffect
from tests.support.asked_commune import AT, CLOSE, WHOLE, an_alert_with_pictures
from tests.support.asked_requests import PICTURE, as_read, command
from tests.support.jpegs import jpeg
from tests.support.stores import Place
from tests.support.told_events import COMMUNE, event_at, picture_of

DIGEST, SCENE = (sha256(each).hexdigest() for each in (CLOSE, WHOLE))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Place]:
    """An alert with its two pictures, and another event with one of its own."""
    place = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
    image, picture = picture_of(jpeg(b"second"), 2, 902)
    with closing(place.open()) as opened:
        opened.commit([*an_alert_with_pictures(), event_at(2, AT, image=image), picture])
        yield place


def part(
    store: Place, digest: str = DIGEST, commune: str = COMMUNE, most: int = 10**6, **args: str
) -> RequestPart:
    request = as_read(command(1, **(PICTURE | args), sha256=digest))
    return PictureEffect(store.engine, store.folder, commune, most).part(request, "")


def test_either_picture_of_the_event_is_sent_whole(store: Place) -> None:
    for digest, data in ((DIGEST, CLOSE), (SCENE, WHOLE)):
        found = part(store, digest)
        assert found.is_last and found.reason is None and found.size_bytes == len(data)
        assert [(each.name, each.sha256) for each in found.files] == [("picture.jpg", digest)]


def test_only_a_picture_that_this_event_of_this_box_and_commune_names_is_sent(store: Place) -> None:
    second = sha256(jpeg(b"second")).hexdigest()

    assert part(store, second).reason is RequestReason.NO_PICTURE
    assert part(store, second, event_id="e-2").reason is None
    assert part(store, event_id="e-9").reason is RequestReason.NO_EVENT
    assert part(store, device="north-02").reason is RequestReason.NO_EVENT
    assert part(store, commune="mong-cai").reason is RequestReason.NO_EVENT
    assert part(store, "f" * 64).reason is RequestReason.NO_PICTURE


def test_a_picture_of_an_earlier_message_is_sent_also_after_a_better_one(store: Place) -> None:
    better, picture = picture_of(jpeg(b"better"), 1, 960)
    with closing(store.open()) as opened:
        opened.commit([event_at(1, AT, seq=77, revision=2, severity="alert", image=better), picture])

    assert part(store).reason is None and part(store, better["sha256"]).reason is None


def test_a_picture_that_is_gone_or_too_large_is_told_so(store: Place) -> None:
    assert part(store, most=len(CLOSE) - 1).reason is RequestReason.TOO_LARGE
    for each in (store.folder / BLOBS / "segments").iterdir():
        each.unlink()
    gone = part(store)
    assert (gone.is_last, gone.reason, gone.items) == (True, RequestReason.NOT_KEPT, ())
