"""A station that its province asks for footage: store, desk, and packages of a box that really recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from sqlalchemy import URL

from agent.wire.payloads import InfoPayload
from station.config import StationConfig, parse
from station.footage.folder import RequestFolder
from station.uplink.requests.answer import SentPiece
from station.uplink.requests.box_clips import BoxClips, clip_id
from station.uplink.requests.order import FootageArgs, ProvinceRequest, RequestKind, read_request
from tests.support.asked_requests import NOW, DrivenDesk, command, private, signed
from tests.support.brokers import until
from tests.support.footage import NOON_S
from tests.support.judged_packages import CAMERA, DEVICE, JudgedPackages
from tests.support.stores import Place
from tests.support.told_events import COMMUNE, born, status

FROM_S, TO_S = 3.0, 57.0
WANTED: dict[str, Any] = {
    "purpose": "tai nạn, tin báo 12/2026",
    "case_number": "12/2026",
    "device": DEVICE,
    "camera": CAMERA,
    "from_ms": round((NOON_S + FROM_S) * 1000),
    "to_ms": round((NOON_S + TO_S) * 1000),
}


@dataclass
class FootageStation:
    """Its folder is that of the packages; `port` is where its own broker is."""

    root: Path
    port: int = 1
    more: dict[str, Any] = field(default_factory=dict)
    """Further settings of `requests`."""

    def __post_init__(self) -> None:
        self.packages = JudgedPackages(self.root)
        self.folder = self.packages.state_dir
        self.place = Place(URL.create("sqlite", database=str(self.folder / "station.db")), self.folder)
        self.tell("online")
        self.driven = DrivenDesk(self.place, ("footage",), self.more, self.config)

    @property
    def config(self) -> StationConfig:
        """Its file."""
        text = f"commune: {COMMUNE}\nstate_dir: {self.folder}\nbroker: {{port: {self.port}}}\n"
        return parse(text.encode(), "station.yaml")

    @property
    def clips(self) -> BoxClips:
        """As the desk has them."""
        return BoxClips(self.config, self.place.engine)

    def tell(self, state: str) -> None:
        """The box says which cameras it has, and how it stands."""
        with closing(self.place.open()) as store:
            store.commit([born(DEVICE, "Ngã tư", {CAMERA: "Hướng Bắc"}, NOW), status(DEVICE, state, NOW)])

    def request(self, number: int = 1, **args: Any) -> ProvinceRequest:
        """A request as the station reads it; the same number, the same request."""
        key = private(self.driven.key)
        body = signed(command(number, NOW, **(WANTED | args)), RequestKind.FOOTAGE, key=key)
        return read_request("footage", body, False, "s01", COMMUNE, key.public_key())

    def ask(self, number: int = 1, **args: Any) -> None:
        """It comes, and the desk has its turn."""
        key = private(self.driven.key)
        body = signed(command(number, NOW, **(WANTED | args)), RequestKind.FOOTAGE, key=key)
        self.driven.hear(body, "footage")

    def here(self, number: int = 1, **words: str) -> RequestFolder:
        """The box was asked for it, and its package came and was judged."""
        return self.packages.here(clip_id(self.request(number)), FROM_S, TO_S, **words)

    def turn_until(self, condition: Callable[[], object], within_s: float = 60.0) -> None:
        """Turns of the desk, as the uplink's thread has them."""

        def turned() -> object:
            self.driven.turn()
            return condition()

        until(turned, within_s)

    def is_ended(self) -> bool:
        """The last answer has gone."""
        return self.driven.said()[-1][0] in ("done", "failed", "refused")

    def sent(self) -> bytes:
        """The file that went up, put together by the numbers of its pieces."""
        return joined(self.driven.pieces())

    def close(self) -> None:
        """Let go of everything."""
        self.driven.desk.close()
        self.packages.close()
        self.place.close()


def joined(pieces: list[SentPiece]) -> bytes:
    """A file out of its pieces, each once."""
    by_number = {each.number: each.data for each in pieces}
    return b"".join(by_number[number] for number in sorted(by_number))


def args_of(request: ProvinceRequest) -> FootageArgs:
    """What it asks for."""
    assert isinstance(request.args, FootageArgs)
    return request.args


@contextmanager
def hearing_box(port: int) -> Iterator[list[bytes]]:
    """The box at its station's broker: it has told its session, and keeps the orders as they come."""
    orders: list[bytes] = []
    ready = threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=DEVICE, protocol=paho.MQTTv5)
    client.on_message = lambda _client, _data, message: orders.append(bytes(message.payload))
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        client.subscribe(f"ngatu/v1/{COMMUNE}/{DEVICE}/command/clip", 1)
        assert ready.wait(10)
        cameras = [{"id": CAMERA, "name": CAMERA, "kind": "rtsp"}]
        info = InfoPayload.model_validate(
            {
                "commune": COMMUNE, "device": DEVICE, "session": "life-1", "time": NOW, "versions": {},
                "config_sha256": "ab" * 32, "cameras": cameras,
            }
        )  # fmt: skip
        topic = f"ngatu/v1/{COMMUNE}/{DEVICE}/info"
        client.publish(topic, info.model_dump_json(by_alias=True), 1, retain=True).wait_for_publish(10)
        yield orders
    finally:
        client.disconnect()
        client.loop_stop()
