"""Ends for events that an earlier life of the agent left open: nobody is left waiting for an end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from agent.core.types import EndReason, Instant, Phase
from agent.wire.codec import moment
from agent.wire.message import Message, Priority
from agent.wire.payloads import ClockPayload, rfc3339


def ends(open_events: Sequence[Message], at: Instant, clock: ClockPayload) -> list[Message]:
    """For each open event its end, with reason agent_restarted, at the moment `at`, which `clock` measured.

    The last known state is repeated, as every message is complete by itself; its pictures are not sent again.
    """
    return [_end(message, at, clock) for message in open_events]


def _end(message: Message, at: Instant, clock: ClockPayload) -> Message:
    body = json.loads(message.body)
    revision = message.revision + 1
    body |= {
        "revision": revision,
        "phase": Phase.END.value,
        "end_reason": EndReason.AGENT_RESTARTED.value,
        "time": rfc3339(moment(at)),
        "clock": clock.model_dump(mode="json"),
        "image": None,
        "scene": None,
    }
    ended = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(
        message, body=ended, revision=revision, priority=Priority.EVENT, at=at, opens=False, closes=True
    )
