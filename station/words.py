"""The words of the station's own tables and alarms, as the duty room reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.translatable import tr

GAP_STATES: Final[Mapping[str, str]] = {"open": tr("open"), "gone": tr("gone"), "filled": tr("filled")}
ALARMS: Final[Mapping[str, str]] = {
    "quota": tr("quota"),
    "second_holder": tr("second_holder"),
    "outbox_went_back": tr("outbox_went_back"),
    "retained_flood": tr("retained_flood"),
    "pictures_missing": tr("pictures_missing"),
    "second_station": tr("second_station"),
    "journal_away": tr("journal_away"),
    "backup_due": tr("backup_due"),
    "box_key_changed": tr("box_key_changed"),
    "clock_apart": tr("clock_apart"),
    "same_title": tr("same_title"),
    "retention_failed": tr("retention_failed"),
    "store_damaged": tr("store_damaged"),
    "box_silent": tr("box_silent"),
    "detector_failed": tr("detector_failed"),
    "overheated": tr("overheated"),
}
FAULTS: Final[Mapping[str, str]] = {
    "missing": tr("missing"),
    "altered": tr("altered"),
    "unknown": tr("unknown"),
    "unproven": tr("unproven"),
}
"""What is wrong with something in the store."""


def how_long(seconds: float) -> str:
    """A duration as people say it, in words that can be translated: 40 s, 12 min, 3 h 20 min, 5 days.

    Minutes up to 90 of them, hours below two days: nobody knows by heart how long 5803 minutes are.
    """
    whole = max(0, round(seconds))
    if whole < 90:
        return tr("{n} s", n=whole)
    if round(whole / 60) <= 90:
        return tr("{n} min", n=round(whole / 60))
    if whole < 172_800:
        return tr("{h} h {m} min", h=whole // 3600, m=whole % 3600 // 60)
    return tr("{n} days", n=round(whole / 86_400))


def how_long_it_lasted(seconds: float) -> str:
    """The same with tenths of what is short: who crosses a line does so within a second, and not in 0 s."""
    return tr("{seconds:.1f} s", seconds=seconds) if 0 <= round(seconds, 1) < 90 else how_long(seconds)
