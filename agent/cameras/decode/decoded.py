"""What a decoder speaks before it becomes a Frame: plain values, without numpy, pydantic or PyAV.

The child process of a camera imports this and its decoder only; numpy and pydantic would cost it 9 MB more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

MAX_PIXELS = 7680 * 4320
"""Of one picture: what an 8K camera gives. Whoever claims more wants the box's memory, not to be seen."""

MAX_WORD = 100
"""Characters in the name of a codec, a decoder or a pixel format."""
MAX_FPS = 1e6
"""A stream that tells no rate is guessed at by its clock: FFmpeg says 90 000 a second at times."""
GIVE_BYTES = 6 << 20
"""The most that is given of a main stream when it is asked for a still."""
MOST_STILLS = 16
"""Pictures in one such answer."""

SLEEPY = frozenset({"h264", "hevc"})
"""Codecs of which packets may be left: pictures build on each other, and key pictures are marked."""

Now = Callable[[], tuple[float, float]]
"""Tells this moment as (mono_s, wall_s)."""

Wanted = Callable[[float], bool]
"""Whether anybody wants the picture of this mono_s."""

Calm = Callable[[], float | None]
"""Whether a picture every so many seconds would do, for nothing happens; None: all are wanted."""

Polygon = tuple[tuple[float, float], ...]
"""Corners in fractions of the frame."""


