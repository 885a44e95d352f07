"""agent.tools.preview.admission"""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.preview.admission import Doors, is_loopback, is_ours, new_token, own_names, same


def test_a_token_is_new_each_time_and_can_be_typed() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) == 24 and set(token) <= set("abcdefghijklmnopqrstuvwxyz234567") for token in tokens)


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8088", True), ("localhost:9000", True), ("[::1]:8088", True), ("192.168.1.5", True),
        ("box.local:80", True), ("evil.example:8088", False), ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False), ("", False), (None, False), ("[", False),
        ("evil@evil.example", False),
    ],
)  # fmt: skip
def test_only_addresses_and_names_of_this_machine_are_ours(host: str | None, ours: bool) -> None:
    assert is_ours(host, frozenset({"localhost", "box.local"})) is ours


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8088", True), ("127.8.8.8", True), ("localhost:8088", True), ("LOCALHOST", True),
        ("[::1]:8088", True), (socket.gethostname(), False), (f"{socket.gethostname()}.local:8088", False),
        ("box.local", False), ("192.168.1.5:8088", False), ("0.0.0.0", False), ("localhost.", False),
    ],
)  # fmt: skip
def test_where_no_token_is_asked_for_only_what_cannot_lead_elsewhere_is_ours(host: str, ours: bool) -> None:
    assert is_ours(host, None) is ours


@given(st.text(max_size=30))
def test_no_header_whatsoever_is_more_than_refused(host: str) -> None:
    assert is_ours(host, frozenset()) in (True, False)


def test_this_machine_knows_its_names() -> None:
    assert "localhost" in own_names()
    assert all(name == name.lower() for name in own_names())


def test_what_is_the_same_is_the_same_whatever_letters_it_has() -> None:
    assert same("/token/", "/token/")
    assert not same("/t\udcffken/", "/token/")
    assert not same("", "/token/")


def test_one_address_cannot_take_all_connections() -> None:
    doors = Doors(most=5, from_one=3)

    assert [doors.enter("a") for _ in range(4)] == [True, True, True, False]
    assert [doors.enter("b") for _ in range(3)] == [True, True, False]
    doors.leave("a")
    assert [doors.enter("a"), doors.enter("b")] == [True, False]


def test_only_loopback_is_this_machine_alone() -> None:
    assert [is_loopback(each) for each in ("127.0.0.1", "127.8.8.8", "::1")] == [True] * 3
    assert [is_loopback(each) for each in ("0.0.0.0", "::", "192.168.1.5", "8.8.8.8")] == [False] * 4
    with pytest.raises(ValueError, match="localhost"):
        is_loopback("localhost")
