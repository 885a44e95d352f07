"""The process that copies a camera's main stream: `python -P -m agent.cameras.decode.footage.copier FD PARENT`.

Nothing is decoded but a picture that somebody asks for (stills.py). It is confined as a decoding one is
(worker.py), with a connection of its own: what is lost here is no picture that is watched. What it is told: the
source, with the pipe for the footage, and the socket of those who ask for pictures, if any do. What it says:

    {"ready": true}                     imports are done, the camera is being opened
    {"facts": {…}}                      the camera is open
    {"came": n}                         so many packets came; once a second
    {"end": true} | {"lost": [what, hint]} | {"refused": [what, hint]}
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
from dataclasses import asdict
from typing import Any, Final

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.footage.pipe import FootagePipe
from agent.cameras.decode.footage.stills import StillMaker
from agent.cameras.decode.footage.tee import Tee
from agent.cameras.decode.stream import Stream
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES, confine, last_words

TELL_S: Final = 1.0
FINISH_S: Final = 2.0


class Copier:
    """Copies one source into the pipe."""

    def __init__(
        self, source: Source, sock: socket.socket, pipe: FootagePipe, stills: StillMaker | None = None
    ) -> None:
        assert source.record is not None
        self._stills = stills
        self._source, self._record, self._sock, self._pipe = source, source.record, sock, pipe
        self._came, self._told_s = 0, 0.0

    def run(self) -> None:
        """Until the camera is lost, or a file has ended that is not looped."""
        tee: Tee | None = None
        while tee is None or self._source.loop:
            stream = Stream(self._source, lambda: (time.monotonic(), time.time()))
            self.tell({"facts": asdict(stream.facts)})
            if tee is None:
                tee = Tee(self._pipe, self._record, bool(self._source.masks), stream.facts.codec, stream.live)
            try:
                self._copy(stream, tee)
            finally:
                tee.cut(time.monotonic())
                stream.close()

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to the parent."""
        self._sock.send(json.dumps(message).encode())

    def _copy(self, stream: Stream, tee: Tee) -> None:
        began_s, first_s = time.monotonic(), None
        if self._stills is not None:
            self._stills.begin(stream.video)
        for packet in stream.packets():
            if not stream.live and packet.pts is not None and packet.time_base:
                at_s = float(packet.pts * packet.time_base)
                first_s = at_s if first_s is None else first_s
                self._wait(began_s + at_s - first_s)
            self._came += 1
            if self._stills is not None:
                self._stills.keep(packet, time.monotonic())
            if tee.copies:
                tee.packet(packet, time.monotonic())
            if time.monotonic() - self._told_s >= TELL_S:
                self._told_s = time.monotonic()
                self.tell({"came": self._came})

    def _wait(self, until_s: float) -> None:
        """A file at its own pace."""
        if self._source.pace == "real":
            while (left_s := until_s - time.monotonic()) > 0:
                time.sleep(min(left_s, TELL_S))


def main() -> None:
    """Copy what the parent names into the pipe that it gives, until it goes."""
    confine()
    sock = socket.socket(fileno=int(sys.argv[1]))
    data, fds, _, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, 2, socket.MSG_CMSG_CLOEXEC)
    source = Source.from_json(json.loads(data))
    stills = StillMaker(socket.socket(fileno=fds[1]), source.masks) if len(fds) > 1 else None
    copier = Copier(source, sock, pipe := FootagePipe(fds[0]), stills)

    def listen() -> None:
        with contextlib.suppress(ConnectionError):
            sock.recv(64)
        os._exit(0)  # the parent has gone, or wants no more

    threading.Thread(target=listen, name="parent", daemon=True).start()
    with contextlib.suppress(ConnectionError):  # the parent has gone: nobody is left to be told
        copier.tell({"ready": True})
        try:
            copier.run()
            words: dict[str, Any] = {"end": True}
        except Exception as error:
            words = last_words(source, error)
        pipe.finish(FINISH_S)
        copier.tell(words)
    os._exit(0)  # closing a hung driver may hang; the kernel closes it


if __name__ == "__main__":
    main()
