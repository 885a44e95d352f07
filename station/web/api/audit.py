"""What was done at the console, for supervisors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from agent.wire.payloads import Time
from station.access.audit_entry import AuditVerb
from station.access.audit_log import AuditQuery
from station.store.columns import moment, ms
from station.web.api.asker import SupervisorAsks
from station.web.api.shapes import ApiAct, ApiActs

router = APIRouter(tags=["audit log"])
Words = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


@router.get("/audit")
def acts(
    asker: SupervisorAsks,
    since: Time | None = None,
    until: Time | None = None,
    who: Words = "",
    verb: AuditVerb | None = None,
    subject: Words = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ApiActs:
    """Entries of the log, the newest first; that it was read is one of them."""
    asker.note(AuditVerb.VIEW_AUDIT, "", who=who, did=verb, about=subject)
    query = AuditQuery(
        since_ms=None if since is None else ms(since),
        until_ms=None if until is None else ms(until),
        who=who,
        verb=verb or "",
        subject=subject,
        before=before,
    )
    page = asker.console.audit.search(query, limit)
    entries = [
        ApiAct(
            id=each.id,
            time=moment(each.time_ms),
            login=each.login,
            name=each.name,
            role=each.role,
            address=each.address,
            verb=each.verb,
            subject=each.subject,
            detail=each.details,
        )
        for each in page.entries
    ]
    return ApiActs(entries=entries, next=page.more)
