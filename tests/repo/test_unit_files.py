"""tests/acceptance/fleet/unit_files.py: systemd understands each unit of ours, which may do little"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.acceptance.fleet.unit_files import DEPLOY, all_judged, judged, laid_out, sources


@pytest.fixture(autouse=True)
def _systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        missing = "systemd-analyze is not here: apt install systemd"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


def test_every_unit_is_understood_and_holds_its_exposure_below_two() -> None:
    """Promise P35."""
    units = {each.name: each for each in all_judged()}

    assert {name: each for name, each in units.items() if not each.good} == {}
    assert {
        "ngatu.service",
        "ngatu-station@.service",
        "ngatu-release-guard.service",
        "mosquitto.service",
        "nginx.service",
    } <= set(units)


def test_no_unit_file_is_overlooked() -> None:
    """Neither one that a role writes from text, nor a kind that is not judged."""
    units = {path.name for path in sources()}
    named = {
        path.name
        for path in DEPLOY.rglob("*")
        if "[Unit]" in (path.read_text("utf-8", "replace") if path.is_file() else "")
    }

    assert named <= units
    tasks = "".join(path.read_text() for path in DEPLOY.rglob("*.yml"))
    assert "[Service]" not in tasks and "[Unit]" not in tasks


def test_an_unknown_setting_and_a_unit_that_may_do_all_are_seen(tmp_path: Path) -> None:
    agent = next(unit for unit in laid_out(tmp_path) if unit.name == "ngatu.service")
    good = agent.read_text()
    agent.write_text(good.replace("ProtectHome=", "ProtectHomes="))
    assert "ProtectHomes" in judged(agent).complaints

    agent.write_text("[Service]\nExecStart=/bin/true\n")
    verdict = judged(agent)
    assert verdict.exposure is not None and verdict.exposure > 8 and not verdict.good


@pytest.mark.long
def test_what_a_role_adds_to_a_unit_counts(tmp_path: Path) -> None:
    units = {unit.name: unit for unit in laid_out(tmp_path)}
    before = judged(units["ngatu.service"]).exposure
    (tmp_path / "ngatu.service.d" / "10-box.conf").write_text("[Service]\nPrivateTmp=no\nProtectHome=no\n")

    after = judged(units["ngatu.service"]).exposure
    assert before is not None and after is not None and after > before
