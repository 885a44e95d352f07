"""agent.wire.verbs"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.printable import printable
from agent.wire.verbs import VERBS, Args, SetArgs, Verb, understood, usage

WIRE = Path(__file__).resolve().parents[3] / "docs/reference/wire.md"
PAUSE = {"camera": "north", "action": "pause", "until": "2026-03-02T18:00:00+07:00"}


def test_each_verb_is_typed_with_its_arguments() -> None:
    assert [usage(verb) for verb in VERBS] == [
        "ping",
        "snapshot camera=NAME",
        "set camera=NAME [rule=ID] action=pause|resume [until=TIME]",
        "reload",
        "restart",
    ]


def test_the_reference_has_every_verb_with_its_arguments() -> None:
    rows = {
        line.split("|")[1].strip(" `"): line.split("|")[2]
        for line in WIRE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    }

    for verb, model in VERBS.items():
        assert all(f"`{name}`" in rows[verb] for name in model.model_fields), verb


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "set needs camera; write set camera=NAME [rule=ID] action=pause|resume [until=TIME]; "),
        ({**PAUSE, "until": "tomorrow"}, 'until: "tomorrow" is no time with its zone, such as 2026-'),
        ({**PAUSE, "until": "2026-03-02T18:00:00"}, 'until: "2026-03-02T18:00:00" is no time with its zone'),
        ({**PAUSE, "until": 7}, "until: 7 is no time with its zone"),
        ({**PAUSE, "action": "stop"}, 'action: "stop" is not pause or resume'),
        ({**PAUSE, "action": "resume"}, "set: action=pause needs until, and action=resume has none"),
        ({**PAUSE, "camera": "North"}, "camera: \"North\" is not 2 to 32 of a-z, 0-9 and '-'"),
        ({**PAUSE, "colour": 1}, "set has no argument colour; it takes camera, rule, action, until"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_words(given: dict[str, Any], words: str) -> None:
    said = understood(Verb.SET, given)

    assert isinstance(said, str)
    assert said.startswith(words)


def test_what_is_right_is_understood() -> None:
    assert isinstance(understood(Verb.SET, PAUSE), SetArgs)


@given(
    st.sampled_from(list(Verb)),
    st.dictionaries(
        st.sampled_from(["camera", "rule", "action", "until"]) | st.text(max_size=50),
        st.none()
        | st.integers()
        | st.text(max_size=80)
        | st.lists(st.text())
        | st.sampled_from([*PAUSE.values()]),
        max_size=6,
    ),
)
def test_whatever_is_given_there_are_arguments_or_words_that_are_no_librarys_and_steer_nothing(
    verb: Verb, given: dict[str, Any]
) -> None:
    said = understood(verb, given)

    assert isinstance(said, Args | str)
    if isinstance(said, str):
        assert printable(said) == said
        assert "Input should" not in said
