"""A box's frames beside a station's intake: real store, outbox and orders; between them is only a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from agent.clock import FlooredClock, Trust
from agent.evidence.clips.requests import ClipRequest, ClipRequests
from agent.evidence.encryption import Recipients, new_identity
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec
from agent.wire.message import Priority, Stored
from agent.wire.verbs import MOST_SAMPLES
from agent.workers.samples.handover import SampleHandover
from station.footage.arrival.intake import FootageIntake
from station.footage.custody import CustodyBook
from station.footage.desk import FootageDesk
from station.footage.folder import FootageState
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders, SampleRequest
from station.ingest.inbound import read
from tests.support.clip_bench import BOX_KEY, COMMUNE, DEVICE, public_pem
from tests.support.footage import HandClock
from tests.support.kept_samples import NOON_MS, Opened, jpeg, sample


def sample_order(order_id: str = "s-1", since_s: float = 0.0) -> ClipRequest:
    """An order for frames as the box notes it."""
    return ClipRequest(
        order_id, "", since_s, 0.0, "", "a better detector", "Lê Văn A", "duty", NOON_MS / 1000, "ab" * 32, 7
    )


@dataclass
class OrderedSamples:
    """One box and its station; either may die at any moment: it is made anew from its folder."""

    folder: Path
    sealed: bool = False
    clock: HandClock = field(default_factory=HandClock)
    lines: list[tuple[str, int, int]] = field(default_factory=list)
    """What the audit log has heard: order, frames, left out."""
    writes: bool = True
    """Whether the audit log can be written."""
    footage: bool = False
    """Whether footage is on its way."""
    off: str | None = None
    """Why no frames leave by order."""
    words: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    """Topics of the pieces that came, each time."""

    def __post_init__(self) -> None:
        self.identity, recipient = new_identity()
        (self.folder / "box").mkdir()
        (self.folder / "station").mkdir()
        self.kept = Opened(self.folder / "box", recipients=Recipients(recipient) if self.sealed else None)
        self.begin_box()
        self.begin_station()

    def begin_box(self) -> None:
        """A life of the agent."""
        self.outbox = Outbox(self.folder / "outbox.db", OutboxSettings(ballast_bytes=0), self.clock)
        self.requests = ClipRequests(self.folder / "sample-orders.db")
        self.store = self.kept.open()
        self.worker = SampleHandover(
            self.requests,
            self.off or self.store,
            (COMMUNE, DEVICE),
            BOX_KEY,
            self.outbox,
            FlooredClock(0.0, self.clock, lambda: Trust("ntp", 5)),
            self._note,
            lambda: self.footage,
        )

    def end_box(self) -> None:
        """It dies: nothing of its memory stays."""
        self.outbox.close()
        self.requests.close()
        self.kept.close()

    def begin_station(self) -> None:
        """A life of the station."""
        desk = FootageDesk(self.folder / "none.key", CustodyBook(self.folder / "station"))
        self.intake = FootageIntake(self.folder / "station", 1 << 30, desk.settle)
        self.intake.resume()

    @contextmanager
    def at_work(self) -> Iterator[OrderedSamples]:
        """Let go of everything at the end."""
        try:
            yield self
        finally:
            self.end_box()

    def keep(self, count: int, padding: int = 20_000, worth: float = 1.0, first: int = 0) -> list[str]:
        """So many frames on the box's disk, a minute apart; their files, oldest first."""
        for number in range(first, first + count):
            name, note = sample(number, worth, after_s=60.0 * number)
            assert self.store.keep(name, note, jpeg(padding))
        return [each.file for each in self.store.samples()][-count:]

    def expect(self, order_id: str = "s-1") -> SampleFolder:
        """The station is about to order them."""
        request = SampleRequest(
            id=order_id,
            commune=COMMUNE,
            device=DEVICE,
            purpose="a better detector",
            officer="Lê Văn A",
            issuer="duty",
            asked_at=datetime.fromtimestamp(NOON_MS / 1000, UTC),
            most=MOST_SAMPLES,
        )
        return SampleFolders(self.folder / "station" / SAMPLES).new(request, public_pem())

    def turn(self) -> float:
        """One of the box's loop."""
        return self.worker.turn(lambda _wait_s=0.0: None)

    def deliver(self, most: int = 1000, *, receipts: bool = True) -> int:
        """What waits goes to the station, in the order of sending, and its receipts come back; how many."""
        given = self.outbox.waiting(most, self.clock.now())
        for stored in given:
            self._take(stored)
        if receipts:
            self.receipt(given)
        return len(given)

    def receipt(self, given: Sequence[Stored]) -> None:
        """The station has these."""
        self.outbox.acknowledge(self.outbox.stream, [(each.seq, each.sha256[:16]) for each in given])

    def until_over(self, folder: SampleFolder, turns: int = 200) -> FootageState:
        """Turn both until nothing more comes of it."""
        for _ in range(turns):
            self.turn()
            if not self.deliver(20) and not self.requests.open():
                break
            self.clock.go_on(0.5)
        return folder.state()

    def _take(self, stored: Stored) -> None:
        message = read(
            f"ngatu/v1/{COMMUNE}/{DEVICE}/{stored.message.topic}",
            codec.finish(stored, self.outbox.stream, self.clock.now()),
            codec.properties(stored, self.outbox.stream),
        )
        judged = self.intake.judged(message)
        assert judged is not None
        assert judged.problem is None
        self.intake.keep([judged])
        if stored.message.priority is Priority.EVIDENCE:
            self.pieces.append(stored.message.topic)
        else:
            self.words.append(stored.message.body.decode())

    def _note(self, request: ClipRequest, frames: int, left_out: int) -> bool:
        if self.writes:
            self.lines.append((request.id, frames, left_out))
        return self.writes
