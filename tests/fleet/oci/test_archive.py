"""fleet.oci.archive"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fleet.oci.archive import ImageConfig, write_image

CONFIG = ImageConfig(
    "ngatu-station:0.1.0", "amd64", "880:880", ("/opt/ngatu/bin/ngatu",), ("station",),
    {"PATH": "/opt/ngatu/bin"}, ("/var/lib/ngatu-station",), {"org.opencontainers.image.version": "0.1.0"},
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("./etc/hostname")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"ngatu\n"))
    return path


def members(image: Path) -> dict[str, bytes]:
    with tarfile.open(image) as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        return {name: file.read() for name, file in files.items() if file is not None}


def blob(files: dict[str, bytes], described: dict[str, Any]) -> bytes:
    """What is referred to, if size and hash are what was said."""
    data = files[f"blobs/sha256/{described['digest'].removeprefix('sha256:')}"]
    assert (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}") == (described["size"], described["digest"])
    return data


def test_each_part_is_found_by_its_hash_from_the_index_down_to_the_files(root: Path, tmp_path: Path) -> None:
    image = tmp_path / "out" / "image.tar"
    digest = write_image(root, CONFIG, image)

    files = members(image)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (described,) = json.loads(files["index.json"])["manifests"]
    assert described["digest"] == digest
    assert described["annotations"] == {"org.opencontainers.image.ref.name": "ngatu-station:0.1.0"}
    manifest = json.loads(blob(files, described))
    configuration = json.loads(blob(files, manifest["config"]))
    (layer,) = manifest["layers"]
    plain = gzip.decompress(blob(files, layer))
    assert plain == root.read_bytes()
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(plain).hexdigest()}"]
    assert (configuration["architecture"], configuration["os"]) == ("amd64", "linux")
    assert configuration["config"]["User"] == "880:880"
    assert configuration["config"]["Entrypoint"] == ["/opt/ngatu/bin/ngatu"]
    assert len(files) == 5
    assert list(image.parent.iterdir()) == [image]


def test_the_same_root_makes_the_same_bytes_and_another_makes_others(root: Path, tmp_path: Path) -> None:
    one, two, other = (tmp_path / name for name in ("one.tar", "two.tar", "other.tar"))
    first = write_image(root, CONFIG, one)
    assert write_image(root, CONFIG, two) == first
    assert one.read_bytes() == two.read_bytes()
    root.write_bytes(root.read_bytes() + bytes(10240))
    assert write_image(root, CONFIG, other) != first


def test_where_the_root_is_not_there_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_image(tmp_path / "nothing.tar", CONFIG, tmp_path / "out" / "image.tar")
    assert list((tmp_path / "out").iterdir()) == []
