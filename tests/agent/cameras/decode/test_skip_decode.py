"""agent.cameras.decode.skip_decode"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from agent.cameras.decode.skip_decode import SkipDecode

COUNT, EVERY = 60, 10


def decoded(clip: Path, wanted: Callable[[int], bool], live: bool = False) -> tuple[dict[int, bytes], int]:
    """Number -> luma of each picture that the decoder gave, and how many came."""
    sparing, given = SkipDecode(live), {}
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        for place, packet in enumerate(container.demux(video)):
            if not sparing.spared(packet, video.codec_context, wanted(place)):
                given |= {sparing.number(f.pts): bytes(f.planes[0]) for f in packet.decode()}
    sparing.cut()
    return given, sparing.pictures


def now_and_then(place: int) -> bool:
    return place % EVERY < 2


@pytest.mark.parametrize("live", [False, True])
def test_of_whole_pictures_only_the_wanted_ones_are_decoded(
    numbered_clip: Callable[..., Path], live: bool
) -> None:
    clip = numbered_clip(COUNT, codec="mjpeg", pixel_format="yuvj420p", name="clip.avi")
    every, _ = decoded(clip, lambda _: True)
    some, came = decoded(clip, now_and_then, live)
    assert sorted(some) == [n for n in range(COUNT) if now_and_then(n)]
    assert came == COUNT
    assert all(some[n] == every[n] for n in some)


def test_pictures_on_which_no_other_builds_are_left_out_and_the_others_stay_the_same_to_the_last_bit(
    numbered_clip: Callable[..., Path],
) -> None:
    clip = numbered_clip(COUNT, name="clip.mp4")
    every, _ = decoded(clip, lambda _: True)
    some, came = decoded(clip, now_and_then)
    assert sorted(every) == list(range(COUNT))
    assert came == COUNT
    assert len(some) < 0.8 * COUNT  # x264 makes some three B pictures in a row, of which others build on one
    assert all(some[n] == every[n] for n in some)


@pytest.mark.parametrize(("codec", "name"), [("libx264", "clip.mp4"), ("mpeg4", "clip.avi")])
def test_a_wanted_picture_is_never_left_out(numbered_clip: Callable[..., Path], codec: str, name: str) -> None:
    clip = numbered_clip(COUNT, codec=codec, name=name)
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        order = np.argsort([packet.pts for packet in packets]).tolist()
        wanted = {place: order.index(place) for place in range(len(packets)) if now_and_then(place)}
    some, _ = decoded(clip, lambda place: place in wanted)
    assert set(wanted.values()) <= set(some)


def test_a_live_stream_whose_pictures_are_put_in_order_is_decoded_whole(
    numbered_clip: Callable[..., Path],
) -> None:
    clip = numbered_clip(COUNT, name="clip.mp4")
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.has_b_frames
    given, _ = decoded(clip, now_and_then, live=True)
    assert sorted(given) == list(range(COUNT))


def test_pictures_without_time_stamps_are_counted() -> None:
    sparing = SkipDecode(live=True)
    assert [sparing.number(None) for _ in range(3)] == [0, 1, 2]


def test_packets_that_were_left_are_counted_too(numbered_clip: Callable[..., Path]) -> None:
    clip, sparing = numbered_clip(COUNT, name="clip.mp4"), SkipDecode(live=False)
    with av.open(str(clip)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                sparing.came(packet)
        assert sparing.came_so_far == COUNT
    assert sparing.number(10**9) == COUNT - 1
