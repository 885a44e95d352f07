"""station.uplink.uplink"""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from agent.core.types import Instant
from agent.mqtt.packets import packet_bytes, publish_properties
from agent.wire import codec
from agent.wire.codec import BYTES
from agent.wire.message import Message, Priority
from station.uplink.settings import UplinkSettings
from station.uplink.uplink import BULK_S, MOST_BULK, MOST_REQUESTED, MOST_WAITING, SLOW_S, Uplink
from tests.conftest import SteppedClock
from tests.support.asked_commune import CLOSE, an_alert_with_pictures
from tests.support.asked_requests import PICTURE, DrivenDesk, command, private, signed
from tests.support.stores import Place
from tests.support.street_events import street_events
from tests.support.told_events import status
from tests.support.uplinks import a_seal, alert, envelopes, items, uplink_at


def test_an_alert_goes_up_at_once_in_the_bytes_that_the_box_sent(place: Place) -> None:
    first, second = alert(1, revision=1, lasts_s=None), alert(1, seq=2, revision=2)
    with closing(place.open()) as store:
        store.commit([first, second])
        with uplink_at(place) as uplink:
            assert not uplink.turn()

            assert {item.raw for item in items(uplink)} == {first.raw, second.raw}
            assert {each.commune for each in envelopes(uplink)} == {"hai-ninh"}


