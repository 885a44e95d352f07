"""fleet.cli.stopped"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from fleet.bundle.release_key import make
from fleet.cli.stopped import saying_what_is_written
from tests.conftest import ROOT
from tests.support.releases import HERE, wheel

PASSPHRASE = "correct horse battery"
NGATU = (  # a shell may have Ctrl-C ignored
    "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from agent.cli.main import main\nmain()"
)


@pytest.fixture
def silent_registry() -> Iterator[socket.socket]:
    """Whoever asks it waits."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def interrupted(registry: socket.socket, *words: object) -> tuple[int, list[str]]:
    """The real command, interrupted as a terminal does it, with its pip, when that asks the registry."""
    index = f"http://127.0.0.1:{registry.getsockname()[1]}/simple"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    process = subprocess.Popen(
        [sys.executable, "-c", NGATU, "bundle", *map(str, words)], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**kept, "PIP_INDEX_URL": index}, cwd=ROOT,
    )  # fmt: skip
    try:
        with registry.accept()[0]:
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert out == ""
    return process.returncode, err.strip().splitlines()


def test_ctrl_c_while_a_bundle_is_built_says_that_nothing_was_written(
    tmp_path: Path, silent_registry: socket.socket
) -> None:
    (tmp_path / "passphrase").write_text(f"{PASSPHRASE}\n")
    make(tmp_path / "release.key", PASSPHRASE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/older.bundle").write_bytes(b"older")

    secret = ["--key", tmp_path / "release.key", "--passphrase-file", tmp_path / "passphrase"]
    board = ["--arch", os.uname().machine, "--python", HERE, "--wheel", wheel(tmp_path, "0.9.0")]
    done = interrupted(silent_registry, "build", *secret, *board, "--out", tmp_path / "out")

    words = "stopped before the bundle was complete: nothing was written; run the same again"
    assert done == (130, [words])
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["older.bundle"]


def test_ctrl_c_while_a_lock_is_made_says_of_which_board(
    tmp_path: Path, silent_registry: socket.socket
) -> None:
    for part in ("deploy/systemd", "deploy/locks", "deploy/ansible/roles/ngatu_agent/files/ngatu_release"):
        shutil.copytree(ROOT / part, tmp_path / "province" / part)
    words = ["lock", "pi-bookworm", "--source", tmp_path / "province", "--wheel", wheel(tmp_path, "0.9.0")]

    said = "stopped before the lock of pi-bookworm was complete: nothing was written; run the same again"
    assert interrupted(silent_registry, *words) == (130, [said])


def test_a_file_that_got_its_name_before_is_said_to_be_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "older.bundle").write_bytes(b"older")
    with pytest.raises(typer.Exit) as caught, saying_what_is_written("the bundle", tmp_path):
        (tmp_path / "newer.bundle").write_bytes(b"newer")
        raise KeyboardInterrupt
    assert caught.value.exit_code == 130
    assert f"newer.bundle is new in {tmp_path}; run the same again" in capsys.readouterr().err
