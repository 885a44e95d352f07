"""agent.config.advice"""

from __future__ import annotations

from agent.config.advice import warnings
from agent.config.schema import parse

MINIMAL = """\
device:
  commune: hai-ninh
  id: hai-ninh-03
broker:
  host: station.example
cameras:
  - name: north
    source: {kind: rtsp, url: "rtsp://192.0.2.10:554/stream2"}
"""


def test_what_the_law_asks_for_draws_a_warning_while_it_is_missing() -> None:
    config = parse(MINIMAL.encode(), "f")
    missing = {"device.purpose", "device.legal_basis", "broker.tls"}
    assert {line.split(" is")[0] for line in warnings(config)} == missing
    told_all = MINIMAL.replace(
        "broker:",
        "  purpose: order on the road\n  legal_basis: decision 12\nbroker:\n  tls: {ca: /etc/ngatu/ca.pem}",
    )
    assert warnings(parse(told_all.encode(), "f")) == []


def test_a_login_without_a_password_draws_a_warning_with_what_to_do() -> None:
    text = MINIMAL.replace('stream2"}', 'stream2", username: admin}')
    text = text.replace("host: station.example", "host: station.example\n  username: box")
    lines = [line for line in warnings(parse(text.encode(), "f")) if "username" in line]
    assert [line.split(" ")[0] for line in lines] == ["broker.username", "cameras[0].source.username"]
    assert all("{file: /etc/ngatu/secret}" in line for line in lines)


def test_cameras_that_share_a_source_or_may_change_places_draw_a_warning() -> None:
    text = (
        MINIMAL
        + '  - {name: south, source: {kind: rtsp, url: "rtsp://192.0.2.10:554/stream2"}}\n'
        + "  - {name: east, source: {kind: usb, device: /dev/video0}, rules: []}\n"
    )
    lines = "\n".join(warnings(parse(text.encode(), "f")))
    assert "cameras north and south have the same source" in lines
    assert "/dev/video0 may be another camera after a restart" in lines
    assert "camera east has no rules" in lines
