"""fleet.prepare.folder: playbooks, roles and units for whoever has only the wheel"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.errors import NgatuError
from fleet.cli.main import commands as program
from fleet.prepare.folder import WRITTEN, carried, files, write
from tests.conftest import ROOT

OF_A_CHECKOUT = {"ansible/prepare.py", "ansible/.ansible-lint", "ansible/.yamllint"}
"""What installs a checkout, and what judges one."""


def content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_wheel_carries_what_is_written_and_nothing_else_of_deploy() -> None:
    """setup.py runs where nothing of ours is installed, so it names the files itself."""
    named = {
        each.targets[0].id: ast.literal_eval(each.value)
        for each in ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")).body
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    }
    assert named["DEPLOYED"] == WRITTEN


def test_it_is_deploy_whole_but_for_what_only_a_checkout_needs(tmp_path: Path) -> None:
    assert write(tmp_path / "a" / "b")

    there = content(tmp_path / "a" / "b" / "deploy")
    of_ours = {name: data for name, data in content(ROOT / "deploy").items() if "__pycache__" not in name}
    assert there == {name: data for name, data in of_ours.items() if name not in OF_A_CHECKOUT}
    assert [each.name for each in (tmp_path / "a" / "b").iterdir()] == ["deploy"]
    assert {"ansible/site.yml", "systemd/ngatu.service", "ansible/inventory/example/hosts.yml"} <= there.keys()


def test_the_same_again_changes_nothing_and_what_somebody_put_beside_it_is_no_matter(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "deploy" / "ansible" / "mine.yml").write_text("- hosts: all\n")
    before = content(tmp_path)

    assert not write(tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("how", ["changed", "missing"])
def test_another_deploy_is_refused_and_left_as_it_is(tmp_path: Path, how: str) -> None:
    write(tmp_path)
    path = tmp_path / "deploy" / "ansible" / "site.yml"
    if how == "changed":
        path.write_text("# mine\n")
    else:
        path.unlink()
    before = content(tmp_path)

    with pytest.raises(
        NgatuError, match=r"is another: 1 of \d+ files, first ansible/site\.yml; nothing was"
    ) as why:
        write(tmp_path)
    assert "name a new folder" in why.value.hint
    assert content(tmp_path) == before


@pytest.mark.parametrize("below", [".", "further"])
def test_a_file_in_the_way_is_told_and_stays(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(NgatuError, match="file: this is no folder"):
        write(tmp_path / "file" / below)
    assert content(tmp_path) == {"file": b"mine"}


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "deploy").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NgatuError, match="it is there and is another"):
        write(tmp_path)
    assert (tmp_path / "deploy").readlink() == tmp_path / "elsewhere"
    assert not (tmp_path / "elsewhere").exists()


def test_keys_and_inventories_of_ones_own_in_a_checkout_go_nowhere(tmp_path: Path) -> None:
    for name in ("ansible/ca/ca.key", "ansible/inventory/province/hosts.yml", "ansible/report.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret")
    (tmp_path / "ansible" / "site.yml").write_text("- hosts: all\n")

    assert files(tmp_path) == [Path("ansible/site.yml")]


def test_the_build_puts_the_same_files_into_the_wheel() -> None:
    written = re.findall(r'^    "(.+)",$', (ROOT / "fleet/prepare/folder.py").read_text(), re.MULTILINE)

    assert written == re.findall(r'^    "(.+)",$', (ROOT / "setup.py").read_text(), re.MULTILINE)
    assert len(written) == 10


def test_the_command_says_what_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = [CliRunner().invoke(program, ["fleet", "init", "my folder"]).output for _ in range(2)]

    assert said[0].splitlines()[0] == "made: my folder/deploy"
    assert said[1].splitlines()[0] == "there already: my folder/deploy"
    assert f"cd '{tmp_path}/my folder'\n" in said[0]
    assert said[0].splitlines()[-1] == "ngatu fleet prepare"


def test_an_installation_without_playbooks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.__file__", str(tmp_path / "fleet" / "__init__.py"))

    with pytest.raises(NgatuError, match="the playbooks are missing"):
        carried()
