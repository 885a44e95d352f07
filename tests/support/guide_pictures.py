"""The pictures of the duty room's guide: the real console of a real station, on a simulated junction.

    python -m tests.support.guide_pictures docs/images

A box watches a drawn junction and records it; a station has a shift of drawn events besides. Road users, people
and names are made up. It needs Chromium and ffmpeg from Debian, and takes some minutes.
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
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from PIL import Image
from playwright.sync_api import Browser, Page

from agent.wire.payloads import rfc3339
from benchmarks.scenes import render
from station.config import load
from station.ingest.inbound import InboundMessage, read
from station.lookup.cards import cards_of
from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import FalseReason, ReviewState
from station.starter import starter_file
from station.store.database import engine_of, url_of
from station.store.store import Store
from station.watch.embedded import embedded_broker
from tests.support.boxes import NGATU
from tests.support.brokers import until
from tests.support.duty_room import OFFICER, DutyRoom, Officer, at_the_screen, browser, soon
from tests.support.junction_events import junction_events
from tests.support.squares import write_model
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
SHIFT_S = 8 * 3600.0
LATE_S = 5400.0
"""What one camera told in so many seconds came only now."""
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CASE, PURPOSE = "27/2026", "va chạm giao thông ở ngã tư"
DONE = (
    (ReviewState.CONFIRMED, None, "đã cử tổ tuần tra"),
    (ReviewState.CONFIRMED, None, ""),
    (ReviewState.FALSE, FalseReason.NORMAL_TRAFFIC, ""),
    (ReviewState.FALSE, FalseReason.SHADOW_OR_LIGHT, "bóng cây buổi chiều"),
    (ReviewState.PASSED_ON, None, "chuyển tổ giao thông"),
)
WATCHES_S = 30
"""So long the box has recorded when its footage is asked for."""
BOX = """
device: {{commune: {commune}, id: {device}, place: "{place}", purpose: thử, legal_basis: hình mô phỏng}}
state_dir: {folder}/state
broker: {{host: 127.0.0.1, port: {port}}}
evidence: {{recipient: {recipient}, max_bytes: 64000000}}
health: {{interval_s: 5}}
detector: {{model: "{model}"}}
cameras:
  - name: cong
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
        filled(file)
        room.start()
        stack.callback(room.stop)
        room.staff()
        reviewed(room)
        chrome = stack.enter_context(browser())
        for language in LANGUAGES:
            wall(chrome, room, out, language)
        stack.enter_context(_box(folder, file, broker.port))
        until(lambda: _recorded(folder), 180, f"the box records; {folder}/box.log")
        for language in LANGUAGES:
            pictures(chrome, room, out, language)


def filled(file: Path) -> None:
    """A shift of events into the store, each as it would have come: soon, but for those of one camera."""
    config, now = load(file), datetime.now(UTC)
    chance, seq, clock = random.Random(7), count(1), [now.timestamp() - SHIFT_S]
    engine = engine_of(url_of(config.database, config.state_dir))
    with closing(Store(engine, config.state_dir, now=lambda: clock[0])) as store:
        store.commit([*_boxes(now)])
        made: list[tuple[float, InboundMessage]] = []
        for index, (box, camera) in enumerate((box, camera) for box in TITLES for camera in CAMERAS):
            last_s = 7200.0 if box == SCHOOL else 60.0
            agos = sorted((last_s + (SHIFT_S - last_s) * chance.random() ** 2 for _ in range(22)), reverse=True)
            moments = [now - timedelta(seconds=ago_s) for ago_s in agos]
            of_camera = junction_events(
                index + 11, moments, box=box, camera=camera, first=1 + 100 * index, seq=seq, around=0.9
            )
            came_s = 0.0
            for message in of_camera:
                if message.event is not None and message.event.start_time is not None:
                    came_s = message.event.start_time.timestamp() + 0.8
                late = camera == "nam" and box == MARKET and now.timestamp() - came_s < LATE_S
                made.append((now.timestamp() - 40 if late else came_s, message))
        for came_s, message in sorted(made, key=lambda each: each[0]):
            clock[0] = came_s
            store.commit([message])
        clock[0] = now.timestamp()
        store.commit([*_doing(now)])  # each says how it does until now


