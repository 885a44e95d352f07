"""fleet.prepare.answers"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from agent.errors import NgatuError
from fleet.prepare.answers import Noted, read
from fleet.prepare.questions import COMMUNE, PROVINCE, VAULT


def answers(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "mine.yml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_what_was_answered_is_noted_and_not_asked_again(tmp_path: Path) -> None:
    noted = Noted(tmp_path / "answers.yml", read(answers(tmp_path, "province: Quảng Trị\n")))
    noted.ask(PROVINCE)

    assert (tmp_path / "answers.yml").stat().st_mode & 0o777 == 0o600
    again = Noted(tmp_path / "answers.yml", read(answers(tmp_path, "province: elsewhere\n")))
    again.ask(PROVINCE)
    assert again.words == {"province": "Quảng Trị"}


def test_what_was_answered_before_an_error_is_kept(tmp_path: Path) -> None:
    path = answers(tmp_path, "commune: hai-ninh\nstation_address: 10.20.1\n")
    noted = Noted(tmp_path / "answers.yml", read(path))

    with pytest.raises(NgatuError, match=r"mine.yml: station_address: '10.20.1' is no address"):
        noted.ask(COMMUNE)
    kept = yaml.safe_load((tmp_path / "answers.yml").read_text())
    assert kept == {"commune": "hai-ninh", "station": "tram-hai-ninh"}


def test_a_secret_is_not_noted(tmp_path: Path) -> None:
    noted = Noted(tmp_path / "answers.yml", read(answers(tmp_path, "vault_password: open sesame, open\n")))

    assert noted.secret(VAULT) == "open sesame, open"
    assert not (tmp_path / "answers.yml").exists()


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("vault_password: open sesame, open\n", 0o640, "others can read vault_password\n  hint: chmod 600"),
        ("comune: hai-ninh\n", 0o600, "nobody asks for comune"),
        ("- a\n", 0o600, "no file of answers"),
        ("a: [b\n", 0o600, "no file of answers"),
        ("purpose: yes\n", 0o600, "purpose: this is no word"),
        ("place: {a: b}\n", 0o600, "place: this is no word"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_in_words(
    tmp_path: Path, text: str, mode: int, why: str
) -> None:
    with pytest.raises(NgatuError) as refused:
        read(answers(tmp_path, text, mode))
    assert why in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match=r"nowhere.yml: No such file"):
        read(tmp_path / "nowhere.yml")


def test_an_answer_that_is_missing_is_named_with_its_question(tmp_path: Path) -> None:
    with pytest.raises(NgatuError) as refused:
        Noted(tmp_path / "answers.yml", read(answers(tmp_path, ""))).ask(COMMUNE)
    assert "commune is missing\n  hint: The first commune" in str(refused.value)
