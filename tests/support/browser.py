"""A real browser without a window, for pages: Chromium by the DevTools protocol, over two pipes.

Over pipes it needs no port and no library for WebSockets: each message is JSON with a zero byte behind it.
What a page is given are the browser's own events, as if a mouse or a finger had made them.
https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ANSWER_S = 30.0
QUIET = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions", "--disable-sync",
    "--disable-default-apps", "--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb",
)  # fmt: skip
BECOME = """
import fcntl, os, sys
there = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 10) for each in sys.argv[1:3]]
for number, each in zip((3, 4), there):
    os.dup2(each, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""It reads descriptor 3 and writes descriptor 4."""
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESK = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}


def executable() -> str:
    """Chromium's path; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no browser here for the pages: apt install chromium-headless-shell")
    return found


class PageFailed(AssertionError):
    """A script of the page, or one of ours in it, raised an error."""


class Tab:
    """One page in one browser."""

    def __init__(self, to: int, out: int) -> None:
        self._to, self._out, self._buffer = to, out, b""
        self._number, self._session = 0, ""
        self.screen = DESK
        self.complaints: list[str] = []
        """What the page wrote to its console, errors it did not catch, and what its policy kept out."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Say something to the browser; its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        until_s = time.monotonic() + ANSWER_S
        while True:
            heard = self._hear(until_s)
            if heard.get("id") == self._number:
                if "error" in heard:
                    raise PageFailed(f"{method}: {heard['error']['message']}")
                return dict(heard["result"])

    def _hear(self, until_s: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._out], [], [], max(0.0, until_s - time.monotonic()))
            data = os.read(self._out, 1 << 20) if ready else b""
            if not data:
                raise PageFailed("the browser does not answer" if not ready else "the browser is gone")
            self._buffer += data
        words, _, self._buffer = self._buffer.partition(b"\0")
        heard = dict(json.loads(words))
        match heard:
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(str(details.get("exception", {}).get("description") or details["text"]))
            case {
                "method": "Log.entryAdded",
                "params": {"entry": {"level": "error" | "warning", "text": text}},
            }:
                self.complaints.append(text)
            case {"method": "Runtime.consoleAPICalled", "params": {"type": "error", "args": args}}:
                self.complaints.append(str([each.get("value") for each in args]))
            case {"method": "Page.javascriptDialogOpening"}:
                self._accept()
        return heard

    def _accept(self) -> None:
        self._number += 1
        message = {
            "id": self._number, "sessionId": self._session, "method": "Page.handleJavaScriptDialog",
            "params": {"accept": True},
        }  # fmt: skip
        os.write(self._to, json.dumps(message).encode() + b"\0")

    def size(self, screen: dict[str, Any]) -> None:
        """Be a screen of this size; a phone's is touched."""
        self.screen = screen
        self.send("Emulation.setDeviceMetricsOverride", **screen)
        self.send("Emulation.setTouchEmulationEnabled", enabled=screen["mobile"], maxTouchPoints=1)

    def go(self, url: str) -> None:
        """Open the page."""
        self.send("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are waited for."""
        done = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if details := done.get("exceptionDetails"):
            raise PageFailed(str(details.get("exception", {}).get("description") or details["text"]))
        return done["result"].get("value")

    def until(self, script: str, within_s: float = 20.0) -> Any:
        """The expression's value, once it is true."""
        until_s = time.monotonic() + within_s
        while not (value := self.run(script)):
            if time.monotonic() > until_s:
                raise PageFailed(f"never true: {script}; {self.complaints}")
            select.select([], [], [], 0.05)
        return value

    def middle(self, selector: str) -> tuple[float, float]:
        """Where on the screen an element lies, scrolled into view."""
        found = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;"
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); const b = e.getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2] })()"
        )
        assert found, f"nothing is {selector}"
        return found[0], found[1]

    def inside(self, selector: str, x: float, y: float) -> tuple[float, float]:
        """The point of the screen that lies at these fractions of an element."""
        self.middle(selector)
        left, top, width, height = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height] })()"
        )
        return left + x * width, top + y * height

    def click(self, x: float, y: float) -> None:
        """With the mouse."""
        self.drag((x, y))

    def drag(self, *way: tuple[float, float]) -> None:
        """With the mouse's button held."""
        for kind, (x, y) in self._course(way, "mousePressed", "mouseMoved", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def tap(self, x: float, y: float) -> None:
        """With a finger."""
        self.slide((x, y))

    def slide(self, *way: tuple[float, float]) -> None:
        """With a finger that stays on the glass."""
        for kind, (x, y) in self._course(way, "touchStart", "touchMove", "touchEnd"):
            points = [] if kind == "touchEnd" else [{"x": x, "y": y}]
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    @staticmethod
    def _course(
        way: tuple[tuple[float, float], ...], down: str, move: str, up: str
    ) -> Iterator[tuple[str, tuple[float, float]]]:
        yield down, way[0]
        for each in way[1:]:
            yield move, each
        yield up, way[-1]

    def press(self, selector: str, *, finger: bool = False) -> None:
        """Hit the middle of an element."""
        (self.tap if finger else self.click)(*self.middle(selector))

    def write(self, selector: str, text: str) -> None:
        """In place of what stands in a field."""
        self.press(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.send("Input.insertText", text=text)
        self.run("document.activeElement.blur()")

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """What is seen, or the whole page, as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def browser() -> Iterator[Tab]:
    """A new browser with a profile of its own; it ends with the block."""
    program = executable()
    their_in, to = os.pipe()
    out, their_out = os.pipe()
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        # Root has no sandbox to give away.
        words = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else []), f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [sys.executable, "-c", BECOME, str(their_in), str(their_out), program, *words],
            pass_fds=(their_in, their_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile},
        )
        os.close(their_in)
        os.close(their_out)
        try:
            yield Tab(to, out)
        finally:
            process.kill()
            process.wait(10)
            os.close(to)
            os.close(out)
