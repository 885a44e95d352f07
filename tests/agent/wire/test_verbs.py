"""agent.wire.verbs"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.printable import printable
from agent.wire.verbs import (
    MOST_SAMPLES,
    VERBS,
    Args,
    ClipArgs,
    LookArgs,
    SamplesArgs,
    SetArgs,
    Verb,
    arguments,
    typed,
    understood,
    usage,
)

WIRE = Path(__file__).resolve().parents[3] / "docs/reference/wire.md"
PAUSE = {"camera": "north", "action": "pause", "until": "2026-03-02T18:00:00+07:00"}


def test_each_verb_is_typed_with_its_arguments() -> None:
    assert [usage(verb) for verb in VERBS] == [
        "ping",
        "snapshot camera=NAME",
        "set camera=NAME [rule=ID] action=pause|resume [until=TIME]",
        "look camera=NAME seconds=20 [per_second=2] officer=OFFICER purpose=PURPOSE",
        "reload",
        "restart",
        "clip camera=NAME from=TIME to=TIME case_number=NUMBER purpose=PURPOSE officer=OFFICER",
        "release request=ID",
        "samples [since=TIME] [most=500] purpose=PURPOSE officer=OFFICER",
    ]


def test_the_reference_has_every_verb_with_its_arguments() -> None:
    rows = {
        line.split("|")[1].strip(" `"): line.split("|")[2]
        for line in WIRE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    }

    for verb in VERBS:
        assert all(f"`{name}`" in rows[verb] for name in arguments(verb)), verb


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


CLIP = {
    "camera": "north",
    "from": "2026-03-02T18:00:00+07:00",
    "to": "2026-03-02T18:01:00+07:00",
    "case_number": "12/2026",
    "purpose": "collision at the market",
    "officer": "Lê Văn A",
}
LOOK = {"camera": "north", "seconds": 20, "officer": "Lan", "purpose": "case 12"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**CLIP, "to": CLIP["from"]}, "clip: from must be before to, and at most an hour before it"),
        ({**CLIP, "to": "2026-03-02T20:00:00+07:00"}, "clip: from must be before to, and at most an hour"),
        ({**CLIP, "from": "yesterday"}, 'from: "yesterday" is no time with its zone'),
        ({**CLIP, "officer": "  "}, 'officer: "  " is not a name of 1 to 100 letters'),
        ({**CLIP, "purpose": "x" * 301}, 'purpose: "xxx'),
        ({key: CLIP[key] for key in CLIP if key != "case_number"}, "clip needs case_number; write clip camera"),
        ({**CLIP, "from_time": CLIP["from"]}, "clip has no argument from_time; it takes camera, from"),
    ],
)  # fmt: skip
def test_of_a_clip_it_is_said_in_the_words_of_the_wire(given: dict[str, Any], words: str) -> None:
    said = understood(Verb.CLIP, given)

    assert isinstance(said, str)
    assert said.startswith(words)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**LOOK, "seconds": 61}, "seconds: 61 is not a whole number from 1 to 60"),
        ({**LOOK, "seconds": "20"}, 'seconds: "20" is not a whole number from 1 to 60'),
        ({**LOOK, "per_second": 3}, "per_second: 3 is not a number from 0.1 to 2"),
        ({**LOOK, "officer": ""}, 'officer: "" is not a name of 1 to 100 letters'),
        ({**LOOK, "purpose": "x" * 301}, f'purpose: "{"x" * 39} is not words, 1 to 300 letters'),
        ({"camera": "north", "seconds": 20}, "look needs officer; write look camera=NAME seconds=20"),
    ],
)
def test_who_looks_says_who_they_are_and_what_for_and_not_for_long(given: dict[str, Any], words: str) -> None:
    said = understood(Verb.LOOK, given)

    assert isinstance(said, str)
    assert said.startswith(words)


SAMPLES = {"since": "2026-03-02T18:00:00+07:00", "most": 500, "purpose": "two-wheelers", "officer": "Lan"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({**SAMPLES, "most": 0}, f"most: 0 is not a whole number from 1 to {MOST_SAMPLES}"),
        ({**SAMPLES, "most": "all"}, 'most: "all" is not a whole number from 1 to'),
        ({**SAMPLES, "since": "7d"}, 'since: "7d" is no time with its zone, such as 2026-'),
        ({**SAMPLES, "purpose": " "}, 'purpose: " " is not words, 1 to 300 letters'),
        ({"most": 5}, "samples needs purpose; write samples [since=TIME] [most=500] purpose=PURPOSE"),
        (
            {**SAMPLES, "camera": "north"},
            "samples has no argument camera; it takes since, most, purpose, officer",
        ),
    ],
)
def test_who_orders_frames_says_who_they_are_and_what_for(given: dict[str, Any], words: str) -> None:
    said = understood(Verb.SAMPLES, given)

    assert isinstance(said, str)
    assert said.startswith(words)


def test_what_is_right_is_understood() -> None:
    assert understood(Verb.SAMPLES, {"purpose": "p", "officer": "o"}) == SamplesArgs(purpose="p", officer="o")
    assert isinstance(understood(Verb.SET, PAUSE), SetArgs)
    assert isinstance(understood(Verb.CLIP, CLIP), ClipArgs)


def test_a_clip_is_kept_as_it_was_asked_for_and_its_words_steer_nothing() -> None:
    said = understood(Verb.CLIP, {**CLIP, "purpose": "a\x1b[2Jb\nc"})

    assert isinstance(said, ClipArgs)
    assert said.purpose == "a\ufffd[2Jb c"
    assert ClipArgs.model_validate_json(said.model_dump_json()) == said
    assert list(said.model_dump(mode="json")) == list(CLIP)
    assert understood(Verb.LOOK, LOOK) == LookArgs(**LOOK, per_second=2.0)


def test_numbers_are_typed_as_words_and_what_is_none_stays_to_be_told() -> None:
    words = {"camera": "7", "seconds": "20", "per_second": "0.5", "officer": "12"}
    assert typed(Verb.LOOK, words) == {"camera": "7", "seconds": 20, "per_second": 0.5, "officer": "12"}
    assert typed(Verb.LOOK, {"seconds": "many", "colour": "1"}) == {"seconds": "many", "colour": "1"}


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
