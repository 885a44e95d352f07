"""agent.settings.diagnostics"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, Field

from agent.errors import ConfigError
from agent.settings.base import Name, Secret, Settings
from agent.settings.diagnostics import (
    judged,
    read_bounded,
    read_settings,
)
from agent.settings.refusals import MAX_TOLD
from agent.settings.yaml import MAX_BYTES
from agent.translatable import tr

CANARY = "pa55-w0rd-canary"


class Mood(StrEnum):
    CALM = "calm"
    ALERT = "alert"


class Line(Settings):
    """Has a setting that is called like its own tag."""

    kind: Literal["line"]
    line: tuple[tuple[float, float], ...] = Field(description="Its points.")


class Zone(Settings):
    kind: Literal["zone"]
    size: int = Field(3, ge=1, le=9)


def _refuse(text: str) -> str:
    if text == "bad":
        raise ValueError("bad is never good")
    return text


class Motion(Settings):
    threshold: float = Field(25.0, ge=1, le=255)
    enabled: bool = True


class Whole(Settings):
    name: Name = Field("abc", description="Its name.")
    text: Annotated[str, AfterValidator(_refuse)] = Field("", max_length=9)
    mood: Mood = Mood.CALM
    path: Path | None = None
    either: float | Literal["auto"] = "auto"
    pair: tuple[float, float] = (0.0, 0.0)
    scores: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    count: int = Field(1, gt=0)
    rules: tuple[Annotated[Line | Zone, Field(discriminator="kind")], ...] = ()
    motion: Motion = Motion()
    password: Secret | None = None
    address: str = Field("", pattern=r"^x*$")
    wait_s: float = Field(1, ge=1, le=60)


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_settings(text.encode(), "north.yaml", Whole)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nane: abc", "north.yaml:1: nane: no such setting; did you mean name?"),
        ("motion:\n  treshold: 3", "north.yaml:2: motion.treshold: no such setting; did you mean threshold?"),
        ("threshold: 3", "north.yaml:1: threshold: no such setting; threshold belongs in motion"),
        ("motion: {xyz: 3}", "north.yaml:1: motion.xyz: no such setting; known here: threshold, enabled"),
        ("motion:\n\n  threshold: 300", "north.yaml:3: motion.threshold: 300 is outside 1..255"),
        ("count: 0", "north.yaml:1: count: 0 is not above 0"),
        ("count: 1.5", "north.yaml:1: count: 1.5 is not a whole number; above 0"),
        ("count: true", "north.yaml:1: count: true is not a whole number; above 0"),
        ("count:", "north.yaml:1: count: empty, not a whole number; above 0"),
        ('count: "3"', 'north.yaml:1: count: "3" is a text, not a whole number; above 0'),
        ("name: 123", "north.yaml:1: name: 123 is not a text; quote it"),
        ("name: A", """north.yaml:1: name: "A" is not 2 to 32 of a-z, 0-9 and '-'"""),
        ("text: [a]", "north.yaml:1: text: a list, not a text; at most 9 characters"),
        ("text: 0123456789", "north.yaml:1: text: 0123456789 has a leading zero"),
        ("text: abcdefghij", 'north.yaml:1: text: "abcdefghij" is not at most 9 characters'),
        ("text: bad", "north.yaml:1: text: bad is never good"),
        ("mood: alarm", 'north.yaml:1: mood: "alarm" is not one of calm, alert'),
        ("mood: alrt", 'north.yaml:1: mood: "alrt" is not one of calm, alert; did you mean alert?'),
        ("path: 3", "north.yaml:1: path: 3 is not a path"),
        ("either: fast", 'north.yaml:1: either: "fast" is a text, not a number or auto'),
        ("pair: [1]", "north.yaml:1: pair: too few items; item 2 is missing"),
        ("pair: [1, 2, 3]", "north.yaml:1: pair: 3 items, not [number, number]"),
        ("scores: {car: 2}", "north.yaml:1: scores.car: 2 is outside 0..1"),
        ("motion: {enabled: no}", "north.yaml:1: motion.enabled: "
         '"no" is a text, not true or false; write true or false, as in YAML 1.2'),
        ("motion: 3", "north.yaml:1: motion: 3 is not a group of settings"),
        ("rules: [{kind: lin}]",
         'north.yaml:1: rules[0].kind: "lin" is not one of line, zone; did you mean line?'),
        ("rules: [{}]", "north.yaml:1: rules[0].kind: required, but missing; one of line, zone"),
        ("rules:\n- kind: line\n  line:\n  - [0, x]",
         'north.yaml:4: rules[0].line[0][1]: "x" is a text, not a number'),
        ("rules:\n- kind: line", "north.yaml:2: rules[0].line: required, but missing; "
         "list of [number, number]: Its points."),
        ("rules: [{kind: zone, size: 0}]", "north.yaml:1: rules[0].size: 0 is outside 1..9"),
        ("rules: [{kind: zone, sice: 1}]", "north.yaml:1: rules[0].sice: no such setting; did you mean size?"),
        ("count: 7,5", 'north.yaml:1: count: "7,5" is a text, not a whole number; write 7.5, with a point'),
        ("motion: {threshold: 7,5}", "north.yaml:1: motion.threshold: 7,5 has a comma; write 7.5, with"),
        ("wait_s: 60000", "north.yaml:1: wait_s: 60000 is outside 1..60 seconds"),
        ("address: 7", "north.yaml:1: address: 7 is not a text; quote it; matching ^x*$"),
        ("password: {}", "north.yaml:1: password: a secret needs env or file, one of them and not both"),
        ("address: y", 'north.yaml:1: address: "y" is not matching ^x*$'),
        ("- a", "north.yaml:1: a list, not a group of settings"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line_with_its_place(text: str, message: str) -> None:
    (line,) = mistakes(text)
    assert line.startswith(message)


def test_of_a_file_of_another_kind_only_that_is_told() -> None:
    def another(plain: dict[str, object]) -> tuple[str, str] | None:
        return ("this is the file of a ship", "name another") if "mast" in plain else None

    with pytest.raises(ConfigError) as caught:
        read_settings(b"mast: 3\nsail: 4", "north.yaml", Whole, None, another)
    assert str(caught.value) == "north.yaml:1: this is the file of a ship; name another"
    assert read_settings(b"name: abc", "north.yaml", Whole, None, another).name == "abc"


def test_all_mistakes_are_told_in_the_order_of_the_lines() -> None:
    lines = mistakes(
        "count: 0\ncount: 1\nmotion:\n  threshold: 300\n  x: &a 1\nrules:\n- kind: zone\n  size: 99\nname: A\n"
    )
    assert [line.split(":")[1] for line in lines] == ["1", "2", "4", "5", "5", "8", "9"]


def test_a_value_that_was_refused_already_is_not_told_twice() -> None:
    assert len(mistakes("count: 007")) == 1
    assert len(mistakes("name: !!int 3")) == 1


def test_lengths_of_lists_count_items_that_are_wrong_themselves() -> None:
    class Few(Settings):
        items: tuple[float, ...] = Field(min_length=2)

    with pytest.raises(ConfigError) as caught:
        read_settings(b"items: [a, b]", "f", Few)
    assert str(caught.value).splitlines() == [
        'f:1: items[0]: "a" is a text, not a number',
        'f:1: items[1]: "b" is a text, not a number',
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"password: {CANARY}",
        f"password: {{env: A, file: {CANARY}, value: {CANARY}}}",
        f"password: [{CANARY}]",
        f"passwd: {CANARY}",
        f"address: rtsp://admin:{CANARY}@host/x",
        f'"rtsp://admin:{CANARY}@host/x": 1',
        f"text: rtsp://a:{CANARY}/with/slash@host",
        f"api_token: {CANARY}\nname: A",
        f"password: !!str {CANARY}",
        f"password: *{CANARY}x"[:20],
        f"motion: {{password: {CANARY}}}",
        f"password: 'rtsp://admin:{CANARY}@host",
    ],
)
def test_a_secret_that_was_typed_in_is_never_told(text: str) -> None:
    assert CANARY not in "\n".join(mistakes(text))


def test_no_value_and_no_key_breaks_a_line_or_a_terminal() -> None:
    lines = mistakes('"a\\nforged.yaml:1: b": 1\nmood: "x\\ny"\n')
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_a_long_value_is_cut() -> None:
    (line,) = mistakes("mood: " + "a" * 5000)
    assert len(line) < 200


def test_no_more_mistakes_are_told_than_anyone_reads() -> None:
    lines = mistakes("\n".join(f"k{n}: 1" for n in range(500)))
    assert len(lines) == MAX_TOLD + 1
    assert lines[-1] == "… and more; correct these first"


def test_what_is_right_is_returned_as_it_was_meant() -> None:
    text = b"mood: alert\npath: /a/b\npair: [1, 2]\neither: 3\nrules: [{kind: line, line: [[0, 1]]}]"
    settings = read_settings(text, "f", Whole)
    assert settings.mood is Mood.ALERT
    assert settings.path == Path("/a/b")
    assert settings.pair == (1.0, 2.0)
    assert settings.either == 3.0
    assert isinstance(settings.rules[0], Line)


class Places(Settings):
    name: str
    size: int


def test_whoever_shows_mistakes_in_his_own_way_gets_them_with_their_paths() -> None:
    settings, mistakes = judged(b"name: hai-ninh\nsize: large\n", Places)
    _, unreadable = judged(b"a: [", Places)
    right, none = judged(b"name: hai-ninh\nsize: 3\n", Places)

    assert settings is None
    assert [(each.line, each.path) for each in mistakes] == [(2, ("size",))]
    assert len(unreadable) == 1
    assert (right, none) == (Places(name="hai-ninh", size=3), [])


def test_a_file_that_cannot_be_read_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory") as caught:
        read_bounded(tmp_path, tr("name a file"))
    assert caught.value.hint == "name a file"


def test_of_a_file_without_end_no_more_is_read_than_may_be_in_one() -> None:
    assert len(read_bounded(Path("/dev/zero"), tr("name a file"))) == MAX_BYTES + 1
