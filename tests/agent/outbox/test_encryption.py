"""agent.outbox.encryption, and the outbox that works with it"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import OutboxError
from agent.outbox.encryption import (
    ENCRYPTED,
    LOCKED,
    MORE_BYTES,
    Locked,
    OutboxKey,
    as_put,
    lying_bytes,
    read_key,
    to_lie,
)
from agent.outbox.inspect import export
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.outbox.transaction import cost_bytes
from agent.settings.base import Secret
from agent.wire.message import Message, Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import message, proofs, refusing, start

KEY, OTHER = OutboxKey(bytes(range(32))), OutboxKey(bytes(32))
PICTURES = {f"e{n}": Random(n).randbytes(n * 977 + 300) for n in range(8)}


def picture(event: str, body: bytes) -> Message:
    return message(event, priority=Priority.IMAGE, body=body)


def settings(folder: Path, name: str | None = "key") -> OutboxSettings:
    """With the key of that name, which is made where there is none."""
    if name is None:
        return OutboxSettings(ballast_bytes=0)
    place = folder / name
    if not place.exists():
        place.write_bytes(base64.b64encode(sha256(name.encode()).digest()) + b"\n")
    return OutboxSettings(ballast_bytes=0, key=Secret(file=place))


def fill(box: Outbox) -> None:
    box.put([start("e0"), *(picture(event, body) for event, body in PICTURES.items())])


def taken(box: Outbox, clock: SteppedClock) -> dict[str | None, bytes]:
    """The pictures that are given out."""
    waiting = box.waiting(1000, clock.now())
    return {
        each.message.event_id: each.message.body for each in waiting if each.message.priority == Priority.IMAGE
    }


def on_the_disk(path: Path) -> int:
    """Of how many pictures some bytes can be read in the files of this folder."""
    data = b"".join(each.read_bytes() for each in path.parent.glob("outbox.db*") if each.is_file())
    # At two places, for a page may end in one of them.
    return sum(any(body[len(body) // part :][:24] in data for part in (2, 3)) for body in PICTURES.values())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


# ------------------------------------------------------------------------------------------------- one body


@given(body=st.binary(max_size=5000), priority=st.sampled_from(Priority))
def test_what_is_encrypted_is_read_as_it_was_put_by_its_key_alone(body: bytes, priority: Priority) -> None:
    it, digest = message(priority=priority, body=body), sha256(body).digest()
    lying = to_lie(it, digest, KEY)

    assert len(lying) == lying_bytes(it, KEY)
    assert as_put(lying, digest, KEY) == body
    if priority in ENCRYPTED:
        assert len(lying) == len(body) + MORE_BYTES
        for key in (None, OTHER):
            with pytest.raises(Locked):
                as_put(lying, digest, key)
    else:
        assert lying == body


@given(body=st.binary(max_size=300), at=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_body(body: bytes, at: int, bit: int) -> None:
    digest = sha256(body).digest()
    lying = bytearray(KEY.encrypt(body, digest))
    lying[at % len(lying)] ^= 1 << bit

    try:
        assert as_put(bytes(lying), digest, KEY) is None
    except Locked:
        assert 8 <= at % len(lying) < 16, "only a bit in the name of the key looks like another key"


def test_no_body_stands_in_for_another_and_none_is_encrypted_alike_twice() -> None:
    first, second = b"a picture", b"another"
    lying = KEY.encrypt(first, sha256(first).digest())

    assert as_put(lying, sha256(second).digest(), KEY) is None
    assert len({KEY.encrypt(first, sha256(first).digest()) for _ in range(1000)}) == 1000


def test_what_only_looks_encrypted_is_read_by_its_digest() -> None:
    it = KEY.encrypt(b"x", sha256(b"x").digest())

    assert as_put(it, sha256(it).digest(), None) == it


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read from file"),
        (b"", "cannot be read from file"),
        (b"no base64!\n", "is no key"),
        (base64.b64encode(bytes(16)), "is no key"),
    ],
)
def test_what_is_no_key_is_refused_in_words_that_do_not_show_it(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    place = tmp_path / "key"
    if content is not None:
        place.write_bytes(content)

    with pytest.raises(OutboxError, match=words) as raised:
        read_key(Secret(file=place))
    assert str(place) in raised.value.what
    assert raised.value.hint
    assert not content or content.decode() not in raised.value.what + raised.value.hint


# ------------------------------------------------------------------------------------------------ an outbox


def test_pictures_wait_unreadable_and_go_out_as_they_were_put(path: Path, clock: SteppedClock) -> None:
    for name, readable in ((None, len(PICTURES)), ("key", 0)):
        file = path.with_name(f"with {name}") / path.name
        with closing(Outbox(file, settings(path.parent, name), clock)) as box:
            fill(box)
            assert on_the_disk(file) == readable, "in the file and its log, at work"
            assert box.stats().pictures == ("encrypted" if name else "plain")
        assert on_the_disk(file) == readable, "after a stop"
        with closing(Outbox(file, settings(path.parent, name), clock)) as box:
            assert taken(box, clock) == PICTURES
            assert box.acknowledge(box.stream, proofs(file, (1, 100))) == len(PICTURES) + 1


def test_what_waited_before_there_was_a_key_goes_out_too(path: Path, clock: SteppedClock) -> None:
    with closing(Outbox(path, settings(path.parent, None), clock)) as box:
        fill(box)
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        box.put([picture("new", b"\xff\xd8 new")])

        assert taken(box, clock) == PICTURES | {"new": b"\xff\xd8 new"}


@pytest.mark.parametrize("other", ["another key", None])
def test_pictures_whose_key_is_gone_are_set_apart_once_and_hold_up_nothing(
    path: Path, clock: SteppedClock, other: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        fill(box)
        stream = box.stream
    with closing(Outbox(path, settings(path.parent, other), clock)) as box:
        box.put([start("later")])

        assert [each.message.event_id for each in box.waiting(2, clock.now())] == ["later", "e0"]
        assert taken(box, clock) == {}
        stats = box.stats()
        assert (box.stream, stats.damaged, box.unsaved) == (stream, 0, False)
        assert (stats.pending, stats.quarantined, stats.locked) == (2, len(PICTURES), len(PICTURES))
        assert box.one(2) is None
        for _ in range(2):
            clock.advance(20)
            box.tend()
        assert capsys.readouterr().out.count("pictures_locked") == 1
        assert box.stats().locked == len(PICTURES)
        number, locked = export(path, path.with_name("stick"), clock, OTHER)
        lines = map(json.loads, (path.parent / "stick/messages.jsonl").read_text().splitlines())
    assert (number, locked) == (len(PICTURES) + 2, len(PICTURES))
    assert {line["reason"] for line in lines if line["file"] is None} == {LOCKED}
    with closing(Outbox(path, settings(path.parent), clock)) as box:  # the card is back in its board
        assert taken(box, clock) == PICTURES


def test_one_that_is_asked_for_alone_is_set_apart_too(path: Path, clock: SteppedClock) -> None:
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        fill(box)
    with closing(Outbox(path, settings(path.parent, None), clock)) as box:
        assert box.one(2) is None
        assert box.stats().quarantined == 1


def test_a_flipped_bit_in_an_encrypted_picture_is_damage(path: Path, clock: SteppedClock) -> None:
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        fill(box)
    with closing(sqlite3.connect(path)) as db:
        db.execute("update message set body = cast(substr(body, 1, 100) || x'00' as blob) where seq = 3")
        db.commit()
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        assert taken(box, clock) == {event: body for event, body in PICTURES.items() if event != "e1"}
        assert box.stats().damaged == 1


@pytest.mark.parametrize("key_is_here", [True, False])
def test_of_a_damaged_or_forked_file_all_comes_again_whose_key_is_here(
    path: Path, clock: SteppedClock, key_is_here: bool
) -> None:
    name = "key" if key_is_here else "another key"
    for how in ("damaged", "forked"):
        file = path.with_name(how) / path.name
        with closing(Outbox(file, settings(path.parent), clock)) as box:
            fill(box)
            stream = box.stream
        if how == "damaged":
            data = file.read_bytes()
            file.write_bytes(data[:100] + b"\xff" * 8 + data[108:])
        with closing(Outbox(file, settings(path.parent, name), clock)) as box:
            if how == "forked":
                box.acknowledge(stream, [], newest=1000)
            (salvaged,) = box.salvaged()

            assert box.stream != stream
            assert taken(box, clock) == (PICTURES if key_is_here else {})
            assert [each.event_id for each in box.open_events()] == ["e0"]
            assert salvaged.locked == (0 if key_is_here else len(PICTURES))
            assert salvaged.messages == 1 + (len(PICTURES) if key_is_here else 0) + (how == "forked")
            assert ("whose key is not here" in str(salvaged)) is not key_is_here
            assert on_the_disk(file) == 0
        kept = [each for each in file.parent.glob("*.1") if each.is_file()]
        assert bool(kept) is not (how == "forked" and key_is_here), "for a week, or until it is erased"


def test_what_came_while_the_disk_took_nothing_is_encrypted_when_it_does(
    path: Path, clock: SteppedClock
) -> None:
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        with refusing(path):
            fill(box)
            assert box.condition().in_memory
        clock.advance(20)
        box.tend()
        assert box.condition().in_memory is None
        assert on_the_disk(path) == 0
        assert taken(box, clock) == PICTURES


def test_without_the_key_that_is_configured_nothing_is_lost_and_it_is_told(
    path: Path, clock: SteppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = OutboxSettings(ballast_bytes=0, key=Secret(file=path.with_name("gone")))
    with closing(Outbox(path, gone, clock)) as box:
        fill(box)

        assert taken(box, clock) == PICTURES
        assert box.stats().pictures == "key_missing"
    assert "outbox_key_missing" in capsys.readouterr().out


def test_the_bound_of_the_outbox_counts_what_lies_in_the_file(path: Path, clock: SteppedClock) -> None:
    with closing(Outbox(path, settings(path.parent), clock)) as box:
        fill(box)
        with closing(sqlite3.connect(path)) as db:
            lengths = [length for (length,) in db.execute("select length(body) from message")]

        assert sum(lengths) == sum(map(len, PICTURES.values())) + len(PICTURES) * MORE_BYTES + len(
            start("e0").body
        )
        assert box.stats().bytes == sum(map(cost_bytes, lengths))


@pytest.fixture(autouse=True)
def _quiet(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    capsys.readouterr()
