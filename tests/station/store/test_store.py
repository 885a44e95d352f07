"""station.store.store, with station.store.writer and station.store.id_cache behind it"""

from __future__ import annotations

import json
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from itertools import permutations

import pytest
from sqlalchemy import text
from sqlalchemy.event import listen
from structlog.testing import capture_logs

from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from station.config import QuotaSettings
from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, MessageKind, read
from station.store.database import StoreError, engine_of
from station.store.pictures.rows import KeptPictures
from station.store.store import Store
from tests.station.ingest.test_receipts import AT, BASE, BOX, hello, messages
from tests.support.fake_box import an_event
from tests.support.jpegs import jpeg
from tests.support.kept_pictures import pictures_on
from tests.support.stores import Place

JPEG = jpeg(b"a picture")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with closing(place.open()) as opened:
        yield opened


def altered(arrival: InboundMessage, **fields: object) -> InboundMessage:
    """The same message with other content."""
    raw = json.dumps(json.loads(arrival.raw) | fields, separators=(",", ":")).encode()
    return read(BASE + arrival.suffix, raw, {})


def sent_again(arrival: InboundMessage) -> InboundMessage:
    """As the box sends it a minute later."""
    return altered(arrival, published_at="2026-03-02T12:00:00.000Z", replayed=True)


def revisions(*numbers: int) -> list[InboundMessage]:
    """Messages of one event, with a picture in the first only."""
    found = []
    for number in numbers:
        event = replace(an_event(1, picture=number == 1), revision=number)
        message = event_messages(event, Sender(*BOX, "north", "boot-1"))[0]
        stored = Stored(number, message, sha256(message.body).hexdigest(), AT)
        found.append(read(BASE + message.topic, codec.finish(stored, "s-1", AT), {}))
    return found


def bytes_by(suffix: str, raw: bytes, seq: int | None = None) -> InboundMessage:
    properties = {} if seq is None else {"stream": "s-1", "seq": str(seq)}
    return read(BASE + suffix, raw, properties)


def test_a_commit_is_there_for_everyone_when_it_returns(store: Store, place: Place) -> None:
    """Invariant 1."""
    event, picture = messages(1, 1, picture=True)

    store.commit([event, picture])

    assert place.rows("select seq, kind from message order by seq") == [(1, "event"), (2, "image")]
    (row,) = place.rows("select event_id, revision, kind, phase, label, thumbnail_sha256 from event")
    assert row == ("e-1", 1, "line_crossed", "start", "motorcycle", picture.image_sha256)
    assert place.rows("select body from event_revision") == [(event.raw.decode(),)]
    assert place.rows("select event_id, kind, sha256 from picture") == [
        ("e-1", "thumbnail", picture.image_sha256)
    ]
    assert store.committed(*BOX, "s-1") == [(1, 2)]


def test_a_full_disk_is_one_clear_error_and_nothing_is_kept(sqlite_place: Place) -> None:
    """Invariant 1."""
    with closing(sqlite_place.open()) as store:
        store.commit(messages(1, 1))
        with sqlite_place.engine.connect() as connection:  # the pool has one connection: the store's
            pages = connection.scalar(text("pragma page_count"))
            connection.execute(text(f"pragma max_page_count = {pages}"))
        batch = [one for number in range(2, 200) for one in messages(number, number)]
        with pytest.raises(StoreError, match=r"station\.db: database or disk is full") as caught:
            store.commit(batch)

        assert "free some space" in caught.value.hint
        assert "select" not in str(caught.value).lower()
        assert sqlite_place.rows("select count(*) from message") == [(1,)]
        assert store.committed(*BOX, "s-1") == [(1, 1)]
        with sqlite_place.engine.connect() as connection:
            connection.execute(text("pragma max_page_count = 1000000"))
        store.commit(batch)
        assert store.committed(*BOX, "s-1") == [(1, 199)]


