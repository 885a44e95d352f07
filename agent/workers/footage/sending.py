"""Sends packages piece by piece behind all else: what fits is put into the outbox, what came is noted.

What of a package waits in the outbox the outbox alone knows, so no restart and no new stream can make the two
differ: a piece that neither lies there nor has a receipt is put again.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from agent.clock import Clock
from agent.errors import FootageError, OutboxError
from agent.evidence.clips.files import PackageFile
from agent.evidence.clips.in_flight import PackageInFlight, suffix_of
from agent.evidence.clips.requests import ClipRequest, ClipRequests, ClipState, NotedClip
from agent.host.supervise import Beat, OutageLog, Stop
from agent.outbox.outbox import FootageLying, Outbox
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.message import Message, Priority
from agent.wire.payloads import EvidenceBody

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 136
"""Pieces in the outbox at one time: 2 MB. It is filled up when half of them have gone: a sync for many."""
AT_ONCE: Final = 8
"""Pieces in one transaction of the outbox: an event that comes meanwhile waits for it."""
TELL_S: Final = 10.0
"""Between two words of how far it is."""
ATTEMPTS: Final = 4
"""To send a piece that was set aside, or to cut a range that cannot be read."""
APART_S: Final = 60.0
"""Before what was set aside or evicted is put again."""
AGAIN_S: Final = 2.0
"""After a disk that takes nothing now."""


def driven(
    stop: Stop, beat: Beat, wake: threading.Event, turn: Callable[[Beat], float], outage: OutageLog
) -> None:
    """Call `turn` until `stop` is set, after as many seconds as it said, or when woken.

    A disk that takes nothing now is told once, and asked again.
    """
    stop.wakes(wake.set)
    while not stop.is_set():
        beat()
        wake.clear()
        try:
            wait_s = turn(beat)
        except (FootageError, OutboxError) as error:
            outage.lost(error)
            wait_s = AGAIN_S
        else:
            outage.back()
        wake.wait(wait_s)


class PackageOwner(Protocol):
    """Who knows what is in the packages."""

    def read(self, file: PackageFile) -> bytes:
        """The bytes of a file of a package.

        Raises:
            FootageError: it is gone, or damaged.
        """
        ...

    def arrived(self, sending: PackageInFlight) -> None:
        """The station has all of it; called again until it does not fail.

        Raises:
            FootageError: that cannot be noted now.
        """
        ...

    def goes_without(self, sending: PackageInFlight, file: PackageFile) -> bool:
        """A file of it cannot be read: whether the rest goes on without; False: the request has failed."""
        ...

    def waits_for(self, noted: NotedClip) -> str:
        """For what a request waits that is not being sent yet, in words."""
        ...

    def ended(self, request: ClipRequest, why: str | None) -> None:
        """It is sent, or will not be for this reason: for the log."""
        ...


class PackageSender:
    """The packages of one file of requests on their way; every method may be called from any thread."""

    def __init__(
        self,
        requests: ClipRequests,
        owner: PackageOwner,
        outbox: Outbox,
        clock: Clock,
        most_waiting: int = MOST_WAITING,
        may_put: Callable[[], bool] = lambda: True,
    ) -> None:
        """At most `most_waiting` pieces lie in the outbox at one time, those of others among them.

        While `may_put` says no, no more is put.
        """
        self._requests, self._owner, self._outbox, self._clock = requests, owner, outbox, clock
        self._most_waiting, self._may_put = most_waiting, may_put
        self.lock: Final = threading.RLock()
        """Whoever holds it has no request begin or end meanwhile."""
        self._sending: dict[str, PackageInFlight] = {}
        self._receipted: deque[str] = deque()
        self._not_before_s = float("-inf")
        outbox.watch_footage(self._receipted.extend)

    @property
    def any(self) -> bool:
        """Whether a package is on its way."""
        return bool(self._sending)

    def begin(self, noted: NotedClip) -> None:
        """Send it from now on; of one that is on its way already nothing changes.

        Raises:
            FootageError: its files cannot be read.
        """
        if noted.request.id in self._sending:
            return
        with self.lock:
            sending = PackageInFlight(noted.request, self._requests.package(noted.request.id), noted.sent)
            if sending.package.files:  # else it was released a moment ago
                sending.told_bytes = sending.package.bytes_of(sending.sent)
                self._sending[noted.request.id] = sending

    def turn(self, beat: Beat) -> None:
        """Put what fits of what was begun, tell what has changed.

        Raises:
            FootageError, OutboxError: a disk does not take it; what is done is noted.
        """
        lying = self._outbox.footage()  # before the receipts: see Outbox.watch_footage
        self._note_receipts()
        if lying is not None and self._clock.now().mono_s >= self._not_before_s:
            self._look_after(lying)
            if self._may_put():
                self._fill(lying, beat)
        self._tell()

    def forget(self, request_id: str) -> None:
        """Nobody wants it any more: nothing of it is put from now on. Its pieces stay where they lie."""
        with self.lock:
            self._sending.pop(request_id, None)

    def withdraw(self, request_id: str) -> None:
        """What lies of it in the outbox is no longer wanted.

        Raises:
            OutboxError: the disk does not take that.
        """
        self._outbox.withdraw_footage(lambda topic: topic.startswith(suffix_of(request_id)))

    def end(self, request: ClipRequest, state: ClipState, why: str | None) -> None:
        """It is over.

        Raises:
            FootageError, OutboxError: a disk does not take that.
        """
        with self.lock:
            ended = self._requests.end(request.id, state, why)
            self._sending.pop(request.id, None)
        if not ended:
            return
        if state is not ClipState.COMPLETE:
            self.withdraw(request.id)
        self._owner.ended(request, why if state is not ClipState.COMPLETE else None)

    # ------------------------------------------------------------------------------------------------- sending

    def _note_receipts(self) -> None:
        with self.lock:
            while self._receipted:
                self._note_receipt(self._receipted.popleft())
            for sending in tuple(self._sending.values()):
                if sending.changed:
                    self._requests.note_sent(sending.request.id, sending.sent)
                    sending.changed = False
                if sending.sent.total >= sending.package.parts:
                    self._owner.arrived(sending)
                    self.end(sending.request, ClipState.COMPLETE, None)

    def _note_receipt(self, topic: str) -> None:
        for sending in self._sending.values():
            number = sending.number(topic)
            if number is not None:
                sending.changed = sending.changed or number not in sending.sent
                sending.sent.add(number)
                sending.put.discard(number)

    def _look_after(self, lying: FootageLying) -> None:
        """What was set aside is put again, and what went without a receipt; not at once, and not for ever."""
        for sending in tuple(self._sending.values()):
            here = {number for topic in lying.waiting if (number := sending.number(topic)) is not None}
            apart = {
                number: (topic, why)
                for topic, why in lying.apart.items()
                if (number := sending.number(topic)) is not None and number not in sending.sent
            }
            gone = sending.put - here - set(apart)
            if gone:
                hint = "the outbox had no room for it; it is put again"
                log.warning("clip_pieces_evicted", request=sending.request.id, pieces=len(gone), hint=hint)
                sending.put -= gone
                self._not_before_s = self._clock.now().mono_s + APART_S
            if apart:
                self._put_apart_again(sending, apart)

    def _put_apart_again(self, sending: PackageInFlight, apart: dict[int, tuple[str, str]]) -> None:
        number, (_, why) = next(iter(apart.items()))
        if sending.apart[number] + 1 >= ATTEMPTS:
            self.end(sending.request, ClipState.FAILED, f"a piece of it cannot be sent: {why}")
            return
        sending.apart.update(apart.keys())
        topics = {topic for topic, _ in apart.values()}
        self._outbox.withdraw_footage(topics.__contains__)
        sending.put -= set(apart)
        self._not_before_s = self._clock.now().mono_s + APART_S

    def _fill(self, lying: FootageLying, beat: Beat) -> None:
        """Up to `most_waiting` pieces into the outbox, those of the oldest request first."""
        room = self._most_waiting - len(lying.waiting)
        if room < self._most_waiting // 2 or self._clock.now().mono_s < self._not_before_s:
            return
        taken = lying.waiting | set(lying.apart)
        for sending in tuple(self._sending.values()):
            batch: list[tuple[int, Message]] = []
            for number, file, piece in sending.missing():
                topic = f"{suffix_of(sending.request.id)}{file.name}/{piece}"
                if topic in taken:
                    continue
                try:
                    batch.append((number, sending.message(file, piece, self._clock.now(), self._owner.read)))
                except FootageError as error:
                    if self._owner.goes_without(sending, file):
                        self._skip(sending, file)
                        continue
                    self.end(sending.request, ClipState.FAILED, error.what)
                    return
                room -= 1
                if len(batch) == AT_ONCE or room <= 0:
                    self._put(sending, batch)
                    beat()
                    batch = []
                if room <= 0:
                    return
            self._put(sending, batch)

    def _skip(self, sending: PackageInFlight, file: PackageFile) -> None:
        """Nothing more of this file is sent."""
        first, count = sending.starts[file.name]
        with self.lock:
            for number in range(first, first + count):
                sending.sent.add(number)
            sending.changed = True

    def _put(self, sending: PackageInFlight, batch: Sequence[tuple[int, Message]]) -> None:
        with self.lock:
            if batch and sending.request.id in self._sending:  # else it was released meanwhile
                self._outbox.put([message for _, message in batch])
                sending.put.update(number for number, _ in batch)

    # ------------------------------------------------------------------------------------------------- telling

    def _tell(self) -> None:
        for noted in self._requests.unannounced():
            self._say(noted, Priority.EVENT, noted.sent.total)
            self._requests.tell(noted.request.id, noted.state)
        now = self._clock.now()
        for sending in tuple(self._sending.values()):
            sent_bytes = sending.package.bytes_of(sending.sent)
            if sent_bytes != sending.told_bytes and now.mono_s - sending.told_s >= TELL_S:
                now_noted = self._requests.find(sending.request.id)
                if now_noted is not None and now_noted.state is ClipState.SENDING:
                    self._say(now_noted, Priority.UPDATE, sending.sent.total, sent_bytes)
                sending.told_bytes, sending.told_s = sent_bytes, now.mono_s

    def _say(self, noted: NotedClip, priority: Priority, parts: int, sent_bytes: int = 0) -> None:
        now = self._clock.now()
        waits = noted.state is ClipState.REQUESTED
        payload = EvidenceBody(
            id=noted.request.id,
            state=noted.state.value,
            time=moment(now),
            detail=self._owner.waits_for(noted) if waits else noted.detail,
            size_bytes=noted.bytes,
            sent_bytes=(noted.bytes or 0) if noted.state is ClipState.COMPLETE else sent_bytes,
            parts=noted.parts,
            sent_parts=parts,
        )
        message = codec.message(
            MessageKind.EVIDENCE,
            codec.encode(payload),
            now,
            priority=priority,
            about=noted.request.id,
            request_id=noted.request.id,
        )
        self._outbox.put([message])
