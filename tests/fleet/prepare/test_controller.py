"""fleet.prepare.controller: by the real command, in a folder of `fleet init`: `fleet prepare --answers FILE`"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from fleet.bundle.release_key import read_private
from fleet.ca.authority import unlock
from fleet.prepare import vault
from fleet.prepare.folder import write
from tests.conftest import ROOT
from tests.support.programs import OPENSSH, require

pytestmark = pytest.mark.long

HERE = Path(sys.executable).parent
SECRETS = {
    "authority_passphrase": "Con mèo ngồi trên cột",
    "release_passphrase": "Mười hai con gà",
    "vault_password": "Cửa: mở ra # 12345",
    "camera_password": "Mật:khẩu'7\"\\x",
}
BESIDE = "import sys; sys.executable = sys.argv.pop(1); from agent.cli.main import main; main()"
"""ngatu, which finds Ansible's programs beside another Python."""
ANSWERS = {
    "province": "Tỉnh Quảng Trị", "commune": "hai-ninh", "station_address": "127.0.0.2",
    "box_address": "10.20.1.11", "place": 'Ngã tư Lê Lợi, "phía bắc"', "legal_basis": "Quyết định 123/QĐ-UBND",
    "camera_url": "rtsp://192.168.30.21:554/stream2", "camera_user": "ngatu", **SECRETS,
}  # fmt: skip


@dataclass
class Home:
    """Of somebody who has nothing yet."""

    folder: Path

    @property
    def province(self) -> Path:
        return self.folder / "province"

    @property
    def written(self) -> Path:
        """By `ngatu fleet init`."""
        return self.folder / "playbooks"

    @property
    def ansible(self) -> Path:
        """Where playbooks run."""
        return self.written / "deploy" / "ansible"

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.folder), "PATH": f"{HERE}:{os.environ['PATH']}", "LANG": "C.UTF-8",
                "ANSIBLE_HOME": str(self.folder / "ansible")}  # fmt: skip

    def prepare(self, *words: str, **answers: str | None) -> subprocess.CompletedProcess[str]:
        write(self.written)
        path = self.folder / "mine.yml"
        kept = {key: word for key, word in (ANSWERS | answers).items() if word is not None}
        path.write_text(yaml.safe_dump(kept, allow_unicode=True))
        path.chmod(0o600)
        return subprocess.run(
            [HERE / "ngatu", "fleet", "prepare", "--checkout", self.written, "--answers", path, *words],
            capture_output=True, text=True, timeout=100, check=False, env=self.environment,
        )  # fmt: skip

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.folder)): f"{path.stat().st_mode:o} {path.stat().st_mtime_ns} "
            + hashlib.sha256(path.read_bytes()).hexdigest()
            for folder in (self.province, self.folder / ".ssh")
            for path in folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture(autouse=True, scope="module")
def _an_administrators_programs_are_here() -> None:
    require(OPENSSH)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    done = home.prepare()
    assert done.returncode == 0, done.stdout + done.stderr
    return home


def test_ansible_reads_the_inventory_and_every_variable_of_the_roles_that_it_needs(prepared: Home) -> None:
    done = vault.opened(
        ["ansible-inventory", "-i", str(prepared.province / "hosts"), "--list"], SECRETS["vault_password"]
    )

    read = json.loads(done.stdout)
    assert read["ngatu_box"]["children"] == ["commune_hai_ninh"]
    assert read["ngatu_broker"]["children"] == ["ngatu_station"]
    box = read["_meta"]["hostvars"]["hai-ninh-01"]
    assert box["ngatu_agent_place"] == ANSWERS["place"]
    assert box["vault_ngatu_ca_passphrase"] == SECRETS["authority_passphrase"]
    assert box["vault_hai_ninh_01_north"] == SECRETS["camera_password"]


