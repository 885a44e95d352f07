"""What is written down of footage: deletions in the audit log, links as messages for the station."""

from __future__ import annotations

from agent.clock import Clock, Trust, boot_id
from agent.commands.audit import Audit
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.evidence.retention.deletion import Deletion
from agent.outbox.outbox import Outbox
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.payloads import ClockPayload, FramePayload, RecordingBody, rfc3339
from agent.workers.footage.keeper import NewestLink


def note_deletion(audit: Audit, deletion: Deletion, clock: Clock, trusted: Trust) -> bool:
    """A line of the audit log, before it is done; False: the disk would not take it."""
    now = clock.now()
    line = audit.write(
        {
            "time": rfc3339(moment(now)),
            "trusted": trusted.good,
            "boot_id": boot_id(),
            "mono_ms": round(now.mono_s * 1000),
            "footage": "deleted",
            "why": deletion.why,
            "ranges": [
                {
                    "camera": each.camera,
                    "from": _time(each.from_s),
                    "to": _time(each.to_s),
                    "segments": [each.first, each.last],
                    "count": each.segments,
                    "bytes": each.bytes,
                }
                for each in deletion.ranges
            ],
        }
    )
    return line is not None


def tell_link(outbox: Outbox, newest: NewestLink, recipient: str, clock: Clock, trusted: Trust) -> bool:
    """The newest link of a camera into the outbox; False: it could not be kept."""
    now = clock.now()
    body = RecordingBody(
        camera=newest.camera,
        number=newest.number,
        link_sha256=newest.sha256,
        start=moment(Instant(0.0, newest.start_s)),
        end=moment(Instant(0.0, newest.end_s)),
        oldest=None if newest.oldest_s is None else moment(Instant(0.0, newest.oldest_s)),
        codec=newest.codec,
        frame=FramePayload(width_px=newest.width_px, height_px=newest.height_px) if newest.width_px else None,
        recipient=recipient,
        time=moment(now),
        clock=ClockPayload(
            state=trusted.state,
            error_ms=trusted.error_ms,
            boot_id=boot_id(),
            mono_ms=round(now.mono_s * 1000),
        ),
    )
    message = codec.message(MessageKind.RECORDING, codec.encode(body), now, camera=newest.camera)
    try:
        outbox.put([message])
    except OutboxError:
        return False
    return True


def _time(wall_s: float) -> str:
    return rfc3339(moment(Instant(0.0, wall_s)))
