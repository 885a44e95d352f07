"""The administrator's computer, made ready step by step; each step leaves alone what is there, and says so.

    PROVINCE/answers.yml              what was answered, without secrets
    PROVINCE/ca/, release.key         the authority, and the key that signs releases, each with its passphrase
    PROVINCE/hosts/                   the inventory, with group_vars/all/vault.yml
    PROVINCE/bundles/                 for releases

Invariants
1. What is there is never written over, by whomever it was made.
2. A secret is in no command line, in no environment and in no file but encrypted; files of secrets are 0600.
3. Whatever is interrupted may be run again: it goes on behind what was done.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from agent.errors import NgatuError
from fleet.bundle import release_key
from fleet.ca import authority
from fleet.prepare import inventory, vault
from fleet.prepare.answers import Noted
from fleet.prepare.questions import AUTHORITY, CAMERA_PASSWORD, COMMUNE, PROVINCE, RELEASE, VAULT, Question
from fleet.whole_file import write_whole

T = TypeVar("T")
EXAMPLE: Final = Path("deploy/ansible/inventory/example")
IN_VAULT: Final = "vault_ngatu_ca_passphrase"
"""Variable with what opens the authority."""
SSH_KEYS: Final = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk")


@dataclass(frozen=True, slots=True)
class Controller:
    """What is made ready, and who answers; `say` takes one line for the administrator."""

    checkout: Path
    province: Path
    home: Path
    noted: Noted
    version: str
    say: Callable[[str], None]

    @property
    def hosts(self) -> Path:
        """The inventory."""
        return self.province / "hosts"

    @property
    def vault_file(self) -> Path:
        """Where Ansible looks for it: beside main.yml."""
        return self.hosts / "group_vars" / "all" / "vault.yml"

    @property
    def own_inventory(self) -> bool:
        """Whether somebody has made an inventory of his own."""
        return (self.hosts / inventory.HOSTS).exists() and not self.noted.path.exists()


def prepare(controller: Controller, now: datetime) -> None:
    """Everything, in order: tools, questions, keys, vault, inventory, a look at all of it.

    Raises:
        NgatuError: something is missing here, was answered wrongly, or does not fit what is there.
    """
    _tools(controller.checkout)
    _folders(controller)
    new_authority = not (controller.province / "ca" / "ca.key").exists()
    own_inventory = controller.own_inventory
    if new_authority:
        controller.noted.ask(PROVINCE)
    if not own_inventory:
        controller.noted.ask(COMMUNE)
    _ssh_key(controller)
    password, passphrase = _vault(controller, own_inventory=own_inventory)
    _authority(controller, passphrase, now)
    _release_key(controller)
    if own_inventory:
        controller.say(f"there already: {controller.hosts}, an inventory of your own: nothing was changed")
    else:
        _inventory(controller)
    _look(controller, password)


def _tools(checkout: Path) -> None:
    if not (checkout / EXAMPLE / inventory.HOSTS).exists():
        raise NgatuError(
            f"{checkout}: here are no playbooks of ngatu",
            "write them with `ngatu fleet init FOLDER`, and run it there; or name a checkout with --checkout",
        )
    for name in ("ansible-vault", "ansible-inventory", "ansible-playbook"):
        vault.program(name)
    missing = [name for name in ("ssh", "ssh-keygen", "openssl") if shutil.which(name) is None]
    if missing:
        raise NgatuError(
            f"{', '.join(missing)}: not on this computer", "sudo apt install openssh-client openssl"
        )


def _folders(controller: Controller) -> None:
    for folder in (controller.province, controller.province / "bundles"):
        if folder.is_dir():
            controller.say(f"there already: {folder}")
            continue
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            why = "this is no folder" if folder.exists() else error.strerror
            raise NgatuError(f"{folder}: {why}", "name another with --province") from None
        controller.say(f"made: {folder}")


def _ssh_key(controller: Controller) -> None:
    """The one that hosts know the administrator by; without a passphrase, as the disk is to be encrypted."""
    folder = controller.home / ".ssh"
    there = [folder / name for name in SSH_KEYS if (folder / name).exists()]
    if there:
        controller.say(f"there already: {there[0]}, your key for SSH")
        return
    folder.mkdir(mode=0o700, exist_ok=True)
    key = folder / SSH_KEYS[0]
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ngatu", "-f", str(key)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise NgatuError(f"{key}: {done.stderr.strip()[:200]}", "make it by hand: ssh-keygen -t ed25519")
    controller.say(f"made: {key}, your key for SSH; add a passphrase any time: ssh-keygen -p -f {key}")


def _vault(controller: Controller, *, own_inventory: bool) -> tuple[str, str]:
    """Its password, and the authority's passphrase, which lies in it."""
    path = controller.vault_file
    if path.exists():
        password, held = _tried(controller, VAULT, lambda word: vault.read(path, word))
        controller.say(f"there already: {path}, and this password opens it")
        if not isinstance(held.get(IN_VAULT), str):
            raise NgatuError(f"{path}: {IN_VAULT} is not in it", f"ansible-vault edit {path}")
        return password, str(held[IN_VAULT])
    folder = controller.province / "ca"
    if (folder / "ca.key").exists():
        passphrase, _ = _tried(controller, AUTHORITY, lambda word: authority.unlock(folder, word))
    else:
        passphrase = controller.noted.secret(AUTHORITY)
    password = controller.noted.secret(VAULT)
    secrets = {IN_VAULT: passphrase}
    name = "" if own_inventory else inventory.camera_secret(controller.noted.words)
    if name and CAMERA_PASSWORD.asked(controller.noted.words):
        secrets[name] = controller.noted.secret(CAMERA_PASSWORD)
    path.parent.mkdir(parents=True, exist_ok=True)
    vault.make(path, secrets, password)
    controller.say(f"made: {path}, the vault with {', '.join(secrets)}")
    return password, passphrase


