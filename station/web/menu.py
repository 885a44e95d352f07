"""The console's menu: its pages in the order in which a shift needs them, and to whom each is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent.translatable import tr
from station.access.roles import Role, allows

MENU: Final = (
    ("/", tr("Wall"), Role.OFFICER),
    ("/review", tr("Alerts"), Role.OFFICER),
    ("/lookup", tr("Look-ups"), Role.OFFICER),
    ("/requests", tr("Footage"), Role.OFFICER),
    ("/counts", tr("Counts"), Role.OFFICER),
    ("/boxes", tr("Boxes"), Role.OFFICER),
    ("/shift", tr("Shift"), Role.OFFICER),
    ("/audit", tr("Who did what"), Role.SUPERVISOR),
    ("/retention", tr("Retention"), Role.SUPERVISOR),
    ("/people", tr("People"), Role.ADMINISTRATOR),
)
"""Path, name, role."""


OF_PROVINCE: Final = ("/lookup", "/counts", "/boxes", "/audit", "/people")
"""What the console of the province has of these: the rest is a commune's work, or needs what does not go up."""
ONLY_OF_PROVINCE: Final = (("/asked", tr("Asked of communes"), Role.OFFICER),)
"""What no station has; behind the look-ups."""


def menu_of(role: Role, *, of_province: bool = False) -> list[tuple[str, str]]:
    """What the menu shows to this role: (path, name)."""
    pages: Sequence[tuple[str, str, Role]] = MENU
    if of_province:
        shown = tuple(page for page in MENU if page[0] in OF_PROVINCE)
        pages = (*shown[:1], *ONLY_OF_PROVINCE, *shown[1:])
    return [(path, name) for path, name, needed in pages if allows(role, needed)]


def here(path: str) -> str:
    """Under which of the menu's pages a path is."""
    first = "/" + path.strip("/").split("/")[0]
    under = {"/events": "/lookup", "/rules": "/review", "/plans": "/boxes", "/programs": "/people"}
    return under.get(first, first)
