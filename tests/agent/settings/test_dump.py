"""agent.settings.dump"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings.dump import dumped, in_one_line
from agent.settings.yaml import read

numbers = st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False, width=32)
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def taken(text: str) -> object:
    root, faults = read(text.encode())
    assert faults == []
    return root.plain()


@given(st.dictionaries(texts, values, min_size=1, max_size=4))
def test_our_reader_takes_what_is_written_for_the_same(settings: dict[str, object]) -> None:
    assert taken(dumped(settings)) == settings


@given(values)
def test_one_line_is_one_line_and_the_same(value: object) -> None:
    line = in_one_line(value)

    assert "\n" not in line
    assert taken(f"places:\n  - {line}\n") == {"places": [value]}


@pytest.mark.parametrize("word", ["no", "on", "12:30", "1_000", "0o7", "null", "~", "2026-03-02", "1e3", ""])
def test_what_another_reader_would_not_take_for_a_text_is_quoted(word: str) -> None:
    assert taken(dumped({"word": word})) == {"word": word}
    assert in_one_line(word).startswith(('"', "'"))


def test_what_is_the_same_twice_is_written_twice() -> None:
    corner = [0.1, 0.2]

    assert in_one_line({"id": "road", "polygon": [corner, corner]}) == (
        "{id: road, polygon: [[0.1, 0.2], [0.1, 0.2]]}"
    )
