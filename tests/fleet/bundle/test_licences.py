"""fleet.bundle.licences: what wheels say, and what lies in them that they do not say"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import NgatuError
from fleet.bundle.licences import NONE, read, text
from fleet.bundle.wheels import PACKAGES
from tests.support.licensed_wheels import PYAV, licensed_wheel


@pytest.mark.parametrize(
    ("headers", "licence", "spdx"),
    [
        (["License-Expression: MIT AND PSF-2.0"], "MIT AND PSF-2.0", True),
        (["License: MIT License"], "MIT License", False),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: BSD License"], "BSD License", False),
        ([f"License: {'the whole text ' * 20}", "Classifier: License :: OSI Approved :: MIT License"],
         "MIT License", False),
        (["Classifier: License :: A", "Classifier: License :: OSI Approved :: B"], "License :: A; B", False),
        (["Classifier: Typing :: Typed"], NONE, False),
    ],
)  # fmt: skip
def test_the_licence_is_the_one_that_the_wheel_says_best(
    tmp_path: Path, headers: list[str], licence: str, spdx: bool
) -> None:
    found = read(licensed_wheel(tmp_path, "x", *headers))

    assert (found.licence, found.spdx) == (licence, spdx)


def test_libraries_and_texts_in_a_wheel_are_found_by_their_files(tmp_path: Path) -> None:
    found = read(licensed_wheel(tmp_path, "av", "License-Expression: BSD-3-Clause", holds=PYAV))

    assert found.libraries == ("libavcodec", "libx264", "libx265")
    assert [each.name for each in found.copyleft] == ["x264", "x265"]
    assert found.texts == ("av-1.0.dist-info/licenses/AUTHORS.rst", "av-1.0.dist-info/licenses/LICENSE.txt")


def test_whoever_passes_it_on_is_told_what_the_gpl_asks_and_of_what(tmp_path: Path) -> None:
    wheels = [
        read(licensed_wheel(tmp_path, "zzz", "License: MIT")),
        read(licensed_wheel(tmp_path, "av", "License-Expression: BSD-3-Clause", holds=PYAV)),
    ]
    shown = text("ngatu-1.0-x86_64-py311.bundle", wheels)

    assert "ngatu-1.0-x86_64-py311.bundle" in shown
    assert "x264 (GPL-2.0-or-later), machine code in av-1.0-py3-none-any.whl" in shown
    assert "x265 (GPL-2.0-or-later)" in shown and "https://code.videolan.org/videolan/x264" in shown
    assert "written offer" in shown
    assert shown.index("\nav 1.0: BSD-3-Clause\n") < shown.index("\nzzz 1.0: MIT\n")
    assert max(map(len, shown.splitlines())) <= 130


def test_where_nothing_asks_for_it_nobody_is_told_of_the_gpl(tmp_path: Path) -> None:
    shown = text(
        "b", [read(licensed_wheel(tmp_path, "x", "License: MIT", holds=("x.libs/libopus-1a2b3c4d.so.0",)))]
    )

    assert "WHOEVER PASSES" not in shown
    assert "with libraries: libopus" in shown


def test_a_wheel_that_brings_a_package_of_our_name_is_refused(tmp_path: Path) -> None:
    foreign = licensed_wheel(tmp_path, "stranger", holds=("models/__init__.py", "stranger/x.py"))

    with pytest.raises(NgatuError, match=r"stranger-1\.0\S+: it brings a package `models`, as ngatu does"):
        read(foreign, PACKAGES)
    assert read(foreign).name == "stranger"
