"""Every unit of ours as a host gets it, judged by systemd: `python -m tests.acceptance.fleet.unit_files`.

Templates are rendered with their role's defaults. Programs and users that only a host has are replaced by ones
that every machine has: whether they exist is not what is asked.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
KINDS = {".service", ".timer", ".path", ".socket", ".mount"}
EXPOSURE = 2.0
"""Promise P35: what a service of ours may show at most, of 10."""

DROP_INS = {
    "hardening.conf.j2": "mosquitto.service.d/ngatu.conf",
    "rabbitmq.service.conf.j2": "rabbitmq-server.service.d/ngatu.conf",
    "store.conf.j2": "ngatu-station@.service.d/store.conf",
    "proxy.conf.j2": "nginx.service.d/ngatu.conf",
    "box.conf.j2": "ngatu.service.d/10-box.conf",
    "upgrades.timer.j2": "apt-daily-upgrade.timer.d/ngatu.conf",
}
"""Templates that change a unit, by the place where their role puts them."""

YOUNG = re.compile("RestartSteps|RestartMaxDelaySec")
"""Settings that Debian 12 does not know: there they are left out, and the waits stay short."""

JETSON = {
    "ngatu_agent_provider": "tensorrt",
    "ngatu_agent_memory_max": "2G",
    "ngatu_agent_secrets": {"password": ""},
    "ngatu_agent_secrets_way": "plain",  # its systemd is of 2021
}
"""Variables with which the agent's unit may do most."""

DEBIANS = {
    "mosquitto.service": "[Service]\nType=notify\nExecStart=/bin/true\n",
    "rabbitmq-server.service": "[Service]\nType=notify\nUser=rabbitmq\nExecStart=/bin/true\n",
    "nginx.service": "[Service]\nType=forking\nPIDFile=/run/nginx.pid\nExecStart=/bin/true\n",
    "apt-daily-upgrade.timer": "[Timer]\nOnCalendar=daily\nUnit=mosquitto.service\n",
}
"""Stand for Debian's own units, of which a drop-in replaces all that matters here."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What systemd says about one unit."""

    name: str
    complaints: str
    """Empty: it understands every line."""
    exposure: float | None
    """0 to 10; None for a unit that runs nothing."""

    @property
    def good(self) -> bool:
        """Whether it may be installed."""
        return not self.complaints and (self.exposure is None or self.exposure <= EXPOSURE)


def sources() -> Iterator[Path]:
    """The files of this repository that become units."""
    for path in sorted(DEPLOY.rglob("*")):
        if path.is_file() and Path(path.name.removesuffix(".j2")).suffix in KINDS and path.name not in DROP_INS:
            yield path


def laid_out(folder: Path, variables: Mapping[str, Any] | None = None) -> list[Path]:
    """Write all units of ours into a folder, with what roles add to them; the units.

    `variables` are those of an inventory, in place of defaults.
    """
    more = dict(variables or {})
    made = []
    for name, text in DEBIANS.items():
        (folder / name).write_text(_with_what_is_here(text))
        made.append(folder / name)
    for path in sources():
        unit = folder / path.name.removesuffix(".j2")
        unit.write_text(_with_what_is_here(_rendered(path, more)))
        made.append(unit)
    for name, place in DROP_INS.items():
        for path in DEPLOY.rglob(name):
            (folder / place).parent.mkdir(exist_ok=True)
            (folder / place).write_text(_with_what_is_here(_rendered(path, more)))
    return made


def judged(unit: Path) -> Judged:
    """Ask systemd about a unit that lies in a folder with all others."""
    name = re.sub(r"@\.", "@hai-ninh.", unit.name)
    # Without --recursive-errors an unknown setting is a warning only, and the exit code says that all is well.
    verified = _analyze("verify", "--recursive-errors=no", "--man=no", str(unit.with_name(name)))
    lines = verified.stderr.strip().splitlines()
    mine = [line for line in lines if name in line or str(unit.parent) in line]
    said = "; ".join(line for line in (mine or lines * verified.returncode) if not YOUNG.search(line))
    if unit.suffix != ".service":
        return Judged(unit.name, said, None)
    analysis = _analyze("security", "--offline=yes", "--threshold=20", "--no-pager", str(unit.with_name(name)))
    found = re.search(r"exposure level.*?: ([\d.]+)", analysis.stdout)
    if found is None:
        return Judged(unit.name, said or analysis.stderr.strip(), 10.0)
    return Judged(unit.name, said, float(found[1]))


def all_judged() -> list[Judged]:
    """Every unit of ours."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as jetsons:
        units = [judged(unit) for unit in laid_out(Path(folder))]
        laid_out(Path(jetsons), JETSON)
        return [*units, replace(judged(Path(jetsons, "ngatu.service")), name="ngatu.service (Jetson)")]


def _analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)


def _rendered(path: Path, more: Mapping[str, Any]) -> str:
    if path.suffix != ".j2":
        return path.read_text()
    role = path.parent.parent
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text())
    if (role / "vars" / "main.yml").exists():
        defaults |= yaml.safe_load((role / "vars" / "main.yml").read_text())
    # trim_blocks and no more: as ansible.builtin.template does it.
    template = Environment(undefined=StrictUndefined, trim_blocks=True, autoescape=False)
    known = {"ansible_managed": "by ngatu", "ngatu_agent_secrets_way": "host"}
    return template.from_string(path.read_text()).render(defaults | known | more)


def _with_what_is_here(text: str) -> str:
    text = re.sub(
        r"(?m)^(Exec\w+=[-+!@:]*)/(?:opt/ngatu|usr/local|usr/sbin/(?:mosquitto|nginx))\S*", r"\1/bin/true", text
    )
    text = re.sub(r"(?m)^(User|Group)=(?!root$).+$", r"\1=daemon", text)
    return re.sub(r"(?m)^SupplementaryGroups=.*$", "SupplementaryGroups=daemon", text)


def main() -> int:
    """A line for each; 1 when one of them is not good."""
    if shutil.which("systemd-analyze") is None:
        print("units: not judged, systemd-analyze is not here: apt install systemd")
        return 0
    units = all_judged()
    for each in units:
        shown = "" if each.exposure is None else f"{each.exposure:.1f}"
        print(f"{'ok' if each.good else 'BAD':4} {each.name:32} {shown:>4} {each.complaints}")
    return 0 if all(each.good for each in units) else 1


if __name__ == "__main__":
    sys.exit(main())
