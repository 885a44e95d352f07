"""models.judge.page.report"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from agent.errors import UsageError
from agent.language import translated
from models.judge.judging import ModelComparison
from models.judge.page.report import page, page_place
from models.judge.replays import ClipComparison, ReplayedEvent, ReplayOutcome

TODAY = date(2026, 3, 1)


def text(found: ModelComparison, language: str = "en") -> str:
    return page(found, partial(translated, into=language), language, TODAY)


@pytest.fixture
def replayed(refused: ModelComparison) -> ModelComparison:
    events = tuple(ReplayedEvent(float(at), "line-1", "line_crossed", "car", "in", "alert") for at in range(20))
    outcome = ReplayOutcome(Counter({("line-1", "car", "in"): 20}), 21, events)
    clip = ClipComparison("<b>.mp4", outcome, replace(outcome, events=()), events, ())
    return replace(refused, clips=(clip,))


def test_the_page_says_verdict_figures_replays_pictures_and_rule(replayed: ModelComparison) -> None:
    shown = text(replayed)

    for part in (
        "poor is worse than good",
        "line-1 · car · in",
        "only the old one told",
        "The rule",
        "CC0-1.0",
    ):
        assert part in shown
    assert shown.count("<svg") == 3
    assert shown.count("whole picture: ") == 2
    assert shown.count('class="whisker"') == 6
    assert "data:image/jpeg" in shown
    assert "&lt;b&gt;.mp4" in shown


def test_nothing_of_it_comes_from_elsewhere(replayed: ModelComparison) -> None:
    assert re.findall(r'(?:src|href)="(?!data:)|url\(|<script|@import|https?://', text(replayed)) == []


def test_it_speaks_vietnamese_too(replayed: ModelComparison) -> None:
    shown = text(replayed, "vi")

    assert '<html lang="vi">' in shown
    assert "only the old one told" not in shown
    assert "is worse than" not in shown


@pytest.mark.parametrize("place", ["none/a.html", "."])
def test_a_page_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    assert page_place(tmp_path / "a.html") == tmp_path / "a.html"

    with pytest.raises(UsageError, match="the page cannot be written"):
        page_place(tmp_path / place)
