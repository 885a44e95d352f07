"""How far the duty room is with an event, and which step may follow which. No clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from agent.errors import NgatuError
from agent.printable import printable
from agent.translatable import tr
from agent.wire.words import LABELS, named

MAX_NOTE: Final = 1000
"""Characters of a note."""


class ReviewState(StrEnum):
    """What was made of an event."""

    NEW = "new"
    """Nobody has looked, or what was made of it was taken back."""
    SEEN = "seen"
    """Somebody knows of it and has it in hand; it is still open."""
    CONFIRMED = "confirmed"
    FALSE = "false"
    PASSED_ON = "passed_on"
    """Somebody else goes on with it: another unit, or the next shift's own file."""

    @property
    def is_final(self) -> bool:
        """The queue is done with it."""
        return self in FINAL


FINAL: Final = frozenset({ReviewState.CONFIRMED, ReviewState.FALSE, ReviewState.PASSED_ON})


class FalseReason(StrEnum):
    """Why an alarm was false, as far as somebody who looks at the picture can tell."""

    SHADOW_OR_LIGHT = "shadow_or_light"
    RAIN_OR_INSECTS = "rain_or_insects"
    ANIMAL = "animal"
    FOLIAGE = "foliage"
    WRONG_LABEL = "wrong_label"
    PARKED_VEHICLE = "parked_vehicle"
    NORMAL_TRAFFIC = "normal_traffic"
    CAMERA_FAULT = "camera_fault"
    OTHER = "other"


STATE_WORDS: Final[Mapping[str, str]] = {
    ReviewState.NEW: tr("not taken yet"),
    ReviewState.SEEN: tr("being worked on"),
    ReviewState.CONFIRMED: tr("confirmed"),
    ReviewState.FALSE: tr("false alarm"),
    ReviewState.PASSED_ON: tr("passed on"),
}
REASON_WORDS: Final[Mapping[str, str]] = {
    FalseReason.SHADOW_OR_LIGHT: tr("shadow or light"),
    FalseReason.RAIN_OR_INSECTS: tr("rain, fog or insects"),
    FalseReason.ANIMAL: tr("an animal"),
    FalseReason.FOLIAGE: tr("branches or leaves"),
    FalseReason.WRONG_LABEL: tr("taken for something else"),
    FalseReason.PARKED_VEHICLE: tr("a parked vehicle"),
    FalseReason.NORMAL_TRAFFIC: tr("ordinary traffic"),
    FalseReason.CAMERA_FAULT: tr("a fault of the camera"),
    FalseReason.OTHER: tr("something else"),
}

NO_ROAD_USER: Final = "none"
"""Instead of a label: what was taken for a road user is none."""
RIGHT_LABELS: Final[Mapping[str, str]] = {**LABELS, NO_ROAD_USER: tr("no road user")}
"""What somebody can say that it is, where it was taken for something else."""

_FOLLOWING: Final[Mapping[ReviewState, frozenset[ReviewState]]] = {
    ReviewState.NEW: frozenset({ReviewState.SEEN, *FINAL}),
    ReviewState.SEEN: frozenset({ReviewState.NEW, ReviewState.SEEN, *FINAL}),
    **{state: frozenset({ReviewState.NEW, *FINAL}) for state in FINAL},
}


class ReviewRefused(NgatuError):
    """A step that may not be taken, or that lacks something; nothing was changed."""


def following(before: ReviewState) -> frozenset[ReviewState]:
    """The states that may come next.

    A judgement may be corrected, and said again with another note; to be open again it is taken back, which is
    a step of its own that everybody sees.
    """
    return _FOLLOWING[before]


def judge_step(
    before: ReviewState,
    after: ReviewState,
    reason: FalseReason | None,
    right_label: str | None = None,
    seen_as: str | None = None,
) -> None:
    """Whether the step may be taken, with an event whose road user was taken for `seen_as`.

    Raises:
        ReviewRefused: it does not follow, a false alarm has no reason, or something else has one; or it has a
            right label that it cannot have.
    """
    if after not in following(before):
        was, then = STATE_WORDS[before], STATE_WORDS[after]
        hint = tr("take it back first") if before.is_final else tr("nothing is to be taken back")
        raise ReviewRefused(tr("an event that is “{was}” cannot become “{then}”", was=was, then=then), hint)
    if after is ReviewState.FALSE and reason is None:
        raise ReviewRefused(tr("a false alarm needs a reason"), tr("choose what set it off"))
    if after is not ReviewState.FALSE and reason is not None:
        raise ReviewRefused(tr("only a false alarm has a reason"), tr("leave it out"))
    if right_label is not None:
        _judge_label(reason, right_label, seen_as)


def _judge_label(reason: FalseReason | None, right_label: str, seen_as: str | None) -> None:
    if reason is not FalseReason.WRONG_LABEL or seen_as is None:
        raise ReviewRefused(
            tr("only a road user that was taken for something else has a right label"), tr("say no label")
        )
    if right_label not in RIGHT_LABELS:
        raise ReviewRefused(
            tr("there is no label {label}", label=printable(right_label)[:64]),
            tr("one of {labels}", labels=", ".join(RIGHT_LABELS)),
        )
    if right_label == seen_as:
        raise ReviewRefused(
            tr("it was taken for that: {label}", label=RIGHT_LABELS[right_label]),
            tr("say what it is instead"),
        )


def reason_words(reason: str, right_label: str | None = None) -> str:
    """Why an alarm was false, for people, and what it is that was taken for something else."""
    words = named(REASON_WORDS, reason)
    if not right_label:
        return words
    return tr("{reason}; it is: {label}", reason=words, label=named(RIGHT_LABELS, right_label))


def by_whom(state: str, name: str, at: str) -> str:
    """Who said so and when; of what is being worked on who does, and since when."""
    if state == ReviewState.SEEN:
        return tr("{name}, since {at}", name=name, at=at)
    return tr("{name}, at {at}", name=name, at=at)


def clean_note(said: str) -> str:
    """A note as it is kept: one line, without what would steer a terminal.

    Raises:
        ReviewRefused: it is longer than MAX_NOTE.
    """
    note = " ".join(printable(said).split())
    if len(note) > MAX_NOTE:
        raise ReviewRefused(
            tr("the note has {length} characters", length=len(note)),
            tr("{most} at most: say the rest in the report", most=MAX_NOTE),
        )
    return note
