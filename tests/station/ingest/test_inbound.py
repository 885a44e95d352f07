"""station.ingest.inbound"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.errors import WireError
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.channels import CHANNELS
from agent.wire.message import Stored
from agent.wire.payloads import EventPayload
from agent.wire.topics import station_status_topic
from station.ingest.inbound import MessageKind, read
from tests.support.fake_box import an_event
from tests.support.jpegs import jpeg

AT = Instant(1000.0, 1_772_449_447.0)
SENDER = Sender("hai-ninh", "north-01", "north", "boot-1")
BASE = "ngatu/v1/hai-ninh/north-01/"
JPEG = jpeg()


def event_bytes(number: int = 1) -> bytes:
    message = event_messages(an_event(number), SENDER)[0]
    return codec.finish(Stored(5, message, "0" * 64, AT), "s-1", AT)


def test_an_event_is_read_with_its_place_in_the_stream() -> None:
    message = read(BASE + "camera/north/event", event_bytes(), {})

    assert (message.kind, message.camera, message.event_id) == (MessageKind.EVENT, "north", "e-1")
    assert (message.stream, message.seq, message.problem) == ("s-1", 5, None)
    assert isinstance(message.payload, EventPayload)


def test_a_picture_takes_its_place_from_the_user_properties() -> None:
    digest = sha256(JPEG).hexdigest()
    properties = {"seq": "6", "stream": "s-1", "sha256": digest}

    message = read(BASE + "camera/north/image/e-1/thumbnail", JPEG, properties)
    bare = read(BASE + "camera/north/image/e-1/thumbnail", JPEG, {})

    assert (message.image, message.image_sha256, message.image_kind) == (JPEG, digest, "thumbnail")
    assert (message.stream, message.seq, message.event_id) == ("s-1", 6, "e-1")
    assert (bare.stream, bare.seq, bare.image_sha256) == (None, None, digest)


@pytest.mark.parametrize(
    ("raw", "properties"),
    [
        (JPEG, {"sha256": "0" * 64}),
        (b"GIF89a", {}),
        (b"", {}),
        (jpeg(b"x" * (256 * 1024)), {}),
        (JPEG + b"x", {}),
        (JPEG[:-1], {}),
    ],
)
def test_a_damaged_picture_is_a_problem_and_no_picture(raw: bytes, properties: dict[str, str]) -> None:
    message = read(BASE + "camera/north/image/e-1/scene", raw, {"seq": "6", "stream": "s-1", **properties})

    assert message.problem
    assert message.image is None
    assert (message.raw, message.seq) == (raw, 6)


@pytest.mark.parametrize(
    "place",
    [
        "ngatu/v1/hai-ninh/south-01/camera/north",
        "ngatu/v1/hai-an/north-01/camera/north",
        "ngatu/v1/hai-ninh/north-01/camera/south",
    ],
)
def test_a_box_that_speaks_in_the_name_of_another_is_a_problem(place: str) -> None:
    message = read(place + "/event", event_bytes(), {})

    assert message.problem is not None
    assert "names" in message.problem
    assert message.event is None
    assert message.payload is None


def test_an_event_of_a_later_version_keeps_its_place_although_it_cannot_be_read() -> None:
    message = read(BASE + "camera/north/event", event_bytes().replace(b'"1.0"', b'"2.0"'), {})

    assert message.problem is not None
    assert "schema" in message.problem
    assert (message.stream, message.seq) == ("s-1", 5)


def test_a_kind_of_a_later_minor_version_is_read() -> None:
    message = read(BASE + "camera/north/event", event_bytes().replace(b"line_crossed", b"u_turn"), {})

    assert message.event is not None
    assert message.event.kind == "u_turn"


@given(
    st.binary(max_size=64), st.dictionaries(st.sampled_from(["seq", "stream", "sha256"]), st.text(max_size=30))
)
def test_whatever_a_box_sends_is_an_arrival_or_a_wire_error(raw: bytes, properties: dict[str, str]) -> None:
    for channel in CHANNELS:
        suffix = channel.suffix.format(
            camera="north", rule="r-1", event_id="e-1", kind="scene", request_id="q-1", file="f", chunk="0",
            command_id="c-1", verb="reboot", number="1",
        )  # fmt: skip
        try:
            message = read(BASE + suffix, raw, properties)
        except WireError:
            assert channel.sender == "station"
        else:
            assert message.raw == raw


def test_the_station_does_not_take_its_own_status_for_a_box() -> None:
    with pytest.raises(WireError):
        read(station_status_topic("hai-ninh"), codec.station_status("online", "a", "s", AT), {})


def test_a_topic_that_nobody_knows_is_a_problem_that_keeps_its_place() -> None:
    """A newer box must not be left waiting for a receipt that never comes."""
    message = read(BASE + "camera/north/mood", event_bytes(), {})
    bytes_only = read(BASE + "camera/north/mood", JPEG, {"seq": "6", "stream": "s-1"})

    assert message.kind is bytes_only.kind is MessageKind.UNKNOWN
    assert message.problem == "'camera/north/mood' is none of a box's topics"
    assert (message.stream, message.seq) == ("s-1", 5)
    assert (bytes_only.stream, bytes_only.seq, bytes_only.image) == ("s-1", 6, None)


def test_a_file_name_can_be_made_of_an_event_id() -> None:
    assert read(BASE + "camera/north/image/../etc/thumbnail", JPEG, {}).event_id is None
    assert Path(read(BASE + "camera/north/image/../thumbnail", JPEG, {}).event_id or "x").name
