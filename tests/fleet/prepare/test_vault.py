"""fleet.prepare.vault"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.prepare import vault

SECRETS = {"a": "Mật:khẩu'7\"\\x # y", "b": "12345678901234"}


@pytest.mark.long
def test_what_goes_in_comes_out_with_the_password_only(tmp_path: Path) -> None:
    path = tmp_path / "vault.yml"
    vault.make(path, SECRETS, "Cửa: mở ra # 12345")

    assert path.read_text().startswith("$ANSIBLE_VAULT;")
    assert path.stat().st_mode & 0o777 == 0o600
    assert vault.read(path, "Cửa: mở ra # 12345") == SECRETS
    with pytest.raises(NgatuError, match="the password is wrong"):
        vault.read(path, "another password")
    assert [each.name for each in tmp_path.iterdir()] == ["vault.yml"]


@pytest.mark.long
def test_it_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the passphrase in it there is no other copy: a power cut must not leave an empty vault."""
    names: list[str] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        really(handle)
        names.append(Path(f"/proc/self/fd/{handle}").readlink().name)

    monkeypatch.setattr(os, "fsync", fsync)
    vault.make(tmp_path / "vault.yml", SECRETS, "a door that opens")

    assert names == [".vault.yml.new", tmp_path.name]


def test_a_program_that_is_not_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NgatuError, match="ansible-nonsense is not here"):
        vault.program("ansible-nonsense")
