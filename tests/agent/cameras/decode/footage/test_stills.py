"""agent.cameras.decode.footage.stills: single pictures out of packets, of the moment and the part asked for."""

from __future__ import annotations

import json
import mmap
import os
import socket
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.cameras.decode.decoded import GIVE_BYTES, MOST_STILLS, Layout
from agent.cameras.decode.footage.stills import KEEP_BYTES, KEEP_S, RecentPacket, RecentPackets, StillMaker
from agent.cameras.planes import views

FPS = 25
WHOLE = [0.0, 0.0, 1.0, 1.0]
RIGHT = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


class Asker:
    """The other end of the socket: what the parent does, in a few lines."""

    def __init__(self, clip: Path, masks: tuple[Any, ...] = ()) -> None:
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        self.stills = StillMaker(theirs, masks)
        self.began_s = time.monotonic() - 20.0
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            self.stills.begin(stream)
            for packet in container.demux(stream):
                if packet.size:
                    assert packet.pts is not None
                    assert packet.time_base is not None
                    self.stills.keep(packet, self.began_s + float(packet.pts * packet.time_base))

    def still(self, number: int = 1, **wish: Any) -> tuple[dict[str, Any], list[tuple[NDArray[np.uint8], ...]]]:
        """The answer, and the planes of each picture in it."""
        asked = {"until_s": time.monotonic() + 5, "box": WHOLE, "most_px": 4000, **wish}
        self.sock.send(json.dumps({"still": number, **asked}).encode())
        data, fds, _, _ = socket.recv_fds(self.sock, 1 << 16, 1)
        answer = json.loads(data)
        if not fds:
            return answer, []
        layout = Layout.from_json(answer["layout"])
        memory = memoryview(mmap.mmap(fds[0], 0, prot=mmap.PROT_READ))
        os.close(fds[0])
        pictures = []
        for place in range(len(answer["at_s"])):
            start = place * layout.nbytes
            planes = [
                memory[start + at :][:size] for at, size in zip(layout.offsets, layout.sizes, strict=True)
            ]
            pictures.append(views(layout, planes))
        return answer, pictures

    def at(self, picture: float) -> float:
        """When this picture came."""
        return self.began_s + picture / FPS


@pytest.fixture
def asker(numbered_clip: Callable[..., Path]) -> Iterator[Asker]:
    asker = Asker(numbered_clip(100))
    yield asker
    asker.sock.close()


@pytest.mark.long
def test_pictures_of_that_time_and_no_other_are_given(
    asker: Asker, number_in: Callable[[NDArray[np.uint8]], int]
) -> None:
    for wanted in (0, 7, 50, 97):
        answer, pictures = asker.still(from_s=asker.at(wanted - 0.5), to_s=asker.at(wanted + 2.5))

        assert [number_in(luma) for luma, _, _ in pictures] == [wanted, wanted + 1, wanted + 2]
        assert answer["at_s"] == pytest.approx([asker.at(wanted + n) for n in range(3)], abs=0.002)
        assert answer["size"] == [320, 240]
        assert answer["part"] == WHOLE


