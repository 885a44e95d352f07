"""agent.settings.scalars"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings.scalars import resolve, shown


@given(st.text(max_size=12))
def test_a_resolved_text_is_finite(text: str) -> None:
    value, _ = resolve(text)
    assert not isinstance(value, float) or value - value == 0


@pytest.mark.parametrize("text", ["0123", "1" * 19, ".inf", ".nan"])
def test_a_number_that_readers_take_differently_is_refused_with_what_to_do(text: str) -> None:
    _, fault = resolve(text)
    assert fault is not None
    assert "quote it" in fault[1]


def test_a_text_for_a_terminal_is_short_and_harmless() -> None:
    assert shown("a\x1b[31m") == "a\\x1b[31m"
    assert len(shown("a" * 500)) == 60
