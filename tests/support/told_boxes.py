"""What boxes tell of themselves, as a station reads it: for stores in which boxes stand in all ways."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import cv2
import numpy as np
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.wire.payloads import HealthPayload, rfc3339
from station.ingest.inbound import InboundMessage, read
from station.watch.embedded import Address

COMMUNE = "hai-ninh"


def at(now_s: float) -> str:
    """As the wire writes it."""
    return rfc3339(datetime.fromtimestamp(now_s, UTC))


@dataclass
class ToldBox:
    """One box; each method is a message as it comes to the station."""

    device: str
    now_s: float
    title: str | None = None
    cameras: dict[str, str] = field(default_factory=lambda: {"north": "Cổng chợ"})
    """Name in topics -> name for people."""
    session: str = "life-1"
    commune: str = COMMUNE

    def message(
        self, suffix: str, body: bytes | dict[str, Any], properties: dict[str, str] | None = None
    ) -> InboundMessage:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return read(f"ngatu/v1/{self.commune}/{self.device}/{suffix}", raw, properties or {})

    def status(self, state: str = "online", ago_s: float = 0.0, session: str | None = None) -> InboundMessage:
        said = {"state": state, "session": session or self.session, "time": at(self.now_s - ago_s)}
        return self.message("status", said)

    def info(self, **more: Any) -> InboundMessage:
        place = {"location": {"description": self.title}} if self.title else {}
        cameras = [{"id": name, "name": title, "kind": "rtsp"} for name, title in self.cameras.items()]
        said = {
            "commune": self.commune, "device": self.device, "session": self.session, "time": at(self.now_s),
            "versions": {"ngatu": "0.1.0"}, "config_sha256": "ab" * 32, "cameras": cameras,
            "model": {"name": "yolox-nano", "sha256": "cd" * 32},
        }  # fmt: skip
        return self.message("info", said | place | more)

    def health(self, ago_s: float = 0.0, **more: Any) -> InboundMessage:
        """A box that is well, but for what is told otherwise."""
        cameras = {
            name: {
                "state": "streaming",
                "fps_analysed": 4.8,
                "recording": {"state": "recording", "mode": "events"},
            }
            for name in self.cameras
        }
        said = {
            "session": self.session, "time": at(self.now_s - ago_s), "uptime_s": 86_000.0, "cpu_pct": 41.0,
            "cpu_temp_c": 58.4, "throttled": {}, "disk": {"free_bytes": 21_000_000_000}, "cameras": cameras,
            "clock": {"state": "ntp", "error_ms": 4, "boot_id": "b-1", "mono_ms": 1},
            "outbox": {"pending": 3, "oldest_s": 2.0, "bytes": 40_000},
            "mqtt": {"connected_s": 3600.0, "reconnects": 0, "refused": 0},
            "certificate_ends": at(self.now_s + 200 * 86_400),
        }  # fmt: skip
        HealthPayload.model_validate_json(json.dumps(said | more))
        return self.message("health", said | more)

    def camera(
        self, name: str = "north", state: str = "streaming", since_ago_s: float = 3600.0, **more: Any
    ) -> InboundMessage:
        said = {"state": state, "since": at(self.now_s - since_ago_s), "time": at(self.now_s)}
        return self.message(f"camera/{name}/status", said | more)

    def snapshot(self, name: str = "north", seq: int = 1, shade: int = 90) -> InboundMessage:
        data = street(shade)
        digest = sha256(data).hexdigest()
        user = {"seq": str(seq), "stream": "s-1", "sha256": digest, "event_id": f"order-{seq}", "camera": name}
        return self.message(f"camera/{name}/snapshot", data, user)

    def well(self) -> list[InboundMessage]:
        """All that a box says that is well."""
        return [self.status(), self.info(), self.health(), *(self.camera(name) for name in self.cameras)]


def street(shade: int = 90, size: tuple[int, int] = (640, 360)) -> bytes:
    """A JPEG that looks a little like a street."""
    width, height = size
    image = np.full((height, width, 3), shade + 60, np.uint8)
    image[height // 3 :] = (shade, shade, shade)
    cv2.line(image, (width // 2, height // 3), (width // 3, height), (230, 230, 230), 4)
    cv2.line(image, (width // 2, height // 3), (width * 2 // 3, height), (230, 230, 230), 4)
    cv2.rectangle(image, (width // 8, height // 6), (width // 3, height // 3), (70, 90, 140), -1)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def commune_of_every_kind(now_s: float) -> Iterable[InboundMessage]:
    """Boxes that stand in all ways: well, warm, busy, away, blind, doubled, silent, stopped."""
    yield from ToldBox("hn-01", now_s, "Ngã tư chợ Hải Ninh", {"north": "Cổng chợ", "south": "Bến xe"}).well()
    yield from ToldBox("hn-02", now_s, "Cầu Bến Đình", {"bridge": "Đầu cầu"}).well()
    warm = ToldBox("hn-03", now_s, "Trường tiểu học số 1", {"gate": "Cổng trường"})
    yield from warm.well()
    yield warm.health(cpu_temp_c=78.0, outbox={"pending": 5400, "oldest_s": 9000.0, "bytes": 9_000_000})
    blind = ToldBox("hn-04", now_s, "Ngã ba Đồng Tâm", {"east": "Hướng thị trấn", "west": "Hướng quốc lộ"})
    yield from blind.well()
    yield blind.camera("east", "blind", 1500.0, reason="covered")
    away = ToldBox("hn-05", now_s, "Nhà văn hóa thôn 4", {"yard": "Sân"})
    yield from away.well()
    yield away.status("offline")
    stopped = ToldBox("hn-06", now_s, "Kho xã", {"store": "Cửa kho"})
    yield from stopped.well()
    yield stopped.status("stopped")
    paused = ToldBox("hn-07", now_s, "Trạm y tế xã", {"door": "Cửa chính"})
    yield from paused.well()
    yield paused.camera("door", "disabled", 300.0, reason="paused by Lan (lan) until 2026-11-28T11:00:00.000Z")
    yield paused.health(degraded=["paused:door"])
    old = ToldBox("hn-08", now_s, "Bãi đỗ xe Hòa Bình", {"lot": "Lối vào"})
    yield from old.well()
    yield old.health(certificate_ends=at(now_s + 9 * 86_400), degraded=["under_voltage"])


def publish(address: Address, messages: Iterable[InboundMessage]) -> None:
    """Say all of it at a broker, as boxes do; what a picture needs beside it goes with it."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        for each in messages:
            properties = Properties(PacketTypes.PUBLISH)
            if each.image is not None:
                user = {
                    "seq": str(each.seq), "stream": each.stream or "", "sha256": each.image_sha256 or "",
                    "event_id": each.event_id or "", "camera": each.camera or "",
                }  # fmt: skip
                properties.UserProperty = list(user.items())
            topic = f"ngatu/v1/{each.commune}/{each.device}/{each.suffix}"
            client.publish(topic, each.raw, 1, False, properties).wait_for_publish(5)
    finally:
        client.disconnect()
        client.loop_stop()
