"""Programs in an image: by podman where it is, else in its root file system, entered by systemd-nspawn.

Known limits of the second: it sees this machine's network, and what compose says of capabilities and mounts is
not what holds; user, read-only root and folders are as compose has them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.hosts import run

OWN_RUN = ("unshare", "--mount", "sh", "-c",
           'mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && exec "$@"', "sh")  # fmt: skip
"""nspawn wants what it leaves in /run on a file system that is no disk."""
Folders = Mapping[Path, str]
"""What of this machine is seen where in the container."""


class Entered:
    """An image of which programs can be started."""

    def __init__(self, image: Path, folder: Path) -> None:
        """Raises NotTried: this machine has neither way."""
        self._name = ""
        self._root = folder / "root"
        self._number = count()
        # A store of its own: what this machine's podman holds and runs is left alone.
        self._podman = ["podman", f"--root={folder}/images", f"--runroot={folder}/run", "--log-level=error"]
        why = self._loaded(image) if shutil.which("podman") else "it is not here"
        self.by = "podman" if not why else f"systemd-nspawn, for podman: {why}"
        if why and shutil.which("systemd-nspawn") is None:
            raise NotTried(f"podman: {why}; systemd-nspawn is not here: apt install systemd-container")
        if why:
            self.forget()
            self._name = ""
            unpack(image, self._root)

    def _loaded(self, image: Path) -> str:
        """Take the image into podman; why it can start nothing of it here, or nothing."""
        loaded = run(*self._podman, "load", "--quiet", "-i", str(image), timeout_s=900).good().output
        self._name = loaded.split()[-1]
        tried = run(*self._run("/bin/true"), timeout_s=300)
        return " ".join(tried.output.split())[-200:] if tried.code else ""

    def _run(self, program: str, *mounts: str) -> list[str]:
        # Nothing is limited here, and machines of tests have the strangest trees of cgroups.
        return [*self._podman, "run", "--rm", "--cgroups=disabled", "--network=host", "--read-only",
                "--tmpfs=/tmp", *mounts, f"--entrypoint={program}", self._name]  # fmt: skip

    def forget(self) -> None:
        """Take down what podman has mounted, so that the folder can go."""
        if self._name:
            run(*self._podman, "rmi", "--all", "--force", timeout_s=300).good()

    def command(self, words: Sequence[str], folders: Folders) -> list[str]:
        """What starts a program of the image on this machine, as the image's user."""
        if self._name:
            mounts = [word for ours, there in folders.items() for word in ("-v", f"{ours}:{there}")]
            return [*self._run(words[0], *mounts), *words[1:]]
        mounts = [f"--bind={ours}:{there}" for ours, there in folders.items()]
        name = f"--machine=ngatu-{next(self._number)}"
        return [*OWN_RUN, "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--read-only", name,
                "--console=pipe", "--user=ngatu-station", "--resolv-conf=off", *mounts, "-D", str(self._root),
                *words]  # fmt: skip

    def start(self, words: Sequence[str], folders: Folders, log: Path) -> subprocess.Popen[bytes]:
        """A program of the image in the background; what it says goes to a file."""
        with log.open("wb") as out:
            return subprocess.Popen(
                self.command(words, folders), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )


def unpack(image: Path, root: Path) -> None:
    """The root file system of an image's one layer."""
    with tarfile.open(image) as archive:
        index = json.load(_file(archive, "index.json"))
        manifest = json.load(_file(archive, _place(index["manifests"][0])))
        (layer,) = manifest["layers"]
        root.mkdir(parents=True)
        with tarfile.open(fileobj=_file(archive, _place(layer)), mode="r:gz") as files:
            files.extractall(root, filter="fully_trusted")  # our own, with its owners and devices


def _place(described: Mapping[str, str]) -> str:
    return f"blobs/sha256/{described['digest'].removeprefix('sha256:')}"


def _file(archive: tarfile.TarFile, name: str) -> object:
    file = archive.extractfile(name)
    assert file is not None, name
    return file
