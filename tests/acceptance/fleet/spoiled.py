"""Releases that are whole, signed, and bad: what a hurried afternoon brings."""

from __future__ import annotations

import base64
import hashlib
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from fleet.bundle import archive
from fleet.bundle.release_key import read_private
from tests.acceptance.fleet.kept import PASSPHRASE, Bundles

Change = tuple[str, str, str]
"""File, and what in it becomes what."""

LATEST = "from __future__ import annotations\n"
BEGINS = "def main() -> None:\n"
CRASHES = ("agent/runtime/app.py", LATEST, f"{LATEST}\nraise SystemExit('planted: it dies as it starts')\n")
BLIND = ("agent/cameras/decode/worker.py", BEGINS, f"{BEGINS}    time.sleep(3600)\n")
"""It starts, and no camera ever says a word."""


def spoiled(
    made: Bundles, version: str, fault: Change | None, folder: Path, models: Sequence[Path] = ()
) -> Path:
    """The boxes' bundle once more, under another version, with a fault in ngatu's own wheel and more models."""
    out = folder / f"{version}.bundle"
    with tempfile.TemporaryDirectory(dir=folder) as name, tarfile.open(made.box) as tar:
        tar.extractall(name, filter="data")
        files = {
            str(each.relative_to(name)): each
            for each in Path(name).rglob("*")
            if each.is_file() and each.name not in (archive.MANIFEST, archive.SIGNATURE)
        }
        own = next(each for each in files if Path(each).name.startswith("ngatu-"))
        changed = _rewritten(
            files.pop(own), made.version, version, [*([fault] if fault else []), *_told(made.version, version)]
        )
        files[f"wheels/{changed.name}"] = changed
        files |= {
            f"models/{each.name}": each for model in models for each in (model, model.with_suffix(".yaml"))
        }
        original = archive.parse(made.box, Path(name, archive.MANIFEST).read_bytes())
        content = {name: archive.content(path) for name, path in files.items()}
        manifest = archive.Manifest(
            version=version, floor=original.floor, arch=original.arch, python=original.python,
            system_site=original.system_site, files=content,
        )  # fmt: skip
        archive.write(out, files, manifest, read_private(made.secret, PASSPHRASE))
    return out


def _told(old: str, new: str) -> list[Change]:
    """Where a release says which it is."""
    return [
        ("agent/__init__.py", f'"{old}"', f'"{new}"'),
        (f"ngatu-{new}.dist-info/METADATA", f"Version: {old}\n", f"Version: {new}\n"),
    ]


def _rewritten(wheel: Path, old: str, new: str, changes: list[Change]) -> Path:
    """The wheel under another version, with its record brought up to date."""
    path = wheel.with_name(wheel.name.replace(f"-{old}-", f"-{new}-"))
    record, record_name = "", f"ngatu-{new}.dist-info/RECORD"
    with ZipFile(wheel) as source, ZipFile(path, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            data, called = source.read(name), name.replace(f"ngatu-{old}.dist-info", f"ngatu-{new}.dist-info")
            if called == record_name:
                continue
            for place, before, after in changes:
                if called == place:
                    assert before.encode() in data, f"{place} has changed: {before!r} is not there any more"
                    data = data.replace(before.encode(), after.encode(), 1)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{called},sha256={digest},{len(data)}\n"
            target.writestr(called, data)
        target.writestr(record_name, f"{record}{record_name},,\n")
    wheel.unlink()
    return path
