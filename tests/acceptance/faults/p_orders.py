"""P13: what the station orders is done once, and only while it holds."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import paho.mqtt.client as paho

from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Receiver, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

TREE = "ngatu/v1/test-commune/victim-01/command"
FOREIGN = "ngatu/v1/test-commune/somebody-else/command"
RULE = {"action": "pause", "camera": "road", "rule": "movement"}


@promise(
    "P13", "orders come while the box is killed again and again; some are expired, repeated, foreign or broken",
    "each valid order has one effect and its answer; of the others none has an effect",
    minutes=0.8,
    patient=True,
)  # fmt: skip
def orders(trial: Trial) -> str:
    """An effect has one moment: two answers of one order with two moments would be two effects.

    The clock is trusted here; by one that nobody trusts nothing expires, which is another promise.
    """
    count, kills, chance = trial.size(1000, 10_000), trial.size(40, 400), trial.chance("P13")
    valid: list[str] = []
    void: list[str] = []
    with playing(trial.folder, "max_queued_messages 20000") as (victim, server, station):
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        client.connect("127.0.0.1", server.port)
        client.loop_start()
        victim.start(1, ntp=True)
        until(lambda: station.events() or station.seqs(), 30, "the box is there")
        for _ in range(kills):
            for _ in range(count // kills):
                topic, order, retain = _order(chance)
                body = json.dumps(order)
                if (
                    not retain
                ):  # a broker hands a retained one to who listens as if it were not: either is right
                    whole = topic.startswith(TREE) and _later(order["expires_at"]) and order["args"] != {"x": 1}
                    (valid if whole else void).append(order["id"])
                client.publish(topic, body, qos=1, retain=retain)
                if chance.random() < 0.1:
                    client.publish(topic, body, qos=1)
            time.sleep(chance.uniform(0.0, 0.5))
            victim.kill()
            victim.start(1, ntp=True)
        until_none_is_missing(
            lambda: len(set(valid) - _answers(station).keys()), "an answer to every valid order"
        )
        time.sleep(2)
        answers = _answers(station)
        client.disconnect()
        client.loop_stop()
    done = {name: {at for state, at in states if state == "done"} for name, states in answers.items()}
    twice = [name for name, moments in done.items() if len(moments) > 1]
    missing = [name for name in valid if not done.get(name)]
    forbidden = [name for name in void if done.get(name)]
    summary = f"{len(valid)} valid and {len(void)} void orders, {kills} kills"
    if twice or missing or forbidden:
        raise Broken(
            f"{summary}: {len(twice)} done twice, {len(missing)} not done, {len(forbidden)} done though void"
        )
    return f"{summary}: each valid one done once, none of the others"


def _order(chance: Any) -> tuple[str, dict[str, Any], bool]:
    verb = chance.choice(("ping", "set"))
    now = datetime.now(UTC)
    until_s = now + timedelta(minutes=chance.randint(5, 60))
    args = {} if verb == "ping" else {**RULE, "until": _stamp(until_s)}
    order = {
        "id": str(uuid4()), "issued_at": _stamp(now), "expires_at": _stamp(now + timedelta(hours=1)),
        "issuer": "trial", "args": args,
    }  # fmt: skip
    wrong = chance.random()
    if wrong < 0.08:
        return f"{TREE}/{verb}", order | {
            "issued_at": _stamp(now - timedelta(hours=2)), "expires_at": _stamp(now - timedelta(hours=1))
        }, False  # fmt: skip
    if wrong < 0.14:
        return f"{FOREIGN}/{verb}", order, False
    if wrong < 0.20:
        return f"{TREE}/{verb}", order | {"args": {"x": 1}}, False
    if wrong < 0.24:
        return f"{TREE}/{verb}", order, True
    return f"{TREE}/{verb}", order, False


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _later(stamp: str) -> bool:
    return datetime.fromisoformat(stamp) > datetime.now(UTC)


def _answers(station: Receiver) -> dict[str, set[tuple[str, str]]]:
    """Order -> (state, moment) of each of its answers; a repetition bears the moment of the first time."""
    found: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for (body,) in station.rows("select body from other_message where kind = 'ack'"):
        answer = json.loads(body)
        found[answer["id"]].add((answer["state"], answer["time"]))
    return found
