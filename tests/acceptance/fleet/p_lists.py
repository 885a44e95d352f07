"""The list of the revoked: it never ends unnoticed, for then the broker lets nobody in."""

from __future__ import annotations

import json

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.doors import BROKER, Doors, open_doors
from tests.support.brokers import until

THERE = "/etc/mosquitto/ngatu-crl.pem"
DROP_IN = "/run/systemd/system/ngatu-crl-watch.timer.d/trial.conf"
LIFE_DAYS = 20


@promise(
    "P33",
    "lists with 6, 2 and 0 days left are given to tool and role, then lists with 11 and 9 of 20 days left",
    "less than 7 days left is refused by both, and the broker keeps its list; at half its life an alarm sounds",
    minutes=1.5,
)
def list_never_ends_unnoticed(trial: Trial) -> str:
    with open_doors(trial.folder, BROKER) as doors:
        before = doors.broker.ssh(f"sha256sum {THERE}; pidof mosquitto").good().output
        refused = [days for days in (6, 2, 0) if _refused(doors, days)]
        if doors.broker.ssh(f"sha256sum {THERE}; pidof mosquitto").good().output != before:
            raise Broken("a list that was refused is on the broker, or it was started again")
        heard = []
        for left in (11, 9):
            _write(doors, left)
            assert doors.ngatu("ca", "crl", f"--check={doors.ca}/crl.pem", f"--folder={doors.ca}").code == 0
            heard.append(_installed(doors, alarm=left == 9))
        by_timer = _by_timer(doors)
        doors.ngatu("ca", "crl", f"--folder={doors.ca}", "--passphrase-file=-").good()
        ended = _installed(doors, alarm=False)
    return (
        f"refused by tool and role with {', '.join(map(str, refused))} days left, list and process untouched; "
        f"11 of {LIFE_DAYS} days left: {heard[0]}; 9 of {LIFE_DAYS}: {heard[1]}; {by_timer}; "
        f"with a new list: {ended}"
    )


def _write(doors: Doors, left_days: int) -> None:
    """A list of the authority's with so many days left, a few hours more or less: written in the past."""
    earlier = LIFE_DAYS - left_days
    words = ("ca", "crl", f"--days={LIFE_DAYS}", f"--folder={doors.ca}", "--passphrase-file=-")
    doors.ngatu(*words, earlier_days=earlier).good()


def _refused(doors: Doors, left_days: int) -> bool:
    _write(doors, left_days)
    tool = doors.ngatu("ca", "crl", f"--check={doors.ca}/crl.pem", f"--folder={doors.ca}")
    assert tool.code == 1 and "it is not installed with less than 7 days left" in tool.output, tool.output
    role = doors.play("site.yml", "--tags=broker", f"--limit={BROKER}")
    if role.code == 0 or "it is not installed with less than 7 days left" not in role.output:
        raise Broken(f"the role takes a list with {left_days} days left: {role.output[-500:]}")
    return True


def _installed(doors: Doors, *, alarm: bool) -> str:
    """Give the broker the list by the role; what sounds then. AssertionError when that is not as wanted.

    An alarm is a unit that failed, as `systemctl --failed` shows, and a critical line in the journal.
    """
    before = len(_said(doors))
    doors.play("site.yml", "--tags=broker", f"--limit={BROKER}").good()
    until(lambda: len(_said(doors)) > before and _state(doors) in ("failed", "inactive"), 20, "it has looked")
    last = _said(doors)[-1]
    assert (_state(doors) == "failed") == (last["PRIORITY"] == "2") == alarm, f"{_state(doors)}: {last}"
    return f"alarm, “{last['MESSAGE']}”" if alarm else "silent"


def _said(doors: Doors) -> list[dict[str, str]]:
    printed = doors.broker.ssh("journalctl -q -t ngatu-crl-watch -o json").good().output
    return [json.loads(line) for line in printed.splitlines()]


def _state(doors: Doors) -> str:
    return doors.broker.ssh("systemctl show -P ActiveState ngatu-crl-watch.service").good().output.strip()


def _by_timer(doors: Doors) -> str:
    """The unit that fires by itself each day, told to do so in a second."""
    doors.broker.ssh("systemctl reset-failed ngatu-crl-watch.service").good()
    doors.broker.ssh(f"mkdir -p {DROP_IN.rpartition('/')[0]}").good()
    doors.broker.put(DROP_IN, "[Timer]\nOnActiveSec=1s\nRandomizedDelaySec=0\n")
    doors.broker.ssh("systemctl daemon-reload && systemctl restart ngatu-crl-watch.timer").good()
    until(lambda: _state(doors) == "failed", 30, "the timer sounds the alarm")
    listed = doors.broker.ssh("systemctl --failed --plain --no-legend").good().output
    assert "ngatu-crl-watch.service" in listed, listed
    return "it sounds by its own timer too"
