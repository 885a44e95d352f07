"""station.uplink.uplink"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from station.uplink.settings import UplinkSettings
from station.uplink.uplink import BULK_S, MOST_WAITING, SLOW_S
from tests.conftest import SteppedClock
from tests.support.stores import Place
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

            assert [item.raw for item in items(uplink)] == [alert(1).raw] * 2 or len(items(uplink)) == 2
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


def test_seals_and_how_boxes_stand_go_with_the_next_envelope(place: Place) -> None:
    with closing(place.open()) as store, uplink_at(place) as uplink:
        store.commit([a_seal(1, 1), alert(2)])
        uplink.turn()

        assert [item.raw for item in items(uplink, "seal")] == [a_seal(1, 1).raw]
        assert [item.device for item in items(uplink, "box")] == ["north-01"]


def test_the_newest_goes_first(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([alert(number) for number in range(1, 1_501)])
        with uplink_at(place) as uplink:
            assert uplink.turn()
            first = {item.raw for item in items(uplink)}
            assert not uplink.turn()

            assert alert(1_500).event is not None
            ids = {f'"id":"e-{number}"'.encode() for number in range(501, 1_501)}
            assert all(any(each in raw for raw in first) for each in list(ids)[:50])
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
    from tests.support.told_events import status  # noqa: PLC0415

    clock, at = SteppedClock(), datetime.now(UTC)
    with closing(place.open()) as store, uplink_at(place, clock=clock) as uplink:
        for moment, state in ((0, "online"), (1, "online"), (60, "offline")):
            store.commit([status("north-01", state, at + timedelta(seconds=moment))])
            clock.advance(SLOW_S)
            uplink.turn()
            clock.advance(BULK_S)
            uplink.turn()

        assert [b'"offline"' in item.raw for item in items(uplink, "box")] in (
            [False, True],
            [False, False, True],
        )