def _tried(controller: Controller, question: Question, use: Callable[[str], T]) -> tuple[str, T]:
    """A secret of before, until it is the right one; and what it gave."""
    while True:
        word = controller.noted.secret(question, new=False)
        try:
            return word, use(word)
        except NgatuError as why:
            controller.noted.source.refused(question, why)


def _authority(controller: Controller, passphrase: str, now: datetime) -> None:
    folder = controller.province / "ca"
    if (folder / "ca.key").exists():
        try:
            authority.unlock(folder, passphrase)
        except NgatuError as why:
            raise NgatuError(
                f"{controller.vault_file}: {IN_VAULT} does not open {folder}: {why.what}",
                f"put the right one in: ansible-vault edit {controller.vault_file}",
            ) from None
        controller.say(f"there already: {folder}, the authority, and the vault opens it")
        return
    authority.make(folder, controller.noted.words["province"], passphrase, now)
    controller.say(f"made: {folder}, the authority {controller.noted.words['province']}")


def _release_key(controller: Controller) -> None:
    path = controller.province / "release.key"
    if path.exists():
        controller.say(f"there already: {path}, the key that signs releases")
        return
    release_key.make(path, controller.noted.secret(RELEASE))
    controller.say(f"made: {path}, the key that signs releases, and release.pub for the boxes")


def _inventory(controller: Controller) -> None:
    example = {
        name: (controller.checkout / EXAMPLE / name).read_text(encoding="utf-8") for name in inventory.COPIED
    }
    for name, text in inventory.files(controller.noted.words, example, controller.version).items():
        path = controller.hosts / name
        if path.exists():
            controller.say(f"there already: {path}: nothing was changed")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
        controller.say(f"made: {path}")


def _look(controller: Controller, password: str) -> None:
    """Ansible itself reads the inventory and the playbook."""
    folder = controller.checkout / "deploy" / "ansible"
    for words in (
        ["ansible-inventory", "-i", str(controller.hosts), "--list"],
        ["ansible-playbook", "-i", str(controller.hosts), "site.yml", "--syntax-check"],
    ):
        done = vault.opened(words, password, folder=folder)
        if done.returncode:
            reason = " ".join((done.stderr or done.stdout).split())[:600]
            raise NgatuError(
                f"{words[0]} does not take {controller.hosts}: {reason}", "mend what it names there"
            )
    controller.say(f"looked at: Ansible reads {controller.hosts} and opens its vault")
