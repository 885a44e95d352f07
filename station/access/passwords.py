"""Passwords: hashed by argon2id, judged before they are taken, made up for whoever has none yet.

Invariants
1. No password is kept, logged, or in the text of an error.
2. A login that nobody has costs as long as one with a wrong password: who asks learns nothing by the time.
3. At most `AT_ONCE` passwords are tried at the same time, and nobody waits longer than `WAIT_S`: each takes
   64 MiB, and a flood of them takes neither the memory nor all threads of the console. Browsers in which the
   account was logged in before have a place of their own, so that strangers cannot fill theirs.

Sources: RFC 9106, section 4, second recommended option (argon2id, 3 passes over 64 MiB in 4 lanes, a salt of
128 bits, a tag of 256); NIST SP 800-63B, section 5.1.1.2 (no rules about kinds of characters, no end of
validity, a list of what is commonly used, Unicode brought into one form before it is hashed).
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from agent.errors import NgatuError
from agent.translatable import tr

MIN_CHARS: Final = 10
"""Two more than NIST asks for at the least; a password is the only proof here."""
MAX_CHARS: Final = 128
AT_ONCE: Final = 2
WAIT_S: Final = 5.0
_MIN_DIFFERENT: Final = 5
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without what is read wrongly off paper: i, l, o, 0, 1."""
_GROUPS, _GROUP_CHARS = 4, 4
_RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
)
_COMMON: Final = (
    "adminadmin administrator anhyeuem anhyeuemnhieu anhyeuemnhieulam asdfghjkl camera cameraanninh "
    "canhsat changeme chelsea congan congananhdung conganhuyen congannhandan congantinh conganxa "
    "conyeuban default football forever giadinh hanoi hoangsa hochiminh iloveyou khongbiet khongco "
    "khongquen letmein liverpool manchester matkhau matkhaumoi ngatu nguoiyeu password passwordpassword "
    "phongtruc phongtrucban princess qwertyuiop samsung saigon sunshine superadmin superman supervisor "
    "testtest thanhpho toiyeuem toiyeuvietnam truongsa vietnam vietnamvodich welcome whatever xinchao "
    "yeuanh yeuem"
)
COMMON: Final = frozenset(_COMMON.split())
"""What is commonly taken in this country, without digits and marks; small, for the first guesses only."""
_NOT_LETTERS: Final = re.compile(r"[\W\d_]+")


class PasswordRefused(NgatuError):
    """This may not be a password here; the text says why, and never what it was."""


class PasswordsBusy(NgatuError):
    """Too many passwords are being tried now (invariant 3)."""

    def __init__(self) -> None:
        super().__init__(tr("too many are logging in at this moment"), tr("try again in a few seconds"))


@dataclass(frozen=True, slots=True)
class HashCost:
    """What one hash costs, as argon2 counts it."""

    passes: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 4


class Passwords:
    """Hashes passwords and tries them; for many threads."""

    def __init__(self, cost: HashCost | None = None) -> None:
        cost = cost or HashCost()
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes, 32, 16, type=Type.ID)
        self._strangers, self._known = threading.BoundedSemaphore(AT_ONCE), threading.BoundedSemaphore(1)

    def hashed(self, password: str) -> str:
        """The hash with its parameters and its salt, as text."""
        return self._hasher.hash(_one_form(password))

    def is_right(self, password: str, kept: str | None, *, known: bool = False) -> bool:
        """Whether it is the password of this hash; None is nobody's, and takes as long (invariant 2).

        `known`: it comes out of a browser in which the account was logged in before.

        Raises:
            PasswordsBusy: invariant 3.
        """
        if len(password) > MAX_CHARS:
            password, kept = "", None  # nobody has one; a long text must not cost more
        gate = self._known if known else self._strangers
        if not gate.acquire(timeout=WAIT_S):
            raise PasswordsBusy
        try:
            right = self._hasher.verify(kept or self._nobodys, _one_form(password))
        except (VerificationError, InvalidHashError):
            return False
        finally:
            gate.release()
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than those of now: then it is to be made anew."""
        return self._hasher.check_needs_rehash(kept)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(16))


def judge(password: str, login: str) -> None:
    """Whether it may be the password of this login.

    Raises:
        PasswordRefused: it is short, or one of those that are tried first.
    """
    text = _one_form(password)
    if len(text) < MIN_CHARS:
        raise PasswordRefused(
            tr("the password has {count} characters", count=len(text)),
            tr("take {count} at least; three or four words are good", count=MIN_CHARS),
        )
    if len(text) > MAX_CHARS:
        raise PasswordRefused(tr("the password is longer than {count} characters", count=MAX_CHARS))
    plain = text.casefold()
    bare = _NOT_LETTERS.sub("", _without_marks(plain))
    own = _NOT_LETTERS.sub("", login)
    if plain == login or (own and bare and not bare.replace(own, "")):
        raise PasswordRefused(
            tr("the password is made of the login"), tr("take words that have to do with neither")
        )
    if bare in COMMON or len(set(plain)) < _MIN_DIFFERENT or _is_a_run(plain):
        raise PasswordRefused(
            tr("the password is one of those that are tried first"), tr("three or four words are good")
        )


def new_password() -> str:
    """Such as `kf7w-m3xe-t9ph-2ryd`: 79 bits of chance, readable off paper and over a telephone."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_CHARS)) for _ in range(_GROUPS))
    return "-".join(groups)


def _one_form(password: str) -> str:
    """A letter of Vietnamese may come as one character or as two, by whatever keyboard; marks of halves go."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()


def _without_marks(text: str) -> str:
    parts = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return "".join(each for each in parts if not unicodedata.combining(each))


def _is_a_run(plain: str) -> bool:
    """Along the keyboard or the alphabet, there or back, from one end to the other of the password."""
    return any(plain in row or plain in row[::-1] for row in (run * 2 for run in _RUNS))
