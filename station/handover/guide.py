"""HUONG-DAN.txt and INSTRUCTIONS.txt: how whoever receives a package finds out what it is worth, without us."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from agent.evidence.package.manifest import MANIFEST, SIGNATURE
from agent.language import translated
from agent.translatable import tr
from station.footage.folder import PACKAGE

VERIFIER: Final = "ngatu-verify.pyz"
STATION_KEY: Final = "keys/station.pub"
REPORT: Final = "report.pdf"
COMMAND: Final = "    "
"""A command begins with it."""
WIDE: Final = 92
NAMES: Final[Mapping[str, str]] = {"vi": "HUONG-DAN.txt", "en": "INSTRUCTIONS.txt"}
"""Language -> file."""


def guide(box_key: str, box_key_sha256: str, station_key_sha256: str, language: str) -> bytes:
    """The text as an office computer shows it: UTF-8 with its mark, lines ended as Windows ends them.

    `box_key` is the file of the box's key; lines that begin with four spaces are commands.
    """
    lines: list[str] = []
    for said in _paragraphs(box_key, box_key_sha256, station_key_sha256):
        text = translated(said, into=language)
        if text.startswith(COMMAND):
            lines += [*([] if lines[-1:] == [""] else [""]), text, ""]
        else:
            lines += textwrap.wrap(text, WIDE, subsequent_indent=_indent(text), break_long_words=False) or [""]
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


def _indent(text: str) -> str:
    """Lines go on below where the words of an item begin."""
    return " " * (len(text) - len(text.lstrip(" -0123456789.")))


def _paragraphs(box_key: str, box_key_sha256: str, station_key_sha256: str) -> Iterator[str]:
    words = f"{PACKAGE} --key {box_key} --station {STATION_KEY}"
    yield tr("HOW TO VERIFY WHAT WAS HANDED OVER TO YOU")
    yield ""
    yield tr("What lies here:")
    yield tr("- package: the films (.mp4), the manifest that the box signed, and the custody log.")
    yield tr("- report.pdf: the report, to be printed and signed.")
    yield tr("- keys: the public keys of the box and of the station.")
    yield tr("- ngatu-verify.pyz: the program that verifies. It writes nothing and needs no network.")
    yield ""
    yield tr("1. Keep the ZIP file as it came, and work on a copy: unpack it.")
    yield tr(
        "2. Play the films with any player, such as VLC. Do not save them anew: that makes other files of them."
    )
    yield tr(
        "3. Verify, in the folder in which this text lies. It needs Python 3.11 or newer with its package "
        "cryptography (python3 -m pip install cryptography); on Windows write python in place of python3:"
    )
    yield f"{COMMAND}python3 {VERIFIER} {words}"
    yield tr("Who has ngatu installed may write as well:")
    yield f"{COMMAND}ngatu verify {words}"
    yield tr("The first word of the answer is the verdict:")
    yield tr("- authentic: everything that the box signed is there, as it signed it, and nothing else.")
    yield tr("- authentic with missing: what is there is as the box signed it; what is missing is named.")
    yield tr("- not signed, or not authentic: do not rely on it; file and time are named.")
    yield ""
    yield tr(
        "4. Compare the fingerprints of the keys with those in the printed and signed report, or ask the unit "
        "that handed it over by telephone. A key that only lies in the ZIP file proves nothing: whoever forges "
        "a package puts his own key beside it."
    )
    yield tr("- the box: {key}", key=box_key_sha256)
    yield tr("- the station: {key}", key=station_key_sha256)
    yield ""
    yield tr("5. Who does not want to run a program out of this ZIP file makes it from the sources of ngatu:")
    yield f"{COMMAND}make verifier"
    yield tr("or verifies the box's signature with OpenSSL 3 alone, and compares the films with the report:")
    yield f"{COMMAND}openssl pkeyutl -verify -pubin -inkey {box_key} -rawin {_signed()}"
    yield f"{COMMAND}sha256sum {PACKAGE}/*"
    yield tr(
        "What this proves, and what it does not: it proves that this box recorded these films and that nothing "
        "in them was altered since. It does not prove what was before the lens; and where nobody vouched for "
        "the box's clock, it does not prove the hour."
    )


def _signed() -> str:
    return f"-in {PACKAGE}/{MANIFEST} -sigfile {PACKAGE}/{SIGNATURE}"
