"""agent.tools.preview.ring_footage"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import av
import pytest

from agent.config.schema import Config, load
from agent.core.types import Instant
from agent.detectors import load_detector
from agent.evidence.encryption import new_identity
from agent.evidence.fragment import StoredFragment
from agent.tools.preview.footage import recorded
from agent.tools.preview.ring_footage import MEMORY, PIECE_S, last_minutes, of_this_boot, pieces
from agent.tools.preview.trial import Trial, TrialCourse
from tests.support.footage import RingBench, piece

GOP_S = 1.0


@pytest.fixture
def config(config_file: Path) -> Config:
    return load(config_file)


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The boxes of an MP4 at its top."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8].decode(), data[at : at + length]
        at += length


def fragments(clip: Path, folder: Path) -> tuple[bytes, list[bytes]]:
    """A clip as a recorder cuts it: what every player needs first, and a piece for each second."""
    target = folder / "fragmented.mp4"
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    with av.open(str(clip)) as source, av.open(str(target), "w", options=options) as out:
        given = source.streams.video[0]
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, "yuv420p"
        stream.options = {"g": "10", "keyint_min": "10", "sc_threshold": "0", "bf": "0"}
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    init, media = b"", []
    for kind, data in boxes(target.read_bytes()):
        if kind in ("ftyp", "moov"):
            init += data
        elif kind == "moof":
            media.append(data)
        elif kind == "mdat":
            media[-1] += data
    return init, media


@pytest.fixture
def bench(road: Path, tmp_path: Path) -> RingBench:
    """A ring that has recorded the clip, eight seconds of it."""
    bench = RingBench(tmp_path / "ring")
    init, media = fragments(road / "road.mp4", tmp_path)
    assert len(media) == 8
    bench.ring.append(piece("road", "run-1", "init", bench.clock.now(), 0.0, init))
    for data in media:
        bench.ring.append(piece("road", "run-1", "media", bench.clock.now(), GOP_S, data))
        bench.clock.go_on(GOP_S)
    bench.ring.close()
    return bench


def tried(config: Config, bench: RingBench, identity: str) -> Trial:
    camera = config.cameras[0]
    trial = Trial(
        last_minutes(bench.folder, identity, "road"),
        camera,
        camera.pipeline(config.device),
        load_detector(config.detector),
        bench.clock,
    )
    trial.run()
    return trial


@pytest.mark.long
def test_a_trial_on_the_ring_tells_what_one_on_the_video_tells(
    config: Config, bench: RingBench, road: Path
) -> None:
    of_ring = tried(config, bench, bench.identity)
    camera = config.cameras[0]
    detector = load_detector(config.detector)
    of_file = Trial(recorded(road / "road.mp4"), camera, camera.pipeline(config.device), detector, bench.clock)
    of_file.run()

    assert of_ring.course is TrialCourse.DONE, of_ring.error
    assert of_ring.seconds == pytest.approx(of_file.seconds, abs=0.2)
    assert [each.values["rule"] for each in of_ring.events] == [each.values["rule"] for each in of_file.events]
    assert len(of_ring.events) == 4


def test_nothing_decrypted_is_left_behind_and_nothing_touches_the_disk(
    config: Config, bench: RingBench
) -> None:
    before = sorted(bench.folder.rglob("*.seg"))
    tried(config, bench, bench.identity)

    assert list(MEMORY.glob(f"ngatu-{os.getpid()}-*.mp4")) == []
    assert sorted(bench.folder.rglob("*.seg")) == before
    assert {path.suffix for path in bench.folder.rglob("*.*")} <= {".seg", ".db", ".db-wal", ".db-shm"}


def test_what_another_boot_recorded_is_not_seen_and_that_is_told(config: Config, bench: RingBench) -> None:
    trial = tried(config, bench, new_identity()[0])

    assert trial.course is TrialCourse.FAILED
    assert trial.error is not None
    assert "nothing of the last ten minutes can be seen" in trial.error.what
    assert "by the station only" in trial.error.hint


def test_what_is_older_than_ten_minutes_is_not_looked_at(config: Config, bench: RingBench) -> None:
    bench.clock.go_on(700)

    assert tried(config, bench, bench.identity).course is TrialCourse.FAILED


def test_the_ring_of_a_box_that_records_is_found_with_the_key_of_this_boot(
    config: Config, bench: RingBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = config.evidence.model_copy(update={"folder": bench.folder})
    box = config.model_copy(update={"evidence": evidence})
    off = config.cameras[0]
    camera = off.model_copy(update={"record": off.record.model_copy(update={"mode": "continuous"})})
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))

    assert of_this_boot(box, camera) is None
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "footage.key").write_text(bench.identity, encoding="ascii")
    assert of_this_boot(box, off) is None
    found = of_this_boot(box, camera)
    assert found is not None
    with closing(found.open(camera, bench.clock)) as source:
        assert len(list(source.frames())) > 60


def stored(at_s: float, *, key: bool = True, init: str = "a") -> StoredFragment:
    at = Instant(at_s, at_s)
    return StoredFragment(
        "road", "run", "media", 1, 0, 1, at, "boot", at_s, "ntp", 2.0, key, "h264", 64, 64, "", "", init,
        "as it came", None,
    )  # fmt: skip


def test_pieces_are_short_and_begin_with_a_key_picture() -> None:
    everything = [stored(2.0 * number) for number in range(31)]
    found = list(pieces(everything))

    assert [each for part in found for each in part] == everything
    assert all(part[-1].end_s - part[0].wall_s <= PIECE_S + 2.0 for part in found)
    assert len(found) == 4


def test_over_a_gap_another_init_and_before_the_first_key_picture_nothing_is_joined() -> None:
    given = [stored(0.0, key=False), stored(2.0), stored(4.0, key=False), stored(10.0), stored(12.0, init="b")]

    assert [[each.wall_s for each in part] for part in pieces(given)] == [[2.0, 4.0], [10.0], [12.0]]
    assert list(pieces([])) == []
    assert list(pieces([replace(given[0])])) == []