def test_a_picture_lies_on_the_disk_before_it_has_a_row(sqlite_place: Place) -> None:
    """Invariant 2."""
    _, picture = messages(1, 1, picture=True)
    blobs = sqlite_place.folder / "blobs"
    with closing(sqlite_place.open()) as store:
        sqlite_place.do("create trigger t before insert on blob begin select raise(fail, 'broken'); end")
        store.commit([picture])  # the database refuses its row
        assert pictures_on(blobs) == {picture.image_sha256: picture.raw}
        assert sqlite_place.rows("select count(*) from picture") == [(0,)]

        shutil.rmtree(blobs)
        blobs.write_bytes(b"in the way")
        with pytest.raises(StoreError, match=r"station\.db: (Not a directory|File exists)"):
            store.commit(messages(2, 3, picture=True))
        assert sqlite_place.rows("select max(seq) from message") == [(2,)]


def test_what_a_failure_left_without_a_row_is_gone_once_the_next_picture_is_kept(sqlite_place: Place) -> None:
    """Invariant 2."""
    _, refused = messages(1, 1, picture=True)
    _, kept = messages(2, 3, picture=True)
    with closing(sqlite_place.open()) as store:
        sqlite_place.do("create trigger t before insert on blob begin select raise(fail, 'broken'); end")
        store.commit([refused])
        sqlite_place.do("drop trigger t")

        store.commit([kept])

    assert pictures_on(sqlite_place.folder / "blobs") == {kept.image_sha256: kept.raw}


def test_what_a_crash_left_without_a_row_is_cut_off_at_the_start(place: Place) -> None:
    """Invariant 2."""
    first, second = messages(1, 1, picture=True)[1], messages(2, 3, picture=True)[1]
    with closing(place.open()) as store:
        store.commit([first])
        store.commit([second])
    for table in ("picture", "blob"):
        place.do(f"delete from {table} where sha256 = '{second.image_sha256}'")

    with closing(place.open()), capture_logs() as lines:
        pass
    with closing(place.open()) as store:
        assert pictures_on(place.folder / "blobs") == {first.image_sha256: first.raw}
        store.commit([messages(3, 5, picture=True)[1]])

    assert len(pictures_on(place.folder / "blobs")) == 2
    assert lines == []


def test_a_start_asks_for_no_more_however_many_pictures_there_are(sqlite_place: Place) -> None:
    def asked() -> int:
        engine, statements = engine_of(sqlite_place.url), list[str]()
        listen(engine, "before_cursor_execute", lambda *words: statements.append(words[2]))
        Store(engine, sqlite_place.folder).close()
        return len(statements)

    with closing(sqlite_place.open()) as store:
        store.commit(messages(1, 1, picture=True))
    before = asked()
    with closing(sqlite_place.open()) as store:
        for number in range(2, 40):
            store.commit(messages(number, 2 * number, picture=True))

    assert asked() == before


def test_a_picture_that_went_lost_is_kept_anew_when_its_message_comes_again(place: Place) -> None:
    """As a restore replays it out of the journal."""
    batch = messages(1, 1, picture=True)
    with closing(place.open()) as store:
        store.commit(batch)
        shutil.rmtree(place.folder / "blobs")
        store.commit(batch)
        store.compare(batch)

        kept = KeptPictures(place.engine, place.folder / "blobs")
        assert kept.read(str(batch[1].image_sha256)) == batch[1].raw
        assert place.rows("select count(*) from message") == [(2,)]


def test_what_comes_twice_is_kept_once_and_is_no_conflict(store: Store, place: Place) -> None:
    """Invariant 3: the same numbers after a lost receipt, and new ones after the box lost its outbox."""
    event, picture = messages(1, 1, picture=True)
    store.commit([event, picture])

    store.compare([sent_again(event), picture])
    store.commit([sent_again(event)])
    store.commit([altered(event, stream="s-2", seq=7)])

    assert place.rows("select count(*) from event_revision") == [(1,)]
    assert place.rows("select count(*) from picture") == [(1,)]
    assert place.rows("select count(*) from conflict") == [(0,)]
    assert store.committed(*BOX, "s-2") == [(7, 7)]


