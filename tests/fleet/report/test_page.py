"""fleet.report.page and report.yml: a page that stands alone, in both languages"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from agent.cli.main import gathered
from agent.errors import NgatuError
from agent.transport.settings import EndpointSettings
from fleet.report.gather import read
from fleet.report.page import page
from fleet.report.page import write as write_page
from fleet.report.words import LANGUAGES
from fleet.rollout_check import Wanted, proven
from tests.conftest import ROOT
from tests.repo.test_new_box import Province
from tests.support.boxes import Box, at_work
from tests.support.brokers import Mosquitto
from tests.support.disks import filled, small_disk
from tests.support.programs import require
from tests.support.provinces import NOW, box, certificates, host, look, province, release, write

VOID = {"meta", "br", "link", "img"}
REPORT = ROOT / "deploy/ansible/report.yml"


class Balanced(HTMLParser):
    """Whether every tag is closed in its place, and what a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def shown(text: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text.partition("</style>")[2])))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_stands_alone_and_names_every_box(tmp_path: Path, language: str) -> None:
    text = page(read(write(tmp_path, province(), host())), language)

    assert Balanced(text).fetched == []
    assert not re.search(r"url\(|@import|<script", text)
    for each in province():
        assert f'scope="row">{each["name"]}<' in text
    assert f'<html lang="{language}">' in text


@pytest.mark.parametrize(("language", "words"), [("en", "as of"), ("vi", "lúc")])
def test_times_are_those_of_a_clock_whose_zone_is_named(tmp_path: Path, language: str, words: str) -> None:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    content = shown(page(read(write(tmp_path, province(), host())), language, zone))

    assert f"{words} {NOW.astimezone(zone):%Y-%m-%d %H:%M} Asia/Ho_Chi_Minh (UTC+07:00)" in content


def test_boxes_that_do_not_answer_are_shown_with_the_reason(tmp_path: Path) -> None:
    content = shown(page(read(write(tmp_path, province())), "en"))

    assert (
        "Has never spoken at its broker. Does not answer over SSH: connect to host x port 22: No route"
        in content
    )
    assert "The broker could not be asked about it: tram-dong-ha:8884: Connection refused" in content


def test_the_facts_of_a_box_are_on_it(tmp_path: Path) -> None:
    content = shown(page(read(write(tmp_path, [box()])), "en"))

    for fact in ("0.2.0", "north: sees", "by NTP", "58 °C, power good", "21.5 GB of 31.3 GB free",
                 "317 GB written", "2027-02-05", "just now", "Ngã tư Lê Lợi – Trần Phú"):  # fmt: skip
        assert fact in content, fact


def test_what_a_box_says_cannot_become_part_of_the_page(tmp_path: Path) -> None:
    text = page(read(write(tmp_path, [box(place="<script>alert(1)</script>", why="<b>", reached=False)])), "en")

    assert "<script" not in text and "&lt;script&gt;" in text


STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
EVIL = '\x1b[31m\x9b2J\u202e<img src=x onerror=alert(1)>" onmouseover="alert(1)'


def test_nothing_that_a_box_says_steers_the_page_or_becomes_a_part_of_it(tmp_path: Path) -> None:
    """Whoever has taken over a box lets its tools, its disk and its agent say whatever he likes."""
    last = {"outcome": "reverted", "version": EVIL, "why": EVIL}
    health = {
        "degraded": [f"{EVIL}:{EVIL}"], "versions": {"ngatu": EVIL},
        "cameras": {EVIL: {"state": "lost"}, "north": {"state": "streaming"}},
    }  # fmt: skip
    evil = box(
        look=look(version=EVIL, **health), release=release(EVIL, last=last), why=EVIL, look_why=EVIL,
        certificates=certificates(3, EVIL), reached=True,
    )  # fmt: skip
    text = page(read(write(tmp_path, [evil, box("hai-ninh-02")], host(why=EVIL, failed=f"{EVIL} x\n"))), "en")

    assert STEERING.findall(text) == []
    assert "<img" not in text and '" onmouseover' not in text and Balanced(text).fetched == []
    assert "&lt;img" in text, "it is shown for what it is"


