"""fleet.prepare.inventory"""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.prepare.inventory import COPIED, bundle, camera_secret, files
from tests.conftest import ROOT

EXAMPLE = {name: (ROOT / "deploy/ansible/inventory/example" / name).read_text() for name in COPIED}
ANSWERS = {
    "commune": "hai-ninh", "station": "tram-hai-ninh", "station_address": "10.20.0.2", "broker": "10.20.0.2",
    "station_board": "pc13", "box": "hai-ninh-01", "box_address": "10.20.1.11", "board": "pi12",
    "place": "Ngã tư", "login": "admin", "administrators": "10.20.0.0/24, 10.9.0.7/32",
    "boxes_from": "10.20.1.0/24", "time_servers": "", "purpose": "An toàn", "legal_basis": "123/QĐ",
    "role": "community", "camera": "north", "camera_kind": "rtsp", "camera_url": "rtsp://192.168.30.21/2",
    "camera_user": "ngatu",
}  # fmt: skip


def test_each_answer_stands_where_ansible_looks_for_it_and_the_rest_is_the_example() -> None:
    made = files(ANSWERS, EXAMPLE, "0.1.0")
    read: dict[str, Any] = {name: yaml.safe_load(text) for name, text in made.items()}

    everywhere, example = read["group_vars/all/main.yml"], yaml.safe_load(EXAMPLE["group_vars/all/main.yml"])
    assert everywhere["ngatu_base_ssh_from"] == ["10.20.0.0/24", "10.9.0.7/32"]
    assert everywhere["ngatu_base_ntp"] == []
    assert everywhere["ngatu_ca_passphrase"] == example["ngatu_ca_passphrase"]
    boxes = read["group_vars/ngatu_box.yml"]
    assert boxes["ngatu_agent_bundle"].endswith("/bundles/ngatu-0.1.0-aarch64-py311.bundle")
    assert (boxes["ngatu_agent_purpose"], boxes["ngatu_agent_legal_basis"]) == ("An toàn", "123/QĐ")
    assert "ngatu_agent_role" not in boxes
    assert read["group_vars/ngatu_broker.yml"]["ngatu_base_allow"][0]["from"] == ["10.20.1.0/24"]
    assert all(made[name].count("#") == EXAMPLE[name].count("#") for name in COPIED), "a comment was lost"


def test_enforcement_is_said_and_a_camera_without_a_login_has_no_secret() -> None:
    more = {"role": "enforcement", "camera_kind": "csi", "camera_url": "", "camera_user": ""}
    made = files(ANSWERS | more, EXAMPLE, "0.1.0")

    assert yaml.safe_load(made["group_vars/ngatu_box.yml"])["ngatu_agent_role"] == "enforcement"
    assert "secret" not in made["box-hai-ninh-01.yml"]
    assert camera_secret(ANSWERS | {"camera_user": ""}) == ""
    assert camera_secret(ANSWERS) == "vault_hai_ninh_01_north"


@pytest.mark.long
@given(st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="{}"), min_size=1, max_size=200))
def test_whatever_is_said_comes_back_from_yaml_as_it_was(words: str) -> None:
    made = files(ANSWERS | {"purpose": words, "place": words}, EXAMPLE, "0.1.0")

    assert yaml.safe_load(made["group_vars/ngatu_box.yml"])["ngatu_agent_purpose"] == words
    box = yaml.safe_load(made["box-hai-ninh-01.yml"])["commune_hai_ninh"]["hosts"]["hai-ninh-01"]
    assert box["ngatu_agent_place"] == words


def test_a_release_is_named_as_it_is_built() -> None:
    assert bundle(ANSWERS, "station_board", "0.2.0") == "ngatu-0.2.0-x86_64-py313.bundle"