def reviewed(room: DutyRoom) -> None:
    """What the shift made of most of its alerts."""
    engine = engine_of(url_of(room.config.database, room.config.state_dir))
    chance, lan = random.Random(3), Reviewer(OFFICER, "Nguyễn Thị Lan")
    try:
        queue = ReviewQueue(engine)
        for each in queue.open_alerts(limit=500)[4:]:
            state, reason, note = chance.choice(DONE)
            key = (each.place.box_id, each.place.event_id)
            queue.mark(key, state, lan, seen=0, note=note, reason=reason)
    finally:
        engine.dispose()


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
    yield from _doing(now)


def _doing(now: datetime) -> Iterator[InboundMessage]:
    for box, warm in ((MARKET, 51.0), (BRIDGE, 63.5), (SCHOOL, 48.0)):
        body = {
            "schema": "1.0", "session": "life-1", "time": rfc3339(now), "cpu_temp_c": warm, "uptime_s": 260_000,
            "outbox": {"pending": 0}, "disk": {"free_bytes": 41_000_000_000},
            "clock": {"state": "ntp", "error_ms": 3, "boot_id": "b-1", "mono_ms": 1},
            "versions": {"agent": "0.1.0"}, "certificate_ends": rfc3339(now + timedelta(days=72)),
        }  # fmt: skip
        yield read(f"ngatu/v1/{COMMUNE}/{box}/health", json.dumps(body).encode(), {})


def wall(chrome: Browser, room: DutyRoom, out: Path, language: str) -> None:
    """The wall, while the box of the footage is not there yet."""
    with at_the_screen(chrome, room, size=SIZE) as officer:
        officer.speak(language)
        officer.go("/")
        officer.page.wait_for_selector("#pulse.good")
        soon(lambda: officer.page.locator("#tiles .tile img").count() > 20, 30, officer.page)
        _save(officer.page, out / f"wall.{language}.png")


def pictures(chrome: Browser, room: DutyRoom, out: Path, language: str) -> None:
    """What else the guide shows."""
    with at_the_screen(chrome, room, size=SIZE) as officer:
        officer.speak(language)
        page = officer.page
        officer.go(_with_scene(room))
        _save(page, out / f"event.{language}.png")
        _footage(officer)
        _save(page, out / f"footage.{language}.png")
        now = datetime.now(ZONE)
        since = (now - timedelta(seconds=SHIFT_S)).strftime("%Y-%m-%dT%H:%M")
        officer.go(f"/shift?since={since}&until={now.strftime('%Y-%m-%dT%H:%M')}")
        _save(page, out / f"shift.{language}.png")


def _with_scene(room: DutyRoom) -> str:
    """The page of an open alert of a crossing that went wrong."""
    engine = engine_of(url_of(room.config.database, room.config.state_dir), writes=False)
    try:
        keys = [(each.place.box_id, each.place.event_id) for each in ReviewQueue(engine).open_alerts(limit=50)]
        cards = [each for each in cards_of(engine, keys) if each.scene and each.kind == "wrong_way"]
    finally:
        engine.dispose()
    return f"/events/{cards[0].box}/{cards[0].event_id}"


def _footage(officer: Officer) -> None:
    """The request of the first language, asked for, played to its middle."""
    page = officer.page
    officer.go("/requests")
    if page.locator("table.fold a").count() == 0:
        now = datetime.now(ZONE).replace(microsecond=0)
        officer.go(f"/requests/new?box={HALL}&camera=cong")
        page.fill("[name=since]", (now - timedelta(seconds=16)).strftime("%Y-%m-%dT%H:%M:%S"))
        page.fill("[name=until]", (now - timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%S"))
        page.fill("[name=case]", CASE)
        page.fill("[name=purpose]", PURPOSE)
        page.click("main form button.main")
    else:
        page.locator("table.fold a").first.click()
    page.wait_for_selector("section.verdict", timeout=180_000)
    page.locator("video").evaluate("film => { film.muted = true; return film.play(); }")
    soon(lambda: page.locator("video").evaluate("film => film.currentTime") > 3, 60, page)
    page.locator("video").evaluate("film => film.pause()")


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
            model=write_model(folder),
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
