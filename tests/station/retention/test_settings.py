"""station.retention.settings"""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from station.config import StationConfig, parse
from station.retention.settings import CLASSES, KeptClass, RetentionSettings


def read(words: str) -> StationConfig:
    return parse(f"commune: hai-ninh\n{words}".encode(), "station.yaml")


def test_without_a_word_nothing_is_ever_deleted() -> None:
    assert read("").retention is None
    some = read("retention: {events: 365}").retention
    assert some is not None
    assert {kept: some.days(kept) for kept in KeptClass if some.days(kept)} == {KeptClass.EVENTS: 365}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("retention: {pictures: 30, events: 20}", "pictures cannot be kept longer than their events (20 days)"),
        ("retention: {events: 0}", "retention.events: 0 is outside 1..36500"),
        ("retention: {alerts: 40000}", "retention.alerts: 40000 is outside 1..36500"),
        ("retention: {picture: 3}", "did you mean pictures?"),
    ],
)
def test_nonsense_is_one_clear_error(words: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(words)
    assert what in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_pictures_may_go_while_their_events_stay_for_ever() -> None:
    assert read("retention: {pictures: 30}").retention == RetentionSettings(pictures=30)


def test_each_class_is_a_setting_and_has_words() -> None:
    assert set(RetentionSettings.model_fields) == {str(kept) for kept in KeptClass} == set(map(str, CLASSES))
