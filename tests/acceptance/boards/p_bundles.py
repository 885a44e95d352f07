"""A lock is a promise of bytes: the same bundle each time, and no other wheel."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

from tests.acceptance.boards.bundles import ask
from tests.acceptance.faults.suite import Broken, Trial, promise

BOARD = "pi-bookworm"
CHANGED = "pydantic-"
"""One wheel of many that the lock names."""


@promise(
    "A5",
    "lock: two bundles from the registry, one of a folder of their wheels, one where a wheel has another byte",
    "equal hashes; the last is refused, its wheel named, and no bundle is left",
    minutes=6,
)
def bytes_of_a_lock(trial: Trial) -> str:
    folder = trial.folder
    one, two = (_sum(ask(folder, BOARD, folder / name).good(), folder / name) for name in ("one", "two"))
    wheels = _unpacked(folder / "one", folder / "wheels")
    # The same wheels without a registry: whatever is refused below is refused for its byte.
    apart = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    own = str(next(wheels.glob("ngatu-*.whl")))
    again = ask(folder, BOARD, folder / "three", "--wheel", own, environment=apart).good()
    three = _sum(again, folder / "three")
    if len({one, two, three}) != 1:
        raise Broken(f"hashes differ: {one} {two} {three}")
    changed = next(wheels.glob(f"{CHANGED}*.whl"))
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    refused = ask(folder, BOARD, folder / "four", "--wheel", own, environment=apart)
    named = changed.name.split("-")[0]
    if refused.code == 0 or f"{named}==" not in refused.output or (folder / "four").exists():
        raise Broken(f"exit {refused.code}: {refused.output[-300:]}")
    return f"SHA-256 {one[:16]}… three times; {refused.output.strip().splitlines()[0][:160]}"


def _sum(_built: object, folder: Path) -> str:
    with next(folder.glob("*.bundle")).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpacked(bundle_in: Path, into: Path) -> Path:
    """The wheels of the bundle there, as files in a folder."""
    into.mkdir()
    with tarfile.open(next(bundle_in.glob("*.bundle"))) as archive:
        for member in archive:
            if member.name.endswith(".whl"):
                file = archive.extractfile(member)
                assert file is not None
                (into / Path(member.name).name).write_bytes(file.read())
    return into
