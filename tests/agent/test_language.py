"""agent.language"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import NgatuError
from agent.language import choose, choose_by, language, translated
from agent.printable import printable
from agent.settings.quoting import redacted
from agent.translatable import joined, tr

VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    choose(None)
    yield
    choose(None)


@pytest.mark.parametrize(
    ("said", "setting", "told_in"),
    [
        ({}, None, "en"),
        ({"LANG": "vi_VN.UTF-8"}, None, "vi"),
        ({"LANG": "vi_VN"}, None, "vi"),
        ({"LANG": "vi"}, None, "vi"),
        ({"LANG": "en_GB.UTF-8"}, "vi", "vi"),
        ({"LANG": "vi_VN.UTF-8"}, "en", "en"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "C.UTF-8"}, None, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN.UTF-8"}, None, "vi"),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": ""}, None, "vi"),
        ({"LANGUAGE": "en"}, "vi", "en"),
        ({"LANGUAGE": "fr:vi:en", "LANG": "C"}, None, "vi"),
        ({"LANGUAGE": "en:vi", "LANG": "vi_VN.UTF-8"}, None, "en"),
        ({"LANG": "fr_FR.UTF-8"}, None, "en"),
        ({"LANG": "viking"}, None, "en"),
        ({"LANG": "../../vi"}, None, "en"),
    ],
)
def test_the_first_that_is_said_counts(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], setting: str | None, told_in: str
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    choose(setting)

    assert language() == told_in


@pytest.mark.parametrize("line", ["language: vi", 'language: "vi"', "language:   'vi' # as the commune speaks"])
def test_a_file_chooses_before_it_is_judged(tmp_path: Path, line: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"device: [\nlanguages: en\n{line}\nlog:\n  language: en\n", encoding="utf-8")
    choose_by(file)

    assert language() == "vi"


@pytest.mark.parametrize("content", [b"", b"\xff\xfelanguage vi", b"  language: vi\n", b"language: fr\n"])
def test_a_file_that_says_nothing_of_the_kind_chooses_nothing(tmp_path: Path, content: bytes) -> None:
    choose("vi")
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    choose_by(file)

    assert language() == "en"
    choose_by(tmp_path / "nowhere.yaml")
    assert language() == "en"


def test_a_message_is_told_with_everything_that_it_is_made_of() -> None:
    choose("vi")
    inner = NgatuError(tr("{path}: cannot be read: {reason}", path="/x", reason="EIO"), tr("choose another"))

    assert translated(inner) == "/x: không đọc được: EIO\n  gợi ý: hãy chọn tên khác"
    assert translated(joined(tr(" or "), ["line", tr("number")])) == "line hoặc số"
    assert (
        translated(tr("{place} cannot be read: {why}", place=tr("file {file}", file="a"), why="x"))
        == "không đọc được file a: x"
    )


def test_a_reader_may_choose_for_himself() -> None:
    choose("en")
    message = joined(tr(" or "), ["line", tr("number")])

    assert [translated(message, code) for code in ("vi", "en", None)] == [
        "line hoặc số", "line or number", "line or number",
    ]  # fmt: skip


def test_what_is_not_marked_stays_as_it_is() -> None:
    choose("vi")

    assert translated("number") == "number"
    assert translated(ValueError("choose another")) == "choose another"


def test_filters_hold_in_every_language() -> None:
    choose("vi")
    message = printable(
        redacted(tr("{path}: cannot be read: {reason}", path="rtsp://u:p@h", reason="a\x1b[2Jb\n"))
    )

    assert translated(message) == "rtsp://…@h: không đọc được: a\ufffd[2Jb "


def test_formatted_numbers_are_written_as_the_language_writes_them() -> None:
    message = tr(
        "{file}: {seconds:.1f} s of camera {camera}, {how}", file="/1.5", seconds=1234.56, camera="n", how="x"
    )
    english = translated(message)
    choose("vi")

    assert english == "/1.5: 1234.6 s of camera n, x"
    assert translated(message) == "/1.5: 1234,6 giây của camera n, x"
