"""How far a request for footage is, and what its package is worth, in the words of the duty room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from station.footage.folder import FootageStage, FootageState

STAGES: Final[Mapping[str, str]] = {
    FootageStage.ASKED: tr("asked for"),
    FootageStage.REQUESTED: tr("noted by the box, not sent yet"),
    FootageStage.SENDING: tr("on its way"),
    FootageStage.ARRIVED: tr("here, is put together"),
    FootageStage.COMPLETE: tr("here"),
    FootageStage.REFUSED: tr("refused"),
    FootageStage.FAILED: tr("failed"),
    FootageStage.RELEASED: tr("released"),
    FootageStage.DELETED: tr("deleted by its age"),
}
VERDICTS: Final[Mapping[str, str]] = {
    "authentic": tr("authentic"),
    "authentic with missing": tr("authentic with missing"),
    "not signed": tr("not signed"),
    "not authentic": tr("not authentic"),
    "not judged": tr("not judged"),
}
"""ONVIF's words, as the verifier says them."""


def judged(state: FootageState) -> str | None:
    """The verifier's word in the reader's language; None: it was not judged, or is not here any more."""
    if state.verdict is None or state.stage is FootageStage.DELETED:
        return None
    return translated(VERDICTS.get(state.verdict, state.verdict))


def how_far(state: FootageState, percent: str = "") -> str:
    """How far a request is, in a line and in the reader's language; of what is here what it is worth."""
    if state.stage is FootageStage.DELETED:
        return translated(STAGES[state.stage])  # what it was worth, and why, is told of what is here
    words = judged(state) or translated(STAGES[state.stage]) + percent
    return f"{words}: {printable(state.detail)}" if state.detail else words
