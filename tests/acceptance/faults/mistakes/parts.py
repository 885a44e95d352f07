"""What all mistakes may use together: brokers, a box and a station at work, a store, keys, a model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import paho.mqtt.client as paho

from fleet.bundle import release_key
from fleet.ca import authority
from tests.acceptance.faults.p_tls import Authority
from tests.acceptance.faults.suite import Broken, NotTried
from tests.conftest import ROOT
from tests.support.brokers import MOSQUITTO, Mosquitto, free_port, until
from tests.support.squares import write_clip, write_model

NGATU = (str(Path(sys.executable).parent / "ngatu"),)
PASSWORD, PASSPHRASE = "as the broker knows it", "of the authority, long enough"
COMMUNE, POLE = "hai-ninh", "pole-01"
"""Of the box and the station at work."""
DAY = timedelta(days=1)


def environment() -> dict[str, str]:
    """As wide as a message is long, without colours, in English; nothing of ours is set."""
    plain = {"COLUMNS": "500", "NO_COLOR": "1", "TERM": "dumb", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NGATU_", "LC_", "LANG"))}
    return {**kept, **plain, "PATH": path, "PYTHONPATH": str(ROOT), "MAKEFLAGS": "", "MAKELEVEL": ""}


def publish(port: int, topic: str, payload: str, *, retain: bool = False, client_id: str = "") -> None:
    """As a program of somebody's own does; back when the broker has it."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


class Parts:
    """Made once, before the first mistake; what only some of them need is made for the first of these."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.clip, self.model = write_clip(folder / "road.mp4"), write_model(folder)
        self.authority, self.stranger = Authority(folder), Authority(folder, "stranger")
        self.port, self.tls_port, self.guarded_port = free_port(), free_port(), free_port()
        self.expired_port, self.other_name_port = free_port(), free_port()
        self.closed_port = free_port()
        """Nobody listens there."""
        passwords = folder / "passwords"
        passwords.touch()
        words = ["mosquitto_passwd", "-b", str(passwords), "hai-ninh-01", PASSWORD]
        subprocess.run(words, check=True, capture_output=True)
        self.broker = Mosquitto(
            folder, "per_listener_settings true", f"listener {self.port} 127.0.0.1", "allow_anonymous true",
            f"listener {self.guarded_port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}",
            *self._tls(self.tls_port, "broker"),
            *self._tls(self.expired_port, "expired", begins=-9 * DAY, ends=-DAY),
            *self._tls(self.other_name_port, "other-name", host="127.0.0.9"),
            port=self.port,
        )  # fmt: skip
        self._lock = threading.RLock()
        self._made: dict[str, str] = {}
        """Name of a folder -> why it could not be made; empty, if it was."""
        self._processes: list[subprocess.Popen[bytes]] = []

    def _tls(self, port: int, name: str, **more: object) -> Sequence[str]:
        certificate, key = self.authority.issue(name, **more)  # type: ignore[arg-type]
        keys = f"certfile {certificate}", f"keyfile {key}"
        return f"listener {port} 127.0.0.1", "allow_anonymous true", *keys

    def close(self) -> None:
        """End what is at work."""
        for process in self._processes:
            process.kill()
            process.wait()

    def once(self, name: str, make: Callable[[Path], object]) -> Path:
        """A folder with what `make` put there, for whoever asks first."""
        with self._lock:
            place = self.folder / name
            if name not in self._made:
                place.mkdir()
                self._made[name] = ""
                try:
                    make(place)
                except BaseException as error:
                    self._made[name] = f"{name}: {error}"
            if why := self._made[name]:
                raise Broken(why)
            return place

    def store(self) -> Path:
        """With `state`, as a station leaves it that was here for a moment, and `backup`, a backup of it."""
        return self.once("kept", self._make_store)

    def _make_store(self, place: Path) -> None:
        self._station_file(place, "kept")
        for words in (["station", "--for", "0.5"], ["station", "backup", "backup"]):
            done = self._ngatu(place, *words, "-c", "station.yaml")
            if done.returncode:
                raise Broken(done.stderr.decode())

    def keys(self) -> Path:
        """With `release.key` and its public half, an authority in `ca`, and their `passphrase`."""

        def make(place: Path) -> None:
            (place / "passphrase").write_text(f"{PASSPHRASE}\n")
            release_key.make(place / "release.key", PASSPHRASE)
            authority.make(place / "ca", "hai-ninh", PASSPHRASE, datetime.now(UTC))

        return self.once("keys", make)

    def station_log(self) -> Path:
        """Of the station at work."""

        def start(place: Path) -> None:
            self._station_file(place, COMMUNE)
            self._begin(
                place, f"{COMMUNE}/probe-01/camera/north/event", "probe-01", "station", "-c", "station.yaml"
            )

        return self.once("station", start) / "log"

    def box_log(self, text: str) -> Path:
        """Of the box at work, whose file this is to be."""

        def start(place: Path) -> None:
            (place / "box.yaml").write_text(text)
            self._begin(place, f"{COMMUNE}/{POLE}/command/set", "command_refused", "run", "-c", "box.yaml")

        return self.once("box", start) / "log"

    def _station_file(self, place: Path, commune: str) -> None:
        (place / "station.yaml").write_text(
            f"commune: {commune}\nname: {commune}\nstate_dir: state\n"
            f"broker: {{host: 127.0.0.1, port: {self.port}}}\n"
        )

    def _begin(self, place: Path, probe: str, sign: str, *words: str) -> None:
        """Start it; back when it hears what is said at the topic `probe`: its log has the `sign` then."""
        with (place / "log").open("wb") as log:
            process = subprocess.Popen([*NGATU, *words], cwd=place, stdout=log, stderr=log, env=environment())
        self._processes.append(process)

        def hears() -> bool:
            with suppress(OSError):
                publish(self.port, f"ngatu/v1/{probe}", "probe")
            time.sleep(0.2)
            return sign.encode() in (place / "log").read_bytes()

        until(hears, 40, f"{words} is at work")

    def _ngatu(self, place: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*NGATU, *words], cwd=place, env=environment(), capture_output=True, timeout=60, check=False
        )


@contextmanager
def parts(folder: Path) -> Iterator[Parts]:
    """They are at work; NotTried: they cannot be here."""
    if MOSQUITTO is None:
        raise NotTried("mosquitto is not here: apt install mosquitto")
    if shutil.which("setpriv") is None:
        raise NotTried("setpriv is not here: apt install util-linux")
    made = Parts(folder)
    made.broker.start()
    try:
        yield made
    finally:
        made.close()
        made.broker.kill()
