"""docs/guide/cameras.md: what it claims about settings and messages"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from agent.config.schema import CameraConfig

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide" / "cameras.md").read_text(encoding="utf-8")


def test_every_example_is_a_camera_that_the_agent_accepts() -> None:
    kinds = set()
    for example in re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL):
        document = yaml.safe_load(
            example if example.startswith("cameras:") else f"cameras:\n  - name: north\n{example}"
        )
        camera = document["cameras"][0]
        kinds.add(CameraConfig.model_validate({"source": {"kind": "csi"}, **camera}).source.kind)
    assert kinds == {"rtsp", "usb", "file", "csi"}


def test_every_message_in_the_guide_is_one_that_the_code_gives() -> None:
    rooms = ("agent/cameras", "agent/tools/discovery", "agent/cli")
    code = "".join(path.read_text(encoding="utf-8") for room in rooms for path in (ROOT / room).rglob("*.py"))
    messages = re.findall(r"^\| `(.+?)` \|", GUIDE, re.MULTILINE)
    assert len(messages) > 10
    for message in messages:
        fixed = re.split(r"\d+ s|\(SIGSEGV\)|/dev/v4l/…", message)[0].strip()
        assert fixed in code, message
