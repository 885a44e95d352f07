"""station.command_words"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import NgatuError, UsageError
from agent.wire import codec
from agent.wire.payloads import AckBody
from agent.wire.verbs import VERBS, Verb, usage
from station.command import CommandReply
from station.command_words import arguments, may_save, order, picture_words, promised, save, shown

ANSWER = b'{"id":"c-1","state":"done","time":"2026-03-02T11:04:07Z"}'


def answered(state: str = "done", picture: bytes | None = None, **result: object) -> CommandReply:
    answer = codec.parse(AckBody, ANSWER).model_copy(update={"state": state, "result": result})
    return CommandReply("c-1", [answer], picture)


def test_words_become_arguments() -> None:
    args = arguments(["camera=north", "until=+2h", "rule=a=b"])
    until_s = datetime.fromisoformat(args.pop("until")).timestamp()

    assert args == {"camera": "north", "rule": "a=b"}
    assert until_s == pytest.approx((datetime.now(UTC) + timedelta(hours=2)).timestamp(), abs=5)


@pytest.mark.parametrize(
    "words", [["camera"], ["=north"], ["until=+2x"], ["until=+"], ["until=+-3h"], ["until=+²h"], ["a=1", "a=2"]]
)
def test_a_word_that_is_no_argument_is_told(words: list[str]) -> None:
    with pytest.raises(UsageError):
        arguments(words)


def test_an_order_is_made_of_what_its_verb_takes() -> None:
    made = order("set", ["camera=north", "action=pause", "until=2026-03-02T18:00:00+07:00"])

    assert made.verb is Verb.SET
    assert made.args == {"camera": "north", "action": "pause", "until": "2026-03-02T18:00:00+07:00"}


def test_an_unknown_order_is_told_with_all_there_are_and_what_each_takes() -> None:
    with pytest.raises(UsageError) as caught:
        order("restrat", [])

    assert caught.value.what == "there is no order 'restrat'; did you mean restart?"
    assert all(usage(verb) in caught.value.hint for verb in VERBS)


@pytest.mark.parametrize(
    ("verb", "words", "what", "hint"),
    [
        (
            "snapshot",
            ["camera=north", "rule=x-y"],
            "snapshot has no argument rule; it takes camera",
            "write snap",
        ),
        ("set", ["camera=north", "action=stop"], 'action: "stop" is not pause or resume', "write set camera="),
        ("set", ["camera=north", "action=pause", "until=18:00"], 'until: "18:00" is no time', "+30m"),
        ("set", ["camera=north", "action=pause"], "action=pause needs until", "write set camera="),
        ("ping", ["camera=north"], "ping has no argument camera; it takes no argument", "write ping"),
    ],
)
def test_a_wrong_argument_is_told_with_what_there_is(verb: str, words: list[str], what: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        order(verb, words)

    assert what in caught.value.what
    assert hint in caught.value.hint


def test_an_answer_cannot_steer_the_technicians_terminal() -> None:
    steering = b'"detail":"a\\u001b[2J","result":{"x":"\\u009b31m\\u202e"}'
    answer = codec.parse(AckBody, ANSWER[:-1] + b"," + steering + b"}")

    said = shown(CommandReply("c-1", [answer]))

    assert not set("\x1b\x9b\u202e") & set(said)
    assert "done" in said


def test_how_it_stands_with_a_picture_is_said() -> None:
    name = "ab" * 32
    without, with_picture = answered(sha256=name), answered(picture=b"jpeg", sha256=name)

    assert "has not come within 2 s" in picture_words(without, name, False, 2)
    assert "is `ngatu station` at work" in picture_words(with_picture, name, False, 2)
    assert picture_words(with_picture, name, True, 2) == f"its picture: {name}, kept by the station"
    assert picture_words(without, name, None, 2).startswith(
        f"its picture, once the station has kept it: {name}; user "
    )


def test_only_what_was_done_promises_a_picture_and_by_a_hash() -> None:
    assert promised(answered(sha256="ab" * 32)) == "ab" * 32
    for other in (
        answered("failed", sha256="ab" * 32),
        answered(sha256="../" * 21 + "x"),
        answered(sha256=7),
        answered(),
        CommandReply("c-1"),
    ):
        assert promised(other) is None


def test_a_place_for_a_picture_is_judged_before_anything_is_sent(tmp_path: Path) -> None:
    may_save(tmp_path / "north.jpg", Verb.SNAPSHOT)
    for file, verb in (
        (tmp_path, Verb.SNAPSHOT),
        (tmp_path / "no" / "north.jpg", Verb.SNAPSHOT),
        (tmp_path / "north.jpg", Verb.PING),
    ):
        with pytest.raises(UsageError, match="--save"):
            may_save(file, verb)


def test_the_picture_that_came_is_saved_or_the_one_that_the_station_keeps(tmp_path: Path) -> None:
    file = tmp_path / "north.jpg"
    save(file, None, lambda: None)
    assert not file.exists()
    save(file, None, lambda: b"kept")
    assert file.read_bytes() == b"kept"
    save(file, b"came", lambda: b"kept")
    assert file.read_bytes() == b"came"
    with pytest.raises(NgatuError, match="--save"):
        save(tmp_path, b"came", lambda: None)


def test_a_clip_is_asked_for_by_its_own_command_which_notes_it() -> None:
    with pytest.raises(UsageError, match="the station has to note first") as error:
        order("clip", ["camera=north"])
    assert "ngatu clip BOX CAMERA" in error.value.hint


def test_frames_for_training_are_ordered_by_their_own_command_which_notes_it() -> None:
    with pytest.raises(UsageError, match="the station has to note first") as error:
        order("samples", ["purpose=better", "officer=Lan"])
    assert "ngatu station samples BOX" in error.value.hint
