"""agent.wire.words"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

import pytest

from agent.core.tamper.classify import TamperKind
from agent.core.types import EndReason, EventKind, Phase, Severity
from agent.language import choose, translated
from agent.wire import words
from agent.wire.words import named


@pytest.fixture
def vietnamese(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("LANGUAGE", raising=False)
    choose("vi")
    yield
    choose(None)


@pytest.mark.parametrize(
    ("table", "there_are"),
    [
        (words.KINDS, EventKind),
        (words.PHASES, Phase),
        (words.END_REASONS, EndReason),
        (words.SEVERITIES, Severity),
        (words.DETAILS, TamperKind),
    ],
)
def test_every_word_of_the_wire_is_named_and_english_as_it_came(
    table: Mapping[str, str], there_are: type[StrEnum]
) -> None:
    assert set(table) == {each.value for each in there_are}
    assert all(named(table, each) == each.value for each in there_are)


@pytest.mark.usefixtures("vietnamese")
def test_the_duty_room_reads_the_words_of_its_trade() -> None:
    labels = [
        translated(named(words.LABELS, each))
        for each in ("person", "bicycle", "motorcycle", "car", "bus", "truck")
    ]

    assert labels == ["người", "xe đạp", "xe máy", "ô tô", "xe buýt", "xe tải"]
    assert translated(named(words.KINDS, EventKind.LINE_CROSSED)) == "qua vạch"
    assert translated(named(words.KINDS, EventKind.WRONG_WAY)) == "ngược chiều"
    assert translated(named(words.KINDS, EventKind.STOPPED_VEHICLE)) == "dừng, đỗ"


@pytest.mark.usefixtures("vietnamese")
def test_a_word_that_nobody_has_named_stays_as_it_came() -> None:
    assert translated(named(words.LABELS, "tuk-tuk")) == "tuk-tuk"
    assert translated(named(words.END_REASONS, "number")) == "number"
