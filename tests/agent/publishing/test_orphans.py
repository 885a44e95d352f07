"""agent.publishing.orphans"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing import orphans
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Priority, Stored
from agent.wire.payloads import ClockPayload, EventPayload
from tests.support.fake_box import an_event

AT = Instant(5.0, 1_772_000_000.5)
CLOCK = ClockPayload(state="unknown", boot_id="boot-2", mono_ms=5000)
SENDER = Sender("hai-ninh", "hai-ninh-03", "north", "boot-1", "yolox-nano", "a" * 64, clock_state="ntp")


def test_what_an_earlier_life_left_open_ends_once_and_stays_closed(tmp_path: Path) -> None:
    clock = SystemClock()
    outbox = Outbox(tmp_path / "outbox.db", OutboxSettings(), clock)
    for number in (1, 2):
        outbox.put(event_messages(an_event(number), SENDER))
    outbox.close()

    outbox = Outbox(tmp_path / "outbox.db", OutboxSettings(), clock)
    ends = orphans.ends(outbox.open_events(), AT, CLOCK)
    outbox.put(ends)

    assert [end.event_id for end in ends] == ["e-1", "e-2"]
    assert outbox.open_events() == []
    outbox.close()


def test_the_end_repeats_what_was_known_with_a_new_time_and_the_clock_that_measured_it() -> None:
    opened = event_messages(an_event(7, picture=True, revision=3), SENDER)[0]
    (end,) = orphans.ends([opened], AT, CLOCK)
    before, after = json.loads(opened.body), json.loads(end.body)

    assert (after["phase"], after["end_reason"], after["revision"]) == ("end", "agent_restarted", 4)
    assert after["time"] == "2026-02-25T06:13:20.500Z"
    assert (after["clock"]["boot_id"], after["clock"]["state"], after["clock"]["mono_ms"]) == (
        "boot-2",
        "unknown",
        5000,
    )
    assert before["image"] is not None
    assert after["image"] is None  # it is not sent again
    changed = {"phase", "end_reason", "revision", "time", "clock", "image"}
    assert {key: value for key, value in after.items() if key not in changed} == {
        key: value for key, value in before.items() if key not in changed
    }
    assert (end.topic, end.priority, end.at) == (opened.topic, Priority.EVENT, AT)
    assert end.closes
    assert not end.opens


def test_the_end_follows_the_contract() -> None:
    (end,) = orphans.ends([event_messages(an_event(7), SENDER)[0]], AT, CLOCK)
    sent = json.loads(codec.finish(Stored(1, end, "a" * 64, AT), "s-1", AT))
    schema = json.loads((Path(codec.__file__).parent / "schema" / "event.json").read_text())

    jsonschema.validate(sent, schema)
    assert EventPayload.model_validate(sent).end_reason == "agent_restarted"


def test_nothing_open_means_nothing_to_say() -> None:
    assert orphans.ends([], AT, CLOCK) == []
