"""examples.demo.page"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from agent.core.types import EndReason
from examples.demo.footage import HandedOver
from examples.demo.page import WHAT, WHY, Scene, altogether, numbers, write_page
from examples.demo.results import Delivery, KeptEvent, count


def an_event(name: str, kind: str, label: str | None, **more: Any) -> KeptEvent:
    body: dict[str, Any] = {
        "id": name,
        "camera": "road",
        "kind": kind,
        "severity": "info",
        "object": {"label": label, "riders": 0, "top_score": 0.7} if label else None,
        "direction": None,
        "end_reason": None,
        "start_time": "2026-01-01T00:00:01.000Z",
        "time": "2026-01-01T00:00:02.000Z",
        "rule": {"id": "the-rule"},
    }
    return KeptEvent(body | more, lap=1)


def written(folder: Path, events: list[KeptEvent]) -> str:
    seen = {"road": count("road", events)}
    page = write_page(folder, events, seen, [Scene("road", "nobody")], Delivery(1, 1, 0), {}, 40)
    return page.read_text(encoding="utf-8")


def test_every_reason_of_the_wire_is_explained() -> None:
    assert {each.value for each in EndReason} <= set(WHY)
    assert all(WHY.values())


def test_a_page_explains_the_kinds_and_reasons_that_stand_on_its_cards(tmp_path: Path) -> None:
    events = [
        an_event("1", "line_crossed", "car", severity="alert", direction="in", end_reason="clip_restarted"),
        an_event("2", "motion", None, end_reason="lost"),
        an_event("3", "camera_blind", None),
    ]

    text = written(tmp_path, events)

    assert re.findall(r"<dt>ended: (.*?)</dt>", text) == ["clip restarted", "lost"]
    assert f"<dd>{WHY['lost']}</dd>" in text
    assert f"<dd>{WHAT['line_crossed'][1]}</dd>" in text
    assert "camera blind" in text


def test_each_choice_of_the_filter_leaves_some_cards_and_without_scripts_all_are_shown(tmp_path: Path) -> None:
    text = written(
        tmp_path,
        [
            an_event("1", "line_crossed", "car", severity="alert"),
            an_event("2", "object", "truck"),
            an_event("3", "motion", None),
        ],
    )

    chosen = 0
    for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', text):
        for value, words in re.findall(r'<option(?: value="(\w*)")?(?: selected)?>([^<]+)', options):
            everything = (
                'value=""' in options and not value and words in ("everything", "both", "anything", "anybody")
            )
            chosen += not everything
            assert everything or f'data-{name}="{value or words}"' in text, (name, words)
    assert chosen == 1 + 1 + 3 + 2
    assert re.findall(r"<article[^>]*hidden", text) == []
    assert '<form id="filter" hidden>' in text


def test_the_footage_is_played_beside_the_verifiers_word(tmp_path: Path) -> None:
    event = {"camera": "road", "time": "2026-01-01T00:00:02.000Z"}
    videos = ("station/footage/b/q/package/footage-2.mp4", "station/footage/b/q/package/footage-1.mp4")
    words = ("authentic: <b>everything</b>", "  camera road")
    footage = HandedOver(event, "station/footage/b/q/package", videos, "authentic", words, "ngatu verify x")
    page = write_page(tmp_path, [], {}, [], Delivery(1, 1, 0), {}, 40, footage)
    text = page.read_text(encoding="utf-8")

    assert f'<video id="clip" src="{videos[0]}"' in text
    assert f'<a href="{videos[1]}">2</a>' in text
    assert '<b id="verdict" class="good">authentic</b>' in text
    assert "authentic: &lt;b&gt;everything" in text


def test_what_a_box_says_is_text_and_no_part_of_the_page(tmp_path: Path) -> None:
    text = written(tmp_path, [an_event("1", "object", "<script>alert(1)</script>")])

    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "nobody"),
        ({"car": (2, 2)}, "2 cars"),
        ({"truck": (1, 1), "car": (3, 4)}, "3–4 cars, 1 truck"),
        ({"bicycle": (0, 1)}, "0–1 bicycle"),
        ({"person": (1, 2), "bus": (2, 2)}, "2 buses, 1–2 people"),
        ({"bus": (0, 0)}, "nobody"),
    ],
)
def test_how_many_of_each_is_said_in_words(counts: dict[str, tuple[int, int]], words: str) -> None:
    assert numbers(counts) == words


def test_all_in_all_each_number_is_one() -> None:
    assert altogether({"car": 26, "person": 1}) == "26 cars, 1 person"
