"""agent.cameras.decode.encode"""

from __future__ import annotations

import io
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from agent.cameras.decode import encode
from agent.cameras.decode.decoded import Layout
from agent.cameras.decode.encode import CannotEncode, MaskedEncoder, encoded_size, parameter_sets
from agent.cameras.decode.privacy_mask import PrivacyMask

KBPS = 2000
MASK = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))


class Machine:
    """Its clock: each picture takes so long to encode."""

    def __init__(self, takes_s: float) -> None:
        self._takes_s, self._now_s = takes_s, 0.0

    def monotonic(self) -> float:
        self._now_s += self._takes_s
        return self._now_s


@pytest.fixture(autouse=True)
def quick_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy one would leave pictures out."""
    monkeypatch.setattr(encode, "time", Machine(0.001))


def layout(width: int = 320, height: int = 180, padding: int = 0, full_range: bool = False) -> Layout:
    chroma = (width + 1) // 2 + padding
    return Layout(width, height, (width + padding, chroma, chroma), full_range)


def grey(of: Layout, level: int) -> memoryview:
    """A slot of one shade, with other bytes where its rows are padded."""
    slot = np.full(of.nbytes, 255, np.uint8)
    for shade, (rows, columns), stride, at in zip(
        (level, 128, 128), of.shapes, of.strides, of.offsets, strict=True
    ):
        slot[at : at + rows * stride].reshape(rows, stride)[:, :columns] = shade
    return memoryview(slot.data)


def played(encoder: MaskedEncoder, packets: list[Packet[VideoStream]]) -> list[VideoFrame]:
    """What a player shows of the packets in a file."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        track = encoder.track(out)
        for packet in packets:
            packet.stream = track
            out.mux(packet)
    file.seek(0)
    with av.open(file) as container:
        return list(container.decode(video=0))


