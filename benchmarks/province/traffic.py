"""What boxes and stations really send, as a plan: when, by which topic, which bytes. The model gets it, too.

An event is three messages: its start, its picture, its end seconds later; with figures and ids of their own
(tests/support/street_events.py). An alert goes up in envelopes of a few items.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from random import Random
from typing import Any

from agent.core.types import Instant
from agent.outbox.seals import SEAL_EVERY
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.message import Message, Priority, Stored
from agent.wire.topics import Topics
from benchmarks.province.intake_loop import Arrived
from station.uplink.envelope import Envelope, UpItem, pack
from station.uplink.settings import UP_ROOT
from tests.support.fake_box import an_event
from tests.support.street_events import street_events
from tests.support.told_events import COMMUNE

BOXES = 11
"""Of a commune in the mean: 42 cameras, four at a box."""
THUMBNAIL_BYTES = 12_000
"""A road user at 320 pixels, as the agent encodes it."""
LASTS_S = (0.6, 3.0)
"""Short ones: a run of some seconds has for the most part all three messages at once, as a long one has."""
SHARD = "s01"
HEAD_BYTES = 52
"""Of IPv4 and TCP with time stamps, for each segment."""
SEGMENT_BYTES = 1_448


@dataclass(frozen=True, slots=True)
class Sending:
    """One message of a plan."""

    due_s: float
    topic: str
    body: bytes
    user: tuple[tuple[str, str], ...]
    sender: int
    seq: int
    items: int
    timed: bool

    @property
    def size_bytes(self) -> int:
        """On the link: with topic, properties, and the heads of TCP's segments there and back."""
        packet = (
            len(self.topic) + len(self.body) + sum(len(name) + len(value) + 5 for name, value in self.user) + 10
        )
        return packet + HEAD_BYTES * (1 + ceil(packet / SEGMENT_BYTES))

    def arrived(self, at_s: float) -> Arrived:
        """The same to the model."""
        return Arrived(self.sender, len(self.body), self.items, at_s, self.due_s, self.timed)


def commune_plan(moments: Sequence[float], seed: int, boxes: int = BOXES) -> list[Sending]:
    """The messages of events that begin at these moments, in the order of sending."""
    chance = Random(seed)
    stream, thumbnail = f"s-{seed}", _thumbnail(chance)
    now = Instant(time.monotonic(), time.time())
    street = street_events(
        len(moments), round(now.wall_s * 1000) - 60_000, alerts=False, seed=seed, boxes=boxes
    )
    drafts: list[tuple[float, str, str, bytes, str, str]] = []
    for moment_s, start in zip(moments, street, strict=False):
        end, jpeg = next(street), thumbnail(start.raw)
        document = json.loads(start.raw)
        event_id, suffix = document["id"], f"camera/{document['camera']}"
        image = f"{suffix}/image/{event_id}/thumbnail"
        said = {"image": _said(image, jpeg), "scene": None, "camera": document["camera"]}
        drafts.append((moment_s, start.device, f"{suffix}/event", _body(start.raw, said), codec.JSON, event_id))
        drafts.append((moment_s, start.device, image, jpeg, codec.JPEG, event_id))
        ends_s = moment_s + chance.uniform(*LASTS_S)
        drafts.append((ends_s, end.device, f"{suffix}/event", _body(end.raw, said), codec.JSON, event_id))
    drafts.sort(key=lambda each: each[0])
    names = sorted({each[1] for each in drafts})
    seqs = dict.fromkeys(names, 0)
    plan = []
    starts = set[str]()
    for due_s, device, suffix, body, kind, event_id in drafts:
        seqs[device] += 1
        message = Message(suffix, body, kind, Priority.EVENT, now, event_id)
        stored = Stored(seqs[device], message, sha256(body).hexdigest(), now)
        topic, user = Topics(COMMUNE, device).below(suffix), tuple(codec.properties(stored, stream).items())
        timed = kind == codec.JSON and event_id not in starts
        starts.add(event_id)
        whole = codec.finish(stored, stream, now)
        plan.append(Sending(due_s, topic, whole, user, names.index(device), seqs[device], 1, timed))
    return plan


