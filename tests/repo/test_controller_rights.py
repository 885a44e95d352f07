"""deploy/ansible/host_vars: what is done on the administrator's computer needs no right but his own"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.ca import authority as ca
from tests.conftest import ROOT
from tests.fleet.ca.test_authority import request

HERE = Path(sys.executable).parent
PASSPHRASE = "correct horse battery"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As of somebody whom sudo does not let become root."""
    sudo = tmp_path / "bin" / "sudo"
    sudo.parent.mkdir()
    sudo.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/asked-for-root\necho 'sudo: a password is required' >&2\nexit 1\n"
    )
    sudo.chmod(0o755)
    return {
        **os.environ, "ANSIBLE_HOME": str(tmp_path / "ansible"), "ANSIBLE_NOCOLOR": "1",
        "PATH": f"{sudo.parent}:{HERE}:{os.environ['PATH']}",
    }  # fmt: skip


@pytest.mark.long
def test_a_box_is_revoked_by_somebody_who_is_not_root_on_his_computer(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """By the example's inventory, which has every host become root; no broker can be reached from here.

    Who is root already would not become root: so where that runs these tests, it is somebody else.
    """
    shutil.copytree(ROOT / "deploy/ansible/inventory/example", tmp_path / "hosts")
    authority = ca.make(tmp_path / "ca", "test", PASSPHRASE, datetime.now(UTC))
    asked = request(tmp_path, "hai-ninh-01")
    authority.sign(asked, "box", "hai-ninh-01", datetime.now(UTC))

    done = subprocess.run(
        [HERE / "ansible-playbook", "-i", tmp_path / "hosts", "revoke.yml", "-e", "box=hai-ninh-01",
         "-e", f"vault_ngatu_ca_passphrase='{PASSPHRASE}'",
         "-e", "ansible_host=127.0.0.1", "-e", "ansible_port=1", "-e", "ansible_become_user=nobody"],
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        cwd=ROOT / "deploy/ansible", env=environment,
    )  # fmt: skip

    assert not (tmp_path / "asked-for-root").exists(), done.stdout
    assert [each.reason for each in authority.index.issued()] == ["keyCompromise"], done.stdout
    assert "ok: [tram-hai -> localhost" in done.stdout, "who has lost a key is asked for on this computer, too"
