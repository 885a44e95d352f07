"""deploy/ansible/prepare.py: what comes before `ngatu fleet prepare`, with nothing but Python"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.support.programs import OPENSSH, require

SCRIPT = ROOT / "deploy/ansible/prepare.py"


def run(home: Path, *words: str, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False, timeout=60,
        env={"HOME": str(home), "PATH": path}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_what_only_root_can_bring_is_named_with_the_command_and_nothing_is_made(tmp_path: Path) -> None:
    done = run(tmp_path, path="/nowhere")

    assert done.returncode == 1
    assert "sudo apt install openssh-client openssl" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_environment_that_is_there_is_used_and_the_words_reach_the_questions(tmp_path: Path) -> None:
    require(OPENSSH)
    environment = tmp_path / "ngatu-controller"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "ngatu").symlink_to(Path(sys.executable).with_name("ngatu"))
    (environment / "ngatu-prepared").touch()
    answers = tmp_path / "mine.yml"
    answers.write_text("vault_password: open sesame, open\n")
    done = run(tmp_path, "--answers", str(answers))

    assert f"there already: {environment}" in done.stdout
    assert "others can read vault_password" in done.stderr
    assert done.returncode == 1


def test_an_environment_that_cannot_be_made_is_told_and_is_not_taken_for_whole(tmp_path: Path) -> None:
    require(OPENSSH)
    environment = tmp_path / "file"
    environment.write_text("in the way")
    done = run(tmp_path, "--environment", str(environment))

    assert done.returncode == 1
    assert "This did not work: " in done.stderr
    assert environment.read_text() == "in the way"
