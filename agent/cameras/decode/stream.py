"""Network cameras, USB cameras and files, decoded by PyAV in the process that this runs in.

A packet that cannot be decoded is skipped and counted: one bad picture is no reason to lose a camera.
What nobody will look at is not decoded, as far as no later picture builds on it (skip_decode.py); while nothing
happens, nothing but key pictures is (wake/).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import av
import av.error
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from agent.cameras.decode.decoded import (
    MAX_PIXELS,
    SLEEPY,
    Calm,
    CameraFacts,
    Layout,
    Now,
    Picture,
    Rate,
    Source,
    Wanted,
)
from agent.cameras.decode.ffmpeg_errors import explained, sent_on, too_large
from agent.cameras.decode.rtsp.protocol import Login
from agent.cameras.decode.rtsp.relay import Relay
from agent.cameras.decode.skip_decode import SkipDecode
from agent.cameras.decode.subsampling import CannotConvert, Subsampling
from agent.cameras.decode.timeline import Timeline
from agent.cameras.decode.usb import formats as usb
from agent.cameras.decode.video_decoder import VideoDecoder
from agent.cameras.decode.wake.dozer import Dozer
from agent.cameras.decode.wake.quantiser import QuantiserReader
from agent.cameras.decode.wake.sleeper import PacketStep
from agent.errors import CameraError, CameraLost, CameraRefused
from agent.translatable import tr

if TYPE_CHECKING:
    from agent.cameras.decode.footage.tee import Tee

# Up to PyAV 18 a title that is not UTF-8 is an error unless this is said; 19 took the argument away.
TOLERANT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
LIMITS = {"max_pixels": str(MAX_PIXELS)}
BAD_PACKETS = 100  # in a row: then it is not a damaged stream but no stream
ONE_THREAD_PX = 1920 * 1080
"""Up to this size one thread is quick enough, and 5 % cheaper than two that wait for each other (measured)."""
MOST_THREADS = 4  # a box has no more cores, and the stack of each counts as the process's memory
LOOK_S = 0.5  # how late a file that is waited for may notice that it was closed


class Stream:
    """Pictures of one RTSP stream, V4L2 device or file."""

    def __init__(self, source: Source, now: Now) -> None:
        """Open it; takes at most `source.open_timeout_s`, and a little.

        Raises:
            CameraLost: nothing answers.
            CameraRefused: it answers, but not with a picture for us.
        """
        av.logging.set_level(None)  # FFmpeg's own words may hold what a stranger made up
        self._source = source
        self._now = now
        self._closed = threading.Event()
        self._relay = _relay(source)
        try:
            self._container, self._video = self._open()
        except CameraError:
            self._hang_up()
            raise
        self._decoder = VideoDecoder(self._video, source.decoder)
        self._timeline = Timeline(source, self._interval_s())
        self._rate = Rate(source.max_fps)
        self._skip_decode = SkipDecode(live=source.pace == "live")
        self._subsampling = Subsampling(source.masks)
        self.wanted: Wanted = lambda _mono_s: True
        self.calm: Calm = lambda: None
        self.doze: Callable[[int, int], object] = lambda _came, _damaged: None
        self.dozer = self._dozer()
        """None: every packet is decoded, whatever happens."""
        self.tee: Tee | None = None
        """Is given each packet once it is decoded, with the moment at which it came."""
        self.damaged = 0
        self._lap = 0
        self.facts = self._facts()

    def __iter__(self) -> Iterator[Picture]:
        """Pictures as they come, at most `max_fps` a second; a live source never ends without CameraLost."""
        for index, frame in self._decoded():
            if self._source.pace == "live":
                mono_s, wall_s = self._timeline.arrived(self._now())
            else:
                mono_s, wall_s = self._timeline.recorded(frame.time)
            if not self._rate.due(mono_s):
                continue
            if self._source.pace == "real":
                mono_s, wall_s = self._wait(mono_s, wall_s)
            if self._closed.is_set():
                return
            if self.wanted(mono_s):
                yield self._picture(index, mono_s, wall_s, frame)

    @property
    def video(self) -> VideoStream:
        """What FFmpeg knows of the stream, for whoever writes its packets into a file."""
        return self._video

    @property
    def live(self) -> bool:
        """Whether its pictures come as they are taken; those of a file come at once."""
        return self._source.pace == "live"

    def packets(self) -> Iterator[Packet[VideoStream]]:
        """The video's packets as they come, none decoded, instead of its pictures; a file's once.

        Raises:
            CameraLost: they stop.
            CameraRefused: they cannot be read.
        """
        packets = self._container.demux(self._video)
        while not self._closed.is_set():
            try:
                packet = self._next(packets)
            except (StopIteration, av.error.EOFError):
                break
            except (av.error.FFmpegError, OSError) as error:
                raise self._trouble(error) from None
            if packet.size:  # the last one of a file is empty: it asks the decoder for what it holds back
                yield packet
        if self._source.pace == "live" and not self._closed.is_set():
            raise self._ended()

    def close(self) -> None:
        """End the iteration and let go of the source."""
        self._closed.set()
        self._container.close()
        self._hang_up()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        source = self._source
        try:
            container = av.open(
                self._relay.url if self._relay else source.location,
                format=source.format,
                options={**usb.options(source), **LIMITS},
                timeout=(source.open_timeout_s, source.stall_s) if source.pace == "live" else None,
                **TOLERANT,
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise self._trouble(error) from None
        if not container.streams.video:
            container.close()
            raise CameraRefused(
                tr("{camera}: no video in {shown}", camera=source.name, shown=source.shown),
                tr("give it a stream with pictures"),
            )
        video = container.streams.video[0]
        video.codec_context.options = dict(LIMITS)  # those above are for the first look at the stream
        # Frame threads would hold back one picture each and cost 14 MB more at 1080p (measured).
        video.thread_type = "SLICE"
        context = video.codec_context
        context.thread_count = 1 if context.width * context.height <= ONE_THREAD_PX else MOST_THREADS
        self._heed_size(video)
        return container, video

    def _hang_up(self) -> None:
        if self._relay:
            self._relay.close()

    def _trouble(self, error: Exception) -> CameraError:
        if self._relay and self._relay.redirected is not None:
            return sent_on(self._source, self._relay.redirected)
        return explained(self._source, self._relay.failed or error if self._relay else error)

    def _ended(self) -> CameraLost:
        return CameraLost(
            tr("{camera}: the camera ended the stream", camera=self._source.name), tr("it is asked again")
        )

    def _heed_size(self, video: VideoStream) -> None:
        """What a stream says of itself is known before FFmpeg refuses it, and says more than its error.

        Raises:
            CameraRefused: its pictures are too large.
        """
        width_px, height_px = video.codec_context.width, video.codec_context.height
        if width_px * height_px > MAX_PIXELS:
            raise too_large(self._source, width_px, height_px)

    def _facts(self) -> CameraFacts:
        context = self._video.codec_context
        fps = self._video.average_rate or self._video.guessed_rate
        return CameraFacts(
            codec=context.codec.canonical_name,
            decoder=f"FFmpeg {self._decoder.context.codec.name}",
            pixel_format=context.pix_fmt or "unknown",
            width_px=context.width,
            height_px=context.height,
            fps=round(float(fps), 3) if fps else None,
            fallback=self._decoder.fallback,
        )

    def _interval_s(self) -> float:
        rate = self._video.average_rate or self._video.guessed_rate
        return 1.0 / float(rate) if rate else 0.04

    def _decoded(self) -> Iterator[tuple[int, VideoFrame]]:
        """Each with its number among all pictures that came."""
        while not self._closed.is_set():
            count = 0
            for frame in self._once():
                count += 1
                yield self._skip_decode.number(frame.pts), frame
            if self._source.pace == "live" and not self._closed.is_set():
                raise self._ended()
            if count == 0 and not self._skip_decode.spares and not self._closed.is_set():
                raise CameraRefused(
                    tr("{camera}: no picture in {shown}", camera=self._source.name, shown=self._source.shown),
                    tr("try another file"),
                )
            if not self._source.loop:
                return
            self._container.close()
            self._container, self._video = self._open()
            self._decoder = VideoDecoder(self._video, self._source.decoder)
            self._timeline.cut()
            self._skip_decode.cut()
            if self.dozer is not None:
                self.dozer.cut()
            if self.tee is not None:
                self.tee.close(self._now()[0])  # what comes then is a run of its own
            self._lap += 1

    def _once(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._video)
        bad = 0
        while not self._closed.is_set():
            packet: Packet[VideoStream] | None = None
            try:
                packet = self._next(packets)
                frames = self._frames(packet)
                bad = 0
            except (StopIteration, av.error.EOFError):
                return
            except (av.error.InvalidDataError, av.error.PatchWelcomeError) as error:
                self._heed_size(self._video)
                self.damaged += 1
                bad += 1
                if bad > BAD_PACKETS:
                    raise self._trouble(error) from None
                self._record(packet)
                packets = self._container.demux(self._video)  # an iterator that has raised is spent
                continue
            except (av.error.FFmpegError, OSError) as error:
                if self._closed.is_set():
                    return
                raise self._trouble(error) from None
            self._record(packet)
            # A packet that lost a part is decoded all the same: FFmpeg fills the hole from the picture before,
            # and leaving out a key picture would spoil all that build on it.
            self.damaged += packet.is_corrupt
            yield from frames

    def _pictures_of(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        """What the packet completes; a picture that nobody wants is left out where the decoder can."""
        decoder = self._decoder
        if not decoder.by_board:
            wanted = self._wanted(packet)
            spared = self._skip_decode.spared(packet, decoder.context, wanted)
            return [] if spared else decoder.decode(packet)
        self._skip_decode.spared(packet, decoder.context, wanted=True)
        frames = decoder.decode(packet)
        if not decoder.by_board:
            self.facts = self._facts()  # whoever iterates sees that they are others
        return frames

    def _dozer(self) -> Dozer | None:
        source = self._source
        if not source.wake or self._decoder.by_board:
            return None
        context = self._video.codec_context
        if context.codec.canonical_name not in SLEEPY:
            return None
        quantisers = QuantiserReader(context.extradata) if context.codec.canonical_name == "h264" else None
        dozer = Dozer(self._interval_s(), self.live, timed=source.pace != "fast", quantisers=quantisers)
        dozer.doze = lambda: self.doze(self._skip_decode.came_so_far, self.damaged)
        return dozer

    def _frames(self, packet: Packet[VideoStream]) -> Sequence[VideoFrame]:
        """The pictures that a packet gives."""
        context, dozer = self._decoder.context, self.dozer
        if dozer is None:
            return self._pictures_of(packet)
        step = self._step(dozer, packet)
        if step is PacketStep.DECODE:
            if self._skip_decode.spared(packet, context, self._wanted(packet)):
                return ()
            return dozer.frames(step, packet, context, True)
        self._skip_decode.came(packet)
        self._skip_decode.whole(context)
        frames = dozer.frames(step, packet, context, step is not PacketStep.KEY or self._wanted(packet))
        self.damaged += dozer.backlog.spoiled()
        return frames

    def _step(self, dozer: Dozer, packet: Packet[VideoStream]) -> PacketStep:
        """What becomes of a packet; one of a file is there before its moment, which is waited for."""
        if dozer.asleep and self._source.pace == "real" and (at_s := dozer.due_s(packet)) is not None:
            mono_s = self._timeline.expected(at_s)
            if mono_s is not None:
                self._wait(mono_s, mono_s)
        return dozer.step(packet, self._now()[0], self.calm())

    def _next(self, packets: Iterator[Packet[VideoStream]]) -> Packet[VideoStream]:
        """The next packet, unless it comes too late.

        FFmpeg holds back each picture until the next begins. When it gives up waiting it gives that one: it is
        no picture of now, and must not hide for another `stall_s` that none comes.

        Raises:
            TimeoutError: a live source said nothing for `stall_s`.
        """
        asked_s = self._now()[0]
        packet = next(packets)
        if self.live and self._now()[0] - asked_s >= self._source.stall_s:
            raise TimeoutError
        return packet

    def _record(self, packet: Packet[VideoStream] | None) -> None:
        """As it came; the last one of a file is empty."""
        if self.tee is not None and self.tee.copies and packet is not None and packet.size:
            self.tee.packet(packet, self._now()[0])

    def _wanted(self, packet: Packet[VideoStream]) -> bool:
        """Whether somebody may look at the packet's picture, as far as can be told before it is decoded."""
        if self._source.pace == "live":
            mono_s: float | None = self._now()[0]
        elif packet.pts is None or not packet.time_base:
            mono_s = None
        else:
            mono_s = self._timeline.expected(float(packet.pts * packet.time_base))
        return mono_s is None or (self._rate.near(mono_s) and self.wanted(mono_s))

    def _wait(self, mono_s: float, wall_s: float) -> tuple[float, float]:
        """Wait for the picture's moment; if that is long past, the machine is too slow: go on from now."""
        while (left := mono_s - self._now()[0]) > 0 and not self._closed.is_set():
            time.sleep(min(left, LOOK_S))  # waiting for the event itself costs as much again (measured)
        if left < -0.5:
            self._timeline.shift(-left)
            return mono_s - left, wall_s - left
        return mono_s, wall_s

    def _picture(self, index: int, mono_s: float, wall_s: float, frame: VideoFrame) -> Picture:
        name = frame.format.name
        try:
            frame, full_range = self._subsampling.yuv420(frame)
        except CannotConvert:
            under = tr(" under privacy masks") if self._source.masks else ""
            raise CameraRefused(
                tr(
                    "{camera}: {shown} gives {name}, which cannot be shown{under}",
                    camera=self._source.name,
                    shown=self._source.shown,
                    name=name,
                    under=under,
                ),
                tr("choose another pixel format or codec"),
            ) from None
        y, u, v = frame.planes
        layout = Layout(frame.width, frame.height, (y.line_size, u.line_size, v.line_size), full_range)
        planes = memoryview(y), memoryview(u), memoryview(v)
        return Picture(index, mono_s, wall_s, layout, planes, self._lap)


def _relay(source: Source) -> Relay | None:
    if source.kind != "rtsp":
        return None
    login = Login(*source.login) if source.login else None
    return Relay(source.location, login, min(source.open_timeout_s, source.stall_s))
