"""Where a mistake is made: a folder of its own, real programs, and what all of them may use together."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from tests.acceptance.faults.mistakes import messages
from tests.acceptance.faults.mistakes.mistake import Said
from tests.acceptance.faults.mistakes.parts import COMMUNE, NGATU, POLE, Parts, environment
from tests.acceptance.faults.suite import NotTried
from tests.conftest import ROOT
from tests.support.brokers import until

LIMIT_S = 60.0
"""A command that has not ended by then hangs, and is killed."""
RIGHTS = "-dac_override,-dac_read_search"
UNPRIVILEGED = ("setpriv", f"--inh-caps={RIGHTS}", f"--bounding-set={RIGHTS}")
"""Root without the right to read and write what its mode forbids: as anybody else has it."""
Reader = Callable[[str], tuple[str, ...]]

BOX = """\
device:
  commune: hai-ninh
  id: hai-ninh-01
  purpose: safety at the junction
  legal_basis: decision 12
broker:
  host: 127.0.0.1
  port: {port}
  tls: {{ca: {ca}}}
detector:
  model: {model}
state_dir: state
cameras:
  - name: north
    source: {{kind: file, path: {clip}}}
    zones:
      - {{id: road, polygon: [[0.3, 0.2], [0.7, 0.2], [0.7, 0.9], [0.3, 0.9]]}}
    rules:
      - {{kind: zone, id: on-the-road, zone: road}}
"""
"""A box's file in which nothing is amiss."""


