"""Packages of footage for tests: real fragments of H.264, encrypted, linked, signed."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.cameras.decode.footage.muxer import FragmentMuxer
from agent.evidence.encryption import decrypt
from agent.evidence.fragment import Fragment
from agent.evidence.package.compose import SignedManifest, arrange, compose
from agent.evidence.package.manifest import (
    MANIFEST,
    SIGNATURE,
    ClockFacts,
    Facts,
    Request,
    SigningBox,
)
from tests.support.footage import NOON_S, RingBench

FRAGMENT_S, FPS = 2.0, 5
KINDS = ("encrypted", "decrypted")


@dataclass
class Footage:
    """What a camera recorded, in a real ring."""

    folder: Path
    camera: str = "north"
    plain: dict[str, bytes] = field(default_factory=dict)
    """By sha256."""

    def __post_init__(self) -> None:
        self.bench = RingBench(self.folder)

    def record(
        self, run: str, pieces: Sequence[bytes], each_s: float = FRAGMENT_S, mask_sha256: str | None = None
    ) -> None:
        """Keep a head and the fragments after it."""
        self._keep(run, pieces, 0, each_s, mask_sha256)

    def go_on(self, run: str, pieces: Sequence[bytes], each_s: float = FRAGMENT_S) -> None:
        """More fragments of a run whose head was given."""
        self._keep(run, pieces, 1, each_s, None)

    def _keep(
        self, run: str, pieces: Sequence[bytes], first: int, each_s: float, mask_sha256: str | None
    ) -> None:
        for index, data in enumerate(pieces, first):
            lasts_s = each_s if index else 0.0
            kind = "media" if index else "init"
            at = self.bench.clock.now()
            self.bench.ring.append(
                Fragment(
                    self.camera,
                    run,
                    kind,
                    at,
                    lasts_s,
                    True,
                    "h264",
                    160,
                    90,
                    data,
                    recorded="encoded from masked pictures" if mask_sha256 else "as it came",
                    mask_sha256=mask_sha256,
                    clock=self.bench.clock.state,
                )  # type: ignore[arg-type]
            )
            self.plain[sha256(data).hexdigest()] = data
            self.bench.clock.go_on(lasts_s)

    def rest(self, seconds: float, why: str) -> None:
        """Record nothing for a while."""
        self.bench.ring.cut(self.camera, why)
        self.bench.clock.go_on(seconds)


@dataclass
class Maker:
    """A box with a key, and what it recorded."""

    footage: Footage
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def public(self, path: Path) -> Path:
        """Its public key in a file."""
        path.write_bytes(pem(self.key))
        return path

    def composed(self, from_s: float, to_s: float) -> tuple[SignedManifest, dict[str, bytes]]:
        """The manifest of a range of wall time, and the ciphertext of each file."""
        ring, camera = self.footage.bench.ring, self.footage.camera
        media = ring.index.between(camera, from_s, to_s)
        pieces = [(piece, ring.read(piece.stored)) for piece in arrange(media, ring.index.inits(media))]
        used = sorted({each.segment for each in media})
        head = ring.index.head(camera)
        around = range(max(1, used[0] - 1), min(head[0], used[-1] + 1) + 1)
        links = [link for n in around if (link := ring.index.link(camera, n)) is not None]
        made = compose(
            request_of(camera, from_s, to_s),
            pieces,
            ring.index.gaps(camera, from_s, to_s),
            links,
            FACTS,
            self.key,
            later=ring.index.bodies(camera, links[-1].number, head[0]),
            between=ring.index.bodies(camera, links[0].number, links[-1].number),
            head=head,
        )
        return made, {piece.file: cipher for piece, cipher in pieces}

    def write(self, folder: Path, from_s: float, to_s: float, kind: str = "encrypted") -> SignedManifest:
        """The package of a range in a new folder."""
        folder.mkdir(parents=True)
        made, ciphers = self.composed(from_s, to_s)
        (folder / MANIFEST).write_bytes(made.data)
        (folder / SIGNATURE).write_bytes(made.signature)
        for part in made.manifest.parts:
            if kind == "encrypted":
                (folder / part.cipher_file).write_bytes(ciphers[part.cipher_file])
            else:
                with (folder / part.plain_file).open("ab") as file:
                    file.write(decrypt(ciphers[part.cipher_file], self.footage.bench.identity))
        return made


def pem(key: Ed25519PrivateKey) -> bytes:
    """The public half."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def request_of(camera: str, from_s: float, to_s: float) -> Request:
    return Request(
        "01J9-request", camera, _at(from_s), _at(to_s), "Nguyễn Văn A", "12/2026", "collision at the junction",
        command_sha256="c" * 64, command_key_sha256="d" * 64, audit_line=17,
    )  # fmt: skip


