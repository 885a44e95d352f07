"""Wheels that say and hold what real ones do, as far as licences go"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile


def licensed_wheel(folder: Path, name: str, *headers: str, holds: tuple[str, ...] = ()) -> Path:
    """A wheel of version 1.0 with these headers, and with these files, which are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    said = "".join(f"{each}\n" for each in headers)
    with ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{said}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
        for each in holds:
            archive.writestr(each.replace("INFO", info), "")
    return path


PYAV = ("av.libs/libx264-d6533a8d.so.165", "av.libs/libx265-f5385bb8.so.216",
        "av.libs/libavcodec-5e6b81c2.so.62.28.102", "av/__init__.py", "INFO/licenses/LICENSE.txt",
        "INFO/licenses/AUTHORS.rst")  # fmt: skip
"""What lies in PyAV's wheel, as of 18.1.0."""
