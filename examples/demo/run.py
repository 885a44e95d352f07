"""The main job on real footage, on one machine: `make demo`.

Fetches a detector and two clips of a junction from the package registry, starts a broker, a box and a station,
prints the events as they begin, and leaves in demo/ a page, the pictures of the events, a video of each camera
with everything drawn in, and the recorded footage of the first crossing, with the verifier's word on it.
All are the real programs in processes of their own: `ngatu run`, `ngatu station`, and `ngatu watch` beside it.

The station serves the duty room's screen meanwhile, and stays for whoever has it open. Then the box goes on,
too, so that what is asked of it is answered. Where nobody is, the demo ends by itself, unless it is to stay.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TextIO

try:
    from rich.console import Console

    from examples.demo.footage import HANDED_OVER, HandedOver, asked, verified
    from examples.demo.page import WHAT, Scene, altogether, numbers, write_page
    from examples.demo.programs import NGATU, OUT, Station, box_goes_on, ended, finished
    from examples.demo.results import count, needed_help, read_delivery, read_events, write_pictures
    from examples.demo.screen import GONE_S, UNSEEN_S, Stay, heard_of, with_screen
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable} has no package {error.name}\n  hint: call the demo with: make demo")

from agent.core.types import EndReason
from agent.errors import NgatuError
from models.archives import Member, Sdist, fetch_members
from models.catalogue import entry_named
from models.cli import progress_bars
from models.fetch import fetch_model
from station.config import load
from station.starter import starter_file
from station.watch.embedded import Address, embedded_broker, free_port

RUN_S = 40
"""How long the box watches; well within two minutes with its start and its end."""
END_S = 90
"""What starting and stopping may add, on a machine that does other work too."""
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
SCENES = (
    Scene("truck", "1 lorry, 2 cars that drive off, 3 cars that wait far away, 1 parked van"),
    Scene("cyclist", "1 cyclist, 2 cars, 1 parked van, 1 person on the pavement"),
)
COMMUNE, DEVICE = "demo", "demo-box-01"
NOBODY = "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"
"""What stands in config.yaml as the recipient of the footage, until the station has a key."""
say = partial(Console(highlight=False).print, soft_wrap=True)


def main(*, keep: bool = False) -> int:
    """Run the demo; 0 if everything that the box told is at the station, and its screen was there.

    `keep`: it stays until somebody ends it.
    """
    signal.signal(signal.SIGTERM, _sigterm)
    for old in ("state", "pictures", "station", "keys", HANDED_OVER):
        path = OUT / old
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    say("1/5 fetching the detector (66 MB, once) and two clips (0.9 MB, once)")
    with progress_bars() as progress:
        fetch_model(MODEL, entry_named(MODEL), OUT / "models", progress)
        fetch_members(CLIPS, MEMBERS, progress)
    with embedded_broker() as broker, ExitStack() as stack:
        say(f"2/5 a broker listens on {broker.host}:{broker.port}; the box and the station start")
        file = starter_file(OUT / "station", COMMUNE, broker.host, broker.port)
        with_screen(file, free_port())
        config = _configured(broker, file)
        station = stack.enter_context(Station(file, partial(say, markup=False)))
        crossing = _watch_and_run(config, file, station, broker)
        say("4/5 drawing what the box saw")
        for scene in SCENES:
            clip = OUT / "clips" / f"{scene.camera}.mp4"
            film = OUT / f"overlay-{scene.camera}.mp4"
            words = ["replay", str(clip), "-c", str(config), "--camera", scene.camera, "--overlay", str(film)]
            finished(words)
        code = _tell(None if crossing is None else verified(NGATU, OUT, file, DEVICE, crossing))
        return code or _stay(station, config, file, keep=keep)


def _tell(footage: HandedOver | None) -> int:
    """Write the page and say what came of it; 0 if everything that the box told is at the station."""
    events, delivery = read_events(OUT), read_delivery(OUT)
    pictures = write_pictures(OUT, events)
    seen = {scene.camera: count(scene.camera, events) for scene in SCENES}
    page = write_page(OUT, events, seen, SCENES, delivery, pictures, RUN_S, footage)
    say(f"5/5 open {page} in a browser; the pictures of the events are in {OUT}/pictures/")
    for name, its in seen.items():
        say(
            f"camera {name}: its clip was played {its.laps} times; told each time: {numbers(its.in_a_lap)};"
            f" in all: {altogether(its.altogether)}"
        )
    if footage is None:
        say(f"no footage of a crossing came; {OUT}/station.log and {OUT}/box.log say why")
    else:
        say(f"the footage of the first crossing is {footage.answer}; see for yourself: {footage.command}")
    for trouble in needed_help(events):
        say(f"the box needed help, {trouble}; {OUT}/box.log says why")
    receipts = delivery.received - delivery.waiting
    say(f"demo: {len(events)} events, {len(pictures)} images, {receipts} receipts, {delivery.lost} lost")
    whole = delivery.lost == 0 and delivery.waiting == 0
    return 0 if whole and events and footage is not None and footage.answer == "authentic" else 1


def _configured(broker: Address, station: Path) -> Path:
    """The configuration with the broker's port and the station's key, checked as an installer would."""
    words = [*NGATU, "station", "footage-key", "-c", str(station)]
    recipient = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    config, text = OUT / "config.yaml", CONFIG.read_text(encoding="utf-8")
    config.write_text(text.replace("port: 1883", f"port: {broker.port}").replace(NOBODY, recipient), "utf-8")
    finished(["check", "--offline", "-c", str(config)])
    return config


def _stay(station: Station, config: Path, file: Path, *, keep: bool) -> int:
    """Until nobody has the screen open any more, or somebody ends it; 0: the screen was there."""
    station.wait()
    if station.door is None:
        say(f"the duty room's screen did not come; {OUT}/station.log says why")
        return 1
    say(f"open the duty room's screen: {station.door}", markup=False)
    if keep:
        say("the demo stays until Ctrl-C")
    else:
        gone = f"{GONE_S / 60:.0f} minutes after the last one left"
        say(f"while nobody comes the demo ends in {UNSEEN_S:.0f} s, and otherwise {gone}")
        say("Ctrl-C ends it now; make demo KEEP=1 stays")
    with ExitStack() as stack:
        stay, box = Stay(time.time()), None
        try:
            while keep or not stay.is_over(time.time(), heard_of(OUT / "station")):
                if not station.lives():
                    raise SystemExit(f"the station ended; {OUT}/station.log says why")
                if box is None and (keep or stay.latest_s is not None):
                    box = stack.enter_context(box_goes_on(config, load(file).broker, DEVICE))
                time.sleep(0.5)
        except KeyboardInterrupt:
            say("the demo ends")
    return 0


def _watch_and_run(config: Path, file: Path, station: Station, broker: Address) -> Mapping[str, Any] | None:
    """The station beside the box until the box has ended and everything has arrived.

    Gives back the first crossing of which the footage came; None: none did.
    """
    clerk = Clerk(file)
    with ExitStack() as stack:
        where = [f"--host={broker.host}", f"--port={broker.port}", f"--commune={COMMUNE}"]
        watch = subprocess.Popen(
            [*NGATU, "watch", *where, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        stack.callback(ended, watch)
        printer = threading.Thread(target=_print_events, args=(watch, clerk), daemon=True)
        printer.start()
        say(f"3/5 the box watches two cameras for {RUN_S} s; events as they reach the station, time in UTC:")
        box = [*NGATU, "run", "-c", str(config), "--for", str(RUN_S)]
        with (OUT / "box.log").open("w", encoding="utf-8") as out:
            code = _code_of(box, out)
        clerk.wait()
        if code != 0:
            raise SystemExit(f"the box ended with {code}; {OUT}/box.log says why")
        if not station.lives():
            raise SystemExit(f"the station ended; {OUT}/station.log says why")
    return clerk.crossing


def _code_of(words: Sequence[str], out: TextIO) -> int:
    try:
        return subprocess.run(words, stdout=out, stderr=out, timeout=RUN_S + END_S, check=False).returncode
    except subprocess.TimeoutExpired:
        raise SystemExit(f"the box did not end in time; {OUT}/box.log says why") from None


class Clerk:
    """Asks for the footage of the first crossing, beside everything else."""

    def __init__(self, station: Path) -> None:
        self.crossing: Mapping[str, Any] | None = None
        self._station = station
        self._thread: threading.Thread | None = None

    def heard(self, event: Mapping[str, Any]) -> None:
        """An event has come."""
        if self._thread is None and event["kind"] == "line_crossed" and event["phase"] == "start":
            self._thread = threading.Thread(target=self._ask, args=(event,), daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until what was asked for is here, or will not come."""
        if self._thread is not None:
            self._thread.join(END_S)

    def _ask(self, event: Mapping[str, Any]) -> None:
        why = asked(NGATU, OUT, self._station, DEVICE, event)
        if why is None:
            self.crossing = event
            at = event["time"][11:19]
            say(f"  the footage of the crossing at {at} is here; the page says what it is worth")
        else:
            say(f"  no footage of the crossing at {event['time'][11:19]}: {why}", markup=False)


