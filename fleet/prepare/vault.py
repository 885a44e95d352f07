"""Ansible's vault, by Ansible's own programs. A password reaches them by a pipe; no process list has it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from agent.errors import NgatuError, how_to_install
from fleet.whole_file import write_whole

TIMEOUT_S = 180


def program(name: str) -> str:
    """Where a program of Ansible lies: beside this Python, or wherever the shell finds it.

    Raises:
        NgatuError: nowhere.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise NgatuError(f"{name} is not here", how_to_install("fleet"))
    return found


def opened(
    words: Sequence[str], password: str, given: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program of Ansible that can open the vault with this password."""
    out, into = os.pipe()
    try:
        os.write(into, f"{password}\n".encode())  # some letters: a pipe holds thousands
        os.close(into)
        return subprocess.run(
            [program(words[0]), *words[1:], "--vault-password-file", f"/dev/fd/{out}"], pass_fds=(out,),
            input=given, capture_output=True, text=True, check=False, timeout=TIMEOUT_S, cwd=folder,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )  # fmt: skip
    finally:
        os.close(out)


def make(path: Path, secrets: dict[str, str], password: str) -> None:
    """A new vault with these variables, in place at once and on the disk, readable by its owner only.

    Raises:
        NgatuError: Ansible could not, or the folder does not take it.
    """
    text = yaml.safe_dump(secrets, allow_unicode=True, sort_keys=False)
    done = opened(["ansible-vault", "encrypt", "--output", "-", "-"], password, text)
    if done.returncode:
        raise NgatuError(f"{path}: {_told(done)}", "see whether the disk is full")
    write_whole(path, done.stdout.encode(), 0o600)  # of the passphrase in it there is no other copy


def read(path: Path, password: str) -> dict[str, Any]:
    """The variables of a vault.

    Raises:
        NgatuError: the password is another, or the file is no vault of variables.
    """
    done = opened(["ansible-vault", "view", str(path)], password)
    if done.returncode:
        raise NgatuError(f"{path}: the password is wrong, or this is no vault", "try again")
    try:
        held = yaml.safe_load(done.stdout) or {}
    except yaml.YAMLError:
        held = None
    if not isinstance(held, dict):
        raise NgatuError(f"{path}: this vault holds no variables", f"ansible-vault edit {path}")
    return held


def _told(done: subprocess.CompletedProcess[str]) -> str:
    return (
        " ".join((done.stderr or done.stdout).split())[:300] or f"{done.args[0]} ended with {done.returncode}"
    )
