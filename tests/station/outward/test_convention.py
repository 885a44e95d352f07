"""station.outward.convention"""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from station.outward.convention import as_json, is_news, level
from station.outward.feed import after
from station.store.store import Store
from tests.support.kept_events import event_now
from tests.support.stores import Place


@pytest.fixture
def place(sqlite_place: Place) -> Place:
    """What is said is the same wherever it is kept."""
    return sqlite_place


@given(st.text())
def test_a_name_is_one_level_whatever_it_holds(text: str) -> None:
    made = level(text.encode(errors="replace").decode())

    assert made and made.isascii() and not set(made) & set("/+#\0 ")


@pytest.mark.parametrize("name", ["stop-line", "MyImportantFence1", "1", "hai-ninh-03.north"])
def test_a_common_name_stays_as_it_is(name: str) -> None:
    assert level(name) == name


def test_json_is_ascii() -> None:
    assert json.loads(as_json({"a": "Ngã tư\x1b"})) == {"a": "Ngã tư\x1b"}
    assert as_json({"a": "Ngã tư\x1b"}).isascii()


def test_what_is_late_is_no_news_but_the_end_of_what_was(store: Store, engines: tuple[Engine, Engine]) -> None:
    store.commit(
        [
            event_now(1), event_now(2, ago_s=90), event_now(2, 2, ago_s=90, phase="end"),
            event_now(3, phase="end"), event_now(4, replayed=True),
        ]
    )  # fmt: skip
    store.commit([event_now(1, 2, phase="end", replayed=True)])
    outs = after(engines[0], 0).events
    now_ms = round(time.time() * 1000)

    def news(at_ms: int) -> list[str]:
        return [out.id.removeprefix("north-01.") for out in outs if is_news(out, at_ms)]

    assert news(now_ms) == ["e-1.1", "e-3.1", "e-1.2"]
    assert news(now_ms + 120_000) == ["e-1.2"], "what the station held back is old, too"
