"""Writes config.example.yaml and docs/reference/config.md out of the settings of a box.

python -m agent.config.reference          writes both files, from the root of the checkout
python -m agent.config.reference --check  exit 1 if one of them is not what the code says
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from agent.config.schema import Config
from agent.settings.reference import example, page, write

EXAMPLE_HEAD = """\
# Every setting of an ngatu box with its default; leave out what you do not change.
# Needed are device.commune, device.id, broker.host and one camera with a name and a source.
#
# A line such as '#password: …' is not set: take its '#' away to use it, and remove the line it replaces.
# Corners and lines are fractions of the picture: [0, 0] is its top left corner, [1, 1] its bottom right one.
# A secret never stands here: it lies in an environment variable, {env: NAME}, or in a file, {file: /path}.
# 'ngatu check -c FILE' judges a file, 'ngatu config schema' prints the JSON Schema for editors.
"""
PAGE_HEAD = """\
# Configuration

One YAML file describes a box.
Needed are `device.commune`, `device.id`, `broker.host` and one camera with a name and a source;
everything else has a default.
[`config.example.yaml`](../../config.example.yaml) shows every setting in its place;
`ngatu check -c FILE` judges a file.

- Unknown settings are errors, and all mistakes of a file are told at once, each with its line.
- Only YAML's plain parts are read: no anchors, aliases, tags, directives, second documents or repeated keys.
- `true` and `false` are the only truth values, and `22:30` is a text.
- Numbers are finite, have at most 18 digits, and do not begin with a zero that means nothing.
- A file has at most 256 KB, 20 levels and 10,000 values.
- Corners of zones, masks and lines are fractions of the picture, `[x, y]` from its top left corner.
- A secret is never in the file: `{env: NAME}` names an environment variable, `{file: /path}` a file
  whose first line is the secret (mode 0600 or 0640).

This page is written from the code by `make docs`.
"""
EXAMPLES: dict[str, Any] = {
    "device.commune": "hai-ninh",
    "device.id": "hai-ninh-03",
    "broker.host": "station.hai-ninh.example",
    "broker.password": {"file": "/etc/ngatu/broker.password"},
    "cameras[].source.password": {"env": "NGATU_NORTH_PASSWORD"},
    "cameras[].name": "north",
    "cameras[].source.url": "rtsp://192.0.2.10:554/stream2",
    "cameras[].source.device": "/dev/v4l/by-id/usb-camera-video-index0",
    "cameras[].source.path": "/var/lib/ngatu/clip.mp4",
    "cameras[].record.source.url": "rtsp://192.0.2.10:554/stream1",
    "cameras[].record.source.password": {"env": "NGATU_NORTH_PASSWORD"},
    "cameras[].record.source.device": "/dev/v4l/by-id/usb-camera-video-index2",
    "cameras[].record.source.path": "/var/lib/ngatu/clip-main.mp4",
    "cameras[].zones[].id": "junction",
    "cameras[].zones[].polygon": [[0.2, 0.5], [0.8, 0.5], [0.9, 0.9], [0.1, 0.9]],
    "cameras[].rules[].id": "my-rule",
    "cameras[].rules[].zone": "junction",
    "cameras[].rules[].start": [0.1, 0.6],
    "cameras[].rules[].end": [0.9, 0.6],
    "cameras[].rules[].direction_deg": 90.0,
}
"""What config.example.yaml shows for settings without a default."""


def example_text() -> str:
    """config.example.yaml."""
    return example(Config, EXAMPLES, EXAMPLE_HEAD)


def page_text() -> str:
    """docs/reference/config.md."""
    return page(Config, PAGE_HEAD)


def main(arguments: list[str]) -> int:
    """Write both files below the current folder, or with --check tell which differ."""
    texts = {Path("config.example.yaml"): example_text(), Path("docs/reference/config.md"): page_text()}
    return write(texts, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
