"""The pictures of the duty room's guide: the real console of a real station, on a simulated junction.

    python -m tests.support.guide_pictures docs/images

A box watches a drawn junction and records it; a station has a shift of drawn events besides. Road users, people and
names are made up. It needs Chromium and ffmpeg from Debian, and takes some minutes.
"""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from agent.wire.payloads import rfc3339
from benchmarks.scenes import render
from station.config import load
from station.ingest.inbound import InboundMessage, read
from station.starter import starter_file
from station.store.database import engine_of, url_of
from station.store.store import Store
from station.watch.embedded import embedded_broker
from tests.support.boxes import NGATU
from tests.support.brokers import until
from tests.support.duty_room import DutyRoom, at_the_screen, browser, soon
from tests.support.junction_events import junction_events
from tests.support.told_events import COMMUNE, born, camera_status, status

SIZE = {"width": 1280, "height": 720}
WIDTH_PX = 1000
MOST_BYTES = 150_000
LANGUAGES = ("vi", "en")
MARKET, BRIDGE, SCHOOL, HALL = "hai-ninh-01", "hai-ninh-02", "hai-ninh-03", "hai-ninh-04"
TITLES = {MARKET: "Ngã tư chợ Hải Ninh", BRIDGE: "Cầu Đông Hà", SCHOOL: "Trường tiểu học số 1"}
CAMERAS = {"bac": "Hướng bắc", "nam": "Hướng nam"}
RULES = {
    "vach-dung": ("line", "Vạch dừng"), "lan-trai": ("zone", "Làn trái"), "quanh-quan": ("loitering", "Vỉa hè"),
    "cam-dung": ("stopped_vehicle", "Cấm dừng"), "nguoc-chieu": ("wrong_way", "Đường một chiều"),
}  # fmt: skip
WATCHES_S = 25
"""So long the box has recorded when its footage is asked for."""
BOX = """
device: {{commune: {commune}, id: {device}, place: "{place}", purpose: thử, legal_basis: hình mô phỏng}}
state_dir: {folder}/state
broker: {{host: 127.0.0.1, port: {port}}}
evidence: {{recipient: {recipient}, max_bytes: 64000000}}
health: {{interval_s: 5}}
cameras:
  - name: bac
    source: {{kind: file, path: {clip}, loop: true}}
    record: {{mode: continuous}}
    rules: [{{kind: motion, id: chuyen-dong, min_area: 0.02}}]
"""


def main(out: Path) -> None:
    """Write every picture, in both languages."""
    with tempfile.TemporaryDirectory(prefix="ngatu-pictures-") as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(embedded_broker())
        room = DutyRoom(folder / "duty", broker.port, COMMUNE)
        (folder / "duty").mkdir()
        file = _configured(room)
        stated(file)
        room.start()
        stack.callback(room.stop)
        room.staff()
        stack.enter_context(_box(folder, file, broker.port))
        chrome = stack.enter_context(browser())
        until(lambda: _recorded(folder), 120, "the box records")
        for language in LANGUAGES:
            pictures(chrome, room, out, language)


def stated(file: Path) -> None:
    """A shift of events into the store."""
    config, now = load(file), datetime.now(UTC)
    chance, seq = random.Random(7), count(1)
    engine = engine_of(url_of(config.database, config.state_dir))
    with Store(engine, config.state_dir) as store:
        store.commit([*_boxes(now)])
        for index, (box, camera) in enumerate((box, camera) for box in TITLES for camera in CAMERAS):
            moments = sorted(now - timedelta(minutes=chance.triangular(1, 470, 40)) for _ in range(24))
            messages = junction_events(
                index + 1, moments, box=box, camera=camera, first=1 + 100 * index, seq=seq
            )
            store.commit(list(messages))


