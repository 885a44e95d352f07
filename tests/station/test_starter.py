"""station.starter"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from station.config import load
from station.starter import starter_file


def test_the_file_says_what_the_command_said_and_the_folder_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    config = load(starter_file(Path("ngatu-station"), "hai-ninh"))

    assert (config.commune, config.name, config.state_dir) == (
        "hai-ninh", "hai-ninh", tmp_path / "ngatu-station",
    )  # fmt: skip
    assert config.broker.where == "127.0.0.1:1883"


def test_a_command_without_a_file_names_that_of_the_first_try_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as before:
        load(tmp_path / "none.yaml")
    starter_file(Path("ngatu-station"), "hai-ninh")
    with pytest.raises(ConfigError) as after:
        load(tmp_path / "none.yaml")

    assert "ngatu station --commune NAME" in before.value.hint
    assert after.value.hint == "the first try's file is here: -c ngatu-station/station.yaml"


def test_a_second_start_takes_the_file_as_somebody_has_changed_it(tmp_path: Path) -> None:
    path = starter_file(tmp_path / "x", "123", "broker.example", 1884)
    path.write_text(path.read_text() + "log: {level: debug}\n")

    assert load(starter_file(tmp_path / "x", "123")).log.level == "debug"
    assert load(starter_file(tmp_path / "x", "123", "broker.example", 1884)).broker.port == 1884


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("hai-duong", None, None), "commune is hai-ninh, not hai-duong"),
        (("hai-ninh", "b.example", None), "broker.host is 127.0.0.1, not b.example"),
        (("hai-ninh", None, 1884), "broker.port is 1883, not 1884"),
    ],
)
def test_a_folder_of_another_station_is_refused(
    tmp_path: Path, asked: tuple[str, str | None, int | None], said: str
) -> None:
    starter_file(tmp_path, "hai-ninh")

    with pytest.raises(ConfigError, match=said):
        starter_file(tmp_path, *asked)


def test_a_wrong_name_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'commune: "Hải Ninh" is not 2 to 32'):
        starter_file(tmp_path / "x", "Hải Ninh")

    assert not (tmp_path / "x").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")

    with pytest.raises(ConfigError, match="cannot be written"):
        starter_file(tmp_path / "x/y", "hai-ninh")
