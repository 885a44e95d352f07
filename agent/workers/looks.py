"""Looks: small pictures of a camera as it is now, for whoever asked, for a minute at most.

One look of a camera at a time. It holds up no other command: its pictures are made in the camera's thread, of
frames that are looked at anyway, and wait in agent/mqtt/live.py. When it is over, `over` gives its report, the
ack of its command: how many were sent and dropped, and one hash over those that were sent.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from agent.clock import Clock
from agent.commands.policy import Command
from agent.core.tracking import best_shot
from agent.core.types import WHOLE, Frame, Instant, Sensitive
from agent.errors import NgatuError
from agent.mqtt.live import Fate, LivePicture, LivePictures
from agent.publishing import jpeg
from agent.publishing.jpeg import Blur, Jpeg
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.payloads import SCHEMA_VERSION, rfc3339
from agent.wire.topics import suffix
from agent.wire.verbs import LookArgs

MAX_SIDE_PX: Final = 640
LAST_S: Final = 5.0
"""After the last picture of a look so long is waited for the broker's word on it."""
UNWANTED_IN_A_ROW: Final = 3
"""After so many pictures that nobody subscribed to, nobody looks any more."""


@dataclass(slots=True)
class _Look:
    """One that is on."""

    command: Command
    args: LookArgs
    began: Instant
    number: int = 0
    """Of the last picture."""
    due_s: float = 0.0
    dropped: int = 0
    unwanted: int = 0
    unwanted_in_a_row: int = 0
    sent: dict[int, str] = field(default_factory=dict)
    """number -> sha256."""
    waiting: int = 0

    @property
    def deserted(self) -> bool:
        return self.unwanted_in_a_row >= UNWANTED_IN_A_ROW

    @property
    def ends_s(self) -> float:
        return self.began.mono_s + self.args.seconds


@dataclass(frozen=True, slots=True)
class LookReport:
    """What became of a look."""

    command: Command
    result: dict[str, Any]
    detail: str | None
    """Why it gave less than was asked for."""

    @property
    def done(self) -> bool:
        """Whether anything was seen."""
        return bool(self.result["sent"])


class Looks:
    """The looks of a box."""

    def __init__(self, live: LivePictures, clock: Clock, blur: Blur = "none") -> None:
        """`blur` is what of a picture nobody may see."""
        self._live, self._clock, self._blur = live, clock, blur
        self._lock = threading.RLock()  # a picture that takes another's place ends that one, in the same thread
        self._looks: dict[str, _Look] = {}
        """By camera."""

    @property
    def any(self) -> bool:
        """Whether anybody looks."""
        return bool(self._looks)

    def wants(self, camera: str) -> bool:
        """Whether somebody looks at this camera."""
        return camera in self._looks  # reading a dict needs no lock

    def begin(self, command: Command, args: LookArgs) -> None:
        """From the camera's next frame on.

        Raises:
            NgatuError: somebody looks already.
        """
        with self._lock:
            other = self._looks.get(args.camera)
            if other is not None:
                left_s = max(0.0, other.ends_s - self._clock.now().mono_s)
                raise NgatuError(
                    f"{other.args.officer} looks at camera {args.camera} already, for {left_s:.0f} s more: "
                    "one look of a camera at a time"
                )
            now = self._clock.now()
            self._looks[args.camera] = _Look(command, args, now, due_s=now.mono_s)

    def saw(self, camera: str, frame: Frame, private: Callable[[], Sequence[Sensitive]] = tuple) -> None:
        """A frame is looked at; called in the camera's thread, where its memory is still valid.

        `private` tells where heads and plates are in it.
        """
        look = self._looks.get(camera)  # nearly always none; reading a dict needs no lock
        if look is None or look.deserted or not look.due_s <= frame.at.mono_s < look.ends_s:
            return
        gap_s = 1 / look.args.per_second
        look.due_s += gap_s  # one that is a little late does not make the next one late
        if look.due_s <= frame.at.mono_s:
            look.due_s = frame.at.mono_s + gap_s
        shot = best_shot.scene(frame, WHOLE, MAX_SIDE_PX, private())
        picture = jpeg.encode(shot, MAX_SIDE_PX, self._live.budget_bytes, blur=self._blur)
        with self._lock:
            if self._looks.get(camera) is look:  # its report may have been given meanwhile
                self._put(look, camera, frame.at, picture)

    def _put(self, look: _Look, camera: str, at: Instant, picture: Jpeg) -> None:
        """Have a picture wait for its turn; the caller holds the lock."""
        look.number += 1
        look.waiting += 1
        number = look.number
        names = {"command_id": look.command.id, "number": str(number)}
        user = {
            "event_id": look.command.id,
            "number": str(number),
            "camera": camera,
            "time": rfc3339(moment(at)),
            "sha256": picture.sha256,
            "schema": SCHEMA_VERSION,
        }
        ended = partial(self._ended, look, number, picture.sha256)
        topic = suffix(MessageKind.LOOK, **names)
        self._live.put(LivePicture(look.command.id, topic, picture.data, at, tuple(user.items()), ended))

    def over(self, all_of_them: bool = False) -> list[LookReport]:
        """Those that have ended since the last call; `all_of_them`: the agent stops, so all end."""
        now_s = self._clock.now().mono_s
        with self._lock:
            ended = [look for look in self._looks.values() if all_of_them or _is_over(look, now_s)]
            for look in ended:
                del self._looks[look.args.camera]
                self._live.withdraw(look.command.id)
        return [_report(look, cut_short=now_s < look.ends_s) for look in ended]

    def _ended(self, look: _Look, number: int, digest: str, fate: Fate) -> None:
        with self._lock:
            look.waiting -= 1
            look.unwanted_in_a_row = look.unwanted_in_a_row + 1 if fate is Fate.UNWANTED else 0
            if fate is Fate.SENT:
                look.sent[number] = digest
            elif fate is Fate.UNWANTED:
                look.unwanted += 1
            else:
                look.dropped += 1


def _is_over(look: _Look, now_s: float) -> bool:
    if look.deserted:
        return True
    return now_s >= look.ends_s and (not look.waiting or now_s >= look.ends_s + LAST_S)


def _report(look: _Look, cut_short: bool) -> LookReport:
    why = None
    if look.deserted:
        why = "nobody looked any more"
    elif not look.number:
        why = "the camera gave no picture"
    elif not look.sent:
        why = "no picture went out: the link bore none, or today's bytes of pictures are used up"
    elif cut_short:
        why = "cut short: the agent stops"
    result: dict[str, Any] = {
        "sent": len(look.sent),
        "dropped": look.dropped + look.unwanted + look.waiting,
        "pictures_sha256": codec.pictures_sha256(look.sent[number] for number in sorted(look.sent)),
    }
    return LookReport(look.command, result, why)
