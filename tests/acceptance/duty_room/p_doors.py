"""P80: every route of the console, asked by whoever is not logged in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from station.access.roles import Role
from tests.acceptance.duty_room.p_texts import DEVICE, known_values, listed, tell
from tests.acceptance.duty_room.screen_stage import Screen, screened
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.hostile_texts import MARK
from tests.support.site_walk import SiteRoute

OPEN = {"/login", "/static/{name}", "/alive", "/language/{code}"}
"""Routes that answer whoever asks."""
MOST_BYTES = 2000
"""Of a word that somebody is not logged in."""


@promise(
    "P80", "every route is asked by whoever is not logged in, with every method and with guesses",
    "nothing but the way to the log-in or 401",
)  # fmt: skip
def closed_doors(trial: Trial) -> str:
    """With the ids of what is there, so that there is something to give away."""
    seen, faults = doors(trial)
    if faults:
        raise Broken(f"{len(faults)} of {seen}: {'; '.join(faults[:5])}")
    return f"{seen} requests without a log-in: each turned away"


@promise("P80.1", "planted fault: a page forgets to ask who is there", "the judge sees it")
def forgotten_lock(trial: Trial) -> str:
    """A route that is added stands in the walk by itself."""
    _, faults = doors(trial, "unlocked")
    if not any("/newest" in each for each in faults):
        raise Broken(f"the judge is blind: {faults[:3]}")
    return faults[0]


def doors(trial: Trial, plant: str = "") -> tuple[int, list[str]]:
    """How many requests, and which were answered with more than the way to the log-in."""
    faults: list[str] = []
    seen, folder = 0, trial.folder / (plant or "played")
    folder.mkdir()
    with screened(folder, planted=plant) as (_, server, screen), _strangers(screen) as strangers:
        screen.hire(("quan", Role.ADMINISTRATOR))
        tell(server.port, screen)
        routes = listed(screen) + ([SiteRoute("/newest", frozenset({"GET"}), ())] if plant else [])
        values = known_values(screen, routes)
        for route in routes:
            for method in sorted(route.methods | {"HEAD", "OPTIONS"}):
                for stranger in strangers if route.path not in OPEN else ():
                    seen += 1
                    answer = stranger.request(method, route.filled(values))
                    if why := _gives_away(answer):
                        faults.append(f"{method} {route.path}: {why}")
    return seen, faults


def _gives_away(answer: httpx.Response) -> str:
    """What is wrong with what a stranger got; empty: nothing."""
    there = answer.headers.get("location", "")
    is_turned = answer.status_code in (401, 405) or (answer.status_code == 303 and there.startswith("/login"))
    if not is_turned:
        return f"{answer.status_code} {answer.content[:60]!r}"
    if any(each.encode() in answer.content for each in (MARK, DEVICE)) or len(answer.content) > MOST_BYTES:
        return f"it says {answer.content[:60]!r}"
    return ""


@contextmanager
def _strangers(screen: Screen) -> Iterator[list[httpx.Client]]:
    """A browser, a program, and one with a cookie that somebody guessed."""
    heads = ({"accept": "text/html"}, {"accept": "application/json"}, {"cookie": f"ngatu={'a' * 43}"},
             {"authorization": "Bearer ngatu-guessed"})  # fmt: skip
    made = [httpx.Client(base_url=screen.url, headers=each, timeout=60) for each in heads]
    try:
        yield made
    finally:
        for each in made:
            each.close()
