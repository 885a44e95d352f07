"""P53: what the station has signed once is done once, also by a box that has lost what it remembered."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.wire.topics import Topics
from station import command
from station.ingest.settings import SubscriberSettings
from tests.acceptance.faults.stage import Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

TOPICS: Final = Topics("test-commune", "victim-01", "ngatu/v1")


class Desk:
    """Signs orders as `ngatu station command` does, and notes every order that passes the broker."""

    def __init__(self, port: int, key: Ed25519PrivateKey) -> None:
        self._settings, self._key = SubscriberSettings(host="127.0.0.1", port=port, client_id="desk"), key
        self.session = ""
        """The life of the box that it has told of last."""
        self._seen: dict[str, tuple[str, bytes]] = {}
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(TOPICS.below("command/#"), 1), (TOPICS.below("info"), 1)]
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def order(self, number: int, wait_s: float = 0.0) -> str:
        """Give a signed order that may be done within seven days; its id."""
        verb, args = ("ping", {}) if number % 2 else ("set", {"camera": "road", "action": "resume"})
        given = command.send(
            self._settings, TOPICS, verb, args, issuer="trial", life_s=7 * 86400, wait_s=wait_s, key=self._key
        )
        until(lambda: given.id in self._seen, 10, "the order passed the broker")
        return given.id

    def again(self) -> int:
        """Publish every order that has passed once more, as they were; how many."""
        orders = list(self._seen.values())
        for topic, body in orders:
            self._client.publish(topic, body, qos=1).wait_for_publish(10)
        return len(orders)

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/info"):
            self.session = json.loads(message.payload)["session"]
        else:
            name = json.loads(message.payload)["id"]
            self._seen.setdefault(name, (message.topic, message.payload))


@promise(
    "P53", "signed orders come again after the card was changed, put back or doubled, and the journal with it",
    "no order is done twice; each new order is done",
)  # fmt: skip
def again(trial: Trial) -> str:
    """The box's own audit log says what was done; the first answer at the station would hide a second deed."""
    count = trial.size(10, 40, quick=3)
    key, public = Ed25519PrivateKey.generate(), trial.folder / "command.pub"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with playing(trial.folder, more=f"commands: {{key: {public}}}") as (victim, server, _):
        desk = Desk(server.port, key)
        try:
            _begin(victim, desk)
            victim.kill()
            image = shutil.copytree(victim.state, trial.folder / "image")
            _begin(victim, desk)
            for number in range(count):
                desk.order(number, wait_s=20)
            twice = {name: _lost(victim, desk, lose) for name, lose in _losses(victim.state, image).items()}
            twice["doubled"] = _doubled(trial, victim, desk, server.port, public, count)
        finally:
            desk.close()
    measured = ", ".join(f"{name} {again} of {orders}" for name, (again, orders) in twice.items())
    if any(again for again, _ in twice.values()):
        raise Broken(f"done again: {measured}")
    return f"done again: {measured}"


def _losses(state: Path, image: Path) -> dict[str, Callable[[], object]]:
    """What becomes of the card while the box is dead."""

    def damage() -> None:
        (state / "commands.db").write_bytes(b"\xff" * 4096)

    def put_back() -> None:
        shutil.rmtree(state)
        shutil.copytree(image, state)

    return {
        "journal gone": (state / "commands.db").unlink,
        "journal damaged": damage,
        "card put back": put_back,
        "card replaced": lambda: shutil.rmtree(state),
    }


def _lost(victim: Victim, desk: Desk, lose: Callable[[], object]) -> tuple[int, int]:
    """How many of all orders so far are done once more after the loss, and how many there are."""
    victim.kill()
    lose()
    before = _done(victim.state)
    _begin(victim, desk)
    orders = desk.again()
    new = desk.order(orders)
    until(lambda: _done(victim.state)[new], 40, "a new order is done")
    return (_done(victim.state) - before).total() - 1, orders


def _doubled(trial: Trial, victim: Victim, desk: Desk, port: int, public: Path, count: int) -> tuple[int, int]:
    """Two boxes on one card, which take each other's connection away while orders come."""
    victim.kill()
    twin = Victim(trial.folder / "twin", port, more=f"commands: {{key: {public}}}")
    shutil.copytree(victim.state, twin.state)
    before = _done(victim.state)
    _begin(victim, desk)
    try:
        _begin(twin, desk)
        orders = [desk.order(number) for number in range(count)]
        desk.again()
    finally:
        twin.kill()
    victim.kill()
    _begin(victim, desk)
    every = desk.again()
    orders.append(desk.order(0))
    until(lambda: _done(victim.state)[orders[-1]], 40, "a new order is done")
    done = (_done(victim.state) - before) + (_done(twin.state) - before)
    return sum(max(0, times - (name in orders)) for name, times in done.items()), every


def _begin(victim: Victim, desk: Desk) -> None:
    """A life whose session the broker knows."""
    former = desk.session
    victim.start(0, ntp=True)
    until(lambda: desk.session not in ("", former), 40, "the box told its session")


def _done(state: Path) -> Counter[str]:
    """How often each order was done, by the audit log of the card."""
    log = state / "audit.log"
    entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return Counter(entry["id"] for entry in entries if entry["state"] == "done")
