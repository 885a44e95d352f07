"""A root file system as an OCI image in one file, which podman and docker load (`podman load -i FILE`).

It is the layout of the OCI image specification 1.1 (https://github.com/opencontainers/image-spec) in a tar
archive: one layer, its configuration, a manifest and an index, each named by its hash. The same root file
system makes the same bytes: nothing in it says when or where it was made.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CHUNK_BYTES: Final = 1 << 20
COMPRESSION: Final = 6
"""Of gzip: at 9 the image is a hundredth smaller and takes three times as long."""
_TYPES: Final = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a container of the image runs, and as whom."""

    name: str
    """By which it is known when it is loaded, such as ngatu:0.1.0."""
    arch: str
    """In the words of OCI: amd64, arm64."""
    user: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    environment: Mapping[str, str]
    volumes: Sequence[str]
    """Folders whose content outlives a container."""
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Blob:
    sha256: str
    size: int

    def described(self, kind: str, **more: Any) -> dict[str, Any]:
        """As another blob refers to it."""
        return {"mediaType": f"{_TYPES}.{kind}", "digest": f"sha256:{self.sha256}", "size": self.size, **more}


def write_image(root: Path, config: ImageConfig, out: Path) -> str:
    """Write the image of a root file system (a tar archive); returns the digest of its manifest.

    Raises:
        OSError: one of the files cannot be read or written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    layer_file, part = out.with_name(f"{out.name}.layer"), out.with_name(f"{out.name}.part")
    try:
        plain, layer = _compressed(root, layer_file)
        document = _encoded(_configuration(config, plain))
        manifest = _encoded({
            "schemaVersion": 2,
            "mediaType": f"{_TYPES}.manifest.v1+json",
            "config": _blob(document).described("config.v1+json"),
            "layers": [layer.described("layer.v1.tar+gzip")],
        })  # fmt: skip
        index = {
            "schemaVersion": 2,
            "manifests": [
                _blob(manifest).described(
                    "manifest.v1+json", annotations={"org.opencontainers.image.ref.name": config.name}
                )
            ],
        }
        with tarfile.open(part, "w") as archive:
            _add(archive, "oci-layout", _encoded({"imageLayoutVersion": "1.0.0"}))
            _add(archive, "index.json", _encoded(index))
            for data in (document, manifest):
                _add(archive, f"blobs/sha256/{_blob(data).sha256}", data)
            with layer_file.open("rb") as file:
                archive.addfile(_member(f"blobs/sha256/{layer.sha256}", layer.size), file)
        part.replace(out)
    finally:
        layer_file.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
    return f"sha256:{_blob(manifest).sha256}"


def _configuration(config: ImageConfig, layer: _Blob) -> dict[str, Any]:
    return {
        "architecture": config.arch,
        "os": "linux",
        "config": {
            "User": config.user,
            "Entrypoint": list(config.entrypoint),
            "Cmd": list(config.command),
            "Env": [f"{name}={value}" for name, value in sorted(config.environment.items())],
            "Volumes": {folder: {} for folder in config.volumes},
            "Labels": dict(sorted(config.labels.items())),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.sha256}"]},
    }


def _compressed(root: Path, into: Path) -> tuple[_Blob, _Blob]:
    """The root as it is, and as it lies in the layer."""
    plain, size = hashlib.sha256(), 0
    # Without a name and a time of its own in the head.
    with (
        root.open("rb") as file,
        into.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as packed,
    ):
        while chunk := file.read(CHUNK_BYTES):
            plain.update(chunk)
            size += len(chunk)
            packed.write(chunk)
    with into.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _Blob(plain.hexdigest(), size), _Blob(digest, into.stat().st_size)


def _blob(data: bytes) -> _Blob:
    return _Blob(hashlib.sha256(data).hexdigest(), len(data))


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    archive.addfile(_member(name, len(data)), io.BytesIO(data))
