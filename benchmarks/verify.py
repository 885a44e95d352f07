"""What verifying costs: seconds for each minute of footage, beside hashing the same bytes and nothing else.

A clip is recorded into a real ring as a camera's packets come, over and over until there are ten minutes; of
them a package is made as a box makes it, decrypted as a station does, and judged as a court does.
"""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import median

import av
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import NgatuError
from benchmarks.table import Row
from tests.support.packages import Footage as RecordedFootage
from tests.support.packages import Maker, muxed
from verifier.findings import PackageVerdict
from verifier.judge import judge

MINUTES = 10
TIMES = 3


def main(paths: Sequence[Path], progress: Callable[[str], None] = lambda _: None) -> Iterator[Row]:
    """A row for each clip and each form of its package."""
    for path in paths:
        progress(path.name)
        with tempfile.TemporaryDirectory(prefix="ngatu-verify-") as folder:
            yield from _of(path, Path(folder))


def _of(path: Path, folder: Path) -> Iterator[Row]:
    footage = RecordedFootage(folder / "ring")
    begin_s = footage.bench.clock.wall_s
    pieces = remuxed(path)
    lasts_s = _seconds(path) / max(1, len(pieces) - 1)
    number = 0
    while footage.bench.clock.wall_s < begin_s + MINUTES * 60:
        footage.record(f"run-{number}", pieces, lasts_s)
        number += 1
    footage.bench.ring.cut(footage.camera)
    maker = Maker(footage, Ed25519PrivateKey.generate())
    for form in ("encrypted", "decrypted"):
        maker.write(folder / form, begin_s, begin_s + MINUTES * 60, form)
    footage.bench.ring.close()
    with zipfile.ZipFile(folder / "zipped", "w") as archive:
        for file in sorted((folder / "decrypted").iterdir()):
            archive.write(file, f"package/{file.name}")
    for form in ("encrypted", "decrypted", "zipped"):
        yield _row(path.name, form, folder / form, maker)


def _row(clip: str, form: str, package: Path, maker: Maker) -> Row:
    files = sorted(package.iterdir()) if package.is_dir() else [package]
    verify_s, hash_s = [], []
    for _ in range(TIMES):
        began = time.perf_counter()
        judgement = judge(package, maker.key.public_key())
        verify_s.append(time.perf_counter() - began)
        assert judgement.verdict is PackageVerdict.AUTHENTIC
        began = time.perf_counter()
        for file in files:
            _hash(file)
        hash_s.append(time.perf_counter() - began)
    return {
        "clip": clip,
        "form": form,
        "MB a minute": round(sum(file.stat().st_size for file in files) / MINUTES / 1e6, 1),
        "files": len(files),
        "verify, s a minute": round(median(verify_s) / MINUTES, 4),
        "hashing alone": round(median(hash_s) / MINUTES, 4),
        "times": round(median(verify_s) / median(hash_s), 1),
    }


def _hash(file: Path) -> None:
    digest = sha256()
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            digest.update(block)


def remuxed(path: Path) -> list[bytes]:
    """A clip's packets as a head and fragments, without encoding anything anew.

    Raises:
        NgatuError: it cannot be read.
    """
    try:
        return muxed(str(path))
    except (av.FFmpegError, IndexError) as error:
        raise NgatuError(f"{path}: cannot be recorded: {error}", "name clips of H.264 or H.265") from error


def _seconds(path: Path) -> float:
    with av.open(str(path)) as source:
        return float(source.duration or 0) / av.time_base