def test_a_restart_doubles_nothing(sqlite_place: Place) -> None:
    """Invariant 3."""
    batch = messages(1, 1, picture=True)
    for _ in range(2):
        with closing(sqlite_place.open()) as store:
            store.commit(batch)
            assert store.committed(*BOX, "s-1") == [(1, 2)]

    assert sqlite_place.rows("select count(*) from message") == [(2,)]


def test_one_number_with_two_contents_is_a_conflict_and_both_are_kept(store: Store, place: Place) -> None:
    """Invariant 4: an outbox that was put back gives its numbers out again."""
    (first,), (other,) = messages(1, 1), messages(2, 1)
    store.commit([first])

    with capture_logs() as lines:
        store.compare([other])
        store.compare([sent_again(other)])

    assert place.rows("select key_kind, key, body from conflict") == [("seq", "s-1/1", other.raw)]
    logged = [(line["event"], line["box"], line.get("key", line.get("kind"))) for line in lines]
    assert logged[:2] == [
        ("conflict", "hai-ninh/north-01", "s-1/1"),
        ("alarm_opened", "hai-ninh/north-01", "outbox_went_back"),
    ]
    assert place.rows("select event_id from event order by event_id") == [("e-1",), ("e-2",)]
    assert place.rows("select digest from message") == place.rows(
        "select digest from event_revision where event_id = 'e-1'"
    )


def test_one_revision_with_two_contents_is_a_conflict_and_the_first_stays(store: Store, place: Place) -> None:
    """Invariant 4."""
    (event,) = messages(1, 1)
    forged = altered(event, seq=2, severity="info")
    store.commit([event, forged])

    assert place.rows("select key_kind, key from conflict") == [("revision", "e-1/1")]
    assert place.rows("select severity from event") == [("alert",)]
    assert place.rows("select seq from event_revision") == [(1,)]
    assert store.committed(*BOX, "s-1") == [(1, 2)]


def test_two_pictures_under_one_number_are_a_conflict(store: Store, place: Place) -> None:
    """Invariant 4."""
    first, other = (bytes_by("camera/north/image/e-1/scene", jpeg(word), 5) for word in (b"1", b"2"))
    store.commit([first, other])

    assert place.rows("select sha256, body from conflict") == [(other.image_sha256, None)]
    assert {row[0] for row in place.rows("select sha256 from picture")} == {
        first.image_sha256,
        other.image_sha256,
    }


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_an_event_shows_its_highest_revision_and_the_last_picture_named(
    sqlite_place: Place, order: tuple[int, ...]
) -> None:
    """Invariant 5."""
    messages = revisions(*order)
    with closing(sqlite_place.open()) as store:
        store.commit(messages[:1])
        store.commit(messages[1:])

    (row,) = sqlite_place.rows("select revision, thumbnail_revision, thumbnail_sha256 is not null from event")
    assert row == (3, 1, 1)
    assert sqlite_place.rows("select revision from event_revision order by revision") == [(1,), (2,), (3,)]


def test_what_cannot_be_read_is_kept_with_topic_bytes_and_reason(store: Store, place: Place) -> None:
    """Invariant 6."""
    event = bytes_by("camera/north/event", b"\x00\xff not json", 1)
    picture = bytes_by("camera/north/image/e-1/scene", b"GIF89a", 2)
    unheard = bytes_by("camera/north/mood", b'{"mood":"good"}', 3)
    health = bytes_by("health", b"{}")

    store.commit([event, picture, unheard, health, health])
    store.commit([health, bytes_by("health", b"")])

    rows = place.rows("select suffix, raw, seq, received_count from quarantine order by id")
    assert rows == [
        ("camera/north/event", b"\x00\xff not json", 1, 1),
        ("camera/north/image/e-1/scene", b"GIF89a", 2, 1),
        ("camera/north/mood", b'{"mood":"good"}', 3, 1),
        ("health", b"{}", None, 3),
    ]
    assert all(reason for (reason,) in place.rows("select reason from quarantine"))
    assert store.committed(*BOX, "s-1") == [(1, 3)]