def test_the_same_never_goes_up_twice_also_not_after_a_restart(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([alert(1)])
        for _ in range(2):
            with uplink_at(place) as uplink:
                uplink.turn()
                uplink.turn()
                assert len(items(uplink)) == 1


def test_whoever_dies_between_outbox_and_note_sends_it_again_and_loses_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    with closing(place.open()) as store:
        store.commit([alert(1)])
        with uplink_at(place) as uplink, monkeypatch.context() as patch:
            patch.setattr("station.uplink.handed.HandedBook.note", cut)
            with pytest.raises(PowerCut):
                uplink.turn()
        with uplink_at(place) as uplink:
            uplink.turn()

            first, second = items(uplink)
            assert first == second
        with uplink_at(place) as uplink:
            uplink.turn()
            assert len(items(uplink)) == 2


def test_what_comes_late_under_an_old_number_goes_up_too(place: Place) -> None:
    with closing(place.open()) as store, uplink_at(place) as uplink:
        store.commit([alert(7), alert(9)])
        uplink.turn()
        store.commit([alert(8)])
        uplink.turn()

        assert len(items(uplink)) == 3


@pytest.mark.parametrize("wanted", [False, True])
def test_events_of_severity_info_go_up_by_their_end_where_they_are_wanted(place: Place, wanted: bool) -> None:
    clock = SteppedClock()
    with closing(place.open()) as store:
        settings = UplinkSettings(shard="s01", info_events=wanted)
        with uplink_at(place, settings, clock) as uplink:
            store.commit(
                [alert(1, severity="info", lasts_s=None), alert(1, seq=2, revision=2, severity="info")]
            )
            uplink.turn()
            assert items(uplink) == []  # it waits for more of its kind
            clock.advance(BULK_S)
            uplink.turn()

            assert [b'"phase":"end"' in item.raw for item in items(uplink)] == [True] * wanted


def test_how_boxes_stand_goes_up_at_once_and_seals_with_others_of_their_kind(place: Place) -> None:
    clock = SteppedClock()
    with closing(place.open()) as store, uplink_at(place, clock=clock) as uplink:
        store.commit([a_seal(1, 1), alert(2)])
        uplink.turn()
        assert [item.device for item in items(uplink, "box")] == ["north-01"]
        assert items(uplink, "seal") == []
        clock.advance(BULK_S)
        uplink.turn()

        assert [item.raw for item in items(uplink, "seal")] == [a_seal(1, 1).raw]


@pytest.mark.long
def test_the_newest_goes_first(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([alert(number) for number in range(1, 1_501)])
        with uplink_at(place) as uplink:
            assert uplink.turn()
            first = {json.loads(item.raw)["id"] for item in items(uplink)}
            assert not uplink.turn()

            assert first == {f"e-{number}" for number in range(501, 1_501)}
            assert len(items(uplink)) == 1_500


def test_while_the_province_is_away_the_rest_waits_in_the_store(place: Place) -> None:
    clock = SteppedClock()
    with closing(place.open()) as store, uplink_at(place, clock=clock) as uplink:
        for number in range(1, MOST_WAITING + 11):
            store.commit([alert(number)])
            clock.advance(1)
            uplink.turn()
        stats = uplink.outbox.stats()
        assert MOST_WAITING <= stats.pending <= MOST_WAITING + 3
        handed = len(items(uplink))
        assert handed < MOST_WAITING + 10

        now = clock.now()
        waiting = uplink.outbox.waiting(1_000, now)
        uplink.outbox.acknowledge(uplink.outbox.stream, [(each.seq, each.sha256[:16]) for each in waiting])
        uplink.turn()

        assert handed + len(items(uplink)) == MOST_WAITING + 10


@pytest.mark.long
def test_where_nothing_but_alerts_is_taken_alerts_go_up_and_the_rest_waits_and_is_not_lost(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.uplink.uplink.MOST_GATHERED", 3)
    clock, settings = SteppedClock(), UplinkSettings(shard="s01", info_events=True)
    with closing(place.open()) as store, uplink_at(place, settings, clock) as uplink:
        number = 0
        while uplink.outbox.stats().pending < MOST_BULK or number % 20:  # none of it is receipted
            number += 1
            store.commit([alert(number, severity="info")])
            clock.advance(BULK_S)
            uplink.turn()
        bulk = len(items(uplink))
        assert uplink.outbox.stats().pending == MOST_BULK and bulk < number - 3
        store.commit([alert(900)])
        uplink.turn()

        assert [json.loads(item.raw)["id"] for item in items(uplink) if b'"alert"' in item.raw] == ["e-900"]
        waiting = uplink.outbox.waiting(1_000, clock.now())
        uplink.outbox.acknowledge(uplink.outbox.stream, [(each.seq, each.sha256[:16]) for each in waiting])
        for _ in range(4):
            clock.advance(BULK_S)
            uplink.turn()

        assert bulk + len(items(uplink)) == number


def test_another_outbox_than_the_one_it_was_handed_to_gets_everything(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([alert(1)])
        with uplink_at(place) as uplink:
            uplink.turn()
        for name in ("outbox.db", "outbox.db-wal"):
            (place.folder / "uplink" / name).unlink(missing_ok=True)
        with uplink_at(place) as uplink:
            uplink.turn()

            assert len(items(uplink)) == 1


def test_a_box_is_told_again_when_it_stands_otherwise_and_not_before(place: Place) -> None:
    clock, at = SteppedClock(), datetime.now(UTC)
    with closing(place.open()) as store, uplink_at(place, clock=clock) as uplink:
        for moment, state in ((0, "online"), (1, "online"), (60, "offline")):
            store.commit([status("north-01", state, at + timedelta(seconds=moment))])
            clock.advance(SLOW_S)
            uplink.turn()

        assert [b'"offline"' in item.raw for item in items(uplink, "box")] in (
            [False, True],
            [False, False, True],
        )


def sent_bytes(uplink: Uplink) -> int:
    """Of everything that waits, with topic and properties, as MQTT carries it."""
    stream, now = uplink.outbox.stream, Instant(time.monotonic(), time.time())
    found = 0
    for each in uplink.outbox.waiting(1_000, now):
        topic = f"ngatu-up/v1/s01/hai-ninh/{each.message.topic}"
        user = publish_properties(each.message.content_type, None, codec.properties(each, stream))
        found += packet_bytes(topic, codec.finish(each, stream, now), user)
    return found


def cost_of(place: Place, number: int, at_once: int, *, alerts: bool) -> float:
    """Bytes of link for one event, seals included, where so many come between two envelopes."""
    clock, cost = SteppedClock(), 0
    settings = UplinkSettings(shard="s01", info_events=True)
    messages = list(street_events(number, round(clock.now().wall_s * 1000), alerts=alerts))
    with closing(place.open()) as store, uplink_at(place, settings, clock) as uplink:
        for at in range(0, len(messages), 2 * at_once):
            store.commit(messages[at : at + 2 * at_once])
            uplink.turn()
            clock.advance(BULK_S)
            uplink.turn()
            cost += sent_bytes(uplink)
            waiting = uplink.outbox.waiting(1_000, clock.now())
            uplink.outbox.acknowledge(uplink.outbox.stream, [(each.seq, each.sha256[:16]) for each in waiting])
    return cost / number


def test_an_event_of_severity_info_costs_at_most_200_bytes_of_link(sqlite_place: Place) -> None:
    """Of a commune with 42 cameras of 300 events a day each: 44 in five minutes."""
    cost = cost_of(sqlite_place, 440, 44, alerts=False)

    print(f"bytes of link for an event of severity info: {cost:.0f}")
    assert cost <= 200


def test_a_lone_alert_costs_less_than_its_bytes(sqlite_place: Place) -> None:
    cost = cost_of(sqlite_place, 40, 1, alerts=True)

    print(f"bytes of link for a lone alert, its start and its end: {cost:.0f}")
    assert cost <= 1_500


@pytest.mark.long
def test_a_day_without_the_province_costs_the_outbox_next_to_nothing_and_loses_nothing(
    sqlite_place: Place,
) -> None:
    """By time and by volume: 24 hours of alerts, half an hour at each step."""
    clock, place = SteppedClock(), sqlite_place
    messages = list(street_events(2_400, round(clock.now().wall_s * 1000), alerts=True))
    step = len(messages) // 48
    seen, largest = set[bytes](), 0
    with closing(place.open()) as store:
        with uplink_at(place, clock=clock) as uplink:
            for at in range(0, len(messages), step):
                store.commit(messages[at : at + step])
                clock.advance(1_800)
                while uplink.turn():
                    pass
                largest = max(largest, uplink.outbox.stats().bytes)
            assert uplink.outbox.stats().pending <= MOST_WAITING + 4
        with uplink_at(place, clock=clock) as uplink:  # the province is there again, after a restart
            for _ in range(20):
                while uplink.turn():
                    pass
                seen |= {item.raw for item in items(uplink)}
                waiting = uplink.outbox.waiting(1_000, clock.now())
                uplink.outbox.acknowledge(
                    uplink.outbox.stream, [(each.seq, each.sha256[:16]) for each in waiting]
                )
                clock.advance(BULK_S)

    assert {message.raw for message in messages} - seen == set()
    assert largest <= 16 << 20


def test_a_station_that_was_restored_from_a_backup_tells_what_is_new_and_lacks_nothing(
    sqlite_place: Place,
) -> None:
    place, file = sqlite_place, Path(str(sqlite_place.url.database))
    ids = set[str]()

    def told_ids() -> None:
        with uplink_at(place) as uplink:
            uplink.turn()
            ids.update(json.loads(item.raw)["id"] for item in items(uplink))

    with closing(place.open()) as store:
        store.commit([alert(1)])
    backup = file.read_bytes()
    with closing(place.open()) as store:
        store.commit([alert(2), alert(3)])
        told_ids()
    for each in file.parent.glob("station.db*"):
        each.unlink()
    file.write_bytes(backup)
    with closing(place.open()) as store:
        store.commit([alert(3), alert(4)])  # the box holds the one still, and the other is new
        told_ids()

    assert ids == {"e-1", "e-2", "e-3", "e-4"}


def asked_for(place: Place, *, number: int = 1) -> tuple[DrivenDesk, bytes]:
    """A desk that allows pictures, and a request for one that the store has."""
    driven = DrivenDesk(place)
    fields = PICTURE | {"sha256": sha256(CLOSE).hexdigest()}
    at = datetime.now(UTC)
    driven.now = at
    return driven, signed(command(number, at, **fields), key=private(driven.key))


def test_what_is_requested_goes_behind_what_goes_up_by_itself(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(an_alert_with_pictures())
        driven, body = asked_for(place)
        with uplink_at(place, requests=driven.desk) as uplink:
            driven.desk.heard("x/command/picture", body, False, lambda: None)
            uplink.turn()

            kinds = [[item.kind for item in each.items] for each in envelopes(uplink)]
            assert kinds[-1] == ["piece"] and "event" in kinds[0]
            assert [each for each in kinds if "answer" in each] == [["answer"], ["answer"]]


def test_where_much_waits_nothing_more_is_sent_on_request_and_alerts_still_are(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit(an_alert_with_pictures())
        driven, body = asked_for(place)
        with uplink_at(place, requests=driven.desk) as uplink:
            now = Instant(0.0, 0.0)
            uplink.outbox.put([Message("chain", b"{}", BYTES, Priority.COUNT, now)] * MOST_REQUESTED)
            driven.desk.heard("x/command/picture", body, False, lambda: None)
            uplink.turn()

            assert items(uplink, "event") and items(uplink, "answer") and not items(uplink, "piece")


def test_a_request_that_cannot_be_served_holds_up_nothing_else(place: Place) -> None:
    with closing(place.open()) as store:
        driven, body = asked_for(place)
        with uplink_at(place, requests=driven.desk) as uplink:
            with closing(sqlite3.connect(place.folder / "uplink" / "requests.db")) as other:
                other.execute("drop table request")
            store.commit([alert(1)])
            driven.desk.heard("x/command/picture", body, False, lambda: None)
            uplink.turn()

            assert len(items(uplink)) == 1
