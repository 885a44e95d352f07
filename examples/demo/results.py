"""What the station has of the demo, and what the box had to tell: read from their two databases.

The clip is played in a loop, so the same road users come again and again. Where it begins again the box ends
what is open, with the reason `clip_restarted`; so a camera's laps are known from its own events, and road users
can be counted in each.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from bisect import bisect
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from agent.core.types import EndReason
from station.store.blobs import BLOBS
from station.store.database import engine_of
from station.store.pictures.rows import KeptPictures


@dataclass(frozen=True)
class Delivery:
    """What became of the box's messages; neither database trusts the other."""

    accepted: int
    """Messages that the box's outbox took."""
    received: int
    """Of these, how many the station has."""
    waiting: int
    """Of these, how many have no receipt."""

    @property
    def lost(self) -> int:
        """Accepted by the outbox, and never seen by the station."""
        return self.accepted - self.received


@dataclass(frozen=True)
class KeptEvent:
    """One event as it stands: its newest message, and its pictures."""

    body: Mapping[str, Any]
    """As docs/reference/wire.md has it."""
    lap: int
    """The passage of the clip in which it began, from 1."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Hash of the newest picture by its kind, `thumbnail` or `scene`."""

    @property
    def label(self) -> str | None:
        """What the road user was believed to be in the end; None where the event is about none."""
        return self.body["object"]["label"] if self.body["object"] else None


@dataclass(frozen=True)
class Seen:
    """How many road users were told of one camera."""

    camera: str
    laps: int
    """How often the clip began; the last time it was perhaps not played to its end."""
    altogether: Mapping[str, int]
    """By label, over all laps."""
    in_a_lap: Mapping[str, tuple[int, int]]
    """By label, in the whole lap with the fewest, and in the one with the most."""


def read_delivery(folder: Path) -> Delivery:
    """How many messages there were, and where they are."""
    with closing(_opened(folder / "state" / "outbox.db")) as box:
        (newest,) = box.execute("select next_seq - 1 from life").fetchone()
        (waiting,) = box.execute("select count(*) from message").fetchone()
    with closing(_opened(folder / "station" / "station.db")) as station:
        (received,) = station.execute("select count(distinct seq) from message").fetchone()
    return Delivery(newest, received, waiting)


def read_events(folder: Path) -> list[KeptEvent]:
    """Every event that the station has, the newest first."""
    with closing(_opened(folder / "station" / "station.db")) as station:
        rows = station.execute("select body from event_revision order by revision").fetchall()
        shown = station.execute("select event_id, thumbnail_sha256, scene_sha256 from event").fetchall()
        here = {sha256 for (sha256,) in station.execute("select sha256 from picture")}
    named = {name: {"thumbnail": thumbnail, "scene": scene} for name, thumbnail, scene in shown}
    pictures = {
        name: {kind: sha256 for kind, sha256 in kinds.items() if sha256 in here}
        for name, kinds in named.items()
    }
    newest = {body["id"]: body for body in (json.loads(row) for (row,) in rows)}
    return sorted(lapped(newest.values(), pictures), key=lambda each: each.body["start_time"], reverse=True)


def needed_help(events: Iterable[KeptEvent]) -> list[str]:
    """What the box told of itself and its cameras as an alert, such as "north: camera_lost"; each once."""
    own = (each.body for each in events if each.body["severity"] == "alert" and not each.body["object"])
    return sorted({f"{body['camera']}: {body['kind']}" for body in own})


def lapped(bodies: Iterable[Mapping[str, Any]], pictures: Mapping[str, Mapping[str, str]]) -> list[KeptEvent]:
    """The events, by their newest messages, with the laps in which they began; `pictures` are by event."""
    bodies = list(bodies)
    cuts = _cuts(bodies)
    return [
        KeptEvent(
            body,
            lap=1 + bisect(cuts.get(body["camera"], []), body["start_time"]),
            pictures=pictures.get(body["id"], {}),
        )
        for body in bodies
    ]


def _cuts(bodies: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """By camera, the moments at which its clip began again."""
    found: dict[str, set[str]] = {}
    for body in bodies:
        if body["end_reason"] == EndReason.CLIP_RESTARTED:
            found.setdefault(body["camera"], set()).add(body["time"])
    return {camera: sorted(moments) for camera, moments in found.items()}


def count(camera: str, events: Iterable[KeptEvent]) -> Seen:
    """How many road users were told of this camera: in a whole lap of its clip, and altogether."""
    mine = [each for each in events if each.body["camera"] == camera]
    users = [(each.lap, str(each.label)) for each in mine if each.body["kind"] == "object"]
    laps = 1 + len(_cuts(each.body for each in mine).get(camera, ()))
    altogether = Counter(label for _, label in users)
    # The last lap was hardly ever played to its end, unless there is only one.
    by_lap = [Counter(label for lap, label in users if lap == n) for n in range(1, max(2, laps))]
    in_a_lap = {
        label: (min(each[label] for each in by_lap), max(each[label] for each in by_lap))
        for label in altogether
    }
    return Seen(camera, laps, altogether, in_a_lap)


def write_pictures(folder: Path, events: Iterable[KeptEvent]) -> dict[tuple[str, str], str]:
    """Copy each event's newest pictures out of the store to `pictures/`, under names for people.

    Returns their paths below the folder, by the event's id and the kind of picture.
    """
    out = folder / "pictures"
    shutil.rmtree(out, ignore_errors=True)
    state_dir = folder / "station"
    engine = engine_of(URL.create("sqlite", database=str(state_dir / "station.db")), writes=False)
    with closing(KeptPictures(engine, state_dir / BLOBS)) as kept:
        return dict(_copied(kept, events, folder, out))


def _copied(
    kept: KeptPictures, events: Iterable[KeptEvent], folder: Path, out: Path
) -> Iterator[tuple[tuple[str, str], str]]:
    for event in events:
        body = event.body
        what = "-".join(filter(None, (body["start_time"][11:23].replace(":", ""), body["kind"], event.label)))
        for kind, sha256 in event.pictures.items():
            path = out / body["camera"] / f"{what}-{body['id'][-6:]}-{kind}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = kept.read(sha256)
            if data is None:
                raise FileNotFoundError(f"the station lacks picture {sha256}")
            path.write_bytes(data)
            yield (body["id"], kind), path.relative_to(folder).as_posix()


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)
