"""fleet.cli.bundle"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fleet.cli.main import commands
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


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--instead", "onnxruntime"], 2, "--instead onnxruntime: this is not PACKAGE=FILE.whl"),
        (["--passphrase-file", "/nowhere"], 1, "/nowhere: no passphrase can be read"),
    ],
)
def test_bad_words_are_one_clear_error(folder: Path, words: list[str], code: int, message: str) -> None:
    key = made_key(folder)

    done = bundle("build", "--key", key, "--passphrase-file", folder / "passphrase", *words)

    assert done.exit_code == code
    assert message in done.output and "hint: " in done.output
