"""The playbooks' preflight: a bundle for another Python is refused before it is uploaded"""

from __future__ import annotations

import io
import json
import os
import platform
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
HERE = "{}.{}".format(*sys.version_info[:2])

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PLAYBOOK.exists(), reason="needs ansible-core"),
    pytest.mark.timeout(300),
]


def said(folder: Path, role: str, python: str, bundle_for: str) -> str:
    """What the role's preflight says on this machine, whose Python is `python`, about a bundle."""
    bundle = folder / "ngatu.bundle"
    manifest = json.dumps({"arch": platform.machine(), "python": bundle_for, "version": "0.1.0"}).encode()
    with tarfile.open(bundle, "w") as archive:
        member = tarfile.TarInfo("manifest.json")
        member.size = len(manifest)
        archive.addfile(member, io.BytesIO(manifest))
    prefix = f"ngatu_{role}"
    given = {f"{prefix}_bundle": str(bundle), f"{prefix}_python": python}
    play = [{
        "hosts": "localhost", "connection": "local", "gather_facts": False, "become": False, "vars": given,
        "tasks": [{"ansible.builtin.include_role": {"name": prefix, "tasks_from": "preflight.yml"}}],
    }]  # fmt: skip
    (folder / "play.yml").write_text(yaml.safe_dump(play))
    done = subprocess.run(
        [str(PLAYBOOK), "-i", "localhost,", str(folder / "play.yml")],
        env=os.environ | {
            "ANSIBLE_ROLES_PATH": str(ROOT / "deploy/ansible/roles"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        },
        cwd=folder, capture_output=True, text=True, check=False, timeout=290,
    )  # fmt: skip
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("role", ["agent", "station"])
def test_a_bundle_for_another_python_is_refused_before_it_is_uploaded(tmp_path: Path, role: str) -> None:
    words = said(tmp_path, role, sys.executable, "3.9")
    assert f"The bundle is for Python 3.9, and {sys.executable} is {HERE}: build one for it" in words
    assert "The bundle is for this Python" in words
    assert "Bring the bundle" not in words


def test_a_python_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    words = said(tmp_path, "agent", "/usr/bin/python-that-is-not-there", HERE)
    assert f"The bundle is for Python {HERE}, and /usr/bin/python-that-is-not-there is none that runs" in words


def test_a_bundle_for_the_boxs_python_goes_on(tmp_path: Path) -> None:
    words = said(tmp_path, "agent", sys.executable, HERE)
    assert "build one for it" not in words
    assert "Preflight | The bundle is for this box" in words
