"""agent.tools.discovery.ws_discovery"""

from __future__ import annotations

import random
import re
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.discovery.onvif import CameraAddress
from agent.tools.discovery.ws_discovery import DEVICE_PATH, Answer, discover, understood
from tests.support.mutations import bytes_altered
from tests.support.onvif_camera import SCOPES, Announcer, probe_match

HERE = "127.0.3.1"
"""Of these tests alone: others answer at the same time."""


def found(*answers: Answer) -> list[Answer]:
    return [each for each in answers if each.host == HERE]


def test_a_camera_that_answers_is_found_with_what_it_says_of_itself() -> None:
    with Announcer(lambda n: [probe_match(n, f"http://{HERE}:8899/onvif/dev")], HERE) as camera:
        assert found(*discover(1.0)) == [Answer(HERE, 8899, "/onvif/dev", "Example IPC 4")]
        assert camera.probes >= 2


def test_an_answer_counts_for_where_it_came_from_alone() -> None:
    with Announcer(lambda n: [probe_match(n, "http://10.1.2.3:80/x http://8.8.8.8/y")], HERE):
        assert found(*discover(0.6)) == [Answer(HERE, 80, DEVICE_PATH, "Example IPC 4")]


def test_noise_and_answers_to_others_are_not_heard() -> None:
    junk = [b"", b"\xff" * 2000, probe_match("uuid:other", f"http://{HERE}/a"), b"<a/>"]
    with Announcer(lambda n: [*junk, probe_match(n, f"http://{HERE}/onvif")], HERE):
        assert [each.path for each in found(*discover(0.6))] == ["/onvif"]


def test_without_an_answer_nobody_is_found_in_time() -> None:
    assert discover(0.4, port=9) == []


def test_what_a_camera_calls_itself_cannot_steer_a_terminal() -> None:
    scopes = "onvif://www.onvif.org/name/%1B%5D52;c;x%07 onvif://www.onvif.org/hardware/a%0Ab"
    answer = understood(probe_match("n", f"http://{HERE}/%1b", scopes), HERE, "n")
    assert answer is not None
    assert not set("\x1b\x07\n") & set(answer.about + answer.place)


@pytest.mark.parametrize(
    "path", ["/x;reboot", "/$(reboot)", "/`id`", "/a'b", "/a&b", "/?a=b", "/a|b", "/", "/é"]
)
def test_where_a_camera_says_it_is_can_be_pasted_into_a_shell(path: str) -> None:
    answer = understood(probe_match("n", f"http://{HERE}:81{escape(path)}"), HERE, "n")
    assert answer is None or re.fullmatch(r"[A-Za-z0-9:/_.-]+", answer.place)


@given(st.binary(max_size=300) | st.integers())
def test_no_datagram_does_more_than_name_a_camera_at_its_own_address(data: bytes | int) -> None:
    if isinstance(data, int):
        data = bytes_altered(probe_match("n", f"http://{HERE}:81/onvif/dev"), random.Random(data))
    answer = understood(data, HERE, "n")
    if answer is not None:
        assert answer.host == HERE
        assert 0 < answer.port < 65536
        assert len(answer.about) <= 80


def test_where_a_camera_is_reads_as_a_person_may_write_it() -> None:
    for port, path in ((80, DEVICE_PATH), (8899, "/onvif/dev")):
        answer = Answer(HERE, port, path, SCOPES)
        assert CameraAddress.read(answer.place) == CameraAddress(HERE, port, path)
