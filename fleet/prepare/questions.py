"""What an administrator is asked: each question with its guess, and with what may be answered.

The answers are words by key. A guess or a judgement may look at those before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from agent.errors import NgatuError
from fleet.bundle.release_key import MIN_PASSPHRASE_CHARS
from fleet.bundle.wheels import Board
from fleet.ca.authority import MIN_CA_PASSPHRASE_CHARS
from fleet.ca.request import fitting
from fleet.prepare import judge

Answers = Mapping[str, str]

BOARDS: Final = {
    "pi12": Board("aarch64", "3.11", 36),
    "pi13": Board("aarch64", "3.13", 41),
    "pc12": Board("x86_64", "3.11", 36),
    "pc13": Board("x86_64", "3.13", 41),
}
"""A Raspberry Pi or a PC with the Debian of this number; Raspberry Pi OS bears the same numbers."""
MIN_VAULT_PASSWORD_CHARS: Final = 12


@dataclass(frozen=True, slots=True)
class Question:
    """One answer that is needed."""

    key: str
    ask: str
    judge: Callable[[str, Answers], str]
    """Gives the answer back as it is kept; NgatuError says what is wrong with it."""
    guess: Callable[[Answers], str] = lambda answers: ""
    """Taken when nothing is typed; empty: there is none."""
    asked: Callable[[Answers], bool] = lambda answers: True
    """Whether it is needed, after the answers before it."""
    secret: bool = False
    """Not shown, typed twice where it is new, and never kept but where it belongs."""
    may_be_empty: bool = False


def _alone(judged: Callable[[str], str]) -> Callable[[str, Answers], str]:
    return lambda word, _: judged(word)


def _one_of(*words: str) -> Callable[[str, Answers], str]:
    return lambda word, _: judge.one_of(word, words)


def _rtsp(answers: Answers) -> bool:
    return answers["camera_kind"] == "rtsp"


def _with_login(answers: Answers) -> bool:
    return _rtsp(answers) and bool(answers.get("camera_user"))


def _other_host(word: str, answers: Answers) -> str:
    judge.address(word)
    if word == answers["station_address"]:
        raise NgatuError(f"{word} is the address of the station", "each host has its own")
    return word


def _other_name(word: str, answers: Answers) -> str:
    judge.identifier(word)
    if word == answers["station"]:
        raise NgatuError(f"{word} is the name of the station's host", "each host has its own")
    return word


def _broker_guess(answers: Answers) -> str:
    try:
        fitting("broker", answers["station_address"])
    except NgatuError:  # an IPv6 address cannot be the name in a certificate
        return ""
    return answers["station_address"]


def _at_least(count: int) -> Callable[[str, Answers], str]:
    def judged(word: str, _: Answers) -> str:
        if len(word) < count or not word.isprintable() or word != word.strip():
            raise NgatuError("this will not do", f"{count} characters or more, no space before or after it")
        if re.search(r"\{[{%#]", word):
            raise NgatuError("this will not do: Ansible takes {{, {% and {# for its own", "leave them out")
        return word

    return judged


PROVINCE: Final = (
    Question(
        "province",
        "Your province, as certificates name it (such as Province of Quang Tri)",
        _alone(judge.certificate_name),
    ),
)
"""What the authority is called."""

COMMUNE: Final = (
    Question(
        "commune",
        "The first commune, in small letters without marks (such as hai-ninh)",
        _alone(judge.identifier),
    ),
    Question(
        "station",
        "A name for its station's host",
        _alone(judge.identifier),
        lambda answers: judge.as_identifier(f"tram-{answers['commune']}"),
    ),
    Question(
        "station_address", "The station's address in your network (such as 10.20.0.2)", _alone(judge.address)
    ),
    Question(
        "broker",
        "Under which name or address boxes reach the station",
        _alone(judge.broker_name),
        _broker_guess,
    ),
    Question(
        "station_board",
        "What the station runs on: pc13 is a PC with Debian 13, pc12 one with Debian 12",
        _one_of("pc12", "pc13", "pi12", "pi13"),
        lambda _: "pc13",
    ),
    Question(
        "box",
        "A name for the first box",
        _other_name,
        lambda answers: judge.as_identifier(f"{answers['commune']}-01"),
    ),
    Question("box_address", "The box's address in your network (such as 10.20.1.11)", _other_host),
    Question(
        "board",
        "What the boxes run on: pi13 is a Raspberry Pi with Raspberry Pi OS of Debian 13, pi12 with "
        "that of Debian 12, pc13 and pc12 are PCs with Debian",
        _one_of(*BOARDS),
        lambda _: "pi13",
    ),
    Question(
        "place", "Where the box hangs, in words (such as Junction of Le Loi and Tran Phu)", _alone(judge.line)
    ),
    Question(
        "login",
        "The user on station and boxes whom you log in as; his sudo asks for no password",
        _alone(judge.user),
        lambda _: "admin",
    ),
    Question(
        "administrators",
        "From which networks administrators come; all others meet the firewall",
        lambda word, answers: judge.networks_with(word, judge.own_address(answers["station_address"])),
        lambda answers: judge.around(judge.own_address(answers["station_address"])),
    ),
    Question(
        "boxes_from",
        "From which networks boxes come to the station",
        _alone(judge.networks),
        lambda answers: judge.around(answers["box_address"]),
    ),
    Question(
        "time_servers",
        "Who gives the time: addresses of your network; nothing typed: Debian's servers",
        _alone(judge.addresses),
        may_be_empty=True,
    ),
    Question(
        "purpose",
        "What the cameras are for, as the public notice says it",
        _alone(judge.line),
        lambda _: "Traffic order and safety",
    ),
    Question(
        "legal_basis",
        "The decision that they rest on (such as Decision 123/QD-UBND of 2026-01-15)",
        _alone(judge.line),
    ),
    Question(
        "role",
        "What the boxes are: community, or enforcement (it decides how long footage is kept)",
        _one_of("community", "enforcement"),
        lambda _: "community",
    ),
    Question("camera", "A name for the box's camera", _alone(judge.identifier), lambda _: "north"),
    Question(
        "camera_kind",
        "Its kind: rtsp is a network camera, csi a ribbon camera of a Raspberry Pi",
        _one_of("rtsp", "csi"),
        lambda _: "rtsp",
    ),
    Question(
        "camera_url",
        "Its address, without a login (such as rtsp://192.168.30.21:554/stream2)",
        _alone(judge.rtsp_url),
        asked=_rtsp,
    ),
    Question(
        "camera_user",
        "The user that the camera knows; nothing typed: it asks for none",
        _alone(judge.line),
        asked=_rtsp,
        may_be_empty=True,
    ),
)
"""What the inventory of the first commune is made of."""

CAMERA_PASSWORD: Final = Question(
    "camera_password", "The camera's password for that user", _at_least(1), asked=_with_login, secret=True
)
AUTHORITY: Final = Question(
    "authority_passphrase",
    f"A passphrase for the authority, {MIN_CA_PASSPHRASE_CHARS} characters or more; it goes into the vault",
    _at_least(MIN_CA_PASSPHRASE_CHARS),
    secret=True,
)
RELEASE: Final = Question(
    "release_passphrase",
    f"A passphrase for the key that signs releases, {MIN_PASSPHRASE_CHARS} characters or more",
    _at_least(MIN_PASSPHRASE_CHARS),
    secret=True,
)
VAULT: Final = Question(
    "vault_password",
    f"A password for the vault, {MIN_VAULT_PASSWORD_CHARS} characters or more; every playbook asks for it",
    _at_least(MIN_VAULT_PASSWORD_CHARS),
    secret=True,
)
SECRETS: Final = (AUTHORITY, RELEASE, VAULT, CAMERA_PASSWORD)
