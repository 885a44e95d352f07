"""From the camera's picture to the duty room's screen, and what open screens cost the station.

A real agent watches drawn road users, a real station takes in what it tells, and a real browser shows its wall.
A moment is taken when the tile is on the page and the browser has drawn it. All clocks are this machine's.
"""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
from playwright.sync_api import Browser

from agent.errors import NgatuError
from benchmarks.table import Row
from station.watch.embedded import embedded_broker
from tests.acceptance.duty_room.followers import Followers
from tests.support.boxes import NGATU
from tests.support.duty_room import OFFICER, PASSWORD, DutyRoom, at_the_screen, browser, duty_room
from tests.support.squares import write_clip, write_model

SECONDS = 120
CAMERAS = 3
SCREENS = (0, 1, 30)
PHASE_S = 20
BEGAN = (
    "select box_id || '/' || event_id, coalesce(start_ms + clock_offset_ms, start_ms), first_received_ms "
    "from event"
)  # fmt: skip
COUNT = "select count(*) from message"
BOX = """\
device: {{commune: hai-ninh, id: cho-01}}
state_dir: {folder}/state
broker: {{host: 127.0.0.1, port: {port}}}
detector: {{model: {model}}}
cameras:
"""
CAMERA = """\
  - name: north-{number}
    source: {{kind: file, path: {clip}, loop: true}}
    rules: [{{kind: line, id: middle, start: [0.5, 0.1], end: [0.5, 0.95], severity: alert}}]
"""
NOTE_DRAWN = """
window.drawnTiles = {};
document.addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("tiles");
  if (!list) return;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const each of addedNodes) {
      const key = each.dataset && each.dataset.key;
      if (!key || key in drawnTiles) continue;
      drawnTiles[key] = null;
      requestAnimationFrame(() => requestAnimationFrame(() => (drawnTiles[key] = Date.now())));
    }
  }).observe(list, { childList: true });
});
"""


def main(paths: Sequence[Path], progress: Callable[[str], None] = lambda _: None) -> Iterator[Row]:
    """Rows of what lies between the picture and the screen, then of what screens cost; it needs no footage.

    Raises:
        NgatuError: there is no browser, or nothing came.
    """
    del paths
    with tempfile.TemporaryDirectory(prefix="ngatu-console-") as name, ExitStack() as left:
        folder, address = Path(name), left.enter_context(embedded_broker())
        try:
            chrome = left.enter_context(browser())
        except BaseException as error:  # whatever pytest has to say of a part that is not here
            raise NgatuError("no Chromium here", "apt install chromium-headless-shell") from error
        room = left.enter_context(duty_room(folder / "duty", address.port))
        left.enter_context(_box(folder, address.port))
        progress(f"a browser looks on for {SECONDS} s")
        yield from _to_the_screen(room, chrome)
        for screens in SCREENS:
            progress(f"{screens} screens are open")
            yield _cost(room, screens)


@contextmanager
def _box(folder: Path, port: int) -> Iterator[None]:
    """A box with some cameras, each of which sees one road user after the other go over a line."""
    text = BOX.format(folder=folder, port=port, model=write_model(folder))
    for number in range(CAMERAS):
        clip = write_clip(folder / f"{number}.mp4", seconds=6.0 + number, still_s=1.5, speed_px_s=150.0)
        text += CAMERA.format(number=number, clip=clip)
    (folder / "box.yaml").write_text(text, encoding="utf-8")
    with (folder / "box.log").open("wb") as log:
        process = subprocess.Popen([*NGATU, "run", "-c", str(folder / "box.yaml")], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _to_the_screen(room: DutyRoom, chrome: Browser) -> Iterator[Row]:
    """What lies between the picture in which it happened and the browser's."""
    with at_the_screen(chrome, room) as officer:
        officer.page.add_init_script(NOTE_DRAWN)
        officer.go("/")
        officer.page.wait_for_selector("#tiles .tile")
        officer.page.wait_for_timeout(SECONDS * 1000)
        drawn = officer.page.evaluate("drawnTiles")
    rows = _rows(room, BEGAN)
    happened = {key: (began_ms, kept_ms) for key, began_ms, kept_ms in rows}
    seen = [(*happened[key], at_ms) for key, at_ms in drawn.items() if at_ms and key in happened]
    if not seen:
        raise NgatuError("no event came to the screen", "look at the box's log: does its rule speak?")
    for what, waits_ms in (
        ("picture to store", [kept - began for began, kept, _ in seen]),
        ("store to screen", [shown - kept for _, kept, shown in seen]),
        ("picture to screen", [shown - began for began, _, shown in seen]),
    ):
        waits_s = sorted(each / 1000 for each in waits_ms)
        p95 = waits_s[int(0.95 * len(waits_s))]
        figures = {"p50, s": median(waits_s), "p95, s": p95, "most, s": waits_s[-1]}
        yield {"way": what, "events": len(waits_s), **{name: round(each, 2) for name, each in figures.items()}}


def _cost(room: DutyRoom, screens: int) -> Row:
    """Processor time of the service and of the screen while so many follow."""
    assert room.process is not None
    parts = {"service": psutil.Process(room.process.pid), "screen": psutil.Process(room.screen_pid())}
    with httpx.Client(base_url=room.url) as client:
        client.post("/login", data={"login": OFFICER, "password": PASSWORD})
        cookies = [client.cookies["ngatu"]] * screens
    with Followers(room.web_port, cookies) if screens else nullcontext() as followers:
        if followers:
            followers.until_all_follow()
        before = {name: _used_s(each) for name, each in parts.items()}
        kept, began_s = _rows(room, COUNT)[0][0], time.monotonic()
        time.sleep(PHASE_S)
        lasted_s = time.monotonic() - began_s
        messages = _rows(room, COUNT)[0][0] - kept
    used = {name: 100 * (_used_s(each) - before[name]) / lasted_s for name, each in parts.items()}
    percent = {f"{name}, % of a core": round(each, 1) for name, each in used.items()}
    return {"open screens": screens, "messages a minute": round(60 * messages / lasted_s), **percent}


def _rows(room: DutyRoom, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{room.folder / 'store/station.db'}?mode=ro", uri=True)) as store:
        return store.execute(query).fetchall()


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
