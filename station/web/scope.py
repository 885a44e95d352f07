"""Of which communes a page shows things: at a station of its own, at the province of those that are chosen.

Invariant: nobody is shown what is not open to him. What somebody chooses only narrows what an administrator has
opened, and the database holds to it (station/province/desk.py).
"""

from __future__ import annotations

from typing import Any, Final

from station.access.account import ALL_COMMUNES
from station.province.desk import reach, with_info
from station.web.console import DutyConsole

CHOICE: Final = "ngatu-commune"
"""Cookie with the commune that somebody has chosen."""
MOST_CHARS: Final = 400


def narrowed(opened: str, chosen: str) -> str:
    """The communes to be shown: the one that is chosen, where it is open; else all that are."""
    return chosen if chosen and is_open(opened, chosen) else opened


def is_open(opened: str, commune: str) -> bool:
    """Whether an account may see a commune."""
    if not commune or " " in commune or commune == ALL_COMMUNES:
        return False
    return opened == ALL_COMMUNES or commune in opened.split()


def in_short(communes: str) -> str:
    """As it stands in each line of the log: of very many only how many; which, the account's own line says."""
    return communes if len(communes) <= MOST_CHARS else str(len(communes.split()))


def scope_values(console: DutyConsole, opened: str, communes: str) -> dict[str, Any]:
    """What every page of the province's console says of communes: those that are open, shown, and away.

    Raises:
        StoreError: the database cannot be read.
    """
    now_ms = console.now_ms
    known = reach(console.open_to(opened).reads, now_ms)
    shown = [each for each in known if communes in (opened, each.name)]
    return {
        "communes": [each.name for each in known],
        "only": communes if communes != opened or len(known) == 1 else "",
        "away": [each for each in shown if each.is_away],
        "held_back": [each.name for each in shown if each.held_back_ms is not None],
    }


def without_info(console: DutyConsole, since_ms: int, until_ms: int) -> list[str]:
    """Communes that are shown of which only alerts are here of a time: by their names.

    Raises:
        StoreError: the database cannot be read.
    """
    having = with_info(console.reads, since_ms, until_ms)
    return [each.name for each in reach(console.reads, console.now_ms) if each.name not in having]


def every_commune(console: DutyConsole) -> list[str]:
    """Whatever is open to whoever asks: for administrators, who open them.

    Raises:
        StoreError: the database cannot be read.
    """
    return [each.name for each in reach(console.open_to(ALL_COMMUNES).reads, console.now_ms)]
