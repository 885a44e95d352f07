"""station.words"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import pytest

from agent.core.tamper.classify import TamperKind
from agent.core.types import EndReason, EventKind, Phase, Severity
from agent.language import choose
from station import words
from station.audit.proof import StoreFault
from station.ingest.alarms import AlarmKind
from station.store.gaps import GapState
from station.words import word


@pytest.fixture
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LANGUAGE", raising=False)
    choose("vi")
    yield
    choose(None)


@pytest.mark.parametrize(
    ("named", "there_are"),
    [
        (words.KINDS, EventKind),
        (words.PHASES, Phase),
        (words.END_REASONS, EndReason),
        (words.SEVERITIES, Severity),
        (words.DETAILS, TamperKind),
        (words.GAP_STATES, GapState),
        (words.ALARMS, AlarmKind),
        (words.FAULTS, StoreFault),
    ],
)
def test_every_word_of_the_wire_is_named_and_english_as_it_came(
    named: Mapping[str, str], there_are: type[StrEnum]
) -> None:
    assert set(named) == {each.value for each in there_are}
    assert all(word(named, each) == each.value for each in there_are)


@pytest.mark.usefixtures("vietnamese")
def test_the_duty_room_reads_the_words_of_its_trade() -> None:
    labels = [word(words.LABELS, each) for each in ("person", "bicycle", "motorcycle", "car", "bus", "truck")]

    assert labels == ["người", "xe đạp", "xe máy", "ô tô", "xe buýt", "xe tải"]
    assert word(words.KINDS, EventKind.LINE_CROSSED) == "qua vạch"
    assert word(words.KINDS, EventKind.WRONG_WAY) == "ngược chiều"
    assert word(words.KINDS, EventKind.STOPPED_VEHICLE) == "dừng, đỗ"


@pytest.mark.usefixtures("vietnamese")
def test_a_word_that_nobody_has_named_stays_as_it_came() -> None:
    assert word(words.LABELS, "tuk-tuk") == "tuk-tuk"
    assert word(words.END_REASONS, "number") == "number"
