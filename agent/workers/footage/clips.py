"""Clips on request: noted and held at once, cut when they are there, sent piece by piece behind all else.

ask  in the commands' thread: judged, noted (agent/evidence/clips/requests.py), held; nothing waits
run  a thread of its own: what is there is cut, and sent piece by piece (sending.py)
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import structlog

from agent.clock import Clock
from agent.commands.policy import KnownTime
from agent.core.types import Instant
from agent.errors import FootageError, NgatuError
from agent.evidence.clips.cut import Cutter
from agent.evidence.clips.files import PackageFile
from agent.evidence.clips.in_flight import PackageInFlight
from agent.evidence.clips.requests import NOT_HELD, ClipRequest, ClipRequests, ClipState, NotedClip
from agent.evidence.ring import Ring
from agent.host.supervise import Beat, OutageLog, Stop
from agent.outbox.outbox import Outbox
from agent.wire.codec import moment
from agent.wire.payloads import rfc3339
from agent.workers.footage.sending import ATTEMPTS, PackageSender, driven

log = structlog.get_logger(__name__)

BUSY_S: Final = 0.5
"""Between two looks while pieces go out."""
WAITS_S: Final = 2.0
"""While a range is still being recorded."""
QUIET_S: Final = 10.0
TOLD_S: Final = 30.0
"""So long a clip waits until the station is told of a link at or after it; then it is cut all the same."""
SETTLE_S: Final = 6.0
"""After its end so much later a range is recorded: a fragment lasts four seconds, and waits in a pipe."""
AHEAD_S: Final = 60.0
"""So far in the future a range may begin: clocks of box and station are not the same."""


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
        self._requests, self._ring, self._cutter = requests, ring, cutter
        self._clock, self._known, self._recorded = clock, known, tuple(recorded)
        self.on_cut: Callable[[str], object] = lambda _: None
        """Called with the camera of a clip that was cut: who tells the chain's newest link tells it now."""
        self.before_cut: Callable[[str], object] | None = None
        """The same, for a clip that is about to be cut: only what was told before can stand in its chain."""
        self._untold: dict[str, float] = {}
        """By request: since when its clip waits for that."""
        self._sender = PackageSender(requests, self, outbox, clock)
        self._cut_failed: Counter[str] = Counter()
        self._held = False
        self._wake = threading.Event()
        self._outage = OutageLog("clips")

    @property
    def sends(self) -> bool:
        """Whether footage is on its way: what is less urgent than that waits."""
        return self._sender.any

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
        with self._sender.lock:
            before = self._requests.release(request_id, f"by {issuer}")
            self._sender.forget(request_id)
            held = self._ring.index.release(request_id)
        if before is None and not held:
            raise NgatuError(f"there is no request {request_id!r}")
        self._sender.withdraw(request_id)
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
        driven(stop, beat, self._wake, self.turn, self._outage)

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
            else:
                self._sender.begin(noted)
        self._sender.turn(beat)
        if self._sender.any:
            return BUSY_S
        return WAITS_S if self._requests.open() else QUIET_S

    def hold_again(self) -> None:
        """Once in a life: what a request holds, for an index that lost its holds knows nothing of it."""
        if self._held:
            return
        with self._sender.lock:  # nothing is released in between
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
            self._sender.end(request, ClipState.FAILED, error.what)
            return
        if clip is None:
            self._sender.end(request, ClipState.FAILED, self._why_nothing(request))
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

    def read(self, file: PackageFile) -> bytes:
        """The bytes of a file of a package.

        Raises:
            FootageError: what lay in the ring is gone, or damaged.
        """
        return self._cutter.read(file)

    def arrived(self, sending: PackageInFlight) -> None:
        """The station has all of it.

        Raises:
            FootageError: that cannot be noted now.
        """
        self._ring.index.receive(sending.pictures(), sending.request.id)

    def goes_without(self, _sending: PackageInFlight, _file: PackageFile) -> bool:
        """No: a clip with a hole that its manifest does not list would not be authentic."""
        return False

    def waits_for(self, noted: NotedClip) -> str:
        """For what a request waits that is not cut yet."""
        return f"waits until {_time(noted.request.to_s)} is recorded"

    def ended(self, request: ClipRequest, why: str | None) -> None:
        """It is sent, or will not be for this reason."""
        if why is None:
            log.info("clip_sent", request=request.id, camera=request.camera)
        else:
            log.warning("clip_failed", request=request.id, camera=request.camera, why=why)


def _time(wall_s: float) -> str:
    return rfc3339(moment(Instant(0.0, wall_s)))
