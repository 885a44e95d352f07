"""`python -m fleet.oci FILE`: the station and its broker as one image (`make image`)."""

from __future__ import annotations

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from agent.errors import NgatuError
from fleet.oci.archive import ImageConfig, write_image
from fleet.oci.rootfs import USER, make_root

CONFIG = ImageConfig(
    name=f"ngatu-station:{version('ngatu')}",
    arch="amd64",
    user=f"{USER}:{USER}",
    entrypoint=("/opt/ngatu/bin/ngatu",),
    command=("station", "--config", "/etc/ngatu-station/station.yaml"),
    environment={"PATH": "/opt/ngatu/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    volumes=("/var/lib/ngatu-station", "/var/lib/ngatu-broker"),
    labels={
        "org.opencontainers.image.title": "ngatu, station and broker",
        "org.opencontainers.image.version": version("ngatu"),
        "org.opencontainers.image.licenses": "Apache-2.0 AND GPL-2.0-or-later",
    },
)


def main(words: list[str]) -> int:
    """Make the image of this checkout or folder."""
    if len(words) != 1:
        sys.stderr.write("python -m fleet.oci FILE: where the image goes\n")
        return 2
    out = Path(words[0])
    try:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder, "root.tar")
            make_root(Path(), root)
            digest = write_image(root, CONFIG, out)
    except NgatuError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{out}: {CONFIG.name}, {out.stat().st_size / 1e6:.0f} MB, {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
