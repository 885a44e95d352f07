"""Golden events: three clips whose every event, count and track is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from agent.core.types import EventKind
from tests.golden.clips import CLIPS
from tests.golden.replays import ACCEPT, EXPECTED, Golden, difference, expected, replayed

NAMES = [clip.name for clip in CLIPS]
NOT_OF_A_CLIP = {
    EventKind.CAMERA_LOST,
    EventKind.STORAGE_FULL,
    EventKind.STORAGE_RAM_ONLY,
    EventKind.STORAGE_CORRUPT,
    EventKind.OUTBOX_FORKED,
    EventKind.IDENTITY_TAKEN,
    EventKind.RECORDING_STOPPED,
    EventKind.CLOCK_UNTRUSTED,
    EventKind.OVERHEATED,
    EventKind.AGENT_RESTARTED,
    EventKind.MODEL_TRIED,
}
"""They tell of a box and its camera; a file has neither."""
TOO_SLOW_FOR_A_CLIP = {EventKind.OBJECT_LEFT}
"""A thing must stand for longer than these clips last: benchmarks/scenes/left.py shows it."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Golden]:
    return replayed(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_gives_the_events_counts_and_tracks_that_it_always_gave(
    name: str, found: dict[str, Golden]
) -> None:
    differs = difference(name, expected(name), found[name])

    assert not differs, f"\n{differs}"


def test_the_clips_show_every_kind_of_event_that_a_clip_can_show() -> None:
    records = [record for name in NAMES for record in events(name)]

    shown = {each["kind"] for each in records if "kind" in each}
    assert shown == set(EventKind) - NOT_OF_A_CLIP - TOO_SLOW_FOR_A_CLIP
    assert {each["phase"] for each in records if "kind" in each} == {"start", "update", "end"}
    assert {each["end_reason"] for each in records if each.get("end_reason")} == {"left", "lost"}
    assert {each["direction"] for each in records if each.get("direction")} == {"in", "out"}
    assert {each["detail"] for each in records if each.get("kind") == "camera_blind"} == {
        *("covered", "dark", "bright", "blurred", "frozen", "moved")
    }
    assert {each["object"]["riders"] for each in records if each.get("object")} == {0, 1, 2}
    assert any(each.get("suppressed") for each in records)
    assert any(each.get("counts") for each in records)


def test_the_expected_files_are_small_enough_to_be_read_in_a_review() -> None:
    sizes = {path.name: path.stat().st_size for path in EXPECTED.iterdir()}

    assert sorted(sizes) == sorted(file for name in NAMES for file in Golden("", "", "").files(name))
    assert max(sizes.values()) < 200_000, sizes


def test_a_difference_names_the_event_the_field_and_how_to_accept_it() -> None:
    wanted = expected("lens")
    first, *rest = wanted.events.splitlines()
    changed = json.loads(first)
    changed["severity"] = "loud"

    report = difference("lens", wanted, with_events(wanted, json.dumps(changed), *rest))

    at_s = changed["clock"]["mono_ms"] / 1000
    assert f"lens: {at_s:.1f} s, {changed['kind']} start by {changed['rule']['id']}" in report
    assert '    severity: "info" → "loud"' in report
    assert report.endswith(ACCEPT)


def test_an_event_that_is_missing_does_not_make_the_others_differ() -> None:
    wanted = expected("lens")
    rest = wanted.events.splitlines()[1:]

    report = difference("lens", wanted, with_events(wanted, *rest))

    assert "is missing" in report
    assert len(report.splitlines()) == 3


def test_what_changes_everywhere_is_told_once() -> None:
    wanted = expected("lens")
    renamed = wanted.events.replace('"device":"golden-box-01"', '"device":"another"')

    report = difference("lens", wanted, replace(wanted, events=renamed))

    assert f"and {len(wanted.events.splitlines()) - 1} more\n" in report
    assert report.count('device: "golden-box-01" → "another"') == 1


def test_a_difference_is_never_longer_than_a_few_screens() -> None:
    wanted = expected("road")
    later = (json.loads(line) for line in wanted.events.splitlines())
    changed = [json.dumps(each | {"suppressed": number + 9}) for number, each in enumerate(later)]

    report = difference("road", wanted, with_events(wanted, *changed))

    assert len(report.splitlines()) < 150
    assert "more differences in road" in report


def test_pictures_of_another_encoder_are_not_compared_and_those_of_the_same_are() -> None:
    wanted = expected("lens")
    encoder, first, *rest = wanted.pictures.splitlines(keepends=True)
    worse = first.replace('"bytes":', '"bytes":1')

    assert "bytes" in difference("lens", wanted, replace(wanted, pictures="".join([encoder, worse, *rest])))
    other = encoder.replace('"opencv":"', '"opencv":"0.')
    assert not difference("lens", wanted, replace(wanted, pictures="".join([other, worse, *rest])))


def test_a_track_that_moves_by_a_hundredth_of_a_pixel_is_a_difference() -> None:
    wanted = expected("lens")
    moved = wanted.tracks.replace(".00,", ".01,", 1)

    assert "tracks, line" in difference("lens", wanted, replace(wanted, tracks=moved))


def events(name: str) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in expected(name).events.splitlines())


def with_events(golden: Golden, *lines: str) -> Golden:
    return replace(golden, events="".join(f"{line}\n" for line in lines))
