"""agent.status.birth"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.schema import Config, config_sha256, load
from agent.core.types import Instant, Size
from agent.detectors import Detector, load_detector
from agent.detectors.absent import Absent
from agent.host.camera_stats import Seen
from agent.status import birth
from agent.status.session import Session, versions
from agent.wire.payloads import InfoPayload
from tests.support.boxes import Box

NOW = Instant(1000.0, 1_772_000_000.0)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(Box(tmp_path, 1883).config)


def network(config: Config) -> Detector:
    return load_detector(config.detector)


def said(
    config: Config,
    size: Size | None = None,
    detector: Detector | None = None,
    encoder: str | None = None,
    decoder: tuple[str | None, str | None] = (None, None),
) -> InfoPayload:
    cameras = [
        birth.DescribedCamera(each.name, each.source.kind, each.pipeline(config.device).rules, each.title)
        for each in config.cameras
    ]
    session = Session("a-session", NOW, "first_start", config_sha256(config), versions())
    return birth.message(
        config.device,
        cameras,
        session,
        detector or network(config),
        {"road": Seen(size, encoder, *decoder)},
        NOW,
    )


def test_it_names_the_box_its_network_and_what_it_stands_on(config: Config) -> None:
    info = said(config)

    assert (info.commune, info.device, info.session) == ("test-commune", "test-box-01", "a-session")
    assert info.model is not None
    assert info.model.name == "squares"
    assert {"ngatu", "python", "system", "onnxruntime"} <= set(info.versions)
    assert info.config_sha256 == config_sha256(config)


def test_what_officers_call_a_camera_its_zones_and_rules_goes_with_their_ids(config: Config) -> None:
    (bare,) = said(config).cameras
    assert {bare.name, *(each.name for each in (*bare.zones, *bare.rules))} == {None}

    (camera,) = config.cameras
    zones = tuple(each.model_copy(update={"title": f"Vùng {each.id}"}) for each in camera.zones)
    rules = tuple(each.model_copy(update={"title": f"Quy tắc {each.id}"}) for each in camera.rules)
    update = {"title": " Hướng chợ ", "zones": zones, "rules": rules}
    (named,) = said(config.model_copy(update={"cameras": (camera.model_copy(update=update),)})).cameras

    assert named.name == "Hướng chợ"
    assert [each.name for each in named.zones] == [f"Vùng {each.id}" for each in camera.zones]
    assert [each.name for each in named.rules] == [f"Quy tắc {each.id}" for each in camera.rules]


def test_it_tells_where_the_lines_and_zones_of_a_camera_lie(config: Config) -> None:
    (camera,) = said(config).cameras

    assert [(rule.id, rule.kind, rule.zones) for rule in camera.rules] == [
        ("movement", "motion", ()),
        ("road-users", "object", ()),
        ("on-the-road", "zone", ("road",)),
        ("the-line", "line", ()),
    ]
    assert camera.rules[-1].points == ((0.5, 0.1), (0.5, 0.95))
    assert [(zone.id, len(zone.points)) for zone in camera.zones] == [("road", 4)]


def test_the_size_of_a_picture_is_told_once_it_is_known(config: Config) -> None:
    before, after = said(config), said(config, Size(512, 256))

    assert before.cameras[0].frame is None
    assert after.cameras[0].frame is not None
    assert (after.cameras[0].frame.width_px, after.cameras[0].frame.height_px) == (512, 256)


@pytest.mark.parametrize("encoder", ["hardware", "software", None])
def test_it_tells_who_encodes_what_is_recorded(config: Config, encoder: str | None) -> None:
    assert said(config, encoder=encoder).cameras[0].encoder == encoder


def test_it_tells_who_decodes_and_why_the_board_does_not(config: Config) -> None:
    camera = said(config, decoder=("FFmpeg h264", "no picture of 30 packets")).cameras[0]
    assert (camera.decoder, camera.decoder_fallback) == ("FFmpeg h264", "no picture of 30 packets")
    assert said(config).cameras[0].decoder is None


def test_a_box_without_a_network_names_none(config: Config) -> None:
    assert said(config, detector=Absent()).model is None
