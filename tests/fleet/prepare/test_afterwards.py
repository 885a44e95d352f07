"""fleet.prepare.afterwards"""

from __future__ import annotations

import shlex
from pathlib import Path

from typer.testing import CliRunner

from fleet.cli.main import commands as program
from fleet.prepare.afterwards import MODEL, commands
from tests.fleet.prepare.test_inventory import ANSWERS

HERE, THERE = Path("/home/lan/ngatu"), Path("/home/lan/my province")


def words(province: Path, **more: str) -> list[list[str]]:
    return [shlex.split(each) for _, each in commands(HERE, province, ANSWERS | more, "0.1.0")]


def test_each_build_is_one_that_the_program_takes(tmp_path: Path) -> None:
    builds = [each for each in words(tmp_path) if "bundle" in each]

    assert [each[each.index("--arch") + 1] for each in builds] == ["aarch64", "x86_64"]
    for each in builds:
        done = CliRunner().invoke(program, each[1:], input="no passphrase\n")
        assert "release.key: No such file" in done.output, done.output  # its words were taken


def test_machines_of_one_kind_share_a_release() -> None:
    builds = [each for each in words(THERE, board="pc13") if "bundle" in each]

    assert len(builds) == 1
    assert builds[0][builds[0].index("--extra") + 1] == "station"
    assert builds[0][builds[0].index("--model") + 1] == "/home/lan/my province/models/yolov3-tiny-416.onnx"


def test_what_is_done_is_left_out(tmp_path: Path) -> None:
    for folder, name in (
        ("models", f"{MODEL}.onnx"),
        ("bundles", "ngatu-0.1.0-aarch64-py311.bundle"),
        ("bundles", "ngatu-0.1.0-x86_64-py313.bundle"),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).touch()

    assert [each[0] for each in words(tmp_path)] == ["ssh-copy-id", "ssh-copy-id", "cd", "ansible-playbook"]


def test_an_inventory_of_ones_own_gets_the_play_alone() -> None:
    shown = [each.split()[0] for _, each in commands(HERE, THERE, {}, "0.1.0")]
    assert shown == ["ngatu", "cd", "ansible-playbook"]
