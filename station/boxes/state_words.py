"""How boxes and cameras are, in the words of the duty room. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from agent.printable import printable
from agent.translatable import tr
from agent.wire.words import DETAILS

UNKNOWN: Final = tr("not known")
BOX_STATES: Final[Mapping[str | None, str]] = {
    "online": tr("connected"),
    "offline": tr("not connected"),
    "stopped": tr("switched off on purpose"),
    None: UNKNOWN,
}
SILENT: Final = tr("connected, but silent")
"""Of a box that is connected and says nothing of itself, as station/boxes/findings.py judges it."""
CAMERA_STATES: Final[Mapping[str, str]] = {
    "streaming": tr("sees"),
    "stalled": tr("picture stands still"),
    "lost": tr("no picture"),
    "blind": tr("cannot see"),
    "disabled": tr("off"),
    "starting": tr("starting"),
    "paused": tr("paused"),
    "away": tr("not known now"),
}
CLOCKS: Final[Mapping[str, str]] = {
    "ntp": tr("right, by the network"),
    "rtc": tr("right, by its own battery clock"),
    "floor": tr("may be wrong"),
    "unknown": tr("may be wrong"),
}
RECORDINGS: Final[Mapping[str, str]] = {
    "recording": tr("is recorded"),
    "waiting": tr("is recorded at events"),
    "stopped": tr("is not recorded any more"),
}
NOT_RECORDED: Final = tr("is not recorded")

REASONS: Final[Mapping[str, str]] = {
    "the agent stops": tr("the program of the box was stopped"),
    "the file has ended": tr("its film has ended"),
}
STARTING: Final = "starting"
"""The reason of a camera that has given no picture yet since the program of its box began."""
_PAUSED: Final = re.compile(r"paused by (?P<who>.+) until (?P<until>\S+)")
_NO_PICTURE: Final = re.compile(r"no picture (?:within|for(?: more than)?) (?P<seconds>[\d.]+) s")


def box_words(state: str | None, *, is_silent: bool) -> str:
    """How a box stands: by its connection, and whether it speaks."""
    return SILENT if is_silent else BOX_STATES.get(state, UNKNOWN)


def paused_until_ms(reason: str | None) -> int | None:
    """When a pause ends by itself, by what the box says of it; None: it is no pause, or it did not say."""
    found = _PAUSED.fullmatch(reason or "")
    try:
        return round(datetime.fromisoformat(found["until"]).timestamp() * 1000) if found else None
    except (ValueError, OverflowError):
        return None


def camera_word(state: str, reason: str | None) -> str:
    """A camera's state on the wire, made plain: of `disabled` whether it is paused, starting or off."""
    if state != "disabled":
        return state
    if (reason or "").startswith("paused by "):
        return "paused"
    return "starting" if reason == STARTING else state


def paused_by(reason: str | None) -> str | None:
    """Who ordered a pause, by what the box says of it; None: it is none."""
    found = _PAUSED.fullmatch(reason or "")
    return printable(found["who"]) if found else None


def camera_reason(reason: str | None, until: str) -> str | None:
    """Why a camera is as it is; `until` is the end of its pause as people say it. None: nobody said."""
    if not reason or reason == STARTING:  # its state says so
        return None
    if reason in REASONS:
        return REASONS[reason]
    if reason in DETAILS:
        return DETAILS[reason]
    line = printable(reason)
    if found := _PAUSED.fullmatch(line):
        return tr("paused by {who} until {until}", who=found["who"], until=until)
    if found := _NO_PICTURE.fullmatch(line):
        return tr("no picture for {seconds} s", seconds=found["seconds"])
    return tr("the box says: “{detail}”", detail=line[:300])
