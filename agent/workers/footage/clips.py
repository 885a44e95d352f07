"""Clips on request: noted and held at once, cut when they are there, sent piece by piece behind all else.

ask      in the commands' thread: judged, noted (agent/evidence/clips/requests.py), held; nothing waits
run      a thread of its own: what is there is cut, its pieces go into the outbox, few at a time
receipt  in the forwarder's thread: which pieces the station has; only noted down

What of a package waits in the outbox the outbox alone knows, so no restart and no new stream can make the two
differ: a piece that neither lies there nor has a receipt is put again.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog

from agent.clock import Clock
from agent.commands.policy import KnownTime
from agent.core.types import Instant
from agent.errors import FootageError, NgatuError, OutboxError
from agent.evidence.clips.cut import Cutter
from agent.evidence.clips.in_flight import PackageInFlight, suffix_of
from agent.evidence.clips.requests import NOT_HELD, ClipRequest, ClipRequests, ClipState, NotedClip
from agent.evidence.ring import Ring
from agent.host.supervise import Beat, OutageLog, Stop
from agent.outbox.outbox import FootageLying, Outbox
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.message import Message, Priority
from agent.wire.payloads import EvidencePayload, rfc3339

log = structlog.get_logger(__name__)

BUSY_S: Final = 0.5
"""Between two looks while pieces go out."""
WAITS_S: Final = 2.0
"""While a range is still being recorded."""
QUIET_S: Final = 10.0
MOST_WAITING: Final = 136
"""Pieces in the outbox at one time: 2 MB. It is filled up when half of them have gone: a sync for many."""
AT_ONCE: Final = 8
"""Pieces in one transaction of the outbox: an event that comes meanwhile waits for it."""
TOLD_S: Final = 30.0
"""So long a clip waits until the station is told of a link at or after it; then it is cut all the same."""
SETTLE_S: Final = 6.0
"""After its end so much later a range is recorded: a fragment lasts four seconds, and waits in a pipe."""
AHEAD_S: Final = 60.0
"""So far in the future a range may begin: clocks of box and station are not the same."""
TELL_S: Final = 10.0
"""Between two words of how far it is."""
ATTEMPTS: Final = 4
"""To send a piece that was set aside, or to cut a range that cannot be read."""
APART_S: Final = 60.0
"""Before what was set aside or evicted is put again."""


class ClipWorker:
    """Everything between the order for a clip and the receipt of its last piece."""

    def __init__(
        self,
        requests: ClipRequests,
        ring: Ring,
        cutter: Cutter,
        outbox: Outbox,
        clock: Clock,
        known: Callable[[], KnownTime],
        recorded: Sequence[str],
    ) -> None:
        """`known` is what the box knows of the time; `recorded` are the cameras that are recorded."""
        self._requests, self._ring, self._cutter, self._outbox = requests, ring, cutter, outbox
        self._clock, self._known, self._recorded = clock, known, tuple(recorded)
        self.on_cut: Callable[[str], object] = lambda _: None
        """Called with the camera of a clip that was cut: who tells the chain's newest link tells it now."""
        self.before_cut: Callable[[str], object] | None = None
        """The same, for a clip that is about to be cut: only what was told before can stand in its chain."""
        self._untold: dict[str, float] = {}
        """By request: since when its clip waits for that."""
        self._lock = threading.RLock()
        self._sending: dict[str, PackageInFlight] = {}
        self._receipted: deque[str] = deque()
        self._cut_failed: Counter[str] = Counter()
        self._not_before_s = float("-inf")
        self._held = False
        self._wake = threading.Event()
        self._outage = OutageLog("clips")
        outbox.watch_footage(self._receipted.extend)

    # --------------------------------------------------------------------------------------------- the commands

    def ask(self, request: ClipRequest) -> dict[str, Any]:
        """Note and hold a range; what of it is there, for the answer. The same id again changes nothing.

        Raises:
            NgatuError: nothing of it is there and nothing will be, or it cannot be noted.
        """
        known = self._requests.find(request.id)
        if known is None:
            self._judge(request)
            self._hold(request)  # first: what is noted is held, whenever the power goes
            try:
                self._requests.note(request)
            except FootageError:
                with suppress(FootageError):
                    self._ring.index.release(request.id)
                raise
        elif known.state not in NOT_HELD:
            self._hold(request)
        self._wake.set()
        return self._there(request)

    def release(self, request_id: str, issuer: str) -> dict[str, Any]:
        """End the hold of a clip, and what is still to be sent of it.

        Raises:
            NgatuError: there is no such request, or it cannot be noted.
        """
        with self._lock:
            before = self._requests.release(request_id, f"by {issuer}")
            self._sending.pop(request_id, None)
            held = self._ring.index.release(request_id)
        if before is None and not held:
            raise NgatuError(f"there is no request {request_id!r}")
        self._outbox.withdraw_footage(lambda topic: topic.startswith(suffix_of(request_id)))
        self._wake.set()
        return {"was": "held" if before is None else str(before.state)}

    def _hold(self, request: ClipRequest) -> None:
        """By the number of its case: who asked, and what for, is nobody's who finds the disk."""
        self._ring.index.hold(request.id, request.camera, request.from_s, request.to_s, request.case_number)

    def _judge(self, request: ClipRequest) -> None:
        if not self._ring.ready:
            why = self._ring.trouble
            raise NgatuError(
                f"the footage cannot be read now: {why}"
                if why
                else "the footage is being looked through after a start: ask again in a minute"
            )
        if request.camera not in self._recorded:
            others = ", ".join(self._recorded)
            raise NgatuError(
                f"camera {request.camera} is not recorded; recorded are: {others}"
                if others
                else f"camera {request.camera} is not recorded, nor is any other of this box"
            )
        now = self._known()
        if now.trusted and request.from_s > now.wall_s + AHEAD_S:
            raise NgatuError(f"it begins in the future: here it is {_time(now.wall_s)}")
        index = self._ring.index
        kept = self._cutter.kept(request.camera)
        to_come = request.to_s > (self._clock.now().wall_s if kept is None else kept[1]) - SETTLE_S
        if not to_come and not index.segments(request.camera, request.from_s, request.to_s):
            if kept is None:
                raise NgatuError(f"there is no footage of camera {request.camera} yet")
            raise NgatuError(
                f"nothing of it is there: of camera {request.camera} there is footage from "
                f"{_time(kept[0])} to {_time(kept[1])}"
            )

    def _there(self, request: ClipRequest) -> dict[str, Any]:
        index = self._ring.index
        there = index.between(request.camera, request.from_s, request.to_s)
        until_s = min(request.to_s, self._clock.now().wall_s)
        gaps = index.gaps(request.camera, request.from_s, until_s) if until_s > request.from_s else ()
        return {
            "from": _time(request.from_s),
            "to": _time(request.to_s),
            "size_bytes": sum(each.bytes for each in there),
            "gaps": len(gaps),
        }

    # ------------------------------------------------------------------------------------------------- the loop

    def run(self, stop: Stop, beat: Beat) -> None:
        """Cut and send until `stop` is set. What an earlier life left goes on."""
        stop.wakes(self._wake.set)
        while not stop.is_set():
            beat()
            self._wake.clear()
            try:
                wait_s = self.turn(beat)
            except (FootageError, OutboxError) as error:  # a disk that does not take it now
                self._outage.lost(error)
                wait_s = WAITS_S
            else:
                self._outage.back()
            self._wake.wait(wait_s)

    def turn(self, beat: Beat) -> float:
        """Cut what is there, put what fits, tell what has changed; seconds until it is worth while again.

        Raises:
            FootageError, OutboxError: a disk does not take it; what is done is noted.
        """
        if not self._ring.ready:  # whoever keeps the ring looks through it first, and that may take minutes
            return WAITS_S
        self.hold_again()
        for noted in self._requests.open():
            beat()
            if noted.state is ClipState.REQUESTED:
                self._try_to_cut(noted, beat)
            elif noted.request.id not in self._sending:
                self._begin(noted)
        lying = self._outbox.footage()  # before the receipts: see Outbox.watch_footage
        self._note_receipts()
        if lying is not None and self._clock.now().mono_s >= self._not_before_s:
            self._look_after(lying)
            self._fill(lying, beat)
        self._tell()
        if self._sending:
            return BUSY_S
        return WAITS_S if self._requests.open() else QUIET_S

    def hold_again(self) -> None:
        """Once in a life: what a request holds, for an index that lost its holds knows nothing of it."""
        if self._held:
            return
        with self._lock:  # nothing is released in between
            held = {each.id for each in self._ring.index.held}
            for noted in self._requests.held():
                if noted.request.id not in held:
                    self._hold(noted.request)
        self._held = True

    # ------------------------------------------------------------------------------------------------- cutting

    def _try_to_cut(self, noted: NotedClip, beat: Beat) -> None:
        request, now = noted.request, self._clock.now()
        kept = self._cutter.kept(request.camera)
        listed = kept is not None and kept[1] >= request.to_s
        if not listed and now.wall_s < request.to_s + SETTLE_S:
            return
        if not listed:
            self._ring.cut(request.camera)
        if self._waits_for_the_chain(request):
            return
        try:
            clip = self._cutter.cut(request, beat)
        except FootageError as error:
            self._cut_failed[request.id] += 1
            if self._cut_failed[request.id] < ATTEMPTS:
                raise
            self._end(request, ClipState.FAILED, error.what)
            return
        if clip is None:
            self._end(request, ClipState.FAILED, self._why_nothing(request))
            return
        if not self._requests.cut(request.id, clip.files):
            return  # it was released meanwhile
        self.on_cut(request.camera)
        log.info("clip_cut", request=request.id, camera=request.camera, files=len(clip.files))

    def _waits_for_the_chain(self, request: ClipRequest) -> bool:
        """Whether the station is about to be told of a link at or after the range, and was not yet."""
        index, now_s = self._ring.index, self._clock.now().mono_s
        rows = index.segments(request.camera, request.from_s, request.to_s)
        done = not rows or index.told_after(request.camera, rows[-1].number) is not None
        if done or self.before_cut is None:
            self._untold.pop(request.id, None)
            return False
        self.before_cut(request.camera)
        return now_s - self._untold.setdefault(request.id, now_s) < TOLD_S

    def _why_nothing(self, request: ClipRequest) -> str:
        gaps = self._ring.index.gaps(request.camera, request.from_s, request.to_s)
        return "nothing of it was recorded" + "".join(f"; {gap.why}" for gap in gaps[:1] if gap.why)

    # ------------------------------------------------------------------------------------------------- sending

    def _begin(self, noted: NotedClip) -> None:
        with self._lock:
            sending = PackageInFlight(noted.request, self._requests.package(noted.request.id), noted.sent)
            if sending.package.files:  # else it was released a moment ago
                sending.told_bytes = sending.package.bytes_of(sending.sent)
                self._sending[noted.request.id] = sending

    def _note_receipts(self) -> None:
        with self._lock:
            while self._receipted:
                self._note_receipt(self._receipted.popleft())
            for sending in tuple(self._sending.values()):
                if sending.changed:
                    self._requests.note_sent(sending.request.id, sending.sent)
                    sending.changed = False
                if sending.sent.total >= sending.package.parts:
                    self._complete(sending)

    def _note_receipt(self, topic: str) -> None:
        for sending in self._sending.values():
            number = sending.number(topic)
            if number is not None:
                sending.changed = sending.changed or number not in sending.sent
                sending.sent.add(number)
                sending.put.discard(number)

    def _complete(self, sending: PackageInFlight) -> None:
        self._ring.index.receive(sending.pictures(), sending.request.id)
        self._end(sending.request, ClipState.COMPLETE, None)

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
            self._end(sending.request, ClipState.FAILED, f"a piece of it cannot be sent: {why}")
            return
        sending.apart.update(apart.keys())
        topics = {topic for topic, _ in apart.values()}
        self._outbox.withdraw_footage(topics.__contains__)
        sending.put -= set(apart)
        self._not_before_s = self._clock.now().mono_s + APART_S

    def _fill(self, lying: FootageLying, beat: Beat) -> None:
        """Up to MOST_WAITING pieces into the outbox, those of the oldest request first."""
        room = MOST_WAITING - len(lying.waiting)
        if room < MOST_WAITING // 2 or self._clock.now().mono_s < self._not_before_s:
            return
        taken = lying.waiting | set(lying.apart)
        for sending in tuple(self._sending.values()):
            batch: list[tuple[int, Message]] = []
            for number, file, piece in sending.missing():
                topic = f"{suffix_of(sending.request.id)}{file.name}/{piece}"
                if topic in taken:
                    continue
                try:
                    batch.append((number, sending.message(file, piece, self._clock.now(), self._cutter.read)))
                except FootageError as error:
                    self._end(sending.request, ClipState.FAILED, error.what)
                    return
                room -= 1
                if len(batch) == AT_ONCE or room <= 0:
                    self._put(sending, batch)
                    beat()
                    batch = []
                if room <= 0:
                    return
            self._put(sending, batch)

    def _put(self, sending: PackageInFlight, batch: Sequence[tuple[int, Message]]) -> None:
        with self._lock:
            if batch and sending.request.id in self._sending:  # else it was released meanwhile
                self._outbox.put([message for _, message in batch])
                sending.put.update(number for number, _ in batch)

    def _end(self, request: ClipRequest, state: ClipState, why: str | None) -> None:
        with self._lock:
            ended = self._requests.end(request.id, state, why)
            self._sending.pop(request.id, None)
        if not ended:
            return
        if state is not ClipState.COMPLETE:
            self._outbox.withdraw_footage(lambda topic: topic.startswith(suffix_of(request.id)))
            log.warning("clip_failed", request=request.id, camera=request.camera, why=why)
        else:
            log.info("clip_sent", request=request.id, camera=request.camera)

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
        detail = noted.detail
        if noted.state is ClipState.REQUESTED:
            detail = f"waits until {_time(noted.request.to_s)} is recorded"
        payload = EvidencePayload(
            id=noted.request.id,
            state=noted.state.value,
            time=moment(now),
            detail=detail,
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


def _time(wall_s: float) -> str:
    return rfc3339(moment(Instant(0.0, wall_s)))
