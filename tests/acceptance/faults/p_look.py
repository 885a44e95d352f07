"""P70: a live look over a narrow link takes nothing from events, and is never old."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import av
import numpy as np

from agent.wire.payloads import AckBody
from agent.wire.topics import Topics
from station.command import Onlooker, send
from station.ingest.settings import SubscriberSettings
from station.look.folder import LookFacts, LookFolder
from tests.acceptance.faults.chaos import chaos
from tests.acceptance.faults.p_link import PATIENT
from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Spy, Victim, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

LINK_BYTES_S = 32_000
LATENCY_S = 0.05
HELD_UP = 0.05
"""At most this share of the pictures may come so late that nobody is shown them: the machine stood still."""
EVENTS_P95_S = 2.0
OLDEST_S = 5.0


@promise(
    "P70", "looks of a minute over a link of 256 kbit/s while events and their pictures flow",
    f"p95 from an event to the station <= {EVENTS_P95_S:g} s, no picture of a look is shown that is older than "
    f"{OLDEST_S:g} s, at most {HELD_UP:.0%} come later, and the ack counts those that came",
    minutes=3,
)  # fmt: skip
def looks(trial: Trial) -> str:
    """Two events a second, each third with a picture; the camera's pictures are noise, the largest there is."""
    count, seconds = trial.size(2, 5, quick=1), trial.size(60, 60, quick=8)
    with playing(trial.folder) as (_, server, _station), chaos(server.port) as link:
        link.behave(rate_bytes_s=LINK_BYTES_S, latency_s=LATENCY_S)
        victim, spy = Victim(trial.folder / "box", link.port, waits=PATIENT), Spy(server.port)
        write_noise(victim.folder / "road.mp4")
        try:
            victim.start(10_000, rate=2, picture_every=3, picture_bytes=14_000)
            until(lambda: len(spy.events) > 5, 60, "events flow")
            began_s = time.time()
            seen = [look(server.port, seconds, trial.folder / f"look-{number}") for number in range(count)]
            ended_s = time.time()
            sent = {row.name.split("/")[0] for row in victim.accepted[:-20] if "/" in row.name}
            until_none_is_missing(lambda: len(sent - spy.events.keys()), "every event")
        finally:
            victim.kill()
            spy.close()
    waits = sorted(came - at_s for at_s, came in spy.events.values() if began_s <= at_s <= ended_s)
    ages = sorted(age for look in seen for age in look.ages)
    p95 = waits[int(0.95 * len(waits))]
    counts = [(look.came, look.ack.result["sent"], look.ack.result["dropped"]) for look in seen]
    came = sum(look.came for look in seen)
    summary = (
        f"{len(waits)} events: p50 {median(waits):.2f} s, p95 {p95:.2f} s; {len(ages)} pictures of looks in "
        f"{count * seconds} s, at most {ages[-1]:.1f} s old, p50 {median(ages):.1f} s, "
        f"{came - len(ages)} came too late to be shown; "
        f"(came, sent, dropped) {counts}"
    )
    held_up = came - len(ages) > max(1, HELD_UP * came)
    if p95 > EVENTS_P95_S or ages[-1] > OLDEST_S or held_up or any(came < sent for came, sent, _ in counts):
        raise Broken(summary)
    return summary


@dataclass(frozen=True, slots=True)
class Seen:
    """One look, as an officer has it."""

    ages: list[float]
    """Of the pictures that were shown, in seconds when they came."""
    came: int
    """Also of those that were not."""
    ack: AckBody
    """What the box says of it."""


def look(port: int, seconds: int, folder: Path) -> Seen:
    """Have the pictures come into a folder, as `ngatu look` does."""
    ages: list[float] = []
    shown = LookFolder(folder, LookFacts("test-commune", "victim-01", "road", "Lan", "case 12"))

    def picture(data: bytes, user: Mapping[str, str]) -> None:
        now_s, before = time.time(), shown.newest
        shown.add(data, user)
        if shown.newest is not None and shown.newest != before:
            ages.append(now_s - datetime.fromisoformat(shown.newest.time).timestamp())

    answered = send(
        SubscriberSettings(port=port, communes=("test-commune",), client_id="look", receipts=False),
        Topics("test-commune", "victim-01"),
        "look",
        {"camera": "road", "seconds": seconds, "officer": "Lan", "purpose": "case 12"},
        issuer="Lan",
        life_s=15,
        wait_s=seconds + 60,
        onlooker=Onlooker(picture, lambda _answers: shown.turn()),
    )
    if not answered.answers or answered.answers[-1].state != "done" or not ages:
        raise Broken(f"the look was not done: {answered.answers}, {len(ages)} pictures")
    return Seen(ages, len(shown.pictures), answered.answers[-1])


def write_noise(path: Path) -> None:
    """A clip whose pictures are as large as they may be."""
    chance = np.random.default_rng(1)
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.thread_count = 1
        for number in range(20):
            noise = chance.integers(0, 256, (360, 640, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
