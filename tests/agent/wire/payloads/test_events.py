"""agent.wire.payloads.events"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from agent.wire.payloads import EventPayload
from tests.support.fake_box import an_event


def test_who_does_not_know_an_end_reason_reads_the_event_all_the_same() -> None:
    """As whoever is older than `stopped` meets it: a word, and the event has ended."""
    at = Instant(5.0, 1_772_000_000.5)
    sender = Sender("hai-ninh", "hai-ninh-03", "north", "boot-1", "yolox-nano", "a" * 64, clock_state="ntp")
    sent = json.loads(codec.finish(Stored(1, event_messages(an_event(7), sender)[0], "a" * 64, at), "s-1", at))
    ended = sent | {"phase": "end", "end_reason": "switched_off"}

    jsonschema.validate(ended, json.loads((Path(codec.__file__).parent / "schema/event.json").read_text()))
    assert EventPayload.model_validate(ended).end_reason == "switched_off"
