"""station.uplink.settings"""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from station.config import parse, warnings
from station.uplink.settings import RequestSettings

LEAST = "commune: hai-ninh\n"


def test_nothing_goes_up_unless_it_is_asked_for() -> None:
    assert parse(LEAST.encode(), "station.yaml").uplink is None


def test_the_uplink_needs_its_shard_and_a_root_of_its_own() -> None:
    for wrong, word in (("{}", "shard"), ("{shard: s01, root: ngatu/v1}", "root"), ("{shard: 'S 1'}", "shard")):
        with pytest.raises(ConfigError, match=word):
            parse(f"{LEAST}uplink: {wrong}\n".encode(), "station.yaml")


def test_without_tls_beyond_this_machine_the_operator_is_warned() -> None:
    near, far = (
        parse(f"{LEAST}uplink: {{shard: s01, host: {host}}}\n".encode(), "station.yaml")
        for host in ("127.0.0.1", "broker.quang-ninh.example")
    )

    assert not any("uplink.tls" in line for line in warnings(near))
    assert any("uplink.tls" in line for line in warnings(far))


def test_the_province_may_ask_for_nothing_unless_the_file_names_its_key_and_the_kinds() -> None:
    def requests(text: str) -> RequestSettings | None:
        uplink = parse(f"{LEAST}uplink: {{shard: s01{text}}}\n".encode(), "station.yaml").uplink
        assert uplink is not None
        return uplink.requests

    assert requests("") is None
    only_key = requests(", requests: {key: /etc/province.pub}")
    assert only_key is not None and only_key.allowed == ()
    for wrong, word in (
        ("{}", "key"),
        ("{key: /k, allowed: [sound]}", "allowed"),
        ("{key: /k, all: true}", "all"),
    ):
        with pytest.raises(ConfigError, match=word):
            requests(f", requests: {wrong}")
