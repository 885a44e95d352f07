"""A signed bundle becomes a release on this box, without internet.

Invariants
1. Nothing of a bundle is run, and nothing of it but the manifest is read, before openssl has found the
   signature over its manifest good.
2. Every file is checked against the manifest before the first of them is used, and its size before a byte of
   it is written.
3. A bundle older than the floor is refused: the highest floor of all releases that were ever confirmed here.
4. A release has the file `complete` only after all of it is on the disk. Without it a release does not exist.
5. A bundle that is refused leaves nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from disk import Refused, drop_tree, put, settle
from members import Damaged, Members

FORMAT = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
COMPLETE = "complete"
MOST_MANIFEST_BYTES = 1 << 20
AGAIN = "copy the bundle again, or ask who made it"
BIG = 1 << 30
"""Sorts after every number that a version can hold."""


def rank(version: str) -> tuple[object, ...]:
    """By this, versions sort as PEP 440 wants it: 0.2.0.dev1, 0.2.0a1, 0.2.0rc1, 0.2.0, 0.2.0.post1, 0.10.

    Raises:
        Refused: it is no version of that kind.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+){1,3})(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?", version)
    if not found:
        raise Refused(f"{version!r} is no version: write it as 0.2.0")
    numbers, kind, pre, post, dev = found.groups()
    release = [int(each) for each in numbers.split(".")]
    release += [0] * (4 - len(release))
    if kind is not None:
        stage = ("a", "b", "rc").index(kind), int(pre)
    elif post is None and dev is not None:
        stage = -1, 0
    else:
        stage = 3, 0
    return *release, *stage, -1 if post is None else int(post), BIG if dev is None else int(dev)


def signed_manifest(bundle: Path, members: Members, key: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of the manifest and what they say, after the signature has been checked."""
    encoded, signature = (_small(members, name) for name in (MANIFEST, SIGNATURE))
    if not key.is_file():
        raise Refused(f"{key}: there is no key to check releases with: roll out ngatu_agent_release_key")
    with tempfile.TemporaryDirectory() as folder:
        file, sealed = Path(folder, MANIFEST), Path(folder, SIGNATURE)
        file.write_bytes(encoded)
        sealed.write_bytes(signature)
        words = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", str(key)]
        words += ["-sigfile", str(sealed), "-in", str(file)]
        done = subprocess.run(words, capture_output=True, check=False)  # invariant 1
    if done.returncode:
        raise Refused(f"{bundle}: {MANIFEST}: the signature is not of {key}: {AGAIN}")
    return encoded, _read(bundle, encoded)


def _small(members: Members, name: str) -> bytes:
    member = members.next()
    if member is None or member[0] != name or member[1] > MOST_MANIFEST_BYTES:
        raise Damaged(f"{name} is not where it must be")
    return b"".join(members.pieces())


def _read(bundle: Path, encoded: bytes) -> dict[str, Any]:
    """What a manifest says; it is signed, so only what we made ourselves can be wrong here."""
    newer = f"{bundle}: {MANIFEST}: cannot be read here: update ngatu-release on this box first"
    try:
        manifest: dict[str, Any] = json.loads(encoded)
        known = manifest["format"] == FORMAT and all(
            isinstance(manifest[key], kind)
            for key, kind in (("version", str), ("floor", str), ("arch", str), ("python", str),
                              ("system_site", bool), ("files", dict))
        ) and all(map(_plain, manifest["files"].items()))  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused(newer) from None
    if not known:
        raise Refused(newer)
    rank(manifest["version"])  # it becomes the name of a folder
    rank(manifest["floor"])
    return manifest


def _plain(file: tuple[str, Any]) -> bool:
    """Whether it is a file of a release: its name leads nowhere else, its size and hash are such."""
    name, of = file
    pure = PurePosixPath(name)
    size, digest = of["bytes"], of["sha256"]
    inside = not pure.is_absolute() and ".." not in pure.parts and str(pure) == name and "\0" not in name
    return inside and type(size) is int and size >= 0 and re.fullmatch("[0-9a-f]{64}", digest) is not None


def fits(manifest: dict[str, Any], bundle: Path, python: str, floor: str | None) -> None:
    """Refuse what is for another board or another Python, and what is too old."""
    version, arch = manifest["version"], manifest["arch"]
    if floor is not None and rank(version) < rank(floor):  # invariant 3
        raise Refused(f"{bundle}: {version} is older than {floor}, which this box may not go below")
    if arch != platform.machine():
        raise Refused(f"{bundle}: it is for {arch}, this box is {platform.machine()}: build one for it")
    words = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        here = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        raise Refused(f"{python}: this Python does not run: set ngatu_agent_python") from None
    if here != manifest["python"]:
        raise Refused(f"{bundle}: it is for Python {manifest['python']}, {python} is {here}: build one for it")


def extract(bundle: Path, members: Members, files: dict[str, dict[str, Any]], into: Path) -> None:
    """Write out every file of the manifest, checked; one more, less or different is refused by its name."""
    left = dict(files)
    while (member := members.next()) is not None:
        name, size = member
        expected = left.pop(name, None)
        if expected is None:
            raise Refused(f"{bundle}: {name} is not in the manifest, or comes twice: {AGAIN}")
        if size != expected["bytes"]:  # invariant 2
            raise Refused(f"{bundle}: {name} has {size} bytes, the manifest says {expected['bytes']}: {AGAIN}")
        path, digest = into / name, hashlib.sha256()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            for piece in members.pieces():
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != expected["sha256"]:  # invariant 2
            raise Refused(f"{bundle}: {name} is damaged or was changed: {AGAIN}")
    if left:
        raise Refused(f"{bundle}: {min(left)} is missing: {AGAIN}")


def install(bundle: Path, releases: Path, key: Path, python: str, floor: str | None) -> tuple[str, bool]:
    """Make a release of a bundle: (its version, whether anything was done).

    Raises:
        Refused: the bundle must not or cannot be used; nothing has changed then.
    """
    try:
        with bundle.open("rb") as file:
            members = Members(file)
            encoded, manifest = signed_manifest(bundle, members, key)
            fits(manifest, bundle, python, floor)
            version: str = manifest["version"]
            release = releases / version
            if (release / COMPLETE).exists():
                if (release / MANIFEST).read_bytes() != encoded:
                    raise Refused(f"{bundle}: another bundle of {version} is installed: give it a new version")
                return version, False
            drop_tree(release)  # what an interrupted install left
            releases.mkdir(parents=True, exist_ok=True)
            _room(bundle, manifest, releases)
            try:
                _made(bundle, members, (encoded, manifest), release, python)
            except BaseException:
                drop_tree(release)  # invariant 5
                raise
    except Damaged as error:
        raise Refused(f"{bundle}: {error}: {AGAIN}") from None
    except OSError as error:
        raise Refused(f"{error.filename or bundle}: {error.strerror or error}") from None
    put(release / COMPLETE, "")  # invariant 4
    settle(releases)
    return version, True


def _made(
    bundle: Path, members: Members, signed: tuple[bytes, dict[str, Any]], release: Path, python: str
) -> None:
    """All of a release but the word that it is complete."""
    encoded, manifest = signed
    release.mkdir()
    extract(bundle, members, manifest["files"], release)
    (release / MANIFEST).write_bytes(encoded)
    _environment(release, python, system_site=bool(manifest["system_site"]))
    os.sync()
    settle(release)


def _room(bundle: Path, manifest: dict[str, Any], releases: Path) -> None:
    needed = 3 * sum(each["bytes"] for each in manifest["files"].values())  # packed, unpacked, compiled
    if (free := shutil.disk_usage(releases).free) < needed:
        raise Refused(f"{releases}: {bundle.name} needs {needed >> 20} MB, {free >> 20} MB are free")


def _environment(release: Path, python: str, *, system_site: bool) -> None:
    """The wheels as a virtual environment: by pip's own wheel, because a box may have neither pip nor apt."""
    wheels = sorted((release / "wheels").glob("*.whl"))
    pip = next((each for each in wheels if each.name.startswith("pip-")), None)
    if pip is None:
        raise Refused(f"{release}: the bundle brings no pip: build it with `ngatu bundle build`")
    site = ["--system-site-packages"] if system_site else []
    _run([python, "-I", "-m", "venv", "--without-pip", *site, str(release)])
    # Isolated: what the environment or the folder that it is called from names is not of this release.
    words = ["install", "--isolated", "--no-index", "--no-deps", "--no-cache-dir", "--quiet"]
    words += ["--disable-pip-version-check", "--root-user-action=ignore"]
    inside = str(release / "bin" / "python")
    _run([inside, "-I", f"{pip}/pip", *words, *map(str, wheels)])
    for wheel in wheels:
        wheel.unlink()  # their room on the card is worth more than they are


def _run(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Refused(f"{' '.join(words[:4])} … failed: {' '.join(lines[-3:])[:400]}")