def test_one_message_that_the_database_refuses_holds_up_no_other(store: Store, place: Place) -> None:
    """Invariant 6, by a value that this database is told to refuse."""
    if place.url.drivername == "sqlite":
        place.do(
            "create trigger t before insert on event when new.label = 'refused' "
            "begin select raise(fail, 'no such label'); end"
        )
    else:
        place.do("alter table event add constraint no_such_label check (label is distinct from 'refused')")
    batch = [one for number in (1, 2, 3) for one in messages(number, number)]
    document = json.loads(batch[1].raw)
    batch[1] = altered(batch[1], object=document["object"] | {"label": "refused"})
    assert batch[1].problem is None

    store.commit(batch)

    assert place.rows("select event_id from event order by event_id") == [("e-1",), ("e-3",)]
    (row,) = place.rows("select seq, reason, raw from quarantine")
    assert row[0] == 2
    assert row[1].startswith("the database refuses it: ")
    assert row[2] == batch[1].raw
    assert store.committed(*BOX, "s-1") == [(1, 3)]


def test_numbers_are_known_after_their_messages_were_deleted(place: Place) -> None:
    """Invariant 7."""
    batch = [one for number in (1, 2, 4) for one in messages(number, number)]
    with closing(place.open()) as store:
        store.commit(batch)
    for table in ("event", "event_revision", "message"):
        place.do(f"delete from {table}")

    with closing(place.open()) as store:
        assert store.committed(*BOX, "s-1") == [(1, 2), (4, 4)]
        store.compare(batch)
        assert place.rows("select count(*) from message") == [(0,)]


def test_a_gap_is_told_when_it_lasts_and_closed_when_it_is_filled(place: Place) -> None:
    """Invariant 8."""
    with closing(place.open(gap_after_s=0)) as store, capture_logs() as lines:
        for number in (1, 4):
            store.commit(messages(number, number))
        store.attend()
        assert place.rows("select count(*) from gap") == [(0,)]
        store.attend()
        gap = "select first, last, missing, state, closed_ms is null from gap"
        assert place.rows(gap) == [(2, 3, 2, "open", True)]
        store.commit(messages(2, 2))
        store.attend()
        assert place.rows(gap) == [(2, 3, 1, "open", True)]
        store.commit(messages(3, 3))
        store.attend()
        assert place.rows(gap) == [(2, 3, 0, "filled", False)]

    logged = [(line["event"], line["first"], line["last"]) for line in lines if line["event"].startswith("gap")]
    assert logged == [("gap_found", 2, 3), ("gap_filled", 2, 3)]


def test_what_the_box_has_no_more_is_gone(place: Place) -> None:
    """Invariant 8: also what a wiped store of this station had receipted."""
    with closing(place.open(gap_after_s=0)) as store:
        store.commit([hello(4, 6), *messages(6, 6)])
        store.attend()
        store.attend()
        assert place.rows("select first, last, state from gap") == [(1, 5, "open")]
        for number in (4, 5):
            store.commit(messages(number, number))
        store.attend()
        assert place.rows("select first, last, missing, state from gap") == [(1, 5, 3, "gone")]


def test_holes_of_pictures_that_came_without_numbers_are_no_gaps(place: Place) -> None:
    """Invariant 8, over MQTT 3.1.1."""
    with closing(place.open(gap_after_s=0)) as store:
        for number, seq in ((1, 1), (2, 3)):
            event, picture = messages(number, seq, picture=True, properties=False)
            store.commit([event, picture])
            store.compare([picture])
        store.attend()
        store.attend()

    assert place.rows("select unnumbered from stream") == [(2,)]
    assert place.rows("select count(*) from gap") == [(0,)]


