"""P25: cameras that send anything at all: the process that decodes them may die of it, the agent does not."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.packet import Packet

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.conftest import ROOT
from tests.support.grainy_road import encoded
from tests.support.large_pictures import h264
from tests.support.mutations import bytes_altered, reply_altered
from tests.support.rtsp_camera import RtspCamera

MOST_MB = 640
"""Of one decoder: 512 MB of its own, and the pictures that it shares."""
IN_A_FILE = 250
REPLIES_AN_OPENING = 3
AT_ONE_TIME = 8
CODECS = {"libx264": "h264", "libx265": "hevc", "mjpeg": "mjpeg"}


@promise(
    "P25",
    "altered answers of RTSP, packets of H.264 and H.265, and JPEGs, 10,000 together, into decoders",
    f"0 crashes of the agent's process, each decoder at most {MOST_MB} MB, an honest camera gives pictures",
    minutes=2,
    patient=True,
)
def hostile_media(trial: Trial) -> str:
    """Each picture that comes of it is read to the last pixel."""
    sent = Counter[str]()
    counts = {"libx264": 4400, "libx265": 2000, "mjpeg": 3000}
    files = [
        _file(trial, codec, number, sent)
        for codec, count in counts.items()
        for number in range(-(-trial.size(count, 10 * count) // IN_A_FILE))
    ]
    of_files = supervised([{"kind": "file", "path": str(path), "pace": "fast"} for path in files])
    of_replies = _replies(trial, trial.size(600, 6000), sent)
    found = of_files["found"] + of_replies["found"]
    peak_mb = max(of_files["child_mb"], of_replies["child_mb"])
    crashes = sum(count for what, count in found.items() if what.startswith("crash"))
    figures = (
        f"{sum(sent.values())} altered ({', '.join(f'{n} {what}' for what, n in sorted(sent.items()))}): "
        f"{found['openings']} openings, {found['pictures']} pictures, {found['lost']} lost, "
        f"{found['refused']} refused, {found['decoder died']} decoders died, {crashes} crashes; "
        f"at most {peak_mb} MB"
    )
    if crashes or peak_mb > MOST_MB or not found["pictures"]:
        raise Broken(f"{figures}; {dict(found)}")
    return figures


@promise(
    "P25.1",
    "planted faults: an agent that believes what its decoder says; a decoder that nobody holds to its memory",
    "the judge finds the crash, and the memory",
)
def planted_supervisors(trial: Trial) -> str:
    """By the same judge."""
    clip = _file(trial, "libx264", 0, Counter())
    source = {"kind": "file", "path": str(clip), "pace": "fast"}
    crash = supervised([source], plant="nonsense")["found"]
    peak_mb = supervised([source], plant="hungry")["child_mb"]
    if not any(what.startswith("crash") for what in crash) or peak_mb <= MOST_MB:
        raise Broken(f"the judge is blind: {dict(crash)}, {peak_mb} MB")
    return f"{next(what for what in crash if what.startswith('crash'))}; {peak_mb} MB"


def supervised(
    sources: list[dict[str, Any]], most: int = 400, plant: str = "", open_timeout_s: float = 1.5
) -> dict[str, Any]:
    """What became of these cameras in an agent's process of their own.

    Raises:
        Broken: the process itself died.
    """
    job = {
        "sources": sources, "most": most, "plant": plant, "at_one_time": AT_ONE_TIME,
        "open_timeout_s": open_timeout_s,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance.faults.media_supervisor"],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if done.returncode:
        raise Broken(f"the agent's process died with {done.returncode}: {done.stderr[-300:]}")
    became = json.loads(done.stdout)
    return {**became, "found": Counter(became["found"])}


def _file(trial: Trial, codec: str, number: int, sent: Counter[str]) -> Path:
    """A clip whose packets are altered, three of four; some claim pictures of any size."""
    chance = trial.chance(f"{codec} {number}")
    packets = encoded(codec, key_every=chance.choice((1, 5, 20)))
    if codec == "libx264" and number % 5 == 4:
        stream = h264(chance.randrange(16, 8000, 16), chance.randrange(16, 8000, 16))
        packets = [stream, *packets]
    path = trial.folder / f"{codec}-{number}.nut"
    with av.open(str(path), "w") as out:
        template: Any = out.add_stream(codec, rate=10)
        template.options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        template.width, template.height = 320, 240
        template.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        out.start_encoding()
        altered = at = 0
        while altered < IN_A_FILE:
            data = packets[at % len(packets)]
            if at >= len(packets) and chance.random() < 0.75:
                data = bytes_altered(data, chance)
                altered += 1
            packet: Any = Packet(data)
            packet.stream, packet.time_base = template, Fraction(1, 10)
            packet.pts = packet.dts = at
            packet.is_keyframe = at % len(packets) == 0
            out.mux(packet)
            at += 1
    sent[CODECS[codec]] += altered
    return path


def _replies(trial: Trial, count: int, sent: Counter[str]) -> dict[str, Any]:
    """Cameras that answer with altered answers, and then with altered packets; the last one is honest."""
    chance, lock = trial.chance("replies"), threading.Lock()
    stream = b"".join(encoded("libx264"))

    def reply(honest: bytes) -> bytes:
        with lock:
            if chance.random() < 0.5:
                return honest
            sent["answers"] += 1
            return reply_altered(honest, chance)

    def unit(honest: bytes) -> bytes:
        with lock:
            if chance.random() < 0.7:
                return honest
            sent["units over RTSP"] += 1
            return bytes_altered(honest, chance)[:60_000]

    with ExitStack() as stack:
        liars = [
            stack.enter_context(RtspCamera(reply=reply, unit=unit, stream=stream, fps=50))
            for _ in range(AT_ONE_TIME)
        ]
        total = {"found": Counter[str](), "child_mb": 0}
        while sent["answers"] < count:
            openings = max(AT_ONE_TIME, (count - sent["answers"]) // REPLIES_AN_OPENING)
            sources = [{"kind": "rtsp", "url": liars[n % AT_ONE_TIME].url} for n in range(openings)]
            _add(total, supervised(sources, most=10))
        honest = stack.enter_context(RtspCamera(stream=stream, fps=50))
        found = supervised([{"kind": "rtsp", "url": honest.url}], most=25, open_timeout_s=120)["found"]
        if found["pictures"] != 25:
            raise Broken("after all that an honest camera gives no pictures")
    return total


def _add(total: dict[str, Any], more: dict[str, Any]) -> None:
    total["found"] += more["found"]
    total["child_mb"] = max(total["child_mb"], more["child_mb"])
