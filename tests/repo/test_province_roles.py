"""The province's roles under Ansible: what their preflight refuses, and what the example's inventory becomes"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from station.config import parse as parse_station
from station.province.settings import parse as parse_worker
from tests.conftest import ROOT

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
ANSIBLE = ROOT / "deploy" / "ansible"

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PLAYBOOK.exists(), reason="needs ansible-core"),
    pytest.mark.timeout(900),
]

SECRET = "0123456789abcdef0123456789abcdef"
BROKER: dict[str, Any] = {
    "host": "mq-1.tinh.example", "cookie": SECRET,
    "nodes": [f"mq-{number}.tinh.example" for number in (1, 2, 3)],
    "shards": {"s01": ["hai-ninh", "hai-tay"], "s02": ["dong-ha"]}, "workers": {"tinh-w-1": ["s01", "s02"]},
}  # fmt: skip
DATABASE: dict[str, Any] = {
    "host": "db-1.tinh.example", "hosts": ["db-1", "db-2"], "primary": "db-1", "other": "db-2.tinh.example",
    "password": SECRET, "replica_password": SECRET[::-1], "from": ["10.20.9.32/28"], "peers": ["10.20.9.18/32"],
}  # fmt: skip
WORKER: dict[str, Any] = {
    "shards": ["s01"], "broker_hosts": ["mq-1"], "database_hosts": ["db-1"], "database_password": SECRET,
    "bundle": "/no-bundle", "release_key": "/no-key",
}  # fmt: skip
NAMES = "2 to 32 of a-z, 0-9 and '-', and not 'station'"
UNLIKE = "needs a ngatu_province_host"
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "an even number of nodes": ("broker/preflight", {"nodes": BROKER["nodes"][:2]}, "half is no majority"),
    "a node without a name": ("broker/preflight", {"nodes": ["", *BROKER["nodes"][:2]]}, UNLIKE),
    "short and long names": ("broker/preflight", {"nodes": [*BROKER["nodes"][:2], "mq-3"]}, "or all without"),
    "a short cookie": ("broker/preflight", {"cookie": "guest"}, "make it with openssl rand -hex 24"),
    "a commune in two shards": (
        "broker/shards", {"shards": {"s01": ["hai-ninh", "hai-tay"], "s02": ["hai-ninh"]}},
        "Named more than once in ngatu_province_shards: hai-ninh."),
    "a shard without a worker": (
        "broker/shards", {"workers": {"tinh-w-1": ["s01"]}}, "No host of ngatu_province_worker serves s02"),
    "a worker of no shard": (
        "broker/shards", {"workers": {"tinh-w-1": ["s01", "s02", "s03"]}}, "s03: in ngatu_province_worker"),
    "a shard called station": ("broker/shards", {"shards": {"station": ["hai-ninh"]}}, NAMES),
    "a commune with capitals": ("broker/shards", {"shards": {"s01": ["Hai Ninh"]}}, NAMES),
    "a long name": ("broker/shards", {"workers": {"w" * 30: ["s01", "s02"]}}, "HOST-SHARD"),
    "no shards": ("broker/shards", {"shards": {}}, "shards {}"),
    "three servers": ("database/preflight", {"hosts": ["a", "b", "db-1"]}, "and one standby"),
    "no primary": ("database/preflight", {"primary": "db-3"}, "primary is db-3. Take two hosts"),
    "one password": ("database/preflight", {"replica_password": SECRET}, "different ones"),
    "a password with a quote": ("database/preflight", {"password": "it's a long password"}, "two passwords"),
    "nobody may come": ("database/preflight", {"from": []}, "Without them nobody comes in"),
    "the primary is to follow": ("database/preflight", {"rejoin": "db-1"}, "it follows nobody"),
    "no database": ("worker/preflight", {"database_hosts": []}, "missing or wrong"),
}  # fmt: skip
FINE = ("broker/shards", "database/preflight")
"""Judgements that need nothing but the inventory: they must pass what is right."""


def judged(case: str, tasks: str, given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A block that writes down what the role says."""
    role, _, name = tasks.partition("/")
    right = {"broker": BROKER, "database": DATABASE, "worker": WORKER}[role]
    return {
        "vars": {f"ngatu_province_{role}_{name}": value for name, value in (right | given).items()},
        "block": [
            {"ansible.builtin.include_role": {"name": f"ngatu_province_{role}", "tasks_from": f"{name}.yml"}},
            written(folder / case, "fine"),
        ],
        "rescue": [written(folder / case, "{{ ansible_failed_result.msg }}")],
    }


def written(path: Path, text: str) -> dict[str, Any]:
    return {"ansible.builtin.copy": {"content": text, "dest": str(path), "mode": "0600"}}


def made(host: str, role: str, templates: dict[str, str], folder: Path, **more: Any) -> dict[str, Any]:
    """A play that writes templates of a role as this host of the example gets them."""
    source = f"{ANSIBLE}/roles/{role}/templates"
    known = {"name": role, "tasks_from": "preflight.yml", "public": True}
    return {
        "hosts": host,
        "gather_facts": False,
        "vars": more,
        "tasks": [
            {
                "block": [{"ansible.builtin.include_role": known}],
                "rescue": [{"ansible.builtin.debug": {"msg": "the example has no bundles and no secrets"}}],
            },
            *(
                {
                    "ansible.builtin.template": {
                        "src": f"{source}/{name}",
                        "dest": f"{folder}/{to}",
                        "mode": "0600",
                    }
                }
                for name, to in templates.items()
            ),
        ],
    }


