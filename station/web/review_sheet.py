"""What a page shows of one event that is to be judged, and the buttons by which it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.translatable import tr
from agent.wire.words import named
from station.lookup.cards import EventCard, cards_of
from station.lookup.words import place_words, what_words
from station.review.hints import RULE_WORDS
from station.review.queue import ReviewQueue
from station.review.standing import ReviewKey, ReviewStep, Standing
from station.review.states import (
    REASON_WORDS,
    RIGHT_LABELS,
    STATE_WORDS,
    FalseReason,
    ReviewRefused,
    ReviewState,
    following,
    reason_words,
)
from station.web.visitor import Visitor
from station.words import how_long_it_lasted

STEP_WORDS: Final = {
    ReviewState.SEEN: tr("Take it"),
    ReviewState.CONFIRMED: tr("Confirmed"),
    ReviewState.PASSED_ON: tr("Passed on"),
}
"""What stands on the buttons of what is not false."""
_STEP_KEYS: Final = {
    ReviewState.SEEN: ("Digit1", "1"),
    ReviewState.CONFIRMED: ("Digit2", "2"),
    ReviewState.PASSED_ON: ("Digit3", "3"),
}
_REASON_KEYS: Final = "QWERTYUIO"
"""Beside each other on the keyboard; by their place, so that it does not matter what is typed with them."""
_LABEL_KEYS: Final = "4567890"
"""Behind those of the steps; a label has its own, whatever the event was taken for."""


@dataclass(frozen=True, slots=True)
class StepButton:
    """One button of the sheet."""

    value: str
    """What the form sends: a state, or false:REASON."""
    words: str
    code: str
    """The key's place (https://www.w3.org/TR/uievents-code/)."""
    letter: str
    """What is on it."""


@dataclass(frozen=True, slots=True)
class ReviewSheet:
    """One event, how it stands, and what may become of it."""

    key: ReviewKey
    card: EventCard
    tile: dict[str, Any]
    """As the wall shows it."""
    rule: str
    """What its rule looks for, for people."""
    standing: Standing
    steps: Sequence[StepButton]
    reasons: Sequence[StepButton]
    labels: Sequence[StepButton]
    """What it is, where it was taken for something else; none of an event without a road user."""
    history: Sequence[ReviewStep]

    @property
    def what(self) -> str:
        """What happened, as an officer says it."""
        return what_words(self.card)

    @property
    def where(self) -> str:
        """Where, for people."""
        return place_words(self.card)

    @property
    def lasted(self) -> str | None:
        """How long, for people; None: it goes on."""
        card = self.card
        return how_long_it_lasted((card.ended_ms - card.began_ms) / 1000) if card.ended_ms else None

    @property
    def href(self) -> str:
        """Of the event; its review is below it."""
        return str(self.tile["href"])

    @property
    def may_take_back(self) -> bool:
        """Something was made of it."""
        return self.standing.state is not ReviewState.NEW


def sheet_of(visitor: Visitor, key: ReviewKey) -> ReviewSheet | None:
    """Of an event; None: it is not there any more."""
    desk = visitor.console
    queue = ReviewQueue(desk.reads)
    card = next(iter(cards_of(desk.reads, [key])), None)
    if card is None:
        return None
    standing = queue.standing(key)
    may = following(standing.state)
    steps = [
        StepButton(str(state), step_words(state, standing, visitor), *_STEP_KEYS[state])
        for state in STEP_WORDS
        if state in may
    ]
    reasons = [
        StepButton(f"{ReviewState.FALSE}:{reason}", REASON_WORDS[reason], f"Key{letter}", letter)
        for reason, letter in zip(FalseReason, _REASON_KEYS, strict=True)
    ]
    labels = label_buttons(card.label)
    tile = desk.tiles.of(card, visitor.language)
    rule = named(RULE_WORDS, card.rule_kind)
    return ReviewSheet(key, card, tile, rule, standing, steps, reasons, labels, queue.history(key))


def step_words(state: ReviewState, standing: Standing, visitor: Visitor) -> str:
    """On the button: an alert that somebody has is taken over, or gets another note by whoever has it."""
    if state is not ReviewState.SEEN or standing.state is not ReviewState.SEEN or standing.by is None:
        return STEP_WORDS[state]
    is_own = standing.by.login == visitor.account.login
    return tr("Keep it, with this note") if is_own else tr("Take it over")


def label_buttons(seen_as: str | None) -> list[StepButton]:
    """What a road user can be that was taken for something else, each with its key."""
    said = f"{ReviewState.FALSE}:{FalseReason.WRONG_LABEL}:"
    return [
        StepButton(said + label, words, f"Digit{letter}", letter)
        for (label, words), letter in zip(RIGHT_LABELS.items(), _LABEL_KEYS, strict=True)
        if seen_as is not None and label != seen_as
    ]


def step_of(
    step: str, state: str, reason: str, label: str = ""
) -> tuple[ReviewState, FalseReason | None, str | None]:
    """What a form asks for: state, reason and right label, by one button or by words of their own.

    A button says `confirmed`, `false:animal` or `false:wrong_label:car`.

    Raises:
        ReviewRefused: it is neither.
    """
    said, why, which = (*step.split(":", 2), "", "")[:3]
    try:
        why_false = FalseReason(why or reason) if why or reason else None
        return ReviewState(said or state), why_false, which or label or None
    except ValueError:
        raise ReviewRefused(
            tr("it is not said what becomes of this event"),
            tr("one of {states}", states=", ".join(map(str, ReviewState))),
        ) from None


def state_words(state: ReviewState, reason: FalseReason | None, right_label: str | None = None) -> str:
    """How it stands, for people, with the reason of a false alarm, and what it is instead."""
    words = STATE_WORDS[state]
    return (
        words
        if reason is None
        else tr("{state}: {reason}", state=words, reason=reason_words(reason, right_label))
    )
