"""Under which licences the wheels of a bundle are, for whoever passes the bundle on.

Read out of the wheels themselves: what each says of itself, where its texts lie, and the libraries of machine
code that were put into it. What a wheel says covers its own code alone: PyAV's says BSD-3-Clause, and it brings
builds of x264 and x265. So libraries that are known to ask more than the wheel are looked for by their files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZipFile

from agent.errors import NgatuError

FILE: Final = "LICENCES.txt"
"""In a bundle."""
TEXTS: Final = Path(__file__).parent.parent / "licences"
"""The GPL and LGPL, word for word, for PyAV's wheel has its own licence alone; in a bundle below licences/."""
NONE: Final = "not said in the wheel"
GPL: Final = "GPL-2.0-or-later"
SHORT_CHARS: Final = 80
"""Of the field License: some wheels have the whole text there."""

_SHARED: Final = re.compile(r"(lib[^/]+?)(?:-[0-9a-f]{8,})?\.so[.\d]*")
_TEXT: Final = re.compile(r"(?i)(licen[cs]e|copying|notice|authors)")
_PREFIX: Final = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Copyleft:
    """A program that asks something of whoever passes it on."""

    name: str
    licence: str
    """SPDX."""
    source: str
    """Where its makers have its source."""


KNOWN: Final = {
    "libx264": Copyleft("x264", GPL, "https://code.videolan.org/videolan/x264"),
    "libx265": Copyleft("x265", GPL, "https://bitbucket.org/multicoreware/x265_git"),
}
"""Library -> what it is. Both say it in the COPYING of their source."""


@dataclass(frozen=True, slots=True)
class Licensed:
    """One wheel."""

    file: str
    name: str
    version: str
    licence: str
    """As it says; an SPDX expression where `spdx`."""
    spdx: bool
    texts: tuple[str, ...]
    """Its files of licences and notices."""
    libraries: tuple[str, ...]
    """Libraries of machine code beside its own: libavcodec."""

    @property
    def copyleft(self) -> tuple[Copyleft, ...]:
        """What in it is known to ask more than the wheel says."""
        return tuple(KNOWN[each] for each in self.libraries if each in KNOWN)


def read(wheel: Path, own: Iterable[str] = ()) -> Licensed:
    """What a wheel says, and what lies in it.

    Raises:
        NgatuError: it brings one of the packages in `own`: it would lie where ours lies.
    """
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (each for each in names if each.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(metadata).decode("utf-8"))
    if taken := sorted({each.partition("/")[0] for each in names if "/" in each} & set(own)):
        raise NgatuError(
            f"{wheel.name}: it brings a package `{taken[0]}`, as ngatu does: one would lie over the other",
            "take another version of it, or give one with --instead",
        )
    licence, spdx = _said(headers)
    info = metadata.partition("/")[0]
    texts = (each for each in names if each.startswith(f"{info}/") and _TEXT.search(each.rpartition("/")[2]))
    found = (_SHARED.fullmatch(PurePosixPath(each).name) for each in names if ".libs/" in each)
    return Licensed(
        file=wheel.name,
        name=headers["Name"],
        version=headers["Version"],
        licence=licence,
        spdx=spdx,
        texts=tuple(sorted(texts)),
        libraries=tuple(sorted({each.group(1) for each in found if each})),
    )


def _said(headers: Message) -> tuple[str, bool]:
    """(the licence, whether it is an SPDX expression)."""
    if expression := headers["License-Expression"]:
        return expression, True
    line = " ".join((headers["License"] or "").split())
    if line and line.upper() != "UNKNOWN" and len(line) <= SHORT_CHARS:
        return line, False
    named = [each for each in headers.get_all("Classifier", []) if each.startswith("License :: ")]
    return "; ".join(each.removeprefix(_PREFIX) for each in named) or NONE, False


HEAD: Final = """\
Licences of what lies in {bundle}

ngatu itself is under Apache-2.0. Each wheel says its own licence below; the texts lie in the wheels, and on a
box in the release's lib/python*/site-packages. Models say theirs in their cards, NAME.yaml. sbom.cdx.json says
the same to programs. No lawyer wrote this, and what was linked into a wheel's own code is not seen here.
"""
WHOEVER_PASSES_ON: Final = """
WHOEVER PASSES THIS BUNDLE ON passes on programs under the GNU General Public License:

{programs}

Libraries in the same wheel are linked with them, FFmpeg's for PyAV, so the GPL holds for these together.
FFmpeg says of its part LGPL-3.0-or-later, so the whole is under GPL-3.0.
The GPL asks that whoever gets the bundle from you gets this notice and the texts in licences/, and the source
of exactly these builds: along with the bundle, or by your written offer, good for three years (GPL-2.0, section
3; GPL-3.0, section 6). So keep that source for as long as you hand bundles out: the programs', from where their
makers have it, and the recipe of the build, for PyAV https://github.com/PyAV-Org/pyav-ffmpeg.
To install a bundle on boxes of one's own is no passing on.
ngatu's own code goes with that: Apache-2.0 is compatible with GPL-3.0, which "or later" allows.
"""


def text(bundle: str, wheels: Sequence[Licensed]) -> str:
    """The file that says it, for people."""
    programs = [
        f"  {what.name} ({what.licence}), machine code in {each.file}\n    source: {what.source}"
        for each in wheels
        for what in each.copyleft
    ]
    asked = WHOEVER_PASSES_ON.format(programs="\n".join(programs)) if programs else ""
    return "\n".join([HEAD.format(bundle=bundle) + asked, *_table(wheels)]) + "\n"


def _table(wheels: Sequence[Licensed]) -> Iterator[str]:
    for each in sorted(wheels, key=lambda wheel: wheel.name.lower()):
        yield f"{each.name} {each.version}: {each.licence}"
        if each.texts:
            yield f"  texts: {', '.join(each.texts)}"
        if each.libraries:
            yield f"  with libraries: {', '.join(each.libraries)}"
