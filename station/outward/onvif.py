"""Events in the JSON of ONVIF's event service over MQTT (`onvif-ej`). Pure.

Source: ONVIF Core Specification, "Event broker"; ONVIF Video Analytics Service Specification, annexes on rules
and on tampering. A topic is TopicPrefix/onvif-ej/TOPIC/&SOURCE/SOURCE; a payload holds UtcTime, Source and
Data. Properties are retained; one that ends for good is taken back by an empty payload. What ONVIF has no topic
for stands under our own word `ngatu`. Kinds whose ONVIF topic asks for what a box does not tell are left out.

A video source is BOX.CAMERA, the analytics are the BOX.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from agent.core.types import EventKind, Phase
from agent.transport.client import Will
from agent.wire.payloads import EventPayload, rfc3339
from station.outward.boxes_now import BoxNow
from station.outward.convention import Beside, OutMessage, as_json, level
from station.outward.feed import OutEvent
from station.outward.settings import OnvifSettings

Said = tuple[str, dict[str, str], dict[str, Any] | None, bool]
"""Topic, source, data and whether it is a property; data None: the property is over."""
TAMPER: Final[Mapping[str, str]] = {
    "moved": "VideoSource/GlobalSceneChange",
    "covered": "VideoSource/GlobalSceneChange",
    "dark": "VideoSource/ImageTooDark",
    "bright": "VideoSource/ImageTooBright",
    "blurred": "VideoSource/ImageTooBlurry",
    "frozen": "VideoSource/ngatu/ImageFrozen",
}
"""By the word for why a camera cannot see."""


class OnvifConvention:
    """`PREFIX/onvif-ej/…`."""

    name = "onvif"
    wants_pictures = False
    will: Will | None = None

    def __init__(self, settings: OnvifSettings) -> None:
        self._prefix = settings.prefix

    def greeting(self) -> Iterable[OutMessage]:
        """It has none."""
        return ()

    def states(self, _boxes: Sequence[BoxNow]) -> Iterable[OutMessage]:
        """It has none."""
        return ()

    def picture(self, _out: OutEvent, _jpeg: bytes) -> Iterable[OutMessage]:
        """It shows none."""
        return ()

    def event(self, out: OutEvent, beside: Beside) -> Iterable[OutMessage]:
        """What ONVIF has a topic for."""
        payload = out.payload
        say = _SAYS.get(str(payload.kind))
        said = say(payload, out.before is None) if say is not None else None
        if said is None:
            return
        name, source, data, is_property = said
        topic = f"{self._prefix}/onvif-ej/{name}/&{'/'.join(map(level, source.values()))}"
        if data is None:
            if not beside.others_open:
                yield OutMessage(topic, b"", retained=True)
            return
        over = payload.phase is Phase.END
        body = {"UtcTime": rfc3339(payload.time), "Source": source, "Data": data}
        # While others go on, the property as it is kept is that of one of them.
        yield OutMessage(topic, as_json(body), retained=is_property and not (over and beside.others_open))


def _rule(payload: EventPayload) -> dict[str, str]:
    return {
        "VideoSourceConfigurationToken": f"{payload.device}.{payload.camera}",
        "VideoAnalyticsConfigurationToken": payload.device,
        "Rule": payload.rule.id,
    }


def _video(payload: EventPayload) -> dict[str, str]:
    return {"Source": f"{payload.device}.{payload.camera}"}


def _object(payload: EventPayload) -> dict[str, Any]:
    return {"ObjectId": payload.object.track_id} if payload.object is not None else {}


def _crossed(payload: EventPayload, first: bool) -> Said | None:
    if not first:
        return None
    return "RuleEngine/LineDetector/Crossed", _rule(payload), _object(payload), False


def _inside(payload: EventPayload, first: bool) -> Said | None:
    over = payload.phase is Phase.END
    if not (first or over):
        return None
    data = {**_object(payload), "IsInside": not over}
    return "RuleEngine/FieldDetector/ObjectsInside", _rule(payload), data, True


def _loiters(payload: EventPayload, _first: bool) -> Said:
    since = {"Since": rfc3339(payload.start_time), "TimeStamp": rfc3339(payload.time)}
    data = None if payload.phase is Phase.END else {**_object(payload), **since}
    return "RuleEngine/LoiteringDetector/ObjectIsLoitering", _rule(payload), data, True


def _track(payload: EventPayload, _first: bool) -> Said:
    over = payload.phase is Phase.END
    data = {**_object(payload), "AggregationStart": rfc3339(payload.start_time), "Final": over}
    return "RuleEngine/ObjectTrack/Aggregation", _rule(payload), data, False


def _state(topic: str, source: Callable[[EventPayload], dict[str, str]], word: str = "State") -> Any:
    """A property that is true from the start of an event to its end."""

    def say(payload: EventPayload, first: bool) -> Said | None:
        over = payload.phase is Phase.END
        if not (first or over):
            return None
        return topic, source(payload), {**_object(payload), word: not over}, True

    return say


def _blind(payload: EventPayload, first: bool) -> Said | None:
    topic = TAMPER.get(payload.detail or "")
    said: Said | None = _state(topic, _video)(payload, first) if topic is not None else None
    return said


def _device(payload: EventPayload) -> dict[str, str]:
    return {"Token": payload.device}


_SAYS: Final[Mapping[str, Callable[[EventPayload, bool], Said | None]]] = {
    EventKind.LINE_CROSSED: _crossed,
    EventKind.ZONE_ENTERED: _inside,
    EventKind.LOITERING: _loiters,
    EventKind.OBJECT: _track,
    EventKind.MOTION: _state(EventKind.MOTION.onvif, _rule),
    EventKind.STOPPED_VEHICLE: _state(EventKind.STOPPED_VEHICLE.onvif, _rule),
    EventKind.WRONG_WAY: _state(EventKind.WRONG_WAY.onvif, _rule),
    EventKind.CROWD: _state(EventKind.CROWD.onvif, _rule),
    EventKind.OBJECT_LEFT: _state(EventKind.OBJECT_LEFT.onvif, _rule),
    EventKind.CAMERA_LOST: _state(EventKind.CAMERA_LOST.onvif, _video),
    EventKind.CAMERA_BLIND: _blind,
    EventKind.STORAGE_FULL: _state(EventKind.STORAGE_FULL.onvif, _device, "Failed"),
    EventKind.STORAGE_RAM_ONLY: _state(EventKind.STORAGE_RAM_ONLY.onvif, _device, "Failed"),
    EventKind.STORAGE_CORRUPT: _state(EventKind.STORAGE_CORRUPT.onvif, _device, "Failed"),
    EventKind.OVERHEATED: _state(EventKind.OVERHEATED.onvif, _device),
}
