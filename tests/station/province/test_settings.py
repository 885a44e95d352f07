"""station.province.settings"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from station.config import StationConfig
from station.province.settings import load, parse

LEAST = b"shard: s01\ndatabase: {url: 'postgresql://ngatu@127.0.0.1/province'}\n"


def test_a_worker_is_to_its_shard_what_a_station_is_to_its_commune() -> None:
    settings = parse(LEAST, "province.yaml").subscriber()

    assert settings.communes == ("s01",) and settings.receipts
    assert settings.mqtt_id == "ngatu-province.s01" and settings.root == "ngatu-up/v1"


def test_the_console_is_a_station_s_over_the_province_s_database() -> None:
    found = parse(LEAST + b"web: {port: 8481}\nstate_dir: /srv/desk\n", "province.yaml").desk()

    assert found.web is not None and (found.web.scope, found.web.port) == ("province", 8481)
    assert found.database.url == "postgresql://ngatu@127.0.0.1/province" and found.state_dir == Path(
        "/srv/desk"
    )
    again = StationConfig.model_validate_json(found.model_dump_json())  # as its process is handed it
    assert again.web is not None and again.web.scope == "province"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"shard: s01\n", "database"),
        (b"shard: s01\ndatabase: {}\n", "url"),
        (b"shard: s01\ndatabase: {url: 'sqlite:///x.db'}\n", "url"),
        (LEAST.replace(b"s01", b"station"), "shard"),
        (LEAST + b"retention_months: 0\n", "retention_months"),
        (LEAST + b"quota: {items_per_day: 1000}\n", "items_per_day"),
        (LEAST + b"web: {scope: commune}\n", "scope"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: bytes, word: str) -> None:
    with pytest.raises(ConfigError, match=word) as found:
        parse(text, "province.yaml")
    assert "province.yaml:" in str(found.value)


def test_a_file_that_is_not_there_is_one_error_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ngatu province example"):
        load(tmp_path / "province.yaml")
