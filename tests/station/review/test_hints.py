"""station.review.hints"""

from __future__ import annotations

import pytest

from agent.config.schema import Config
from agent.core.rules.registry import KINDS
from agent.language import translated
from agent.settings.introspect import groups
from station.review.hints import RULE_WORDS, Hint, hint_for
from station.review.states import FalseReason

EVERY = {
    f"{kind}-{reason}": hint
    for kind in RULE_WORDS
    for reason in FalseReason
    if (hint := hint_for(kind, reason)) is not None
}


def places() -> dict[str, set[str]]:
    """Every setting of a box by its path, and for which kinds of rules it is."""
    found: dict[str, set[str]] = {}
    for group in groups(Config):
        for setting in group.settings:
            found.setdefault(f"{group.path}.{setting.name}".removeprefix("."), set()).add(group.path)
    return found


@pytest.mark.parametrize("name", EVERY)
def test_a_hint_is_told_in_both_languages_and_names_settings_of_that_kind_of_rule(name: str) -> None:
    hint, kind = EVERY[name], name.partition("-")[0]
    for path in hint.settings:
        of_kind = path.replace("cameras[].rules[].", f"cameras[].rules[]({kind}).")
        assert {path, of_kind} & set(places()), (path, sorted(places())[:5])
    assert translated(hint.words, "vi") != translated(hint.words, "en")


def test_every_kind_of_rule_has_words() -> None:
    assert set(RULE_WORDS) >= {kind.name for kind in KINDS}
    for words in RULE_WORDS.values():
        assert translated(words, "vi") != translated(words, "en")


def test_a_fault_of_the_camera_is_no_matter_of_settings() -> None:
    for kind in RULE_WORDS:
        hint = hint_for(kind, FalseReason.CAMERA_FAULT)
        assert isinstance(hint, Hint) and hint.settings == ()


def test_of_other_reasons_nothing_is_said() -> None:
    assert {hint_for(kind, FalseReason.OTHER) for kind in RULE_WORDS} == {None}
