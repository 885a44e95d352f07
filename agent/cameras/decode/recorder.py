"""The process that copies a camera's packets: `python -P -m agent.cameras.decode.recorder FD PARENT`.

Nothing is decoded, so nothing is lost, and a small board does it with ease. Under privacy masks nobody may do
that: what they hide is in the packets. The process is confined as a decoding one is (worker.py). What it says:

    {"ready": true}                     imports are done, the camera is being opened
    {"facts": {…}}                      the camera is open
    {"cannot_copy": codec}              its packets fit in no such file; nothing was written
    {"recorded_s": 1.5}                 so much is written
    {"unwritten": why}                  the file cannot be written
    {"end": true} | {"lost": [what, hint]} | {"refused": [what, hint]}

What it is told: first the source, the file's format and how many seconds, with the descriptor of the file;
then, if it shall end sooner, anything. It always completes the file.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from typing import IO, Any

import av

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.footage.timestamps import Times, tick_of
from agent.cameras.decode.stream import Stream
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES, confine, last_words
from agent.translatable import tr

COPIED = frozenset({"h264", "hevc", "mjpeg", "mpeg4", "av1", "vp9"})
"""Codecs whose packets both kinds of file take (MP4 and Matroska) and every player reads."""
TELL_S = 1.0
"""How often it says how much there is, also while it waits for the first key picture."""

Tell = Callable[[dict[str, Any]], None]


def record(
    stream: Stream, file: IO[bytes], kind: str, for_s: float, stop: threading.Event, tell: Tell
) -> float | None:
    """Write packets from the first key picture on, until so many seconds are there or `stop` is set.

    Returns how many seconds were written; None if the codec cannot be copied.

    Raises:
        CameraError: the packets stopped; what came before is a whole file.
        OSError: the file cannot be written.
    """
    if stream.facts.codec not in COPIED:
        return None
    with av.open(file, "w", format=kind) as out:  # leaving it completes the file, whatever happened
        return _copy(stream, out, for_s, stop, tell)


def _copy(
    stream: Stream, out: av.container.OutputContainer, for_s: float, stop: threading.Event, tell: Tell
) -> float:
    track = out.add_stream_from_template(stream.video)
    times = Times(tick_of(stream.video.time_base) or Fraction(1, 90_000))
    told_s = time.monotonic()
    for packet in stream.packets():
        if times.began or packet.is_keyframe:
            times.stamp(packet, time.monotonic() if stream.live else None)
            packet.stream = track
            out.mux(packet)
        if time.monotonic() - told_s >= TELL_S:
            told_s = time.monotonic()
            tell({"recorded_s": times.written_s})
        if times.written_s >= for_s or stop.is_set():
            break
    return times.written_s


def main() -> None:
    """Record what the parent names into the file that it gives."""
    confine()
    sock = socket.socket(fileno=int(sys.argv[1]))
    data, fds, _, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
    job = json.loads(data)
    source, stop = Source.from_json(job["source"]), threading.Event()

    def tell(message: dict[str, Any]) -> None:
        sock.send(json.dumps(message).encode())

    def listen() -> None:
        sock.recv(64)
        stop.set()

    threading.Thread(target=listen, name="stop", daemon=True).start()
    tell({"ready": True})
    try:
        stream = Stream(source, lambda: (time.monotonic(), time.time()))
        tell({"facts": asdict(stream.facts)})
        with os.fdopen(fds[0], "r+b") as file:
            written_s = record(stream, file, job["kind"], job["for_s"], stop, tell)
        tell({"cannot_copy": stream.facts.codec} if written_s is None else {"recorded_s": written_s})
        words: dict[str, Any] = {"end": True}
    except OSError as error:  # the camera's have become ours
        words = {"unwritten": error.strerror or type(error).__name__}
    except Exception as error:
        words = last_words(source, error, tr("try again; if it goes on, report the stream"))
    tell(words)
    os._exit(0)  # closing a hung driver may hang; the kernel closes it


if __name__ == "__main__":
    main()