def uplink_plan(moments: Sequence[float], seed: int, communes: int, items: int) -> list[Sending]:
    """Envelopes of so many items each, of so many communes by chance, at these moments."""
    chance = Random(seed)
    at_ms = round(time.time() * 1000) - 60_000
    street = list(street_events(len(moments) * items // 2 + 1, at_ms, alerts=True, seed=seed, boxes=BOXES))
    seqs = [0] * communes
    plan = []
    for number, moment_s in enumerate(moments):
        commune = chance.randrange(communes)
        seqs[commune] += 1
        name = f"xa-{commune:03d}"
        part = street[number * items : (number + 1) * items]
        raws = tuple(UpItem("event", each.device, _of_commune(each.raw, name)) for each in part)
        body = pack(Envelope(name, at_ms, raws))
        user = (("stream", f"u-{seed}"), ("seq", str(seqs[commune])))
        topic = f"{UP_ROOT}/{SHARD}/{name}/envelope"
        plan.append(Sending(moment_s, topic, body, user, commune, seqs[commune], items, timed=True))
    return plan


def seal_plan(envelopes: int, seals: int, seed: int, communes: int, over: int = SEAL_EVERY) -> list[Sending]:
    """Envelopes of seals, each over so many messages; a busy box puts SEAL_EVERY into one."""
    chance = Random(seed)
    at_ms = round(time.time() * 1000) - 60_000
    plan = []
    for number in range(envelopes):
        commune, seq = number % communes, number // communes + 1
        name = f"xa-{commune:03d}"
        raws = tuple(_seal(chance, number * seals + each + 1, over) for each in range(seals))
        body = pack(Envelope(name, at_ms, raws))
        user = (("stream", f"seals-{seed}"), ("seq", str(seq)))
        topic = f"{UP_ROOT}/{SHARD}/{name}/envelope"
        plan.append(Sending(0.0, topic, body, user, commune, seq, seals, timed=True))
    return plan


def _seal(chance: Random, number: int, over: int) -> UpItem:
    """As it lies in the outbox of a box, with its place."""
    now = Instant(time.monotonic(), time.time())
    entries = [(number * SEAL_EVERY + each, f"{chance.getrandbits(256):064x}") for each in range(over)]
    body = codec.seal("s-1", number, ("s-1", number, f"{chance.getrandbits(256):064x}"), entries, (), now)
    stored = Stored(number, codec.message(MessageKind.CHAIN, body, now), sha256(body).hexdigest(), now)
    return UpItem(
        "seal", f"hai-ninh-{chance.randrange(BOXES):02d}", codec.finish(stored, f"s-{chance.random()}", now)
    )


def _thumbnail(chance: Random) -> Callable[[bytes], bytes]:
    """A maker of pictures as the agent encodes them, each another; most of their bytes are by chance."""
    sender = Sender(COMMUNE, "north-01", "north", "b-1", "yolox", "a" * 64)
    whole = next(
        each.body
        for each in event_messages(an_event(0, picture=True), sender)
        if each.content_type == codec.JPEG
    )
    noise = chance.randbytes(THUMBNAIL_BYTES - len(whole) - 32).replace(b"\xff", b"\x00")

    def of(raw: bytes) -> bytes:
        return whole[:-2] + sha256(raw).digest().replace(b"\xff", b"\x00") + noise + whole[-2:]

    return of


def _said(topic: str, jpeg: bytes) -> dict[str, Any]:
    digest = sha256(jpeg).hexdigest()
    return {"topic": topic, "sha256": digest, "width_px": 320, "height_px": 180, "bytes": len(jpeg)}


def _body(raw: bytes, said: dict[str, Any]) -> bytes:
    """An event as it lies in the outbox: without what is put in when it is sent."""
    document = json.loads(raw) | said
    for name in ("seq", "stream", "published_at", "replayed"):
        document.pop(name)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _of_commune(raw: bytes, commune: str) -> bytes:
    return json.dumps(
        json.loads(raw) | {"commune": commune}, separators=(",", ":"), ensure_ascii=False
    ).encode()
