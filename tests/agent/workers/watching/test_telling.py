"""agent.workers.watching.telling: events and counts get into the outbox, whatever becomes of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.core.types import Count, Event, EventKind, Instant, Phase, Severity, Size
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.compose import Sender
from agent.workers.watching.telling import Telling
from tests.conftest import SteppedClock

SENDER = Sender("hai-ninh", "hai-ninh-03", "road", "boot-1", "squares")
AT = Instant(1000.0, 1_770_000_000.0)


def event(rule: str) -> Event:
    return Event(
        id="0197a1c2-0000-7000-8000-000000000001", revision=1, kind=EventKind.OBJECT, phase=Phase.START,
        severity=Severity.INFO, at=AT, rule_id=rule, rule_kind="object", started=AT, frame=Size(320, 180),
    )  # fmt: skip


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path / "outbox.db", OutboxSettings(ballast_bytes=0), SteppedClock())
    yield made
    made.close()


def test_who_listens_hears_of_events_before_they_are_put(outbox: Outbox) -> None:
    telling, heard = Telling("road", outbox, lambda: SENDER), list[tuple[Sequence[Event], int]]()
    telling.on_events = lambda events: heard.append((events, outbox.stats().pending))
    first, second = event("first"), event("second")

    telling.tell([first])
    telling.tell_when_pictured([second], None)
    telling.tell([])
    assert heard == [([first], 0), ([second], 1)]
    assert outbox.stats().pending == 2


def test_one_that_cannot_be_put_into_words_is_counted_by_its_class_and_silences_nobody(outbox: Outbox) -> None:
    words = iter([SENDER])

    def sender() -> Sender:
        return next(words)

    count = Count("line", AT, Instant(AT.mono_s + 60, AT.wall_s + 60), {})
    with capture_logs() as lines:
        Telling("road", outbox, sender).tell([event("first"), event("second"), count])

    assert outbox.stats().pending == 1
    assert (outbox.stats().dropped["event"], outbox.stats().dropped["count"]) == (1, 1)
    assert [(line["event"], line["rule"]) for line in lines] == [
        ("event_not_encoded", "second"),
        ("event_not_encoded", "line"),
    ]
