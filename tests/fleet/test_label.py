"""fleet.label: a reader finds the box in what is printed, and nothing else"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from typer.testing import CliRunner

from agent.cli.main import gathered
from agent.errors import NgatuError, UsageError
from fleet.label import Label, svg, terminal, write

LABEL = Label("hai-ninh", "hai-ninh-03", "Ngã tư Lê Lợi – Trần Phú", "Công an xã Hải Ninh, 0230 123 456")
LONGEST = Label("x" * 32, "y" * 32, "Ngã tư rất dài " * 13, "0" * 200)
SVG = "{http://www.w3.org/2000/svg}"

Picture = npt.NDArray[np.uint8]


def read(modules: Picture) -> str:
    """What a QR reader sees; `modules` is 0 where it is dark, 255 where it is light, one pixel a module."""
    picture = np.kron(np.pad(modules, 4, constant_values=255), np.ones((8, 8), np.uint8))
    text, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    return text


def printed(text: str) -> Picture:
    """The modules of the code in an SVG, drawn as its path says."""
    path = ElementTree.fromstring(text).find(f"{SVG}g[@id='code']/{SVG}path")
    assert path is not None
    runs = [[int(each) for each in run] for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path.attrib["d"])]
    assert "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in runs) == path.attrib["d"]
    size = max(y for _, y, _ in runs) + 1
    modules = np.full((size, size), 255, np.uint8)
    for x, y, length in runs:
        modules[y, x : x + length] = 0
    return modules


def shown(lines: list[str]) -> Picture:
    """The modules of the code on a dark terminal, where a block shines."""
    upper = {"█": 255, "▀": 255, "▄": 0, " ": 0}
    lower = {"█": 255, "▀": 0, "▄": 255, " ": 0}
    blocks = [line for line in lines if line and set(line) <= set(upper)]
    rows = [[each[letter] for letter in line] for line in blocks for each in (upper, lower)]
    return np.array(rows, np.uint8)


@pytest.mark.parametrize("label", [LABEL, Label("abc", "xyz"), LONGEST], ids=["usual", "shortest", "longest"])
def test_the_printed_code_and_the_one_on_the_terminal_name_the_box(label: Label) -> None:
    assert read(printed(svg(label))) == f"ngatu:{label.commune}/{label.device}"
    assert read(shown(terminal(label))) == f"ngatu:{label.commune}/{label.device}"


def test_a_quarter_of_the_code_may_be_dirty() -> None:
    modules = printed(svg(LABEL))
    side = len(modules)
    modules[side - 9 : side - 1, 10:18] = 255  # a corner torn off that holds no finder pattern

    assert read(modules) == "ngatu:hai-ninh/hai-ninh-03"


def test_the_words_are_on_the_label_whole() -> None:
    texts = [each.text or "" for each in ElementTree.fromstring(svg(LABEL)).iter(f"{SVG}text")]

    assert texts[:2] == ["hai-ninh-03", "hai-ninh"]
    assert " ".join(texts[2:]) == "Ngã tư Lê Lợi – Trần Phú Công an xã Hải Ninh, 0230 123 456"


def test_long_words_are_cut_and_not_drawn_over_each_other() -> None:
    texts = list(ElementTree.fromstring(svg(LONGEST)).iter(f"{SVG}text"))
    heights = [float(each.attrib["y"]) for each in texts]

    assert len(texts) <= 2 + 3 + 2
    assert heights == sorted(heights) and heights[-1] < 36
    assert float(texts[0].attrib["font-size"]) * 32 < 72


def test_marks_of_xml_in_a_place_are_text() -> None:
    drawn = svg(Label("hai-ninh", "hai-ninh-03", 'A & B <i>"c"</i>'))

    assert 'A & B <i>"c"</i>' in "".join(ElementTree.fromstring(drawn).itertext())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("hai-ninh", "Hai Ninh 3"), "box: 'Hai Ninh 3' is not 2 to 32 of a-z"),
        (("hai/ninh", "hai-ninh-03"), "commune: 'hai/ninh' is not 2 to 32 of a-z"),
        (("hai-ninh", "hai-ninh-03\n"), "box: 'hai-ninh-03\\\\n' is not"),
        (("hai-ninh", "hai-ninh-03", "two\nlines"), "place: is not one line"),
        (("hai-ninh", "hai-ninh-03", "", "x" * 201), "contact: is not one line of at most 200 letters"),
    ],
)
def test_what_cannot_be_a_label_is_refused(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(NgatuError, match=why):
        Label(*words)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NgatuError, match="file: this is no folder"):
        write(LABEL, tmp_path / "file" / "label.svg")


@pytest.mark.parametrize("name", ["label.png", "folder", "folder.svg"])
def test_what_is_no_svg_file_is_told_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    for folder in ("folder", "folder.svg"):
        (tmp_path / folder).mkdir()
    with pytest.raises(UsageError, match="a label is an SVG file") as refused:
        write(LABEL, tmp_path / name)
    assert f"name it {LABEL.device}.svg" in (refused.value.hint or "")
    assert {each.name for each in tmp_path.iterdir()} == {"folder", "folder.svg"}


def test_where_nothing_draws_codes_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)  # so Python says that there is none

    with pytest.raises(NgatuError, match="a label needs the package segno"):
        terminal(LABEL)


def test_the_command_shows_and_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "labels" / "hai-ninh-03.svg"
    words = ["box", "label", "hai-ninh", "hai-ninh-03", "--place", "Chợ", "--out", str(out)]

    done = CliRunner().invoke(gathered(), words)

    assert done.exit_code == 0, done.output
    assert read(shown(done.output.splitlines())) == "ngatu:hai-ninh/hai-ninh-03"
    assert "print it at its own size" in done.output
    assert read(printed(out.read_text())) == "ngatu:hai-ninh/hai-ninh-03"
