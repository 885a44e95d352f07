"""A network of its own for a trial: loopback and nothing else, whose packets may be dropped. Needs root."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from tests.acceptance.faults.suite import NotTried

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
"""unshare(2)."""


def in_a_network_of_its_own(work: Callable[[], T]) -> T:
    """Do it in a thread that has left this machine's network; its threads and processes are there as well."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_leave).result()
        return thread.submit(work).result()


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """Every packet from and to a port vanishes, as if the cable were cut."""
    rules = (
        "add table inet trial; add chain inet trial out { type filter hook output priority 0; };"
        f"add rule inet trial out tcp dport {port} drop; add rule inet trial out tcp sport {port} drop"
    )
    _do("nft", rules)
    try:
        yield
    finally:
        _do("nft", "delete table inet trial")


@contextmanager
def unreachable(address: str, datagrams: bool = False) -> Iterator[None]:
    """Every packet from and to an address vanishes; every datagram of everybody, too, if it is said."""
    table = f"away_{address.replace('.', '_')}"
    rules = [
        f"ip daddr {address} drop",
        f"ip saddr {address} drop",
        *(["meta l4proto udp drop"] if datagrams else []),
    ]
    _do(
        "nft",
        f"add table inet {table}; add chain inet {table} out {{ type filter hook output priority 0; }};"
        + "; ".join(f"add rule inet {table} out {rule}" for rule in rules),
    )
    try:
        yield
    finally:
        _do("nft", f"delete table inet {table}")


def _leave() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise NotTried(f"no network of its own: {os.strerror(ctypes.get_errno())}")
    _do("ip", "link", "set", "lo", "up")


def _do(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NotTried(f"{words[0]} is not here: apt-get install nftables iproute2") from error
    if done.returncode:
        raise NotTried(f"{words[0]}: {done.stderr.strip()[-100:]}")
