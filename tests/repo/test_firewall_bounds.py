"""deploy/…/nftables.conf.j2: what one address may do at a port, as the example says it"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.acceptance.faults.p_source import rules
from tests.acceptance.faults.suite import gathered, tried
from tests.conftest import ROOT

EXAMPLE = ROOT / "deploy/ansible/inventory/example/group_vars/ngatu_broker.yml"


def allowed() -> list[dict[str, Any]]:
    given: list[dict[str, Any]] = yaml.safe_load(EXAMPLE.read_text())["ngatu_base_allow"]
    return given


def test_the_example_bounds_the_boxes_door_and_opens_no_other() -> None:
    (door,) = allowed()

    assert door["port"] == 8883 and door["from"] and min(door["per_source"].values()) > 0


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("nft") is None, reason="needs root and nftables")
@pytest.mark.parametrize(
    "allow", [[], [{"port": 9000}], allowed(), [*allowed(), {**allowed()[0], "port": 9000}]]
)
def test_the_firewall_is_one_that_nft_takes(tmp_path: Path, allow: list[dict[str, Any]]) -> None:
    (tmp_path / "rules").write_text(rules(ngatu_base_allow=allow))
    done = subprocess.run(
        ["nft", "-c", "-f", str(tmp_path / "rules")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_whoever_sits_at_the_host_itself_is_not_bounded() -> None:
    assert "iif != lo tcp dport 8883 jump bounded_8883" in rules(ngatu_base_allow=allowed())


@pytest.mark.long
def test_one_loud_address_is_held_to_its_bounds() -> None:
    verdict = tried(gathered()["P45.2"], 1, "quick")
    if verdict.outcome == "not tried":
        pytest.skip(verdict.measured)

    assert verdict.outcome == "kept", verdict.measured
