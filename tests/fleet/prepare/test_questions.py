"""fleet.prepare.questions"""

from __future__ import annotations

import pytest

from agent.errors import NgatuError
from fleet.prepare.questions import AUTHORITY, BOARDS, COMMUNE, SECRETS, Question
from tests.fleet.prepare.test_inventory import ANSWERS


def named(key: str) -> Question:
    return next(each for each in COMMUNE if each.key == key)


def test_whoever_takes_every_guess_is_right_with_each() -> None:
    for question in COMMUNE:
        if guess := question.guess(ANSWERS):
            assert question.judge(guess, ANSWERS) == guess, question.key


def test_a_station_with_an_ipv6_address_needs_a_name_for_its_broker() -> None:
    assert named("broker").guess({"station_address": "fd00::2"}) == ""
    assert named("broker").guess({"station_address": "10.20.0.2"}) == "10.20.0.2"


@pytest.mark.parametrize(("key", "word"), [("box", "tram-hai-ninh"), ("box_address", "10.20.0.2")])
def test_a_box_is_not_the_station(key: str, word: str) -> None:
    with pytest.raises(NgatuError) as refused:
        named(key).judge(word, ANSWERS)
    assert "each host has its own" in str(refused.value)


def test_what_a_ribbon_camera_has_not_is_not_asked() -> None:
    ribbon = ANSWERS | {"camera_kind": "csi"}
    assert [each.key for each in (*COMMUNE, *SECRETS) if not each.asked(ribbon)] == [
        "camera_url", "camera_user", "camera_password",
    ]  # fmt: skip


@pytest.mark.parametrize("word", ["short", "a long one with {{ braces }}", " space before it", "a\ttab in it…"])
def test_a_passphrase_that_would_not_come_back_as_it_is_is_refused(word: str) -> None:
    with pytest.raises(NgatuError, match="this will not do"):
        AUTHORITY.judge(word, {})


def test_no_key_stands_twice_and_every_board_may_be_named() -> None:
    keys = [each.key for each in (*COMMUNE, *SECRETS)]
    assert len(keys) == len(set(keys))
    assert all(named("board").judge(board, ANSWERS) == board for board in BOARDS)