def test_the_page_says_the_titles_of_cameras_beside_their_names(tmp_path: Path) -> None:
    said = json.loads(look(cameras={"north": {"state": "lost"}}))
    said["info"]["cameras"] = [{"id": "north", "name": f"Hướng chợ{EVIL}"}]

    text = page(read(write(tmp_path, [box(look=json.dumps(said))])), "vi")

    assert "Camera Hướng chợ" in text and "(north): mất" in text
    assert STEERING.findall(text) == [] and "<img" not in text


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = ["version", "last", "trial", "outcome", "why", "serial", "name", "ends", "days_left", "box",
        "status", "info", "health", "cameras", "kept"]  # fmt: skip
LINES = st.from_regex(
    r"(/\S{0,5}|/sys/x/(life_time|errors_count|lifetime_write_kbytes))?( -?[0-9a-fx]{0,30}){0,3}",
    fullmatch=True,
)
PRINTED = st.one_of(
    st.text(max_size=200),
    st.dictionaries(st.sampled_from(KEYS), JUNK | st.dictionaries(st.sampled_from(KEYS), JUNK)).map(json.dumps),
    st.lists(LINES).map("\n".join),
)
PARTS = ("release", "certificates", "storage", "secrets", "look", "look_why", "why")


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(PARTS, PRINTED)))
def test_whatever_one_box_prints_the_page_of_all_is_made(printed: dict[str, str]) -> None:
    boxes = [box(**printed), box("hai-ninh-02")]
    station = host(
        certificates=printed["certificates"], storage=printed["storage"], kept=printed["release"]
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        text = page(read(write(Path(folder), boxes, station)), "vi")

    assert STEERING.findall(text) == [] and 'scope="row">hai-ninh-02<' in text


def test_no_table_for_spreadsheets_has_a_cell_that_could_be_a_formula() -> None:
    """Whoever writes one must see to cells that begin with = + - @; `printable.spreadsheet_cell` does."""
    programs = [
        *(ROOT / "agent").rglob("*.py"),
        *(ROOT / "station").rglob("*.py"),
        *(ROOT / "fleet").rglob("*.py"),
    ]

    writes = re.compile(r"\bcsv\.(writer|DictWriter)\b|\bfrom csv\b|\.csv\b")
    writers = [each for each in programs if writes.search(each.read_text())]
    assert len(writers) > 3
    guarded = {each for each in writers if "spreadsheet_cell(" in each.read_text()}
    # A page that only names such a file hands the rows to one of these.
    modules = "|".join(re.escape(".".join(each.relative_to(ROOT).with_suffix("").parts)) for each in guarded)
    hands_on = re.compile(rf"^from ({modules}) import .*\b(csv_lines|write_csv)\b", re.MULTILINE)
    others = [each for each in writers if each not in guarded]
    assert not [
        each for each in others if not hands_on.search(each.read_text()) or "csv.writer" in each.read_text()
    ]


def test_without_boxes_it_says_so(tmp_path: Path) -> None:
    content = shown(page(read(write(tmp_path, [])), "en"))

    assert "There is no box in the inventory." in content
    assert "Nothing: every box and every station is well." in content


def test_a_language_that_it_does_not_speak_is_told(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="--language fr"):
        page(read(write(tmp_path, [])), "fr")


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    facts = write(tmp_path, province(), host())
    done = CliRunner().invoke(gathered(), ["box", "report", str(facts), "--out", str(out), "--language", "vi"])

    assert done.exit_code == 0, done.output
    assert done.output == f"{out}: 17 boxes, 1 brokers and stations\n"
    assert "Tất cả các hộp (17)" in shown(out.read_text())


@pytest.mark.long
@pytest.mark.broker
def test_a_real_box_is_on_it_as_it_tells_of_itself(tmp_path: Path, mosquitto: Mosquitto) -> None:
    broker = EndpointSettings(port=mosquitto.port)
    words = ["box", "look", "test-commune", "test-box-01", "--port", str(mosquitto.port)]
    with at_work(Box(tmp_path, mosquitto.port)):
        seen = proven(broker, "test-commune", "test-box-01", Wanted("0.1.0"), 40)
        done = CliRunner().invoke(gathered(), words)
    assert seen.status is not None
    facts = write(tmp_path, [box("test-box-01", look=done.output)])
    facts.write_text(facts.read_text().replace(NOW.isoformat(), seen.status.time.isoformat()))

    assert "road: sees" in shown(page(read(facts), "en"))


def played(away: Province, *words: str) -> subprocess.CompletedProcess[str]:
    """report.yml where no host answers: this machine's own address, without SSH there."""
    require({"ssh": "openssh-client"})
    return subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-i", away.hosts, "report.yml",
         "-e", "ansible_host=127.0.0.1", "-e", "ansible_port=1", *words],
        capture_output=True, text=True, timeout=110, check=False, stdin=subprocess.DEVNULL,
        cwd=REPORT.parent, env=away.environment,
    )  # fmt: skip


