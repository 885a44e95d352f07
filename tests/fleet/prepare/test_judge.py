"""fleet.prepare.judge"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import NgatuError
from agent.settings.base import NAME_PATTERN
from fleet.prepare import judge


@pytest.mark.parametrize(
    ("judged", "word"),
    [
        (judge.identifier, "hai-ninh"),
        (judge.line, 'Ngã tư Lê Lợi, "phía bắc"'),
        (judge.certificate_name, "Tỉnh Quảng Trị"),
        (judge.address, "fd00::2"),
        (judge.broker_name, "10.20.0.2"),
        (judge.broker_name, "tram-hai.example"),
        (judge.user, "admin"),
        (judge.addresses, ""),
        (judge.addresses, "10.20.0.2, ntp.example"),
        (judge.networks, "10.20.0.0/24, fd00:1::/64"),
        (judge.rtsp_url, "rtsp://192.168.30.21:554/Streaming/Channels/102?a=b"),
    ],
)
def test_what_is_right_is_kept_as_it_is(judged: Callable[[str], str], word: str) -> None:
    assert judged(word) == word


@pytest.mark.parametrize(
    ("judged", "word", "why"),
    [
        (judge.identifier, "Hải Ninh", "such as hai-ninh"),
        (judge.identifier, "Đông Hà", "such as dong-ha"),
        (judge.identifier, "station", "such as hai-ninh"),
        (judge.identifier, "a", "2 to 32"),
        (judge.line, "", "1 to 200"),
        (judge.line, "a\nb", "on one line"),
        (judge.line, "{{ x }}", "without braces"),
        (judge.certificate_name, "x" * 65, "at most 64"),
        (judge.address, "10.20.1", "four numbers"),
        (judge.broker_name, "fd00::2", "the broker's host name"),
        (judge.broker_name, "station.example", "does not begin with station."),
        (judge.user, "Admin", "no name of a Linux user"),
        (judge.addresses, "10.20.0.2, 10.20", "four numbers"),
        (judge.networks, " , ", "no network is named"),
        (judge.networks, "10.20.0.5/24", "written 10.20.0.0/24"),
        (judge.rtsp_url, "http://192.168.30.21/", "no RTSP address"),
        (judge.rtsp_url, "rtsp://192.168.30.21:x/", "no RTSP address"),
        (judge.rtsp_url, "rtsp://admin:secret@192.168.30.21/", "asked for next"),
        (judge.rtsp_url, "rtsp://192.168.30/", "four numbers"),
    ],
)
def test_what_is_wrong_is_refused_with_what_is_right(judged: Callable[[str], str], word: str, why: str) -> None:
    with pytest.raises(NgatuError) as refused:
        judged(word)
    assert why in str(refused.value)
    assert "secret" not in str(refused.value)


def test_whoever_would_lock_himself_out_is_shown_what_to_add() -> None:
    with pytest.raises(NgatuError) as refused:
        judge.networks_with("10.20.0.0/24", "10.9.0.7")
    assert "locked out of every host" in str(refused.value)
    assert "10.20.0.0/24, 10.9.0.7" in str(refused.value)
    assert judge.networks_with("10.20.0.0/24, 10.9.0.7", "10.9.0.7") == "10.20.0.0/24, 10.9.0.7/32"
    assert judge.networks_with("10.20.0.0/24", None) == "10.20.0.0/24"


def test_an_address_of_ipv6_among_networks_of_ipv4_is_no_crash() -> None:
    with pytest.raises(NgatuError, match="fd00::7"):
        judge.networks_with("10.20.0.0/24", "fd00::7")


@given(st.text(max_size=50))
def test_a_proposal_is_an_identifier_or_there_is_none(word: str) -> None:
    near = judge.as_identifier(word)

    assert near == "" or re.fullmatch(NAME_PATTERN, near)
    assert not near or judge.identifier(near) == near


def test_its_own_address_is_that_of_the_way_there() -> None:
    assert judge.own_address("127.0.0.1") == "127.0.0.1"
    assert judge.own_address("tram-hai.example") is None
    assert judge.around("10.20.1.7") == "10.20.1.0/24"
    assert judge.around("fd00:1::7") == "fd00:1::/64"
    assert judge.around(None) == judge.around("box.example") == ""
