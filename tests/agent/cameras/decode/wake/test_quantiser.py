"""agent.cameras.decode.wake.quantiser"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.wake.quantiser import QUANTISERS, QuantiserReader

PICTURES = 24
KEY_FINER, BOTH_WAYS_COARSER = 3, 2
"""By which x264 quantises key pictures finer and B pictures coarser than others, at a constant quantiser."""


def moving(
    made: Path, quantiser: int, codec: str = "libx264", parameters: str = "", bframes: int = 0
) -> tuple[bytes | None, list[bytes]]:
    """What a container says of the stream, and the packets of a view that moves and fades."""
    view = np.random.default_rng(1).integers(0, 255, (96, 128)).astype(np.float32)
    with av.open(str(made), "w") as out:
        track = out.add_stream(codec, rate=20)
        track.width, track.height, track.pix_fmt = 128, 96, "yuv420p"
        track.codec_context.gop_size, track.codec_context.thread_count = 12, 1
        track.options = {"qp": str(quantiser), "bf": str(bframes), "sc_threshold": "0"}
        if parameters:
            track.options |= {f"{codec[3:]}-params": parameters}
        for n in range(PICTURES):
            luma = np.roll(view, n * 2, 1) * (1 - n / 40)
            flat = np.concatenate([luma.reshape(-1), np.full(128 * 48, 128)]).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(flat.reshape(144, 128), "yuv420p")
            picture.pts = n
            out.mux(track.encode(picture))
        out.mux(track.encode(None))
    with av.open(str(made)) as container:
        video = container.streams.video[0]
        return video.codec_context.extradata, [bytes(each) for each in container.demux(video) if each.size]


def read(extradata: bytes | None, packets: list[bytes]) -> list[int | None]:
    reader = QuantiserReader(extradata)
    return [reader.read(memoryview(each)) for each in packets]


@pytest.mark.parametrize("suffix", ["mp4", "h264", "ts", "mkv"])
@pytest.mark.parametrize("quantiser", [10, 26, 44])
def test_it_reads_the_quantiser_that_the_encoder_was_told(tmp_path: Path, suffix: str, quantiser: int) -> None:
    found = Counter(read(*moving(tmp_path / f"clip.{suffix}", quantiser)))
    assert found == {quantiser: PICTURES - 2, quantiser - KEY_FINER: 2}


@pytest.mark.parametrize(
    "parameters",
    [
        "weightp=2:ref=4",
        "cabac=0:slices=3",
        "interlaced=1",
        "cqm=jvt:8x8dct=1:aud=1",
        "b-pyramid=strict:weightb=1",
    ],
)
def test_whatever_else_stands_in_a_slice_s_header_is_read_over(tmp_path: Path, parameters: str) -> None:
    found = read(*moving(tmp_path / "clip.mp4", 30, parameters=parameters, bframes=3))
    assert None not in found
    assert set(found) <= {30 - KEY_FINER, 30, 30 + 1, 30 + BOTH_WAYS_COARSER}
    assert {30 - KEY_FINER, 30} <= set(found)


def test_parameter_sets_that_come_with_the_pictures_do_as_well(tmp_path: Path) -> None:
    _, packets = moving(tmp_path / "clip.h264", 26)
    assert read(None, packets)[0] == 26 - KEY_FINER


def test_without_parameter_sets_nothing_is_known(tmp_path: Path) -> None:
    _, packets = moving(tmp_path / "clip.mp4", 26)
    assert set(read(None, packets)) == {None}


def test_of_another_codec_nothing_is_known(tmp_path: Path) -> None:
    extradata, packets = moving(tmp_path / "clip.mp4", 26, codec="mpeg4")
    assert set(read(extradata, packets)) == {None}


def exp_golomb(number: int) -> str:
    return f"{number + 1:b}".zfill(2 * (number + 1).bit_length() - 1)


def unit(header: int, bits: str) -> bytes:
    """A NAL unit after its length."""
    long = -(-len(bits) // 8)
    body = bytes([header]) + int(bits.ljust(8 * long, "1"), 2).to_bytes(long, "big")
    return len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize(("number", "kept"), [(0, True), (255, True), (256, False), (70_000, False)])
def test_a_camera_fills_no_memory_with_parameter_sets_of_numbers_that_there_are_not(
    tmp_path: Path, number: int, kept: bool
) -> None:
    extradata, _ = moving(tmp_path / "clip.mp4", 26)
    picture_set = unit(0x68, exp_golomb(number) + "110" + "1" + "11" + "000" + "111" + "000" + "1")
    key_picture = unit(0x65, exp_golomb(0) + exp_golomb(7) + exp_golomb(number) + "0" * 16 + "1" * 64)
    found = QuantiserReader(extradata).read(memoryview(picture_set + key_picture))
    assert (found is not None) is kept


@given(st.binary(max_size=200), st.lists(st.binary(max_size=300), max_size=4))
def test_no_bytes_are_an_error(extradata: bytes, packets: list[bytes]) -> None:
    assert all(each is None or each in QUANTISERS for each in read(extradata, packets))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[bytes]]:
    extradata, packets = moving(tmp_path_factory.mktemp("sound") / "clip.mp4", 30, bframes=3)
    assert extradata is not None
    return extradata, packets


@given(st.data())
def test_no_damage_to_a_sound_stream_is_an_error(sound: tuple[bytes, list[bytes]], data: st.DataObject) -> None:
    extradata, packets = sound
    said = bytearray(extradata)
    said[data.draw(st.integers(0, len(said) - 1))] = data.draw(st.integers(0, 255))
    broken = []
    for each in packets[:4]:
        head = bytearray(each[: data.draw(st.integers(0, 80))])
        for _ in range(data.draw(st.integers(0, 3)) if head else 0):
            head[data.draw(st.integers(0, len(head) - 1))] = data.draw(st.integers(0, 255))
        broken.append(bytes(head))
    assert all(each is None or each in QUANTISERS for each in read(bytes(said), broken))