def test_counts_and_answers_are_kept_and_footage_is_in_no_table_of_its_own(store: Store, place: Place) -> None:
    posted = {"seq": 1, "stream": "s-1", "published_at": "2026-03-02T11:00:00.000Z"}
    count = posted | {
        "schema": "1.0", "commune": BOX[0], "device": BOX[1], "camera": "north", "clock": {"state": "ntp"},
        "rule": "the-line", "start_time": "2026-03-02T10:00:00.000Z", "end_time": "2026-03-02T10:05:00.000Z",
        "duration_s": 300, "counts": {"car": {"in": 3}},
    }  # fmt: skip
    ack = posted | {"seq": 2, "id": "c-1", "state": "done", "time": "2026-03-02T11:00:00.000Z"}
    store.commit(
        [
            bytes_by("camera/north/count/the-line", json.dumps(count).encode()),
            bytes_by("ack/c-1", json.dumps(ack).encode()),
            bytes_by("evidence/q-1/film.mp4/0", b"\x00\x01\x02", 3),
            bytes_by("evidence/q-1/film.mp4/1", b"\x03"),
            bytes_by("camera/north/snapshot", JPEG, 4),
        ]
    )

    assert place.rows("select camera, rule, end_ms - start_ms from count_interval") == [
        ("north", "the-line", 300_000)
    ]
    assert place.rows("select kind, suffix from other_message order by seq") == [
        ("ack", "ack/c-1"),
    ]
    assert place.rows("select suffix, reason from quarantine order by suffix") == [
        ("evidence/q-1/film.mp4/1", "it has no number, so it cannot be receipted"),
    ]
    assert place.rows("select event_id, kind from picture") == [("", "snapshot")]
    assert store.committed(*BOX, "s-1") == [(1, 4)]


def test_footage_that_nobody_asked_for_is_kept_as_unreadable_and_counts_as_that(
    store: Store, place: Place
) -> None:
    admitted = store.admitted([bytes_by("evidence/q-1/film.mp4/0", b"x" * 900, 3)])
    store.commit(admitted)

    assert place.rows("select suffix, reason from quarantine") == [
        ("evidence/q-1/film.mp4/0", "nobody here asked for footage q-1")
    ]
    assert place.rows("select unreadable_bytes > 900 from daily_usage") in ([(1,)], [(True,)])


def test_the_numbers_of_one_box_say_nothing_about_another(store: Store, place: Place) -> None:
    (event,) = messages(1, 1)
    store.commit([event])
    raw = event.raw.replace(b"north-01", b"south-01")
    store.commit([read("ngatu/v1/hai-ninh/south-01/camera/north/event", raw, {})])

    assert place.rows("select device from box order by device") == [("north-01",), ("south-01",)]
    assert place.rows("select count(*) from event") == [(2,)]
    assert store.committed("hai-ninh", "south-01", "s-1") == [(1, 1)]
    assert place.rows("select count(*) from conflict") == [(0,)]


def test_an_alarm_is_told_once_when_it_opens_and_once_when_it_is_over(store: Store, place: Place) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            store.raise_alarm(AlarmKind.PICTURES_MISSING, None, "204 pictures")
            store.raise_alarm(AlarmKind.QUOTA, BOX, "1 message", 2)
        store.close_alarm(AlarmKind.QUOTA, BOX)
        store.close_alarm(AlarmKind.QUOTA, BOX)

    logged = [(line["event"], line["kind"], line.get("box")) for line in lines]
    assert logged == [
        ("alarm_opened", "pictures_missing", None), ("alarm_opened", "quota", "hai-ninh/north-01"),
        ("alarm_closed", "quota", "hai-ninh/north-01"),
    ]  # fmt: skip
    assert place.rows("select count from alarm order by id") == [(3,), (6,)]


