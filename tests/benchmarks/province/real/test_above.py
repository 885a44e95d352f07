"""benchmarks.province.real.above, benchmarks.province.real.postgresql, benchmarks.province.real.rabbitmq"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.province.costs import Plane
from benchmarks.province.real import above
from benchmarks.province.real.postgresql import syncing_server
from benchmarks.province.real.rabbitmq import SERVER, rabbit_node
from tests.support.brokers import Mosquitto

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.postgresql]


def test_what_an_envelope_costs_is_found_on_a_server_that_syncs(
    start_mosquitto: Callable[..., Mosquitto], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(above, "SHAPES", ((1, 1), (4, 2), (2, 20)))
    with syncing_server() as server:
        if server is None:
            pytest.skip("PostgreSQL is not here: apt install postgresql")
        found = above.province_costs(start_mosquitto(), server, lambda _: None, 0.05)

    assert isinstance(found.worker.deliver_s, Plane)
    assert found.worker.deliver_s.of(2, 40) > found.worker.deliver_s.of(1, 1) > 0
    assert found.worker.store_s is not None and found.worker.store_s.of(1, 1) > 0
    assert found.kept_bytes.of(1, 1) > 0
    assert found.log_bytes.of(1, 20) > found.log_bytes.of(1, 1) > 0
    assert found.seal.link_bytes.of(40) > 1_280  # forty hashes of 32 bytes, which nothing packs
    assert found.broker == above.MOSQUITTO


@pytest.mark.timeout(300)
@pytest.mark.skipif(not SERVER.exists(), reason="RabbitMQ is not here: apt install rabbitmq-server")
def test_a_node_of_rabbitmq_listens_and_is_gone_afterwards() -> None:
    with rabbit_node() as node:
        assert node is not None
        assert node.port > 0 and node.process_id > 0
