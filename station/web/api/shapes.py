"""What the interface takes and gives: one model for each, from which OpenAPI is made. Pure.

Moments are RFC 3339 in UTC with milliseconds. Texts are in one line and steer nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from agent.wire.payloads import Time
from station.footage.folder import FootageStage
from station.lookup.cards import EventCard
from station.review.standing import ReviewStep, Standing
from station.review.states import FalseReason, ReviewState
from station.store.columns import moment

NAME: Final = r"^[^\x00-\x1f\x7f/]{1,200}$"
Asked = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")]
"""A value that is looked for."""
Told = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
"""What a person or a program says."""


def perhaps(at_ms: int | None) -> datetime | None:
    """The same, or None."""
    return None if at_ms is None else moment(at_ms)


class ApiObject(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)


class ApiTrouble(ApiObject):
    """Why it was not done."""

    error: str
    hint: str = ""


class ApiEvent(ApiObject):
    """How an event stands, by its newest message."""

    id: str
    revision: int
    box: str = Field(description="As in the topic.")
    box_title: str = Field(description="For people.")
    camera: str = Field(description="As in the topic.")
    camera_title: str = Field(description="For people.")
    kind: str
    label: str | None
    riders: int
    vehicle_colour: str | None = Field(description="One of eleven words, by its best picture; null: not known.")
    clothes_colour: str | None = Field(description="Of whoever walks or rides.")
    direction: str | None
    severity: str
    phase: str
    end_reason: str | None
    detail: str | None
    rule: str
    rule_kind: str
    zones: list[str] = Field(description="Those that its road user has been in, in order.")
    track_id: str | None
    top_score: float | None = Field(description="Of the detector, 0..1.")
    began: Time
    ended: Time | None
    received: Time = Field(description="When its first message came, by the station's clock.")
    late: bool = Field(
        description="It is no news: it came, or its newest message came, more than a minute late."
    )
    clock: str = Field(description="What the box knew of the time: ntp, rtc, floor, unknown; corrected.")
    thumbnail: str | None = Field(description="sha256 of the picture of the road user, if it is here.")
    scene: str | None = Field(description="sha256 of the picture of the whole view, if it is here.")
    review: str = Field(description="new, seen, confirmed, false or passed_on.")


def event_of(card: EventCard) -> ApiEvent:
    """From a card."""
    score = card.score_permille
    return ApiEvent(
        id=card.event_id,
        revision=card.revision,
        box=card.box,
        box_title=card.box_title,
        camera=card.camera,
        camera_title=card.camera_title,
        kind=card.kind,
        label=card.label,
        riders=card.riders,
        vehicle_colour=card.vehicle_colour,
        clothes_colour=card.clothes_colour,
        direction=card.direction,
        severity=card.severity,
        phase=card.phase,
        end_reason=card.end_reason,
        detail=card.detail,
        rule=card.rule,
        rule_kind=card.rule_kind,
        zones=list(card.zones),
        track_id=card.track_id,
        top_score=None if score is None else score / 1000,
        began=moment(card.began_ms),
        ended=perhaps(card.ended_ms),
        received=moment(card.received_ms),
        late=card.is_old_news,
        clock=card.clock,
        thumbnail=card.thumbnail,
        scene=card.scene,
        review=card.review,
    )


class ApiUnwatched(ApiObject):
    """When a box or a camera did not watch, or watched less."""

    box: str = Field(description="As in the topic.")
    camera: str | None = Field(description="As in the topic; null: the box itself, and so all its cameras.")
    state: str = Field(
        description="Of a box offline, stopped, silent, detector_failed or overheated; of a camera stalled, "
        "lost, blind, paused, starting or disabled."
    )
    since: Time
    until: Time | None = Field(description="null: it lasts, or went on when the time ended.")


class ApiEvents(ApiObject):
    """A page of what was looked for."""

    events: list[ApiEvent]
    unwatched: list[ApiUnwatched] | None = Field(
        description="When what is asked for did not watch, for 10 s or longer: that there is no event then "
        "does not mean that nothing happened. At the province what lasts now, and nothing of before. On the "
        "first page; null on all others, and of more than 400 days. At most 1,000, the longest."
    )
    next: str | None = Field(description="Pass it as cursor; null: there is nothing more. A page may be empty.")


class ApiStep(ApiObject):
    """One message of an event."""

    revision: int
    phase: str
    time: Time
    received: Time
    replayed: bool


class ApiWholeEvent(ApiObject):
    """Everything about one event."""

    event: ApiEvent
    path: list[tuple[float, float, float]] = Field(
        description="[seconds since it was first seen, x, y] of its foot, in fractions of the frame."
    )
    score: float | None
    stationary: bool
    model: str | None
    model_sha256: str | None
    suppressed: int
    steps: list[ApiStep]
    footage: str = Field(description="likely, too_old, not_recorded or unknown.")


class ApiReview(ApiObject):
    """What the duty room made of an event."""

    state: ReviewState
    reason: FalseReason | None
    right_label: str | None = Field(
        description="Of what was taken for something else: what it is, none for no road user; null: not said."
    )
    note: str
    by: str | None = Field(description="Who took the last step; null: nobody has looked.")
    changed: Time | None
    change_id: int = Field(description="Of the last step; the next one names it as seen. 0: there is none.")


def review_of(standing: Standing) -> ApiReview:
    """From how an event stands."""
    return ApiReview(
        state=standing.state,
        reason=standing.reason,
        right_label=standing.right_label,
        note=standing.note,
        by=None if standing.by is None else standing.by.name,
        changed=perhaps(standing.changed_ms),
        change_id=standing.change_id,
    )


def step_of(step: ReviewStep) -> ApiReview:
    """From a step of the past."""
    return ApiReview(
        state=step.state,
        reason=step.reason,
        right_label=step.right_label,
        note=step.note,
        by=step.by.name,
        changed=moment(step.changed_ms),
        change_id=step.id,
    )


class ReviewWish(ApiObject):
    """A step to be taken."""

    state: ReviewState
    seen: int = Field(ge=0, le=2**53, description="change_id of the review as it was read; another one is 409.")
    note: Told = ""
    reason: FalseReason | None = Field(None, description="Of a false alarm: why.")
    right_label: str | None = Field(
        None, max_length=64, description="With wrong_label: what it is, such as car; none: no road user."
    )


class ApiReviewed(ApiObject):
    """An event's review with its past, the first step first."""

    review: ApiReview
    steps: list[ApiReview]


