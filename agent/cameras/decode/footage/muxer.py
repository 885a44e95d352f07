"""Packets of one run to fragments of MP4 (ISO/IEC 14496-12): an init, then pieces.

FFmpeg's muxer cuts: at a key picture a second or more after the last cut, and after four seconds anyway. What
it writes is whole boxes; a fragment is complete when the packet after it is given, whose coming is its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from agent.cameras.decode.footage.timestamps import Times, tick_of

LEAST_S: Final = 1.0
"""A fragment has no less, or a camera of key pictures only would make 25 a second."""
MOST_S: Final = 4.0
"""Where key pictures are rarer, a fragment begins with another; a segment never does."""
BUFFER_BYTES: Final = 1 << 18

Give = Callable[[dict[str, Any], bytes], object]


class FragmentMuxer:
    """One run: packets of one codec and one size."""

    def __init__(
        self,
        track: Callable[[OutputContainer], VideoStream],
        facts: dict[str, Any],
        tell_init: Give,
        give: Give,
    ) -> None:
        """`track` makes the track for the packets; `facts` is what stands in the head of its init.

        `tell_init` is given the init once, `give` each fragment.
        """
        self._facts, self._tell_init, self._give = facts, tell_init, give
        self._written = bytearray()
        flags = "empty_moov+default_base_moof+skip_trailer"
        if facts["codec"] != "mjpeg":  # of which each is a key picture
            flags += "+frag_keyframe"
        most_s = MOST_S if facts["codec"] != "mjpeg" else 2 * LEAST_S
        options = {
            "movflags": flags,
            "frag_duration": str(int(most_s * 1e6)),
            "min_frag_duration": str(int(LEAST_S * 1e6)),
        }
        self._out = av.open(self, "w", format="mp4", options=options, buffer_size=BUFFER_BYTES)
        self._track = track(self._out)
        self._times: Times | None = None
        self._init_told = False
        self._began: tuple[float, bool] | None = None
        """When the first packet came that is in no fragment yet, and whether it is a key picture."""

    def write(self, data: bytes) -> int:
        """For FFmpeg: take what the muxer writes."""
        self._written += data
        return len(data)

    def mux(self, packet: Packet[VideoStream], came_s: float, live: bool) -> None:
        """Take a packet, which came at `came_s`; `live`: it is stamped by a camera's clock, which may err."""
        if self._times is None:
            base = tick_of(packet.time_base)
            assert base is not None
            self._times = Times(base)
        key = packet.is_keyframe
        self._times.stamp(packet, came_s if live else None)
        packet.stream = self._track
        self._out.mux(packet)
        if self._written:
            self._hand_over(came_s)
        if self._began is None:
            self._began = came_s, key

    def close(self, now_s: float) -> None:
        """Nothing more comes: what there is becomes the last fragment."""
        self._out.close()
        if self._written:
            self._hand_over(now_s)

    def _hand_over(self, end_s: float) -> None:
        data = bytes(self._written)
        self._written.clear()
        if not self._init_told:
            size = _boxes_end(data, b"moov")
            self._tell_init({"kind": "init", **self._facts}, data[:size])
            self._init_told, data = True, data[size:]
        if data and self._began is not None:
            start_s, key = self._began
            self._began = None
            head = {"kind": "media", "run": self._facts["run"], "start_s": start_s, "end_s": end_s, "key": key}
            self._give(head, data)


def _boxes_end(data: bytes, last: bytes) -> int:
    """Where the box `last` ends."""
    at = 0
    while at + 8 <= len(data):
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        at += max(8, size)
        if name == last:
            break
    return at
