"""station.handover.recognised"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language import catalogued, translated
from agent.translatable import Translatable, tr
from station.handover.recognised import OF_BOXES, recognised


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        ("there is no footage of camera north yet", "chưa có đoạn ghi hình nào của camera north"),
        ("north: the footage cannot be cut: Input/output error", "north: không cắt được đoạn ghi hình: "),
        ("the manifest of the package cannot be read", "không đọc được bản kê của gói"),
        ("the package has 12 bytes, and footage.max_bytes is 3: ask for a shorter range", "gói có 12 byte"),
    ],
)
def test_a_message_of_ours_that_came_as_plain_english_is_translated(english: str, vietnamese: str) -> None:
    assert recognised(english) == english
    assert translated(recognised(str.__str__(english)), "vi").startswith(vietnamese)


def test_every_refusal_of_a_box_is_translated() -> None:
    assert all(translated(each, "vi") != each for each in OF_BOXES)


def test_a_message_within_a_message_is_known_too() -> None:
    whole = tr("not judged: {why}", why=tr("the manifest of the package cannot be read"))
    found = recognised(str.__str__(whole) + "")

    assert translated(recognised("".join(found)), "vi") == translated(whole, "vi")


def test_what_is_marked_already_stays_as_it_is() -> None:
    marked = tr("authentic")

    assert recognised(marked) is marked


@given(st.text() | st.sampled_from(catalogued("vi")))
def test_the_english_text_never_changes(text: str) -> None:
    assert str.__eq__(recognised(text), text)


def test_a_long_text_of_a_hostile_box_takes_no_longer_than_it_must() -> None:
    began_s = time.process_time()
    for separator in (", ", ": ", "; ", " is ", "the package has , and "):
        assert not isinstance(recognised((separator * 2_000)[:2_000]), Translatable)

    assert time.process_time() - began_s < 2