MASK_SHA256 = "e" * 64
"""Of the masks under which the second run was recorded; the first had none."""
FACTS = Facts(
    SigningBox(
        "thanh-xuan",
        "pole-7",
        "community",
        "0.1.0",
        {"python": "3.13"},
        "a" * 64,
        "yolov3-tiny-416",
        "b" * 64,
        25_200,
    ),
    (ClockFacts("boot-1", "ntp", 100.0, datetime.fromtimestamp(NOON_S, UTC), 3),),
    datetime.fromtimestamp(NOON_S, UTC) + timedelta(hours=1),
    "ntp",
)


@cache
def fragments(seed: int, number: int) -> tuple[bytes, ...]:
    """A head and so many fragments of two seconds: real H.264, cut by the muxer of a camera's own process."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        every = str(round(FPS * FRAGMENT_S))
        stream.options = {"g": every, "keyint_min": every, "sc_threshold": "0"}
        dice = np.random.default_rng(seed)
        scene = dice.integers(0, 255, (90, 160, 3), dtype=np.uint8)
        for index in range(round(number * FPS * FRAGMENT_S)):
            scene[index % 80 : index % 80 + 10, 20:60] = dice.integers(0, 255, (10, 40, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene, format="rgb24")))
        container.mux(stream.encode(None))
    file.seek(0)
    found = tuple(muxed(file))
    assert len(found) == number + 1
    return found


def muxed(file: BinaryIO | str) -> list[bytes]:
    """A clip's packets as a head and fragments, as the process of a camera gives them."""
    found: list[bytes] = []

    def take(_: dict[str, Any], data: bytes) -> None:
        found.append(data)

    with av.open(file) as container:
        video = container.streams.video[0]
        facts = {"run": 1, "codec": "h264", "width_px": video.width, "height_px": video.height}
        muxer = FragmentMuxer(lambda out: out.add_stream_from_template(video), facts, take, take)
        came_s = 0.0
        for packet in container.demux(video):
            if packet.size:
                came_s = float((packet.dts or packet.pts or 0) * (packet.time_base or 0))
                muxer.mux(packet, came_s, live=False)
        muxer.close(came_s + 1 / FPS)
    return found


def recorded(folder: Path, camera: str = "north", seed: int | None = None) -> Footage:
    """A minute of two runs with a hole of six seconds between them, and half a minute later on."""
    footage, seed = Footage(folder, camera), len(camera) * 10 if seed is None else seed
    footage.record("run-a", fragments(seed + 1, 15))
    footage.rest(6, "camera_lost")
    footage.record("run-b", fragments(seed + 2, 12), mask_sha256=MASK_SHA256)
    footage.rest(40, "off")
    footage.record("run-c", fragments(seed + 3, 15))
    footage.bench.ring.cut(camera)
    return footage


def copied(package: Path, to: Path) -> Path:
    """The same package elsewhere."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(package, to)
    return to


class Replica:
    """A package elsewhere, to be altered and made whole again: only what was touched is copied anew."""

    def __init__(self, folder: Path) -> None:
        """`folder` is its own."""
        self.folder = folder
        self._package = Path()
        self._kept: dict[str, tuple[int, int, int]] = {}

    def of(self, package: Path) -> Path:
        """Its folder, in which lies that package as it is."""
        if package != self._package or not self.folder.is_dir():
            copied(package, self.folder)
        else:
            self._mend()
        # The copies are as old as what they are of, so that whatever is written later shows by its time.
        self._package, self._kept = package, _identities(self.folder)
        return self.folder

    def _mend(self) -> None:
        found = _identities(self.folder)
        for name in (found.keys() | self._kept.keys()) - {n for n in found if found[n] == self._kept.get(n)}:
            touched = self.folder / name
            if touched.is_dir() and not touched.is_symlink():
                shutil.rmtree(touched)
            else:
                touched.unlink(missing_ok=True)
            if name in self._kept:
                shutil.copy2(self._package / name, touched)


def _identities(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Of each entry its inode, size and time of writing."""
    with os.scandir(folder) as entries:
        stats = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    return {name: (found.st_ino, found.st_size, found.st_mtime_ns) for name, found in stats.items()}


def members(package: Path) -> dict[str, object]:
    """Its manifest as JSON."""
    return json.loads((package / MANIFEST).read_bytes())  # type: ignore[no-any-return]


def _at(wall_s: float) -> datetime:
    return datetime.fromtimestamp(wall_s, UTC)
