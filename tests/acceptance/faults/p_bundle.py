"""P50: a bundle that was altered without the key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from fleet.bundle import archive
from fleet.bundle.release_key import read_public
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.support.releases import TOOL, Maker
from tests.support.spoiled_bundles import spoiled, with_sparse

MANY = 400 << 20
"""Bytes that a member of a few hundred wants to become."""

BOX_EACH = 10
"""The box's reader gets each tenth: it calls openssl, and takes its members by the same lines."""


def small(folder: Path, maker: Maker) -> Path:
    """A signed bundle of some kilobytes, in all else as a release's."""
    paths: dict[str, Path] = {}
    for name, data in {
        "models/eyes.onnx": b"eyes" * 500, "ngatu.service": b"[Service]\n", "wheels/pip-1.whl": b"zip",
    }.items():  # fmt: skip
        paths[name] = folder / Path(name).name
        paths[name].write_bytes(data)
    contents = {name: archive.content(path) for name, path in paths.items()}
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    manifest = archive.Manifest("0.5.0", "0.1.0", os.uname().machine, version, False, contents)
    archive.write(folder / "small.bundle", paths, manifest, maker.key)
    return folder / "small.bundle"


@promise(
    "P50", "bundles altered without the key: 10,000 by dice, and one whose file of 512 bytes becomes 400 MB",
    "each is taken with the signed content or refused in one line, by both readers; none leaves a byte",
    minutes=0.7,
    patient=True,
)  # fmt: skip
def altered_bundles(trial: Trial) -> str:
    if shutil.which("openssl") is None:
        raise NotTried("openssl is not here: apt install openssl")
    maker = Maker(trial.folder)
    path = small(trial.folder, maker)
    good, key = path.read_bytes(), read_public(maker.public)
    wanted = archive.verify(path, key)
    unpack = _box_reader()
    count, outcomes = trial.size(10_000, 200_000, 500), Counter[str]()
    for number in range(count):
        dice = trial.chance(number)
        path.write_bytes(spoiled(good, dice))
        outcomes[_controller(path, key, wanted, number)] += 1
        if number % BOX_EACH == 0:
            outcomes[_box(unpack, path, maker.public, trial.folder / "out", number)] += 1
    sizes = [_sparse(trial.folder, maker, path, good, name) for name in wanted.files]
    return (
        f"{count} bundles at the controller, {-(-count // BOX_EACH)} at the box: "
        f"{outcomes['refused']} refused, {outcomes['taken']} taken with the signed content, 0 otherwise; "
        f"beside a sparse file of {MANY >> 20} MB {max(sizes)} bytes were written, 0 left"
    )


def _controller(path: Path, key: Any, wanted: archive.Manifest, number: int) -> str:
    try:
        found = archive.verify(path, key)
    except archive.BundleRefused as why:
        if len(str(why).splitlines()) > 2:  # the second is what to do
            raise Broken(f"number {number}: {why!r} is no line") from None
        return "refused"
    except Exception as why:
        raise Broken(f"number {number}, controller: {type(why).__name__}: {why}") from None
    assert found == wanted, f"number {number}: another manifest was believed"
    return "taken"


def _box_reader() -> Any:
    """The tool's own modules, as they lie on a box."""
    if str(TOOL) not in sys.path:
        sys.path.insert(0, str(TOOL))
    import disk  # noqa: PLC0415
    import members  # noqa: PLC0415
    import unpack  # noqa: PLC0415

    return unpack, (disk.Refused, members.Damaged)


def _box(reader: Any, path: Path, public: Path, out: Path, number: int) -> str:
    """All that the tool does with a bundle before something of it is run."""
    unpack, refusals = reader
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    try:
        with path.open("rb") as file:
            members = unpack.Members(file)
            _, manifest = unpack.signed_manifest(path, members, public)
            unpack.extract(path, members, manifest["files"], out)
    except refusals:
        outcome = "refused"
    except Exception as why:
        raise Broken(f"number {number}, box: {type(why).__name__}: {why}") from None
    else:
        outcome = "taken"
    written = sum(each.stat().st_size for each in out.rglob("*") if each.is_file())
    if written > 3000:
        raise Broken(f"number {number}: {written} bytes were written of a bundle of {path.stat().st_size}")
    return outcome


def _sparse(folder: Path, maker: Maker, path: Path, good: bytes, name: str) -> int:
    """The real command on a file that wants to grow; the most bytes that lay on the disk meanwhile."""
    path.write_bytes(with_sparse(good, name, MANY))
    root = folder / "opt"
    words = [
        sys.executable,
        "-IB",
        str(TOOL),
        "--root",
        str(root),
        "--key",
        str(maker.public),
        "install",
        str(path),
    ]
    most = 0
    with (folder / "said").open("w+") as file:
        running = subprocess.Popen([*words, "--python", sys.executable], stderr=file)
        while running.poll() is None:
            most = max(most, _held(root / "releases"))
    said = (folder / "said").read_text()
    left = _held(root / "releases")
    if running.returncode != 1 or said.count("\n") != 1 or most > 10_000 or left:
        raise Broken(f"exit {running.returncode}, {most} bytes written, {left} left, said {said[-300:]!r}")
    return most


def _held(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):  # unlike pathlib it bears that folders go meanwhile
        for name in files:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(place, name)).st_size  # noqa: PTH116, PTH118
    return total