def _boxes(now: datetime) -> Iterator[InboundMessage]:
    """Who they are, and how they do: one well, one with a camera that does not see, one cut off."""
    rules = [{"id": name, "kind": kind, "name": title} for name, (kind, title) in RULES.items()]
    for box, title in TITLES.items():
        yield born(box, title, CAMERAS, now, **{camera: {"rules": rules} for camera in CAMERAS})
        for camera in CAMERAS:
            yield camera_status(box, camera, "streaming", now - timedelta(hours=30))
    yield status(MARKET, "online", now)
    yield status(BRIDGE, "online", now)
    yield camera_status(BRIDGE, "nam", "blind", now - timedelta(minutes=52), "covered")
    yield status(SCHOOL, "offline", now - timedelta(hours=2))
    for box, warm in ((MARKET, 51.0), (BRIDGE, 63.5), (SCHOOL, 48.0)):
        body = {
            "schema": "1.0", "session": "life-1", "time": rfc3339(now), "cpu_temp_c": warm, "uptime_s": 260_000,
            "outbox": {"pending": 0}, "disk": {"free_bytes": 41_000_000_000},
            "clock": {"state": "ntp", "error_ms": 3, "boot_id": "b-1", "mono_ms": 1},
            "versions": {"agent": "0.1.0"}, "certificate_ends": rfc3339(now + timedelta(days=72)),
        }  # fmt: skip
        yield read(f"ngatu/v1/{COMMUNE}/{box}/health", json.dumps(body).encode(), {})


def pictures(chrome: Browser, room: DutyRoom, out: Path, language: str) -> None:
    """What the guide shows."""
    with at_the_screen(chrome, room, size=SIZE) as officer:
        officer.speak(language)
        page = officer.page
        officer.go("/")
        page.wait_for_selector("#pulse.good")
        soon(lambda: page.locator("#tiles .tile img").count() > 20, 30, page)
        _save(page, out / f"wall.{language}.png")
        officer.go("/?kiosk=1")
        page.wait_for_selector("#pulse.good")
        _save(page, out / f"kiosk.{language}.png")


def _save(page: Page, path: Path) -> None:
    """A picture small enough for a page: fewer pixels, and as many colours as fit."""
    page.wait_for_timeout(300)
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot = shot.resize((WIDTH_PX, round(shot.height * WIDTH_PX / shot.width)), Image.Resampling.LANCZOS)
    for colours in (256, 192, 128, 96, 64, 48, 32):
        small = shot.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            break
    print(path, path.stat().st_size, f"{colours} colours", flush=True)


def _configured(room: DutyRoom) -> Path:
    """The station's file, and its key for footage."""
    file = starter_file(room.folder, room.commune, "127.0.0.1", room.broker_port)
    file.write_text(file.read_text().replace("web: {}", f"web: {{port: {room.web_port}}}"))
    return file


def _station(file: Path, *words: str) -> str:
    done = subprocess.run(
        [*NGATU, "station", *words, "-c", str(file)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@contextmanager
def _box(folder: Path, file: Path, port: int) -> Iterator[None]:
    """A box that watches the drawn junction and records it."""
    clip = folder / "junction.mp4"
    drawn = render.write(folder, seed=3, seconds=20.0).rename(folder / "drawn.mp4")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(drawn), "-vf", "scale=640:-2", "-c:v", "libx264", "-g", "20",
         "-preset", "veryfast", str(clip)],
        check=True, timeout=300,
    )  # fmt: skip
    config = folder / "box.yaml"
    config.write_text(
        BOX.format(
            commune=COMMUNE, device=HALL, place="Ủy ban xã", folder=folder, port=port, clip=clip,
            recipient=_station(file, "footage-key").splitlines()[0],
        ),
        encoding="utf-8",
    )  # fmt: skip
    with (folder / "box.log").open("wb") as log:
        process = subprocess.Popen([*NGATU, "run", "-c", str(config)], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _recorded(folder: Path) -> bool:
    """Whether there is footage of long enough."""
    log = (folder / "box.log").read_text(errors="replace")
    began = folder / "began"
    if "broker_connected" in log and not began.exists():
        began.touch()
    return began.exists() and time.time() - began.stat().st_mtime > WATCHES_S


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
