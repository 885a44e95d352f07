"""Looks through a camera as the agent does, in a process of its own: `eye watch|encode SETTINGS …`.

`watch` goes on as the agent's worker does: a camera that is lost is opened again. It prints lines of JSON:
{"facts": …} once, {"frame": [mono_s, pid, damaged, luma of one row, size]} or {"lost": [mono_s, what]}.
`encode` writes the packets of a ribbon camera's larger stream into a file, and prints what they are:
{"packets": [[key, mono_s, bytes] …]}.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from agent.cameras import open_camera
from agent.cameras.decode.csi.camera import PiCamera
from agent.cameras.decode.decoded import EncodedPacket
from agent.cameras.settings import CameraSettings
from agent.cameras.sources import source
from agent.clock import SystemClock
from agent.errors import CameraError

AGAIN_S = 0.3


def watch(settings: CameraSettings) -> None:
    """Until it is ended."""
    clock, known = SystemClock(), False
    while True:
        camera = open_camera(settings, clock)
        try:
            for frame in camera.frames():
                if not known and camera.facts is not None:
                    known = True
                    say(facts=asdict(camera.facts))
                row = frame.luma[frame.luma.shape[0] // 2, ::16].tolist()
                size = [frame.luma.shape[1], frame.luma.shape[0]]
                say(frame=[frame.at.mono_s, camera.pid, camera.frames_damaged, row, size])
        except CameraError as error:
            say(lost=[time.monotonic(), str(error)])
        time.sleep(AGAIN_S)


def encode(settings: CameraSettings, file: Path, seconds: float) -> None:
    """So many seconds of the larger stream."""
    clock = SystemClock()
    began = clock.now()
    pictures = PiCamera(source(settings, began), lambda: (time.monotonic(), time.time()))
    packets: list[EncodedPacket] = []
    pictures.encode(packets.append)
    for _ in pictures:
        if clock.now().since(began) > seconds:
            break
    pictures.close()
    file.write_bytes(b"".join(packet.data for packet in packets))
    say(
        packets=[[packet.is_key, packet.mono_s, len(packet.data)] for packet in packets],
        facts=asdict(pictures.facts),
    )


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    wanted = CameraSettings.model_validate_json(sys.argv[2])
    if sys.argv[1] == "watch":
        watch(wanted)
    else:
        encode(wanted, Path(sys.argv[3]), float(sys.argv[4]))
