"""What the duty room reads, in the language of whoever looks; what programs read stays as it is"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from rich.cells import cell_len
from rich.console import Console

from agent.core.types import EventKind, Phase, Severity
from agent.language import choose
from station.ingest.subscriber import Subscriber, SubscriberSettings
from station.lookup.output import CsvWriter, JsonWriter, TableWriter
from station.stats_table import tables
from station.watch.screen import LiveTable
from station.watch.watch import Watch
from tests.station.ingest.test_receipts import messages
from tests.station.lookup.test_output import EVENT
from tests.station.test_stats_table import STORE
from tests.station.watch.test_screen import changed


@pytest.fixture
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LANGUAGE", raising=False)
    choose("vi")
    yield
    choose(None)


def events(writer: Callable[[io.StringIO], CsvWriter | JsonWriter | TableWriter]) -> str:
    out = io.StringIO()
    written = writer(out)
    written.write(EVENT)
    written.end()
    return out.getvalue()


def watched(width: int) -> str:
    (event,) = messages(1, 1)
    console = Console(file=io.StringIO(), width=width, height=20)
    screen = LiveTable(console, Subscriber(SubscriberSettings(), Watch(None)), "broker:1883")
    screen.show(
        changed(event, kind=EventKind.WRONG_WAY, direction=None, severity=Severity.ALERT, phase=Phase.START)
    )
    with console.capture() as capture:
        console.print(screen.table())
    return capture.get()


@pytest.mark.usefixtures("vietnamese")
def test_events_that_are_looked_up_are_shown_in_vietnamese_and_fit_into_80_columns() -> None:
    lines = events(lambda out: TableWriter(out, 80)).splitlines()

    assert lines[0].split("  ")[0] == "bắt đầu lúc"
    assert "qua vạch vào" in lines[1]
    assert "xe máy (2)" in lines[1]
    assert lines[2] == "1 sự kiện"
    assert max(map(cell_len, lines)) <= 80


@pytest.mark.usefixtures("vietnamese")
def test_the_watch_is_whole_in_80_columns() -> None:
    text = watched(80)

    for word in ("giờ", "sự kiện", "nhãn", "quy tắc", "giai đoạn", "ngược chiều", "xe máy", "bắt đầu"):
        assert word in text
    assert "…" not in text
    assert max(map(cell_len, text.splitlines())) <= 80


@pytest.mark.usefixtures("vietnamese")
def test_the_figures_of_the_store_are_whole_in_80_columns() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as capture:
        for each in tables(STORE):
            console.print(each)
    text = capture.get()

    for word in ("trạng thái", "tin cuối", "không ổn", "khoảng trống", "báo động", "hạn mức", "cơ sở dữ liệu"):
        assert word in text
    assert max(map(cell_len, text.splitlines())) <= 80


def test_what_programs_read_is_the_same_in_every_language(request: pytest.FixtureRequest) -> None:
    english = events(JsonWriter), events(CsvWriter)
    request.getfixturevalue("vietnamese")

    assert (events(JsonWriter), events(CsvWriter)) == english
    assert "line_crossed" in english[0]
    assert "motorcycle" in english[1]
