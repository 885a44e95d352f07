"""Bundles of this checkout by the locks in it: real wheels, from the package registry."""

from __future__ import annotations

import os
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

from fleet.bundle.boards import BOARDS
from tests.acceptance.fleet.hosts import Ran, run
from tests.conftest import ROOT
from tests.support.squares import write_model

NGATU = str(Path(sys.executable).with_name("ngatu"))


def built(folder: Path, board: str) -> tuple[Path, float]:
    """One by the board's lock, and the seconds that it took; the key that signs it lies in `folder`, too."""
    made = ask(folder, board, folder / "out").good()
    return next((folder / "out").glob("*.bundle")), made.seconds


def manifest_of(bundle: Path) -> bytes:
    """Which files it holds, each with its hash; who signed it is not in it."""
    with tarfile.open(bundle) as archive:
        file = archive.extractfile("manifest.json")
        assert file is not None
        return file.read()


def ask(folder: Path, board: str, out: Path, *more: str, environment: Mapping[str, str] | None = None) -> Ran:
    """`ngatu bundle build` for the board, whatever comes of it."""
    secret, key = folder / "passphrase", folder / "release.key"
    if not key.exists():
        secret.write_text("for this test\n")
        run(NGATU, "bundle", "key", str(key), "--passphrase-file", str(secret)).good()
        write_model(folder)
    extras = ["--extra", "ncnn"] if "ncnn" in BOARDS[board].locked else []
    return run(
        NGATU, "bundle", "build", "--key", str(key), "--passphrase-file", str(secret), "--board", board,
        "--model", str(folder / "squares.onnx"), *extras, "--out", str(out), *more,
        cwd=ROOT, timeout_s=1800, env=os.environ | (environment or {}),
    )  # fmt: skip