def luma(frame: VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(frame.to_ndarray()[: frame.height, : frame.width], np.uint8)


@pytest.mark.parametrize("padding", [0, 32])
def test_what_a_player_shows_is_the_pictures_at_their_moments(padding: int) -> None:
    size = layout(padding=padding)
    encoder = MaskedEncoder(size, 10, KBPS)
    levels = [60, 100, 140, 180, 220]
    packets = [p for n, level in enumerate(levels) for p in encoder.packets(grey(size, level), 7 + n / 10)]

    shown = played(encoder, packets)

    assert [round(float(frame.time or 0), 3) for frame in shown] == [0, 0.1, 0.2, 0.3, 0.4]
    assert [int(np.median(luma(frame))) for frame in shown] == pytest.approx(levels, abs=2)
    assert max(int(np.ptp(luma(frame))) for frame in shown) <= 4  # nothing of the padding


def test_a_key_picture_comes_every_two_seconds_at_least_however_the_pictures_come() -> None:
    size, chance = layout(), np.random.default_rng(1)
    encoder = MaskedEncoder(size, 10, KBPS)
    moments = np.cumsum(chance.uniform(0.1, 0.6, 80))
    keys = [
        float(packet.pts * encode.BASE)
        for at in moments
        for packet in encoder.packets(grey(size, 120), float(at))
        if packet.is_keyframe and packet.pts is not None
    ]
    assert keys[0] == 0
    assert max(later - earlier for earlier, later in pairwise(keys)) <= encode.KEY_S + 0.6


def test_what_a_mask_hides_has_no_part_in_what_is_encoded() -> None:
    size = layout()
    mask, chance = PrivacyMask(size, (MASK,)), np.random.default_rng(2)
    streams = []
    for _ in range(2):
        hidden = chance.integers(0, 256, size.nbytes, np.uint8)
        seen = hidden.copy()
        seen[: 320 * 45] = 90  # the rows above the mask are the same in both
        planes = [memoryview(seen.data)[at : at + n] for at, n in zip(size.offsets, size.sizes, strict=True)]
        slot = memoryview(bytearray(grey(size, 90)))
        mask.blacken(slot)
        whole = bytearray(slot)
        mask.copy(planes, slot)
        for start, end in _open(mask):  # what is open is made alike, so that only the hidden could differ
            slot[start:end] = whole[start:end]
        encoder = MaskedEncoder(size, 10, KBPS)
        streams.append([bytes(p) for n in range(5) for p in encoder.packets(slot, n / 10)])
    assert streams[0] == streams[1]


def _open(mask: PrivacyMask) -> list[tuple[int, int]]:
    """The bytes of a slot that the mask leaves open, found by painting."""
    slot = memoryview(bytearray(b"\x01" * mask.layout.nbytes))
    mask.blacken(slot)
    painted = np.frombuffer(slot, np.uint8) != 1
    edges = np.flatnonzero(np.diff(np.concatenate([[True], painted, [True]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


@pytest.mark.parametrize(("size", "encoded"), [
    ((1920, 1080), (1920, 1080)),
    ((127, 95), (126, 94)),
    ((3840, 2160), (1920, 1080)),
    ((7680, 4320), (1920, 1080)),
    ((1080, 1920), (1080, 1920)),
    ((2, 2), (2, 2)),
])  # fmt: skip
def test_every_size_is_encoded_evenly_and_not_too_large(
    size: tuple[int, int], encoded: tuple[int, int]
) -> None:
    assert encoded_size(*size) == encoded


def test_a_picture_of_odd_size_or_too_large_plays_all_the_same() -> None:
    for width, height in ((127, 95), (2560, 1600)):
        size = layout(width, height)
        encoder = MaskedEncoder(size, 10, KBPS)
        packets = [p for n in range(2) for p in encoder.packets(grey(size, 90), n / 10)]
        shown = played(encoder, packets)
        assert [(frame.width, frame.height) for frame in shown] == [encoded_size(width, height)] * 2
        assert int(np.median(luma(shown[1]))) == pytest.approx(90, abs=2)


def test_even_noise_stays_within_the_bytes_that_are_allowed() -> None:
    size, chance = layout(640, 360), np.random.default_rng(3)
    encoder = MaskedEncoder(size, 10, kbps=500)
    total = 0
    for number in range(200):
        slot = memoryview(chance.integers(0, 256, size.nbytes, np.uint8).data)
        total += sum(packet.size for packet in encoder.packets(slot, number / 10))
    # Noise is the worst there is: even the coarsest pictures of it are large.
    assert total * 8 / 20 / 1000 < 2 * 500


def test_full_range_is_said_in_the_stream() -> None:
    for full_range, said in ((True, "yuvj420p"), (False, "yuv420p")):
        size = layout(full_range=full_range)
        encoder = MaskedEncoder(size, 10, KBPS)
        assert played(encoder, encoder.packets(grey(size, 90), 0))[0].format.name == said


def test_a_board_that_is_too_slow_gets_fewer_pictures_and_no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    size = layout()
    encoder = MaskedEncoder(size, 10, KBPS)
    monkeypatch.setattr(encode, "time", Machine(0.09))  # they come every 0.1 s
    count = sum(len(encoder.packets(grey(size, 90), number / 10)) for number in range(100))
    assert count == 50


def test_parameter_sets_are_found_where_the_encoder_does_not_tell_them() -> None:
    context = VideoCodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = 64, 64, "yuv420p"
    context.time_base, context.options = Fraction(1, 10), {"tune": "zerolatency"}
    data = bytes(context.encode(VideoFrame(64, 64, "yuv420p"))[0])

    found = parameter_sets(data)

    assert found is not None
    assert [unit[0] & 31 for unit in found.split(b"\0\0\0\1")[1:]] == [7, 8]
    assert parameter_sets(data.split(b"\0\0\1", 3)[-1]) is None


def test_the_first_encoder_that_opens_is_taken_and_if_none_does_each_is_named() -> None:
    size = layout()
    assert MaskedEncoder(size, 10, KBPS, ("no_such_encoder", "libx264")).name == "libx264"
    with pytest.raises(CannotEncode, match=r"no_such_encoder: .*; gif: "):
        MaskedEncoder(size, 10, KBPS, ("no_such_encoder", "gif"))
