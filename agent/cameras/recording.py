"""A camera's packets into a file, by a process of its own, as the camera sends them (decode/recorder.py)."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import IO, Any, Literal

from agent.cameras.decode.decoded import CameraFacts
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES
from agent.cameras.isolate import LOOK_S, NONSENSE, START_S, heard, spawn_decoder
from agent.cameras.settings import CameraSettings
from agent.cameras.sources import source
from agent.child_process import kill, received
from agent.clock import Clock
from agent.errors import CameraError, CameraLost, CameraRefused
from agent.translatable import tr

MODULE = "agent.cameras.decode.recorder"
AGAIN = tr("try again; if it goes on, report the stream")
FINISH_S = 10.0
"""A slow card takes its time to complete a file."""


class CannotCopy(CameraRefused):
    """What the camera sends can only be recorded by encoding it: raw pictures, or under privacy masks."""


@dataclass
class Recorded:
    """What there is of a recording."""

    seconds: float = 0.0
    facts: CameraFacts | None = None
    ended: bool = False
    why: CameraError | None = None
    """What cut it short: the file is whole up to there."""


def copy_packets(
    settings: CameraSettings,
    clock: Clock,
    file: IO[bytes],
    kind: Literal["mp4", "matroska"],
    for_s: float,
    on_progress: Callable[[float], object],
) -> Recorded:
    """Write the camera's packets into the open file for so many seconds, or until `on_progress` says so.

    `on_progress` is called at least every second with the seconds that are there; True ends it.

    Raises:
        CannotCopy: a mask hides what would be in the packets, or they fit in no file; the file is empty.
        CameraError: the camera gave nothing at all.
        OSError: the file cannot be written.
    """
    if settings.privacy_masks or settings.source.kind == "csi":
        raise CannotCopy(f"{settings.name}: its packets may not be copied", "record what is decoded of it")
    job = {"source": asdict(source(settings, clock.now())), "kind": kind, "for_s": for_s}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            child = spawn_decoder(theirs.fileno(), MODULE)
        try:
            ours.settimeout(LOOK_S)
            with contextlib.suppress(ConnectionError):  # dead already: the first look at the socket tells
                socket.send_fds(ours, [json.dumps(job).encode()], [file.fileno()])
            return _Listener(settings, clock, ours, on_progress).listen()
        finally:
            kill(child)


class _Listener:
    """Hears what the recording process says, until its end or the deadline."""

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock,
        sock: socket.socket,
        on_progress: Callable[[float], object],
    ) -> None:
        self._settings, self._clock, self._sock, self._on_progress = settings, clock, sock, on_progress
        self._recorded = Recorded()
        self._deadline_s = clock.now().mono_s + START_S
        self._told_to_end = False

    def listen(self) -> Recorded:
        """Hear it out."""
        while not self._recorded.ended:
            try:
                data = received(self._sock.recv, MAX_MESSAGE_BYTES)
            except TimeoutError:
                if self._clock.now().mono_s > self._deadline_s:
                    self._over(self._lost(tr("nothing comes any more"), tr("check its power and its network")))
            except ConnectionError:
                raise self._lost(tr("what recorded it died"), AGAIN) from None
            else:
                if not data:
                    raise self._lost(tr("what recorded it died"), AGAIN)
                self._heard(data)
            self._look()
        return self._recorded

    def _lost(self, what: str, hint: str) -> CameraLost:
        return CameraLost(tr("{camera}: {what}", camera=self._settings.name, what=what), hint)

    def _look(self) -> None:
        if self._on_progress(self._recorded.seconds) and not self._told_to_end:
            self._told_to_end = True
            self._deadline_s = self._clock.now().mono_s + FINISH_S
            with contextlib.suppress(ConnectionError):
                self._sock.send(b"stop")

    def _heard(self, data: bytes) -> None:
        try:
            message = json.loads(data)
            if facts := message.get("facts"):
                self._recorded.facts = CameraFacts.from_json(facts)
            if "recorded_s" in message:
                self._recorded.seconds = float(message["recorded_s"])
        except NONSENSE:
            raise self._lost(tr("what records it speaks nonsense"), AGAIN) from None
        self._understood(message)

    def _understood(self, message: dict[str, Any]) -> None:
        settings = self._settings
        self._deadline_s = self._clock.now().mono_s + settings.stall_s + FINISH_S
        match message:
            case {"ready": True}:
                self._deadline_s = self._clock.now().mono_s + settings.open_timeout_s + FINISH_S
            case {"facts": _} | {"recorded_s": _}:
                pass
            case {"cannot_copy": str(codec)}:
                raise CannotCopy(f"{settings.name}: sends {codec}", "record what is decoded of it")
            case {"unwritten": str(why)}:
                raise OSError(None, why)
            case {"lost": [what, hint]}:
                self._over(CameraLost(*self._heard_words(what, hint)))
            case {"refused": [what, hint]}:
                self._over(CameraRefused(*self._heard_words(what, hint)))
            case {"end": True}:
                self._recorded.ended = True
            case _:
                raise self._lost(tr("what records it speaks nonsense"), AGAIN)

    def _heard_words(self, *words: Any) -> list[str]:
        try:
            return [heard(each) for each in words]
        except ValueError:
            raise self._lost(tr("what records it speaks nonsense"), AGAIN) from None

    def _over(self, error: CameraError) -> None:
        if not self._recorded.seconds:
            raise error
        self._recorded.ended, self._recorded.why = True, error
