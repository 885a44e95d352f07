"""fleet.bundle.sbom: CycloneDX, judged by those who make it"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fleet.bundle import sbom
from fleet.bundle.archive import Content, content
from fleet.bundle.licences import Licensed, read
from tests.support.licensed_wheels import PYAV, licensed_wheel


@pytest.fixture
def held(tmp_path: Path) -> tuple[list[Licensed], dict[str, Content]]:
    """Wheels, and everything in a bundle by name."""
    paths = [
        licensed_wheel(tmp_path, "ngatu", "License-Expression: Apache-2.0"),
        licensed_wheel(tmp_path, "av", "License-Expression: BSD-3-Clause", holds=PYAV),
        licensed_wheel(tmp_path, "old_style", "License: MIT License"),
        licensed_wheel(tmp_path, "silent"),
    ]
    others = {"models/eyes.onnx": Content(3, "a" * 64), "ngatu.service": Content(4, "b" * 64)}
    return [read(each) for each in paths], {f"wheels/{each.name}": content(each) for each in paths} | others


def written(held: tuple[list[Licensed], dict[str, Content]]) -> bytes:
    wheels, files = held
    return sbom.encoded(wheels[0], "aarch64, Python 3.11", wheels, files, {"models/eyes.onnx": "Apache-2.0"})


def components(held: tuple[list[Licensed], dict[str, Content]]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(written(held))["components"]}


def test_those_who_make_cyclonedx_find_it_valid(held: tuple[list[Licensed], dict[str, Content]]) -> None:
    validation = pytest.importorskip(
        "cyclonedx.validation.json", reason="not here: pip install 'cyclonedx-python-lib[json-validation]'"
    )
    schema = pytest.importorskip("cyclonedx.schema")

    judge = validation.JsonStrictValidator(schema.SchemaVersion.from_version(sbom.VERSION))
    assert judge.validate_str(written(held).decode()) is None
    assert judge.validate_str(written(held).decode().replace("SHA-256", "SHA-1000")) is not None


def test_every_file_is_listed_once_with_its_hash(held: tuple[list[Licensed], dict[str, Content]]) -> None:
    listed = json.loads(written(held))["components"]

    assert {
        next(each["value"] for each in one["properties"] if each["name"] == "ngatu:file"):
        one["hashes"][0]["content"] for one in listed
    } == {name: of.sha256 for name, of in held[1].items()}  # fmt: skip
    assert len({each["bom-ref"] for each in listed}) == len(listed) == len(held[1])


def test_a_licence_is_told_as_the_wheel_says_it_and_none_is_made_up(
    held: tuple[list[Licensed], dict[str, Content]],
) -> None:
    found = components(held)

    assert found["av"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert found["old-style"]["licenses"] == [{"license": {"name": "MIT License"}}]
    assert "licenses" not in found["silent"] and "licenses" not in found["ngatu.service"]
    assert found["eyes.onnx"]["licenses"] == [{"license": {"name": "Apache-2.0"}}]
    assert found["eyes.onnx"]["type"] == "machine-learning-model"


def test_what_lies_within_a_wheel_has_a_licence_of_its_own(
    held: tuple[list[Licensed], dict[str, Content]],
) -> None:
    inside = {each["name"]: each for each in components(held)["av"]["components"]}

    assert inside.keys() == {"libavcodec", "libx264", "libx265"}
    assert inside["libx264"]["licenses"] == [{"expression": "GPL-2.0-or-later"}]
    assert "licenses" not in inside["libavcodec"]


def test_the_same_bundle_gives_the_same_bytes_and_another_gets_another_number(
    held: tuple[list[Licensed], dict[str, Content]],
) -> None:
    first = written(held)
    assert written(held) == first

    held[1]["ngatu.service"] = Content(4, "c" * 64)
    numbers = {json.loads(each)["serialNumber"] for each in (first, written(held))}
    assert len(numbers) == 2
