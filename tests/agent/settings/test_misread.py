"""agent.settings.misread"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from agent.errors import ConfigError
from agent.settings.base import Secret, Settings
from agent.settings.diagnostics import read_settings
from agent.settings.misread import doubted, doubts


class Machine(Settings):
    host: str = "a"
    port: int = 1883
    password: Secret | None = None
    keepalive_s: int = Field(20, ge=5, le=120)
    max_bytes: int = Field(5000, ge=1000)


class Net(Settings):
    kind: Literal["net"]
    url: str


class Disk(Settings):
    kind: Literal["disk"]
    path: Path


class View(Settings):
    name: str = "a"
    source: Annotated[Net | Disk, Field(discriminator="kind")] | None = None
    role: Literal["a", "b"] = "a"
    mask: tuple[tuple[float, float], ...] = Field(((0, 0), (0, 1), (1, 1)), min_length=3)
    names: tuple[str, ...] = ()


class Site(Settings):
    place: str = ""
    broker: Machine = Machine()
    views: tuple[View, ...] = ()


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_settings(text.encode(), "f", Site)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("broker:\n  host:192.168.10.5", "f:2: broker: there is no blank behind 'host:'; write 'host: …'"),
        ("broker:\n  host 192.168.10.5", "f:2: broker: there is no ':' behind 'host'"),
        ("broker: {host:a, port: 1}", "f:1: broker: there is no blank behind 'host:'"),
        ("views: [{source: {kind:net, url: a}}]", "f:1: views[0].source: there is no blank behind 'kind:'"),
        ("views:\n  name: a", "f:2: views: there is no '- ' before 'name:', and this is a list; begin each"),
        ("views:\n  - name: a\n    role: a\n    name: b",
         "f:4: views[0].name: set twice; first in line 2; keep one of them, or begin another item of the list"),
        ("broker: {keepalive_s: 2 min}", "f:1: broker.keepalive_s: 2 min has a unit; write 120, without"),
        ("broker: {max_bytes: 2GB}", "f:1: broker.max_bytes: 2GB has a unit; write 2000000000, without a unit"),
        ("broker: {port: 5 %}", "f:1: broker.port: 5 % has a unit; write the number without its unit"),
        ("views:\n- mask: [[0.1, 0.2], [0.3, 0.4]]",
         "f:2: views[0].mask: 2 corners, and at least three are needed to enclose anything; add the"),
        ("views:\n- mask: [[0.1, 0.2]]", "f:2: views[0].mask: 1 corner, and at least three"),
        ("views:\n- mask: [[0,1, 0,2], [0,3, 0,4], [0,5, 0,6]]",
         "f:2: views[0].mask[0]: 4 items, not [number, number]; write a decimal with a point"),
    ],
)  # fmt: skip
def test_what_was_meant_is_told_with_the_line_and_what_to_do(text: str, message: str) -> None:
    assert mistakes(text)[0].startswith(message)


def test_what_was_misread_is_told_once_and_nothing_is_said_to_be_missing() -> None:
    assert len(mistakes("views: [{source: {kind:net, url: a}}]")) == 1


def strange(text: str) -> list[str]:
    return [": ".join(doubted(each, "f")) for each in doubts(text.encode(), Site)]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("place: Ngã tư #3", "f:1: place: what stands behind the # is a comment"),
        ("place: Ngã tư #Lê Lợi", "f:1: place: what stands behind the # is a comment"),
        ("broker:\n  password: #abc", "f:2: broker.password: what stands behind the # is a comment"),
        ("views:\n  - source: {kind: net, url: a\t#b\n      }", "f:2: views[0].source.url: what stands behind"),
        (
            "views:\n  - source:\n      kind: disk\n      path: /a #b",
            "f:4: views[0].source.path: what",
        ),
        ("views:\n  - names:\n    - a #1", "f:3: views[0].names[0]: what stands behind"),
        ("place: “Ngã tư”", "f:1: place: its quotation marks are part of the text"),
        ("place: NgÃ£ tÆ°", "f:1: place: NgÃ£ tÆ° has letters of another encoding: type it anew, in Unicode"),
        ("place: Ng· t­ §­êng", "f:1: place: Ng· t"),
    ],
)
def test_a_text_that_is_cut_or_garbled_is_doubted_with_its_line(text: str, place: str) -> None:
    (line,) = strange(text)
    assert line.startswith(place)


@pytest.mark.parametrize(
    "text",
    [
        "place: Ngã tư # the third one",
        "place: 'Ngã tư #3'",
        'place: "Ngã tư" #3rd',
        "place: Ngã tư#3",
        "place: Ngã tư ## old",
        "place: Ngã tư #",
        "place: a\n#place: b",
        "broker:\n  port: 1883 #default",
        "broker:\n  password: null\n  #password: {file: /a}",
        "views:\n  - role: a #or b",
        "place: Đường Trần Hưng Đạo, “Ngã tư” cũ",
        "place: Œuvre à côté",
        "place: Ô số 5 · 10 m² «A»-B",
    ],
)
def test_ordinary_comments_and_texts_are_not_doubted(text: str) -> None:
    assert strange(text) == []


def test_of_a_secret_no_word_is_said_and_its_place_is() -> None:
    (line,) = strange("broker:\n  password: #canary")
    assert "canary" not in line
    assert "{file: /etc/ngatu/secret}" in line


def test_a_file_that_cannot_be_read_is_not_doubted() -> None:
    assert strange("a: [") == []
