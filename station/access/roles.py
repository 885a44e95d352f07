"""What somebody may do at the console: a role has all rights of those before it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from agent.translatable import tr


class Role(StrEnum):
    """From the fewest rights to the most."""

    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


ROLES: Final[Mapping[str, str]] = {
    Role.OFFICER: tr("duty officer"),
    Role.SUPERVISOR: tr("supervisor"),
    Role.ADMINISTRATOR: tr("administrator"),
}
"""How people call them."""
_RISING: Final = tuple(Role)


def allows(role: Role, needed: Role) -> bool:
    """Whether who has `role` may do what asks for `needed`."""
    return _RISING.index(role) >= _RISING.index(needed)
