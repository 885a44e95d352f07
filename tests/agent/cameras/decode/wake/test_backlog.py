"""agent.cameras.decode.wake.backlog"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray

from agent.cameras.decode.wake.backlog import Backlog

COUNT, GROUP = 60, 20
NumberIn = Callable[[NDArray[np.uint8]], int]


@pytest.fixture(params=[0, 3])
def clip(request: pytest.FixtureRequest, numbered_clip: Callable[..., Path], tmp_path: Path) -> Path:
    """Key pictures at 0, 20 and 40, without pictures that are put in order and with them."""
    plain = numbered_clip(COUNT, codec="mpeg4", name="plain.avi")
    made = tmp_path / "clip.mp4"
    with av.open(str(plain)) as container, av.open(str(made), "w") as out:
        track = out.add_stream("libx264", rate=25)
        track.width, track.height, track.pix_fmt = 320, 240, "yuv420p"
        track.codec_context.thread_count = 1
        track.options = {
            "bf": str(request.param),
            "g": str(GROUP),
            "keyint_min": str(GROUP),
            "sc_threshold": "0",
        }
        for n, frame in enumerate(container.decode(video=0)):
            frame.pts, frame.time_base, frame.pict_type = n, Fraction(1, 25), 0
            out.mux(track.encode(frame))
        out.mux(track.encode())
    return made


@contextmanager
def packets(clip: Path) -> Iterator[tuple[list[Packet[Any]], Any]]:
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        video.codec_context.thread_count = 1
        yield [each for each in container.demux(video) if each.size], video.codec_context


def number(frame: Any, number_in: NumberIn) -> int:
    luma = np.frombuffer(frame.planes[0], np.uint8).reshape(240, frame.planes[0].line_size)[:, :320]
    return number_in(luma)


def test_a_key_picture_is_given_at_once_with_its_time(clip: Path, number_in: NumberIn) -> None:
    backlog = Backlog()
    with packets(clip) as (every, decoder):
        keys = [each for each in every if each.is_keyframe]
        given = [frame for each in keys for frame in backlog.key(each, decoder, wanted=True)]
        assert [number(each, number_in) for each in given] == [0, GROUP, 2 * GROUP]
        assert [each.time for each in given] == pytest.approx([0.0, 0.8, 1.6])


def test_what_was_left_is_decoded_after_all_and_only_pictures_of_the_last_moment_are_given(
    clip: Path, number_in: NumberIn
) -> None:
    backlog = Backlog()
    with packets(clip) as (every, decoder):
        first, second = (n for n, each in enumerate(every) if each.is_keyframe and n)
        backlog.key(every[first], decoder, wanted=True)
        for each in every[first + 1 : second - 2]:
            backlog.leave(each)
        late = [number(frame, number_in) for frame in backlog.decoded(decoder)]
        now = [number(frame, number_in) for each in every[second - 2 :] for frame in decoder.decode(each)]
        now += [number(frame, number_in) for frame in decoder.decode(None)]
    both = late + now
    assert both == list(range(both[0], COUNT))
    assert 2 * GROUP - 9 <= both[0] < 2 * GROUP
    assert len(backlog) == 0


def test_where_decoding_stopped_it_goes_on(clip: Path, number_in: NumberIn) -> None:
    backlog = Backlog()
    with packets(clip) as (every, decoder):
        shown = [number(frame, number_in) for each in every[:7] for frame in decoder.decode(each)]
        for each in every[7:10]:
            backlog.leave(each)
        shown += [number(frame, number_in) for frame in backlog.decoded(decoder)]
    assert shown == list(range(len(shown)))
    assert len(shown) >= 6


def test_what_a_recorder_makes_of_a_packet_s_time_changes_nothing(clip: Path, number_in: NumberIn) -> None:
    backlog = Backlog()
    with packets(clip) as (every, decoder):
        backlog.key(every[0], decoder, wanted=False)
        for each in every[1:10]:
            backlog.leave(each)
            each.pts = each.dts = 10**9
        frames = list(backlog.decoded(decoder))
        assert all(frame.time < 1 for frame in frames)
        assert frames


def test_a_packet_that_is_damaged_is_counted_and_the_others_are_decoded(clip: Path) -> None:
    backlog = Backlog()
    with packets(clip) as (every, decoder):
        backlog.key(every[0], decoder, wanted=False)
        for each in every[1:10]:
            broken: Packet[Any] = Packet(b"\0\0\0\5\x01\xff\xff\xff\xff" if each is every[4] else bytes(each))
            broken.pts, broken.dts, broken.time_base = each.pts, each.dts, each.time_base
            backlog.leave(broken)
        assert list(backlog.decoded(decoder))
        assert backlog.spoiled() <= 1
        assert backlog.spoiled() == 0


def test_what_does_not_follow_is_forgotten(clip: Path) -> None:
    backlog = Backlog()
    with packets(clip) as (every, decoder):
        backlog.leave(every[1])
        backlog.clear()
        assert list(backlog.decoded(decoder)) == []
