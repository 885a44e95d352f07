"""The pictures of a look in a folder of their own, with a page that shows the newest while it lasts.

Only whoever looked may read the folder. `look.json` says who looked, what for and when, and holds the hash of
each picture; at the end also what the box says of it, and whether these are the pictures that it sent.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final

from agent.errors import NgatuError
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from agent.wire import codec
from agent.wire.payloads import AckBody
from agent.wire.verbs import LOOK_OLDEST_S, LOOK_PER_S, LOOK_S
from station.ingest import jpeg
from station.look.timeliness import Timeliness

PAGE: Final = "index.html"
REFRESH_S: Final = 1
MOST_BYTES: Final = 256 * 1024
"""Of one picture; a box makes none of more than 30 KB."""
_STYLE: Final = (
    "body{font:1rem/1.4 sans-serif;margin:1rem;background:#111;color:#eee}img{max-width:100%;height:auto}"
    "figure{margin:0 0 1rem}.all{display:flex;flex-wrap:wrap;gap:.5rem}.all figure{width:12rem}"
)


@dataclass(frozen=True, slots=True)
class LookFacts:
    """Whose look it is."""

    commune: str
    box: str
    camera: str
    officer: str
    purpose: str


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One picture that came."""

    number: int
    file: str
    time: str
    """When the camera saw it, by the box's clock."""
    sha256: str
    late: bool = False
    """It came so late that it was not shown while the look lasted."""

    @property
    def shown(self) -> str:
        """The time for people, in this machine's zone."""
        try:
            return f"{datetime.fromisoformat(self.time).astimezone():%H:%M:%S}"
        except (ValueError, OverflowError):  # MQTT 3.1.1 tells none
            return self.time


@dataclass(slots=True)
class LookFolder:
    """A new folder; files appear in it whole.

    Raises:
        NgatuError: it is there already, or cannot be written.
    """

    path: Path
    facts: LookFacts
    pictures: list[SeenPicture] = field(default_factory=list)
    damaged: int = 0
    """Pictures that were not what the box sent, or no JPEG; they are not kept."""
    gap_s: float = 1 / LOOK_PER_S
    """Between two pictures, as they were asked for."""
    most: int = LOOK_S * int(LOOK_PER_S) + 1
    """So many pictures may there be: a box that sends more, of whatever number, fills no disk."""
    now_s: Callable[[], float] = time.time
    """The clock on the wall here."""
    _timeliness: Timeliness = field(default_factory=Timeliness)
    _came_s: float = math.inf
    """When the last picture came that was shown."""
    _waits: bool = False
    """The page says that nothing comes."""

    def __post_init__(self) -> None:
        try:
            self.path.mkdir(mode=0o700)
        except OSError as error:
            raise NgatuError(
                tr("{path}: cannot be made: {reason}", path=self.path, reason=error.strerror or error),
                tr("name a new folder, in one that is there and that you may write to: --save FOLDER"),
            ) from error
        self._write_page(lasts=True)

    @property
    def page(self) -> Path:
        """What a browser shows."""
        return self.path / PAGE

    @property
    def newest(self) -> SeenPicture | None:
        """What is shown as what is now."""
        return next((each for each in reversed(self.pictures) if not each.late), None)

    def turn(self) -> None:
        """Time passes; a picture that is no longer what is now is not shown as that."""
        waits = self.now_s() - self._came_s > self.gap_s + LOOK_OLDEST_S
        if waits and not self._waits:
            self._waits = True
            self._write_page(lasts=True)

    @contextmanager
    def only_if_used(self) -> Iterator[None]:
        """After an error, or Ctrl-C, it is ended as it is; without a picture it goes."""
        try:
            yield
        except BaseException:
            self.end(None)
            raise

    def add(self, data: bytes, user: Mapping[str, str]) -> bool:
        """Keep a picture that came; False: it is not what the box sent."""
        digest = sha256(data).hexdigest()
        number = user.get("number", "")
        known = {each.number for each in self.pictures}
        asked = number.isascii() and number.isdigit() and len(number) <= 6 and 1 <= int(number) <= self.most
        whole = asked and len(data) <= MOST_BYTES and digest == user.get("sha256", digest)
        if not whole or jpeg.fault(data) is not None:
            self.damaged += 1
            return False
        if int(number) in known:  # the broker gives one again after a broken connection
            return True
        name = f"{int(number):04}.jpg"
        self._write(name, data)
        taken, came_s = printable(user.get("time", ""))[:40], self.now_s()
        late = self._timeliness.is_late(taken, came_s)
        self.pictures.append(SeenPicture(int(number), name, taken, digest, late))
        self.pictures.sort(key=lambda each: each.number)
        if not late:
            self._came_s, self._waits = came_s, False
            self._write_page(lasts=True)
        return True

    def end(self, answer: AckBody | None) -> bool:
        """The look is over; whether all that the box sent is here, as it sent it. Without a picture it goes."""
        if not self.pictures:
            with suppress(OSError):
                self.page.unlink()
                self.path.rmdir()
            return False
        said = answer.result.get("pictures_sha256") if answer is not None else None
        complete = said == codec.pictures_sha256(each.sha256 for each in self.pictures)
        noted: dict[str, Any] = {
            **asdict(self.facts),
            "command": answer.id if answer is not None else None,
            "state": answer.state if answer is not None else None,
            "detail": answer.detail if answer is not None else None,
            "result": answer.result if answer is not None else None,
            "complete": complete,
            "pictures": [asdict(each) for each in self.pictures],
        }
        self._write("look.json", json.dumps(noted, ensure_ascii=False, indent=1).encode() + b"\n")
        self._write_page(lasts=False)
        return complete

    def _write_page(self, *, lasts: bool) -> None:
        facts = self.facts
        title = f"{facts.box} · {facts.camera}"
        refresh = f'<meta http-equiv="refresh" content="{REFRESH_S}">' if lasts else ""
        who = tr("{officer} looks, for: {purpose}", officer=facts.officer, purpose=facts.purpose)
        newest = self.newest
        shown = [] if newest is None or (lasts and self._waits) else [newest]
        rest = [] if lasts else self.pictures
        nothing = "" if shown else f"<p>{escape(translated(_nothing(newest)))}</p>"
        html = (
            f'<!doctype html><html><head><meta charset="utf-8">{refresh}'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
            f"<h1>{escape(title)}</h1><p>{escape(translated(who))}</p>{nothing}"
            f"{''.join(map(_figure, shown))}<div class=all>{''.join(map(_figure, rest))}</div></body></html>\n"
        )
        self._write(PAGE, html.encode())

    def _write(self, name: str, data: bytes) -> None:
        try:
            unfinished = self.path / f".{name}.part"
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
            unfinished.replace(self.path / name)
        except OSError as error:
            raise NgatuError(
                tr("{path}: cannot be written: {reason}", path=self.path, reason=error.strerror or error),
                tr("is there room? the box stops by itself once nobody looks"),
            ) from error


def pictures_of(seconds: float, per_second: float) -> int:
    """How many pictures such a look has at most: one at its beginning, and at its pace."""
    return math.ceil(seconds * per_second) + 1


def _nothing(newest: SeenPicture | None) -> str:
    if newest is None:
        return tr("no picture yet")
    return tr("nothing has come since {time}: the link or the camera stands still", time=newest.shown)


def _figure(picture: SeenPicture) -> str:
    return (
        f'<figure><img src="{escape(picture.file)}" alt="{picture.number}">'
        f"<figcaption>{picture.number} · {escape(picture.shown)}</figcaption></figure>"
    )
