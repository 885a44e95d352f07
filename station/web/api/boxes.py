"""How each box stands, as the wall of boxes judges it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from station.boxes.finding_words import words_of
from station.boxes.findings import JudgedBox
from station.store.columns import moment
from station.web.api.asker import OfficerAsks
from station.web.api.shapes import NAME, ApiBox, ApiBoxes, ApiCamera, ApiFinding, perhaps

router = APIRouter(tags=["boxes"])


@router.get("/boxes")
def boxes(asker: OfficerAsks) -> ApiBoxes:
    """All boxes of the commune, what needs somebody first."""
    return ApiBoxes(boxes=[_shape(each) for each in asker.console.boxes.now().boxes])


@router.get("/boxes/{box}")
def box(asker: OfficerAsks, box: Annotated[str, Path(pattern=NAME)]) -> ApiBox:
    """One of them."""
    found = asker.console.boxes.find(box)
    if found is None:
        raise HTTPException(404)
    return _shape(found)


def _shape(judged: JudgedBox) -> ApiBox:
    standing = judged.standing
    info, health = standing.info, standing.health
    findings = [words_of(each) for each in judged.findings]
    return ApiBox(
        box=standing.device,
        title=standing.title,
        state=standing.state,
        verdict=judged.verdict.value,
        findings=[
            ApiFinding(verdict=each.verdict.value, what=str(each.what), todo=str(each.todo))
            for each in findings
        ],
        cameras=[
            ApiCamera(
                name=each.name,
                title=each.title,
                state=each.state,
                since=perhaps(each.since_ms),
                known_until=perhaps(judged.known_until_ms),
            )
            for each in standing.cameras
        ],
        last_word=moment(standing.word_ms),
        version=info.versions.get("agent") if info is not None else None,
        temperature_c=health.cpu_temp_c if health is not None else None,
        waiting=health.outbox.pending if health is not None and health.outbox is not None else None,
    )
