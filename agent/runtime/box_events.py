"""What the box tells of itself: its own events, how its clock goes, and the ends that an earlier run owes."""

from __future__ import annotations

import os
from collections.abc import Iterable

import structlog

from agent.clock import FlooredClock, boot_id
from agent.config.cross_check import RESERVED
from agent.config.schema import Config
from agent.core.condition_event import BOX_RULE, ConditionEvent
from agent.core.ids import Ids
from agent.core.types import Event, EventKind
from agent.detectors import Detector
from agent.errors import OutboxError
from agent.outbox.outbox import Outbox
from agent.publishing import orphans
from agent.publishing.compose import Sender, event_messages
from agent.status.health import clock_payload
from agent.translatable import tr
from agent.wire.channels import MessageKind
from agent.wire.codec import encode, message, moment
from agent.wire.payloads import ClockMapBody

logger = structlog.get_logger(__name__)


class BoxEvents:
    """The way of the main loop into the outbox; `sender` is for any thread."""

    def __init__(self, config: Config, outbox: Outbox, detector: Detector, clock: FlooredClock) -> None:
        self._config, self._outbox, self._detector, self._clock = config, outbox, detector, clock
        self._ids = Ids(os.urandom(32))

    def new_id(self) -> str:
        """For an event of the box, or for a run of the agent."""
        name, self._ids = self._ids.next(self._clock.now())
        return name

    def sender(self, camera: str = RESERVED) -> Sender:
        """What a message of this camera says about where it comes from, as of now."""
        trusted = self._clock.trust()
        return Sender(
            self._config.device.commune,
            self._config.device.id,
            camera,
            boot_id=boot_id(),
            model_name=self._detector.name,
            model_sha256=self._detector.sha256,
            clock_state=trusted.state,
            clock_error_ms=trusted.error_ms,
            pictures=self._config.thumbnail,
        )

    def tell(self, events: Iterable[Event]) -> None:
        """Keep events of the box."""
        new = tuple(events)
        if new:  # not at most ticks, and to ask how far to trust the clock costs more than the rest of one
            sender = self.sender()
            self._outbox.put_or_drop([each for event in new for each in event_messages(event, sender)])

    def tell_of(self, camera: str, events: Iterable[Event]) -> None:
        """Keep events of a camera that no rule tells; from any thread."""
        if new := tuple(events):
            sender = self.sender(camera)
            self._outbox.put_or_drop([each for event in new for each in event_messages(event, sender)])

    def tell_clock_map(self, session: str) -> None:
        """Keep which wall time belongs to this moment, so that the station can correct earlier stamps."""
        now = self._clock.now()
        clock = clock_payload(now, self._clock.trust())
        body = encode(ClockMapBody(session=session, time=moment(now), clock=clock))
        self._outbox.put_or_drop([message(MessageKind.CLOCK_MAP, body, now)])

    def close_orphans(self, boot_reason: str) -> None:
        """What the last run left open ends now, and the box says that it was restarted."""
        try:
            left_open = self._outbox.open_events()
        except OutboxError as error:  # a box with a bad disk still watches; the next start closes them
            logger.warning("open_events_unknown", why=error.what, hint=error.hint)
            return
        if not left_open:
            return
        now = self._clock.now()
        detail = tr("{why}; {number} events were open and are closed", why=boot_reason, number=len(left_open))
        restarted, self._ids = ConditionEvent(EventKind.AGENT_RESTARTED, BOX_RULE).once(now, self._ids, detail)
        ends = orphans.ends(left_open, now, clock_payload(now, self._clock.trust()))
        self._outbox.put_or_drop([*ends, *event_messages(restarted, self.sender())])
        self._outbox.leave_behind()  # there may be many, and none of them is news
        logger.warning("events_closed_after_restart", events=len(left_open))