def _print_events(watch: subprocess.Popen[str], clerk: Clerk) -> None:
    """A line per event as it begins, and one where a clip begins again."""
    assert watch.stdout is not None
    cut: dict[str, str] = {}
    for line in watch.stdout:
        event = json.loads(line)
        clerk.heard(event)
        moment, camera = event["time"][11:19], event["camera"]
        if event["end_reason"] == EndReason.CLIP_RESTARTED and cut.get(camera) != event["time"]:
            cut[camera] = event["time"]
            say(f"  {moment}  {camera:8} the clip begins again")
        if event["phase"] != "start":
            continue
        user = event["object"]
        who = user["label"] if user else ""
        if user and user["riders"]:
            who += f" with {user['riders']} rider{'s' if user['riders'] > 1 else ''}"
        what, _ = WHAT.get(event["kind"], (event["kind"].replace("_", " "), ""))
        loud = "ALERT" if event["severity"] == "alert" else ""
        say(" ".join(filter(None, (f"  {moment}  {camera:8}", loud, who, what, event["direction"]))))


def _sigterm(_signal: int, _frame: object) -> None:
    sys.exit("the demo was ended")


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="make demo", description=__doc__)
    options.add_argument("--keep", action="store_true", help="stay until Ctrl-C")
    try:
        sys.exit(main(keep=options.parse_args().keep))
    except KeyboardInterrupt:
        sys.exit("the demo was ended")
    except NgatuError as error:
        sys.exit(f"demo: {error}")
