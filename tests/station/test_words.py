"""station.words"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from station import words
from station.audit.proof import StoreFault
from station.ingest.alarms import AlarmKind
from station.store.gaps import GapState


@pytest.mark.parametrize(
    ("named", "there_are"),
    [(words.GAP_STATES, GapState), (words.ALARMS, AlarmKind), (words.FAULTS, StoreFault)],
)
def test_every_word_of_the_store_is_named_and_english_as_it_stands_there(
    named: Mapping[str, str], there_are: type[StrEnum]
) -> None:
    assert dict(named) == {each.value: each.value for each in there_are}
