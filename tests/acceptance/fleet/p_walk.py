"""P67: the pages for the first day, walked as they are written, by a plain user in a bare Debian."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2

from benchmarks.scenes import render
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.acceptance.fleet.hosts import Fleet, Host, require_tools, run
from tests.acceptance.fleet.kept import KEPT_IN, alone, state, used
from tests.acceptance.fleet.packages import packages, repository
from tests.acceptance.fleet.terminal import Terminal
from tests.acceptance.fleet.walk import Walk, changed_lines_found
from tests.conftest import ROOT
from tests.support.onvif_camera import Announcer, OnvifCamera, Profile, probe_match

PAGES = (
    "docs/guide/first-camera.md", "docs/guide/station.md", "docs/guide/subscriber.md", "docs/guide/message.md",
    "README.md",
)  # fmt: skip
ADDRESSES = {"box": "192.168.10.13", "station": "192.168.10.5", "alone": "192.168.10.14"}
CAMERA = "192.168.10.21"
"""These are the addresses of the pages, in the hosts' own network."""
LOGIN = ("ngatu", "a camera's password")
SECONDS, FPS, SIZE = 20.0, 10, (640, 360)
DEBIAN_PYTHON = "/usr/bin/python3"


@promise(
    "P67",
    "README and the guide's pages for the first day are walked as they are written, as a plain user in Debian",
    "each command ends as the page says, and what is printed is what it shows; each changed line is found",
    minutes=5,
)
def pages_are_as_written(trial: Trial) -> str:
    require_tools()
    found, pictures, source = packages(), junction(), repository(trial.folder)
    with Fleet(trial.folder / "fleet", list(ADDRESSES)) as fleet:
        for host in fleet.hosts.values():
            internet(host, found, source)
            run("ip", "-n", host.netns, "address", "add", f"{ADDRESSES[host.name]}/24", "dev", "eth0").good()
        run("ip", "-n", fleet.controller, "address", "add", f"{CAMERA}/24", "dev", "eth0").good()
        fleet.start()
        with camera(pictures):
            walk = Walk(fleet, GIVEN, WRITTEN)
            walked = [walk.page(name) for name in PAGES]
    changes, noticed = changed_lines_found(walked)
    if noticed != changes:
        raise Broken(f"of {changes} changed lines only {noticed} were found")
    unwalked = "; ".join(f"{each.page}:{line} {why}" for each in walked for line, why in each.left_out)
    return f"{'; '.join(map(str, walked))}; {noticed} of {changes} changed lines found; for reading: {unwalked}"


def internet(host: Host, found: Path, source: Path) -> None:
    """What a host takes from outside, and where it is told to find it; before it boots."""
    shutil.copytree(found, host.upper / "srv" / "packages")
    shutil.copytree(source, host.upper / "srv" / "ngatu")
    files = {
        "etc/pip.conf": "[global]\nno-index = true\nfind-links = /srv/packages\n",
        "etc/gitconfig": '[url "file:///srv/"]\n\tinsteadOf = https://YOUR-SERVER/\n[safe]\n\tdirectory = *\n',
        # Their Debian is as bare as can be, and what lies in its cache is what the commands need.
        "etc/apt/apt.conf.d/bare": 'APT::Install-Recommends "false";\n',
    }
    for name, text in files.items():
        path = host.upper / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def junction() -> Path:
    """Pictures of the simulated junction, of which a camera shows one after the other."""
    folder = KEPT_IN / f"junction-{state('benchmarks/scenes')}"
    with alone("junction"):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for number, picture in enumerate(render.frames(3, SECONDS)):
                small = cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA)
                cv2.imwrite(str(partial / f"{number:04d}.jpg"), small)
            partial.rename(folder)
        return used(folder)


@contextmanager
def camera(pictures: Path) -> Iterator[None]:
    """The network camera of the pages, at its address, with its login and ONVIF.

    Raises:
        NotTried: this machine lacks GStreamer.
    """
    server = str(ROOT / "tests/support/rtsp_server.py")
    words = [
        DEBIAN_PYTHON, server, "--address", CAMERA, "--port", "554", "--path", "/Streaming/Channels/102",
        "--pictures", str(pictures), "--fps", str(FPS), "--user", LOGIN[0], "--password", LOGIN[1],
    ]  # fmt: skip
    if (missing := run(DEBIAN_PYTHON, server, "--check")).code != 0:
        raise NotTried(f"no RTSP camera can be made here: {missing.output.strip()[-200:]}")
    stream = Profile("sub", f"rtsp://{CAMERA}:554/Streaming/Channels/102", *SIZE)
    match = partial(probe_match, address=f"http://{CAMERA}/onvif/device_service")
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process,
        OnvifCamera([stream], LOGIN, address=CAMERA, port=80),
        Announcer(lambda number: [match(number)], CAMERA),
    ):
        try:
            assert process.stdout is not None and process.stdout.readline().strip() == "554", "no camera"
            yield
        finally:
            process.kill()


def clone(terminal: Terminal) -> None:
    """What README takes for granted: Python with venv, a clone, a broker."""
    for command in (
        "sudo apt install -y git python3-venv mosquitto",
        "git clone https://YOUR-SERVER/ngatu && cd ngatu",
    ):
        came = terminal.type(command, 300)
        assert came.code == 0, came.lines


def environment(terminal: Terminal) -> None:
    """A terminal in the same virtual environment."""
    came = terminal.type("cd ngatu && . .box/bin/activate", 30)
    assert came.code == 0, came.lines


SETTINGS = (
    ("host: station.hai-ninh.example", "host: 127.0.0.1"),
    ("state_dir: /var/lib/ngatu", "state_dir: state"),
    ('url: "rtsp://192.0.2.10:554/stream2"', f"url: rtsp://{CAMERA}:554/Streaming/Channels/102"),
    ("      username: null", f"      username: {LOGIN[0]}"),
    ("      password: null", "      password: {file: north.password}"),
)
"""What README says is to be set in the example; commune and id are those of the example."""


def settings(terminal: Terminal) -> None:
    """Set it, as an editor would."""
    edits = " ".join(f"-e {shlex.quote(f's|{old}|{new}|')}" for old, new in SETTINGS)
    password = f"(umask 077; echo {shlex.quote(LOGIN[1])} > north.password)"
    came = terminal.type(f"mkdir -p state && {password} && sed -i {edits} config.yaml", 30)
    assert came.code == 0, came.lines


WRITTEN = {"north.password": f"{LOGIN[1]}\n"}
GIVEN = {"clone": clone, "environment": environment, "settings": settings}
