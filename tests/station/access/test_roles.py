"""station.access.roles"""

from __future__ import annotations

from itertools import product

import pytest

from agent.language import translated
from station.access.roles import ROLES, Role, allows

RISING = ["officer", "supervisor", "administrator"]


@pytest.mark.parametrize(("own", "needed"), list(product(RISING, RISING)))
def test_a_role_has_all_rights_of_those_before_it_and_none_of_those_behind(own: str, needed: str) -> None:
    assert allows(Role(own), Role(needed)) == (RISING.index(own) >= RISING.index(needed))


def test_every_role_has_a_name_for_people() -> None:
    assert [translated(ROLES[role], "vi") for role in Role] == ["cán bộ trực ban", "chỉ huy", "quản trị viên"]
