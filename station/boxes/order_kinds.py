"""What can be ordered of a box at the screen, by whom, and how long each takes; and how far an order is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from agent.translatable import tr
from agent.wire.verbs import LOOK_PER_S, Verb
from station.access.roles import Role

BEGIN_S: Final = 15.0
"""So long a box may take to begin a look; it is told not to begin later."""
PAUSES_MIN: Final = (15, 30, 60, 240, 720)
"""What the page offers; a pause that nobody remembers must not blind a camera for ever."""


class OrderKind(StrEnum):
    """What can be ordered here."""

    PICTURE = "picture"
    LOOK = "look"
    PAUSE = "pause"
    RESUME = "resume"
    RELOAD = "reload"
    RESTART = "restart"
    SAMPLES = "samples"


class OrderStage(StrEnum):
    """How far an order is; from DONE on it is over."""

    SENDING = "sending"
    SENT = "sent"
    """The broker has it."""
    ACCEPTED = "accepted"
    """The box has it."""
    COMING = "coming"
    """The box has done it, and its picture is behind something else on the way."""
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    NO_ANSWER = "no_answer"
    """By its deadline, or the connection broke; why says it."""
    NOT_SENT = "not_sent"


@dataclass(frozen=True, slots=True)
class KindTerms:
    """What an order of a kind asks for and how long it takes."""

    verb: Verb
    role: Role
    life_s: float
    """After so long the box does not begin it any more."""
    wait_s: float
    """And after so long nobody waits for its answer."""
    of_camera: bool
    name: str


TERMS: Final[Mapping[OrderKind, KindTerms]] = {
    OrderKind.PICTURE: KindTerms(Verb.SNAPSHOT, Role.OFFICER, 30, 60, True, tr("Picture of now")),
    OrderKind.LOOK: KindTerms(Verb.LOOK, Role.OFFICER, BEGIN_S, BEGIN_S, True, tr("Live look")),
    OrderKind.PAUSE: KindTerms(Verb.SET, Role.OFFICER, 60, 75, True, tr("Pause the camera")),
    OrderKind.RESUME: KindTerms(Verb.SET, Role.OFFICER, 60, 75, True, tr("Let the camera go on")),
    OrderKind.RELOAD: KindTerms(Verb.RELOAD, Role.SUPERVISOR, 60, 180, False, tr("Read the settings anew")),
    OrderKind.RESTART: KindTerms(Verb.RESTART, Role.SUPERVISOR, 60, 180, False, tr("Restart the box")),
    OrderKind.SAMPLES: KindTerms(Verb.SAMPLES, Role.SUPERVISOR, 60, 75, False, tr("Fetch frames for training")),
}
STAGES: Final[Mapping[OrderStage, str]] = {
    OrderStage.SENDING: tr("on its way"),
    OrderStage.SENT: tr("sent; the box has not answered yet"),
    OrderStage.ACCEPTED: tr("the box is doing it"),
    OrderStage.COMING: tr("done; the picture is on its way"),
    OrderStage.DONE: tr("done"),
    OrderStage.REFUSED: tr("refused by the box"),
    OrderStage.FAILED: tr("did not work"),
    OrderStage.NO_ANSWER: tr("no answer"),
    OrderStage.NOT_SENT: tr("not sent"),
}
_OVER: Final = (
    OrderStage.DONE, OrderStage.REFUSED, OrderStage.FAILED, OrderStage.NO_ANSWER, OrderStage.NOT_SENT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OrderGiver:
    """Who orders; stands in the audit log of the box."""

    login: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class BoxWish:
    """What is ordered."""

    kind: OrderKind
    box: str
    camera: str | None = None
    until: datetime | None = None
    """Of a pause."""
    seconds: int = 30
    """Of a look."""
    per_second: float = LOOK_PER_S
    purpose: str = ""
    """Of a look, and of frames."""


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """An order, and how far it is."""

    id: str
    wish: BoxWish
    giver: OrderGiver
    given_ms: int
    stage: OrderStage = OrderStage.SENDING
    changed_ms: int = 0
    why: str | None = None
    """Why it was not done, or what else is to be said."""
    picture_sha256: str | None = None
    """Of the picture that was ordered, once the station keeps it."""

    @property
    def is_over(self) -> bool:
        """Nothing more comes of it."""
        return self.stage in _OVER
