"""`make verifier`: the verifier as one file for whoever receives a package; needs Python and `cryptography`.

It holds just the modules that the verifier loads, and the translations. The same sources give the same bytes.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Final

import verifier.__main__  # what it loads is what is needed
from agent.language import LOCALE

ROOT: Final = Path(__file__).resolve().parents[1]
OWN: Final = ("agent", "verifier")
HEAD: Final = b"#!/usr/bin/env python3\n"
MAIN: Final = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("ngatu-verify needs Python 3.11 or newer; this is " + sys.version.split()[0])
try:
    import cryptography
except ModuleNotFoundError:
    sys.exit(
        "ngatu-verify needs the Python package cryptography\\n"
        "  hint: apt install python3-cryptography, or: python -m pip install cryptography"
    )
from verifier.__main__ import begin

sys.exit(begin())
"""
THEN: Final = (1980, 1, 1, 0, 0, 0)


def files() -> dict[str, bytes]:
    """Name in the archive -> content."""
    own = [
        Path(module.__file__)
        for name, module in sys.modules.items()
        if name.partition(".")[0] in OWN and name != __name__ and module.__file__
    ]
    own += [Path(verifier.__main__.__file__), *LOCALE.rglob("*.mo")]
    return {path.resolve().relative_to(ROOT).as_posix(): path.read_bytes() for path in own}


def write(path: Path) -> None:
    """Write it, as something that can be started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEAD)
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, data in sorted({**files(), "__main__.py": MAIN.encode()}.items()):
                archive.writestr(zipfile.ZipInfo(name, THEN), data, zipfile.ZIP_DEFLATED)
    path.chmod(0o755)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
