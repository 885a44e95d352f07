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
}
FAULTS: Final[Mapping[str, str]] = {
    "missing": tr("missing"),
    "altered": tr("altered"),
    "unknown": tr("unknown"),
    "unproven": tr("unproven"),
}
"""What is wrong with something in the store."""