class ApiOpenAlert(ApiObject):
    """One alert that nobody is done with."""

    box: str
    camera: str
    event: str
    kind: str
    rule: str
    began: Time
    late: bool
    review: ApiReview


class ApiOpenAlerts(ApiObject):
    """A page of the queue, the newest first."""

    alerts: list[ApiOpenAlert]
    next: str | None = Field(description="Pass it as cursor; null: there is nothing more.")


class FootageWish(ApiObject):
    """Footage to be asked for."""

    box: Told
    camera: Told
    since: Time
    until: Time = Field(description="An hour later at most.")
    case_number: Told
    purpose: Told


class ApiFootage(ApiObject):
    """A request for footage, and how far it is."""

    id: str
    box: str
    camera: str
    since: Time
    until: Time
    case_number: str
    purpose: str
    officer: str
    issuer: str
    asked: Time
    stage: FootageStage
    detail: str | None
    size_bytes: int | None
    arrived_bytes: int
    verdict: str | None = Field(description="The verifier's word, once the package is here.")


class ApiFootages(ApiObject):
    """All of them, the newest first."""

    requests: list[ApiFootage]


class ApiAct(ApiObject):
    """One entry of the console's audit log."""

    id: int
    time: Time
    login: str
    name: str
    role: str
    address: str
    verb: str
    subject: str
    detail: dict[str, Any]


class ApiActs(ApiObject):
    """A page of the log, the newest first."""

    entries: list[ApiAct]
    next: int | None = Field(description="Pass it as before; null: there is nothing more.")


class ApiCamera(ApiObject):
    """One camera of a box."""

    name: str
    title: str
    state: str = Field(description="streaming, stalled, lost, blind, disabled or unknown: as it was said last.")
    since: Time | None
    known_until: Time | None = Field(
        description="When its box last said how it is, where that is not known now; null: it is so now."
    )


class ApiFinding(ApiObject):
    """What is not as it should be."""

    verdict: Literal["well", "look", "broken"]
    what: str
    todo: str


class ApiBox(ApiObject):
    """How a box stands."""

    box: str = Field(description="As in the topic.")
    title: str
    state: str | None = Field(description="online, offline or stopped; null: it never said.")
    verdict: Literal["well", "look", "broken"]
    findings: list[ApiFinding]
    cameras: list[ApiCamera]
    last_word: Time
    version: str | None
    temperature_c: float | None
    waiting: int | None = Field(description="Messages that the station has not receipted yet.")


class ApiBoxes(ApiObject):
    """All boxes of the commune, what needs somebody first."""

    boxes: list[ApiBox]


class ApiLine(ApiObject):
    """A counting rule of one camera."""

    box: str
    camera: str
    rule: str
    first: Time
    last: Time


class ApiLines(ApiObject):
    """All that were ever counted at."""

    lines: list[ApiLine]


class ApiNumber(ApiObject):
    """How many of a label went in a direction."""

    label: str
    direction: str
    number: int


class ApiCell(ApiObject):
    """What was counted in one hour, day or week."""

    since: Time
    until: Time
    covered: float = Field(description="How much of it was counted at all, 0..1.")
    numbers: list[ApiNumber] | None = Field(description="Without zeros; null: nobody counted.")
    running: bool = Field(description="It is not over yet.")


class ApiCounts(ApiObject):
    """What was counted at one line."""

    box: str
    camera: str
    rule: str
    cells: list[ApiCell]
    missing: int = Field(description="Messages of this box that did not come yet, counts perhaps among them.")
