"""agent.config.cross_check"""

from __future__ import annotations

import pytest

from agent.config.schema import CameraConfig, Config, parse
from agent.errors import ConfigError
from agent.settings.quoting import most_similar

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


def test_mistakes_across_settings_are_told_beside_the_others() -> None:
    text = MINIMAL + "    rules: [{kind: zone, id: a-b, zone: here}]\n    stall_s: x\n"
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "cameras[0].rules[0].zone",
        "cameras[0].stall_s",
    ]


def test_a_config_made_in_code_is_checked_across_settings_too() -> None:
    config = parse(MINIMAL.encode(), "f")
    with pytest.raises(ValueError, match="is the name of"):
        Config.model_validate({**dict(config), "cameras": (config.cameras[0], config.cameras[0])})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (MINIMAL.replace("hai-ninh-03", "station"), "device.id"),
        (MINIMAL.replace("commune: hai-ninh", "commune: station"), "device.commune"),
        (MINIMAL.replace("host:", "root: a/+/b\n  host:"), "broker.root"),
    ],
)
def test_what_cannot_stand_in_a_topic_is_refused_before_it_is_used(text: str, place: str) -> None:
    with pytest.raises(ConfigError, match=rf"{place}: .* cannot"):
        parse(text.encode(), "f")


def test_heads_cannot_be_taken_out_where_nobody_looks_for_people() -> None:
    text = MINIMAL.replace("cameras:", "thumbnail: {blur: heads}\ncameras:")
    assert parse(text.encode(), "f").thumbnail.blur == "heads"

    blind = text + "    attention: {enabled: false}\n    rules: [{kind: motion, id: movement}]\n"
    with pytest.raises(ConfigError, match=r'thumbnail\.blur is "heads", and needs the detector to find'):
        parse(blind.encode(), "f")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            MINIMAL
            + '    title: "Hướng chợ"\n  - {name: south, title: " Hướng chợ", source: {kind: file, path: a}}\n',
            r"cameras\[1\]\.title",
        ),
        (
            MINIMAL
            + "    rules: [{kind: motion, id: a-1, title: Vạch}, {kind: motion, id: a-2, title: Vạch}]\n",
            r"cameras\[0\]\.rules\[1\]\.title",
        ),
        (
            MINIMAL
            + "    zones: [{id: a-1, title: Sân, polygon: [[0, 0], [1, 0], [1, 1]]},"
            + " {id: a-2, title: Sân, polygon: [[0, 0], [1, 0], [1, 1]]}]\n",
            r"cameras\[0\]\.zones\[1\]\.title",
        ),
    ],
)
def test_what_officers_could_not_tell_apart_is_refused(text: str, place: str) -> None:
    with pytest.raises(ConfigError, match=rf"{place}: .* is the name of .* already"):
        parse(text.encode(), "f")


def test_several_may_have_no_title() -> None:
    text = MINIMAL + "  - {name: south, title: '', source: {kind: file, path: a}}\n"
    assert [each.title for each in parse(text.encode(), "f").cameras] == ["", ""]


def test_a_zone_whose_name_is_amiss_is_not_said_to_be_missing_too() -> None:
    zone = "{name: road, polygon: [[0, 0], [1, 0], [1, 1]]}"
    text = MINIMAL + f"    zones: [{zone}]\n    rules: [{{kind: zone, id: a-b, zone: road}}]\n"
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f")
    assert str(caught.value).splitlines() == [
        "f:9: cameras[0].zones[0].name: no such setting; here it is called id"
    ]


@pytest.mark.parametrize(
    ("zones", "said"),
    [
        ("zone: [{id: road, polygon: [[0, 0], [1, 0], [1, 1]]}]", "zone: no such setting; did you mean zones?"),
        ("zone: {id: road, polygon: [[0, 0], [1, 0], [1, 1]]}", "zone: no such setting; did you mean zones?"),
        ("zones: {id: road, polygon: [[0, 0], [1, 0], [1, 1]]}", "zones: there is no '- ' before 'id:'"),
        ("zones:", "zones: empty, not a list"),
        ("zones: [road]", 'zones[0]: "road" is a text'),
    ],
)
def test_zones_that_stand_there_otherwise_are_not_said_to_be_missing_from_a_rule(zones: str, said: str) -> None:
    text = MINIMAL + f"    {zones}\n    rules: [{{kind: zone, id: a-b, zone: road}}]\n"
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f")
    (only,) = str(caught.value).splitlines()
    assert only.startswith(f"f:9: cameras[0].{said}")


def test_no_setting_of_the_file_or_of_a_camera_is_taken_for_a_misspelling_of_another() -> None:
    """Else a zone or a camera that is not there would be passed over."""
    text = MINIMAL + "    title: a\n    zones: []\n    rules: [{kind: zone, id: a-b, zone: road}]\n"
    with pytest.raises(ConfigError, match="this camera has no zones"):
        parse(text.encode(), "f")
    for model, name in ((CameraConfig, "zones"), (Config, "cameras")):
        assert [each for each in model.model_fields if most_similar(each, (name,))] == [name]


def test_cameras_of_a_misspelt_list_are_not_said_to_be_missing_from_the_samples() -> None:
    text = MINIMAL.replace("cameras:", "samples: {cameras: [north]}\ncamera:")
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "f")
    assert str(caught.value) == "f:7: camera: no such setting; did you mean cameras?"
