"""Every box at every topic in every way: what gets through, and what of it should not.

A witness with rights of its own hears and says everything. What boxes write is judged by what it hears, what
they read by what they hear: never by what the broker answers, for mosquitto says yes to subscriptions and then
gives nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from paho.mqtt.enums import MQTTProtocolVersion

from tests.acceptance.fleet.callers import FIVE, Caller, Heard
from tests.acceptance.fleet.doors import BOX_DOOR, COMMUNES, STATION_DOOR, Doors, Pair
from tests.support.brokers import until

ROOT = "ngatu/v1"
WRITES = (
    "status", "info", "health", "hello", "camera/north/status", "camera/north/event",
    "camera/north/count/stop-line", "camera/north/image/0193/thumbnail", "camera/north/snapshot",
    "evidence/r1", "evidence/r1/clip/0", "ack/c1", "chain",
)  # fmt: skip
"""What a box tells, by wire.md: of its own tree it may write these."""
KEPT = ("status", "info", "health", "camera/north/status")
"""Of these, what may be retained."""
READS = ("receipt", "command/snapshot", "command/restart")
"""What it is told."""
NOBODYS = ("chain/more", "health/more", "other", "ack/c1/more")
"""In no box's rights, not even in its own tree."""
WILDCARDS = (
    "#", "+/#", "ngatu/#", "ngatu/v1/#", "ngatu/v1/+/+/#", "ngatu/v1/+/+/camera/+/event",
    "ngatu/v1/+/+/command/+", "+/+/+/+/receipt", "$SYS/#", "$SYS/broker/+", "$share/group/#",
    "$share/group/ngatu/v1/#", "$CONTROL/#",
)  # fmt: skip
STRAY = (
    "ngatu", "ngatu/v1", "ngatu/verify", "/ngatu/v1", "ngatu/v2/x", "homeassistant/sensor/x/config", "x",
    "$SYS/broker/version", "$SYS/broker/clients/total", "$CONTROL/dynamic-security/v1",
)  # fmt: skip


@dataclass
class Seen:
    """What one way of getting through has shown."""

    tried: int = 0
    allowed: int = 0
    """Of these, how many a box may do."""
    leaks: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """A box may, and could not."""

    def __str__(self) -> str:
        denied = self.tried - self.allowed - len(self.leaks)
        works = f"{self.allowed - len(self.missing)} of {self.allowed} allowed work"
        return f"{self.tried} tried, {denied} denied, {works}"

    def good(self, what: str) -> Seen:
        """Itself; AssertionError when anything is through that should not be, or the other way round."""
        assert not self.leaks, f"{what}: {len(self.leaks)} got through, such as {self.leaks[:3]}"
        assert not self.missing, f"{what}: {len(self.missing)} were stopped, such as {self.missing[:3]}"
        assert 0 < self.allowed < self.tried, f"{what}: {self} proves nothing"
        return self


