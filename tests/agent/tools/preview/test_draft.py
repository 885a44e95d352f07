"""agent.tools.preview.draft"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.config.schema import load
from agent.core.rules.registry import KINDS
from agent.errors import ConfigError
from agent.tools.preview.draft import INDENT, PARTS, CameraSheet, judge, kinds, read_sheet, snippet

HEAD = """\
device: {commune: hai-ninh, id: hai-ninh-03}
broker: {host: localhost}
cameras:
  - name: south
    source: {kind: csi}
  - name: north
    source: {kind: csi}
    max_fps: 5
"""
CROSSED = [[0.1, 0.1], [0.4, 0.1], [0.1, 0.6], [0.4, 0.6]]
SQUARE = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.6], [0.1, 0.6]]


def places(**given: list[Any]) -> dict[str, list[Any]]:
    return {part: given.get(part, []) for part in PARTS}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "box.yaml"
    path.write_text(HEAD, encoding="utf-8")
    return path


@pytest.fixture
def sheet(file: Path) -> CameraSheet:
    return read_sheet(file, "north")


fractions = st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)
corners = st.lists(fractions, min_size=2, max_size=2)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(polygon=st.lists(corners, min_size=3, max_size=6), mask=st.lists(corners, min_size=3, max_size=6))
def test_what_is_called_right_is_what_the_file_says_once_it_is_pasted(
    file: Path, polygon: list[list[float]], mask: list[list[float]]
) -> None:
    drawn = places(
        zones=[{"id": "road", "polygon": polygon}],
        privacy_masks=[mask],
        rules=[{"kind": "crowd", "id": "many", "zone": "road", "min_count": 9}],
    )
    judgement = judge(read_sheet(file, "north"), drawn)
    pasted = file.with_name("pasted.yaml")
    pasted.write_text(HEAD + judgement.yaml, encoding="utf-8")

    if judgement.mistakes:
        with pytest.raises(ConfigError):
            load(pasted)
    else:
        camera = load(pasted).camera("north")
        assert camera == judgement.camera
        assert [list(corner) for corner in camera.zones[0].polygon] == polygon
        assert [list(corner) for corner in camera.privacy_masks[0]] == mask
        assert read_sheet(pasted, "north").places == drawn


@pytest.mark.parametrize(
    ("drawn", "path", "what"),
    [
        (places(zones=[{"id": "road", "polygon": CROSSED}]), ("zones", 0), "its edges 2 and 4 cross"),
        (places(privacy_masks=[SQUARE, CROSSED]), ("privacy_masks", 1), "edges 2 and 4 of the mask cross"),
        (places(zones=[{"id": "Đường", "polygon": SQUARE}]), ("zones", 0, "id"), "2 to 32 of a-z"),
        (
            places(zones=[{"id": "road", "polygon": SQUARE[:2]}]),
            ("zones", 0, "polygon"),
            "2 corners, and at least three are needed",
        ),
        (
            places(
                rules=[{"kind": "zone", "id": "in", "zone": "raod"}], zones=[{"id": "road", "polygon": SQUARE}]
            ),
            ("rules", 0, "zone"),
            "there is no zone",
        ),
        (places(rules=[{"kind": "speeding", "id": "fast"}]), ("rules", 0, "kind"), "is not one of motion"),
        (
            places(zones=[{"id": "road", "polygon": [[0, 0], [1.5, 0], [1, 1]]}]),
            ("zones", 0, "polygon"),
            "0..1",
        ),
    ],
)
def test_what_is_wrong_is_told_with_the_words_of_check_and_where_it_lies(
    sheet: CameraSheet, drawn: dict[str, list[Any]], path: tuple[str | int, ...], what: str
) -> None:
    judgement = judge(sheet, drawn)

    assert judgement.camera is None
    assert {each.path[: len(path)] for each in judgement.mistakes} == {path}
    assert any(what in each.what for each in judgement.mistakes)


def test_each_place_is_a_line_below_the_camera_and_nothing_is_lost_of_a_rule(sheet: CameraSheet) -> None:
    rule = {"kind": "line", "id": "stop", "start": [0.1, 0.5], "end": [0.9, 0.5], "count_every_s": 60}
    judgement = judge(sheet, places(zones=[{"id": "road", "polygon": SQUARE, "margin": 0.1}], rules=[rule]))

    assert judgement.yaml.splitlines() == [
        f"{INDENT}zones:",
        f"{INDENT}  - {{id: road, polygon: [[0.1, 0.1], [0.4, 0.1], [0.4, 0.6], [0.1, 0.6]], margin: 0.1}}",
        f"{INDENT}rules:",
        f"{INDENT}  - {{kind: line, id: stop, start: [0.1, 0.5], end: [0.9, 0.5], count_every_s: 60}}",
    ]
    assert judgement.mistakes == ()


def test_no_rule_at_all_is_said_so_for_without_a_word_a_camera_tells_of_motion(sheet: CameraSheet) -> None:
    assert sheet.places["rules"] == [{"kind": "motion", "id": "motion"}, {"kind": "object", "id": "objects"}]
    assert snippet(places()) == f"{INDENT}rules: []\n"
    camera = judge(sheet, places()).camera
    assert camera is not None and camera.rules == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.just("\ud800"),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_a_page_sends_is_judged_and_not_obeyed(sheet: CameraSheet, thing: Any) -> None:
    for part in PARTS:
        judgement = judge(sheet, places(**{part: [thing]}))
        assert judgement.camera is None
        assert judgement.mistakes


def test_a_camera_that_is_not_in_the_file_and_a_file_that_is_wrong_are_told(file: Path) -> None:
    with pytest.raises(ConfigError, match="there is no camera est"):
        read_sheet(file, "est")
    file.write_text("cameras: []\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        read_sheet(file, "north")


def test_a_page_learns_of_every_kind_what_it_must_ask() -> None:
    answered = {each["kind"]: each for each in kinds()}

    assert list(answered) == [kind.name for kind in KINDS]
    assert all(each["meaning"] for each in answered.values())
    assert [name for name, each in answered.items() if each["line"]] == ["line"]
    assert {name: each["zone"] for name, each in answered.items() if name in ("zone", "motion", "line")} == {
        "zone": "needed", "motion": "possible", "line": "none",
    }  # fmt: skip
    (asked,) = answered["wrong_way"]["asks"]
    assert (asked["name"], asked["least"], asked["most"]) == ("direction_deg", 0.0, 360.0)
    assert (answered["crowd"]["severity"], answered["zone"]["severity"]) == ("alert", "info")


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind["kind"])
def test_a_rule_made_of_what_a_page_is_told_is_right(sheet: CameraSheet, kind: dict[str, Any]) -> None:
    rule: dict[str, Any] = {"kind": kind["kind"], "id": "rule-1"}
    rule |= {"start": [0.1, 0.5], "end": [0.9, 0.5]} if kind["line"] else {}
    rule |= {"zone": "road"} if kind["zone"] == "needed" else {}
    rule |= {asked["name"]: asked["least"] for asked in kind["asks"]}

    assert judge(sheet, places(zones=[{"id": "road", "polygon": SQUARE}], rules=[rule])).mistakes == ()