@pytest.mark.long
def test_it_grows_by_no_more_than_the_quota_and_the_rest_comes_on_another_day(place: Place) -> None:
    """Invariant 9."""
    now_s = [1_772_449_447.0]
    quota = QuotaSettings(messages_per_day=1000)
    (event,) = messages(1, 1)
    many = [altered(event, seq=seq, id=f"e-{seq}") for seq in range(1, 1101)]
    with closing(place.open(now=lambda: now_s[0], quota=quota)) as store:
        for _ in range(2):
            admitted = store.admitted(many)
            store.commit([message for message in admitted if message.seq not in dict.fromkeys(seqs(place))])
        assert store.refuses(*BOX, MessageKind.EVENT, 1)
    assert len(seqs(place)) == 950

    with closing(place.open(now=lambda: now_s[0], quota=quota)) as store:
        assert store.admitted(many) == []
        now_s[0] += 86_400
        assert len(store.admitted(many)) == 950
        assert not store.refuses(*BOX, MessageKind.EVENT, 1)


def seqs(place: Place) -> list[int]:
    return [seq for (seq,) in place.rows("select seq from message")]


def test_contradictions_fill_neither_the_database_nor_the_folder(place: Place) -> None:
    """Invariant 9: the same number, ever another picture."""
    suffix = "camera/north/image/e-1/thumbnail"
    quota = QuotaSettings(unreadable_bytes_per_day=3 * 17_500)
    with closing(place.open(quota=quota)) as store:
        store.commit(store.admitted([bytes_by(suffix, JPEG, seq=1)]))
        for number in range(20):
            store.compare([bytes_by(suffix, jpeg(bytes([number]) * 9_000), seq=1)])
            store.compare([bytes_by(suffix, JPEG, seq=1)])

    assert len(pictures_on(place.folder / "blobs")) == 1 + 3
    assert place.rows("select count(*) from conflict") == [(3,)]
    assert place.rows("select messages, refused from daily_usage") == [(4, 17)]


def test_a_picture_that_comes_again_after_it_was_deleted_by_its_age_is_not_kept(place: Place) -> None:
    """Its number is taken, and no row would ever name it."""
    _, picture = messages(1, 1, picture=True)
    with closing(place.open()) as store:
        store.commit([picture])
        place.do("delete from picture")
        place.do("delete from blob")
        shutil.rmtree(place.folder / "blobs")
        store.compare([picture])
        store.commit([picture, *messages(2, 5)])

        assert pictures_on(place.folder / "blobs") == {}
        assert place.rows("select count(*) from event") == [(1,)]


def test_a_disk_that_is_full_in_the_middle_of_a_picture_costs_no_other_one(sqlite_place: Place) -> None:
    """The system's own limit for a file, which takes the first bytes of what is written and not the rest."""
    large = [_picture(number, b"%d" % number * 100_000) for number in range(1, 9)]
    with closing(sqlite_place.open()) as store:
        store.commit(large)
        segment = sqlite_place.folder / "blobs" / "segments" / "00000001.segment"
        whole, limits = segment.stat().st_size, resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 5_000, limits[1]))
            with pytest.raises(StoreError):
                store.commit([_picture(9, b"nine" * 5_000)])
            assert segment.stat().st_size == whole + 5_000
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, before)
        assert store.committed(*BOX, "s-1") == [(1, 8)]
        store.commit([_picture(9, b"nine" * 5_000)])
        assert store.committed(*BOX, "s-1") == [(1, 9)]

    names = {row[0] for row in sqlite_place.rows("select sha256 from blob")}
    assert len(names) == 9
    assert pictures_on(sqlite_place.folder / "blobs").keys() == names


def _picture(number: int, words: bytes) -> InboundMessage:
    data = jpeg(words)
    properties = {"stream": "s-1", "seq": str(number), "sha256": sha256(data).hexdigest()}
    return read(f"{BASE}camera/north/image/e-{number}/thumbnail", data, properties)
