"""station.footage.samples.ask"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import BrokerUnreachable, UsageError
from station.config import StationConfig
from station.footage.ask import Sending
from station.footage.samples.ask import SamplesWanted, find_order, order, orders
from tests.station.footage.samples.test_settle import ordered
from tests.support.brokers import free_port

WANTED = SamplesWanted("north-01", "a better detector", "Lê Văn A", "duty")


def config(folder: Path) -> StationConfig:
    broker = {"host": "127.0.0.1", "port": free_port()}
    return StationConfig.model_validate({"commune": "hai-ninh", "state_dir": folder, "broker": broker})


def test_what_no_box_would_understand_is_not_sent(tmp_path: Path) -> None:
    """There is no broker, and nobody asks for one."""
    nobody = SamplesWanted("north-01", "a better detector", "  ", "duty")

    with pytest.raises(UsageError, match="officer"):
        order(config(tmp_path), nobody, Sending(60, 1, None))
    assert not (tmp_path / "samples").exists()


def test_an_order_that_could_not_go_out_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnreachable):
        order(config(tmp_path), WANTED, Sending(60, 1, None))

    assert list(orders(config(tmp_path)).every()) == []


def test_an_order_is_found_by_the_end_of_its_id(tmp_path: Path) -> None:
    ordered(tmp_path)

    assert find_order(config(tmp_path), "s-1").request.officer == "Lê Văn A"
    with pytest.raises(UsageError, match="there is no request q-1") as error:
        find_order(config(tmp_path), "q-1")
    assert "ngatu station samples --list" in error.value.hint
