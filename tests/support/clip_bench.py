"""A box's clips beside a station's intake: real ring, outbox and requests; between them is only a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.commands.policy import KnownTime
from agent.core.types import Instant
from agent.evidence.clips.cut import Cutter
from agent.evidence.clips.requests import ClipRequest, ClipRequests
from agent.evidence.fragment import StoredFragment
from agent.evidence.package.manifest import ClockFacts, Facts, SigningBox
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec
from agent.wire.codec import moment
from agent.wire.message import Priority, Stored
from agent.workers.footage.clips import ClipWorker
from station.footage.arrival.intake import FootageIntake
from station.footage.folder import FOOTAGE, FootageFolder, FootageRequest, FootageState, RequestFolder
from station.ingest.inbound import read
from tests.support.footage import NOON_S, HandClock, RingBench

BOX_KEY = Ed25519PrivateKey.from_private_bytes(b"\x05" * 32)
COMMUNE, DEVICE = "hai-ninh", "north-01"


def facts(fragments: Sequence[StoredFragment]) -> Facts:
    """What a box of a test says of itself."""
    clocks = tuple(
        ClockFacts(each.boot, each.clock, each.start.mono_s, moment(each.start)) for each in fragments[:1]
    )
    box = SigningBox(COMMUNE, DEVICE, "junction", "0.1", {"python": "3"}, None, None, None)
    return Facts(box, clocks, datetime.fromtimestamp(NOON_S, UTC), "ntp")


def public_pem(key: Ed25519PrivateKey = BOX_KEY) -> bytes:
    """As a box's `box.pub` holds it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def wanted(request_id: str, from_s: float, to_s: float, camera: str = "north") -> ClipRequest:
    """A request for so many seconds after noon."""
    return ClipRequest(
        request_id, camera, NOON_S + from_s, NOON_S + to_s, "12/2026", "collision", "Lê Văn A", "duty", NOON_S
    )


@dataclass
class ClipBench:
    """One box and its station; either may die at any moment: it is made anew from its folder."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    outbox_settings: OutboxSettings = field(
        default_factory=lambda: OutboxSettings(max_bytes=8 << 20, ballast_bytes=0)
    )
    recorded: tuple[str, ...] = ("north",)

    def __post_init__(self) -> None:
        (self.folder / "ring").mkdir()
        self.bench = RingBench(self.folder / "ring", clock=self.clock)
        self.whole: list[RequestFolder] = []
        self.words: list[str] = []
        self.begin_box()
        self.begin_station()

    def begin_box(self) -> None:
        """A life of the agent."""
        self.outbox = Outbox(self.folder / "outbox.db", self.outbox_settings, self.clock)
        self.requests = ClipRequests(self.folder / "clips.db")
        ring = self.bench.ring
        ring.recover()
        self.cutter = Cutter(lambda: ring.index, facts, BOX_KEY)
        known = KnownTime(self.clock.wall_s, trusted=True)
        self.worker = ClipWorker(
            self.requests, ring, self.cutter, self.outbox, self.clock, lambda: known, self.recorded
        )

    def end_box(self) -> None:
        """It dies: nothing is written any more, and nothing of its memory stays."""
        self.outbox.close()
        self.requests.close()
        self.bench.reopen()

    @contextmanager
    def at_work(self) -> Iterator[ClipBench]:
        """Let go of everything at the end."""
        try:
            yield self
        finally:
            self.outbox.close()
            self.requests.close()
            self.bench.ring.close()

    def begin_station(self) -> None:
        """A life of the station."""
        self.intake = FootageIntake(self.folder / "station", 1 << 30, self.whole.append)
        self.intake.resume()

    def expect(self, request: ClipRequest) -> RequestFolder:
        """The station is about to ask for it."""
        (self.folder / "station").mkdir(exist_ok=True)
        asked = FootageRequest(
            id=request.id,
            commune=COMMUNE,
            device=DEVICE,
            camera=request.camera,
            from_time=moment(Instant(0, request.from_s)),
            to_time=moment(Instant(0, request.to_s)),
            case_number=request.case_number,
            purpose=request.purpose,
            officer=request.officer,
            issuer=request.issuer,
            asked_at=moment(self.clock.now()),
        )
        return FootageFolder(self.folder / "station" / FOOTAGE).new(asked, public_pem())

    def deliver(self, most: int = 1000, *, receipts: bool = True) -> int:
        """What waits goes to the station, in the order of sending, and its receipts come back; how many."""
        given = self.outbox.waiting(most, self.clock.now())
        for stored in given:
            message = read(
                f"ngatu/v1/{COMMUNE}/{DEVICE}/{stored.message.topic}",
                codec.finish(stored, self.outbox.stream, self.clock.now()),
                codec.properties(stored, self.outbox.stream),
            )
            judged = self.intake.judged(message)
            assert judged is not None
            assert judged.problem is None
            self.intake.keep([judged])
            if stored.message.priority is not Priority.EVIDENCE:
                self.words.append(stored.message.body.decode())
        if receipts:
            self.receipt(given)
        return len(given)

    def receipt(self, given: Sequence[Stored]) -> None:
        """The station has these."""
        self.outbox.acknowledge(self.outbox.stream, [(each.seq, each.sha256[:16]) for each in given])

    def until_whole(self, request: RequestFolder, turns: int = 400) -> FootageState:
        """Turn both until every piece is there."""
        for _ in range(turns):
            self.worker.turn(lambda wait_s=0.0: None)
            self.deliver(20)
            self.clock.go_on(0.5)
            if request in self.whole:
                break
        self.worker.turn(lambda wait_s=0.0: None)
        self.deliver()
        return request.state()
