"""A board's own user space: does what was built for it install, load and see."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.acceptance.arm64.userland import ARCH, SUITES, Userland, require
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.hosts import run
from tests.conftest import ROOT
from tests.support.releases import TOOL
from tests.support.squares import write_clip, write_model

NGATU = str(Path(sys.executable).with_name("ngatu"))
RELEASE = "/usr/bin/python3 -I -B /usr/local/lib/ngatu_release"

CONFIG = """
device: {commune: hai-ninh, id: hai-ninh-01, place: Here, purpose: A test, legal_basis: None}
broker: {host: 127.0.0.1}
detector: {model: squares, models_dir: MODELS}
cameras:
  - name: north
    source: {kind: file, path: CLIP}
    rules:
      - {kind: object, id: road-users}
"""


@promise(
    "A1",
    "a bundle by the lock of Raspberry Pi OS trixie is installed in its user space; check and replay run there",
    "they work, and the events of a clip are those of this machine",
    minutes=8,
)
def trixie(trial: Trial) -> str:
    return tried(trial, "pi-trixie")


@promise(
    "A2",
    "the same with that of Raspberry Pi OS bookworm",
    "they work, and the events of a clip are those of this machine",
    minutes=8,
)
def bookworm(trial: Trial) -> str:
    return tried(trial, "pi-bookworm")


def tried(trial: Trial, name: str) -> str:
    """The whole way of a bundle for the board of this name, and what it took."""
    require()
    bundle, built_s = _bundle(trial.folder, name)
    clip = write_clip(trial.folder / "clip.mp4")
    with Userland(trial.folder / "board", SUITES[name]) as board:
        assert board.run("uname", "-m").good().output.strip() == ARCH
        board.put(TOOL, "/usr/local/lib/ngatu_release")
        board.put(trial.folder / "release.pub", "/etc/ngatu/release.pub")
        board.put(bundle, "/var/cache/ngatu.bundle")
        board.put(clip, "/srv/clip.mp4")
        config = trial.folder / "there.yaml"
        config.write_text(
            CONFIG.replace("MODELS", "/opt/ngatu/current/models").replace("CLIP", "/srv/clip.mp4")
        )
        board.put(config, "/etc/ngatu/next.yaml")
        installed = board.run(*RELEASE.split(), "install", "/var/cache/ngatu.bundle").good()
        version = json.loads(installed.output)["version"]
        switched = board.run(*RELEASE.split(), "switch", version, "--config", "/etc/ngatu/next.yaml").good()
        ngatu = "/opt/ngatu/current/bin/ngatu"
        checked = board.run(ngatu, "check", "-c", "/opt/ngatu/current/config.yaml")
        replayed = board.run(
            ngatu, "replay", "/srv/clip.mp4", "-c", "/opt/ngatu/current/config.yaml", "--events", "/srv/events"
        ).good()
        there = _events(board.root / "srv" / "events")
        made_s = board.made_s
    here = _events_here(trial.folder, clip)
    # There is no broker: nothing else may be wrong.
    wrong = [line for line in checked.output.splitlines() if "│ failed" in line]
    assert checked.code == 1 and len(wrong) == 1 and "broker" in wrong[0], checked.output
    if not here or [*map(_core, there)] != [*map(_core, here)]:
        raise Broken(f"{len(there)} events there, {len(here)} here, or they differ: {there} {here}")
    same = sum(one == other for one, other in zip(there, here, strict=True))
    made = f"root file system {made_s:.0f} s, " if made_s else ""
    return (
        f"bundle built in {built_s:.0f} s, {made}installed in {installed.seconds:.0f} s, switched with its own "
        f"check in {switched.seconds:.0f} s, check {checked.seconds:.0f} s, replay of 8 s of film "
        f"{replayed.seconds:.0f} s; {len(there)} events, the same as here, "
        f"{same} of them to the last digit"
    )


def _bundle(folder: Path, board: str) -> tuple[Path, float]:
    """One by the board's lock, from this checkout: needs the package registry."""
    secret, key = folder / "passphrase", folder / "release.key"
    secret.write_text("for this test\n")
    run(NGATU, "bundle", "key", str(key), "--passphrase-file", str(secret)).good()
    built = run(
        NGATU, "bundle", "build", "--key", str(key), "--passphrase-file", str(secret), "--board",
        board, "--model", str(write_model(folder)), "--out", str(folder),
        cwd=ROOT, timeout_s=900,
    ).good()  # fmt: skip
    return next(folder.glob("*.bundle")), built.seconds


def _events_here(folder: Path, clip: Path) -> list[dict[str, Any]]:
    config = folder / "here.yaml"
    config.write_text(CONFIG.replace("MODELS", str(folder)).replace("CLIP", str(clip)))
    events = folder / "events"
    run(NGATU, "replay", str(clip), "-c", str(config), "--events", str(events), timeout_s=300).good()
    return _events(events)


def _events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _core(event: dict[str, Any]) -> dict[str, Any]:
    """What was seen when: without numbers that hang on the last bit of a float."""
    keys = ("id", "revision", "kind", "phase", "time", "start_time", "rule", "camera")
    return {key: event[key] for key in keys} | {"label": event["object"]["label"]}
