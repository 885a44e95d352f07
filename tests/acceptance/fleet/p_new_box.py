"""One box more, as docs/guide/first-box.md says it, and the report on a province in which a box is dead."""

from __future__ import annotations

import json
import re
import time
from html import unescape

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.hosts import Host
from tests.acceptance.fleet.province import CAMERA, SETTINGS, STATION, Province, bare
from tests.fleet.test_label import printed, read
from tests.support.brokers import until

OLD, NEW = "hai-ninh-01", "hai-tay-01"
COMMUNE = "hai-tay"


@promise(
    "F3",
    "a bare box joins a running province: new-box.yml, then site.yml for it alone; then a box is switched off",
    "its first event is at the station, the other box, the services of its broker's host and the broker of "
    "another commune are not touched, report.yml shows both as they are",
    minutes=6,
)
def one_box_more(trial: Trial) -> str:
    with bare(trial.folder, (1, 1)) as province:
        _without(province, NEW)
        province.play("site.yml").good()
        province.rollout_check(OLD, province.bundles.version, 120).good()
        before = _alive(province.fleet[OLD])
        services = _services(province)
        _with_a_broker_that_is_away(province)

        began = time.monotonic()
        added = province.play("new-box.yml", box=NEW, commune=COMMUNE, address=NEW, place="Ngã ba Chợ").good()
        label = (province.place / "labels" / f"{NEW}.svg").read_text()
        if (code := read(printed(label))) != f"ngatu:{COMMUNE}/{NEW}":
            raise Broken(f"the label says {code}")
        joined = province.play("site.yml", "--limit", NEW).good()
        until(
            lambda: province.stats(COMMUNE).get(NEW, {}).get("events", 0) > 0, 120, "its first event is stored"
        )
        first_event = time.monotonic() - began
        if _alive(province.fleet[OLD]) != before:
            raise Broken(f"{OLD} was touched")

        if _services(province) != services:
            raise Broken(f"a service of {STATION} was started anew")
        (province.inventory / "away.json").unlink()

        province.fleet[OLD].kill()
        until(lambda: _state(province, OLD) == "offline", 120, "the broker has noticed that the box is gone")
        asked = province.play("report.yml").good()
        said = _page(province)
        if not re.search(rf"{OLD} .*?The broker has lost it.*?Does not answer over SSH", said):
            raise Broken(f"the report does not say that {OLD} is away: {said[:2000]}")
        if not re.search(
            rf"{NEW} {COMMUNE} · Ngã ba Chợ {re.escape(province.bundles.version)} road: sees", said
        ):
            raise Broken(f"the report does not say how {NEW} is: {said[:2000]}")
        if asked.changed or STATION not in said:
            raise Broken(f"report.yml changed {asked.changed}: {said[:2000]}")
    return (
        f"new-box.yml {added.seconds:.1f} s, site.yml for it {joined.seconds:.0f} s, its first event stored "
        f"{first_event:.0f} s after the first word; report of 3 hosts {asked.seconds:.0f} s"
    )


def _without(province: Province, box: str) -> None:
    """The inventory as it was before the box; what this province differs in is said of all boxes."""
    path = province.inventory / "hosts.json"
    inventory = json.loads(path.read_text())
    mine = inventory["all"]["hosts"].pop(box)
    for group in inventory["all"]["children"].values():
        group["hosts"].pop(box, None)
    inventory["all"]["children"]["commune_hai_tay"]["vars"] = {"ngatu_commune": COMMUNE}
    inventory["all"]["children"]["ngatu_box"]["children"] = {"commune_hai_tay": {}}
    path.write_text(json.dumps(inventory))
    own = {key: value for key, value in mine.items() if key not in ("ngatu_commune", "ansible_host")}
    own |= {"ngatu_agent_cameras": [CAMERA], "ngatu_agent_settings": SETTINGS}
    (province.inventory / "group_vars" / "commune_hai_tay.yml").write_text(json.dumps(own))


def _with_a_broker_that_is_away(province: Province) -> None:
    """Of another commune: who asks it for anything ends with an error."""
    away = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ngatu_broker_host": "away.example",
            "ngatu_communes": ["dong-ha"]}  # fmt: skip
    (province.inventory / "away.json").write_text(json.dumps({"ngatu_broker": {"hosts": {"tram-away": away}}}))


def _services(province: Province) -> str:
    """Changes when broker or station are started anew."""
    return province.station.ssh(
        "systemctl show --property=Id,MainPID mosquitto.service 'ngatu-station@*.service'"
    ).good().output  # fmt: skip


def _state(province: Province, box: str) -> str:
    """The status of a box, as the broker holds it."""
    tls = "/etc/ngatu/tls"
    look = province.ngatu(
        "box", "look", province.communes[box], box, "--host", "localhost", "--port", "8884",
        "--ca", f"{tls}/ca.crt", "--cert", f"{tls}/operator.crt", "--key", f"{tls}/operator.key",
    ).good()  # fmt: skip
    return str(json.loads(look.output)["status"]["state"])


def _alive(host: Host) -> str:
    """Changes when the agent is started anew, or another release or configuration runs."""
    return host.ssh(
        "systemctl show --property=MainPID --value ngatu.service; readlink /opt/ngatu/current; "
        "sha256sum /etc/ngatu/config.yaml"
    ).good().output  # fmt: skip


def _page(province: Province) -> str:
    """The words of the report."""
    text = (province.place / "report.html").read_text().partition("</style>")[2]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))
