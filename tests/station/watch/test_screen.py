"""station.watch.screen"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from agent.core.types import Phase
from station.ingest.inbound import InboundMessage
from station.ingest.subscriber import Subscriber, SubscriberSettings
from station.watch.screen import JsonLines, Lines, LiveTable
from station.watch.watch import Watch
from tests.station.ingest.test_receipts import messages


def table(*shown: InboundMessage, height: int = 30, width: int = 140, trouble: str | None = None) -> str:
    subscriber = Subscriber(SubscriberSettings(), Watch(None))
    subscriber.trouble = trouble
    console = Console(file=io.StringIO(), width=width, height=height)
    screen = LiveTable(console, subscriber, "broker:1883")
    for arrival in shown:
        screen.show(arrival)
    with console.capture() as capture:
        console.print(screen.table())
    return capture.get()


def changed(arrival: InboundMessage, **fields: object) -> InboundMessage:
    assert arrival.event is not None
    return replace(arrival, event=arrival.event.model_copy(update=fields))


def test_the_newest_event_is_the_first_row_and_a_later_message_renews_its_row() -> None:
    (first,), (second,) = messages(1, 1), messages(2, 2)
    second = changed(second, camera="south")
    ended = changed(first, revision=2, phase=Phase.END)
    stale = changed(first, revision=1, phase=Phase.UPDATE)

    text = table(first, second, ended, stale)

    assert text.index("north-01/south") < text.index("north-01/north")
    assert text.count("north-01/north") == 1
    assert "end" in text
    assert "update" not in text


def test_a_row_says_when_its_picture_came() -> None:
    event, picture = messages(1, 1, picture=True)

    assert "yes" not in table(event)
    assert "yes" in table(event, picture)


def test_the_table_is_cut_to_the_terminal() -> None:
    many = [messages(number, number)[0] for number in range(1, 40)]

    assert table(*many, height=12).count("line_crossed") == 6


@pytest.mark.parametrize(
    ("width", "last"), [(80, "phase"), (100, "phase"), (120, "severity"), (140, "picture")]
)
def test_a_row_says_by_which_rule_and_a_wider_terminal_in_which_zone(width: int, last: str) -> None:
    (event,) = messages(1, 1)
    assert event.event is not None
    seen = event.event.object
    assert seen is not None
    seen = seen.model_copy(update={"entered_zones": ("road", "gate")})

    lines = table(changed(event, object=seen, time=datetime.now(UTC)), width=width).splitlines()

    assert max(map(len, lines)) <= width
    (row,) = [line for line in lines if "line_crossed in" in line]
    assert all(word in row for word in ("north-01/north", "motorcycle", "stop-line", "start"))
    assert ("road, gate" in row) is (width >= 100)
    assert any(line.split()[-1:] == [last] for line in lines)


@pytest.mark.usefixtures("east_of_greenwich")
def test_the_table_names_the_zone_of_its_times() -> None:
    assert "local time: UTC+07:00" in table(*messages(1, 1))


def test_a_broker_that_is_away_is_named_with_the_reason() -> None:
    assert "waiting for broker:1883: cable cut" in table(trouble="cable cut")


def test_the_date_is_left_out_only_for_today() -> None:
    (event,) = messages(1, 1)
    yesterday = datetime.now(UTC) - timedelta(days=2)

    assert f"{datetime.now(UTC).astimezone():%Y-%m-%d}" not in table(changed(event, time=datetime.now(UTC)))
    assert f"{yesterday.astimezone():%Y-%m-%d}" in table(changed(event, time=yesterday))


def test_lines_and_json_show_events_and_nothing_else() -> None:
    event, picture = messages(1, 1, picture=True)
    for screen in (Lines, JsonLines):
        out = io.StringIO()
        with screen(out) as opened:
            opened.show(event)
            opened.show(picture)

        assert out.getvalue().count("\n") == 1
        assert "line_crossed" in out.getvalue()
    assert json.loads(out.getvalue())["id"] == "e-1"


def test_what_would_steer_the_terminal_is_not_written() -> None:
    (event,) = messages(1, 1)
    hostile = changed(event, direction="\x1b]52;c;aGk=\x07in\n2026 all is well", detail="\x9b31m")
    out = io.StringIO()
    Lines(out).show(hostile)

    assert not set("\x1b\x07\x9b") & set(out.getvalue())
    assert out.getvalue().count("\n") == 1


def test_a_line_of_json_says_what_came_and_steers_nothing() -> None:
    (event,) = messages(1, 1)
    raw = '{\n"detail":\r\n"\x85\x9b31m\u202e\u2028 x\x7f"}'
    out = io.StringIO()

    JsonLines(out).show(replace(event, raw=raw.encode()))

    assert not set("\x85\x9b\u202e\u2028\x7f\r") & set(out.getvalue())
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == json.loads(raw)


@pytest.fixture
def east_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("east_of_greenwich")
def test_an_event_that_cannot_be_shown_is_shown_as_such_and_takes_no_other_with_it() -> None:
    """The last second of the year 9999 has no local time there; the wire refuses it."""
    (first,), (second,) = messages(1, 1), messages(2, 2)
    beyond = changed(first, time=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), camera="south")

    text = table(second, beyond)

    assert "cannot be shown: OverflowError" in text
    assert "north-01/south" in text
    assert "north-01/north" in text


def test_alarms_stand_above_the_table_until_they_are_over() -> None:
    console = Console(file=io.StringIO(), width=140, height=30)
    screen = LiveTable(console, Subscriber(SubscriberSettings(), Watch(None)), "broker:1883")
    texts = []
    for alarms in ([f"quota box-{number}\x1b[2J" for number in range(9)], []):
        screen.show_alarms(alarms)
        with console.capture() as capture:
            console.print(screen.table())
        texts.append(capture.get())

    assert [f"quota box-{number}\ufffd" in texts[0] for number in range(9)] == [True] * 5 + [False] * 4
    assert "quota" not in texts[1]


def test_lines_tell_of_alarms_and_json_does_not() -> None:
    for screen, said in ((Lines, "alarm  quota north-01\n"), (JsonLines, "")):
        out = io.StringIO()
        screen(out).show_alarms(["quota north-01"])
        assert out.getvalue() == said
