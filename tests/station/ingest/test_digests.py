"""station.ingest.digests"""

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
from tests.station.ingest.test_receipts import AT, BASE, BOX, messages
from tests.support.fake_box import an_event

LATER = Instant(AT.mono_s + 600, AT.wall_s + 600)


def sent(number: int, seq: int, stream: str, now: Instant) -> bytes:
    message = event_messages(an_event(number), Sender(*BOX, "north", "boot-1"))[0]
    return codec.finish(Stored(seq, message, sha256(message.body).hexdigest(), AT), stream, now)


def of(raw: bytes, suffix: str = "camera/north/event") -> str:
    return read(BASE + suffix, raw, {}).digest


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


def test_bytes_go_by_their_hash_even_where_they_look_like_json() -> None:
    picture = messages(1, 1, picture=True)[1]
    chunk = read(BASE + "evidence/q-1/film.mp4/0", b"{}", {"stream": "s-1", "seq": "3"})

    assert picture.digest == picture.image_sha256 == sha256(picture.raw).hexdigest()
    assert chunk.digest == sha256(b"{}").hexdigest()


def test_more_than_the_contract_allows_goes_by_its_bytes() -> None:
    raw = b'{"seq":1,"pad":"%s"}' % bytes(b"x" * codec.MAX_JSON_BYTES)

    assert of(raw) == sha256(raw).hexdigest()


@given(st.binary(max_size=200))
def test_whatever_comes_has_a_digest(raw: bytes) -> None:
    assert len(of(raw)) == len(of(b"[" * 40_000)) == 64
