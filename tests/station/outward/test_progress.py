"""station.outward.progress"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from station.outward.progress import HookBook
from station.store.database import StoreError
from tests.support.stores import Place


def test_a_new_one_begins_where_the_feed_is_and_one_that_is_known_where_it_was(
    engines: tuple[Engine, Engine],
) -> None:
    book = HookBook(engines[1])
    begun = book.begin("dispatch", 7, 1000)
    assert (begun.feed_id, begun.delivered, begun.failing_ms) == (7, 0, None)

    far = replace(begun, feed_id=9, delivered=2, failing_ms=2**41, trouble="x" * 1000)
    book.keep(far)

    again = book.begin("dispatch", 100, 5000)
    assert again == replace(far, trouble="x" * 300)
    assert book.every() == (again,)


def test_a_store_that_is_gone_is_told_in_words(engines: tuple[Engine, Engine], place: Place) -> None:
    place.do("drop table webhook")
    book = HookBook(engines[1])

    for ask in (lambda: book.begin("a", 0, 0), book.every):
        with pytest.raises(StoreError):
            ask()
