"""Requests for footage as pages show them: how far each is in words, and what a package is worth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Final
from urllib.parse import quote

from agent.language import translated
from agent.translatable import tr
from station.footage.folder import FootageStage, FootageState, RequestFolder
from station.footage.words import STAGES, VERDICTS
from station.handover.dossier import PlaceNames
from station.handover.moments import in_local_words, size
from station.handover.recognised import recognised
from station.lookup.places import BoxPlace
from station.store.columns import ms

HINTS: Final[Mapping[str, str]] = {
    FootageStage.ASKED: tr(
        "The box has not answered yet. It gets the request once it is connected, for a day."
    ),
    FootageStage.REQUESTED: tr("The box keeps the footage, and sends it once more pressing things are sent."),
    FootageStage.SENDING: tr("It comes as fast as the box's connection allows; a minute of it may take ten."),
    FootageStage.ARRIVED: tr("All of it is here. It is being put together and verified."),
    FootageStage.REFUSED: tr("The box does not send it."),
    FootageStage.FAILED: tr("It did not come. Nothing of it is kept here."),
    FootageStage.RELEASED: tr("The box no longer keeps it for this request."),
    FootageStage.DELETED: tr("The footage was deleted by its age; who asked for it and why stays."),
}
"""What goes on, and what comes next."""
OPEN: Final = (FootageStage.ASKED, FootageStage.REQUESTED, FootageStage.SENDING, FootageStage.ARRIVED)
_TAGS: Final[Mapping[str, str]] = {
    "authentic": "good",
    "authentic with missing": "warn",
    "not signed": "alert",
    "not authentic": "alert",
    "not judged": "warn",
    FootageStage.REFUSED: "alert",
    FootageStage.FAILED: "alert",
    FootageStage.RELEASED: "",
    FootageStage.DELETED: "",
}


def names_of(places: Mapping[str, BoxPlace], device: str, camera: str) -> PlaceNames:
    """Box and camera as people call them; `places` by device."""
    place = places.get(device)
    return PlaceNames(device, camera) if place is None else PlaceNames(place.title, place.camera_title(camera))


def address(folder: RequestFolder) -> str:
    """Of its page."""
    return f"/requests/{quote(folder.request.device, safe='')}/{quote(folder.request.id, safe='')}"


def progress_of(folder: RequestFolder, language: str) -> dict[str, Any]:
    """What changes while somebody looks on; texts in the language of whoever looks."""
    state = folder.state()
    percent = _percent(state)
    arrived = tr("{arrived} of {whole}", arrived=size(state.arrived_bytes), whole=size(state.size_bytes or 0))
    return {
        "key": f"{folder.request.device}/{folder.request.id}",
        "stage": str(state.stage),
        "words": translated(words_of(state), language),
        "tag": _TAGS.get(state.verdict or state.stage, "info"),
        "percent": percent,
        "arrived": translated(arrived, language) if percent is not None else "",
        "is_open": state.stage in OPEN,
    }


def words_of(state: FootageState) -> str:
    """How far it is, or what it is worth."""
    if state.verdict is not None:
        return VERDICTS.get(state.verdict, state.verdict)
    return STAGES[state.stage]


def row_of(folder: RequestFolder, places: Mapping[str, BoxPlace], language: str) -> dict[str, Any]:
    """What a list shows of it."""
    request = folder.request
    names = names_of(places, request.device, request.camera)
    return {
        **progress_of(folder, language),
        "href": address(folder),
        "box": names.box,
        "camera": names.camera,
        "from_ms": ms(request.from_time),
        "to_ms": ms(request.to_time),
        "asked_ms": ms(request.asked_at),
        "case": request.case_number,
        "purpose": request.purpose,
        "officer": request.officer,
    }


def said_by_box(state: FootageState, language: str, zone: tzinfo) -> str:
    """Why, as the box or the station's desk said it, translated; empty: there is nothing to say."""
    return in_local_words(translated(recognised(state.detail), language), zone) if state.detail else ""


def _percent(state: FootageState) -> int | None:
    if state.stage not in (FootageStage.SENDING, FootageStage.ARRIVED) or not state.size_bytes:
        return None
    return min(100, 100 * state.arrived_bytes // state.size_bytes)
