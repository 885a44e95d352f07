"""How many of each rule's alarms were false, and which setting to look at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from agent.translatable import tr
from agent.wire.words import named
from station.access.audit_entry import AuditVerb
from station.lookup.places import BoxPlace, read_places
from station.review.hints import RULE_WORDS
from station.review.states import REASON_WORDS
from station.review.tuning import LEAST_JUDGED, JudgedRule, judged_rules
from station.web.visitor import Officer

router = APIRouter()
PERIODS: Final = {7: tr("7 days"), 30: tr("30 days"), 90: tr("90 days")}
DAY_MS: Final = 86_400_000


@router.get("/rules")
def rules_page(visitor: Officer, days: int = 30) -> HTMLResponse:
    """What was made of the events of each rule that began in the last so many days."""
    days = days if days in PERIODS else 30
    until_ms = round(time.time() * 1000)
    visitor.note(AuditVerb.LOOK_UP, "rules", days=days)
    found = judged_rules(visitor.console.reads, until_ms - days * DAY_MS, until_ms)
    with visitor.console.reads.connect() as connection, connection.begin():
        places = read_places(connection, {each.box_id for each in found})
    return visitor.page(
        "rules.html",
        rules=[_row(each, places) for each in found],
        days=days,
        periods=PERIODS,
        least=LEAST_JUDGED,
        reason_words=REASON_WORDS,
    )


def _row(rule: JudgedRule, places: Mapping[int, BoxPlace]) -> dict[str, Any]:
    """Shares are told in hundredths."""
    place, share = places[rule.box_id], rule.share
    shown = None if share is None else [round(each * 100) for each in (share.share, share.low, share.high)]
    return {
        "where": f"{place.title} · {place.camera_title(rule.camera)}",
        "rule": place.rule_title(rule.camera, rule.rule),
        "what": named(RULE_WORDS, rule.rule_kind),
        "judged": rule.judged,
        "false": rule.false,
        "share": shown,
        "reasons": sorted(rule.reasons.items(), key=lambda each: -each[1]),
        "hints": rule.hints,
    }
