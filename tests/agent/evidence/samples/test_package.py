"""agent.evidence.samples.package"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent.errors import WireError
from agent.evidence.samples.package import (
    MAX_MANIFEST_BYTES,
    FrameEntry,
    SampleManifest,
    SampleOrder,
    file_of,
    manifest_bytes,
    read_sample_manifest,
)
from agent.wire.verbs import MOST_SAMPLES
from tests.support.kept_samples import sample

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
ORDER = SampleOrder("s-1", None, "a better detector", "Lê Văn A", "duty", "ab" * 32, 7)


def entry(number: int, sealed: bool = True) -> FrameEntry:
    name = sample(number, after_s=number)[0].file(sealed)
    return FrameEntry(file_of(number, name), name, 25_000, "cd" * 32)


def listing(*frames: FrameEntry) -> SampleManifest:
    return SampleManifest("hai-ninh", "north-01", AT, ORDER, frames or (entry(1), entry(2, sealed=False)))


def test_what_was_listed_is_read_as_it_was() -> None:
    assert read_sample_manifest(manifest_bytes(listing())) == listing()
    assert [each.file for each in listing().frames] == ["frame-00001.sample.age", "frame-00002.sample"]


def test_the_longest_list_fits_into_what_a_station_reads() -> None:
    longest = manifest_bytes(listing(*map(entry, range(1, MOST_SAMPLES + 1))))

    assert len(longest) < MAX_MANIFEST_BYTES
    assert len(read_sample_manifest(longest).frames) == MOST_SAMPLES


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"format": "ngatu evidence package"}, "no list of frames of version 1"),
        ({"version": 2}, "no list of frames of version 1"),
        ({"frames": []}, "a list of 0 frames"),
        ({"frames": None}, "frames: is no list"),
        ({"order": 7}, "order: is no SampleOrder"),
    ],
)
def test_what_is_no_such_list_is_refused_in_words(changed: dict[str, Any], why: str) -> None:
    members = json.loads(manifest_bytes(listing())) | changed

    with pytest.raises(WireError, match=why):
        read_sample_manifest(json.dumps(members).encode())


@pytest.mark.parametrize(
    "frame",
    [
        replace(entry(1), name="../../etc/passwd"),
        replace(entry(1), name="/etc/cron.d/x.sample"),
        replace(entry(1), file="frame-00007.sample.age"),
        replace(entry(1), file="manifest.json"),
        replace(entry(1), bytes=0),
        replace(entry(1), bytes=4_000_001),
        replace(entry(1), sha256="x" * 64),
    ],
)
def test_a_frame_that_no_box_can_have_is_refused(frame: FrameEntry) -> None:
    with pytest.raises(WireError, match="frame 1 of the list is none of a box"):
        read_sample_manifest(manifest_bytes(listing(frame)))


def test_a_name_is_listed_once_and_what_is_no_json_is_no_list() -> None:
    twice = replace(entry(1), file="frame-00002.sample.age")
    with pytest.raises(WireError, match="listed twice"):
        read_sample_manifest(manifest_bytes(listing(entry(1), twice)))
    with pytest.raises(WireError, match="no list of frames"):
        read_sample_manifest(b"{" * 2000)
