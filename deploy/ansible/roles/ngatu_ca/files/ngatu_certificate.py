#!/usr/bin/python3 -IB
"""ngatu-certificate: this host's keys and certificates. Needs Python and openssl only.

Each identity of a host (box, broker, station, operator) has a folder below /etc/ngatu/tls:

    box.d/next/      a new key and its request, not signed yet
    box.d/SERIAL/    a key with its certificate
    box.d/current    a link to the pair in use; box.key and box.crt lead through it

Invariants
1. A key is made here and never leaves: only requests and certificates pass.
2. `current` names a whole pair at any moment, from the first one on: it changes only by the rename of a link.
3. A key is never readable by others than root and the group of the program that uses it, not for a moment.
4. Whatever is interrupted may be done again from the beginning; what was left half done is never used.
"""

from __future__ import annotations

import argparse
import grp
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any


class Refused(Exception):
    """It is not done; the text says why and what to do."""


def words() -> argparse.ArgumentParser:
    """What can be asked."""
    asked = argparse.ArgumentParser(prog="ngatu-certificate", description=__doc__.splitlines()[0])
    asked.add_argument("--root", type=Path, default=Path("/etc/ngatu/tls"))
    verbs = asked.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("request", help="print a request for a new key; the one in use is not touched")
    one.add_argument("role")
    one.add_argument("name", help="that the certificate is to bear")
    one.add_argument("--group", default="root", help="of the program that uses the key")
    one = verbs.add_parser("install", help="take the certificate for the new key from stdin, and use both")
    one.add_argument("role")
    one = verbs.add_parser("state", help="what there is, as JSON")
    return asked


def main(asked: argparse.Namespace) -> str:
    """Do it; what to print."""
    os.umask(0o077)  # invariant 3
    if asked.verb == "state":
        return json.dumps({each.name[:-2]: state(each) for each in sorted(asked.root.glob("*.d"))})
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,47}", asked.role):
        raise Refused(f"{asked.role!r} is no role; take a word such as box")
    folder = asked.root / f"{asked.role}.d"
    if asked.verb == "request":
        return request(folder, asked.name, asked.group)
    return json.dumps({"serial": install(folder, sys.stdin.buffer.read())})


def request(folder: Path, name: str, group: str) -> str:
    """A request for the key in next/, which is made if there is none for this name."""
    asked = folder / "next" / "request"
    if not asked.exists() or _subject("req", asked) != name:
        number = grp.getgrnam(group).gr_gid
        folder.mkdir(parents=True, exist_ok=True)
        for path in (folder.parent, folder):
            path.chmod(0o755)  # what is secret in it says so itself
        begun = _empty(folder / "begun")
        made = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-sha256",
            "-subj",
            f"/CN={name}",
        ]
        _openssl("req", "-new", *made, "-keyout", str(begun / "key"), "-out", str(begun / "request"))
        os.chown(begun, 0, number)
        os.chown(begun / "key", 0, number)
        (begun / "key").chmod(0o640 if number else 0o600)
        begun.chmod(0o755)
        for path in (begun / "key", begun / "request", begun):
            _settle(path)
        shutil.rmtree(folder / "next", ignore_errors=True)
        begun.rename(folder / "next")
        _settle(folder)
    return asked.read_text(encoding="ascii")


def install(folder: Path, certificate: bytes) -> str:
    """Use the key in next/ with this certificate from now on. Returns its serial number."""
    new = folder / "next"
    begun = folder / "begun.crt"
    begun.write_bytes(certificate)
    serial = _judged(folder, new, begun)
    if new.exists() and not (folder / serial).exists():
        begun.chmod(0o644)
        _settle(begun)
        begun.rename(new / "crt")
        (new / "request").unlink(missing_ok=True)
        _settle(new)
        new.rename(folder / serial)
        _settle(folder)
    role = folder.name[:-2]
    for kind in ("key", "crt"):  # before the first pair is in use: once it is, everything is there
        link = folder.parent / f"{role}.{kind}"
        if not link.is_symlink():
            _point(link, f"{folder.name}/current/{kind}")
    if _current(folder) != serial:
        _point(folder / "current", serial)  # invariant 2
    for old in folder.iterdir():
        if old.name not in (serial, "current"):
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    _settle(folder)
    return serial


def _judged(folder: Path, new: Path, certificate: Path) -> str:
    """The serial number of a certificate that fits the new key and that our authority signed."""
    serial = _openssl("x509", "-in", str(certificate), "-noout", "-serial").strip().partition("=")[2].lower()
    pair = folder / serial if (folder / serial / "crt").exists() else new  # interrupted after the rename
    if not (pair / "key").exists():
        raise Refused("there is no new key here; ask for a request first")
    ours = _openssl("pkey", "-in", str(pair / "key"), "-pubout")
    if _openssl("x509", "-in", str(certificate), "-noout", "-pubkey") != ours:
        raise Refused("the certificate belongs to another key; ask for a request again")
    _openssl("verify", "-x509_strict", "-CAfile", str(folder.parent / "ca.crt"), str(certificate))
    return serial


def state(folder: Path) -> dict[str, Any]:
    """One identity: whom it names, until when, and whether a new key waits for its certificate."""
    answer: dict[str, Any] = {"pending": (folder / "next" / "key").exists(), "serial": _current(folder)}
    if answer["serial"] is not None:
        crt = folder / "current" / "crt"
        text = _openssl("x509", "-in", str(crt), "-noout", "-enddate", "-ext", "subjectAltName")
        ends = datetime.strptime(text.splitlines()[0].partition("=")[2] + "+0000", "%b %d %H:%M:%S %Y GMT%z")
        answer["name"] = _subject("x509", crt)
        answer["ends"] = ends.isoformat()
        answer["days_left"] = (ends - datetime.now(timezone.utc)).days  # noqa: UP017 (Ubuntu 22.04 has Python 3.10)
        answer["hosts"] = sorted(re.findall(r"(?:DNS|IP Address):([^,\s]+)", text))
    return answer


def _current(folder: Path) -> str | None:
    link = folder / "current"
    return link.readlink().name if link.is_symlink() and (link / "crt").exists() else None


def _subject(kind: str, path: Path) -> str:
    printed = _openssl(kind, "-in", str(path), "-noout", "-subject", "-nameopt", "multiline,-esc_msb,utf8")
    return printed.partition("commonName")[2].partition("=")[2].split("\n")[0].strip()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _point(link: Path, target: str) -> None:
    """Let a link lead elsewhere, at once."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)
    _settle(link.parent)


def _settle(path: Path) -> None:
    """Onto the disk, and not only into its cache."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _openssl(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"openssl {arguments[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


if __name__ == "__main__":
    try:
        print(main(words().parse_args()), end="")
    except (Refused, OSError, KeyError) as why:
        sys.exit(f"ngatu-certificate: {why}")
