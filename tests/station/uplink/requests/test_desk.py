"""station.uplink.requests.desk"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import URL

from station.uplink.requests.desk import FALSE_ONES
from station.uplink.requests.order import RequestKind
from tests.support.asked_commune import AT, CLOSE, WHOLE, an_alert_with_pictures
from tests.support.asked_requests import PICTURE, DrivenDesk, command, private, signed
from tests.support.jpegs import jpeg
from tests.support.stores import Place
from tests.support.told_events import event_at, picture_of

DIGEST, SCENE = (sha256(each).hexdigest() for each in (CLOSE, WHOLE))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Place]:
    """With an alert and its two pictures."""
    place = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
    with closing(place.open()) as opened:
        opened.commit(an_alert_with_pictures())
        yield place


@pytest.fixture
def desk(store: Place) -> Iterator[DrivenDesk]:
    driven = DrivenDesk(store)
    yield driven
    driven.desk.close()


def test_a_picture_goes_up_between_two_answers_and_stands_in_the_log_before(desk: DrivenDesk) -> None:
    desk.ask(**PICTURE, sha256=DIGEST)

    assert desk.said() == [("accepted", None), ("done", None)] and desk.acked == 1
    assert b"".join(each.data for each in desk.pieces()) == CLOSE
    assert [each.kind for each in desk.put] == ["answer", "piece", "answer"]
    (entry,) = desk.log()
    assert (entry.verb, entry.name, entry.subject) == ("province_request", "Lan (lan)", "north-01/e-1")
    assert entry.address == "province" and entry.details["purpose"] == PICTURE["purpose"]
    assert entry.details["sha256"] == DIGEST and entry.details["answer"] == "accepted"


def test_what_the_configuration_does_not_allow_is_refused_and_written_down(store: Place) -> None:
    driven = DrivenDesk(store, allowed=())
    driven.ask(**PICTURE, sha256=DIGEST)
    driven.desk.close()

    assert driven.said() == [("refused", "not_allowed")] and driven.pieces() == []
    assert driven.log()[0].details["cause"] == "not_allowed"


def test_a_request_that_is_sent_again_is_not_done_again(desk: DrivenDesk) -> None:
    body = desk.ask(**PICTURE, sha256=DIGEST)
    desk.hear(body)
    desk.again()
    desk.hear(body)

    assert len(desk.pieces()) == 1 and len(desk.log()) == 1 and desk.acked == 3


def test_a_request_that_comes_after_its_time_is_refused_also_where_the_journal_was_lost(
    desk: DrivenDesk, store: Place
) -> None:
    body = desk.ask(**PICTURE, sha256=DIGEST)
    desk.desk.close()
    for each in (store.folder / "uplink").glob("requests.db*"):
        each.unlink()
    desk.desk = desk.opened()
    desk.now += timedelta(hours=1)
    desk.put.clear()

    desk.hear(body)

    assert desk.said() == [("refused", "late")] and desk.pieces() == []


def test_what_nobody_has_signed_is_answered_with_nothing_and_noted_a_few_times_an_hour(
    desk: DrivenDesk,
) -> None:
    theft = Ed25519PrivateKey.generate()
    for number in range(3 * FALSE_ONES):
        desk.hear(signed(command(number, **PICTURE, sha256=DIGEST), key=theft))

    assert desk.put == [] and desk.acked == 3 * FALSE_ONES
    assert len(desk.log()) == FALSE_ONES
    assert {each.details["answer"] for each in desk.log()} == {"unsigned"}
    desk.now += timedelta(hours=1)
    desk.hear(b"{}")
    assert len(desk.log()) == FALSE_ONES + 1


def test_another_request_under_a_known_id_is_not_heeded(desk: DrivenDesk) -> None:
    desk.ask(1, **PICTURE, sha256=DIGEST)
    desk.ask(1, **PICTURE, sha256=SCENE)

    assert len(desk.pieces()) == 1 and len(desk.answers()) == 2


def test_with_a_stolen_key_no_more_comes_than_the_days_quota_and_all_of_it_is_in_the_log(store: Place) -> None:
    driven = DrivenDesk(store, more={"requests_per_day": 3})
    for number in range(20):
        driven.ask(number, **PICTURE, sha256=DIGEST)

    assert len(driven.pieces()) == 3
    assert driven.said().count(("refused", "over_quota")) == 3 and len(driven.log()) == 6
    driven.now += timedelta(days=1)
    driven.ask(30, **PICTURE, sha256=DIGEST)
    assert len(driven.pieces()) == 4
    driven.desk.close()


def test_many_that_come_at_once_are_judged_in_their_order(store: Place) -> None:
    driven = DrivenDesk(store, more={"requests_per_day": 2})
    for number in range(4):
        body = signed(command(number, driven.now, **PICTURE, sha256=DIGEST), key=private(driven.key))
        driven.desk.heard("x/command/picture", body, False, lambda: None)
    driven.turn()
    driven.desk.close()

    assert len(driven.pieces()) == 2 and len(driven.log()) == 4


def test_bytes_have_a_quota_of_the_day_too(store: Place) -> None:
    driven = DrivenDesk(store)
    asked = driven.settings.requests
    assert asked is not None
    less = asked.model_construct(**(dict(asked) | {"bytes_per_day": len(CLOSE) + 1}))
    driven.settings = driven.settings.model_copy(update={"requests": less})
    driven.again()
    driven.ask(1, **PICTURE, sha256=DIGEST)
    driven.ask(2, **PICTURE, sha256=DIGEST)
    driven.desk.close()

    assert len(driven.pieces()) == 1 and driven.said()[-1] == ("failed", "over_quota")


def test_what_is_not_written_down_is_not_done_until_it_can_be(
    desk: DrivenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("station.access.log_head.LogHead.advance", _full)
        with pytest.raises(Exception, match="no room"):
            desk.ask(**PICTURE, sha256=DIGEST)
        assert desk.put == []

    desk.turn()
    assert len(desk.pieces()) == 1 and desk.said()[-1] == ("done", None)


def _full(*_: object) -> None:
    raise OSError(28, "no room")


def test_whoever_dies_before_the_outbox_has_it_sends_it_in_the_next_life(desk: DrivenDesk) -> None:
    desk.has_room = False
    desk.ask(**PICTURE, sha256=DIGEST)
    assert desk.said() == [("accepted", None)] and desk.pieces() == []
    desk.has_room, desk.dies = True, True
    with pytest.raises(OSError):
        desk.turn()

    desk.again()
    desk.turn()

    assert len(desk.pieces()) == 1 and desk.said()[-1] == ("done", None) and len(desk.log()) == 1


def test_a_kind_of_a_newer_province_and_words_that_make_no_sense_are_answered(desk: DrivenDesk) -> None:
    body = signed(command(1, desk.now), RequestKind.PICTURE, key=private(desk.key))
    desk.hear(body)
    newer = json.loads(signed(command(2, desk.now), "future", key=private(desk.key)))  # type: ignore[arg-type]
    desk.hear(json.dumps(newer).encode(), "future")

    assert desk.said() == [("refused", "malformed"), ("refused", "not_allowed")]


def test_what_a_box_has_not_sent_yet_is_waited_for_until_the_request_expires(
    desk: DrivenDesk, store: Place
) -> None:
    image, picture = picture_of(jpeg(b"later"), 2, 902)
    never, _ = picture_of(jpeg(b"never"), 3, 903)
    with closing(store.open()) as opened:
        opened.commit([event_at(2, AT, image=image), event_at(3, AT, image=never)])
        desk.ask(2, **(PICTURE | {"event_id": "e-2"}), sha256=image["sha256"])
        desk.ask(3, **(PICTURE | {"event_id": "e-3"}), sha256=never["sha256"])
        assert desk.said() == [("accepted", None), ("accepted", None)] and desk.pieces() == []
        opened.commit([picture])
    for _ in range(4):
        desk.turn()
    assert len(desk.pieces()) == 1 and desk.said()[-1] == ("done", None)

    desk.now += timedelta(hours=1)
    desk.turn()
    assert desk.said()[-1] == ("failed", "not_kept")


def test_what_was_accepted_and_found_no_room_in_its_time_is_not_done_after_it(desk: DrivenDesk) -> None:
    desk.has_room = False
    desk.ask(**PICTURE, sha256=DIGEST)
    desk.has_room = True
    desk.now += timedelta(hours=1)
    desk.turn()

    assert desk.said() == [("accepted", None), ("failed", "late")] and desk.pieces() == []
