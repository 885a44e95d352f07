"""How far a request for footage is, and what its package is worth, in the words of the duty room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.translatable import tr
from station.footage.folder import FootageStage

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
