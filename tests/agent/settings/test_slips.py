"""agent.settings.slips"""

from __future__ import annotations

import time

import pytest

from agent.settings.slips import slip, without_blank
from agent.settings.yaml import UnreadableYaml, read


def told_of(text: str) -> tuple[int, str, str]:
    """Line, what and hint of what ended the reading."""
    with pytest.raises(UnreadableYaml) as caught:
        read(text.encode())
    fault = caught.value.faults[-1]
    return fault.line, fault.what, fault.hint


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("device:\n  commune:hai-ninh\n  id: a", 2, "there is no blank behind 'commune:'"),
        ("device:\n  commune: a\n  id:b\nbroker:\n  host: c", 3, "there is no blank behind 'id:'"),
        ("device:\n  commune a\n  id: b", 2, "there is no ':' behind 'commune'"),
        ("device\n  id: b", 1, "there is no ':' behind 'device'"),
        ("device:\n\tid: a", 2, "a tab indents this line"),
        ("device:\n  commune: a\n  id:\u00a0b\nbroker: c", 3, "a blank here is none (U+00A0)"),
        ("device:\n  commune: a\n  id： b\nbroker: c", 3, "the colon here is another sign than ':'"),
        ("rules:\n  – {kind: motion, id: a}", 2, "the dash here is another sign than '-'"),
        ("rules:\n  - {kind: motion}\n  {kind: object}", 3, "there is no '- ' before an item of a list"),
        ("device:\n  id: a\n   place: b", 3, "this line is indented further than line 2"),
        ("device:\n  place: Ngã tư: Lê Lợi", 2, "a ': ' stands in the value"),
        ('device:\n  place: "Ngã tư" Lê Lợi\n  id: a', 2, "something stands behind the closing quotation mark"),
        (
            'device:\n  place: "Ngã tư\n  id: a\nbroker:\n  host: b\n  port: 1\n',
            2,
            "a quotation mark is never closed",
        ),
        ("device:\n  place: *Ngã tư\n  id: a", 2, "a text may not begin with *"),
        (
            "zones:\n  - id: road\n  polygon: [[0, 0], [1, 0], [1, 1]]",
            3,
            "this line begins under the '-' of line 2",
        ),
        ("zones:\n  - polygon: [[0, 0] [1, 0], [1, 1]]\n    id: a", 2, "there is no comma in '] ['"),
        (
            "zones:\n  - {polygon: [[0, 0], [1, 0]]], id: a}\nrules: []",
            2,
            "there is a ']' too many, or its '['",
        ),
        ("zones:\n  - polygon: [[0, 0], [1, 0], [1, 1]\n    id: a", 2, "a '[' is never closed"),
        ("zones:\n  - polygon: [[0, 0], [1, 0], [1, 1]]]\n    id: a", 2, "there is a ']' too many, or its '['"),
        ("source: {kind: file, path: 'a]'\nrules: []\nname: b", 1, "a '{' is never closed"),
        ("a:\n\u00a0\u00a0b:\n    - c: 1\n      d: 2\n      e: 3\n  f: 4", 2, "a blank here is none (U+00A0)"),
        ('device:\n  place: "C:\\clips\\q.mp4"', 2, "a backslash between double quotation marks begins a sign"),
        (
            'source: {kind: file, path: "C:\\clips"}',
            1,
            "a backslash between double quotation marks begins a sign",
        ),
        ("device:\n  place: @home\n  id: a", 2, "a text may not begin with @"),
    ],
)
def test_a_slip_is_told_in_the_line_where_it_was_made(text: str, line: int, what: str) -> None:
    at, said, todo = told_of(text)
    assert (at, said[: len("not YAML: " + what)]) == (line, "not YAML: " + what)
    assert todo


def test_what_nobody_would_see_is_told_in_the_parsers_words() -> None:
    assert slip(["a: 1", "b: 2"], 1, None) is None
    assert told_of("a: [1, 2,")[1].startswith("not YAML: while parsing a flow")


def test_of_a_line_that_may_be_a_secret_no_word_is_said() -> None:
    _, said, todo = told_of("broker:\n  password:\n    canary\n  host\n   a: b: c")
    assert "canary" not in said + todo


def test_an_address_is_no_setting_without_a_blank() -> None:
    assert without_blank("host:192.168.10.5") == "host"
    assert without_blank("rtsp://192.168.10.5") == ""
    assert without_blank("host: 192.168.10.5") == ""


def test_a_line_without_end_is_judged_at_once() -> None:
    began_s = time.perf_counter()
    for line in (
        "a " + " " * 200_000 + ":",
        "a: " + "b " * 100_000 + ": c: d",
        "- " * 19 + "a" * 200_000 + "\t: [",
    ):
        told_of(f"a: b: c\n{line}")
        slip([line, line], 1, 0)
    assert time.perf_counter() - began_s < 1