PLAYS: tuple[tuple[str, str, dict[str, str], dict[str, Any]], ...] = (
    ("tram-hai", "ngatu_station", {"station.yaml.j2": "station.yaml"}, {"ngatu_station_commune": "hai-tay"}),
    ("tinh-w-2", "ngatu_province_worker", {"province.yaml.j2": "worker.yaml"},
     {"ngatu_province_worker_shard": "s02"}),
    ("tinh-mq-2", "ngatu_province_broker",
     {f"{name}.j2": name for name in ("rabbitmq.conf", "definitions.json", "rabbitmq-env.conf")},
     {"ngatu_province_broker_lost": []}),
    ("tinh-db-2", "ngatu_province_database",
     {"ngatu.conf.j2": "database.conf", "pg_hba.conf.j2": "pg_hba.conf"}, {}),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one run of Ansible has written."""
    folder = tmp_path_factory.mktemp("province")
    cases = [judged(case, *parts[:2], folder) for case, parts in REFUSED.items()]
    cases += [judged(f"fine {tasks.replace('/', ' ')}", tasks, {}, folder) for tasks in FINE]
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": cases}]
    plays += [made(*parts[:3], folder, **parts[3]) for parts in PLAYS]
    (folder / "play.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    done = subprocess.run(
        [str(PLAYBOOK), "-i", str(ANSIBLE / "inventory/example"), "-e", "ansible_become=false",
         "-e", "ansible_connection=local", "-e", f"ansible_python_interpreter={sys.executable}",
         str(folder / "play.yml")],
        env=os.environ | {
            "ANSIBLE_ROLES_PATH": str(ANSIBLE / "roles"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_REMOTE_TEMP": str(folder / "tmp"),
        },
        cwd=folder, capture_output=True, text=True, check=False, timeout=850,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("case", REFUSED)
def test_a_slip_in_the_inventory_is_refused_in_words_that_say_what_to_do(folder: Path, case: str) -> None:
    assert REFUSED[case][2] in " ".join((folder / case).read_text().split())


@pytest.mark.parametrize("tasks", FINE)
def test_an_inventory_without_a_slip_is_not_refused(folder: Path, tasks: str) -> None:
    assert (folder / f"fine {tasks.replace('/', ' ')}").read_text() == "fine"


def test_a_commune_of_the_example_tells_its_shard_by_its_own_certificate(folder: Path) -> None:
    """Read by the station itself."""
    config = parse_station((folder / "station.yaml").read_bytes(), "station.yaml")

    assert config.uplink is not None and config.uplink.tls is not None
    assert (config.commune, config.uplink.shard) == ("hai-tay", "s01")
    assert config.uplink.addresses == tuple((f"mq-{number}.tinh.example", 8883) for number in (1, 2, 3))
    assert str(config.uplink.tls.cert) == "/etc/ngatu/tls/station-hai-tay.crt"


def test_a_worker_of_the_example_finds_all_nodes_and_the_server_that_takes_writes(folder: Path) -> None:
    """Read by the worker itself."""
    config = parse_worker((folder / "worker.yaml").read_bytes(), "worker.yaml")

    assert (config.shard, config.name) == ("s02", "tinh-w-2")
    assert [host for host, _ in config.broker.addresses] == BROKER["nodes"]
    assert config.broker.tls is not None and str(config.broker.tls.key) == "/etc/ngatu/tls/province-s02.key"
    assert config.database.url is not None
    assert (
        "?host=db-1.tinh.example:5432&host=db-2.tinh.example:5432&target_session_attrs=read-write"
        in config.database.url
    )
    assert config.retention_months is None


def test_every_node_of_the_example_knows_the_others_and_whoever_may_come(folder: Path) -> None:
    lines = (folder / "rabbitmq.conf").read_text().splitlines()
    definitions = json.loads((folder / "definitions.json").read_text())

    assert [line for line in lines if "classic_config.nodes" in line] == [
        f"cluster_formation.classic_config.nodes.{number} = rabbit@mq-{number}.tinh.example"
        for number in (1, 2, 3)
    ]
    assert (
        "NODENAME=rabbit@mq-2.tinh.example\nUSE_LONGNAME=true\n" in (folder / "rabbitmq-env.conf").read_text()
    )
    assert {each["name"] for each in definitions["users"]} == {
        "station.dong-ha", "station.hai-ninh", "station.hai-tay",
        *(f"operator.tinh-w-{host}-s0{shard}" for host in (1, 2) for shard in (1, 2)),
    }  # fmt: skip


def test_a_database_server_of_the_example_follows_the_other_one(folder: Path) -> None:
    conf, access = (folder / "database.conf").read_text(), (folder / "pg_hba.conf").read_text()

    assert "primary_conninfo = 'host=db-1.tinh.example port=5432 user=ngatu_replica " in conf
    assert "hostssl province ngatu 10.20.9.32/28 scram-sha-256" in access
    assert "hostssl replication ngatu_replica 10.20.9.16/28 scram-sha-256" in access
    assert not [
        line for line in access.splitlines() if line.startswith(("host ", "hostnossl")) or "trust" in line
    ]