class Desk:
    """One mistake's own place."""

    def __init__(self, folder: Path, parts: Parts) -> None:
        self.folder = folder
        self.parts = parts
        folder.mkdir(parents=True)
        ca = parts.authority.file
        self.box_yaml = BOX.format(port=parts.tls_port, ca=ca, model=parts.model, clip=parts.clip)
        self.tls = f"  tls: {{ca: {ca}}}\n"
        self.source = f"{{kind: file, path: {parts.clip}}}"

    # ------------------------------------------------------------------------------------------------ files

    def file(self, name: str, text: str | bytes) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def box(self, *changes: tuple[str, str], encoding: str = "utf-8") -> str:
        """Write box.yaml with texts of a good one changed; its name."""
        text = self.box_yaml
        for one, other in changes:
            assert one in text, one
            text = text.replace(one, other)
        return self.file("box.yaml", text.encode(encoding)).name

    def station(self, port: int | None = None, **changes: str) -> str:
        """Write a good station.yaml; its name."""
        lines = {"commune": COMMUNE, "name": COMMUNE, "state_dir": "state"} | changes
        text = "".join(f"{key}: {value}\n" for key, value in lines.items())
        text += f"broker: {{host: 127.0.0.1, port: {port or self.parts.port}}}\n"
        return self.file("station.yaml", text).name

    def store(self) -> str:
        """A store as a station left it, with its backup; the name of the station's file."""
        shutil.copytree(self.parts.store(), self.folder, dirs_exist_ok=True)
        return "station.yaml"

    def keys(self) -> None:
        """Keys and an authority."""
        shutil.copytree(self.parts.keys(), self.folder, dirs_exist_ok=True)

    @contextmanager
    def small_disk(self, name: str, size: str) -> Iterator[Path]:
        """A file system of so much; NotTried: none can be mounted here."""
        place = self.folder / name
        place.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotTried(f"no file system can be mounted here: {done.stderr.strip()}")
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", str(place)], check=False)

    # --------------------------------------------------------------------------------------------- programs

    def ngatu(self, *words: object, reader: Reader = messages.plain, **more: Any) -> Said:
        """Run `ngatu` with these words, as whoever made the mistake."""
        return self.run([*NGATU, *map(str, words)], reader, **more)

    def check(self, *changes: tuple[str, str], **more: Any) -> Said:
        """`ngatu check` of the good file with these changes."""
        return self.ngatu("check", "-c", self.box(*changes), reader=messages.table, **more)

    def judged(self, *changes: tuple[str, str], encoding: str = "utf-8") -> Said:
        """`ngatu check --offline` of the good file with these changes."""
        return self.ngatu("check", "--offline", "-c", self.box(*changes, encoding=encoding))

    def run(
        self, command: Sequence[str], reader: Reader = messages.plain, *, env: Mapping[str, str] | None = None,
        cwd: Path | None = None, plain_user: bool = False, limit_s: float = LIMIT_S,
    ) -> Said:  # fmt: skip
        """Run a command to its end."""
        under = UNPRIVILEGED if plain_user and os.geteuid() == 0 else ()
        process = subprocess.Popen(
            [*under, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            cwd=cwd or self.folder, env={**environment(), **(env or {})}, start_new_session=True,
        )  # fmt: skip
        began = time.monotonic()
        assert process.stdout is not None and process.stderr is not None
        ears = [_Ear(process.stdout), _Ear(process.stderr)]
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            code = process.wait() or -9
        ended = time.monotonic()
        for ear in ears:
            ear.join(10)
        words = sorted([began, ended, *(at for ear in ears for at in ear.at)])
        wordless_s = max(later - earlier for earlier, later in pairwise(words))
        out, err = (ear.text for ear in ears)
        return self.said(code, out + err, reader(err if reader is messages.plain else out + err), wordless_s)

    @contextmanager
    def at_work(self, *words: str, until_it_says: str) -> Iterator[Path]:
        """`ngatu` with these words beside what is done meanwhile; its log."""
        log = self.folder / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*NGATU, *words], cwd=self.folder, stdout=file, stderr=file, env=environment()
            )
        try:
            until(lambda: until_it_says in log.read_text(errors="replace"), 40, f"{words} says {until_it_says}")
            yield log
        finally:
            process.terminate()
            process.wait(20)

    def heard(self, log: Path, begins: int, marks: Sequence[str], done: Callable[[], object]) -> Said:
        """What a program at work says about it when `done` is done: lines with all these marks."""

        def lines() -> str:
            found = log.read_bytes()[begins:].decode(errors="replace").splitlines()
            return "\n".join(line for line in found if all(mark in line for mark in marks))

        began = time.monotonic()
        done()
        until(lambda: messages.log(lines()), 20, f"{log} says {marks}")
        took_s = time.monotonic() - began
        time.sleep(0.3)  # what it would say twice
        return self.said(0, lines(), messages.log(lines()), took_s)

    def box_at_work(self) -> Path:
        """Its log; the box is `pole-01` at the broker without TLS."""
        port = f"port: {self.parts.tls_port}", f"port: {self.parts.port}"
        text = self.box_yaml.replace(self.tls, "").replace(*port).replace("id: hai-ninh-01", f"id: {POLE}")
        return self.parts.box_log(text.replace(self.source, self.source.replace("}", ", loop: true}")))

    def said(self, code: int, text: str, found: tuple[str, ...], wordless_s: float) -> Said:
        """What became of it, with the names of what differs from machine to machine."""
        return Said(code, text, found, wordless_s, self._places())

    def _places(self) -> dict[str, str]:
        parts = self.parts
        ports = ("port", "tls_port", "guarded_port", "expired_port", "other_name_port", "closed_port")
        places = {
            f"{self.folder}/": "", str(self.folder): "{folder}", str(parts.folder): "{elsewhere}",
            str(ROOT): "{checkout}", str(Path(sys.executable).parent): "{bin}",
            os.path.realpath(sys.executable): "{python}", str(Path.home()): "{home}",
            f"{sys.version_info[0]}.{sys.version_info[1]}-venv": "{version}-venv",
        }  # fmt: skip
        places |= {str(getattr(parts, each)): "{port}" for each in ports}
        return places | {f"user {getpass.getuser()}": "user {user}"}


class _Ear(threading.Thread):
    """Reads one stream to its end, and notes when something came."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._heard = b""
        self.at: list[float] = []
        self.start()

    def run(self) -> None:
        """Until nobody can write any more."""
        with self._stream as stream:
            while piece := os.read(stream.fileno(), 65536):
                self.at.append(time.monotonic())
                self._heard += piece

    @property
    def text(self) -> str:
        """What came."""
        return self._heard.decode(errors="replace")


def as_json(**values: object) -> str:
    """For an option or a payload."""
    return json.dumps(values, ensure_ascii=False)
