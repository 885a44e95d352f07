"""deploy/…/files/ngatu_credentials.py: a box's secrets lie encrypted where systemd can, and in one form only"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

TOOL = ROOT / "deploy" / "ansible" / "roles" / "ngatu_agent" / "files" / "ngatu_credentials.py"
SECRETS = {"north": "Cổng bắc 7", "south-2": 'quotes " and $'}


class Host:
    """The folders of a box; `without` systemd-creds it is one from before systemd 250."""

    def __init__(self, folder: Path) -> None:
        self.root, self.key = folder / "ngatu", folder / "credential.secret"
        self.plain, self.encrypted = self.root / "secrets", self.root / "credentials"
        self.nothing = folder / "nothing"
        self.nothing.mkdir()

    def tool(self, *words: str, given: str = "", without: bool = False) -> subprocess.CompletedProcess[str]:
        """Call it, with a host's key of its own."""
        path = str(self.nothing) if without else os.environ["PATH"]
        return subprocess.run(
            [sys.executable, "-IB", str(TOOL), f"--root={self.root}", *words],
            input=given, capture_output=True, text=True, timeout=60, check=False,
            env={"SYSTEMD_CREDENTIAL_SECRET": str(self.key), "PATH": path},
        )  # fmt: skip

    def apply(self, secrets: dict[str, Any], *words: str, without: bool = False) -> dict[str, Any]:
        """What it says."""
        done = self.tool("apply", *words, given=json.dumps(secrets), without=without)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def state(self) -> dict[str, Any]:
        """What it says of the box."""
        return dict(json.loads(self.tool("state").stdout))

    def read(self, name: str) -> bytes:
        """As systemd would give it to the agent."""
        return subprocess.run(
            ["systemd-creds", "decrypt", f"--name={name}", str(self.encrypted / name), "-"],
            env={"SYSTEMD_CREDENTIAL_SECRET": str(self.key), "PATH": os.environ["PATH"]},
            capture_output=True, check=True,
        ).stdout  # fmt: skip

    def disk(self) -> dict[str, bytes]:
        """Every file, by its place."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


encrypts = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-creds") is None, reason="needs root and systemd 250"
)


@encrypts
def test_secrets_are_encrypted_for_this_host_and_a_second_run_changes_nothing(host: Host) -> None:
    assert host.apply(SECRETS) == {"changed": True, "way": "host"}
    before = host.disk()

    assert host.apply(SECRETS) == {"changed": False, "way": "host"}
    assert host.disk() == before
    assert host.state() == {"way": "host", "names": ["north", "outbox.key", "south-2"]}
    assert {name: host.read(name).decode() for name in SECRETS} == {n: f"{s}\n" for n, s in SECRETS.items()}
    assert len(base64.b64decode(host.read("outbox.key"))) == 32
    assert not any(secret.encode() in data for secret in SECRETS.values() for data in before.values())
    assert {path.stat().st_mode & 0o77 for path in host.encrypted.iterdir()} == {0}


@encrypts
def test_only_what_is_new_is_written_and_the_key_of_the_pictures_stays(host: Host) -> None:
    host.apply(SECRETS)
    before, key = host.disk(), host.read("outbox.key")
    assert host.apply(SECRETS | {"north": "another"}) == {"changed": True, "way": "host"}

    changed = {place for place, data in host.disk().items() if before.get(place) != data}
    assert changed == {"credentials/north"}
    assert (host.read("north"), host.read("outbox.key")) == (b"another\n", key)


@encrypts
def test_a_check_says_what_would_change_and_writes_nothing(host: Host) -> None:
    assert host.apply(SECRETS, "--check") == {"changed": True, "way": "host"}
    assert not host.root.exists()
    assert not host.key.exists()
    host.apply(SECRETS)
    before = host.disk()
    assert host.apply(SECRETS, "--check")["changed"] is False
    assert host.apply({"north": "another"}, "--check")["changed"] is True
    assert host.disk() == before


@encrypts
def test_what_an_earlier_way_left_in_plain_goes_only_when_it_is_encrypted(host: Host) -> None:
    assert host.apply(SECRETS, without=True) == {"changed": True, "way": "plain"}
    link = host.root / "north before"
    os.link(host.plain / "north", link)
    assert json.loads(host.tool("sweep").stdout) == {"changed": False}
    host.apply(SECRETS)
    assert (host.plain / "north").exists()

    assert json.loads(host.tool("sweep").stdout) == {"changed": True}
    assert list(host.plain.iterdir()) == []
    assert link.read_bytes() == bytes(len(f"{SECRETS['north']}\n".encode())), "its blocks are overwritten"
    assert json.loads(host.tool("sweep").stdout) == {"changed": False}


@encrypts
def test_on_another_board_what_cannot_be_read_is_made_anew(host: Host) -> None:
    host.apply(SECRETS)
    key = host.read("outbox.key")
    host.key.unlink()  # the card lies in another board
    assert host.apply(SECRETS) == {"changed": True, "way": "host"}

    assert host.read("north").decode() == f"{SECRETS['north']}\n"
    assert host.read("outbox.key") != key
    assert (host.encrypted / ".outbox.key.before").exists()
    assert host.apply(SECRETS)["changed"] is False


@encrypts
def test_what_was_encrypted_is_never_put_in_plain_again(host: Host) -> None:
    host.apply(SECRETS)
    done = host.tool("apply", given=json.dumps(SECRETS), without=True)

    assert done.returncode == 1
    assert "cannot be renewed" in done.stderr
    assert not host.plain.exists()


@encrypts
def test_over_a_read_only_root_that_has_no_key_nothing_is_encrypted_that_the_next_start_could_not_read(
    host: Host, tmp_path: Path
) -> None:
    mounts, below = tmp_path / "mounts", tmp_path / "root-ro"
    mounts.write_text(f"overlayroot / overlay rw,lowerdir={below},upperdir=/media/root-rw/overlay 0 0\n")
    given = json.dumps(SECRETS)
    for check in (("--check",), ()):
        done = host.tool(f"--mounts={mounts}", "apply", *check, given=given)
        assert json.loads(done.stdout) == {"changed": True, "way": "plain"}
    assert host.state()["way"] == "plain"
    key = below / "var/lib/systemd/credential.secret"
    key.parent.mkdir(parents=True)
    key.touch()

    done = host.tool(f"--mounts={mounts}", "apply", given=given)
    assert json.loads(done.stdout) == {"changed": True, "way": "host"}


def test_without_systemd_creds_the_secrets_lie_there_for_root_alone(host: Host) -> None:
    assert host.apply(SECRETS, "--check", without=True) == {"changed": True, "way": "plain"}
    assert not host.root.exists()
    assert host.apply(SECRETS, without=True) == {"changed": True, "way": "plain"}
    assert host.apply(SECRETS, without=True) == {"changed": False, "way": "plain"}

    assert host.state() == {"way": "plain", "names": sorted(SECRETS)}
    assert (host.plain / "north").read_text() == f"{SECRETS['north']}\n"
    assert {path.stat().st_mode & 0o77 for path in (host.plain, *host.plain.iterdir())} == {0}


@pytest.mark.parametrize(
    "given", ['{"../north": "x"}', '{"outbox.key": "x"}', '{"north": 7}', '["north"]', "{", '{".x": "x"}']
)
def test_what_is_no_secret_is_refused_in_one_line_that_does_not_show_it(host: Host, given: str) -> None:
    done = host.tool("apply", given=given, without=True)

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert not host.root.exists()
