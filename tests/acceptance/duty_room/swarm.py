"""Many boxes that tell at a steady rate, in one thread of a process of their own: `… .swarm PORT COUNT RATE`.

Each has a connection, an online status and a birth message of its own, numbers its messages and keeps what has
no receipt, which it sends again after half a minute, as a box does. Every event comes with its picture.
A line of the input asks how it stands; "stop" ends the telling, and what is open is still waited for.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Self

import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from tests.acceptance.duty_room.screen_stage import WAIT_S
from tests.support.brokers import until
from tests.support.fake_box import an_event
from tests.support.told_boxes import ToldBox

COMMUNE = "test-commune"
AGAIN_S = 30.0
AT_ONCE = 5
"""Events between two looks at what came."""
ROOM = f"ngatu/v1/{COMMUNE}"
PICTURE = (96, 128, 3)
"""Noise of this size is a JPEG of some 15 kB, as thumbnails are."""


@dataclass
class SwarmFigures:
    """How it stands; waits are those since the last question."""

    events: int = 0
    messages: int = 0
    """Events and pictures, each once."""
    receipted: int = 0
    again: int = 0
    """Sent once more, for no receipt had come."""
    connected: int = 0
    waits_s: list[float] = field(default_factory=list)
    """From a message to its first receipt."""


class SwarmBox:
    """One box."""

    def __init__(self, number: int, port: int, figures: SwarmFigures) -> None:
        self.device = f"box-{number:03}"
        self.open: dict[int, tuple[float, Stored]] = {}
        """What has no receipt, by number, and when it was sent last."""
        self._first_s: dict[int, float] = {}
        self._stream, self._seq, self._figures = f"s-{self.device}", 0, figures
        self._sender = Sender(COMMUNE, self.device, "north", "boot-1", "yolox-nano", "a" * 64)
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, self.device, protocol=paho.MQTTv5)
        self.client.max_inflight_messages_set(200)
        self.client.on_message = self._hear
        self.client.on_connect = self._greet
        self.client.connect("127.0.0.1", port, keepalive=120)

    def _greet(self, client: paho.Client, *_: object) -> None:
        self._figures.connected += 1
        client.subscribe(f"{ROOM}/{self.device}/receipt", 1)
        stated = ToldBox(self.device, time.time(), f"Ngã tư số {self.device[-3:]}", commune=COMMUNE)
        for each in stated.well():
            client.publish(f"{ROOM}/{self.device}/{each.suffix}", each.raw, 1, retain=True)

    def tell(self, number: int) -> None:
        """An event with its picture."""
        made = an_event(number, picture=True)
        assert made.thumbnail is not None
        noise = np.random.default_rng(number).integers(0, 256, PICTURE, dtype=np.uint8)
        self._figures.events += 1
        for message in event_messages(
            replace(made, thumbnail=replace(made.thumbnail, image=noise)), self._sender
        ):
            self._seq += 1
            stored = Stored(self._seq, message, sha256(message.body).hexdigest(), message.at)
            self._figures.messages += 1
            self._first_s[self._seq] = time.monotonic()
            self._send(stored)

    def ask_again(self) -> None:
        """Send once more what has no receipt for long."""
        late_s = time.monotonic() - AGAIN_S
        for sent_s, stored in list(self.open.values()):
            if sent_s < late_s:
                self._figures.again += 1
                self._send(stored)

    def _send(self, stored: Stored) -> None:
        self.open[stored.seq] = time.monotonic(), stored
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = list(codec.properties(stored, self._stream).items())
        body = codec.finish(stored, self._stream, Instant(time.monotonic(), time.time()))
        topic = f"{ROOM}/{self.device}/{stored.message.topic}"
        self.client.publish(topic, body, 1, False, properties)

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        for first, last in json.loads(message.payload)["committed"]:
            for seq in [each for each in self.open if first <= each <= last]:
                del self.open[seq]
                self._figures.receipted += 1
                self._figures.waits_s.append(time.monotonic() - self._first_s.pop(seq))


def main(port: int, count: int, rate: float) -> None:
    """Tell so many events a second, of each box in its turn, until "stop"; answer what is asked."""
    figures = SwarmFigures()
    boxes = [SwarmBox(number, port, figures) for number in range(count)]
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ, None)
    for box in boxes:
        selector.register(box.client.socket(), selectors.EVENT_READ, box)
    began_s, looked_s, is_telling = time.monotonic(), 0.0, True
    while True:
        for key, _ in selector.select(0.01):
            if key.data is not None:
                key.data.client.loop_read(50)
                continue
            # Of two words that came together a buffered reader would keep the second, and nobody would ask it.
            if not (said := os.read(sys.stdin.fileno(), 65536)):
                return
            for word in said.decode().split():
                if word == "stop":
                    is_telling = False
                else:
                    print(json.dumps(asdict(figures)), flush=True)
                    figures.waits_s = []
        if figures.connected < count:
            began_s = time.monotonic()
        due = int((time.monotonic() - began_s) * rate) - figures.events if is_telling else 0
        for _ in range(min(due, AT_ONCE)):  # a machine that cannot keep up tells more slowly, and still listens
            boxes[figures.events % count].tell(figures.events)
        for box in boxes:
            if box.client.want_write():
                box.client.loop_write()
        if time.monotonic() - looked_s > 1:
            looked_s = time.monotonic()
            for box in boxes:
                box.client.loop_misc()
                box.ask_again()


class Swarm:
    """The process, for who plays a trial."""

    def __init__(self, port: int, count: int, rate: float) -> None:
        words = [sys.executable, "-m", "tests.acceptance.duty_room.swarm", str(port), str(count), str(rate)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def figures(self) -> SwarmFigures:
        """How it stands; the waits are those since the last question."""
        self.say("how")
        return self.heard()

    def heard(self) -> SwarmFigures:
        """The next answer."""
        assert self._process.stdout
        return SwarmFigures(**json.loads(self._process.stdout.readline()))

    def until_it_tells(self) -> None:
        """Wait for the first receipts."""
        until(lambda: self.figures().receipted, WAIT_S, "the swarm's first receipts come")

    def stop(self) -> None:
        """Tell nothing new; what has no receipt is still sent again."""
        self.say("stop")

    def say(self, *words: str) -> None:
        """All at once."""
        assert self._process.stdin
        self._process.stdin.write("".join(f"{word}\n" for word in words))
        self._process.stdin.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
