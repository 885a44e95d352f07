"""Which release runs with which configuration: one symbolic link, changed on trial and taken back by itself.

A *setup* is a release together with a configuration: `setups/7/` holds `config.yaml` and links to the release's
programs, models and unit. `current` names the setup that runs.

Invariants
1. `current` names a whole setup of a complete release at any moment, from the first one on: it changes only by
   the rename of a link that was made beside it. So program, models, unit and configuration change together.
2. A setup on trial is noted in `trial.json` on the disk before `current` names it, with the one to go back to.
3. A trial ends by being confirmed in time, or the box goes back: by the guard when the time is over or the
   agent keeps falling over, and at the next boot in any case. One that is confirmed but for its model goes on
   over boots: the guard keeps it, or goes back, by what the agent says of that model.
4. To confirm is to remove `trial.json`: one step, which happened or did not.
5. To go back removes `trial.json` last. Whatever interrupts it, it is done again from the beginning.
6. The floor never falls.
7. What `current` needs, and what it would go back to, is never removed.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from disk import Refused, alone, drop, drop_tree, point, put, settle
from unpack import COMPLETE, MANIFEST, rank

FALLS = 3
"""So many restarts by systemd within a trial, and it is over."""
SETTLED_S = 20.0
"""Before that, systemd's count may still be that of the agent before: it may take 15 s to stop."""
JUDGED_WITHIN_S = 120
SHADOW_LOOK_S = 5
"""The trial of a model takes an hour or a day: so often the guard asks systemd what the agent says."""


@dataclass(frozen=True)
class Trial:
    """A setup that nobody has confirmed yet."""

    setup: str
    back: str
    """The setup to go back to."""
    boot_id: str
    began_s: float
    """Seconds since boot, sleep included: a box has no clock that could be trusted."""
    until_s: float
    shadow: bool = False
    """It works; what is left is the trial of its model, which the agent judges, however long that takes."""

    def over(self) -> str | None:
        """Why it is over; None while it runs."""
        if self.shadow:
            return None
        if self.boot_id != boot_id():
            return "the box was restarted during the trial"
        if time.clock_gettime(time.CLOCK_BOOTTIME) > self.until_s:
            return f"nobody confirmed it within {self.until_s - self.began_s:.0f} s"
        return None


