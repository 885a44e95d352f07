"""P44, P60.3: what a box may have kept at the broker of the role, and where it may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.faults.broker_stage import COMMUNE, HOSTILE, OTHER, ROOT, Line, ready
from tests.acceptance.faults.stage import Receiver, Victim, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.role_broker import RoleBroker

MEMORY = 96 << 20
"""A tenth of the role's: a flood of a tenth fills it."""


@contextmanager
def at_work(folder: Path, **more: object) -> Iterator[tuple[RoleBroker, Victim, Receiver]]:
    """The role's broker, a real box and a real station by TLS."""
    with ready(folder, **more) as broker:
        victim, station = Victim(folder / "box", broker.port), Receiver(folder, broker.station_port)
        pairs = {
            victim.config: broker.pair(OTHER),
            station.config: broker.pair(f"station.{COMMUNE}", "station"),
        }
        for config, stem in pairs.items():
            tls = f"tls: {{ca: {broker.ca}, cert: {stem}.crt, key: {stem}.key}}"
            text = config.read_text().replace("test-commune", COMMUNE).replace("victim-01", OTHER)
            config.write_text(text.replace("host: 127.0.0.1", f"host: localhost, {tls}"))
        station.start()
        try:
            yield broker, victim, station
        finally:
            victim.kill()
            station.end()


def served(victim: Victim, station: Receiver, events: int) -> str:
    """The other box accepts so many events more, and the station has all of them. Broken: it has not."""
    before = len(station.committed())
    victim.start(events)
    until(lambda: len(station.committed()) >= before + events, 60, "the other box is served")
    findings = settled(victim, station)
    victim.end()
    if not findings.clean:
        raise Broken(f"the other box: {findings}")
    return str(findings)


@promise(
    "P44",
    "one box floods the broker with messages to be kept, on made-up topics and its own, and with subscriptions",
    "the broker lives, also after its restart; nothing of it is kept but its states; the other box is served",
    minutes=0.5,
)  # fmt: skip
def retained_flood(trial: Trial) -> str:
    flood = trial.size(500, 4_000, 150)
    memory = MEMORY if trial.size_of != "long" else 10 * MEMORY
    with at_work(trial.folder, ngatu_broker_memory_limit=memory) as (broker, victim, station):
        hostile = Line(broker, broker.pair(HOSTILE), HOSTILE)
        tree, big = f"{ROOT}/{COMMUNE}/{HOSTILE}", bytes(290_000)
        for number in range(flood):
            if hostile.ended:
                break
            hostile.say(f"{tree}/camera/x{number}/y", big, retain=True)
            hostile.say(f"{tree}/camera/north/image/{number}/scene", big, retain=True)
        subscriptions = _subscribe_without_end(hostile, tree)
        if not broker.alive():
            raise Broken(f"the broker is dead: {broker.log[-300:]}")
        first = served(victim, station, 20)
        kept = _kept(broker, f"{ROOT}/#")
        foreign = sorted(topic for topic in kept if topic.startswith(tree))
        broker.stop()
        broker.start()
        victim_again = served(victim, station, 20)
    if foreign:
        raise Broken(f"{len(foreign)} messages of it are kept, such as {foreign[:3]}")
    if subscriptions > 16:
        raise Broken(f"{subscriptions} subscriptions of one box")
    return (
        f"{2 * flood} messages of 290 kB and 20,000 subscriptions: 0 kept, {subscriptions} subscriptions; "
        f"the other box {first}; after a restart {victim_again}"
    )


def _subscribe_without_end(line: Line, tree: str) -> int:
    """How many of 20,000 filters the broker takes from one box."""
    for at in range(0, 20_000, 1000):
        before = len(line.subscribed)
        line.client.subscribe([(f"{tree}/command/{number}", 1) for number in range(at, at + 1000)])
        until(lambda before=before: len(line.subscribed) > before or line.ended, 30, "SUBACK")  # type: ignore[misc]
    return sum(code < 0x80 for code in line.subscribed)


def _kept(broker: RoleBroker, topics: str) -> set[str]:
    """What whoever comes now is told of old."""
    operator = Line(broker, broker.pair("operator.broker", "operator"), "look", port=broker.station_port)
    operator.client.subscribe([(topics, 0), ("$SYS/broker/uptime", 0)])
    until(lambda: any(topic.startswith("$SYS") for topic in operator.heard), 30, "all that is kept has come")
    operator.leave()
    return {topic for topic in operator.kept if not topic.startswith("$SYS")}


@promise(
    "P60.3",
    "a box that is in no list, and one of another commune, write, leave a will and listen in every commune",
    "nothing of theirs arrives but what the list lets them, and they hear nothing",
    minutes=0.2,
)  # fmt: skip
def not_in_the_list(trial: Trial) -> str:
    with ready(trial.folder) as broker:
        witness = Line(broker, broker.pair("operator.broker", "operator"), "witness", port=broker.station_port)
        witness.client.subscribe(f"{ROOT}/#")
        until(lambda: witness.subscribed, 10)
        said = 0
        for name in ("nobody-01", "hai-tay-01"):  # of which only the second is in the list
            line = Line(broker, broker.pair(name), name)
            for commune in (COMMUNE, "hai-tay", "elsewhere"):
                for suffix in ("status", "health", "camera/north/event", "camera/box/event", "hello", "chain"):
                    for device in (name, OTHER):
                        line.say(
                            f"{ROOT}/{commune}/{device}/{suffix}", name.encode(), retain=suffix == "status"
                        )
                        said += 1
            until(lambda line=line: len(line.codes) >= 36, 20)  # type: ignore[misc]
            line.leave()
        station = broker.pair(f"station.{COMMUNE}", "station")
        fence = Line(broker, station, f"ngatu-{COMMUNE}", port=broker.station_port)
        fence.say(f"{ROOT}/{COMMUNE}/station/status", b"online")
        until(lambda: f"{ROOT}/{COMMUNE}/station/status" in witness.heard, 20, "the fence comes")
        fence.leave()
        witness.leave()
    own = f"{ROOT}/hai-tay/hai-tay-01/"
    foreign = [topic for topic in witness.heard if not topic.startswith(own) and "station/status" not in topic]
    mine = [topic for topic in witness.heard if topic.startswith(own)]
    if foreign or len(mine) != 6:
        raise Broken(f"{len(foreign)} arrived that may not, such as {foreign[:3]}; {len(mine)} of 6 that may")
    return f"{said} messages to three communes: 6 of 6 that the list allows arrived, 0 others"
