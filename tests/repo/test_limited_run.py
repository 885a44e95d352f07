"""update.yml and rotate.yml with --limit: a box's own broker learns of it, and no other broker is asked"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.programs import OPENSSH, require

pytestmark = pytest.mark.long

HERE = Path(sys.executable).parent
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ngatu_ca_passphrase": "a passphrase of tests"}
"""No host answers there: who is asked is told as unreachable."""


@pytest.fixture(autouse=True, scope="module")
def _an_administrators_programs_are_here() -> None:
    require(OPENSSH)


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, with an authority beside it."""
    folder = tmp_path_factory.mktemp("province")
    shutil.copytree(ROOT / "deploy/ansible/inventory/example", folder / "hosts")
    (folder / "passphrase").write_text(str(NOWHERE["ngatu_ca_passphrase"]))
    subprocess.run(
        [HERE / "ngatu", "ca", "init", "--folder", folder / "ca", "--passphrase-file", folder / "passphrase"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return folder / "hosts"


def asked(inventory: Path, playbook: str, *words: str) -> tuple[set[str], str]:
    """Who was asked, in the order of nothing; and what was printed."""
    done = subprocess.run(
        [HERE / "ansible-playbook", "-i", inventory, playbook, "-e", json.dumps(NOWHERE), *words],
        capture_output=True, text=True, timeout=100, check=False, cwd=ROOT / "deploy/ansible",
        env={**os.environ, "ANSIBLE_HOME": str(inventory.parent / "ansible"), "ANSIBLE_NOCOLOR": "1",
             "PATH": f"{HERE}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode != 0, "a host that does not answer is an error"
    refused = re.findall(r"^fatal: \[(?:\S+ -> )?([^]\s]+)\]: UNREACHABLE", done.stdout, re.MULTILINE)
    return set(refused), done.stdout


@pytest.mark.parametrize(
    ("limit", "broker"), [("commune_hai_ninh,hai-tay-01", "tram-hai"), ("dong-ha-02", "tram-dong-ha")]
)
def test_a_limit_of_boxes_asks_their_broker_alone_and_no_box_before_it_has_learned(
    inventory: Path, limit: str, broker: str
) -> None:
    who, printed = asked(inventory, "update.yml", "--limit", limit)

    assert who == {broker}, printed
    assert "ngatu_agent :" not in printed


def test_a_broker_that_is_in_the_limit_is_asked_once_and_by_itself(inventory: Path) -> None:
    who, printed = asked(inventory, "update.yml", "--limit", "hai-ninh-01,tram-hai")

    assert who == {"tram-hai"}, printed
    assert "-> tram-" not in printed


def test_without_a_limit_every_broker_is_asked_by_itself(inventory: Path) -> None:
    who, printed = asked(inventory, "update.yml")

    assert who >= {"tram-hai", "tram-dong-ha"}, printed
    assert "-> tram-" not in printed


def test_what_cannot_be_read_from_a_box_is_told_in_words(inventory: Path) -> None:
    mine = inventory.parent / "mine"
    shutil.copytree(inventory, mine)
    broker = mine / "group_vars" / "ngatu_broker.yml"
    broker.write_text(
        broker.read_text()
        + """
ngatu_broker_boxes: "{{ {'hai-ninh-01': hostvars['hai-ninh-01'].ngatu_commune} }}"
"""
    )
    done = subprocess.run(
        [HERE / "ansible-playbook", "-i", mine, "update.yml", "-e", json.dumps(NOWHERE),
         "--limit", "hai-ninh-01"],
        capture_output=True, text=True, timeout=100, check=False, cwd=ROOT / "deploy/ansible",
        env={**os.environ, "ANSIBLE_HOME": str(inventory.parent / "ansible"), "ANSIBLE_NOCOLOR": "1",
             "PATH": f"{HERE}:{os.environ['PATH']}"},
    )  # fmt: skip

    assert done.returncode != 0
    assert "Take it out of group_vars/ngatu_broker.yml" in " ".join(done.stdout.split()), done.stdout
    assert "UNREACHABLE" not in done.stdout
