"""fleet.cli.bundle"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fleet.bundle.release_key import read_private
from fleet.cli.main import commands
from tests.conftest import ROOT
from tests.support.licensed_wheels import licensed_wheel
from tests.support.releases import HERE, wheel

PASSPHRASE = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    return tmp_path


def bundle(*words: object) -> Result:
    return CliRunner().invoke(commands, ["bundle", *map(str, words)])


def made_key(folder: Path) -> Path:
    key = folder / "release.key"
    assert bundle("key", key, "--passphrase-file", folder / "passphrase").exit_code == 0
    return key


@pytest.mark.usefixtures("shop")
def test_a_key_signs_a_bundle_and_its_public_half_finds_it_whole(folder: Path) -> None:
    key = made_key(folder)
    board = ["--arch", os.uname().machine, "--python", HERE, "--wheel", wheel(folder, "0.9.0")]
    secret = ["--key", key, "--passphrase-file", folder / "passphrase"]

    built = bundle("build", *secret, *board, "--out", folder / "out")

    assert built.exit_code == 0, built.output
    path, lock = sorted((folder / "out").iterdir())
    assert lock == path.with_suffix(".lock")
    assert f"{path}: ngatu 0.9.0 for {os.uname().machine}, Python {HERE}" in built.output
    verified = bundle("verify", path, "--key", key.with_suffix(".pub"))
    assert verified.exit_code == 0, verified.output
    assert "whole and signed: ngatu 0.9.0" in verified.output and "floor 0.9.0" in verified.output

    path.write_bytes(path.read_bytes().replace(b"ngatu_release/", b"ngatu_rElease/", 1))
    spoiled = bundle("verify", path, "--key", key.with_suffix(".pub"))
    assert spoiled.exit_code == 1
    assert "hint: " in spoiled.output


def test_the_passphrase_is_asked_for_twice_where_no_file_has_it(folder: Path) -> None:
    words = ["bundle", "key", str(folder / "asked.key")]

    differing = CliRunner().invoke(commands, words, input="one passphrase\nanother one\n\n")
    same = CliRunner().invoke(commands, words, input=f"{PASSPHRASE}\n{PASSPHRASE}\n")

    assert differing.exit_code == 1 and "do not match" in differing.output
    assert same.exit_code == 0 and (folder / "asked.pub").is_file()
    assert PASSPHRASE not in same.output


def test_without_a_terminal_no_passphrase_is_asked_for_and_none_is_shown(folder: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "agent", "bundle", "key", folder / "asked.key"],
        input=f"{PASSPHRASE}\n" * 2, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
        start_new_session=True,
    )  # fmt: skip

    assert asked.returncode == 1
    assert asked.stderr.splitlines()[-2:] == [
        "there is no terminal to ask for the passphrase at", "  hint: give a file: --passphrase-file FILE"
    ]  # fmt: skip
    assert "Warning" not in asked.stderr and not (folder / "asked.key").exists()


def test_the_mark_that_windows_puts_before_a_text_is_no_part_of_a_passphrase(folder: Path) -> None:
    """Else no key that was made of such a file would ever open for whoever types the passphrase."""
    key = folder / "release.key"
    (folder / "notepad").write_bytes(b"\xef\xbb\xbf" + PASSPHRASE.encode() + b"\r\n")
    assert bundle("key", key, "--passphrase-file", folder / "notepad").exit_code == 0

    read_private(key, PASSPHRASE)


def test_a_file_that_begins_empty_holds_no_passphrase(folder: Path) -> None:
    for text in ("", "\nsecret in the second line\n"):
        (folder / "empty").write_text(text)
        done = bundle("key", folder / "asked.key", "--passphrase-file", folder / "empty")
        assert (done.exit_code, "it begins empty" in done.output) == (1, True), done.output
    assert not (folder / "asked.key").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--instead", "onnxruntime"], 2, "--instead onnxruntime: this is not PACKAGE=FILE.whl"),
        (["--instead", "onnxruntime="], 2, "--instead onnxruntime=: this is not PACKAGE=FILE.whl"),
        (["--arch", "arm64"], 2, "did you mean aarch64? there are aarch64, x86_64"),
        (["--passphrase-file", "/nowhere"], 1, "/nowhere: no passphrase can be read"),
    ],
)
def test_bad_words_are_one_clear_error(folder: Path, words: list[str], code: int, message: str) -> None:
    key = made_key(folder)

    done = bundle("build", "--key", key, "--passphrase-file", folder / "passphrase", *words)

    assert done.exit_code == code
    assert message in done.output and "hint: " in done.output


@pytest.mark.long
@pytest.mark.usefixtures("shop")
def test_a_boards_lock_is_written_into_the_source_and_taken_by_its_name(folder: Path) -> None:
    source = folder / "province"
    for part in ("deploy/systemd", "deploy/ansible/roles/ngatu_agent/files/ngatu_release"):
        shutil.copytree(ROOT / part, source / part)
    own, key = wheel(folder, "0.9.0"), made_key(folder)
    locked = bundle("lock", "pi-bookworm", "--source", source, "--wheel", own)
    assert locked.exit_code == 0, locked.output
    assert locked.output.strip() == str(source / "deploy/locks/pi-bookworm.lock")

    secret = ["--key", key, "--passphrase-file", folder / "passphrase"]
    words = ["build", *secret, "--source", source, "--wheel", own, "--out", folder / "out"]
    built = bundle(*words, "--board", "pi-bookworm")
    assert built.exit_code == 0, built.output
    assert "ngatu 0.9.0 for aarch64, Python 3.11" in built.output

    both = bundle(*words, "--board", "pi-bookworm", "--python", "3.13")
    assert (both.exit_code, "--board says arch, python, glibc and lock" in both.output) == (2, True)
    without = bundle(*words, "--board", "pi-trixie")
    assert without.exit_code == 1
    assert "hint: make one: ngatu bundle lock pi-trixie" in without.output


def test_a_board_that_nobody_knows_is_told_before_any_lock_is_written(folder: Path) -> None:
    asked = bundle("lock", "pi-bookworm", "amiga", "--source", folder)
    assert asked.exit_code == 2
    assert "amiga: no such board" in asked.output
    assert not (folder / "deploy").exists()


@pytest.mark.usefixtures("shop")
def test_a_wheel_that_goes_along_is_in_the_bundle_and_one_for_another_board_is_refused(folder: Path) -> None:
    key = made_key(folder)
    own = wheel(folder, "0.9.0")
    plugin = licensed_wheel(folder / "mine", "bright_spots", "Requires-Python: >=3.11")
    secret = ["--key", key, "--passphrase-file", folder / "passphrase"]
    words = ["build", *secret, "--python", "3.11", "--wheel", own, "--source", ROOT, "--out", folder / "out"]
    built = bundle(*words, "--also", plugin)
    assert built.exit_code == 0, built.output
    (path,) = (folder / "out").glob("*.bundle")
    with tarfile.open(path) as archive:
        assert f"wheels/{plugin.name}" in archive.getnames()
    assert "bright" not in path.with_suffix(".lock").read_text()

    newer = licensed_wheel(folder / "newer", "bright_spots", "Requires-Python: >=3.13")
    refused = bundle(*words, "--also", newer)
    assert refused.exit_code == 1
    assert "it asks for Python >=3.13, and the board has 3.11" in " ".join(refused.output.split())


@pytest.mark.long
def test_a_wheel_for_the_gpus_of_servers_is_warned_of_by_its_name(folder: Path, shop: Path) -> None:
    key = made_key(folder)
    licensed_wheel(shop, "onnxruntime")
    own = licensed_wheel(folder, "ngatu", "Requires-Dist: onnxruntime")
    secret = ["--key", key, "--passphrase-file", folder / "passphrase"]
    words = ["build", *secret, "--python", "3.12", "--glibc", "39", "--wheel", own, "--source", ROOT]
    warned = {}
    for tag in ("manylinux_2_34_aarch64", "linux_aarch64"):
        plain = licensed_wheel(folder / tag, "onnxruntime_gpu")
        given = plain.rename(plain.with_name(f"onnxruntime_gpu-1.0-cp312-cp312-{tag}.whl"))
        built = bundle(*words, "--instead", f"onnxruntime={given}", "--out", folder / f"{tag}-out")
        assert built.exit_code == 0, built.output
        warned[tag] = "holds nothing for an Orin's GPU" in built.output
    assert warned == {"manylinux_2_34_aarch64": True, "linux_aarch64": False}
