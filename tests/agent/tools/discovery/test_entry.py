"""agent.tools.discovery.entry"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.schema import load
from agent.settings.dump import dumped
from agent.tools.discovery.entry import chosen, entry, rtsp_source
from agent.tools.discovery.onvif import StreamOffer


def offer(width: int, height: int, codec: str = "H264") -> StreamOffer:
    return StreamOffer(f"{width}", codec, width, height, None, f"rtsp://127.0.0.1:554/{width}")


@pytest.mark.parametrize(("offers", "seeing", "best"), [
    ([(2560, 1440), (640, 360), (352, 288)], "640", "2560"),
    ([(1920, 1080)], "1920", None),
    ([(352, 288), (320, 240)], "352", None),
    ([(1280, 720), (1280, 720)], "1280", None),
    ([], None, None),
])  # fmt: skip
def test_the_agent_sees_by_the_least_that_shows_enough_and_records_the_best(
    offers: list[tuple[int, int]], seeing: str | None, best: str | None
) -> None:
    found = chosen([offer(*each) for each in offers])
    assert tuple(each and each.profile for each in found) == (seeing, best)


def test_a_stream_that_nobody_here_decodes_is_not_chosen() -> None:
    assert chosen([offer(2560, 1440, "VP9"), offer(640, 360, "JPEG")])[0] == offer(640, 360, "JPEG")


def test_what_is_printed_is_taken_by_the_configuration(tmp_path: Path) -> None:
    source = rtsp_source("rtsp://192.168.10.21:554/Streaming/102?on=1", "no", "/etc/ngatu/yes.password")
    best = rtsp_source("rtsp://192.168.10.21:554/Streaming/101", "no", "/etc/ngatu/yes.password")
    cameras = [
        entry("north", source, best),
        entry("off", {"kind": "usb", "device": "/dev/v4l/by-id/usb-1"}),
        entry("ribbon", {"kind": "csi", "camera": 0}),
    ]
    file = tmp_path / "box.yaml"
    head = "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: 127.0.0.1}\n"
    file.write_text(head + dumped({"cameras": cameras}))
    settings = load(file)
    assert [each.name for each in settings.cameras] == ["north", "off", "ribbon"]
    assert settings.cameras[0].source.model_dump(mode="json")["url"] == source["url"]
    recorded = settings.cameras[0].record.source
    assert recorded is not None
    assert recorded.model_dump(mode="json")["url"] == best["url"]


def test_what_is_recorded_stands_beside_what_is_seen() -> None:
    found = entry("north", {"kind": "rtsp", "url": "a"}, {"kind": "rtsp", "url": "b"})
    assert found["record"] == {"mode": "off", "source": {"kind": "rtsp", "url": "b"}}
