"""Boxes as devices of Home Assistant, by the device form of its MQTT discovery.

Source: Home Assistant's documentation of the MQTT integration. A box is a device; its cameras, and each rule of
them, are entities of it. They are called what the screen calls them; what a topic or an id may not hold is left
out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from agent.core.types import EventKind, Phase
from agent.settings.base import NAME_PATTERN
from agent.transport.client import Will
from agent.wire.payloads import CameraInfo, EventPayload, InfoPayload, rfc3339
from station.lookup.places import BoxPlace
from station.outward.boxes_now import BoxNow
from station.outward.convention import MOST_KEPT_BYTES, Beside, OutMessage, as_json
from station.outward.feed import OutEvent
from station.outward.settings import HomeAssistantSettings

ON, OFF = b"ON", b"OFF"
DEVICE_CLASS: Final = {"motion": "motion", "zone": "occupancy", "loitering": "occupancy", "crowd": "occupancy"}
"""Of a rule's sensor, by the kind of the rule; others have none."""
_KINDS: Final = [str(kind) for kind in EventKind]
_NAME: Final = re.compile(NAME_PATTERN)


class HomeAssistantConvention:
    """`DISCOVERY/device/COMMUNE/BOX/config`, and states below `PREFIX`."""

    name = "home-assistant"

    def __init__(self, settings: HomeAssistantSettings) -> None:
        self._settings = settings
        self._announced: dict[str, dict[str, str]] = {}
        """Topic of a device -> its entities and their platforms, so that one that is gone can be taken back."""

    @property
    def will(self) -> Will:
        """All its entities are unavailable when the station is gone."""
        return Will(f"{self._settings.prefix}/status", b"offline")

    def greeting(self) -> Iterable[OutMessage]:
        """At each connection."""
        yield OutMessage(f"{self._settings.prefix}/status", b"online", retained=True)

    def states(self, boxes: Sequence[BoxNow]) -> Iterable[OutMessage]:
        """Devices, whether they are there, and how they do."""
        for box in boxes:
            if box.info is None:
                continue  # nobody knows yet what it is
            yield from self._device(box, box.info)
            place = self._place(box.commune, box.device)
            online = box.state == "online"
            yield OutMessage(f"{place}/status", b"online" if online else b"offline", retained=True)
            yield OutMessage(f"{place}/state", as_json(_health(box)), retained=True)
            for camera in _cameras(box.info):
                blind = box.cameras.get(camera.id) not in ("streaming", "disabled", None)
                yield OutMessage(f"{place}/{camera.id}/blind", ON if blind else OFF, retained=True)
                for rule in _rules(camera):
                    on = (camera.id, rule) in box.open_rules
                    yield OutMessage(f"{place}/{camera.id}/rule/{rule}", ON if on else OFF, retained=True)

    def event(self, out: OutEvent, beside: Beside) -> Iterable[OutMessage]:
        """The event itself once, and its rule's sensor on and off."""
        payload = out.payload
        place = f"{self._place(payload.commune, payload.device)}/{payload.camera}"
        if out.before is None:
            yield OutMessage(f"{place}/event", as_json(_event(payload)))
        if _NAME.fullmatch(payload.rule.id):
            rule = f"{place}/rule/{payload.rule.id}"
            over = payload.phase is Phase.END
            if out.before is None:
                yield OutMessage(rule, ON, retained=True)
            if over and not beside.others_open:
                yield OutMessage(rule, OFF, retained=True)

    def picture(self, out: OutEvent, jpeg: bytes) -> Iterable[OutMessage]:
        """For whoever looks now: the broker keeps none."""
        payload = out.payload
        yield OutMessage(f"{self._place(payload.commune, payload.device)}/{payload.camera}/picture", jpeg)

    @property
    def wants_pictures(self) -> bool:
        """As configured."""
        return self._settings.pictures

    def _place(self, commune: str, device: str) -> str:
        return f"{self._settings.prefix}/{commune}/{device}"

    def _device(self, box: BoxNow, info: InfoPayload) -> Iterator[OutMessage]:
        """Its announcement; where entities are gone, first one that takes them back."""
        topic = f"{self._settings.discovery}/device/{box.commune}/{box.device}/config"
        entities = dict(self._entities(box, info))
        body = as_json(self._config(box, info, entities))
        if len(body) > MOST_KEPT_BYTES:  # without rules of the last cameras: what is left is right
            entities = self._as_many_as_fit(box, info, entities)
            body = as_json(self._config(box, info, entities))
        platforms = {key: str(entity["p"]) for key, entity in entities.items()}
        gone = {
            key: {"p": platform}
            for key, platform in self._announced.get(topic, {}).items()
            if key not in platforms
        }
        if gone:
            yield OutMessage(topic, as_json(self._config(box, info, {**entities, **gone})), retained=True)
        self._announced[topic] = platforms
        yield OutMessage(topic, body, retained=True)

    def _as_many_as_fit(self, box: BoxNow, info: InfoPayload, entities: dict[str, Any]) -> dict[str, Any]:
        """The first entities, as many as the broker keeps; a box may claim thousands, so they are halved."""

        def size(count: int) -> int:
            return len(as_json(self._config(box, info, dict(islice(entities.items(), count)))))

        fits = bisect_right(range(len(entities)), MOST_KEPT_BYTES, key=size) - 1
        return dict(islice(entities.items(), max(0, fits)))

    def _config(self, box: BoxNow, info: InfoPayload, entities: dict[str, Any]) -> dict[str, Any]:
        version = info.versions.get("agent") or info.versions.get("ngatu")
        device = {"ids": [_id(box)], "name": box.place.title, "mf": "ngatu", "sn": box.device}
        device |= {"mdl": info.role} if info.role else {}
        device |= {"sw": version} if version else {}
        there = [
            {"topic": f"{self._settings.prefix}/status"},
            {"topic": f"{self._place(box.commune, box.device)}/status"},
        ]
        return {
            "dev": device,
            "o": {"name": "ngatu station"},
            "cmps": entities,
            "availability": there,
            "availability_mode": "all",
            "state_topic": f"{self._place(box.commune, box.device)}/state",
            "qos": 1,
        }

    def _entities(self, box: BoxNow, info: InfoPayload) -> Iterator[tuple[str, dict[str, Any]]]:
        place, own = self._place(box.commune, box.device), _id(box)
        yield (
            "online",
            {
                "p": "binary_sensor",
                "unique_id": f"{own}_online",
                "device_class": "connectivity",
                "entity_category": "diagnostic",
                "value_template": "{{ value_json.online }}",
                "availability": [
                    {"topic": f"{self._settings.prefix}/status"}
                ],  # it says so when the box is not there
            },
        )
        yield (
            "temperature",
            {
                "p": "sensor",
                "unique_id": f"{own}_temperature",
                "device_class": "temperature",
                "unit_of_measurement": "°C",
                "state_class": "measurement",
                "entity_category": "diagnostic",
                "value_template": "{{ value_json.temperature }}",
            },
        )
        yield (
            "waiting",
            {
                "p": "sensor",
                "unique_id": f"{own}_waiting",
                "name": "Messages waiting",
                "state_class": "measurement",
                "entity_category": "diagnostic",
                "value_template": "{{ value_json.waiting }}",
            },
        )
        for camera in _cameras(info):
            yield from self._of_camera(camera, box.place, place, own)
        for camera in _cameras(info):
            yield from self._of_rules(camera, box.place, place, own)

    def _of_camera(
        self, camera: CameraInfo, called: BoxPlace, place: str, own: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        title, own = called.camera_title(camera.id), f"{own}_{camera.id}"
        yield (
            f"{camera.id}_blind",
            {
                "p": "binary_sensor",
                "unique_id": f"{own}_blind",
                "name": f"{title}: no picture",
                "device_class": "problem",
                "entity_category": "diagnostic",
                "state_topic": f"{place}/{camera.id}/blind",
            },
        )
        yield (
            f"{camera.id}_event",
            {
                "p": "event",
                "unique_id": f"{own}_event",
                "name": f"{title}: event",
                "event_types": _KINDS,
                "state_topic": f"{place}/{camera.id}/event",
            },
        )
        if self._settings.pictures:
            yield (
                f"{camera.id}_picture",
                {
                    "p": "image",
                    "unique_id": f"{own}_picture",
                    "name": f"{title}: picture",
                    "content_type": "image/jpeg",
                    "image_topic": f"{place}/{camera.id}/picture",
                },
            )

    def _of_rules(
        self, camera: CameraInfo, called: BoxPlace, place: str, own: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        title, kinds = called.camera_title(camera.id), {rule.id: rule.kind for rule in camera.rules}
        for rule in _rules(camera):
            entity = {
                "p": "binary_sensor",
                "unique_id": f"{own}_{camera.id}_rule_{rule}",
                "name": f"{title}: {called.rule_title(camera.id, rule)}",
                "state_topic": f"{place}/{camera.id}/rule/{rule}",
            }
            meaning = DEVICE_CLASS.get(kinds[rule])
            yield f"{camera.id}_rule_{rule}", entity | ({"device_class": meaning} if meaning else {})


def _id(box: BoxNow) -> str:
    return f"ngatu_{box.commune}_{box.device}"


def _cameras(info: InfoPayload) -> Sequence[CameraInfo]:
    return [each for each in info.cameras if _NAME.fullmatch(each.id)]


def _rules(camera: CameraInfo) -> list[str]:
    return list(dict.fromkeys(rule.id for rule in camera.rules if _NAME.fullmatch(rule.id)))


def _health(box: BoxNow) -> dict[str, Any]:
    health = box.health
    return {
        "online": "ON" if box.state == "online" else "OFF",
        "temperature": health.cpu_temp_c if health is not None else None,
        "waiting": health.outbox.pending if health is not None and health.outbox is not None else None,
    }


def _event(payload: EventPayload) -> dict[str, Any]:
    seen = payload.object
    return {
        "event_type": str(payload.kind),
        "severity": str(payload.severity),
        "rule": payload.rule.id,
        "direction": payload.direction,
        "label": seen.label if seen is not None else None,
        "riders": seen.riders if seen is not None else None,
        "time": rfc3339(payload.time),
        "id": payload.id,
    }
