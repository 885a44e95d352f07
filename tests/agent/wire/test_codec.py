"""agent.wire.codec"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.errors import WireError
from agent.wire import codec
from agent.wire.channels import MessageKind, models
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import (
    LARGEST,
    AckBody,
    HealthPayload,
    HelloPayload,
    ReceiptPayload,
    SealPlace,
    StationStatusPayload,
    StatusPayload,
    rfc3339,
)
from tests.support.strategies import instants

AT = Instant(mono_s=5_000.0, wall_s=1_772_449_447.412)
PARSERS = (*(partial(codec.parse, model) for model in models()), codec.says_online)


def stored(body: bytes, content_type: str = codec.JSON, at: Instant = AT) -> Stored:
    message = Message("camera/north/event", body, content_type, Priority.EVENT, at, event_id="e-1")
    return Stored(7, message, "0" * 64, at)


@given(st.binary(max_size=200))
@example(b"")
@example(b"null")
@example(b"[" * 100_000)
@example(b'{"a":' * 10_000)
@example(b'{"id":"' + b"x" * 70_000 + b'"}')
@example(b'{"time":"0001-01-01T00:00:00+23:59","state":"online","session":"a","station":"b"}')
@example(b'{"time":"9999-12-31T23:59:59-23:59","state":"online","session":"a","station":"b"}')
@example(b'{"revision":' + b"9" * 5_000 + b"}")
@example(b'{"cpu_pct":1e999,"time":"2026-01-01T00:00:00Z"}')
def test_random_bytes_give_a_wire_error_or_nothing(payload: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(payload)
        except WireError as error:
            assert len(str(error)) < 2_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "id",
    "seq",
    "stream",
    "time",
    "state",
    "session",
    "committed",
    "images",
    "oldest",
    "since",
    "counts",
    "object",
]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_wrong_json_gives_a_wire_error_or_nothing(value: dict[str, object]) -> None:
    payload = json.dumps(value).encode("utf-8", "surrogatepass")
    for parse in PARSERS:
        try:
            parse(payload)
        except WireError as error:
            assert "speaks schema" in str(error) or "range" in str(error)


def test_a_message_for_the_outbox_has_what_its_channel_says() -> None:
    names = {"camera": "north", "event_id": "e-1", "kind": "scene"}

    made = codec.message(MessageKind.IMAGE, b"jpeg", AT, about="e-1", **names)

    assert made == Message("camera/north/image/e-1/scene", b"jpeg", "image/jpeg", Priority.IMAGE, AT, "e-1")
    begun = codec.message(
        MessageKind.EVENT,
        b"{}",
        AT,
        priority=Priority.UPDATE,
        about="e-1",
        revision=2,
        opens=True,
        closes=True,
        camera="north",
    )
    assert begun == Message(
        "camera/north/event", b"{}", "application/json", Priority.UPDATE, AT, "e-1", 2, opens=True, closes=True
    )


def test_what_never_lies_in_the_outbox_cannot_be_made_for_it() -> None:
    with pytest.raises(AssertionError, match="health"):
        codec.message(MessageKind.HEALTH, b"{}", AT)


def test_finish_puts_in_what_only_the_sending_knows() -> None:
    now = Instant(AT.mono_s + 0.278, AT.wall_s + 0.278)

    fields = json.loads(codec.finish(stored(b'{"id":"e-1"}'), "s-1", now))

    assert fields == {
        "id": "e-1",
        "seq": 7,
        "stream": "s-1",
        "published_at": "2026-03-02T11:04:07.690Z",
        "replayed": False,
    }
    assert json.loads(codec.finish(stored(b"{}"), "s-1", now))["seq"] == 7


def test_finish_leaves_a_picture_as_it_is() -> None:
    assert codec.finish(stored(b"\xff\xd8jpeg", codec.JPEG), "s-1", AT) == b"\xff\xd8jpeg"


@pytest.mark.parametrize(
    ("later_s", "step_s", "replayed"),
    [
        (1.0, 0.0, False),
        (60.0, 0.0, False),
        (61.0, 0.0, True),
        (1.0, 50 * 365 * 86400.0, False),  # the network came and set the clock
        (1.0, -3600.0, False),
        (600.0, -3600.0, True),  # the wall clock says that it lies in the future
        (-4_900.0, 30.0, True),  # an earlier boot
        (90_000.0, 30.0, True),  # an earlier boot that was shorter
    ],
)
def test_old_news_is_marked_whatever_the_wall_clock_does(later_s: float, step_s: float, replayed: bool) -> None:
    now = Instant(AT.mono_s + later_s, AT.wall_s + later_s + step_s)

    assert json.loads(codec.finish(stored(b"{}"), "s-1", now))["replayed"] is replayed


def test_properties_name_the_event_only_where_there_is_one() -> None:
    known = stored(b"{}")

    assert codec.properties(known, "s-1") == {
        "event_id": "e-1",
        "seq": "7",
        "stream": "s-1",
        "sha256": "0" * 64,
        "schema": "1.0",
    }
    assert "event_id" not in codec.properties(
        replace(known, message=replace(known.message, event_id=None)), "s-1"
    )


@given(st.sets(st.integers(0, LARGEST)).map(sorted), instants)
def test_a_receipt_is_read_as_it_was_written(committed: list[int], at: Instant) -> None:
    digests = [(seq, f"{seq:064x}"[::-1]) for seq in committed]
    read = codec.parse(ReceiptPayload, codec.receipt("hai-ninh", "s-1", digests, at, ["a" * 64], 7))

    assert (read.station, read.stream, read.images, read.newest) == ("hai-ninh", "s-1", ("a" * 64,), 7)
    assert read.proofs == tuple((seq, digest[:16]) for seq, digest in digests)
    assert [seq for first, last in read.committed for seq in range(first, last + 1)] == committed


@pytest.mark.parametrize(
    "proofs", ["[[1]]", '[[1,"abc"]]', '[["1","0123456789abcdef"]]', '[[-1,"0123456789abcdef"]]']
)
def test_a_receipt_with_a_wrong_proof_is_refused(proofs: str) -> None:
    payload = f'{{"station":"a","stream":"s","proofs":{proofs},"time":"2026-01-01T00:00:00.000Z"}}'

    with pytest.raises(WireError):
        codec.parse(ReceiptPayload, payload.encode())


@pytest.mark.parametrize(
    "committed", ["[[3,1]]", "[[-1,2]]", "[[1]]", "[[1,2,3]]", "[1]", '[["1","2"]]', "[[1.5,2]]"]
)
def test_a_receipt_with_a_wrong_range_is_refused(committed: str) -> None:
    payload = f'{{"station":"a","stream":"s","committed":{committed},"time":"2026-01-01T00:00:00.000Z"}}'

    with pytest.raises(WireError):
        codec.parse(ReceiptPayload, payload.encode())


def test_the_state_of_a_station_and_what_a_box_holds_are_read_as_they_were_written() -> None:
    station = codec.parse(StationStatusPayload, codec.station_status("online", "hai-ninh", "life", AT))
    hello = codec.parse(HelloPayload, codec.hello("life", "s-1", 3, 9, AT, ("s-0", 4, "c" * 64)))

    assert (station.state, station.station, station.session) == ("online", "hai-ninh", "life")
    assert (station.time, hello.time) == (codec.moment(AT), codec.moment(AT))
    assert hello.seal == SealPlace(stream="s-0", number=4, sha256="c" * 64)


def test_the_station_is_there_only_while_it_says_so() -> None:
    assert codec.says_online(codec.station_status("online", "a", "s", AT))
    assert not codec.says_online(codec.station_status("offline", "a", "s", AT))
    assert not codec.says_online(b"")


@given(instants, st.none() | st.integers(0, LARGEST), st.none() | st.integers(0, LARGEST))
def test_hello_status_and_ack_are_read_as_they_were_written(
    at: Instant, oldest: int | None, newest: int | None
) -> None:
    hello = codec.parse(HelloPayload, codec.hello("life", "s-1", oldest, newest, at))
    status = codec.parse(StatusPayload, codec.status("stopped", "life", at))
    answer = codec.parse(AckBody, codec.ack("c-1", "refused", at, "expired"))

    assert (hello.session, hello.stream, hello.oldest, hello.newest) == ("life", "s-1", oldest, newest)
    assert (status.state, status.session, status.time) == ("stopped", "life", codec.moment(at))
    assert (answer.id, answer.state, answer.detail) == ("c-1", "refused", "expired")


def test_a_reader_ignores_what_it_does_not_know_but_refuses_another_major_version() -> None:
    newer = b'{"schema":"1.7","time":"2026-01-01T00:00:00Z","colour":"blue","disk":{"free_bytes":1,"new":2}}'

    assert codec.parse(HealthPayload, newer).schema_version == "1.7"
    with pytest.raises(WireError, match=r"speaks schema 1\.0"):
        codec.parse(HealthPayload, newer.replace(b"1.7", b"2.0"))


def test_a_payload_above_the_hard_limit_is_not_written() -> None:
    with pytest.raises(WireError) as caught:
        codec.ack("c-1", "done", AT, result={"list": ["x" * 1000] * 70})
    assert caught.value.what == "AckBody of 70305 bytes"
    assert caught.value.hint == "the limit is 65536"


def test_what_is_wrong_with_a_payload_is_told_by_its_first_three_fields() -> None:
    for payload, what in (
        (b'{"id":7,"state":"lost"}', "id: should be a valid string; "
         "state: should be 'accepted', 'done', 'refused' or 'failed'; time: is missing"),
        (b'{"id":7,"state":"lost","result":{},"detail":7}', "id: should be a valid string; "
         "state: should be 'accepted', 'done', 'refused' or 'failed'; time: is missing"),
        (b"[]", "payload: should be an object"),
    ):  # fmt: skip
        with pytest.raises(WireError) as caught:
            codec.parse(AckBody, payload)
        assert caught.value.what == f"AckBody: {what}"
        assert caught.value.hint == "this side speaks schema 1.0"


def test_a_payload_of_the_hard_limit_is_read_and_a_larger_one_is_not() -> None:
    payload = codec.ack("c-1", "done", AT)
    most = payload + b" " * (codec.MAX_JSON_BYTES - len(payload))

    assert codec.parse(AckBody, most).id == "c-1"
    with pytest.raises(WireError) as caught:
        codec.parse(AckBody, most + b" ")
    assert (caught.value.what, caught.value.hint) == ("AckBody: 65537 bytes", "the limit is 65536")


@pytest.mark.parametrize(
    ("wall_s", "text"),
    [
        (-5.0, "1970-01-01T00:00:00.000Z"),
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_772_449_447.4116, "2026-03-02T11:04:07.412Z"),
        (253_402_300_799.999, "2199-12-31T23:59:59.999Z"),
        (1e18, "2199-12-31T23:59:59.999Z"),
    ],
)
def test_every_wall_time_has_a_moment_that_the_wire_bears(wall_s: float, text: str) -> None:
    assert rfc3339(codec.moment(Instant(0.0, wall_s))) == text
