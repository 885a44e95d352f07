"""The picture of the first-camera guide: `ngatu preview --picture` of the simulated junction.

    python -m benchmarks.grid_picture docs/images/grid.jpg

The zones, lines and rules are those that docs/guide/first-camera.md writes; nobody else's footage is in it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from benchmarks.scenes import render

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "first-camera.md"
SEED, SECONDS = 3, 1.0


def main(file: Path) -> None:
    """Write the picture."""
    written = re.findall(r"^```yaml\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    whole, zones = map(yaml.safe_load, written)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (camera,) = zones["cameras"]
        camera["source"] = {"kind": "file", "path": str(render.write(folder, SEED, SECONDS))}
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({**whole, "cameras": [camera]}), encoding="utf-8")
        ngatu = str(Path(sys.executable).with_name("ngatu"))
        subprocess.run(
            [ngatu, "preview", "-c", str(config), "--picture", "--out", str(file.resolve())], check=True
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
