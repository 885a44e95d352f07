"""station.store.current_state"""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256

from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.wire import codec
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import Carried
from station.ingest.inbound import InboundMessage, read
from tests.station.ingest.test_receipts import AT, BASE, hello, messages
from tests.support.stores import Place

HEALTH = b'{"schema":"1.0","time":"2026-03-02T11:04:07.412Z","cpu_pct":%d}'


def status(state: str, session: str, wall_s: float = 1_772_449_447.0) -> InboundMessage:
    return read(BASE + "status", codec.status(state, session, Instant(1.0, wall_s)), {})  # type: ignore[arg-type]


def camera_status(state: str, since: str) -> InboundMessage:
    raw = f'{{"state":"{state}","since":"{since}","reason":"cut"}}'.encode()
    return read(BASE + "camera/north/status", raw, {})


def test_a_box_stands_as_it_said_last_and_each_change_is_kept_once(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([status("online", "a"), status("online", "a")])
        store.commit([status("online", "a")])
        assert place.rows("select state from box") == [("online",)]
        store.commit([status("stopped", "a")])

    assert place.rows("select state, state_session from box") == [("stopped", "a")]
    assert place.rows("select state from box_status order by id") == [("online",), ("stopped",)]


def test_an_old_will_does_not_make_a_box_offline_even_after_a_restart(sqlite_place: Place) -> None:
    for message in (status("online", "b"), status("offline", "a")):
        with closing(sqlite_place.open()) as store:
            store.commit([message])
    assert sqlite_place.rows("select state from box") == [("online",)]
    with closing(sqlite_place.open()) as store:
        store.commit([status("offline", "b")])
    assert sqlite_place.rows("select state from box") == [("offline",)]


def test_of_a_batch_the_last_word_of_each_box_and_camera_counts_and_every_change_is_kept(place: Place) -> None:
    other = [BASE.replace("north-01", "north-02") + word for word in ("health", "camera/north/status")]
    state = b'{"state":"lost","since":"2026-03-02T11:00:00Z","reason":"cut"}'
    with closing(place.open()) as store:
        store.commit(
            [
                read(BASE + "health", HEALTH % 1, {}),
                camera_status("lost", "2026-03-02T11:00:00Z"),
                read(other[0], HEALTH % 7, {}),
                read(other[1], state, {}),
                camera_status("streaming", "2026-03-02T11:01:00Z"),
                read(BASE + "health", HEALTH % 2, {}),
            ]
        )

    rows = place.rows("select device, health from box order by device")
    assert rows == [("north-01", (HEALTH % 2).decode()), ("north-02", (HEALTH % 7).decode())]
    found = place.rows("select box_id, name, state from camera order by box_id")
    assert [row[1:] for row in found] == [("north", "streaming"), ("north", "lost")]
    assert place.rows("select count(*) from camera_status") == [(3,)]


def test_the_latest_health_and_info_are_kept_as_they_came(sqlite_place: Place) -> None:
    info = (
        b'{"commune":"hai-ninh","device":"north-01","session":"a","time":"2026-03-02T11:04:07Z","versions":{}}'
    )
    with closing(sqlite_place.open()) as store:
        store.commit([read(BASE + "health", HEALTH % 1, {}), read(BASE + "info", info, {})])
        store.commit([read(BASE + "health", HEALTH % 2, {})])

    assert sqlite_place.rows("select health, info from box") == [((HEALTH % 2).decode(), info.decode())]


def test_a_camera_stands_as_it_said_last_and_each_change_is_kept_once(place: Place) -> None:
    first, second = "2026-03-02T11:04:07.412Z", "2026-03-02T11:09:07.412Z"
    with closing(place.open()) as store:
        store.commit([camera_status("streaming", first), camera_status("streaming", first)])
        store.commit([camera_status("lost", second)])

    assert place.rows("select name, state from camera") == [("north", "lost")]
    assert place.rows("select state, reason from camera_status order by id") == [
        ("streaming", "cut"),
        ("lost", "cut"),
    ]


def test_a_hello_tells_what_the_box_still_holds(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([hello(4, 9)])
        assert sqlite_place.rows("select name, oldest, newest from stream") == [("s-1", 4, 9)]
        store.commit([hello(None, 9)])
        assert sqlite_place.rows("select oldest, newest from stream") == [(10, 9)]


def test_an_outbox_that_was_put_back_is_told(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store, capture_logs() as lines:
        store.commit(messages(1, 9))
        store.commit([hello(None, 9)])
        assert not lines
        store.commit([hello(None, 5)])

    (line,) = lines
    assert (line["event"], line["newest"], line["committed"]) == ("stream_went_back", 5, 9)


def test_a_hello_that_knows_less_than_came_is_not_believed(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([*messages(1, 9), hello(4, 9)])
        store.commit([hello(2, 5)])

    assert sqlite_place.rows("select oldest, newest from stream") == [(4, 9)]


def alarms(place: Place) -> list[tuple[object, ...]]:
    return place.rows("select kind, count from alarm where closed_ms is null")


def test_a_session_that_speaks_again_after_another_is_a_second_holder(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([status("online", "a", 1_772_449_400.0)])
        store.commit([status("online", "a", 1_772_449_410.0), status("online", "b", 1_772_449_420.0)])
        assert alarms(place) == [], "a restart"
        store.commit([status("online", "a", 1_772_449_400.0), status("online", "b", 1_772_449_420.0)])
        assert alarms(place) == [], "the broker gives again what it has no answer to"
        store.commit([status("online", "a", 1_772_449_430.0)])
        store.commit([status("online", "b", 1_772_449_440.0)])

    assert alarms(place) == [("second_holder", 2)]


def test_a_stream_that_the_box_calls_forked_is_an_alarm(sqlite_place: Place) -> None:
    carried = Carried(stream="s-1", newest=9, seqs=((5, 6),), forked=True)
    body = codec.seal("s-2", 1, None, [], [], AT, carried)
    message = Message(codec.CHAIN, body, codec.JSON, Priority.COUNT, AT)
    stored = Stored(1, message, sha256(body).hexdigest(), AT)
    with closing(sqlite_place.open()) as store:
        store.commit([read(BASE + codec.CHAIN, codec.finish(stored, "s-2", AT), {})])

    assert alarms(sqlite_place) == [("outbox_went_back", 1)]


def test_what_tells_of_a_copied_card_stands_for_a_day(sqlite_place: Place) -> None:
    now_s = [1_772_449_500.0]
    with closing(sqlite_place.open(now=lambda: now_s[0])) as store:
        store.commit([status("online", "a", 1.0), status("online", "b", 2.0), status("online", "a", 3.0)])
        now_s[0] += 86_000
        store.attend()
        assert alarms(sqlite_place) == [("second_holder", 1)]
    now_s[0] += 500
    with closing(sqlite_place.open(now=lambda: now_s[0])) as store:
        store.attend()

    assert alarms(sqlite_place) == []
