"""The preview's page in a real browser: drawn on with a mouse and with a finger, pasted, tried"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.config.schema import CameraConfig, load
from agent.tools.preview.words import in_language
from tests.agent.tools.preview.conftest import road, write_config
from tests.support.boxes import NGATU
from tests.support.browser import DESK, PHONE, Tab, browser
from tests.support.preview_page import preview_page
from tests.support.serving_program import ServingProgram

__all__ = ["road"]  # fixtures

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ZONE = ((0.1, 0.2), (0.25, 0.2), (0.25, 0.8), (0.1, 0.8))
CROSSED = ((0.75, 0.2), (0.95, 0.2), (0.75, 0.8), (0.95, 0.8))
THUMB_PX = 44
"""Least side of what a thumb hits: Apple's and Google's guidelines say 44 and 48."""
NEAR = 0.004
"""A pixel of the screen, in fractions of the picture."""


@pytest.fixture(scope="module")
def hostile_video(tmp_path_factory: pytest.TempPathFactory, road: Path) -> Path:
    """Its name would be markup, and a script."""
    path = tmp_path_factory.mktemp("video") / '"><img src=x onerror="document.title=666">.mp4'
    shutil.copy(road / "road.mp4", path)
    return path


@pytest.fixture(scope="module")
def box_file(tmp_path_factory: pytest.TempPathFactory, road: Path) -> Path:
    """The configuration of the box; nothing writes to it."""
    return write_config(tmp_path_factory.mktemp("box"), road)


@pytest.fixture(scope="module")
def page(box_file: Path, hostile_video: Path) -> Iterator[ServingProgram]:
    """One preview for all; each test begins with what the file says."""
    with preview_page(box_file, "--video", str(hostile_video)) as program:
        yield program


@pytest.fixture(scope="module")
def shared_tab() -> Iterator[Tab]:
    with browser() as tab:
        yield tab


@pytest.fixture(params=["desk", "phone"])
def tab(request: pytest.FixtureRequest, shared_tab: Tab, page: ServingProgram) -> Tab:
    """The page as it stands, on one of two screens, with the first picture there."""
    return opened(shared_tab, page, PHONE if request.param == "phone" else DESK)


HEADERS = "{'Content-Type': 'application/json'}"
READ = f"fetch('read', {{method: 'POST', headers: {HEADERS}, body: '{{}}'}}).then((answer) => answer.ok)"


def opened(
    tab: Tab, page: ServingProgram, screen: dict[str, Any], words: str = "", *, anew: bool = True
) -> Tab:
    tab.size(screen)
    if anew:
        tab.go(page.url + "icon.svg")
        tab.until(f"location.pathname === '/icon.svg' && {READ}")
    tab.go("about:blank")
    tab.until("location.href === 'about:blank'")
    tab.complaints.clear()
    tab.go(page.url + words)
    tab.until("document.querySelector('#waiting')?.hidden && document.querySelector('#yaml').value", 40)
    return tab


def is_phone(tab: Tab) -> bool:
    return bool(tab.screen["mobile"])


def hit(tab: Tab, selector: str) -> None:
    tab.press(selector, finger=is_phone(tab))


def draw(tab: Tab, part: str, *corners: tuple[float, float]) -> None:
    hit(tab, f"[data-draw={part}]")
    for corner in corners:
        (tab.tap if is_phone(tab) else tab.click)(*tab.inside("#stage", *corner))
    if part != "lines":
        hit(tab, "#done")


def yaml_with(tab: Tab, words: str) -> str:
    """The lines for the file, once they hold these words and are right."""
    script = f"(y => y.includes({json.dumps(words)}) && document.querySelector('#wrong').hidden && y)"
    return str(tab.until(f"{script}(document.querySelector('#yaml').value)"))


def pasted(config: Path, lines: str) -> CameraConfig:
    """The camera of the file with these lines in the place of its own; judged by `ngatu check`."""
    head = config.read_text(encoding="utf-8").partition("    zones:")[0]
    file = config.with_name("pasted.yaml")
    file.write_text(head + lines, encoding="utf-8")
    command = [*NGATU, "check", "--offline", "-c", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return load(file).cameras[0]


def near(given: Any, wanted: Any) -> bool:
    return all(
        abs(a - b) < NEAR
        for one, other in zip(given, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def test_the_live_picture_shows_what_moves_and_nothing_is_wrong_with_the_page(tab: Tab) -> None:
    tab.until("!!document.querySelector('#seen .track') && !!document.querySelector('#seen .motion')", 30)
    bright = tab.until(
        "(() => { const c = document.querySelector('#picture'), x = c.getContext('2d');"
        "const d = x.getImageData(0, 0, c.width, c.height).data; let n = 0;"
        "for (let i = 0; i < d.length; i += 4) if (d[i] > 200) n++; return n })()"
    )

    assert 500 < bright < 6000  # the square has 48 × 48 pixels
    assert tab.run("document.querySelector('#camera').textContent") == "road"
    assert "road-users" in tab.until("document.querySelector('#events').textContent.includes('road-users') &&"
                                     "document.querySelector('#events').textContent")  # fmt: skip
    assert tab.complaints == []


def test_a_zone_a_line_and_a_mask_are_drawn_and_pasted_into_the_file(tab: Tab, box_file: Path) -> None:
    draw(tab, "zones", *ZONE)
    draw(tab, "lines", (0.3, 0.9), (0.9, 0.85))
    draw(tab, "privacy_masks", (0.8, 0.05), (0.95, 0.05), (0.9, 0.3))
    camera = pasted(box_file, yaml_with(tab, "privacy_masks"))

    assert [zone.id for zone in camera.zones] == ["road", "zone-1"]
    assert near(camera.zones[1].polygon, ZONE)
    assert camera.rules[-1].id == "line-1" and camera.rules[-2].id == "the-line"
    assert near(camera.rules[-1].ends, ((0.3, 0.9), (0.9, 0.85)))
    assert near(camera.privacy_masks[0], ((0.8, 0.05), (0.95, 0.05), (0.9, 0.3)))
    assert camera.rules[3].model_dump()["count_every_s"] == 5  # what the file said of a rule is still there
    assert in_language("en")["mask_not_in_force"] in tab.run("document.querySelector('#masks').textContent")
    assert tab.complaints == []


def test_edges_that_cross_are_told_at_once_in_the_language_of_the_reader(tab: Tab) -> None:
    draw(tab, "zones", *CROSSED)
    english = tab.until(
        "!document.querySelector('#wrong').hidden && document.querySelector('#mistakes').textContent"
    )
    hit(tab, "#languages button:last-child")
    vietnamese = tab.until("document.querySelector('#mistakes').textContent.includes('cắt nhau') &&"
                           "document.querySelector('#mistakes').textContent")  # fmt: skip

    assert "zone zone-1: its edges 2 and 4 cross" in english
    assert "zone-1" in vietnamese
    assert tab.run("document.querySelectorAll('#drawn .wrong').length") == 1
    assert tab.run("document.querySelector('#start').disabled && document.querySelector('#copy').disabled")
    assert tab.run("document.documentElement.lang") == "vi"
    assert tab.run("document.querySelector('[data-draw=zones]').textContent") == "Vùng"
    assert tab.complaints == []


def test_a_corner_is_dragged_and_a_rule_is_added_and_named(tab: Tab, box_file: Path) -> None:
    draw(tab, "zones", *ZONE)
    yaml_with(tab, "zone-1")
    way = tab.inside("#stage", 0.25, 0.8), tab.inside("#stage", 0.27, 0.85), tab.inside("#stage", 0.2, 0.9)
    (tab.slide if is_phone(tab) else tab.drag)(*way)
    card = "[data-part=zones][data-index='1']"
    tab.run(
        f"(s => {{ s.value = 'wrong_way'; s.dispatchEvent(new Event('change')) }})"
        f"(document.querySelector({json.dumps(card + ' .adds')}))"
    )
    tab.write(f"{card} input[type=number]", "90")
    tab.write(f"{card} > label input", "lane")
    camera = pasted(box_file, yaml_with(tab, "direction_deg: 90"))

    assert camera.zones[1].id == "lane"
    assert near(camera.zones[1].polygon, (*ZONE[:2], (0.2, 0.9), ZONE[3]))
    rule = camera.rules[-1].model_dump(mode="json")
    assert (rule["kind"], rule["zone"], rule["direction_deg"]) == ("wrong_way", "lane", 90)


def test_a_drawing_outlives_the_page_and_the_file_can_be_taken_again(tab: Tab, page: ServingProgram) -> None:
    draw(tab, "lines", (0.2, 0.3), (0.2, 0.7))
    before = yaml_with(tab, "line-1")
    opened(tab, page, tab.screen, anew=False)
    after = tab.run("document.querySelector('#yaml').value")
    hit(tab, "#read")
    tab.until("!document.querySelector('#yaml').value.includes('line-1')")

    assert after == before
    assert in_language("en")["same_as_file"] in tab.run("document.querySelector('#saved').textContent")


COPIED = """
document.addEventListener('copy', () => {
  const area = document.activeElement;
  window.copied = area.value.slice(area.selectionStart, area.selectionEnd);
})
"""


def test_the_lines_are_copied(tab: Tab) -> None:
    tab.run(COPIED)
    hit(tab, "#copy")

    assert tab.until("window.copied") == tab.run("document.querySelector('#yaml').value")
    assert tab.until("document.querySelector('#copy').textContent") == "Copied"


def test_rules_are_tried_on_recorded_video_and_its_name_stays_text(tab: Tab, hostile_video: Path) -> None:
    draw(tab, "lines", (0.7, 0.1), (0.7, 0.9))
    yaml_with(tab, "line-1")
    hit(tab, "#start")
    tab.until("document.querySelectorAll('#tried li').length >= 5", 60)
    answered = tab.until(
        "document.querySelector('#stop').disabled && document.querySelector('#tried').textContent", 60
    )
    tab.run("[...document.querySelectorAll('#tried img')].forEach(each => { each.loading = 'eager' })")
    loaded = (
        "[...document.querySelectorAll('#tried img')].every(each => each.complete && each.naturalWidth === 512)"
    )

    assert re.search(r"line-1 · line_crossed · car · out", answered)
    assert hostile_video.name in tab.run("document.querySelector('#course').textContent")
    assert tab.run("document.querySelector('#footage').textContent") == hostile_video.name
    assert tab.until(loaded)
    assert tab.run("document.title") == "road · ngatu"
    assert tab.complaints == []


SMALL = """
[...document.querySelectorAll('button, select, summary, label, input:not([type=checkbox])')]
  .filter((each) => each.offsetParent)
  .map((each) => [each.id || each.textContent.slice(0, 20), each.getBoundingClientRect()])
  .filter(([, box]) => Math.min(box.width, box.height) < THUMB).map(([name]) => name)
