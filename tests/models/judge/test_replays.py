"""models.judge.replays"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import UsageError
from models.judge.replays import BEGIN, ReplayedEvent, compare_clip, only_in, parse_line, read_outcome
from tests.support.squares import write_model


def message(event: str, at_s: float, label: str, **more: object) -> str:
    """One event as `ngatu replay` writes it, as far as it is read."""
    start = (BEGIN + timedelta(seconds=at_s)).isoformat().replace("+00:00", "Z")
    rule = {"id": "line-1", "kind": "line"}
    content = {"id": event, "kind": "line_crossed", "severity": "info", "start_time": start, "rule": rule}
    return json.dumps({**content, "object": {"label": label}, "direction": "in", **more})


def test_events_count_once_with_their_last_label_and_counts_and_ids_are_read() -> None:
    count = json.dumps({"rule": "line-1", "counts": {"car": {"in": 2, "out": 1}}})
    lines = [
        message("b", 9.5, "truck"),
        message("a", 2.0, "car"),
        message("a", 2.0, "bus", severity="alert"),
        message("c", 12.0, "", object=None, direction=None),
        count,
        count,
    ]

    outcome = read_outcome(
        "\n".join(lines) + "\n", "1,7,0,0,9,9,0.9,-1,-1,-1\n2,7,0,0,9,9,0.9,-1,-1,-1\n2,8,0,0,9\n"
    )

    assert [(each.at_s, each.label, each.severity) for each in outcome.events] == [
        (2.0, "bus", "alert"), (9.5, "truck", "info"), (12.0, "", "info"),
    ]  # fmt: skip
    assert outcome.counts == {("line-1", "car", "in"): 4, ("line-1", "car", "out"): 2}
    assert (outcome.ids, outcome.alerts) == (2, 1)


def test_events_near_in_time_are_the_same_and_each_is_one_partner_only() -> None:
    def events(*moments_s: float) -> tuple[ReplayedEvent, ...]:
        return tuple(ReplayedEvent(at_s, "line-1", "line_crossed", "car", "in", "info") for at_s in moments_s)

    assert only_in(events(1.0, 1.4, 8.0), events(1.3)) == events(1.0, 8.0)
    assert only_in(events(1.0), events(1.0, 5.0)) == ()
    assert only_in(events(1.0), (replace(events(1.0)[0], direction="out"),)) == events(1.0)


@pytest.mark.long
def test_what_no_replay_can_read_is_told_in_its_own_words(tmp_path: Path) -> None:
    clip, model = tmp_path / "clip.mp4", write_model(tmp_path)
    clip.write_bytes(b"no film")

    with pytest.raises(UsageError, match=r"none\.mp4: no such file"):
        compare_clip(model, model, tmp_path / "none.mp4", [], None)
    with pytest.raises(UsageError, match=r"the replay with squares\.onnx failed: .*clip"):
        compare_clip(model, model, clip, [], None)


@pytest.mark.parametrize("text", ["0.1,0.6,0.9,0.6", "0.1,0.6 0.9,0.6", " 0.1, 0.6, 0.9, 0.6 "])
def test_a_line_is_two_points(text: str) -> None:
    assert parse_line(text) == ((0.1, 0.6), (0.9, 0.6))


@pytest.mark.parametrize(
    "text", ["", "a,b,c,d", "1,2,3", "0,0,0,0", "0.1,0.2,0.3,1.4", "0.1,0.2,0.3,nan", "0,1" * 9]
)
def test_what_is_no_line_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="a line is two different points"):
        parse_line(text)
