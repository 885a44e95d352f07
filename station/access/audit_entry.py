"""One entry of the console's audit log, as it is bound to the one before it. Pure.

The sha256 of an entry is that of its canonical JSON (RFC 8785), in which the sha256 of the entry before
stands as `previous_sha256`; the first one follows FIRST. Its number stands in it too, so that no two can
change places.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from agent.printable import printable
from agent.translatable import tr
from agent.wire.signature import LARGEST, canonical

FIRST: Final = "0" * 64
HEAD: Final = "console.head"
"""The file that says where the log ends, in the folder of the station's state."""
MAX_SUBJECT_CHARS: Final = 300
MAX_DETAIL_CHARS: Final = 4_000
_MAX_NAME_CHARS: Final = 120
_DEEPEST: Final = 4


class AuditVerb(StrEnum):
    """What somebody did at the console."""

    LOG_IN = "log_in"
    LOG_IN_FAILED = "log_in_failed"
    LOG_OUT = "log_out"
    REFUSED = "refused"
    LOOK_UP = "look_up"
    VIEW_EVENT = "view_event"
    VIEW_PICTURE = "view_picture"
    VIEW_EVIDENCE = "view_evidence"
    VIEW_COUNTS = "view_counts"
    VIEW_SHIFT = "view_shift"
    VIEW_AUDIT = "view_audit"
    EXPORT = "export"
    REVIEW = "review"
    ORDER = "order"
    LOOK = "look"
    REQUEST_FOOTAGE = "request_footage"
    HAND_OVER = "hand_over"
    VIEW_RETENTION = "view_retention"
    HOLD = "hold"
    RELEASE = "release"
    ACCOUNT_MADE = "account_made"
    ACCOUNT_CHANGED = "account_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    PLAN_CHANGED = "plan_changed"
    SETTING_CHANGED = "setting_changed"
    CASE_CLOSED = "case_closed"
    DELETED = "deleted"
    RESTORED = "restored"
    LOG_END_LOST = "log_end_lost"
    ASK_COMMUNE = "ask_commune"
    PROVINCE_REQUEST = "province_request"


VERBS: Final[Mapping[str, str]] = {
    AuditVerb.LOG_IN: tr("logged in"),
    AuditVerb.LOG_IN_FAILED: tr("failed to log in"),
    AuditVerb.LOG_OUT: tr("logged out"),
    AuditVerb.REFUSED: tr("was refused a page"),
    AuditVerb.LOOK_UP: tr("looked up events"),
    AuditVerb.VIEW_EVENT: tr("viewed an event"),
    AuditVerb.VIEW_PICTURE: tr("viewed a picture"),
    AuditVerb.VIEW_EVIDENCE: tr("viewed evidence"),
    AuditVerb.VIEW_COUNTS: tr("viewed counts"),
    AuditVerb.VIEW_SHIFT: tr("viewed a shift"),
    AuditVerb.VIEW_AUDIT: tr("viewed this log"),
    AuditVerb.EXPORT: tr("exported"),
    AuditVerb.REVIEW: tr("reviewed an alert"),
    AuditVerb.ORDER: tr("gave a box an order"),
    AuditVerb.LOOK: tr("looked through a camera"),
    AuditVerb.REQUEST_FOOTAGE: tr("requested footage"),
    AuditVerb.HAND_OVER: tr("handed evidence over"),
    AuditVerb.VIEW_RETENTION: tr("viewed what is kept and deleted"),
    AuditVerb.HOLD: tr("held something back from deletion"),
    AuditVerb.RELEASE: tr("released what was held"),
    AuditVerb.ACCOUNT_MADE: tr("made an account"),
    AuditVerb.ACCOUNT_CHANGED: tr("changed an account"),
    AuditVerb.PASSWORD_CHANGED: tr("changed a password"),
    AuditVerb.TOKEN_MADE: tr("let a program in"),
    AuditVerb.TOKEN_REVOKED: tr("shut a program out"),
    AuditVerb.PLAN_CHANGED: tr("changed a plan"),
    AuditVerb.SETTING_CHANGED: tr("changed a setting"),
    AuditVerb.CASE_CLOSED: tr("closed a case"),
    AuditVerb.DELETED: tr("deleted by its age"),
    AuditVerb.RESTORED: tr("restored a backup"),
    AuditVerb.ASK_COMMUNE: tr("asked a commune's station"),
    AuditVerb.PROVINCE_REQUEST: tr("asked this station from the province"),
    AuditVerb.LOG_END_LOST: tr("found that the file with this log's end was gone or damaged"),
}
"""How people read them, behind a name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something. Nobody is logged in: '' is the login and the role, and the name may say who it was."""

    login: str
    name: str
    role: str
    address: str
    """Of the browser; of a command at the station's own machine AT_THE_MACHINE, of a request of the province
    OF_THE_PROVINCE."""


AT_THE_MACHINE: Final = "station"
OF_THE_PROVINCE: Final = "province"


@dataclass(frozen=True, slots=True)
class ConsoleEntry:
    """One entry as it is kept."""

    id: int
    """Counts from 1 without gaps."""
    time_ms: int
    login: str
    name: str
    role: str
    address: str
    verb: str
    subject: str
    """What it was about: box/camera, an event's id, a request's id, a login."""
    detail: str
    """A JSON object."""
    previous_sha256: str
    sha256: str

    @property
    def details(self) -> dict[str, Any]:
        """The detail read; {} where it was altered to something else."""
        try:
            found = json.loads(self.detail)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Number and hash of an entry: that of the last one says where a log ends."""

    id: int
    sha256: str


def entry_of(
    follows: LogEnd, time_ms: int, actor: Actor, verb: AuditVerb, subject: str, detail: Mapping[str, Any]
) -> ConsoleEntry:
    """The entry that comes after this end; whatever steers a terminal is taken out of its texts."""
    made = ConsoleEntry(
        follows.id + 1,
        time_ms,
        printable(actor.login)[:_MAX_NAME_CHARS],
        printable(actor.name)[:_MAX_NAME_CHARS],
        str(actor.role),
        printable(actor.address)[:_MAX_NAME_CHARS],
        str(verb),
        printable(subject)[:MAX_SUBJECT_CHARS],
        _text(detail),
        follows.sha256,
        "",
    )
    fields = asdict(made)
    return ConsoleEntry(**{**fields, "sha256": digest(made)})


def digest(entry: ConsoleEntry) -> str:
    """The sha256 that an entry must have."""
    fields = asdict(entry)
    del fields["sha256"]
    return sha256(canonical(fields)).hexdigest()


def _text(detail: Mapping[str, Any]) -> str:
    text = canonical(_plain(detail)).decode()
    return text if len(text) <= MAX_DETAIL_CHARS else canonical({"cut": text[: MAX_DETAIL_CHARS // 2]}).decode()


def _plain(value: Any, deepest: int = _DEEPEST) -> Any:
    """As JSON has it the same for every reader."""
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= LARGEST:
            return value
        case Mapping() if deepest:
            return {printable(str(key)): _plain(each, deepest - 1) for key, each in value.items()}
        case list() | tuple() | set() | frozenset() if deepest:
            return [_plain(each, deepest - 1) for each in value]
        case _:
            return printable(str(value))
