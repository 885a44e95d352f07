"""Events as boxes really send them: those that known clips give, of many boxes of a commune, with their ids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from agent.wire.payloads import rfc3339
from station.ingest.inbound import InboundMessage, read
from tests.support.told_events import COMMUNE

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "expected"
CLIPS = ("road", "lens", "square")


def street_events(
    number: int, at_ms: int, *, alerts: bool, seed: int = 1, boxes: int = 8
) -> Iterator[InboundMessage]:
    """So many events, each its start and its end, one after the other in seconds; alerts, or info.

    What a clip's expectation leaves out stands in: hashes of pictures, ids and numbers of a box, at random.
    """
    chance = Random(seed)
    ends = [each for clip in CLIPS for each in _ends(clip)]
    names = [f"hai-ninh-{box:02d}" for box in range(1, boxes + 1)]
    streams = {name: _uuid(chance, at_ms) for name in names}
    boots = {name: str(UUID(int=chance.getrandbits(128))) for name in names}
    seqs = dict.fromkeys(names, 0)
    for index in range(number):
        box, moment = chance.choice(names), at_ms + index * 1_700 + chance.randrange(1_000)
        event_id = _uuid(chance, moment)
        for revision, lasts_ms in ((1, 0), (2, chance.randrange(600, 9_000))):
            seqs[box] += 1
            document = _another(chance.choice(ends), moment, chance) | {
                "commune": COMMUNE, "device": box, "camera": f"cong-{chance.choice(('bac', 'nam'))}",
                "id": event_id, "revision": revision, "phase": ("start", "end")[revision - 1],
                "severity": "alert" if alerts else "info", "time": _at(moment + lasts_ms),
                "start_time": _at(moment),
                "clock": {"state": "ntp", "error_ms": chance.randrange(9), "boot_id": boots[box],
                          "mono_ms": moment % 10**9},
            }  # fmt: skip
            yield _message(document, box, seqs[box], streams[box], moment + lasts_ms, chance)


def _message(
    document: dict[str, Any], box: str, seq: int, stream: str, at_ms: int, chance: Random
) -> InboundMessage:
    for name in ("image", "scene"):
        if document.get(name):
            picture = {"sha256": f"{chance.getrandbits(256):064x}", "bytes": chance.randrange(3_000, 20_000)}
            topic = (
                f"camera/{document['camera']}/image/{document['id']}/{'thumbnail' if name == 'image' else name}"
            )
            document[name] = document[name] | picture | {"topic": topic}
    head = {"seq": seq, "stream": stream, "published_at": _at(at_ms + 40), "replayed": False}
    raw = json.dumps(head | document, separators=(",", ":"), ensure_ascii=False).encode()
    message = read(f"ngatu/v1/{COMMUNE}/{box}/camera/{document['camera']}/event", raw, {})
    assert message.problem is None, message.problem
    return message


def _another(document: dict[str, Any], at_ms: int, chance: Random) -> dict[str, Any]:
    """A road user on another way at another time: no two events share their figures."""
    aside, along = chance.uniform(-0.2, 0.2), chance.uniform(-0.2, 0.2)
    path = [
        [when, _inside(x + aside + chance.gauss(0, 0.004)), _inside(y + along + chance.gauss(0, 0.004))]
        for when, x, y in document["object"]["path"]
    ]
    seen = document["object"] | {
        "track_id": _uuid(chance, at_ms), "path": path, "score": round(chance.uniform(0.3, 0.95), 3),
        "top_score": round(chance.uniform(0.6, 0.97), 3), "start_time": _at(at_ms - 400),
        "box": {name: _inside(chance.random()) for name in document["object"]["box"]},
    }  # fmt: skip
    for name in ("vehicle_colour", "clothes_colour"):
        if seen.get(name):
            seen[name] = seen[name] | {"confidence": round(chance.random(), 2)}
    return document | {"object": seen}


def _inside(share: float) -> float:
    return round(min(1.0, max(0.0, share)), 3)


def _ends(clip: str) -> Iterator[dict[str, Any]]:
    lines = (GOLDEN / f"{clip}.events.jsonl").read_text(encoding="utf-8").splitlines()
    documents = [json.loads(line) for line in lines]
    return (each for each in documents if each.get("phase") == "end" and each.get("object"))


def _uuid(chance: Random, at_ms: int) -> str:
    return str(
        UUID(int=at_ms << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62))
    )


def _at(at_ms: int) -> str:
    return rfc3339(datetime.fromtimestamp(at_ms / 1000, UTC))
