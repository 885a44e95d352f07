"""station.handover.guide"""

from __future__ import annotations

import pytest

from station.handover.guide import COMMAND, NAMES, WIDE, guide


@pytest.mark.parametrize("language", NAMES)
def test_it_reads_well_on_an_office_computer(language: str) -> None:
    data = guide("keys/pole-7.pub", "a" * 64, "b" * 64, language)

    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    lines = data.decode("utf-8-sig").split("\r\n")
    assert max(len(line) for line in lines if not line.startswith(COMMAND)) <= WIDE
    assert f"- {'hộp' if language == 'vi' else 'the box'}: {'a' * 64}" in lines


def test_commands_are_the_same_in_each_language() -> None:
    texts = [guide("keys/x.pub", "a" * 64, "b" * 64, language).decode("utf-8-sig") for language in NAMES]
    commands = [[line for line in text.split("\r\n") if line.startswith(COMMAND)] for text in texts]

    assert commands[0] == commands[1]
    assert len(commands[0]) == 5
