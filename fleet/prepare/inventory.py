"""The inventory of the first commune: the example of the checkout, with what was answered in its places.

Pure: from answers and the example's texts to files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from fleet.prepare.judge import split
from fleet.prepare.questions import BOARDS, Answers

COPIED: Final = (
    "group_vars/all/main.yml",
    "group_vars/ngatu_box.yml",
    "group_vars/ngatu_broker.yml",
    "group_vars/ngatu_station.yml",
)
"""Of the example: what is the same in each province stays as it is there, with its comments."""
HOSTS: Final = "hosts.yml"


def files(answers: Answers, example: Mapping[str, str], version: str) -> dict[str, str]:
    """Text of each file, by its path in the inventory; `example` has those of COPIED.

    Raises:
        ValueError: a file of the example has no place for an answer.
    """
    made = {name: _with(example[name], _values(name, answers, version)) for name in COPIED}
    made[HOSTS] = _hosts(answers)
    made[f"box-{answers['box']}.yml"] = _box(answers)
    return made


def bundle(answers: Answers, key: str, version: str) -> str:
    """Name of the file of a release for the board that was answered under this key."""
    board = BOARDS[answers[key]]
    return f"ngatu-{version}-{board.arch}-py{board.python.replace('.', '')}.bundle"


def camera_secret(answers: Answers) -> str:
    """Name in the vault of the camera's password; empty: it has none."""
    if answers["camera_kind"] != "rtsp" or not answers.get("camera_user"):
        return ""
    return f"vault_{answers['box']}_{answers['camera']}".replace("-", "_")


def _values(name: str, answers: Answers, version: str) -> dict[str, Any]:
    beside = "{{ inventory_dir | dirname }}/bundles/"
    if name == "group_vars/all/main.yml":
        return {
            "ansible_user": answers["login"],
            "ngatu_base_ssh_from": split(answers["administrators"]),
            "ngatu_base_ntp": split(answers["time_servers"]),
        }
    if name == "group_vars/ngatu_box.yml":
        return {
            "ngatu_agent_bundle": beside + bundle(answers, "board", version),
            "ngatu_agent_purpose": answers["purpose"],
            "ngatu_agent_legal_basis": answers["legal_basis"],
        } | ({"ngatu_agent_role": answers["role"]} if answers["role"] != "community" else {})
    if name == "group_vars/ngatu_station.yml":
        return {
            "ngatu_station_bundle": beside + bundle(answers, "station_board", version),
            "ngatu_station_screen_from": [],  # where officers sit was not asked
        }
    return {"from": split(answers["boxes_from"])}


def _with(text: str, values: Mapping[str, Any]) -> str:
    """A text of YAML with other values; what is not in it comes at its end."""
    for key, value in values.items():
        line = f"{key}: {json.dumps(value, ensure_ascii=False)}"
        pattern, line_again = rf"^( *){key}: .*$", line.replace("\\", r"\\")
        text, found = re.subn(pattern, rf"\g<1>{line_again}", text, flags=re.MULTILINE)
        if found > 1:
            raise ValueError(f"{key} stands {found} times in the example")
        text = text if found else f"{text.rstrip()}\n{line}\n"
    return text


def _hosts(answers: Answers) -> str:
    commune = f"commune_{answers['commune'].replace('-', '_')}"
    station = {
        "ansible_host": answers["station_address"],
        "ngatu_broker_host": answers["broker"],
        "ngatu_communes": [answers["commune"]],
    }
    shared = {"ngatu_commune": answers["commune"], "ngatu_broker_host": answers["broker"]}
    groups = {
        commune: {"vars": shared},
        "ngatu_box": {"children": {commune: None}},
        "ngatu_station": {"hosts": {answers["station"]: station}},
        "ngatu_broker": {"children": {"ngatu_station": None}},
    }
    return (
        "---\n"
        "# The first commune. It is yours now. For one more, add its group with both variables here and below\n"
        "# ngatu_box, and its name to ngatu_communes of its station. Each box has a file beside this one.\n"
        f"{_yaml({'all': {'children': groups}})}"
    )


def _box(answers: Answers) -> str:
    variables: dict[str, Any] = {"ansible_host": answers["box_address"], "ngatu_agent_place": answers["place"]}
    source: dict[str, Any] = {"kind": answers["camera_kind"]}
    if answers["camera_kind"] == "rtsp":
        source["url"] = answers["camera_url"]
    if name := camera_secret(answers):
        variables["ngatu_agent_secrets"] = {answers["camera"]: f"{{{{ {name} }}}}"}
        source["username"] = answers["camera_user"]
        source["password"] = {"file": str(PurePosixPath("/run/credentials/ngatu.service", answers["camera"]))}
    rules = [{"kind": "object", "id": "road-users"}]
    variables["ngatu_agent_cameras"] = [{"name": answers["camera"], "source": source, "rules": rules}]
    commune = f"commune_{answers['commune'].replace('-', '_')}"
    written = _yaml({commune: {"hosts": {answers["box"]: variables}}})
    return f"---\n# Box {answers['box']}. It is yours now, nothing writes here again.\n{written}"


def _yaml(value: Any) -> str:
    written: str = yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=110)
    return re.sub(r": null$", ":", written, flags=re.MULTILINE)
