"""agent.config.reference: the example and the page say what agent.config.schema obeys"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from agent.config.reference import example_text, page_text
from agent.config.schema import Config, load, parse
from agent.settings.base import Secret, Settings
from agent.settings.introspect import groups, inner_models, settings_of
from agent.settings.reference import schema
from agent.settings.yaml import read

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "config.example.yaml"
PAGE = ROOT / "docs" / "reference" / "config.md"
HINT = "run `make docs`"

MINIMAL = {
    "device": {"commune": "hai-ninh", "id": "hai-ninh-03"},
    "broker": {"host": "station.hai-ninh.example"},
    "cameras": [{"name": "north", "source": {"kind": "rtsp", "url": "rtsp://192.0.2.10:554/stream2"}}],
}


def text() -> str:
    return EXAMPLE.read_text(encoding="utf-8")


def test_the_example_and_the_page_are_what_the_code_says() -> None:
    assert text() == example_text(), HINT
    assert PAGE.read_text(encoding="utf-8") == page_text(), HINT


def test_the_example_equals_the_built_in_defaults() -> None:
    assert load(EXAMPLE) == parse(json.dumps(MINIMAL).encode(), "minimal")


def test_the_example_means_the_same_to_an_ordinary_yaml_reader() -> None:
    assert yaml.safe_load(text()) == read(text().encode())[0].plain()


def test_every_setting_stands_in_the_example_below_its_description() -> None:
    lines = text().splitlines()
    prose = " ".join(re.sub(r"^[ #]*", "", line) for line in lines if line.lstrip().startswith("#"))
    for group in groups(Config):
        if group.model is Secret:
            continue
        for setting in group.settings:
            assert any(re.match(rf"[ #-]*{setting.name}:", line) for line in lines), setting.path
            if setting.description and group.tag != setting.default:
                assert setting.description in prose, setting.path


def test_every_setting_of_the_example_has_a_comment_directly_above_it() -> None:
    lines = text().splitlines()
    for above, line in pairwise(lines):
        if re.match(r" *(- )?[a-z_0-9]+:", line):
            assert re.match(r" *# ", above), line


def test_every_setting_has_a_description() -> None:
    for group in groups(Config):
        for setting in group.settings:
            assert setting.description, setting.path


def hidden_blocks() -> list[str]:
    """What stands behind '#', block by block, as an operator who takes the '#' away gets it."""
    blocks: list[list[str]] = []
    before = False
    for line in text().splitlines():
        found = re.match(r" *#(?! \S)(?!$)(.*)", line)
        if found and not re.match(r" *#'", line):
            if not before or re.match(r"[a-z_]+:|- ", found[1]):
                blocks.append([])
            blocks[-1].append(found[1])
        before = bool(found)
    return ["\n".join(block) for block in blocks if any(re.match(r"[a-z_]+:|- ", line) for line in block)]


def test_what_stands_behind_a_hash_is_valid_once_the_hash_is_taken_away() -> None:
    """Each block fits one of the groups that may stand under its name, or in a list."""
    models: list[type[BaseModel]] = [
        model for group in groups(Config) for setting in group.settings for model, _, _ in inner_models(setting)
    ]
    seen = set()
    for block in hidden_blocks():
        node, faults = read(block.encode())
        assert faults == []
        plain = node.plain()
        value = plain[0] if isinstance(plain, list) else next(iter(plain.values()))
        fitting = [model for model in models if fits(model, value)]
        assert fitting, block
        seen |= {model.__name__ for model in fitting}
    assert {"RtspSource", "UsbSource", "Zone", "LineRule", "CrowdRule", "TlsSettings", "Secret"} <= seen


def fits(model: type[BaseModel], value: object) -> bool:
    try:
        TypeAdapter(model).validate_json(json.dumps(value), strict=True)
    except ValueError:
        return False
    return True


def test_the_page_has_every_setting_in_the_table_of_its_group_and_nothing_else() -> None:
    tables: dict[str, set[str]] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
            assert heading not in tables
            tables[heading] = set()
        elif found := re.match(r"\| `([a-z_0-9]+)` \|", line):
            tables[heading].add(found[1])
    expected = {
        (f"`{g.path}`" if g.path else "The file") + (f", kind `{g.tag}`" if g.tag else ""): {
            s.name for s in g.settings
        }
        for g in groups(Config)
        if g.model is not Secret
    }
    assert tables == expected


def test_the_schema_accepts_the_example_and_refuses_what_the_agent_refuses() -> None:
    validator = jsonschema.Draft202012Validator(schema(Config))
    validator.check_schema(schema(Config))
    plain = read(text().encode())[0].plain()
    validator.validate(plain)
    for wrong in ({**plain, "camera": []}, {**plain, "cameras": []}, {**plain, "log": {"level": "loud"}}):
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(wrong)


def test_the_schema_tells_editors_the_meaning_and_the_kinds() -> None:
    definitions = schema(Config)["$defs"]
    assert all("description" in each or each["type"] == "string" for each in definitions.values())
    camera = definitions["CameraConfig"]["properties"]
    assert set(camera["source"]["discriminator"]["mapping"]) == {"rtsp", "usb", "file", "csi"}


def test_every_group_is_a_frozen_settings_model() -> None:
    for group in groups(Config):
        assert issubclass(group.model, Settings), group.path
        assert group.model.model_config["frozen"], group.path
        assert group.model.model_config["extra"] == "forbid", group.path


@pytest.mark.long
def test_the_writer_tells_what_is_stale_and_writes_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "agent.config.reference"]
    stale = subprocess.run([*command, "--check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (stale.returncode, stale.stdout.count("is not what the code says")) == (1, 2)
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "config.example.yaml").read_text(encoding="utf-8") == example_text()
    assert subprocess.run([*command, "--check"], cwd=tmp_path, check=False).returncode == 0


def test_settings_of_a_group_come_in_their_order_with_their_path() -> None:
    assert [s.path for s in settings_of(Config)][:2] == ["device", "broker"]