def test_a_machine_that_lets_nobody_set_a_priority_gives_pictures_all_the_same(
    numbered_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_of: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", forbidden)
    asker = Asker(numbered_clip(30))
    assert len(asker.still(from_s=asker.at(9.5), to_s=asker.at(10.5))[1]) == 1
    asker.sock.close()


def test_only_the_part_is_given_in_whole_chroma_samples(asker: Asker) -> None:
    answer, ((luma, u, v),) = asker.still(
        from_s=asker.at(9.5), to_s=asker.at(10.5), box=[0.101, 0.25, 0.499, 0.751]
    )

    left, top, right, bottom = answer["part"]
    assert (left * 320, top * 240, right * 320, bottom * 240) == (32, 60, 160, 182)
    assert luma.shape == (122, 128)
    assert u.shape == v.shape == (61, 64)


def test_a_large_part_is_made_smaller_before_it_is_given(asker: Asker) -> None:
    answer, ((luma, _, _),) = asker.still(from_s=asker.at(9.5), to_s=asker.at(10.5), most_px=100)

    assert luma.shape == (80, 106)
    assert answer["size"] == [320, 240]
    assert answer["part"] == pytest.approx(WHOLE, abs=0.02)


def test_what_masks_hide_is_black_in_every_way_it_is_given(numbered_clip: Callable[..., Path]) -> None:
    for pixel_format, codec in (("yuv420p", "libx264"), ("yuv444p", "libx264"), ("yuvj422p", "mjpeg")):
        asker = Asker(numbered_clip(30, pixel_format=pixel_format, codec=codec), (RIGHT,))
        for most_px in (4000, 100):
            _, ((luma, u, v),) = asker.still(from_s=asker.at(9.5), to_s=asker.at(10.5), most_px=most_px)
            half = luma.shape[1] // 2
            black = 0 if pixel_format.startswith("yuvj") else 16
            assert set(luma[:, half + 1 :].ravel()) == {black}, (pixel_format, most_px)
            assert set(u[:, half // 2 + 1 :].ravel()) == {128}
            assert set(v[:, half // 2 + 1 :].ravel()) == {128}
            assert luma[:, : half - 2].max() > 100
        asker.sock.close()


def test_what_is_hidden_changes_no_bit_of_what_is_given(tmp_path: Path) -> None:
    given = []
    for hidden in (20, 230):
        path = tmp_path / f"{hidden}.mkv"
        with av.open(path, "w") as out:
            stream = out.add_stream("ffv1", rate=FPS)
            stream.width, stream.height, stream.pix_fmt = 322, 242, "yuv444p"
            for number in range(5):
                picture = np.random.default_rng(number).integers(0, 255, (242, 322, 3), np.uint8)
                picture[:, 161:] = hidden
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv444p")
                frame.pts = number
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        asker = Asker(path, (RIGHT,))
        _, ((luma, u, v),) = asker.still(from_s=asker.at(2.5), to_s=asker.at(3.5), most_px=100)
        given.append((luma.tobytes(), u.tobytes(), v.tobytes()))
        asker.sock.close()
    assert given[0] == given[1]


def test_what_is_not_there_is_answered_too(asker: Asker) -> None:
    for from_s, to_s in ((asker.at(-500), asker.at(-400)), (asker.at(500), asker.at(600))):
        began_s = time.monotonic()
        answer, pictures = asker.still(7, from_s=from_s, to_s=to_s, until_s=time.monotonic() + 0.3)
        assert answer == {"still": 7}
        assert not pictures
        assert time.monotonic() - began_s < 2


def test_a_picture_that_has_not_come_yet_is_waited_for(
    asker: Asker, numbered_clip: Callable[..., Path]
) -> None:
    now_s = time.monotonic()
    with av.open(str(numbered_clip(30, name="later.mkv"))) as container:
        stream = container.streams.video[0]
        asker.stills.begin(stream)
        packets = [packet for packet in container.demux(stream) if packet.size]
    for packet in packets[:10]:
        asker.stills.keep(packet, now_s + float((packet.pts or 0) * Fraction(1, 1000)))
    asked = {"from_s": now_s + 0.79, "to_s": now_s + 0.81, "until_s": now_s + 8, "box": WHOLE, "most_px": 999}
    asker.sock.send(json.dumps({"still": 3, **asked}).encode())
    asker.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        asker.sock.recv(10)
    asker.sock.settimeout(10)
    for packet in packets[10:]:
        asker.stills.keep(packet, now_s + float((packet.pts or 0) * Fraction(1, 1000)))
    data, fds, _, _ = socket.recv_fds(asker.sock, 1 << 16, 1)
    os.close(fds[0])
    assert len(json.loads(data)["at_s"]) == 1


def test_packets_that_are_no_pictures_end_nothing(
    asker: Asker, number_in: Callable[[NDArray[np.uint8]], int]
) -> None:
    class Junk(bytes):
        is_keyframe, pts = True, 10**9

    asker.stills.keep(Junk(b"x" * 1000), asker.at(110))  # type: ignore[arg-type]
    assert asker.still(1, from_s=asker.at(109), to_s=asker.at(111), until_s=time.monotonic() + 0.2)[0] == {
        "still": 1
    }
    _, ((luma, _, _),) = asker.still(2, from_s=asker.at(49.5), to_s=asker.at(50.5))
    assert number_in(luma) == 50


def test_no_more_is_given_than_may_be(asker: Asker) -> None:
    answer, pictures = asker.still(from_s=asker.at(0), to_s=asker.at(90))
    assert len(pictures) == MOST_STILLS
    assert Layout.from_json(answer["layout"]).nbytes * len(pictures) <= GIVE_BYTES


def followed(packets: RecentPackets, from_s: float, to_s: float) -> list[RecentPacket]:
    return list(packets.following(from_s, to_s, 0))


def test_what_waits_is_bounded_in_bytes_and_time() -> None:
    packets = RecentPackets()
    for number in range(1000):
        packets.add(RecentPacket(bytes(100_000), number % 25 == 0, number, number / FPS))
        assert sum(len(each.data) for each in followed(packets, 0, 1e9)) <= KEEP_BYTES
    assert not followed(packets, 0, 30), "those of long ago have gone"
    assert [each.pts for each in followed(packets, 39.0, 39.5)] == list(range(975, 1000))

    small = RecentPackets()
    for number in range(1000):
        small.add(RecentPacket(b"x", number % 25 == 0, number, number / FPS))
    first = followed(small, 0, 1e9)[0]
    assert KEEP_S <= 999 / FPS - first.came_s <= KEEP_S + 1
    assert first.key


def test_a_key_picture_that_never_comes_again_leaves_nothing_behind() -> None:
    packets = RecentPackets()
    for number in range(100):
        packets.add(RecentPacket(bytes(100_000), number == 0, number, number / FPS))
    assert not followed(packets, 0, 1e9)
    packets.add(RecentPacket(b"key", True, 100, 4.0))
    assert [each.data for each in followed(packets, 4.0, 4.0)] == [b"key"]
