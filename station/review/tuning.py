"""How many of a rule's alarms were false, as far as somebody judged them, and what that says of its settings.

A share of few is no share: below LEAST_JUDGED none is told, and none without the interval in which it lies with
95 % certainty (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
the American Statistical Association 22, 1927, pages 209 to 212). That is right for small numbers too, and never
reaches beyond 0 and 1.
What was passed on counts as real: somebody found it worth another's time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final

from sqlalchemy import Engine, Row, func, select
from sqlalchemy.exc import SQLAlchemyError

from station.review.hints import Hint, hint_for
from station.review.states import FINAL, FalseReason, ReviewState
from station.store.database import in_words
from station.store.schema import box, review

LEAST_JUDGED: Final = 10
"""Alarms of one rule from which a share is told."""
LEAST_NAMED: Final = 3
"""False alarms with one reason from which a hint is given."""
HINT_FROM: Final = 0.1
"""A hint is given where the share is above this for certain: by the lower end of its interval."""
_NAMED_SHARE: Final = 0.25
"""Of the false alarms, which a reason must have to be told."""
_Z: Final = 1.959964
"""Of 95 %: the standard normal distribution has 2.5 % beyond it on each side."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share and the interval in which it lies with 95 % certainty, each 0..1."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class JudgedRule:
    """What was made of the events of one rule."""

    box_id: int
    box: str
    camera: str
    rule: str
    rule_kind: str
    states: Mapping[ReviewState, int]
    """How many of each final state."""
    reasons: Mapping[FalseReason, int]
    """Of the false alarms."""

    @property
    def judged(self) -> int:
        """How many somebody has judged."""
        return sum(self.states.values())

    @property
    def false(self) -> int:
        """How many of these were false."""
        return self.states.get(ReviewState.FALSE, 0)

    @property
    def share(self) -> Share | None:
        """Of false alarms; None: too few were judged to tell."""
        return wilson(self.false, self.judged) if self.judged >= LEAST_JUDGED else None

    @property
    def hints(self) -> tuple[Hint, ...]:
        """Which settings to look at, by the reasons that stand out; none where nothing is certain."""
        share = self.share
        if share is None or share.low <= HINT_FROM:
            return ()
        least = max(LEAST_NAMED, _NAMED_SHARE * self.false)
        leading = [reason for reason, number in Counter(self.reasons).most_common() if number >= least]
        return tuple(filter(None, (hint_for(self.rule_kind, reason) for reason in leading)))


def wilson(hits: int, of: int) -> Share:
    """The share `hits` / `of` with Wilson's interval of 95 %; `of` is at least 1, `hits` 0 to `of`."""
    share, z2 = hits / of, _Z**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return Share(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def judged_rules(engine: Engine, since_ms: int, until_ms: int) -> Sequence[JudgedRule]:
    """What was made of events that began in [since, until), by rule; those with most false alarms first.

    Raises:
        StoreError: the store cannot be read.
    """
    columns = [review.c[name] for name in ("box_id", "camera", "rule_id", "rule_kind", "state", "reason")]
    numbers = (
        select(*columns, func.count().label("number"))
        # Nothing is judged before it begins; so an index leaves out what was judged before.
        .where(review.c.changed_ms >= since_ms, review.c.began_ms >= since_ms, review.c.began_ms < until_ms)
        .where(review.c.state.in_(sorted(FINAL)))
        .group_by(*columns)
        .subquery()
    )
    query = select(numbers, box.c.device).join(box, box.c.id == numbers.c.box_id)
    try:
        with engine.connect() as connection, connection.begin():
            found = _gathered(connection.execute(query).all())
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    return sorted(found, key=lambda each: (-each.false, -each.judged, each.box, each.camera, each.rule))


def _gathered(rows: Sequence[Row[Any]]) -> list[JudgedRule]:
    found: dict[tuple[int, str, str, str, str], tuple[Counter[ReviewState], Counter[FalseReason]]] = {}
    for row in rows:
        key = row.box_id, row.device, row.camera, row.rule_id, row.rule_kind
        states, reasons = found.setdefault(key, (Counter(), Counter()))
        states[ReviewState(row.state)] += row.number
        if row.reason is not None:
            reasons[FalseReason(row.reason)] += row.number
    return [JudgedRule(*key, states=states, reasons=reasons) for key, (states, reasons) in found.items()]
