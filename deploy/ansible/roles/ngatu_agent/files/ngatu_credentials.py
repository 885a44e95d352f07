#!/usr/bin/python3 -IB
"""ngatu-credentials: what only the agent may read, encrypted where systemd can. Needs Python and systemd only.

    /etc/ngatu/credentials/NAME    encrypted by systemd-creds: with the TPM of the board, or with the host's key
    /etc/ngatu/secrets/NAME        in plain, for root alone: where systemd cannot encrypt (before 250)

Invariants
1. Where systemd can encrypt so that the next start can read it, nothing is left in plain: `sweep` overwrites
   and removes what an earlier way left, once it can be read encrypted and systemd has read the new unit.
2. outbox.key, under which pictures wait in the outbox, is made here and never leaves.
3. A file is the old one or the new one at any moment, and never readable by others, not for a moment.
4. What is there already is left alone: each encryption of the same gives other bytes.
5. What was encrypted here is never put in plain again: if systemd cannot encrypt any more, nothing is done.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OUTBOX_KEY = "outbox.key"
HOST_KEY = "/var/lib/systemd/credential.secret"
BY_HOST = bytes.fromhex("5a1c6a86df9d4096b1d5a65e0862f19a")
"""How a credential begins that needs the host's key alone (systemd's creds-util.h); others need the TPM."""


class Refused(Exception):
    """It is not done; the text says why and what to do. It never holds a secret."""


def words() -> argparse.ArgumentParser:
    """What can be asked."""
    asked = argparse.ArgumentParser(prog="ngatu-credentials", description=__doc__.splitlines()[0])
    asked.add_argument("--root", type=Path, default=Path("/etc/ngatu"))
    asked.add_argument("--mounts", type=Path, default=Path("/proc/mounts"), help="what is mounted here")
    verbs = asked.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("apply", help="keep the secrets that stdin gives as JSON, name: value")
    one.add_argument("--check", action="store_true", help="only say whether anything would change")
    verbs.add_parser("sweep", help="remove in plain what is there in encrypted form")
    verbs.add_parser("state", help="which way this box has, as JSON")
    return asked


def main(asked: argparse.Namespace) -> str:
    """Do it; what to print."""
    os.umask(0o077)  # invariant 3
    encrypted, plain = asked.root / "credentials", asked.root / "secrets"
    if asked.verb == "state":
        return json.dumps({"way": way(encrypted), "names": names(encrypted) or names(plain)})
    if asked.verb == "sweep":
        return json.dumps({"changed": sweep(encrypted, plain)})
    wanted = {name: value.encode() + b"\n" for name, value in given(sys.stdin.read()).items()}
    if can_encrypt(encrypted, asked.check, forgetful(asked.mounts)):
        changed = keep_encrypted(encrypted, wanted, asked.check)
        return json.dumps({"changed": changed, "way": way(encrypted) if names(encrypted) else "host"})
    return json.dumps({"changed": keep_plain(plain, wanted, asked.check), "way": "plain"})


def given(text: str) -> dict[str, str]:
    """The secrets by name."""
    try:
        secrets = json.loads(text or "{}")
    except ValueError:
        raise Refused("stdin is no JSON") from None
    if not isinstance(secrets, dict) or not all(isinstance(value, str) for value in secrets.values()):
        raise Refused("a secret is a word: put it in quotes in ngatu_agent_secrets")
    for name in secrets:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name) or name == OUTBOX_KEY:
            raise Refused(f"{name!r} is no name of a secret: take letters, digits, '_', '.' and '-'")
    return secrets


def forgetful(mounts: Path) -> bool:
    """Whether a host's key made now is gone at the next start: an overlayroot over a root without one."""
    layers = [line.split()[:4] for line in mounts.read_text().splitlines()]
    lower = [
        re.search(r"lowerdir=([^,]+)", more) for of, at, _, more in layers if (of, at) == ("overlayroot", "/")
    ]
    return any(found and not Path(found[1] + HOST_KEY).exists() for found in lower)


def can_encrypt(folder: Path, check: bool, forgets: bool) -> bool:
    """Whether systemd can encrypt here; Refused if it could and cannot any more (invariant 5).

    A try makes the host's key where there is none, so a check only asks whether there is the program.
    """
    if check:
        return shutil.which("systemd-creds") is not None and not forgets
    why = "the root is read-only, and below it is no key of the host: make it writable once" if forgets else ""
    if not why:
        try:
            creds("encrypt", "--name=try", "-", "-", given=b"try")
        except (Refused, OSError) as error:
            why = str(error)
    if why and names(folder):
        raise Refused(f"what is encrypted in {folder} cannot be renewed: {why}")
    return not why


def keep_encrypted(folder: Path, wanted: dict[str, bytes], check: bool) -> bool:
    """Encrypt what is not there yet; whether there was anything."""
    new = {name: value for name, value in wanted.items() if decrypted(folder / name) != value}
    key = folder / OUTBOX_KEY
    if decrypted(key) is None:
        new[OUTBOX_KEY] = base64.b64encode(os.urandom(32)) + b"\n"
    if new and not check:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if OUTBOX_KEY in new and key.exists():
            key.rename(
                key.with_name(f".{OUTBOX_KEY}.before")
            )  # should the TPM say tomorrow what it does not today
        for name, value in new.items():
            write(folder / name, creds("encrypt", f"--name={name}", "--with-key=auto", "-", "-", given=value))
            if decrypted(folder / name) != value:
                raise Refused(f"systemd-creds does not give {name} back as it was")
    return bool(new)


def keep_plain(folder: Path, wanted: dict[str, bytes], check: bool) -> bool:
    """Write what is not there yet; whether there was anything."""
    new = {name: value for name, value in wanted.items() if content(folder / name) != value}
    if new and not check:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in new.items():
            write(folder / name, value)
    return bool(new)


def sweep(encrypted: Path, plain: Path) -> bool:
    """Overwrite and remove what lies in plain although it is encrypted, too; whether there was anything."""
    left = [plain / name for name in names(plain) if decrypted(encrypted / name) is not None]
    for path in left:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    return bool(left)


def way(folder: Path) -> str:
    """tpm2, host or plain."""
    found = [content(folder / name) for name in names(folder)]
    if not found:
        return "plain"
    return "host" if any(base64.b64decode(text or b"")[:16] == BY_HOST for text in found) else "tpm2"


def names(folder: Path) -> list[str]:
    """Of what lies there whole."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())


def decrypted(path: Path) -> bytes | None:
    """What it holds; None: it is not there, or not for this board."""
    try:
        return creds("decrypt", f"--name={path.name}", str(path), "-") if path.exists() else None
    except Refused:
        return None


def content(path: Path) -> bytes | None:
    """What is in the file; None: it is not there."""
    return path.read_bytes() if path.is_file() else None


def creds(*asked: str, given: bytes = b"") -> bytes:
    """Ask systemd-creds."""
    try:
        done = subprocess.run(
            ["systemd-creds", *asked], input=given, capture_output=True, check=False, timeout=60
        )
    except subprocess.TimeoutExpired:
        raise Refused("systemd-creds does not answer") from None
    if done.returncode:
        raise Refused(done.stderr.decode("utf-8", "replace").strip()[-500:] or "systemd-creds failed")
    return done.stdout


def write(path: Path, data: bytes) -> None:
    """Put a file in the place of another."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


if __name__ == "__main__":
    try:
        print(main(words().parse_args()))
    except Refused as error:
        sys.exit(f"ngatu-credentials: {error}")
    except OSError as error:
        sys.exit(f"ngatu-credentials: {error.filename or ''}: {error.strerror or error}")