def report(away: Province, *words: str) -> str:
    """The page that it makes."""
    done = played(away, *words)
    assert done.returncode == 0, done.stdout[-3000:]
    return shown((away.folder / "report.html").read_text())


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-e", "language=fr"), "--language fr: the report does not speak it hint: one of en, vi. No host was"),
        (
            ("-e", "timezone=Asia/Hue"),
            "--timezone Asia/Hue: there is no such zone hint: such as Asia/Ho_Chi_Minh",
        ),
        (
            ("-e", "report=/nowhere/report.html"),
            "/nowhere: there is no such folder hint: make it, or name another",
        ),
        (("--limit", "commune_hai_ninh"), "Write --limit commune_hai_ninh,localhost. No host was asked."),
    ],
    ids=["language", "zone", "folder", "limit"],
)
def test_what_cannot_be_done_is_refused_before_any_host_is_asked(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    away = Province(tmp_path)
    done = played(away, *words)

    assert done.returncode == 2
    assert message in " ".join(done.stdout.replace("\\n", " ").split()), done.stdout
    assert "What the boxes tell" not in done.stdout and "UNREACHABLE" not in done.stdout
    assert not (away.folder / "report.html").exists() and not (away.folder / "report.html.json").exists()


def test_what_cannot_be_written_leaves_the_page_of_last_week(tmp_path: Path) -> None:
    facts = read(write(tmp_path, [box("hai-ninh-01")]))
    with small_disk(tmp_path / "stick", "64k") as stick:
        out = stick / "report.html"
        out.write_text("of last week")
        out.chmod(0o600)
        filled(stick)
        with pytest.raises(NgatuError, match=r"report\.html: No space left on device"):
            write_page(facts, out, "en")
        assert out.read_text() == "of last week"
        (stick / "filling").unlink()
        write_page(facts, out, "en")
        assert "All boxes (1)" in shown(out.read_text())
        assert out.stat().st_mode & 0o777 == 0o600, "as its owner has left it"


@pytest.mark.long
def test_with_every_host_away_the_playbook_still_writes_a_page_with_all_of_them(tmp_path: Path) -> None:
    content = report(Province(tmp_path), "-e", "language=vi")

    for name in ("hai-ninh-01", "hai-ninh-02", "hai-tay-01", "dong-ha-01", "dong-ha-02"):
        assert name in content
    assert "tram-hai" in content and "tram-dong-ha" in content
    assert "Không trả lời qua SSH: connect to host 127.0.0.1 port 1: Connection refused" in content
    assert "Tất cả các hộp (5)" in content


@pytest.mark.long
def test_of_a_part_only_that_part_is_on_the_page(tmp_path: Path) -> None:
    content = report(Province(tmp_path), "--limit", "commune_hai_ninh,localhost")

    assert "All boxes (2)" in content
    assert "hai-tay-01" not in content and "tram-hai" not in content
