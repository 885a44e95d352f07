"""station.uplink.settings"""

from __future__ import annotations

import pytest

from agent.errors import ConfigError
from station.config import parse, warnings

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
