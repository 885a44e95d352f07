"""fleet.address"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import NgatuError
from fleet.address import require_address, require_network


@given(st.ip_addresses().filter(lambda each: not (each.is_unspecified or each.is_multicast)))
def test_every_address_of_a_host_passes(address: IPv4Address | IPv6Address) -> None:
    require_address(str(address))


@given(st.from_regex(r"\A[a-z]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,8}){0,3}\Z"))
def test_every_host_name_passes(name: str) -> None:
    require_address(name)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=6).filter(lambda each: len(each) != 4))
def test_numbers_that_are_not_four_are_no_address(numbers: list[int]) -> None:
    with pytest.raises(NgatuError, match="four numbers from 0 to 255"):
        require_address(".".join(map(str, numbers)))


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("10.20.1", "'10.20.1' is no address: an IPv4 address is four numbers from 0 to 255"),
        ("10.20.1.300", "four numbers"),
        ("10.20.1.013", "four numbers"),
        ("10.20..13", "four numbers"),
        ("", "neither an address nor a host name"),
        ("10.20.1.13/24", "no port, user or network with it"),
        ("10.20.1.13:22", "neither an address"),
        ("admin@10.20.1.13", "neither an address"),
        ("10.20.1.13; reboot", "neither an address"),
        ("hai_ninh", "neither an address"),
        ("-oProxyCommand=x", "neither an address"),
        ("hộp-01", "neither an address"),
        ("box.", "neither an address"),
        ("a" * 64, "neither an address"),
        ("fd00::1::2", "neither an address"),
        ("fe80::1%eth0", "holds on one computer only"),
        ("box.13", "its last part is a number"),
        ("0.0.0.0", "of no single host"),
        ("ff02::1", "of no single host"),
    ],
)
def test_what_is_none_is_refused_with_the_reason(word: str, why: str) -> None:
    with pytest.raises(NgatuError) as refused:
        require_address(word)
    assert why in str(refused.value)


@pytest.mark.parametrize("word", ["10.20.1.0/24", "10.20.1.13", "fd00:1::/64", "0.0.0.0/0"])
def test_networks_pass(word: str) -> None:
    assert str(require_network(word)).startswith(word)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("10.20.1.13/24", "the network is written 10.20.1.0/24"),
        ("10.20.1", "is no network"),
        ("10.20.1.0/33", "is no network"),
        ("", "is no network"),
        ("box", "is no network"),
    ],
)
def test_what_is_no_network_is_refused(word: str, why: str) -> None:
    with pytest.raises(NgatuError) as refused:
        require_network(word)
    assert why in str(refused.value)
