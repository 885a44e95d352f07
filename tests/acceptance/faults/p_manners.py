"""P5, P6, P7, P14: the broker's limits are obeyed, and its refusals and its silence lose nothing."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter, defaultdict
from itertools import pairwise

from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Receiver, Victim, outbox_says, playing, settled
from tests.acceptance.faults.strict_broker import Publish, StrictBroker
from tests.acceptance.faults.suite import Broken, Trial, promise, within
from tests.support.brokers import until

DOUBTFUL = (0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
SLOWLY_S = 5.0


@promise(
    "P5", "a packet-exact broker announces ever other limits over many connections",
    "never more in flight than Receive Maximum, nothing larger than Maximum Packet Size",
)  # fmt: skip
def limits(trial: Trial) -> str:
    """Receive Maximum 1 to 20, Maximum Packet Size 1 KB to 256 KB; answers are late, and connections break."""
    connections, chance = trial.size(50, 500), trial.chance("P5")
    waiting: list[tuple[int, int]] = []

    def late(publish: Publish) -> int | None:
        waiting.append((broker.connects, publish.number))
        return None

    broker = StrictBroker(late)
    victim = Victim(trial.folder, broker.port)
    try:
        victim.start(50 * connections, rate=400)
        for number in range(connections):
            broker.receive_maximum = chance.randint(1, 20)
            broker.maximum_packet_size = int(1024 * 2 ** chance.uniform(0, 8))
            broker.hang_up()
            before = broker.connects
            until(lambda before=before: broker.connects > before, 20, "the box connects again")
            ends_s = time.monotonic() + 0.15
            while time.monotonic() < ends_s:
                if waiting:
                    connection, packet = waiting.pop(0)
                    if connection == broker.connects:  # the others died unanswered
                        broker.acknowledge(packet)
                time.sleep(0.002)
            if not victim.alive:
                raise Broken(f"the box died at connection {number}: {victim.last_words()}")
    finally:
        victim.kill()
        broker.close()
    if broker.violations:
        raise Broken(f"{len(broker.violations)} violations, such as: {broker.violations[0]}")
    return (
        f"{broker.connects} connections, 0 violations; at most {broker.deepest} in flight, "
        f"largest packet {broker.largest} bytes"
    )


@promise(
    "P6",
    "one event in ten brings a picture that is larger than the broker takes",
    "it is set aside, 1,000 others arrive in 60 s",
)
def poison(trial: Trial) -> str:
    """Mosquitto with a small packet limit; the pictures of some events are above it."""
    with playing(trial.folder, "max_packet_size 3000") as (victim, _, station):
        with within(60, "delivering 1,000 events around the poison") as so_far:
            victim.start(1000, picture_bytes=5000)
            victim.until_fed()
            until_none_is_missing(lambda: _to_come(victim, station), "1,000 messages to arrive")
            took_s = so_far()
            until_none_is_missing(
                lambda: outbox_says(victim, "select count(*) from message"), "nothing to wait any more"
            )
        victim.end()
        findings = settled(victim, station, 5)
        fed = "select count(*) from quarantine where topic like 'camera/fed/%'"  # the clip has pictures too
        quarantined = outbox_says(victim, fed)
        reasons = outbox_says(victim, f"{fed} and length(reason) > 0")
    if len(findings.lost) != quarantined or findings.phantom or findings.doubled or reasons != quarantined:
        raise Broken(f"{findings}; {quarantined} set aside, {reasons} of them with a reason")
    if not quarantined:
        raise Broken("nothing was too large: the trial tried nothing")
    return f"{findings.committed} arrived in {took_s:.0f} s, {quarantined} set aside, each with its reason"


@promise(
    "P7", "a broker answers with every doubtful reason code at random, then heals",
    "0 lost; no message is tried again sooner than 5 s",
)  # fmt: skip
def refusals(trial: Trial) -> str:
    """What was refused stays in the outbox, and is tried again slowly."""
    chance = trial.chance("P7")
    healed = [False]
    taken: dict[int, str] = {}
    tries: defaultdict[str, list[float]] = defaultdict(list)
    answers: Counter[int] = Counter()

    def answer(publish: Publish) -> int:
        if "/camera/fed/" not in publish.topic:
            return 0
        name = publish.topic if publish.payload[:1] != b"{" else json.loads(publish.payload)["id"]
        tries[name].append(publish.mono_s)
        reason = 0 if healed[0] else chance.choice((*DOUBTFUL, 0))
        answers[reason] += 1
        if reason == 0 and publish.payload[:1] == b"{":
            taken[json.loads(publish.payload)["seq"]] = name
        return reason

    broker = StrictBroker(answer)
    victim = Victim(trial.folder, broker.port, broker=", confirm: broker")
    try:
        events = trial.size(500, 5000)
        victim.start(events, rate=100)
        victim.until_fed()
        time.sleep(6)
        healed[0] = True
        left = "select count(*) from message where topic like '%/fed/event'"
        until_none_is_missing(
            lambda: outbox_says(victim, left), "everything to be taken after the broker has healed"
        )
    finally:
        victim.kill()
        broker.close()
    wanted = {row.name.split("/")[0] for row in victim.accepted if "/" in row.name}
    lost = wanted - set(taken.values())
    hasty = sum(b - a < SLOWLY_S * 0.95 for at in tries.values() for a, b in pairwise(at))
    if lost or hasty:
        raise Broken(f"{len(lost)} of {len(wanted)} lost, {hasty} tried again within {SLOWLY_S:g} s")
    return f"{len(wanted)} events, {sum(answers.values())} answers of {len(answers)} kinds: 0 lost, 0 hasty"


@promise("P14", "SIGTERM while 1,000 messages have no answer and the broker is silent", "ended within 10 s")
def stop(trial: Trial) -> str:
    """The broker takes everything and answers nothing; then it is stopped altogether."""
    broker = StrictBroker(lambda publish: 0 if "/status" in publish.topic else None)
    victim = Victim(trial.folder, broker.port)
    took: list[float] = []
    try:
        for _ in range(trial.size(3, 20)):
            victim.start(1000, picture_bytes=5000)
            victim.until_fed()
            with within(10, "the stop") as so_far:
                code = victim.end(signal.SIGTERM, within_s=30)
                took.append(so_far())
            if code:
                raise Broken(f"it ended with {code}: {victim.last_words()}")
            victim.accepted.clear()
    finally:
        victim.kill()
        broker.close()
    return f"{len(took)} stops, slowest {max(took):.1f} s"


def _to_come(victim: Victim, station: Receiver) -> int:
    """Of what is not too large for the broker: nine messages of ten."""
    seqs, accepted = station.seqs(), [row.number for row in list(victim.accepted)]
    return max(0, int(0.9 * len(accepted)) - sum(number in seqs for number in accepted))
