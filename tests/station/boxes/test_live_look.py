"""station.boxes.live_look"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from agent.wire import codec
from agent.wire.payloads import AckBody
from agent.wire.verbs import LOOK_OLDEST_S
from station.boxes import live_look
from station.boxes.live_look import HEARS_S, LiveLook
from tests.support.brokers import until
from tests.support.jpegs import jpeg

NOW_S = 1_795_860_000.0


class Looked:
    def __init__(self, most: int = 61) -> None:
        self.now_s = NOW_S
        self.it = LiveLook(0.5, most, lambda: self.now_s)

    def add(self, number: int, taken_s: float | None = None, **more: Any) -> bytes:
        data = jpeg(b"%d" % number)
        time = datetime.fromtimestamp(self.now_s if taken_s is None else taken_s, UTC).isoformat()
        self.it.add(data, {"number": str(number), "time": time, "sha256": sha256(data).hexdigest()} | more)
        return data


def ack(result: dict[str, Any]) -> AckBody:
    return AckBody(id="x", state="done", time=datetime.fromtimestamp(NOW_S, UTC), result=result)


def test_a_picture_is_taken_once_and_then_held_no_more() -> None:
    look = Looked()
    first = look.add(1)
    assert look.it.ask().newest == 1
    taken = look.it.take(1)
    assert taken is not None
    assert taken.data == first
    assert look.it.take(1) is None
    assert (look.it.ask().newest, look.it.ask().came) == (None, 1)


def test_a_newer_picture_takes_the_place_of_one_that_nobody_took() -> None:
    look = Looked()
    look.add(1)
    look.add(2)
    assert look.it.ask().newest == 2
    assert look.it.take(1) is None


def test_what_is_not_what_the_box_sent_is_not_shown() -> None:
    look = Looked()
    look.add(1, sha256="0" * 64)
    look.add(62)
    look.it.add(b"<svg>", {"number": "3"})
    look.it.add(jpeg(), {"number": "-1"})
    look.it.add(jpeg(), {})
    found = look.it.ask()
    assert (found.damaged, found.came, found.newest) == (5, 0, None)


def test_a_picture_that_was_held_up_is_not_shown_as_what_is_now() -> None:
    look = Looked()
    look.add(1)
    look.it.take(1)
    look.now_s += LOOK_OLDEST_S + 3
    assert look.it.ask().waits
    look.add(2, taken_s=NOW_S + 0.5)
    found = look.it.ask()
    assert (found.late, found.newest, found.waits) == (1, None, True)
    look.add(3)
    assert (look.it.ask().newest, look.it.ask().waits) == (3, False)


def test_whoever_asks_no_more_looks_no_more() -> None:
    look = Looked()
    look.now_s += HEARS_S
    assert not look.it.is_deserted
    look.now_s += 0.1
    assert look.it.is_deserted
    look.it.ask()
    assert not look.it.is_deserted


def test_at_the_end_it_says_whether_all_came_that_the_box_sent() -> None:
    look = Looked()
    digests = [sha256(look.add(number)).hexdigest() for number in (2, 1)]
    assert look.it.ask().complete is None
    look.it.end(ack({"pictures_sha256": codec.pictures_sha256(reversed(digests))}))
    assert look.it.ask().complete is True
    other = Looked()
    other.add(1)
    other.it.end(ack({"pictures_sha256": "0" * 64}))
    assert other.it.ask().complete is False
    silent = Looked()
    silent.it.end(None)
    assert silent.it.ask().complete is None


def test_what_nobody_takes_is_dropped_after_the_end(monkeypatch: Any) -> None:
    monkeypatch.setattr(live_look, "LINGER_S", 0.05)
    look = Looked()
    look.add(1)
    look.it.end(None)
    until(lambda: look.it.ask().newest is None, 5)


def test_a_picture_that_comes_twice_counts_once() -> None:
    look = Looked()
    look.add(1)
    look.add(1)
    assert look.it.ask().came == 1