def boot_id() -> str:
    """Names this boot of the kernel."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


class Setups:
    """The setups of a box below one folder."""

    def __init__(self, root: Path, unit: str) -> None:
        self.root, self.unit = root, unit
        self.current, self.trial_file = root / "current", root / "trial.json"

    # ------------------------------------------------------------------------------------------ what there is

    def name(self) -> str | None:
        """Of the current setup."""
        return self.current.readlink().name if self.current.is_symlink() else None

    def version(self, setup: str | None) -> str | None:
        """Of the release in a setup."""
        link = self.root / "setups" / str(setup) / "release"
        return link.readlink().name if link.is_symlink() else None

    def trial(self) -> Trial | None:
        """The trial that runs; one whose note a card has damaged is over."""
        if not self.trial_file.exists():
            return None
        said = _json(self.trial_file)
        kinds = {"setup": str, "back": str, "boot_id": str, "began_s": float, "until_s": float, "shadow": bool}
        if isinstance(said, dict):
            noted: dict[str, Any] = {"shadow": False, **said}  # that of an older tool lacks it
            if {key: type(value) for key, value in noted.items()} == kinds:
                return Trial(**noted)
        name = str(self.name())
        previous = self._previous(name)
        version, floor = self.version(previous), self.floor()
        may_go_back = version is not None and (floor is None or rank(version) >= rank(floor))
        return Trial(name, str(previous) if may_go_back else name, "", 0.0, 0.0)

    def floor(self) -> str | None:
        """The version below which this box may not go."""
        return _text(self.root / "floor")

    def releases(self) -> list[str]:
        """Versions of the releases that are complete, the oldest first."""
        found = (each.parent.name for each in (self.root / "releases").glob(f"*/{COMPLETE}"))
        return sorted((each for each in found if not each.endswith(".gone")), key=rank)

    def status(self) -> dict[str, Any]:
        """All of it, for a technician and for Ansible."""
        trial, name = self.trial(), self.name()
        return {
            "version": self.version(name),
            "setup": name,
            "previous": self._previous(name),
            "trial": trial
            and {
                "version": self.version(trial.setup),
                "back": self.version(trial.back),
                "shadow": trial.shadow,
            },
            "floor": self.floor(),
            "releases": self.releases(),
            "last": _json(self.root / "last.json"),
        }

    # ------------------------------------------------------------------------------------------ what is done

    def switch(self, version: str, config: Path, trial_s: float) -> bool:
        """Run this release with this configuration, on trial; whether anything has changed.

        The first setup of a box is no trial: there is nothing to go back to.

        Raises:
            Refused: the release does not take the configuration, is not there, or is too old.
        """
        self._may(version)
        text, name = _read(config), self.name()
        if (trial := self.trial()) is not None and trial.setup != name:
            self._revert(trial, "it was interrupted while it began")
        if self._same(name, version, text):
            return False
        self._judge(version, config)
        if trial is not None and trial.setup == name:
            self._revert(trial, f"{version} came instead")
        name = self.name()
        setup = self._make(version, text, name)
        if name is not None:
            now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
            self._note(Trial(setup, name, boot_id(), now_s, now_s + trial_s))  # invariant 2
        point(self.current, f"setups/{setup}")  # invariant 1
        self._restart()
        if name is None:
            self._raise_floor()
        return True

    def confirm(self, *, shadow: bool = False) -> bool:
        """The setup on trial is to stay; False when it was confirmed already.

        `shadow`: but for its model, which the agent tries in the shadow of the one before. The trial goes on,
        over restarts of the box too, until the agent says what became of that; then the guard ends it.

        Raises:
            Refused: there is no trial that could be confirmed, because the box went back.
        """
        trial = self.trial()
        if trial is None:
            last = _json(self.root / "last.json") or {}
            if last.get("outcome") == "reverted" and last.get("setup") != self.name():
                raise Refused(f"too late: {last['version']} was taken back: {last['why']}")
            return False
        if why := trial.over():
            raise Refused(f"too late: {why}")
        if trial.setup != self.name():
            raise Refused("the trial was interrupted while it began: ngatu-release recover")
        if shadow:
            if not trial.shadow:
                self._note(replace(trial, shadow=True))
            return not trial.shadow
        if trial.shadow:
            raise Refused("its model is still in the shadow of the one before: wait, or ngatu-release rollback")
        self._keep(trial, "")
        return True

    def _keep(self, trial: Trial, why: str) -> None:
        drop(self.trial_file)  # invariant 4
        self._tell("confirmed", trial.setup, why)
        self._raise_floor()
        self._prune()

    def back(self, why: str) -> str:
        """End the trial, or leave a confirmed setup for the one before it; the version that runs then.

        Raises:
            Refused: there is nothing to go back to.
        """
        name = self.name()
        if (trial := self.trial()) is not None:
            self._revert(trial, why)
        elif (previous := self._previous(name)) is None or self.version(previous) is None:
            raise Refused("there is nothing to go back to")
        else:
            point(self.current, f"setups/{previous}")
            self._tell("reverted", str(name), why)
            self._restart()
        return str(self.version(self.name()))

    def recover(self, *, booting: bool) -> None:
        """Bring to an end whatever was interrupted; at boot, before the agent starts, end every trial."""
        if (trial := self.trial()) is not None:
            booted = booting and not trial.shadow  # the agent goes on with the trial of a model where it was
            why = trial.over() or ("the box was restarted during the trial" if booted else None)
            if trial.setup != self.name():
                why = "it was interrupted"
            if why:
                self._revert(trial, why, starting=booting)
        if self.trial() is None and self.name() is not None:
            self._raise_floor()
        self._sweep()

    def guard(self) -> None:
        """Stay while there is a trial, and end it when it is over or the agent keeps falling over."""
        while (trial := self.trial()) is not None:
            why, passed = trial.over(), None
            if trial.shadow:
                outcome, said = self._shadow()
                passed = said if outcome == "taken" else None
                why = f"its model failed in the shadow: {said}" if outcome == "failed" else None
            settled = time.clock_gettime(time.CLOCK_BOOTTIME) - trial.began_s > SETTLED_S
            if why is None and passed is None and settled and (falls := self._falls()) >= FALLS:
                why = f"the agent fell over {falls} times"
            if why is None and passed is None:
                time.sleep(SHADOW_LOOK_S if trial.shadow else 1)
                continue
            with alone(self.root / "lock"):
                if self.trial() != trial:  # somebody has ended it meanwhile
                    continue
                if why is not None:
                    self._revert(trial, why)
                else:
                    self._keep(trial, f"its model passed in the shadow: {passed}")

    # ------------------------------------------------------------------------------------------ how

    def _may(self, version: str) -> None:
        release, floor = self.root / "releases" / version, self.floor()
        if not (release / COMPLETE).exists():
            raise Refused(f"{release}: there is no such release: ngatu-release install BUNDLE")
        if floor is not None and rank(version) < rank(floor) and self.version(self.name()) != version:
            raise Refused(f"{version} is older than {floor}, which this box may not go below")

    def _same(self, setup: str | None, version: str, config: str) -> bool:
        folder = self.root / "setups" / str(setup)
        return self.version(setup) == version and _text(folder / "config.yaml", strip=False) == config

    def _judge(self, version: str, config: Path) -> None:
        words = [
            str(self.root / "releases" / version / "bin" / "ngatu"),
            "check",
            "--offline",
            "-c",
            str(config),
        ]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=JUDGED_WITHIN_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"{words[0]}: does not run: {error}") from None
        if done.returncode:
            raise Refused(f"{version} does not take {config}:\n{(done.stderr or done.stdout).strip()[-2000:]}")

    def _make(self, version: str, config: str, previous: str | None) -> str:
        setups = self.root / "setups"
        setups.mkdir(parents=True, exist_ok=True)
        number = max((int(each.name) for each in setups.iterdir() if each.name.isdigit()), default=0) + 1
        part = setups / f"{number}.new"
        drop_tree(part)
        part.mkdir()
        (part / "release").symlink_to(f"../../releases/{version}")
        for name in ("bin", "models", "ngatu.service", "ngatu_release"):
            (part / name).symlink_to(f"release/{name}")
        if previous is not None:
            put(part / "previous", previous)
        put(part / "config.yaml", config)
        settle(part)
        part.rename(setups / str(number))
        settle(setups)
        return str(number)

    def _note(self, trial: Trial) -> None:
        put(self.trial_file, json.dumps(trial.__dict__))

    def _revert(self, trial: Trial, why: str, *, starting: bool = False) -> None:
        point(self.current, f"setups/{trial.back}")
        self._tell("reverted", trial.setup, why)
        self._restart(starting=starting)
        drop(self.trial_file)  # invariant 5

    def _tell(self, outcome: str, setup: str, why: str) -> None:
        last = {"outcome": outcome, "setup": setup, "version": self.version(setup), "why": why}
        put(self.root / "last.json", json.dumps(last))

    def _raise_floor(self) -> None:
        wanted = json.loads((self.current / "release" / MANIFEST).read_text(encoding="utf-8"))["floor"]
        if (floor := self.floor()) is None or rank(floor) < rank(wanted):
            put(self.root / "floor", wanted)  # invariant 6

    def _previous(self, setup: str | None) -> str | None:
        return _text(self.root / "setups" / str(setup) / "previous")

    def _restart(self, *, starting: bool = False) -> None:
        _systemctl("daemon-reload")
        if not starting:  # at boot systemd starts it right afterwards
            # It may take its time to be ready, or hang: the trial is over in time in any case.
            _systemctl("restart", "--no-block", self.unit)

    def _shadow(self) -> tuple[str, str]:
        """What became of the model in the shadow, by the agent's status line, and why; empty: it runs on."""
        line = _systemctl("show", "--property=StatusText", "--value", self.unit)
        found = re.fullmatch(r"shadow (taken|failed)(?:: (.*))?", line)
        return (found[1], (found[2] or "")[:500]) if found else ("", "")

    def _falls(self) -> int:
        restarts = _systemctl("show", "--property=NRestarts", "--value", self.unit)
        return int(restarts) if restarts.isdigit() else 0

    def _prune(self) -> None:
        """Remove what neither runs nor would be gone back to."""
        name = self.name()
        keep = {name, self._previous(name)}
        versions = {self.version(each) for each in keep}
        for folder in (self.root / "setups").iterdir():
            if folder.name not in keep:  # invariant 7
                drop_tree(folder)
        for version in self.releases():
            if version not in versions and rank(version) < rank(str(self.version(name))):
                drop_tree(self.root / "releases" / version)

    def _sweep(self) -> None:
        """Remove what an interrupted step left unfinished."""
        for folder in [*(self.root / "setups").glob("*.*"), *(self.root / "releases").glob("*.gone")]:
            drop_tree(folder)
        for release in (self.root / "releases").glob("*"):
            if not (release / COMPLETE).exists():
                drop_tree(release)


def _systemctl(*words: str) -> str:
    done = subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _text(path: Path, *, strip: bool = True) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return text.strip() if strip else text


def _json(path: Path) -> Any:
    """What a small file of ours says; None if it is not there, or damaged."""
    try:
        return json.loads(_text(path) or "null")
    except ValueError:
        return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read: {error}") from None
