"""station.store.digests"""

from __future__ import annotations

import json
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from station.ingest.inbound import read
from station.store.digests import blob_of, blobs_of, digest
from tests.station.ingest.test_receipts import AT, BASE, BOX, messages
from tests.support.fake_box import an_event

LATER = Instant(AT.mono_s + 600, AT.wall_s + 600)


def sent(number: int, seq: int, stream: str, now: Instant) -> bytes:
    message = event_messages(an_event(number), Sender(*BOX, "north", "boot-1"))[0]
    return codec.finish(Stored(seq, message, sha256(message.body).hexdigest(), AT), stream, now)


def of(raw: bytes, suffix: str = "camera/north/event") -> str:
    return digest(read(BASE + suffix, raw, {}))


def test_the_digest_is_that_of_what_lay_in_the_outbox() -> None:
    message = event_messages(an_event(1), Sender(*BOX, "north", "boot-1"))[0]
    stored = Stored(1, message, sha256(message.body).hexdigest(), AT)

    assert of(codec.finish(stored, "s-1", AT)) == stored.sha256
    assert of(codec.finish(stored, "s-2", LATER)) == stored.sha256


def test_other_content_has_another_digest() -> None:
    assert of(sent(1, 1, "s-1", AT)) != of(sent(2, 1, "s-1", AT))


def test_the_order_and_spacing_of_another_programs_json_do_not_matter() -> None:
    document = json.loads(sent(1, 1, "s-1", AT))
    turned = dict(reversed(document.items())) | {"published_at": "2026-03-02T12:00:00.000Z"}

    assert of(json.dumps(turned).encode()) == of(json.dumps(turned | {"seq": 9}, indent=2).encode())
    assert of(json.dumps(turned).encode()) != of(json.dumps(turned | {"camera": "south"}).encode())


def test_a_picture_goes_by_its_bytes_and_into_a_file() -> None:
    event, picture = messages(1, 1, picture=True)
    chunk = read(BASE + "evidence/q-1/film.mp4/0", b"{}", {"stream": "s-1", "seq": "3"})

    assert digest(picture) == picture.image_sha256 == sha256(picture.raw).hexdigest()
    assert blob_of(event) is None
    assert blobs_of([event, picture, chunk]) == {digest(picture): picture.raw, digest(chunk): b"{}"}


@given(st.binary(max_size=200))
def test_whatever_comes_has_a_digest(raw: bytes) -> None:
    assert len(of(raw)) == len(of(b"[" * 40_000)) == 64
