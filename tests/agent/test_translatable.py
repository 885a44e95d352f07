"""agent.translatable"""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import CameraLost, NgatuError
from agent.printable import printable
from agent.translatable import Translatable, filtered, joined, plain, restored, tr


def test_a_message_is_its_english_text_to_whoever_only_reads_it() -> None:
    message = tr("camera {name}: no picture for {seconds:.0f} s", name="north", seconds=4.6)

    assert message == "camera north: no picture for 5 s"
    assert json.dumps([message]) == '["camera north: no picture for 5 s"]'
    assert f"{message}!" == "camera north: no picture for 5 s!"
    assert (message.msgid, message.values["seconds"]) == ("camera {name}: no picture for {seconds:.0f} s", 4.6)


def test_braces_that_are_meant_are_doubled_and_those_of_values_are_not_looked_at() -> None:
    assert tr("write {{env: NAME}}, not {given}", given="{env}") == "write {env: NAME}, not {env}"


def test_the_text_of_an_error_stays_translatable() -> None:
    for error in (ValueError(tr("no")), NgatuError(tr("no"), tr("yes")), CameraLost(tr("no"))):
        assert isinstance(str(error), Translatable)

    kept = tr("{path}: {error}", path="a", error=NgatuError(tr("no"), tr("yes"))).values["error"]
    assert kept == "no\n  hint: yes"
    assert isinstance(kept, Translatable)


def test_it_travels_between_processes() -> None:
    message = pickle.loads(pickle.dumps(printable(joined(tr(" or "), [tr("{a}\n", a=1), "b"]))))

    assert message == "1  or b"
    assert isinstance(message.values["text"].values["between"], Translatable)


@given(st.lists(st.text()), st.text())
def test_what_is_joined_is_what_join_gives(parts: list[str], between: str) -> None:
    assert joined(between, parts) == between.join(parts)


@given(st.text())
def test_what_is_filtered_is_what_the_filter_gives(text: str) -> None:
    assert filtered(text, str.upper) == text.upper()


def test_it_travels_as_json() -> None:
    message = tr("{a} after {late_s:.1f} s", a=tr("{b}: {{}}", b="x{y}"), late_s=1.26)
    again = restored(json.loads(json.dumps(plain(message))))

    assert again == message == "x{y}: {} after 1.3 s"
    assert isinstance(again, Translatable)
    assert (again.msgid, again.values["a"].msgid) == (message.msgid, "{b}: {{}}")
    assert restored(plain("as it is {}")) == "as it is {}"
    assert restored(plain(printable(tr("a\n")))) == "a "


@pytest.mark.parametrize(
    "words",
    [
        None,
        7,
        [],
        ["{a}"],
        ["{a}", {}],
        ["{a}", ["b"]],
        ["{a.__class__}", {"a": "b"}],
        ["{a[0]}", {"a": "b"}],
        ["{a!r}", {"a": "b"}],
        ["{a:>999}", {"a": "b"}],
        ["{a:{a}}", {"a": 9999999}],
        ["{0}", {}],
        ["{", {}],
        ["{a:d}", {"a": "b"}],
        ["x" * 1001, {}],
        ["{a}", {"a": ["{a}", {"a": ["{a}", {"a": ["{a}", {"a": ["{a}", {"a": "b"}]}]}]}]}],
    ],
)
def test_what_another_process_made_up_does_no_more_than_put_values_into_a_text(words: Any) -> None:
    with pytest.raises(ValueError, match=r".*"):
        restored(words)
