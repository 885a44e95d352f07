"""station.access.passwords"""

from __future__ import annotations

import threading
import time
import unicodedata
from statistics import median

import pytest

from station.access import passwords as module
from station.access.passwords import (
    AT_ONCE,
    MAX_CHARS,
    HashCost,
    PasswordRefused,
    Passwords,
    PasswordsBusy,
    judge,
    new_password,
)
from tests.support.people import CHEAP, GOOD


def test_a_hash_is_argon2id_with_the_parameters_of_rfc_9106() -> None:
    kept = Passwords().hashed(GOOD)

    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().is_right(GOOD, kept)
    assert not Passwords().is_outdated(kept)


def test_the_same_password_has_another_hash_each_time_and_only_it_is_right() -> None:
    passwords = Passwords(CHEAP)
    first, second = passwords.hashed(GOOD), passwords.hashed(GOOD)

    assert first != second
    assert GOOD not in first
    assert passwords.is_right(GOOD, second)
    assert not passwords.is_right(GOOD + " ", second)
    assert not passwords.is_right("", second)


def test_a_hash_of_other_parameters_is_right_still_and_is_to_be_made_anew() -> None:
    old = Passwords(CHEAP).hashed(GOOD)
    now = Passwords(HashCost(passes=2, memory_kib=16, lanes=1))

    assert now.is_right(GOOD, old)
    assert now.is_outdated(old)


def test_a_letter_of_vietnamese_is_the_same_by_every_keyboard() -> None:
    passwords = Passwords(CHEAP)
    kept = passwords.hashed(unicodedata.normalize("NFD", GOOD))

    assert passwords.is_right(unicodedata.normalize("NFC", GOOD), kept)


@pytest.mark.parametrize(
    "spoiled", ["", "plain text", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"]
)
def test_what_is_no_hash_lets_nobody_in(spoiled: str) -> None:
    assert not Passwords(CHEAP).is_right(GOOD, spoiled)


def test_nobodys_password_is_never_right() -> None:
    assert not Passwords(CHEAP).is_right(GOOD, None)
    assert not Passwords(CHEAP).is_right("x" * (MAX_CHARS + 1), Passwords(CHEAP).hashed("x" * (MAX_CHARS + 1)))


def test_a_login_that_nobody_has_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords(HashCost(passes=2, memory_kib=8 * 1024, lanes=1))
    kept = passwords.hashed(GOOD)
    passwords.is_right("first", None)  # makes the hash of nobody

    def took_s(of: str | None) -> float:
        began_s = time.perf_counter()
        assert not passwords.is_right("another one", of)
        return time.perf_counter() - began_s

    pairs = [(took_s(kept), took_s(None)) for _ in range(9)]
    assert 0.5 < median(one / other for one, other in pairs) < 2.0


@pytest.mark.long
def test_a_flood_of_tries_is_told_to_come_again_and_known_browsers_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    slow = Passwords(HashCost(passes=60, memory_kib=32 * 1024, lanes=1))
    kept = Passwords(CHEAP).hashed(GOOD)
    slow.is_right("first", None)
    busy = [threading.Thread(target=slow.is_right, args=("another", None)) for _ in range(AT_ONCE)]
    for each in busy:
        each.start()
    try:
        with pytest.raises(PasswordsBusy):
            slow.is_right(GOOD, kept)
        assert slow.is_right(GOOD, kept, known=True)
        assert all(each.is_alive() for each in busy)
    finally:
        for each in busy:
            each.join()


@pytest.mark.parametrize(
    "password",
    [
        "ba con mèo",
        "xanh-lá-cây-97",
        "Trạm trực đêm 4",
        "kf7w-m3xe-t9ph-2ryd",
        "correct horse",
        "ßßßß ẞẞẞẞ äöü",
    ],
)
def test_what_may_be_a_password(password: str) -> None:
    judge(password, "lan")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("ba con mè", "9 characters"),
        ("x" * 129, "longer than 128"),
        ("nguyen.thi.lan", "made of the login"),
        ("NguyenThiLan123", "made of the login"),
        ("12nguyenthilannguyenthilan", "made of the login"),
        ("Matkhau123456", "tried first"),
        ("Mật-Khẩu-2024", "tried first"),
        ("Password1234", "tried first"),
        ("CôngAnXã@2025", "tried first"),
        ("1234567890", "tried first"),
        ("0987654321", "tried first"),
        ("qwertyuiop", "tried first"),
        ("1q2w3e4r5t", "tried first"),
        ("aaaabbbbcccc", "tried first"),
    ],
)
def test_what_may_be_none_is_refused_with_the_reason_and_without_itself(password: str, why: str) -> None:
    with pytest.raises(PasswordRefused) as refused:
        judge(password, "nguyen.thi.lan")

    assert why in str(refused.value)
    assert password not in str(refused.value)


def test_a_new_password_may_be_one_is_readable_and_comes_never_again() -> None:
    made = {new_password() for _ in range(1000)}

    assert len(made) == 1000
    for each in made:
        judge(each, "admin")
        assert len(each) == 19
        assert not set(each) & set("il1o0 ")