@dataclass(frozen=True, slots=True)
class Record:
    """How the child that decodes or copies a camera records it."""

    under_masks: str = "encode"
    """encode: the masked pictures; none: nothing. Packets never."""
    mjpeg: str = "keep"
    """keep: packets as they come; encode."""
    encode_kbps: int = 2000
    """The most that encoded pictures take, in kilobits a second."""
    fps: float = 10.0
    """How many pictures a second are encoded at most."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the pictures come from, in words a decoder understands; crosses to the child as JSON."""

    name: str
    kind: str
    """rtsp, usb, file or csi."""
    location: str = field(repr=False)
    """What is opened."""
    shown: str
    """The same for people: in errors and logs."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password of a network camera."""
    format: str | None = None
    """FFmpeg's demuxer, where it must be named."""
    options: dict[str, str] = field(default_factory=dict)
    pace: str = "live"
    """live: as they come; real: a file at its own pace; fast: a file as quickly as it is taken."""
    loop: bool = False
    max_fps: float = 10.0
    stall_s: float = 10.0
    open_timeout_s: float = 10.0
    masks: tuple[Polygon, ...] = ()
    started: tuple[float, float] = (0.0, 0.0)
    """(mono_s, wall_s) of a file's first frame."""
    decoder: str = "software"
    """software, auto or v4l2m2m: who shall decode it (video_decoder.py)."""
    wake: bool = False
    """Whether only key pictures may be decoded while nothing happens."""
    record: Record | None = None
    """A pipe for footage comes with the source; None: nothing is recorded."""

    @classmethod
    def from_json(cls, job: dict[str, Any]) -> Source:
        """The source that `dataclasses.asdict` and JSON have turned into lists."""
        masks = tuple(tuple((x, y) for x, y in polygon) for polygon in job.pop("masks"))
        login = job.pop("login")
        started = tuple(job.pop("started"))
        record = job.pop("record", None)
        return cls(
            masks=masks,
            started=started,
            login=login and tuple(login),
            record=record and Record(**record),
            **job,
        )


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """What a camera turned out to be."""

    codec: str
    """h264, hevc, mjpeg, rawvideo…"""
    decoder: str
    """Who decodes it: FFmpeg's decoder, or libcamera."""
    pixel_format: str
    width_px: int
    height_px: int
    fps: float | None
    """As the source claims; None when it does not say."""
    encoder: str | None = None
    """hardware or software: who would encode its larger stream; None: it has none.

    Who does encode what is recorded is told with the footage.
    """
    fallback: str | None = None
    """Why software decodes where the board was to do it; None: it is as it was wished."""

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> CameraFacts:
        """The facts that another process tells, which may have been taken over: they are shown and sent on.

        Raises:
            ValueError, TypeError: they are no facts of a camera.
        """
        facts = cls(**plain)
        words = facts.codec, facts.decoder, facts.pixel_format
        if not all(isinstance(word, str) and len(word) <= MAX_WORD and word.isprintable() for word in words):
            raise ValueError("not a word")
        # 0 by 0 until the first picture, of a stream that does not say it before.
        if not all(type(n) is int and 0 <= n < 1 << 16 for n in (facts.width_px, facts.height_px)):
            raise ValueError("not the size of a picture")
        if facts.fps is not None and not (type(facts.fps) in (int, float) and 0 <= facts.fps <= MAX_FPS):
            raise ValueError("not a rate of pictures")
        if facts.encoder not in (None, "hardware", "software"):
            raise ValueError("an unknown encoder")
        if facts.fallback is not None:
            if not isinstance(facts.fallback, str) or not facts.fallback.isprintable():
                raise ValueError("not a reason")
            facts = replace(facts, fallback=facts.fallback[:MAX_WORD])
        return facts


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One picture as a ribbon camera's encoder gives it: no picture is shown in another order than it comes."""

    data: bytes = field(repr=False)
    """H.264 in Annex B; before each key picture stand its parameter sets."""
    is_key: bool
    mono_s: float
    """When the sensor took it; strictly increases."""
    wall_s: float


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture's three planes lie: its size, the bytes from row to row, and the range of its values."""

    width_px: int
    height_px: int
    strides: tuple[int, int, int]
    """Bytes from one row to the next of luma, u and v; at least the plane's width."""
    full_range: bool

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Layout:
        """The layout that another process tells.

        Raises:
            ValueError: it is no layout of a picture.
        """
        layout = cls(**{**plain, "strides": tuple(plain["strides"])})
        values = [layout.width_px, layout.height_px, *layout.strides]
        if len(values) != 5 or not all(isinstance(n, int) and 0 < n < 1 << 16 for n in values):
            raise ValueError("not a layout of a picture")
        if any(stride < columns for stride, (_, columns) in zip(layout.strides, layout.shapes, strict=True)):
            raise ValueError("rows that overlap")
        return layout

    @property
    def shapes(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """(rows, columns) of luma, u and v; a chroma sample covers two by two pixels, rounded up."""
        chroma = (self.height_px + 1) // 2, (self.width_px + 1) // 2
        return (self.height_px, self.width_px), chroma, chroma

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Bytes of each plane."""
        rows = tuple(shape[0] for shape in self.shapes)
        return rows[0] * self.strides[0], rows[1] * self.strides[1], rows[2] * self.strides[2]

    @property
    def offsets(self) -> tuple[int, int, int]:
        """Where each plane starts when the three lie one after the other."""
        sizes = self.sizes
        return 0, sizes[0], sizes[0] + sizes[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all three planes."""
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture; its planes are the decoder's own memory and must not be written to.

    A video decoder predicts later pictures from this very memory: painting on it would smear into them.
    """

    index: int
    """Counts the source's pictures from 0."""
    mono_s: float
    wall_s: float
    layout: Layout
    planes: tuple[memoryview, memoryview, memoryview] = field(repr=False)
    lap: int = 0
    """How often the file had begun again."""


class Pictures(Protocol):
    """A decoder: opened by its constructor, then iterated once.

    Raises CameraLost or CameraRefused from both; a file that has ended simply ends the iterator.
    """

    facts: CameraFacts
    """Others from the moment on at which another decoder takes over."""
    damaged: int
    """Packets that came damaged: mended as far as can be, or left out."""
    wanted: Wanted
    """Set by whoever iterates: a picture that nobody wants is not given, nor decoded if no other needs it."""
    calm: Calm
    """Set by whoever iterates: while a picture every so many seconds would do, key pictures may be all."""
    doze: Callable[[int, int], object]
    """Set by whoever iterates: called once a second while pictures are left: how many came, and damaged."""

    def __iter__(self) -> Iterator[Picture]: ...

    def close(self) -> None:
        """Let go of the source; may be called twice."""
        ...


class Rate:
    """Lets at most `max_fps` pictures a second through, evenly, by their own time stamps."""

    def __init__(self, max_fps: float) -> None:
        self._period_s = 1.0 / max_fps
        self._due_s = float("-inf")

    def due(self, mono_s: float) -> bool:
        """True if the picture of this moment is wanted."""
        if not self.near(mono_s):
            return False
        # Counting on from the due time keeps the mean: 25 fps limited to 10 gives 10, not 8.3.
        due_s = self._due_s + self._period_s
        self._due_s = due_s if due_s > mono_s else mono_s + self._period_s
        return True

    def near(self, mono_s: float) -> bool:
        """Whether the picture of this moment may be wanted; asking changes nothing."""
        return mono_s >= self._due_s - 0.001  # a camera's clock is never exact to the millisecond
