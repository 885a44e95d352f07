"""What the libraries in a bundle's wheels are made for: read from them, with nothing run."""

from __future__ import annotations

import re
import shutil
import struct
import tarfile
from pathlib import Path
from zipfile import ZipFile

from tests.acceptance.faults.suite import Broken, NotTried
from tests.acceptance.fleet.hosts import run

MACHINES = {"aarch64": 183, "x86_64": 62}
"""e_machine in the head of an ELF file, by the word of `uname -m`."""
ELF = b"\x7fELF"


def newest_glibc(bundle: Path, arch: str, folder: Path) -> tuple[int, int]:
    """(wheels, the x of the newest symbol version GLIBC_2.x that one of their libraries asks for).

    Raises:
        Broken: a library is made for another processor.
        NotTried: readelf is not here.
    """
    if shutil.which("readelf") is None:
        raise NotTried("readelf is not here: apt install binutils")
    wheels, newest = 0, 0
    library = folder / "library.so"
    with tarfile.open(bundle) as archive:
        for member in archive:
            if not member.name.endswith(".whl"):
                continue
            wheels += 1
            file = archive.extractfile(member)
            assert file is not None
            with ZipFile(file) as wheel:
                for name in wheel.namelist():
                    data = wheel.read(name) if ".so" in name else b""
                    if not data.startswith(ELF):
                        continue
                    (machine,) = struct.unpack_from("<H", data, 18)
                    if machine != MACHINES[arch]:
                        raise Broken(f"{member.name}: {name} is made for another processor than {arch}")
                    library.write_bytes(data)
                    asked = re.findall(r"GLIBC_2\.(\d+)", run("readelf", "-VW", str(library)).output)
                    newest = max([newest, *map(int, asked)])
    return wheels, newest
