"""Orders for frames for training on a box: what was ordered, the loop that sends it; or why nothing leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from agent.clock import FlooredClock
from agent.commands.audit import Audit
from agent.config.schema import Config
from agent.errors import NgatuError
from agent.evidence.box_key import FILE, box_key, public_text
from agent.evidence.clips.requests import ClipRequests
from agent.evidence.samples.store import SampleStore
from agent.host.supervise import Beat, Stop
from agent.outbox.outbox import Outbox
from agent.workers.samples import records
from agent.workers.samples.handover import SampleHandover

log = structlog.get_logger(__name__)

REQUESTS: Final = "sample-orders.db"
"""Below state_dir."""
OFF: Final = "this box keeps no frames for training: samples.enabled is false"
NOT_BY_ORDER: Final = "frames for training leave this box by stick only: samples.by_order is false"
UNAVAILABLE: Final = "the frames for training of this box cannot be read: see its log"
Run = Callable[[Stop, Beat], None]


class SampleOrders:
    """What a box needs to hand frames over by order; where it may not or cannot, everything else works."""

    def __init__(
        self,
        config: Config,
        store: SampleStore | None,
        outbox: Outbox,
        audit: Audit,
        clock: FlooredClock,
        footage_sends: Callable[[], bool],
    ) -> None:
        """Nothing is sent yet; `footage_sends` says whether footage is on its way, which goes first."""
        given = _why_not(config) or store or UNAVAILABLE
        self.worker: SampleHandover | str = given if isinstance(given, str) else UNAVAILABLE
        """Or why no frame leaves by order."""
        self.key: str | None = None
        """The public half of the key for packages, as the birth message tells it."""
        self._requests: ClipRequests | None = None
        if isinstance(given, str) and not (config.state_dir / REQUESTS).exists():
            return  # else what an earlier life left is ended
        try:
            key = box_key(config.state_dir / FILE)
            self._requests = ClipRequests(config.state_dir / REQUESTS)
            self.worker = SampleHandover(
                self._requests,
                given,
                (config.device.commune, config.device.id),
                key,
                outbox,
                clock,
                lambda request, frames, left_out: records.note_handed_over(
                    audit, request, frames, left_out, clock, clock.trust()
                ),
                footage_sends,
            )
        except NgatuError as error:
            log.warning("sample_orders_unavailable", why=error.what, hint=error.hint)
            self.worker = f"frames for training cannot be handed over: {error.what}"
            return
        self.key = public_text(key.public_key())

    @property
    def runs(self) -> dict[str, Run]:
        """What is to be run, each in a thread of its own."""
        return {} if isinstance(self.worker, str) else {"sample orders": self.worker.run}

    def close(self) -> None:
        """Let go of the file of orders."""
        if self._requests is not None:
            self._requests.close()


def _why_not(config: Config) -> str | None:
    if not config.samples.enabled:
        return OFF
    return None if config.samples.by_order else NOT_BY_ORDER
