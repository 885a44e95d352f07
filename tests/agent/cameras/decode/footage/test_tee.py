"""agent.cameras.decode.footage.tee: packets as they came, or masked pictures, in fragments that play."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from agent.cameras.decode import encode
from agent.cameras.decode.decoded import EncodedPacket, Layout, Record
from agent.cameras.decode.encode import MaskedEncoder
from agent.cameras.decode.footage.pipe import FootagePipe
from agent.cameras.decode.footage.tee import Tee, way
from agent.cameras.footage import require_boxes
from tests.conftest import number_in
from tests.support.taps import Caught, played

Clip = Callable[..., Path]


def copied(path: Path, came: Callable[[int], float] = lambda n: n / 25, live: bool = False) -> Caught:
    """The packets of a file, through a tee."""
    caught = Caught()
    with av.open(path) as container:
        video = container.streams.video[0]
        codec = video.codec_context.codec.canonical_name
        tee = Tee(cast(FootagePipe, caught), Record(), False, codec, live)
        number = 0
        for packet in container.demux(video):
            if packet.size:
                tee.packet(packet, came(number))
                number += 1
        tee.close(came(number))
    return caught


def numbers(file: bytes) -> list[int]:
    return [number_in(frame.to_ndarray(format="gray")) for frame in played(file)]


@pytest.mark.parametrize(
    ("masked", "codec", "record", "expected"),
    [
        (False, "h264", Record(), "copy"), (False, "hevc", Record(), "copy"),
        (False, "mjpeg", Record(), "copy"), (False, "mjpeg", Record(mjpeg="encode"), "encode"),
        (False, "rawvideo", Record(), "encode"), (True, "h264", Record(), "encode"),
        (True, "h264", Record(under_masks="none"), "none"), (True, "mjpeg", Record(), "encode"),
    ],
)  # fmt: skip
def test_what_is_copied_and_what_is_encoded(masked: bool, codec: str, record: Record, expected: str) -> None:
    assert way(record, masked, codec) == expected


@pytest.mark.long
@pytest.mark.parametrize("codec", ["libx264", "libx265", "mjpeg"])
def test_every_picture_of_a_clip_is_in_the_fragments_and_plays(numbered_clip: Clip, codec: str) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    clip = numbered_clip(200, codec=codec, pixel_format=pixels, name="clip.mkv")

    caught = copied(clip)

    (file,) = caught.runs
    assert numbers(file) == list(range(200))
    assert (caught.pieces[0][0]["width_px"], caught.pieces[0][0]["encoder"]) == (320, None)
    assert len(caught.media) >= 2
    for head, following in pairwise(caught.media):
        assert head["end_s"] == following["start_s"], "nothing is between two fragments"
    assert all(head["end_s"] - head["start_s"] <= 4.1 for head in caught.media)
    assert sum(head["end_s"] - head["start_s"] for head in caught.media) == pytest.approx(8.0, abs=0.05)
    for head, data in caught.pieces:
        require_boxes(data, (b"ftyp", b"moov") if head["kind"] == "init" else (b"moof", b"mdat"))


def test_a_fragment_alone_plays_with_its_init(numbered_clip: Clip) -> None:
    caught = copied(numbered_clip(200, codec="mjpeg", pixel_format="yuvj420p"))
    (_, init), *media = caught.pieces

    found = [numbers(init + data) for _, data in media]

    assert sorted(chain.from_iterable(found)) == list(range(200))
    assert all(head["key"] for head, _ in media)


def test_a_camera_that_is_set_to_another_size_begins_a_new_run(numbered_clip: Clip, tmp_path: Path) -> None:
    both = tmp_path / "both.h264"
    small = numbered_clip(50, name="small.h264")
    large = numbered_clip(50, width=640, height=480, name="large.h264")
    both.write_bytes(small.read_bytes() + large.read_bytes())

    caught = copied(both)

    assert [(head["width_px"], head["height_px"]) for head in caught.heads if head["kind"] == "init"] == [
        (320, 240), (640, 480),
    ]  # fmt: skip
    first, second = caught.runs
    assert numbers(first) == numbers(second) == list(range(50))
    assert {frame.width for frame in played(second)} == {640}


def test_nothing_is_recorded_before_the_first_key_picture(numbered_clip: Clip) -> None:
    clip, caught = numbered_clip(100), Caught()
    with av.open(clip) as container:
        video = container.streams.video[0]
        tee = Tee(cast(FootagePipe, caught), Record(), False, "h264", False)
        packets = [packet for packet in container.demux(video) if packet.size]
        for number, packet in enumerate(packets[10:]):
            tee.packet(packet, number / 25)
        tee.close(5.0)
    assert caught.runs == []


def test_a_live_cameras_clock_that_jumps_makes_no_long_picture(numbered_clip: Clip) -> None:
    """Times are by when packets came; timestamps.py tells how."""
    caught = Caught()
    with av.open(numbered_clip(100)) as container:
        video = container.streams.video[0]
        tee = Tee(cast(FootagePipe, caught), Record(), False, "h264", True)
        for number, packet in enumerate(packet for packet in container.demux(video) if packet.size):
            if number >= 50:
                packet.pts, packet.dts = (packet.pts or 0) + 3_600_000, (packet.dts or 0) + 3_600_000
            tee.packet(packet, number / 25)
        tee.close(4.0)
    (file,) = caught.runs
    frames = played(file)
    assert len(frames) == 100
    assert frames[-1].time - frames[0].time == pytest.approx(4.0, abs=0.5)


def test_masked_pictures_are_encoded_and_packets_refused() -> None:
    caught = Caught()
    tee = Tee(cast(FootagePipe, caught), Record(fps=10), True, "h264", True)
    layout = Layout(64, 48, (64, 32, 32), False)
    for number in range(60):
        picture = np.full(layout.nbytes, 16 + number, np.uint8)
        tee.picture(layout, memoryview(picture), number / 10)
    tee.close(6.0)

    assert caught.heads[0] == {"kind": "way", "way": "encode"}
    (file,) = caught.runs
    levels = [int(frame.to_ndarray(format="gray").mean()) for frame in played(file)]
    assert len(levels) > 30, "a slow machine gets fewer pictures, never a delay"
    assert caught.pieces[0][0]["encoder"] == "software"
    assert levels == sorted(levels)
    with pytest.raises(AssertionError):
        tee.packet(cast(Any, None), 7.0)


def test_what_an_encoder_holds_back_is_recorded_when_its_run_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "ENCODERS", ("libx264",))
    monkeypatch.setattr(encode, "SOFTWARE", {"preset": "medium"})  # looks ahead, as hardware lags behind
    caught = Caught()
    tee = Tee(cast(FootagePipe, caught), Record(fps=10), True, "h264", True)
    for number in range(20):
        layout = Layout(64, 48, (64, 32, 32), False) if number < 10 else Layout(96, 48, (96, 48, 48), False)
        tee.picture(layout, memoryview(np.full(layout.nbytes, 20 + 10 * number, np.uint8)), float(number))
    tee.close(20.0)

    runs = [[frame.to_ndarray(format="gray").mean() for frame in played(file)] for file in caught.runs]
    assert [len(levels) for levels in runs] == [10, 10]
    assert all(before < after for before, after in pairwise(chain.from_iterable(runs)))


def test_a_muxer_that_fails_is_told_and_tried_again_in_a_while(numbered_clip: Clip) -> None:
    caught = Caught()
    tee = Tee(cast(FootagePipe, caught), Record(), False, "h264", False)
    raw, right = numbered_clip(50, codec="rawvideo", name="raw.nut"), numbered_clip(50, name="right.mkv")
    for clip, after_s in ((raw, 0.0), (raw, 20.0), (right, 40.0)):
        with av.open(clip) as container:
            for number, packet in enumerate(packet for packet in container.demux(video=0) if packet.size):
                tee.packet(packet, after_s + number / 25)
    tee.close(42.0)

    assert [head["kind"] for head in caught.heads] == ["way", "way", "way", "init"]
    assert all(head["why"] for head in caught.heads[1:3]), "once for each try, not for each picture"
    (file,) = caught.runs
    assert numbers(file) == list(range(50))


def test_what_the_board_has_encoded_is_recorded_as_it_comes() -> None:
    caught = Caught()
    tee = Tee(cast(FootagePipe, caught), Record(), True, "rawvideo", True)
    tee.from_board()
    assert not tee.encodes
    assert not tee.copies
    layout = Layout(64, 48, (64, 32, 32), False)
    encoder = MaskedEncoder(layout, 25, 500)
    for number in range(100):
        picture = memoryview(np.full(layout.nbytes, 16 + number, np.uint8))
        for packet in encoder.packets(picture, number / 25):
            at_s = 1000 + number / 25
            tee.board_packet(EncodedPacket(bytes(packet), packet.is_keyframe, at_s, at_s), "hardware")
    tee.close(1004.0)
    tee.board_packet(EncodedPacket(b"", True, 1004.1, 0.0), "hardware")

    (file,) = caught.runs
    frames = played(file)
    assert len(frames) > 40, "a slow machine encodes fewer"
    assert (caught.pieces[0][0]["width_px"], caught.pieces[0][0]["encoder"]) == (64, "hardware")
    assert all(head["key"] for head in caught.media)
    assert sum(head["end_s"] - head["start_s"] for head in caught.media) == pytest.approx(4.0, abs=0.1)
