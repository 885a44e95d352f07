"""station.boxes.order_kinds"""

from __future__ import annotations

from station.access.roles import Role
from station.boxes.order_kinds import STAGES, TERMS, BoxWish, OrderGiver, OrderKind, OrderProgress, OrderStage


def test_every_kind_has_its_terms_and_every_stage_its_words() -> None:
    assert set(TERMS) == set(OrderKind)
    assert set(STAGES) == set(OrderStage)


def test_what_changes_a_box_or_takes_frames_from_it_is_for_supervisors_and_what_looks_is_for_officers() -> None:
    roles = {str(kind): terms.role for kind, terms in TERMS.items()}
    supervisors = {kind for kind, role in roles.items() if role is Role.SUPERVISOR}

    assert supervisors == {"reload", "restart", "samples"}
    assert set(roles.values()) == {Role.OFFICER, Role.SUPERVISOR}


def test_nobody_waits_less_long_than_the_box_may_take_to_begin() -> None:
    assert all(terms.wait_s >= terms.life_s for terms in TERMS.values())


def test_an_order_is_over_once_it_is_done_or_will_not_be() -> None:
    giver = OrderGiver("lan", "Lan", Role.OFFICER)
    running = {
        stage
        for stage in OrderStage
        if not OrderProgress("x", BoxWish(OrderKind.PICTURE, "b", "c"), giver, 1, stage).is_over
    }

    assert running == {OrderStage.SENDING, OrderStage.SENT, OrderStage.ACCEPTED, OrderStage.COMING}
