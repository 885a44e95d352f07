"""A model on its way to boxes: judged on the controller, tried in the shadow of the one in use, kept or not."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.hosts import Ran, run
from tests.acceptance.fleet.kept import NGATU
from tests.acceptance.fleet.p_rollout import missing
from tests.acceptance.fleet.playing import Playing
from tests.acceptance.fleet.province import SETTINGS, Province, rolled_out
from tests.acceptance.fleet.spoiled import Change, spoiled
from tests.support.labelled_squares import write_dimmed, write_set
from tests.support.shadowed import write_shadow

OLD, SLOW, GOOD = "dim-squares", "slow-squares", "new-squares"
FIRST, PLANTED = "0.1.1", "0.1.2"
HEAD = "def judged(state: ShadowComparison, settings: ShadowTrialSettings) -> ShadowVerdict:\n"
BELIEVES: Change = (
    "agent/core/shadow/verdict.py",
    HEAD,
    f"{HEAD}    return ShadowVerdict(ShadowOutcome.PASSED, ('planted: it believes everything',))\n",
)
"""The planted fault: a box that takes whatever model comes."""
BOUNDS = {"for_s": 30, "give_up_s": 1200, "crops": 40, "objects": 20, "share": 0.5}
OVER_S = 25 * 60
ON_TRIAL_S = 8 * 60


@promise(
    "F7",
    "a model that `judge` calls better, and that is slow on the box, goes out in a signed bundle to ring one;"
    " beside it one that works, whose box is killed in the middle of its trial",
    "the slow one is taken back by itself with its reason, the play stops and the next box is untouched; the"
    " good one comes into use; nothing that was told is lost; a release that takes whatever model comes is"
    " found out",
    minutes=14,
)
def models_in_the_shadow(trial: Trial) -> str:
    models = _models(trial.folder)
    judged = _judged(trial.folder, models)
    with rolled_out(trial.folder, (1, 1)) as province:
        bundle = spoiled(province.bundles, FIRST, None, trial.folder, list(models.values()))
        believing = spoiled(province.bundles, PLANTED, BELIEVES, trial.folder, list(models.values()))
        province.play("update.yml", **_variables(bundle)).good()
        first, last = province.communes
        slow = _Tried(province, first, [last], bundle, SLOW, "ngatu_box")
        _over(slow)
        back = slow.taken_back()
        good = _Tried(province, last, [], bundle, GOOD, last)
        planted = _Tried(province, first, [], believing, SLOW, first)
        killed = _killed_in_the_middle(province, last)
        _over(good, planted)
        kept = good.kept(GOOD)
        try:
            planted.taken_back()
        except Broken as found:
            red = str(found)[:160]
        else:
            raise Broken("a release that takes every model was not found out")
    return f"judge: {judged}; slow: {back}; good: {kept}, {killed}; planted fault is red: {red}"


def _over(*tries: _Tried) -> None:
    """Wait until their plays have ended."""
    deadline = time.monotonic() + OVER_S
    while False in {each.playing.over() for each in tries}:
        if time.monotonic() > deadline:
            raise Broken(f"not over: {[each.playing.said()[-1500:] for each in tries]}")
        time.sleep(1)


def _models(folder: Path) -> dict[str, Path]:
    """The one in use with weaker eyes, one that sees better and is slow, one that sees better."""
    place = folder / "models"
    dim = write_dimmed(place / "dim", 10.0)
    card = dim.with_suffix(".yaml")
    old = dim.rename(place / f"{OLD}.onnx")
    old.with_suffix(".yaml").write_text(card.read_text().replace("name: squares", f"name: {OLD}"))
    return {
        OLD: old,
        SLOW: write_shadow(place, "slow", SLOW, turns=400),
        GOOD: write_shadow(place, "none", GOOD),
    }


def _judged(folder: Path, models: dict[str, Path]) -> str:
    """`ngatu models judge` lets the slow one through, and refuses one that is worse."""
    data = write_set(folder / "roads", cameras=tuple("abcdefgh"), pictures=3, seed=5)
    words = (NGATU, "models", "judge")
    more = ("--data", str(data), "--main", "car")
    better = run(*words, str(models[SLOW]), str(models[OLD]), *more, timeout_s=600)
    worse = run(*words, str(models[OLD]), str(models[GOOD]), *more, timeout_s=600)
    if (better.code, worse.code) != (0, 1):
        raise Broken(f"judge: {better.code} {better.output[-800:]}; {worse.code} {worse.output[-800:]}")
    return "the slow one is better, the other way round refused"


def _variables(bundle: Path, shadow: str = "") -> dict[str, Any]:
    detector = {**SETTINGS["detector"], **({"shadow": BOUNDS} if shadow else {})}
    return {
        "ngatu_agent_bundle": str(bundle),
        "ngatu_agent_model": OLD,
        "ngatu_agent_shadow_model": shadow,
        "ngatu_agent_settings": {**SETTINGS, "detector": detector},
    }


class _Tried:
    """A model on its way to a box."""

    def __init__(
        self, province: Province, box: str, others: list[str], bundle: Path, model: str, limit: str
    ) -> None:
        self.province, self.box, self.others, self.model = province, box, others, model
        self.setup = self._said("readlink /opt/ngatu/current")
        self.before = {each: province.fleet[each].ssh("readlink /opt/ngatu/current").output for each in others}
        self.playing: Playing = province.begun("update.yml", "--limit", limit, **_variables(bundle, model))

    def _said(self, command: str) -> str:
        return self.province.fleet[self.box].ssh(command).good().output.strip()

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self._said("ngatu-release status"))
        return status

    def _heard(self) -> list[str]:
        """What the station's store has of trials of this box."""
        commune = self.province.communes[self.box]
        rows = self.province.stored(
            commune, "select body from event_revision where body like '%\"model_tried\"%' order by rowid"
        )
        bodies = [json.loads(row[0]) for row in rows]
        return [each["detail"] for each in bodies if each["device"] == self.box]

    def _model(self) -> str:
        """Whose events the box tells now, as it says itself at the broker."""
        tls = "/etc/ngatu/tls"
        ran = self.province.ngatu(
            "box", "look", self.province.communes[self.box], self.box, "--host", "localhost", "--port", "8884",
            "--ca", f"{tls}/ca.crt", "--cert", f"{tls}/operator.crt", "--key", f"{tls}/operator.key",
        ).good()  # fmt: skip
        return str(json.loads(ran.output)["info"]["model"]["name"])

    def taken_back(self) -> str:
        """What was measured.

        Raises:
            Broken: it was not taken back, the play went on, or something is lost.
        """
        ran: Ran = self.playing.finished(1)
        status = self._status()
        last, heard = status["last"] or {}, self._heard()
        wrong = [] if ran.code else ["the play ended well"]
        if last.get("outcome") != "reverted" or "failed in the shadow" not in str(last.get("why")):
            wrong.append(f"the box says {last}")
        if status["trial"] is not None or self._said("readlink /opt/ngatu/current") != self.setup:
            wrong.append("the setup of before does not run")
        if not any("taken back" in each for each in heard):
            wrong.append(f"the station heard {heard}")
        wrong += [
            f"{each} was touched"
            for each in self.others
            if self.province.fleet[each].ssh("readlink /opt/ngatu/current").output != self.before[each]
        ]
        if not wrong:
            self.province.rollout_check(self.box, FIRST, 120).good()
            if (model := self._model()) != OLD:
                wrong.append(f"events are told by {model}")
            if lost := missing(self.province, self.box):
                wrong.append(f"lost: {lost}")
        if wrong:
            raise Broken(f"{self.box}: {'; '.join(wrong)}; {ran.output[-700:]}")
        return f"back after {ran.seconds:.0f} s of the play ({last['why']}), {len(self.others)} boxes untouched"

    def kept(self, model: str) -> str:
        """The same for a model that works."""
        ran: Ran = self.playing.finished(1)
        status = self._status()
        last, heard = status["last"] or {}, self._heard()
        wrong = [] if ran.code == 0 else [f"exit code {ran.code}"]
        if last.get("outcome") != "confirmed" or status["trial"] is not None:
            wrong.append(f"the box says {last}, on trial {status['trial']}")
        if not any("comes into use" in each for each in heard):
            wrong.append(f"the station heard {heard}")
        if (now := self._model()) != model:
            wrong.append(f"events are told by {now}")
        if lost := missing(self.province, self.box):
            wrong.append(f"lost: {lost}")
        if wrong:
            raise Broken(f"{self.box}: {'; '.join(wrong)}; {ran.output[-1500:]}")
        return f"in use after {ran.seconds:.0f} s ({last['why']})"


def _killed_in_the_middle(province: Province, box: str) -> str:
    """The whole box dies while the model is on trial, which goes on where it was."""
    host, seen = province.fleet[box], 0
    deadline = time.monotonic() + ON_TRIAL_S
    while seen < 5:
        if time.monotonic() > deadline:
            raise Broken(f"{box}: no model was on trial: {host.ssh('ngatu-release status').output}")
        time.sleep(1)
        if '"shadow": true' in host.ssh("ngatu-release status").output:
            seen = _crops(host.ssh("cat /var/lib/ngatu/shadow.json").output)
    host.kill()
    host.start().up(120)
    after = _crops(host.ssh("cat /var/lib/ngatu/shadow.json").output)
    status = host.ssh("ngatu-release status").output
    if after < seen or ('"shadow": true' not in status and '"confirmed"' not in status):
        raise Broken(f"{box}: after its death {after} of {seen} crops, {status}")
    return f"killed at {seen} crops and gone on from {after}"


def _crops(said: str) -> int:
    found = re.search(r'"crops": (\d+)', said)
    return int(found[1]) if found else 0
