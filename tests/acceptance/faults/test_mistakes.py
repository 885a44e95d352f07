"""tests.acceptance.faults.mistakes: its page, and how it reads what is said; `make test-faults` makes them"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.faults.mistakes import messages
from tests.acceptance.faults.mistakes.mistake import MAKERS, NEVER, Mistake, Said, all_mistakes
from tests.acceptance.faults.mistakes.page import PAGE, row, rows
from tests.acceptance.faults.mistakes.trial import made
from tests.support.brokers import MOSQUITTO

EVERY = all_mistakes()
WRITTEN = rows(PAGE.read_text(encoding="utf-8"))
TABLE = "│ clock │ no │ failed │\n│ a │ b │ ok │\n│ c │ d │ failed │\n│  │ e │  │"
PANEL = "Usage: ngatu\nTry it\n\n╭─ Error ──╮\n│ wrong │\n╰──────────╯\n"
ONE = Mistake("one", "officer", "a slip", 2, "no such thing", "file:3", "write it so", lambda _desk: SAID)
SAID = Said(2, "", ("file:3: no such thing; write it so",), 1.0)


def test_there_are_sixty_and_more_of_everybody() -> None:
    assert len(EVERY) >= 60
    assert {each.who for each in EVERY} == set(MAKERS)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_each_has_a_row_that_says_what_where_and_what_to_do(each: Mistake) -> None:
    said, code = WRITTEN[each.who, each.done]

    assert code == each.code
    assert [part for part in (each.what, each.where, each.todo) if part not in said] == []
    assert all((each.what, each.where, each.todo))
    assert not any(word in said for word in NEVER)


@pytest.mark.long
@pytest.mark.broker
def test_some_of_everybody_are_made_and_told_as_they_should(tmp_path: Path) -> None:
    if MOSQUITTO is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("mosquitto not here: apt install mosquitto")
    names = {"tab", "option_first", "watch_closed", "tool_verb", "order_junk", "old_python", "slip_in_target"}
    outcomes = list(made([each for each in EVERY if each.name in names], tmp_path, jobs=3))

    if untried := [each.untried for each in outcomes if each.untried]:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(untried[0])
    assert [(each.mistake.name, each.amiss) for each in outcomes if each.amiss] == []
    assert {each.mistake.name for each in outcomes} == names


def test_the_page_has_no_row_that_nobody_makes() -> None:
    assert WRITTEN.keys() - {(each.who, each.done) for each in EVERY} == set()


@pytest.mark.parametrize(
    "text",
    ["000001-20261202T101512Z", "000001-2026-12-02T10:15:12Z", "000001-2026-12-02 10:15:12.5+00:00"],
)
def test_the_day_of_a_trial_does_not_stand_in_its_row(text: str) -> None:
    assert SAID.named(text) == "000001-{time}"


def test_a_row_is_read_back_as_it_was_written() -> None:
    text = f"## {MAKERS['officer']}\n{row(ONE, 'a | b_c [d] <e> *f*')}"

    assert rows(text) == {("officer", "a slip"): ("a | b_c [d] <e> *f*", 2)}


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (SAID, []),
        (Said(1, "", SAID.messages, 1.0), ["exit code 1, not 2"]),
        (Said(2, "", SAID.messages, 16.0), ["16 s without a word"]),
        (Said(2, "Traceback (most recent call last)", SAID.messages, 1.0), ["it says 'Traceback"]),
        (Said(2, "", (*SAID.messages, "and more"), 1.0), ["2 messages"]),
        (Said(2, "", ("file:3: no such thing",), 1.0), ["what to do is missing: 'write it so'"]),
        (Said(2, "", ("no such thing; write it so",), 1.0), ["where is missing: 'file:3'"]),
        (Said(2, "", (), 1.0), ["0 messages", "what is", "where is", "what to do", "all it said"]),
    ],
)  # fmt: skip
def test_whatever_is_amiss_is_seen(said: Said, wrong: list[str]) -> None:
    found = ONE.amiss(said)

    assert len(found) == len(wrong)
    assert all(one.startswith(other) for one, other in zip(found, wrong, strict=True))


def test_what_differs_from_machine_to_machine_has_a_name() -> None:
    said = Said(0, "", (), 0.0, {"/tmp/x/": "", "/tmp/x": "{folder}", "31883": "{port}"})

    assert said.named("/tmp/x/box.yaml at 127.0.0.1:31883,\n  2026-03-02T11:00:00Z") == (
        "box.yaml at 127.0.0.1:{port}, {time}"
    )


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (messages.plain, "what: where\n  hint: do\nanother", ("what: where hint: do", "another")),
        (messages.plain, PANEL, ("Usage: ngatu Try it wrong",)),
        (messages.plain, "lost: nobody there\nnever connected: nobody there", ("lost: nobody there",)),
        (messages.plain, "never connected: nobody there", ("never connected: nobody there",)),
        (messages.plain, "usage: tool [-h]\ntool: error: no", ("usage: tool [-h] tool: error: no",)),
        (messages.table, TABLE, ("c: d e (failed)",)),
        (messages.log, '{"level": "error", "event": "b", "why": "c"}', ("b: why: c",)),
        (messages.log, '{"level": "info", "event": "a"}\nwhat\n  hint: do', ("what hint: do",)),
        (messages.ansible, 'TASK [a]\nfatal: [box]: FAILED! => {"msg": "no"}\n\nPLAY RECAP', ("box: no",)),
        (messages.ansible, "[ERROR]: no inventory\nOrigin: x\n\nPLAY", ("no inventory Origin: x",)),
    ],
)  # fmt: skip
def test_messages_are_told_from_the_rest(read: object, text: str, found: tuple[str, ...]) -> None:
    assert read(text) == found  # type: ignore[operator]
