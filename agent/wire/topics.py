"""Topics: made of the channels, taken apart into them, and gathered to what is subscribed to and permitted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

from agent.errors import WireError
from agent.settings.base import NAME_IN_WORDS
from agent.translatable import tr
from agent.wire.channels import CHANNEL, CHANNELS, PARAMETERS, MessageKind, Side

ROOT: Final = "ngatu/v1"
STATION: Final = "station"
"""Stands where a device stands, in the topic of the station's own status."""

_NAME = re.compile(PARAMETERS["device"].pattern)
_LEVELS = re.compile(r"[^/+#\x00]+(?:/[^/+#\x00]+)*")
_IN_BRACES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one box.

    Raises:
        WireError: an id is not 2 to 32 of a-z, 0-9 and '-', is the reserved word 'station', or the root holds a
            wildcard.
    """

    commune: str
    device: str
    root: str = ROOT

    def __post_init__(self) -> None:
        for what, name in (("commune", self.commune), ("device", self.device)):
            if not _NAME.fullmatch(name) or name == STATION:
                raise WireError(
                    tr("{what} {name} cannot stand in a topic", what=what, name=repr(name)),
                    tr("use {allowed}, not 'station'", allowed=NAME_IN_WORDS),
                )
        if not _LEVELS.fullmatch(self.root):
            raise WireError(
                tr("root {root} cannot begin a topic", root=repr(self.root)), tr("use levels such as ngatu/v1")
            )

    def below(self, suffix: str) -> str:
        """The full topic of something below the device."""
        return f"{self.root}/{self.commune}/{self.device}/{suffix}"

    def of(self, channel: MessageKind, /, **names: str) -> str:
        """The full topic of a kind of message, its commune's station's own included."""
        if channel is MessageKind.STATION_STATUS:
            return station_status_topic(self.commune, self.root)
        return self.below(suffix(channel, **names))

    def read(self, sender: Side, topic: str) -> tuple[MessageKind, dict[str, str]]:
        """What comes from that side by a full topic, as `read` tells it; what is not of this box is UNKNOWN."""
        if topic == self.of(MessageKind.STATION_STATUS):
            return MessageKind.STATION_STATUS, {}
        base = self.below("")
        return read(sender, topic[len(base) :]) if topic.startswith(base) else (MessageKind.UNKNOWN, {})

    def subscriptions(self) -> tuple[str, ...]:
        """What a box listens to."""
        own = (self.below(each) for each in subscriptions("station"))
        return *own, self.of(MessageKind.STATION_STATUS)


def station_status_topic(commune: str, root: str = ROOT) -> str:
    """Where the commune's station says whether it gives receipts."""
    return f"{root}/{commune}/{STATION}/{CHANNEL[MessageKind.STATION_STATUS].topic}"


def suffix(channel: MessageKind, /, **names: str) -> str:
    """The topic below the device: `suffix(MessageKind.EVENT, camera="north")` is camera/north/event."""
    return CHANNEL[channel].topic.format_map(names)


def split(topic: str, root: str = ROOT) -> tuple[str, str, str]:
    """Commune, device and what follows; the device is 'station' for the station's own status.

    Raises:
        WireError: the topic is not below the root, or an id is not one.
    """
    prefix, _, rest = topic[: len(root)], topic[len(root) : len(root) + 1], topic[len(root) + 1 :]
    commune, _, below = rest.partition("/")
    device, _, after = below.partition("/")
    known = prefix == root and topic[len(root) : len(root) + 1] == "/"
    if not (known and _NAME.fullmatch(commune) and _NAME.fullmatch(device) and after):
        raise WireError(
            tr("topic {topic} is not {root}/{{commune}}/{{device}}/…", topic=repr(topic[:200]), root=root)
        )
    return commune, device, after


def read(sender: Side, below: str) -> tuple[MessageKind, dict[str, str]]:
    """The kind of what comes from that side by a topic below the device, and the names in the topic."""
    for kind, pattern in _PATTERNS[sender].get(below.count("/"), ()):
        if found := pattern.fullmatch(below):
            return kind, found.groupdict()
    return MessageKind.UNKNOWN, {}


def subscriptions(sender: Side) -> tuple[str, ...]:
    """What to subscribe to below a device to hear all that comes from that side.

    What a newer version adds below the same first level is heard, too: a station must not leave a newer box
    waiting for a receipt. No two overlap, for a broker would deliver twice. What is live is for who
    asks for it.
    """
    tops = (topic.partition("/") for topic in _topics(sender, live=False))
    return tuple(dict.fromkeys(f"{first}/#" if deeper else first for first, deeper, _ in tops))


def permissions(sender: Side) -> tuple[str, ...]:
    """What that side may publish below a device: each topic by itself, so that none is left to be invented.

    `{camera}` stays: whoever makes rules of this names the cameras of each box, `box` among them.
    """
    return tuple(dict.fromkeys(map(_filter, _topics(sender))))


def retained(sender: Side) -> tuple[str, ...]:
    """What a broker may keep of that side, as filters below the root; nothing else is ever retained."""
    own = {"device": "+/+", "station": f"+/{STATION}"}
    return tuple(
        f"{own[each.below]}/{_IN_BRACES.sub('+', each.topic)}"
        for each in CHANNELS
        if each.sender == sender and each.retained
    )


def _filter(topic: str) -> str:
    return _IN_BRACES.sub(lambda name: name[0] if name[1] == "camera" else "+", topic)


def _topics(sender: Side, live: bool = True) -> Iterator[str]:
    below = (each for each in CHANNELS if each.sender == sender and each.below == "device")
    return (each.topic for each in below if live or not each.live)


def _pattern(topic: str) -> re.Pattern[str]:
    return re.compile(_IN_BRACES.sub(lambda name: f"(?P<{name[1]}>{PARAMETERS[name[1]].pattern})", topic))


def _by_levels(side: Side) -> dict[int, tuple[tuple[MessageKind, re.Pattern[str]], ...]]:
    """By how many slashes a topic has: no name has one, and a station reads each topic twice."""
    own = [each for each in CHANNELS if (each.sender, each.below) == (side, "device")]
    return {
        slashes: tuple((each.kind, _pattern(each.topic)) for each in own if each.topic.count("/") == slashes)
        for slashes in {each.topic.count("/") for each in own}
    }


_PATTERNS: Final = {side: _by_levels(side) for side in get_args(Side)}
