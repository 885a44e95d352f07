"""Kinds of alarm: what is wrong with a box, its broker or the station itself, until it is over."""

from __future__ import annotations

from enum import StrEnum

from agent.translatable import tr


class AlarmKind(StrEnum):
    """What an alarm is about; `meaning` says it to a person."""

    QUOTA = "quota"
    SECOND_HOLDER = "second_holder"
    OUTBOX_WENT_BACK = "outbox_went_back"
    RETAINED_FLOOD = "retained_flood"
    PICTURES_MISSING = "pictures_missing"
    SECOND_STATION = "second_station"
    JOURNAL_AWAY = "journal_away"
    BACKUP_DUE = "backup_due"
    BOX_KEY_CHANGED = "box_key_changed"
    CLOCK_APART = "clock_apart"
    SAME_TITLE = "same_title"
    RETENTION_FAILED = "retention_failed"
    STORE_DAMAGED = "store_damaged"
    BOX_SILENT = "box_silent"
    DETECTOR_FAILED = "detector_failed"
    OVERHEATED = "overheated"

    @property
    def meaning(self) -> str:
        """One line."""
        return _MEANINGS[self]


_MEANINGS = {
    AlarmKind.QUOTA: tr("the box sent more than its quota: the rest is not receipted and waits at the box"),
    AlarmKind.SECOND_HOLDER: tr("two boxes speak with one identity: a card was copied"),
    AlarmKind.OUTBOX_WENT_BACK: tr("the box's outbox was put back to an older state"),
    AlarmKind.RETAINED_FLOOD: tr("the broker keeps messages of the box that it must not keep"),
    AlarmKind.PICTURES_MISSING: tr("pictures of the store are not in its folder any more"),
    AlarmKind.SECOND_STATION: tr("another station speaks for this commune: one of the two gives the receipts"),
    AlarmKind.JOURNAL_AWAY: tr("the journal of the backup cannot be written"),
    AlarmKind.BACKUP_DUE: tr("what the station holds is in no backup that is recent and whole"),
    AlarmKind.BOX_KEY_CHANGED: tr(
        "the box signs footage with another key than the one it is known by: a new card, or another box"
    ),
    AlarmKind.CLOCK_APART: tr(
        "the box dates what it tells more than a day otherwise than this station, and most boxes do not"
    ),
    AlarmKind.SAME_TITLE: tr("boxes are called alike: one of them may be made to be taken for the other"),
    AlarmKind.RETENTION_FAILED: tr("what is due by its age cannot be deleted"),
    AlarmKind.STORE_DAMAGED: tr("the file of the database is damaged"),
    AlarmKind.BOX_SILENT: tr("the box is connected, but silent: it says nothing of itself"),
    AlarmKind.DETECTOR_FAILED: tr("the detector of the box fails: it tells motion only"),
    AlarmKind.OVERHEATED: tr("the box is too hot, and looks at fewer pictures"),
}
