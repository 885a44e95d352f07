"""station.boxes.answer_words, beside the words that a box really says"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agent.language import translated
from agent.workers.commands import CUT_OFF, UNDONE
from station.boxes.answer_words import reason

ROOT = Path(__file__).parents[3]
SAID = (
    "unsigned: this box does only what its station has signed",
    "the signature is not the station's",
    "expired",
    "issued in the future: compare the clocks of box and station",
    "it is for another session of this box, which was started again since, or whose card was changed "
    "or doubled: if it is still wanted, send it anew",
    UNDONE,
    CUT_OFF,
    "no picture within 10 s: the camera is lost, no route to host",
    "camera north gives no pictures: paused by Lan until 2026-11-28T11:00:00.000Z",
    "Lan looks at camera north already, for 12 s more: one look of a camera at a time",
    "there is no camera 'nord'; there are road",
    "nobody looked any more",
    "the camera gave no picture",
    "no picture went out: the link bore none, or today's bytes of pictures are used up",
    "cut short: the agent stops",
    "the last good configuration is kept: box.yaml:3: x",
    "this box was not started from a file",
    "the pause has ended before it could begin",
    "a pause ends after it was commanded, and within thirty days",
)


@pytest.mark.parametrize("detail", SAID)
def test_what_boxes_say_most_is_said_in_the_duty_room_s_words(detail: str) -> None:
    found = reason(detail)

    assert found is not None
    assert "the box says" not in found
    assert translated(found, "vi") != str(found)


def test_these_are_words_of_the_agent() -> None:
    """The first words of each stand in a literal of the box's program."""
    literals = [
        part.value
        for folder in ("commands", "workers", "runtime")
        for path in (ROOT / "agent" / folder).rglob("*.py")
        for part in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    starts = [each.split("'")[0] for each in SAID if each[0].islower() and "camera north" not in each]
    unknown = [each for each in starts if not any(words.startswith(each[:18]) for words in literals)]

    assert unknown == ["expired"] or unknown == []


def test_what_nobody_has_words_for_is_shown_as_the_box_said_it_in_one_line_that_steers_nothing() -> None:
    assert reason("the moon\n\x1b[31mis full") == "the box says: “the moon \ufffd[31mis full”"
    assert reason(None) is None
    assert reason("") is None
    assert len(reason("x" * 5000) or "") < 400
