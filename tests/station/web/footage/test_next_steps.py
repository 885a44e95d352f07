"""station.web.footage.next_steps, on the page of a request"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from html import unescape

import pytest
from sqlalchemy import update

from station.footage.folder import FootageRequest, RequestFolder
from station.store.database import engine_of, url_of
from station.store.schema import box
from tests.support.duty_screen import DutyScreen
from tests.support.judged_packages import DEVICE, JudgedPackages


def asked(packages: JudgedPackages, ago_s: float) -> RequestFolder:
    """A request of so many seconds ago."""
    at = datetime.fromtimestamp(time.time() - ago_s, UTC)
    fields = packages.asked("01a2-other").request.model_dump() | {"id": "01a2-first", "asked_at": at}
    return packages.folders.new(FootageRequest(**fields), None)


def away(screen: DutyScreen) -> None:
    """The box has gone."""
    engine = engine_of(url_of(screen.console.config.database, screen.state_dir))
    with engine.begin() as connection:
        connection.execute(update(box).values(state="offline", state_ms=round(time.time() * 1000) - 60_000))
    engine.dispose()


def steps(screen: DutyScreen, login: str = "lan") -> tuple[str, list[tuple[str, str]]]:
    """What holds it up, and each step with how far it is."""
    page = screen.client(login, "en").get(f"/requests/{DEVICE}/01a2-first").text
    card = page[page.index('id="goes-on"') :].split("</section>")[0]
    held = re.search(r'<p class="problem">(.*?)</p>', card)
    found = re.findall(r'<li class="(\w+)"[^>]*>(.*?)</li>', card, re.DOTALL)
    said = [(mark, " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())) for mark, text in found]
    return unescape(held[1]) if held else "", said


def test_the_page_says_who_asked_what_is_next_and_who_may_hand_over(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    asked(packages, 60)

    held, said = steps(screen)

    assert held == ""
    assert [mark for mark, _ in said] == ["done", "now", "later", "later", "later"]
    assert said[0][1].startswith("Lê Văn A asked for it. An officer may: nobody has to approve it.")
    assert said[4][1].endswith("Tell one of them the case: Trần Văn Bình.")
    assert steps(screen, "binh")[1][4][1] == "You may hand it over as one ZIP file, below."


def test_while_it_comes_the_page_says_how_long_the_rest_takes_at_the_pace_so_far(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    asked(packages, 600).tell(stage="sending", size_bytes=4_000_000, arrived_bytes=1_000_000)

    _, said = steps(screen)

    assert said[2][0] == "now"
    assert "This much came in 10 min; at that pace the rest takes about 30 min." in said[2][1]


def test_a_package_that_is_here_waits_for_its_hand_over_alone(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    packages.here()

    assert [mark for mark, _ in steps(screen)[1]] == ["done", "done", "done", "done", "now"]


@pytest.mark.parametrize(
    ("stage", "ago_s", "words"),
    [
        ("asked", 60, "has not heard of it. The request waits for it until"),
        ("asked", 90_000, "The box did not hear of it within a day, and it goes out no more: ask for it anew."),
        ("sending", 90_000, "It keeps the footage and goes on by itself once it is back: do not ask anew."),
    ],
)
def test_of_a_box_that_is_away_the_page_says_whether_the_request_waits(
    packages: JudgedPackages, screen: DutyScreen, stage: str, ago_s: float, words: str
) -> None:
    folder = asked(packages, ago_s)
    if stage != "asked":
        folder.tell(stage=stage)
    away(screen)

    assert words in steps(screen)[0]


def test_what_was_refused_goes_on_no_more(packages: JudgedPackages, screen: DutyScreen) -> None:
    asked(packages, 60).tell(stage="refused")

    assert 'id="goes-on"' not in screen.client().get(f"/requests/{DEVICE}/01a2-first").text
