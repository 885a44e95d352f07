"""A box as role ngatu_agent leaves it, with small releases, that can be killed as a whole in an update."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.acceptance.fleet.hosts import Fleet, Host
from tests.conftest import ROOT
from tests.support.releases import Maker

UNIT = ROOT / "deploy" / "systemd" / "ngatu.service"
PYTHON = "3.13"
"""Of the golden root."""
FOLDER = "/var/lib/dying"
LOG = f"{FOLDER}/log"
TOOL = "/usr/local/lib/ngatu_release"

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: ngatu_agent, tasks_from: preflight.yml}
    - ansible.builtin.include_role: {name: ngatu_agent, tasks_from: install.yml}
    - ansible.builtin.include_role: {name: ngatu_agent, tasks_from: configure.yml}
    - ansible.builtin.command:
        cmd: ngatu-release switch {{ ngatu_agent_manifest.version }} --config /etc/ngatu/next.yaml
      register: ngatu_agent_switched
      changed_when: true
"""
"""All of the role but the rollout check, which needs a broker."""

DROP_IN = """[Service]
Environment=DYING_WAITS=1
ReadWritePaths={folder}
ExecStart=
ExecStart=/usr/bin/python3 -I -B {folder}/dying.py {count} {log} {tool} {words}
"""


class WholeBox:
    """One host; each release has a configuration of its own, so that a mixture would be seen."""

    def __init__(self, fleet: Fleet, host: Host, maker: Maker) -> None:
        self.fleet, self.host, self.maker = fleet, host, maker
        self.number = 0

    @property
    def version(self) -> str:
        """The newest that was made."""
        return f"0.{self.number}.0"

    def bundle(self) -> Path:
        """The next version."""
        self.number += 1
        return self.maker.bundle(self.version, python=PYTHON)

    def rolled_out(self) -> None:
        """The first release, by the role."""
        play = self.fleet.folder / "play.yml"
        play.write_text(PLAY)
        inventory = self.fleet.inventory(
            variables={
                "ngatu_agent_bundle": str(self.bundle()),
                "ngatu_agent_release_key": str(self.maker.public),
                "ngatu_agent_commune": "hai-ninh",
                "ngatu_agent_cameras": [{"name": "north"}],
            }
        )
        self.fleet.ansible(str(play), inventory=inventory).good()
        self.host.ssh(f"mkdir -p {FOLDER}").good()
        self.host.put(f"{FOLDER}/dying.py", Path(__file__).with_name("dying.py").read_bytes())
        self.wait(self.version)

    # ------------------------------------------------------------------------------------------ one verb

    def bring(self) -> str:
        """Lay the next bundle and its configuration onto the box; its version."""
        path = self.bundle()
        self.host.put(self._bundle(self.version), path.read_bytes())
        self.host.put(self._config(self.version), self._text(self.version))
        return self.version

    def words(self, verb: str, version: str, trial_s: float = 600) -> str:
        """A call of the release tool."""
        match verb:
            case "install":
                return f"install {self._bundle(version)}"
            case "switch":
                return f"switch {version} --config {self._config(version)} --trial {trial_s}"
            case _:
                return verb

    def tool(self, verb: str, version: str = "", trial_s: float = 600) -> dict[str, Any]:
        """Call it; what it tells."""
        done = self.host.ssh(f"/usr/local/sbin/ngatu-release {self.words(verb, version, trial_s)}", 120).good()
        answer: dict[str, Any] = json.loads(done.output.splitlines()[-1])
        return answer

    def changes(self, verb: str, version: str) -> int:
        """Do it, and count how often it changes something."""
        self.host.ssh(self._dying(0, self.words(verb, version)), 120).good()
        return int(self.host.ssh(f"cat {LOG}; rm {LOG}").good().output)

    # ------------------------------------------------------------------------------------------ death

    def die_in(self, verb: str, version: str, count: int) -> str:
        """Kill the whole box when a verb is about to change something for the COUNTth time; what that was."""
        call = self._dying(count, self.words(verb, version))
        self.host.ssh(f"DYING_WAITS=1 setsid -f {call} >{FOLDER}/said 2>&1 </dev/null").good()
        return self._die_at_the_log()

    def die_in_units(self, units: Mapping[str, str], count: int, begin: Callable[[], object]) -> str:
        """The same for a call that systemd makes after `begin`: of several units, for the first to get so far.

        A box that is down is to be started by `begin`.
        """
        folders = [self.host.upper / "etc/systemd/system" / f"{unit}.d" for unit in units]
        for folder, words in zip(folders, units.values(), strict=True):
            text = DROP_IN.format(folder=FOLDER, count=count, log=LOG, tool=TOOL, words=words)
            if self.host.process is None:
                folder.mkdir()
                (folder / "dying.conf").write_text(text)
            else:
                self.host.ssh(f"mkdir -p /etc/systemd/system/{folder.name}").good()
                self.host.put(f"/etc/systemd/system/{folder.name}/dying.conf", text)
        if self.host.process is not None:
            self.host.ssh("systemctl daemon-reload").good()
        begin()
        died = self._die_at_the_log()
        for folder in folders:
            shutil.rmtree(folder)
        return died

    def die_in_pip(self, version: str, files: int) -> str:
        """Kill it while pip unpacks a release, when it has written so many files."""
        call = f"/usr/local/sbin/ngatu-release {self.words('install', version)}"
        self.host.ssh(f"setsid -f {call} >{FOLDER}/said 2>&1 </dev/null").good()
        release = self.host.upper / "opt/ngatu/releases" / version
        _until(
            lambda: sum(1 for _ in release.glob("lib/*/site-packages/**/*.py")) >= files,
            120,
            lambda: "pip works",
        )
        self.host.kill()
        assert not (release / "complete").exists(), "it was too late"
        return f"pip had written {files} files"

    def _die_at_the_log(self) -> str:
        log = self.host.upper / LOG[1:]
        _until(lambda: log.exists() and log.stat().st_size > 0, 120, self._journal)
        self.host.kill()
        died = log.read_text()
        log.unlink()
        return died

    # ------------------------------------------------------------------------------------------ afterwards

    def wait(self, version: str, within_s: float = 60) -> None:
        """Until the service says that this version runs, in this life of the box."""
        check = f'[ "$(cat /var/lib/ngatu/runs)" = "{version} $(cat /proc/sys/kernel/random/boot_id)" ]'
        check += " && systemctl is-active --quiet ngatu.service"
        _until(
            lambda: self.host.ssh(check).code == 0, within_s, lambda: f"{version} runs: {self._journal()}"
        )  # fmt: skip

    def started_again(self) -> str:
        """Start it; its version, once the service of that version runs. AssertionError when it does not."""
        self.host.start().up()
        state = self.tool("status")
        assert state["trial"] is None, state
        version: str = state["version"]
        self.wait(version)
        failed = self.host.ssh("systemctl --failed --plain --no-legend").output
        assert "ngatu" not in failed, f"{failed}{self._journal()}"
        config = self.host.ssh("cat /etc/ngatu/config.yaml").good().output
        assert config == self._text(version), f"{version} has the configuration {config!r}"
        return version

    def _journal(self) -> str:
        return self.host.ssh("journalctl -b -n 40 --no-pager -u 'ngatu*'").output

    def _dying(self, count: int, words: str) -> str:
        return f"/usr/bin/python3 -I -B {FOLDER}/dying.py {count} {LOG} {TOOL} {words}"

    def _bundle(self, version: str) -> str:
        return f"/var/cache/ngatu/{version}.bundle"

    def _config(self, version: str) -> str:
        return f"{FOLDER}/{version}.yaml"

    def _text(self, version: str) -> str:
        return f"of: {version}\n"


def _until(condition: Callable[[], bool], within_s: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what()}"
        time.sleep(0.02)
