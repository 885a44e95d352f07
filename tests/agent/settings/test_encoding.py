"""agent.settings.encoding"""

from __future__ import annotations

import pytest

from agent.settings.encoding import misencoded

TEXT = "device:\n  place: Ngã tư Lê Lợi\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_told_as_one(encoding: str) -> None:
    for text in (TEXT, "device:\n  id: a\n"):
        assert misencoded(text.encode(encoding)) == (
            1,
            "the file is not UTF-8 but UTF-16",
            "save the file as UTF-8",
        )


def test_letters_of_another_encoding_are_told_with_their_line_and_what_to_do() -> None:
    wrong = misencoded(b"device:\n  place: Ng\xb7 t\xad\n")
    assert wrong is not None
    assert wrong[:2] == (2, "byte 0xb7 is not UTF-8")
    assert "type Vietnamese letters in Unicode, not TCVN3 or VNI" in wrong[2]


def test_a_sign_that_steers_a_terminal_is_told_with_its_line() -> None:
    assert misencoded(b"a: 1\nb: \x1b[31m") == (2, "unprintable character U+001B", "remove it")


def test_utf_8_with_and_without_the_mark_of_notepad_is_right() -> None:
    assert misencoded(TEXT.encode()) is None
    assert misencoded(TEXT.encode("utf-8-sig")) is None
