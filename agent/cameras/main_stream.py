"""A camera's main stream, copied by a child process beside the one that watches the sub-stream.

It has a connection, a loss and a return of its own: what happens here is no picture that is watched. The child
is decode/footage/copier.py; of what it says nothing is believed (footage.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from agent.cameras.decode.decoded import CameraFacts, Record
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES
from agent.cameras.footage import FootageReader, Nonsense, Piece, Way, nobody
from agent.cameras.isolate import NONSENSE, START_S, heard, spawn_decoder
from agent.cameras.settings import CameraSettings
from agent.cameras.sources import source
from agent.child_process import kill
from agent.clock import Clock, Trust
from agent.errors import CameraLost, CameraRefused
from agent.translatable import tr

MODULE: Final = "agent.cameras.decode.footage.copier"
LOOK_S: Final = 0.2
NONSENSICAL: Final = tr("what copies its main stream speaks nonsense")
AGAIN: Final = tr("it is started again")


OnStills = Callable[[socket.socket], object]


class MainStream:
    """One opening of a main stream. One thread reads; `close` may come from another."""

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock,
        record: Record,
        trusted: Callable[[], Trust] = nobody,
        on_stills: OnStills | None = None,
    ) -> None:
        """Start the child; `trusted` says who vouches for the clock.

        `on_stills` is given the socket by which it is asked for single pictures.

        Raises:
            CameraLost: there is no process for it, or the USB device is not there.
            CameraRefused: the password cannot be read, or the file is not there.
        """
        self.facts: CameraFacts | None = None
        self.ended = False
        """A file that is not looped is over."""
        self._settings, self._clock, self._trusted = settings, clock, trusted
        job = json.dumps(asdict(source(settings, clock.now(), record))).encode()
        with contextlib.ExitStack() as undo:
            try:
                self._sock, self._reader, self._child, asking = self._started(job, undo, on_stills is not None)
            except OSError as error:
                raise self._lost(
                    tr("no process for its main stream: {reason}", reason=error.strerror),
                    tr("is memory short?"),
                ) from error
            undo.pop_all()
        self._sock.setblocking(False)
        if on_stills is not None:
            on_stills(asking)
        else:
            asking.close()
        self._deadline_s = clock.now().mono_s + START_S

    def _started(
        self, job: bytes, undo: contextlib.ExitStack, askable: bool
    ) -> tuple[socket.socket, FootageReader, subprocess.Popen[bytes], socket.socket]:
        """The child, told what to copy; what was made until something fails is undone by `undo`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        undo.callback(ours.close)
        with contextlib.ExitStack() as given:  # the child's ends
            given.enter_context(theirs)
            asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            undo.callback(asking.close)
            given.enter_context(asked)
            reading, writing = os.pipe2(os.O_CLOEXEC)
            given.callback(os.close, writing)
            reader = FootageReader(reading, self._clock, self._trusted)
            undo.callback(reader.close)
            child = spawn_decoder(theirs.fileno(), MODULE)
            undo.callback(kill, child)
            with contextlib.suppress(ConnectionError):  # dead already: the first look tells
                socket.send_fds(ours, [job], [writing, asked.fileno()] if askable else [writing])
        return ours, reader, child, asking

    def read(self, timeout_s: float) -> Piece | Way | None:
        """The next piece; None if none came within `timeout_s`, or a file has ended.

        Raises:
            CameraLost: nothing answers, the packets stopped, or the child died or gives nonsense.
            CameraRefused: the camera answers but will not serve us.
        """
        try:
            piece = self._reader.read(min(timeout_s, LOOK_S))
        except Nonsense:
            raise self._lost(NONSENSICAL, AGAIN) from None
        if piece is None:
            self._listen()
        return piece

    def close(self) -> None:
        """Kill the child and reap it, within two seconds."""
        kill(self._child)
        self._reader.close()
        self._sock.close()

    def _listen(self) -> None:
        """Hear everything that the child has said."""
        while not self.ended:
            try:
                data = self._sock.recv(MAX_MESSAGE_BYTES)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            if not data:
                raise self._lost(tr("what copies its main stream died"), AGAIN)
            try:
                self._understood(json.loads(data))
            except NONSENSE:
                raise self._lost(NONSENSICAL, AGAIN) from None
        if not self.ended and self._clock.now().mono_s > self._deadline_s:
            raise self._lost(
                tr("its main stream gives nothing"),
                tr("check its power and its network; the agent goes on asking"),
            )

    def _understood(self, message: dict[str, Any]) -> None:
        self._deadline_s = self._clock.now().mono_s + self._settings.stall_s + 1.0
        match message:
            case {"ready": True}:
                # A little longer than the child's own deadline, whose words say more.
                self._deadline_s = self._clock.now().mono_s + self._settings.open_timeout_s + 0.5
            case {"facts": facts}:
                self.facts = CameraFacts.from_json(facts)
            case {"came": _}:
                pass
            case {"lost": [what, hint]}:
                raise CameraLost(heard(what), heard(hint))
            case {"refused": [what, hint]}:
                raise CameraRefused(heard(what), heard(hint))
            case {"end": True}:
                self.ended = True
            case _:
                raise ValueError("unknown words")

    def _lost(self, what: str, hint: str) -> CameraLost:
        return CameraLost(tr("{camera}: {what}", camera=self._settings.name, what=what), hint)
