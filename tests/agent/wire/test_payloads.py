"""agent.wire.payloads"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from agent.wire.payloads import Degradation, EventPayload, HealthPayload, ReceiptPayload, rfc3339
from tests.support.fake_box import an_event

AT = datetime(2026, 3, 2, 11, 4, 7, 412_999, tzinfo=UTC)


def test_times_are_in_utc_to_the_millisecond_whatever_zone_they_came_in() -> None:
    there = AT.astimezone(timezone(timedelta(hours=7)))

    assert rfc3339(there) == "2026-03-02T11:04:07.412Z"
    assert HealthPayload(time=there).time == AT.replace(microsecond=412_000)


def test_a_word_of_what_is_amiss_says_of_what() -> None:
    health = HealthPayload(time=AT, degraded=("storage_full", "detector_failed:north", "paused:north/line"))

    assert health.degradations == (
        Degradation("storage_full"),
        Degradation("detector_failed", "north"),
        Degradation("paused", "north/line"),
    )


def test_a_range_that_ends_before_it_begins_is_no_receipt() -> None:
    assert ReceiptPayload(station="a", stream="s", committed=((1, 1),), time=AT).committed == ((1, 1),)
    with pytest.raises(ValidationError, match="ends before it begins"):
        ReceiptPayload(station="a", stream="s", committed=((3, 1),), time=AT)


def test_a_time_that_utc_does_not_have_is_refused_in_words() -> None:
    early = "0001-01-01T00:00:00+23:59", "1969-12-31T23:59:59Z"
    late = "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"
    for time in (*early, *late):
        with pytest.raises(ValidationError, match="outside the years 1970 to 2199"):
            HealthPayload.model_validate_json(f'{{"time":"{time}"}}')


def test_who_does_not_know_an_end_reason_reads_the_event_all_the_same() -> None:
    """As whoever is older than `stopped` meets it: a word, and the event has ended."""
    at = Instant(5.0, 1_772_000_000.5)
    sender = Sender("hai-ninh", "hai-ninh-03", "north", "boot-1", "yolox-nano", "a" * 64, clock_state="ntp")
    sent = json.loads(codec.finish(Stored(1, event_messages(an_event(7), sender)[0], "a" * 64, at), "s-1", at))
    ended = sent | {"phase": "end", "end_reason": "switched_off"}

    jsonschema.validate(ended, json.loads((Path(codec.__file__).parent / "schema/event.json").read_text()))
    assert EventPayload.model_validate(ended).end_reason == "switched_off"
