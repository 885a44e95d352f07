"""ngatu's own wheel, made again of what was installed from it, for whoever has no checkout to build one from.

An installation lists each of its files with a hash (RECORD, PEP 376 and 427). What still has it goes back to
where it lay in the wheel; what installing has added stays out. The same installation gives the same bytes.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from agent.errors import NgatuError

PACKAGE: Final = "ngatu"
ADDED: Final = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json")
"""What an installer writes beside a wheel's own files; RECORD is written anew."""
THEN: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a zip archive can say."""
OTHERWISE: Final = "install ngatu again from its wheel, or name that with --wheel, or a checkout with --source"


def wheel_again(into: Path) -> Path:
    """Pack ngatu's wheel into the folder `into`.

    Raises:
        NgatuError: ngatu was not installed from a wheel, or a file of it was changed since.
    """
    try:
        installed = distribution(PACKAGE)
    except PackageNotFoundError:
        raise NgatuError(f"{sys.prefix}: ngatu is not installed here", OTHERWISE) from None
    # Not by `installed.files`: since Python 3.12 that leaves out what is listed and missing.
    listed = csv.reader((installed.read_text("RECORD") or "").splitlines())
    files = dict(filter(None, (_file(installed, name, digest) for name, digest, _ in listed)))
    if "agent/__init__.py" not in files:
        raise NgatuError(f"{sys.prefix}: ngatu was not installed here from a wheel", OTHERWISE)
    info = f"{PACKAGE}-{installed.version}.dist-info"
    lines = [f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in sorted(files.items())]
    files[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"]).encode()
    path = into / f"{PACKAGE}-{installed.version}-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for name, data in sorted(files.items()):
            member = ZipInfo(name, THEN)
            member.external_attr = 0o100644 << 16
            archive.writestr(member, data, ZIP_DEFLATED)
    return path


def _file(installed: Distribution, listed: str, digest: str) -> tuple[str, bytes] | None:
    """Its name in the wheel and its content; None of what was not in it."""
    name = _in_wheel(installed, PurePosixPath(listed))
    if not digest or name is None:
        return None  # what Python has compiled, the programs in bin/, and what the installer noted
    path = Path(str(installed.locate_file(listed)))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", OTHERWISE) from None
    if digest != f"sha256={_digest(data)}":
        raise NgatuError(f"{path}: it was changed after it was installed", OTHERWISE)
    return name, data


def _in_wheel(installed: Distribution, listed: PurePosixPath) -> str | None:
    if ".." not in listed.parts:
        added = listed.parts[0].endswith(".dist-info") and listed.name in ADDED
        return None if added or "__pycache__" in listed.parts else listed.as_posix()
    path = Path(str(installed.locate_file(str(listed)))).resolve()
    share = Path(sys.prefix).resolve() / "share"
    if not path.is_relative_to(share):
        return None
    data = f"{PACKAGE}-{installed.version}.data/data/share"
    return f"{data}/{path.relative_to(share).as_posix()}"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