"""
GRIPS = "[...document.querySelectorAll('#drawn .grip')].map((each) => 2 * each.r.baseVal.value)"


def test_on_a_phone_everything_is_wide_enough_for_a_thumb_and_nothing_runs_over_the_edge(
    shared_tab: Tab, page: ServingProgram
) -> None:
    for code in ("en", "vi"):
        tab = opened(shared_tab, page, PHONE, f"?lang={code}")
        draw(tab, "zones", *ZONE)
        tab.run("document.querySelector('#layers').open = true")

        assert tab.run(SMALL.replace("THUMB", str(THUMB_PX))) == [], code
        assert min(tab.until(GRIPS)) >= THUMB_PX
        assert tab.run("document.documentElement.scrollWidth") == PHONE["width"], code
        assert tab.run("document.querySelector('#stage').getBoundingClientRect().width") == PHONE["width"], code


CONTRASTS = """
(() => {
  const part = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[0-9.]+/g).map((each) => part(each / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (each) => {
    for (; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (!/^rgba.*, 0[)]$/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('h1, h2, p, button, li, label, textarea, .alarm')]
    .filter((each) => each.offsetParent && !each.disabled)
    .map((each) => {
      const both = [light(getComputedStyle(each).color), light(ground(each))].sort((a, b) => b - a);
      return [(both[0] + 0.05) / (both[1] + 0.05), `${each.tagName}#${each.id}`];
    });
})()
"""


def test_black_on_white_can_be_read_in_the_sun(shared_tab: Tab, page: ServingProgram) -> None:
    """WCAG's enhanced contrast is 7 : 1."""
    tab = opened(shared_tab, page, PHONE)
    draw(tab, "zones", *CROSSED)
    tab.until("!document.querySelector('#wrong').hidden")
    ratios = tab.run(CONTRASTS)

    assert len(ratios) > 20
    assert [name for ratio, name in ratios if ratio < 7] == []


def test_a_preview_that_was_ended_is_told_on_the_page(shared_tab: Tab, tmp_path: Path, road: Path) -> None:
    with preview_page(write_config(tmp_path, road)) as page:
        tab = opened(shared_tab, page, PHONE)
        page.stop()
        tab.until("!document.querySelector('#trouble').hidden")

    assert tab.run("document.querySelector('#trouble').textContent") == in_language("en")["gone"]