def test_a_box_more_joins_it_as_the_guide_says(prepared: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", prepared.environment["PATH"])
    new = {"box": "hai-ninh-02", "commune": "hai-ninh", "address": "10.20.1.12", "place": "Chợ"}
    words = ["ansible-playbook", "-i", str(prepared.province / "hosts"), "new-box.yml", "--check"]
    done = vault.opened([*words, "-e", json.dumps(new)], SECRETS["vault_password"], folder=prepared.ansible)
    assert done.returncode == 0, done.stdout


def test_each_passphrase_opens_what_it_was_given_for_and_nobody_else_may_read_a_secret(prepared: Home) -> None:
    unlock(prepared.province / "ca", SECRETS["authority_passphrase"])
    read_private(prepared.province / "release.key", SECRETS["release_passphrase"])

    for path in ("ca/ca.key", "release.key", "hosts/group_vars/all/vault.yml", "answers.yml"):
        assert (prepared.province / path).stat().st_mode & 0o777 == 0o600, path
    assert prepared.province.stat().st_mode & 0o777 == 0o700
    written = "".join(
        path.read_text(errors="replace") for path in prepared.province.rglob("*") if path.is_file()
    )
    assert not [secret for secret in SECRETS.values() if secret in written]


def test_the_last_command_that_it_shows_is_one_that_ansible_takes(prepared: Home) -> None:
    shown = prepared.prepare().stdout.splitlines()[-1]

    words = shown.replace("--ask-vault-pass", "--list-hosts").split()
    assert words[:2] == ["ansible-playbook", "-i"]
    done = vault.opened(words, SECRETS["vault_password"], folder=prepared.ansible)
    assert done.returncode == 0, done.stderr
    assert "hai-ninh-01" in done.stdout
    assert "tram-hai-ninh" in done.stdout


def test_the_same_again_changes_nothing_and_says_what_is_there(prepared: Home) -> None:
    before = prepared.files()
    done = prepared.prepare(commune="hai-bac", province="elsewhere")

    assert done.returncode == 0, done.stderr
    assert prepared.files() == before
    assert "made:" not in done.stdout
    assert done.stdout.count("there already:") >= 10


def test_what_somebody_has_written_since_is_left_alone(prepared: Home) -> None:
    path = prepared.province / "hosts" / "group_vars" / "ngatu_box.yml"
    path.write_text(path.read_text() + "# a note of mine\n")
    before = prepared.files()

    assert prepared.prepare().returncode == 0
    assert prepared.files() == before


def test_a_wrong_password_of_the_vault_is_told_and_nothing_is_changed(prepared: Home) -> None:
    before = prepared.files()
    done = prepared.prepare(vault_password="another password")

    assert done.returncode == 1
    assert "vault_password:" in done.stderr
    assert "the password is wrong" in done.stderr
    assert prepared.files() == before


def test_it_goes_on_where_it_stopped(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = home.prepare(release_passphrase=None)
    made = home.files()
    assert first.returncode == 1
    assert "release_passphrase is missing" in first.stderr
    assert "province/ca/ca.key" in made
    assert "province/hosts/hosts.yml" not in made

    second = home.prepare(camera_password=None)  # it lies in the vault already
    assert second.returncode == 0, second.stderr
    assert made.items() <= home.files().items()
    assert "province/hosts/hosts.yml" in home.files()


def test_an_inventory_of_ones_own_is_left_alone_and_gets_its_keys(tmp_path: Path) -> None:
    home = Home(tmp_path)
    hosts = home.province / "hosts" / "hosts.yml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text("all: {children: {ngatu_box: {hosts: {}}}}\n")
    done = home.prepare()

    assert done.returncode == 0, done.stderr
    assert hosts.read_text() == "all: {children: {ngatu_box: {hosts: {}}}}\n"
    assert not (home.province / "hosts" / "box-hai-ninh-01.yml").exists()
    assert (home.province / "ca" / "ca.key").exists()


def test_no_other_process_can_see_a_secret(tmp_path: Path) -> None:
    """Of each program that it starts: the words of its command, and its environment."""
    log = tmp_path / "calls"
    home = Home(tmp_path / "home")
    home.folder.mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("ansible-vault", "ansible-inventory", "ansible-playbook", "ssh-keygen"):
        (programs / name).write_text(
            f'#!/bin/sh\n{{ tr "\\0" "\\n" </proc/$$/cmdline; tr "\\0" "\\n" </proc/$$/environ; }} >>{log}\n'
            f'exec {shutil.which(name, path=home.environment["PATH"])} "$@"\n'
        )
        (programs / name).chmod(0o755)
    seen = subprocess.run(
        [sys.executable, "-c", BESIDE, str(programs / "python"), "fleet", "prepare", "--checkout", str(ROOT),
         "--answers", str(_answers(home))],
        capture_output=True, text=True, timeout=100, check=False,
        env=home.environment | {"PATH": f"{programs}:/usr/bin:/bin"}, cwd=ROOT,
    )  # fmt: skip

    assert seen.returncode == 0, seen.stderr
    calls = log.read_text(errors="replace")
    assert calls.count("--vault-password-file") >= 3
    assert not [secret for secret in SECRETS.values() if secret in calls]
    assert not [secret for secret in SECRETS.values() if secret in seen.stdout + seen.stderr]


def _answers(home: Home) -> Path:
    path = home.folder / "mine.yml"
    path.write_text(yaml.safe_dump(ANSWERS, allow_unicode=True))
    path.chmod(0o600)
    return path
