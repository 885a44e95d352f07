"""Made-up events with drawn pictures: road users of the simulated junction, seen where they really are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import cv2
import numpy as np

from agent.core.types import Image
from agent.wire.payloads import rfc3339
from benchmarks.scenes.render import ground, still
from benchmarks.scenes.sensor import Sight, look
from benchmarks.scenes.traffic import STEP_S, Traffic
from station.ingest.inbound import InboundMessage
from tests.support.told_events import event_at, picture_of

FRAME = {"width_px": 1280, "height_px": 720}
KINDS = {
    "line_crossed": ("vach-dung", "line"), "zone_entered": ("lan-trai", "zone"),
    "stopped_vehicle": ("cam-dung", "stopped_vehicle"), "wrong_way": ("nguoc-chieu", "wrong_way"),
    "loitering": ("quanh-quan", "loitering"),
}  # fmt: skip
"""Kind -> id and kind of its rule."""
ALERTS = ("wrong_way", "loitering")
_LOOKS_BACK = 40


@dataclass(frozen=True)
class DrawnSight:
    """One road user with its pictures."""

    sight: Sight
    path: list[list[float]]
    scene: bytes
    thumbnail: bytes


def drawn_sights(seed: int, number: int, warm_s: float = 25.0, around: float = 0.35) -> Iterator[DrawnSight]:
    """So many of them, one every second or so; thumbnails show so much around them, by their longer side."""
    traffic, rng, chance = Traffic(seed), np.random.default_rng(seed), Random(seed)
    empty, feet = ground(), defaultdict[int, list[tuple[float, float]]](list)
    step = 0
    while number:
        sights = look(traffic.step())
        step += 1
        for each in sights:
            left, _, right, bottom = map(float, each.row)
            feet[each.user.name].append(((left + right) / 2, min(1.0, bottom)))
        fine = [each for each in sights if each.clear > 0.9 and len(feet[each.user.name]) > 15]
        fine = [each for each in fine if each.row[3] - each.row[1] > 0.06]
        if step * STEP_S < warm_s or step % 13 or not fine:
            continue
        chosen = chance.choice(fine)
        points = feet[chosen.user.name][-_LOOKS_BACK:][::2]
        path = [[round(n * 2 * STEP_S, 2), round(x, 4), round(y, 4)] for n, (x, y) in enumerate(points)]
        picture = still(empty, sights, rng)
        yield DrawnSight(chosen, path, _jpeg(picture, 960), _jpeg(_close(picture, chosen, around), 320))
        number -= 1


def junction_events(
    seed: int,
    moments: Sequence[datetime],
    *,
    box: str,
    camera: str,
    first: int,
    seq: Iterator[int],
    around: float = 0.35,
) -> Iterator[InboundMessage]:
    """Events of a camera with their pictures, one at each moment; `seq` numbers the messages of its box.

    The first is called e-FIRST; those of one box need different ones.
    """
    chance = Random(seed)
    drawn = drawn_sights(seed, len(moments), around=around)
    for index, (at, each) in enumerate(zip(moments, drawn, strict=True)):
        kind = chance.choices(list(KINDS), (0.45, 0.3, 0.1, 0.09, 0.06))[0]
        name, numbers = first + index, [next(seq) for _ in range(4 if kind in ALERTS else 3)]
        made = [picture_of(each.thumbnail, name, numbers[2], box=box, camera=camera)]
        fields: dict[str, Any] = {"image": made[0][0]}
        if kind in ALERTS:
            made.append(picture_of(each.scene, name, numbers[3], kind="scene", box=box, camera=camera))
            fields["scene"] = made[1][0]
        lasts_s = chance.uniform(0.6, 9.0)
        began = _event(name, at, each, kind, box, camera, numbers[0], 1, None, severity="info", **fields)
        ended = _event(name, at, each, kind, box, camera, numbers[1], 2, lasts_s, severity="info")
        yield from (began, ended, *(message for _, message in made))


def _event(
    number: int, at: datetime, each: DrawnSight, kind: str, box: str, camera: str, seq: int, revision: int,
    lasts_s: float | None, **fields: Any,
) -> InboundMessage:  # fmt: skip
    user = each.sight.user
    left, top, right, bottom = (min(1.0, max(0.0, float(value))) for value in each.sight.row)
    seen = {
        "track_id": f"t-{box}-{number}", "label": user.label, "score": 0.81, "top_score": 0.93,
        "riders": user.riders, "box": {"left": left, "top": top, "right": right, "bottom": bottom},
        "start_time": rfc3339(at - timedelta(seconds=2)), "path": each.path,
        "entered_zones": ["lan-trai"] if kind == "zone_entered" else [],
    }  # fmt: skip
    rule, rule_kind = KINDS[kind]
    direction = ("in" if number % 2 else "out") if kind == "line_crossed" else None
    more = {"severity": "alert"} if kind in ALERTS else {}
    return event_at(
        number, at, box=box, camera=camera, seq=seq, revision=revision, lasts_s=lasts_s, kind=kind,
        rule={"id": rule, "kind": rule_kind}, object=seen, direction=direction, frame=FRAME,
        model={"name": "yolox-nano-416", "sha256": "ab" * 32}, **(fields | more),
    )  # fmt: skip


def _close(picture: Image, sight: Sight, around: float) -> Image:
    """The road user, and so much of its longer side around it."""
    high, wide = picture.shape[:2]
    left, top, right, bottom = sight.row * np.array([wide, high, wide, high])
    more = around * max(right - left, bottom - top)
    x1, y1, x2, y2 = (round(float(v)) for v in (left - more, top - more, right + more, bottom + more))
    part: Image = picture[max(0, y1) : min(high, y2), max(0, x1) : min(wide, x2)]
    return part


def _jpeg(picture: Image, width: int) -> bytes:
    high, wide = picture.shape[:2]
    size = (width, max(1, round(high * width / wide)))
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if wide > width else cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