class Matrix:
    """Boxes with their pairs, and the witness, at the doors of one broker."""

    def __init__(self, doors: Doors, pairs: dict[str, Pair], witness: Pair) -> None:
        self.doors, self.pairs = doors, pairs
        self.ca: Path = doors.ca / "ca.crt"
        self.boxes = doors.boxes
        self.topics = self._topics()
        self.contexts = {name: pair.context(self.ca) for name, pair in pairs.items()}
        self.witness = Caller((doors.broker.address, STATION_DOOR), self.ca, witness, "witness")
        self._numbers = count()

    def __enter__(self) -> Matrix:
        self.witness.call()
        self.witness.subscribe(["#", "$SYS/#"])
        return self

    def __exit__(self, *_: object) -> None:
        self.witness.leave()

    def own(self, box: str) -> list[str]:
        """What a box may call itself."""
        return [box, f"{box}-check"]

    def borrowed(self, box: str) -> list[str]:
        """What it may not: nobody, another box, its station, a tool of the broker."""
        boxes = list(self.boxes)
        other = boxes[(boxes.index(box) + 1) % len(boxes)]
        return ["", other, f"ngatu-{self.boxes[box]}", "operator.broker"]

    def caller(
        self, box: str, client_id: str, protocol: MQTTProtocolVersion, will: tuple[str, str] | None = None
    ) -> Caller:
        """A box at its door, under a borrowed client id and user name."""
        return Caller(
            (self.doors.broker.address, BOX_DOOR), self.ca, self.pairs[box], client_id, protocol=protocol,
            user=client_id or None, will=will, context=self.contexts[box],
        )  # fmt: skip

    def writes(self, box: str, client_id: str) -> set[str]:
        """What it may write; beside its own name nothing."""
        return {f"{ROOT}/{self.boxes[box]}/{box}/{suffix}" for suffix in WRITES if client_id == box}

    def keeps(self, box: str, client_id: str) -> set[str]:
        """What is kept of what it writes."""
        return {f"{ROOT}/{self.boxes[box]}/{box}/{suffix}" for suffix in KEPT if client_id == box}

    def reads(self, box: str, client_id: str) -> set[str]:
        """What it may read; beside its own name nothing."""
        if client_id != box:
            return set()
        own = f"{ROOT}/{self.boxes[box]}"
        return {f"{own}/station/status", *(f"{own}/{box}/{suffix}" for suffix in READS)}

    def _topics(self) -> list[str]:
        communes = (*COMMUNES, "elsewhere")
        suffixes = (*WRITES, *READS, *NOBODYS)
        trees = [f"{ROOT}/{commune}/{box}" for commune in communes for box in self.boxes]
        stations = [
            f"{ROOT}/{commune}/station/{word}" for commune in communes for word in ("status", "receipt")
        ]
        return [*(f"{tree}/{suffix}" for tree in trees for suffix in suffixes), *stations, *STRAY]

    # --------------------------------------------------------------------------------------------- writing

    def publishing(
        self, boxes: Sequence[str], protocols: Sequence[MQTTProtocolVersion], ids: slice = slice(None)
    ) -> Seen:
        """Each box publishes to every topic, retained and not, under every name."""
        seen = Seen()
        with ThreadPoolExecutor(len(boxes)) as pool:
            for part in pool.map(lambda box: self._publishing(box, protocols, ids), boxes):
                _add(seen, part)
        return seen

    def _publishing(self, box: str, protocols: Sequence[MQTTProtocolVersion], ids: slice) -> Seen:
        published: dict[str, str] = {}
        due: set[str] = set()
        for protocol in protocols:
            for name in self.own(box)[ids]:
                with self.caller(box, name, protocol) as caller:
                    for retain, may in ((False, self.writes(box, name)), (True, self.keeps(box, name))):
                        batch = {f"{box} {next(self._numbers)}": topic for topic in self.topics}
                        published |= batch
                        due |= {payload for payload, topic in batch.items() if topic in may}
                        for payload, topic in batch.items():
                            caller.publish(topic, payload, retain=retain)
                        self._fence(box, name, caller)
        return self._judged(box, published, due, "published")

    def _fence(self, box: str, name: str, caller: Caller) -> None:
        """Wait until the witness has heard everything that this connection said."""
        mark = f"fence {next(self._numbers)}"
        if name == box:
            caller.publish(f"{ROOT}/{self.boxes[box]}/{box}/health", mark)
        else:  # nobody hears it; what the broker has answered, it has given to the witness or dropped
            until(lambda: caller.acked >= caller.published or caller.ends, 30, f"PUBACKs of {name}")
            self.witness.publish("ngatu/fence", mark)
        until(lambda: self._heard(mark) or caller.ends, 30, f"{box}'s fence reaches the witness")
        assert not caller.ends, f"{box} was thrown out: {caller.ends}"

    def _heard(self, payload: str) -> bool:
        return any(each[1] == payload for each in self.witness.heard[-2000:])

    def _await(self, payload: str, what: str) -> None:
        until(lambda: self._heard(payload), 20, what)

    def _judged(self, box: str, published: dict[str, str], due: set[str], how: str) -> Seen:
        """Compare what was told, payload -> topic, with what the witness heard."""
        came = {payload for _topic, payload, _retained in self.witness.heard if payload in published}
        return Seen(
            len(published), len(due),
            [f"{box} {how} {published[payload]}" for payload in sorted(came - due)],
            [f"{box} {how} {published[payload]}" for payload in sorted(due - came)],
        )  # fmt: skip

    def wills(
        self,
        boxes: Sequence[str],
        protocols: Sequence[MQTTProtocolVersion],
        *,
        all_names: bool = False,
        patient: bool = True,
    ) -> Seen:
        """Each box dies with a will for every topic: as itself and under a borrowed name, or under all of them.

        `patient`: wait for what should come.
        """
        seen = Seen()
        with ThreadPoolExecutor(len(boxes)) as pool:
            for part in pool.map(
                lambda box: self._wills(box, protocols, all_names=all_names, patient=patient), boxes
            ):
                _add(seen, part)
        return seen

    def _wills(
        self, box: str, protocols: Sequence[MQTTProtocolVersion], *, all_names: bool, patient: bool
    ) -> Seen:
        wills: dict[str, str] = {}
        due: set[str] = set()
        own, *others = self.own(box)
        for protocol in protocols:
            for number, topic in enumerate(self.topics):
                names = others if all_names else [others[number % len(others)]]
                for name in (own, *names):
                    payload = f"{box} {next(self._numbers)}"
                    wills[payload] = topic
                    self.caller(box, name, protocol, (topic, payload)).die()
                    if topic in self.keeps(box, name):  # a will is to be retained
                        due.add(payload)
                        if patient:
                            self._await(payload, f"{box}'s will for {topic}")
        if not patient:
            return self._judged(box, wills, due, "left as its will")
        last = f"{box} {next(self._numbers)}"  # a line that is dropped later is noticed later
        self.caller(box, own, FIVE, (f"{ROOT}/{self.boxes[box]}/{box}/status", last)).die()
        self._await(last, f"{box}'s last will")
        return self._judged(box, wills, due, "left as its will")

    def foreign_names(self, boxes: Sequence[str], protocols: Sequence[MQTTProtocolVersion]) -> int:
        """Each box calls under every name that is not its own: how many calls, none of which was let in."""
        calls = [(box, name, each) for box in boxes for name in self.borrowed(box) for each in protocols]
        through = [f"{box} as {name!r}" for box, name, each in calls if self.caller(box, name, each).die()]
        assert not through, f"let in: {through[:3]}"
        return len(calls)

    def retained(self) -> Seen:
        """What is kept for who comes later: of each box's words only those in its own tree."""
        came: list[Heard] = []
        with Caller(self.witness.where, self.ca, self.pairs["witness"], "late-witness") as late:
            mark = f"fence {next(self._numbers)}"
            late.subscribe(["#", "$SYS/#"])
            self.witness.publish("ngatu/fence", mark)
            until(lambda: any(each[1] == mark for each in late.heard), 30, "the late witness")
            came = [each for each in late.heard if each[2] and each[1].split(" ")[0] in self.boxes]
        seen = Seen(len(self.topics), sum(len(self.keeps(box, box)) for box in self.boxes))
        for topic, payload, _ in came:
            box = payload.split(" ")[0]
            if topic not in self.keeps(box, box):
                seen.leaks.append(f"{payload.split(' ')[0]} left {topic}")
        kept = {topic for topic, _, _ in came}
        seen.missing += [topic for box in self.boxes for topic in self.keeps(box, box) if topic not in kept]
        return seen

    def _may_be_kept(self, topic: str) -> bool:
        """Of anybody: the states of boxes and stations."""
        levels = topic.split("/")
        return topic.startswith(f"{ROOT}/") and "/".join(levels[4:]) in KEPT

    # --------------------------------------------------------------------------------------------- reading

    def reading(
        self, boxes: Sequence[str], protocols: Sequence[MQTTProtocolVersion], ids: slice = slice(None)
    ) -> Seen:
        """All boxes listen at once to every topic and every wildcard; the witness says something on each."""
        seen = Seen()
        kept = {topic: f"kept {next(self._numbers)}" for topic in self.topics if self._may_be_kept(topic)}
        self.witness.publish_all(list(kept.items()), retain=True)
        for protocol in protocols:
            for number in range(*ids.indices(2)):
                _add(seen, self._listening(boxes, protocol, number, kept))
        for topic in self.topics:
            self.witness.publish(topic, "", retain=True)
        return seen

    def _listening(
        self, boxes: Sequence[str], protocol: MQTTProtocolVersion, number: int, kept: dict[str, str]
    ) -> Seen:
        callers = {box: self.caller(box, self.own(box)[number], protocol) for box in boxes}
        for caller in callers.values():
            caller.call()
        with ThreadPoolExecutor(len(boxes)) as pool:
            list(pool.map(lambda caller: caller.subscribe(self._asked(caller.name)), callers.values()))
        live = {topic: f"live {next(self._numbers)}" for topic in self.topics}
        self.witness.publish_all(list(live.items()))
        mark = f"fence {next(self._numbers)}"
        for box, commune in self.boxes.items():
            self.witness.publish(f"{ROOT}/{commune}/{box}/command/fence", mark)
        seen = Seen()
        for box, caller in callers.items():
            name = self.own(box)[number]
            if name == box:
                caller.wait_for(mark)
            else:  # it hears no fence either; an answer comes after all that was to come before it
                caller.subscribe(["ngatu/fence"])
            assert not caller.ends, f"{name} was thrown out: {caller.ends}"
            caller.leave()
            _add(seen, self._overheard((box, name), caller.heard, (live, kept), mark))
        return seen

    def _asked(self, box: str) -> list[str]:
        """All there is. The broker takes a few only: what a box needs comes first, then the widest."""
        own = [*self.reads(box, box), "#", "$SYS/#", "$share/group/#", "$CONTROL/#"]
        return list(dict.fromkeys([*own, *WILDCARDS, *self.topics]))

    def _overheard(
        self, who: tuple[str, str], heard: list[Heard], published: Sequence[dict[str, str]], mark: str
    ) -> Seen:
        """`who` are box and client id."""
        may = self.reads(*who)
        came = {(topic, payload) for topic, payload, _ in heard if payload != mark}
        due = {(topic, said[topic]) for said in published for topic in may if topic in said}
        return Seen(
            sum(map(len, published)), len(due),
            [f"{who[1]} heard {topic}" for topic, _ in sorted(came - due)],
            [f"{who[1]} did not hear {topic}" for topic, _ in sorted(due - came)],
        )  # fmt: skip


def _add(seen: Seen, part: Seen) -> None:
    seen.tried += part.tried
    seen.allowed += part.allowed
    seen.leaks += part.leaks
    seen.missing += part.missing
