"""The box's load: measures how hot and how late it is, and tells when it looks at fewer pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog

from agent.clock import Clock
from agent.core import throttle
from agent.core.ids import Ids
from agent.core.throttle import FULL, HeatReport, Reading, Throttle, ThrottleSettings, ThrottleState
from agent.core.types import EndReason, Event
from agent.host.camera_stats import CameraStats
from agent.host.machine import Machine

log = structlog.get_logger(__name__)


class LoadMonitor:
    """Decides at every tick; `now` may be read from any thread."""

    def __init__(
        self,
        machine: Machine,
        settings: ThrottleSettings,
        clock: Clock,
        ids: Ids,
        tell: Callable[[tuple[Event, ...]], None],
    ) -> None:
        """`tell` is given what the box has to say of itself, in the thread that ticks."""
        self.now: Throttle = FULL
        self._machine, self._settings = machine, settings
        self._clock, self._ids, self._tell = clock, ids, tell
        self._state = ThrottleState()
        self._heat = HeatReport()

    def fps(self, wanted: float) -> float:
        """Pictures a second to look at now, of so many wanted."""
        return throttle.fps(wanted, self.now.share, self._settings)

    def tick(self, cameras: Iterable[CameraStats]) -> Throttle:
        """Read the machine and the cameras, decide, and tell what has changed."""
        reading = self._read(tuple(cameras))
        before = self.now
        self._state, self.now = throttle.update(self._state, reading, self._settings)
        self._heat, self._ids, events = throttle.report(self._heat, self.now, reading, self._ids)
        if events:
            self._tell(events)
        if (before.hot, before.busy) != (self.now.hot, self.now.busy):
            self._say(reading)
        return self.now

    def close(self) -> None:
        """The agent stops: nothing stays open."""
        event, events = self._heat.event.close(self._clock.now(), EndReason.STOPPED)
        self._heat = HeatReport(event)
        self._tell(events)

    def _read(self, cameras: tuple[CameraStats, ...]) -> Reading:
        now, throttled = self._clock.now(), self._machine.throttled()
        # Under-voltage caps the frequency, too: that is told as what it is, and is no heat.
        capped = throttled is not None and throttled.frequency_capped and not throttled.under_voltage
        shares = [each.share_missed(now) for each in cameras]
        return Reading(
            now,
            self._machine.cpu_temp_c(),
            capped,
            behind=sum(shares) / len(shares) if shares else 0.0,
            load=max((each.share_at_work(now) for each in cameras), default=0.0),
        )

    def _say(self, reading: Reading) -> None:
        if self.now == FULL:
            log.info("full_rate", temp_c=reading.temp_c)
        else:
            log.warning(
                "slowed_down",
                hot=self.now.hot,
                busy=self.now.busy,
                share=self.now.share,
                temp_c=reading.temp_c,
                missed=round(reading.behind, 2),
            )
