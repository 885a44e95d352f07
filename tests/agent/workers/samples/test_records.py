"""agent.workers.samples.records"""

from __future__ import annotations

import json
from pathlib import Path

from agent.clock import SystemClock, Trust
from agent.commands.audit import Audit, verify
from agent.evidence.samples.store import SampleDeletion, StoredSample
from agent.workers.samples.records import MOST_IDS, note_deleted, note_kept
from tests.support.kept_samples import sample

CLOCK, TRUSTED = SystemClock(), Trust("ntp", 3)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_frame_that_is_kept_is_a_line_that_says_why_and_by_what_right(tmp_path: Path) -> None:
    name, note = sample(1)

    assert note_kept(Audit(tmp_path / "audit.log"), name, note, CLOCK, TRUSTED)
    (line,) = lines(tmp_path / "audit.log")
    assert (line["samples"], line["id"], line["camera"], line["reason"]) == (
        "kept",
        name.id,
        "road",
        "missed_motion",
    )
    assert (line["sha256"], line["legal_basis"], line["blur"]) == (note.jpeg_sha256, note.legal_basis, "heads")


def test_deletions_are_lines_of_so_many_ids(tmp_path: Path) -> None:
    gone = tuple(StoredSample(sample(n)[0], 4096, "f") for n in range(MOST_IDS + 1))

    assert note_deleted(Audit(tmp_path / "audit.log"), SampleDeletion("age", gone), CLOCK, TRUSTED)
    first, second = lines(tmp_path / "audit.log")
    assert (first["count"], second["count"], second["why"]) == (MOST_IDS, 1, "age")
    assert verify(tmp_path / "audit.log") is None


def test_a_log_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    nowhere = Audit(tmp_path / "no folder" / "audit.log")

    assert not note_kept(nowhere, *sample(1), CLOCK, TRUSTED)
    assert not note_deleted(
        nowhere, SampleDeletion("age", (StoredSample(sample(1)[0], 1, "f"),)), CLOCK, TRUSTED
    )
