"""P79: hostile texts by every way into the console, on every page and in every export."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cv2
import httpx
import numpy as np
from playwright.sync_api import Error as BrowserError

from agent.wire.payloads import EventPayload
from station.access.roles import Role
from station.config import load
from station.ingest.inbound import read
from station.web.app import bare_app
from station.web.console import DutyConsole
from tests.acceptance.duty_room.screen_stage import WAIT_S, Screen, a_browser, screened
from tests.acceptance.faults.p_hostile import ROOM, RawBox
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.duty_room import DESK, PASSWORD, PHONE
from tests.support.hostile_texts import HOSTILE, HostilePage, csv_faults, header_faults, json_faults
from tests.support.site_walk import PageForm, PageReader, SiteRoute, inside, routes_of
from tests.support.told_boxes import ToldBox

DEVICE = "hostile-01"
ENDLESS = {"/feed"}
WHO_WALKS = frozenset({"quan", "rita"})
"""Whose accounts stay as they are: who is logged out or has become an officer sees no export."""
LEFT_ALONE = ("/logout", "/own/password", "/own/logout", "/own/language", "/login")
"""Forms that would end the walk."""
PLAUSIBLE = {"login": "nam", "password": PASSWORD, "case": "12/2026", "purpose": "va chạm", "name": "Nam"}
NUMBERS = {"number": "1", "plan_id": "1", "token_id": "1"}


@promise(
    "P79",
    "script, control characters, formulas, marks of direction and endless words in whatever boxes and officers "
    "write, shown on every page that there is",
    "in a real browser nothing runs, nothing leaves its place or the screen; exports are inert",
    minutes=6,
)  # fmt: skip
def hostile_texts(trial: Trial) -> str:
    """Pages are found by the application's routes and by the links and forms of its pages."""
    walked = played(trial)
    if walked.faults:
        raise Broken(f"{walked}: {walked.worst()}")
    return str(walked)


@promise(
    "P79.1", "planted faults: pages take texts for HTML; exports take them as they are", "the judge sees both"
)
def texts_taken_for_more(trial: Trial) -> str:
    """The content policy keeps most scripts from running even then; what they change is seen."""
    seen = {}
    for plant, wanted in (("unescaped", "an element was made"), ("formulas", "a formula")):
        walked = played(trial, plant)
        seen[plant] = next((each for each in walked.faults if wanted in each), None)
        if seen[plant] is None:
            raise Broken(f"{plant}: the judge is blind: {walked}")
    return "; ".join(f"{plant}: {found}" for plant, found in seen.items())


# ------------------------------------------------------------------------------------------------ what is asked


@dataclass
class Walked:
    """Where somebody was, and what was wrong there."""

    pages: Counter[str] = field(default_factory=Counter)
    """Visits by route."""
    forms: int = 0
    exports: int = 0
    marked: int = 0
    """Pages on which such a text stood."""
    routes: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(HOSTILE)} texts, {self.forms} forms sent; {sum(self.pages.values())} pages of {self.routes} "
            f"routes, {self.marked} with such texts, {self.exports} exports: {len(self.faults)} faults"
        )

    def worst(self) -> str:
        """The first ones, each once."""
        return "; ".join(list(dict.fromkeys(self.faults))[:6])


def played(trial: Trial, plant: str = "") -> Walked:
    """Write the texts wherever somebody may write, then walk."""
    walked, most = Walked(), trial.size(3, 6, quick=1)
    folder = trial.folder / (plant or "played")
    folder.mkdir()
    with screened(folder, planted=plant) as (_, server, screen), a_browser() as browser:
        screen.hire(*((login, Role.ADMINISTRATOR) for login in ("quan", "rita")))
        tell(server.port, screen)
        routes = [each for each in listed(screen) if each.path not in ENDLESS]
        walked.routes = len(routes)
        texts = list(HOSTILE.values())[:: trial.size(1, 1, quick=4)]
        with screen.client("quan") as client:
            client.headers["accept"] = "text/html"
            walk = SiteWalk(client, routes, known_values(screen, routes), most)
            paths = walk.found()
            _send_forms(walked, client, walk.forms, texts)
            paths = SiteWalk(client, routes, known_values(screen, routes), most).found()
            _judge_exports(walked, client, paths)
        for size in (DESK, PHONE)[: trial.size(2, 2, quick=1)]:
            context = browser.new_context(viewport=size, locale="vi-VN")  # type: ignore[arg-type]
            token = screen.cookies.get("rita") or screen.log_in("rita")
            context.add_cookies([{"name": "ngatu", "value": token, "url": screen.url}])
            hostile = HostilePage(context.new_page())
            _judge_pages(walked, hostile, screen, paths, texts)
            walked.marked += len(hostile.marked)
            context.close()
    if not plant and not walked.marked:
        walked.faults.append("no page shows such a text: the walk is blind")
    return walked


def tell(port: int, screen: Screen) -> None:
    """Boxes whose every text is hostile, as far as the contract lets a box say it."""
    box = RawBox(port, DEVICE)
    with closing(box):
        box.until_station()
        texts = list(HOSTILE.values())
        for number, text in enumerate(texts):
            stated = ToldBox(f"hostile-{number:02}", time.time(), text, {"north": text}, commune="test-commune")
            camera = {"id": "north", "name": text, "kind": "rtsp"}
            camera |= {"zones": [{"id": text}], "rules": [{"id": text, "kind": text}]}
            for message in (
                stated.status(),
                stated.info(),
                stated.health(),
                stated.camera(state="blind", reason=text),
            ):
                _say(box, message.device, message.suffix, message.raw)
            if (more := stated.info(cameras=[camera])).problem is None:
                _say(box, stated.device, more.suffix, more.raw)
        for number, text in enumerate(texts, 1):
            _event(box, number, text)
        until(lambda: box.taken == box.said, WAIT_S, "the broker has taken it")
        until(lambda: _kept(screen) >= len(texts), WAIT_S, "the station has it")


def _kept(screen: Screen) -> int:
    return int((screen.station.rows("select count(*) from event") or [(0,)])[0][0])


def _say(box: RawBox, device: str, suffix: str, raw: bytes) -> None:
    box.said += 1
    box._client.publish(f"{ROOM}/{device}/{suffix}", raw, qos=1, retain=True)


def _event(box: RawBox, seq: int, text: str) -> None:
    """An event in which this text stands wherever the contract lets a text stand, with a picture."""
    said = box.an_event(seq)
    for more in _places(said, text):
        if read(f"{ROOM}/{DEVICE}/camera/north/event", _encoded(said | more), {}).problem is None:
            said |= more
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), seq * 9 % 255, np.uint8))[1].tobytes()
    image = {"sha256": sha256(picture).hexdigest(), "width": 64, "height": 48, "size_bytes": len(picture)}
    if read(f"{ROOM}/{DEVICE}/camera/north/event", _encoded(said | {"image": image}), {}).problem is None:
        said |= {"image": image}
    EventPayload.model_validate_json(_encoded(said))
    box.raw("camera/north/event", _encoded(said))


def _places(said: Mapping[str, Any], text: str) -> Iterator[dict[str, Any]]:
    seen = dict(said["object"]) if said.get("object") else {}
    yield {"detail": text}
    yield {"direction": text}
    yield {"rule": {"id": text, "kind": text}}
    yield {"object": seen | {"label": text}}
    yield {"object": seen | {"label": text, "entered_zones": [text]}}


def _encoded(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode()


# ------------------------------------------------------------------------------------------------ how it walks


def listed(screen: Screen) -> list[SiteRoute]:
    """Every route of the application, as it is put together in this process."""
    console = DutyConsole.opened(load(screen.station.config))
    try:
        return routes_of(bare_app(console))
    finally:
        console.close()


def known_values(screen: Screen, routes: Sequence[SiteRoute]) -> dict[str, str]:
    """For each parameter of a path the id of something that is there.

    Raises:
        Broken: a route has a parameter that nobody knows: say here what may stand there.
    """
    named = {"box": DEVICE, "device": DEVICE, "login": "quan", "code": "vi", "name": "console.css"}
    named |= {"order_id": "none", "request_id": "none", **NUMBERS}
    for name, query in (("event_id", "select event_id from event"), ("sha256", "select sha256 from blob")):
        named[name] = next((str(value) for (value,) in screen.station.rows(query)), "none")
    if lacking := {each for route in routes for each in route.parameters} - set(named):
        raise Broken(f"routes have parameters for which this walk has no value: {', '.join(sorted(lacking))}")
    return named


class SiteWalk:
    """From each route without parameters along the links of the pages."""

    def __init__(
        self, client: httpx.Client, routes: Sequence[SiteRoute], values: Mapping[str, str], most: int
    ) -> None:
        """Of each route at most so many pages."""
        self.forms: dict[tuple[str, tuple[str, ...]], PageForm] = {}
        """By where they go and which fields they have."""
        self._client, self._most = client, most
        self._routes = [each for each in routes if "GET" in each.methods and "/language/" not in each.path]
        self._values = values

    def found(self) -> dict[str, list[str]]:
        """Paths of each route; of those to which no link leads one with values that are known."""
        found: dict[str, list[str]] = {each.path: [] for each in self._routes}
        waiting = [each.path for each in self._routes if not each.parameters]
        waiting += [each.filled(self._values) for each in self._routes if each.parameters]
        while waiting:
            path = waiting.pop(0)
            route = next((each for each in self._routes if each.fits(path)), None)
            if route is None or path in found[route.path] or len(found[route.path]) >= self._most:
                continue
            found[route.path].append(path)
            answer = self._client.get(path)
            if answer.headers.get("content-type", "").startswith("text/html"):
                reader = PageReader(answer.text)
                waiting += inside(str(self._client.base_url).rstrip("/"), path, reader.links)
                for form in reader.forms:
                    if form.method == "post":
                        action = inside(str(self._client.base_url).rstrip("/"), path, [form.action or path])
                        form.action = next(iter(action), path)
                        self.forms.setdefault((form.action, tuple(sorted(form.fields))), form)
        return found


def _send_forms(
    walked: Walked, client: httpx.Client, forms: Mapping[Any, PageForm], texts: Sequence[str]
) -> None:
    """Each form with a text in one of its free fields at a time."""
    for form in forms.values():
        path = form.action.partition("?")[0]
        if path in LEFT_ALONE or not WHO_WALKS.isdisjoint(path.split("/")):
            continue
        for name in form.free or [""]:
            for text in texts if name else [""]:
                said = {key: values[0] for key, values in form.choices.items()} | form.fields
                said |= {key: PLAUSIBLE.get(key, said.get(key) or "Nam") for key in form.free}
                said |= {key: PASSWORD for key in said if "password" in key}
                said |= {name: text} if name else {}
                files = {each: ("hostile<script>.png", _png(), "image/png") for each in form.files}
                answer = client.post(form.action, data=said, files=files or None, follow_redirects=False)
                walked.forms += 1
                wrong = header_faults(answer.headers.multi_items())
                if answer.status_code == 500:
                    wrong.append(f"with {name}={text[:20]!r}: a fault of the page")
                walked.faults += [f"POST {form.action} {each}" for each in wrong]


def _png() -> bytes:
    return bytes(cv2.imencode(".png", np.full((60, 80, 3), 200, np.uint8))[1].tobytes())


def _judge_exports(walked: Walked, client: httpx.Client, paths: Mapping[str, Sequence[str]]) -> None:
    """What is no page, by the head and the content of the answer.

    Raises:
        Broken: whoever walks may not look any more.
    """
    if client.get("/audit").status_code != 200:
        raise Broken("the walk has shut itself out: it would judge no export")
    for path in (each for found in paths.values() for each in found):
        answer = client.get(path)
        kind = answer.headers.get("content-type", "")
        wrong = header_faults(answer.headers.multi_items())
        if answer.status_code == 500:
            wrong.append("a fault of the page")
        if "csv" in kind:
            wrong += csv_faults(answer.text)
        if "json" in kind:
            wrong += json_faults(answer.text)
        if "pdf" in kind and any(each in answer.content for each in (b"/JavaScript", b"/Launch", b"/URI")):
            wrong.append("it runs or opens something")
        walked.exports += not kind.startswith("text/html")
        walked.faults += [f"{path} {each}" for each in wrong]


def _judge_pages(
    walked: Walked,
    hostile: HostilePage,
    screen: Screen,
    paths: Mapping[str, Sequence[str]],
    texts: Sequence[str],
) -> None:
    """Every page in a browser, as it is and with the texts in its address."""
    routes = {each.path: each for each in listed(screen)}
    for pattern, found in paths.items():
        if not found or not _is_page(screen, found[0]):
            continue
        names, first = routes[pattern].queries, found[0].partition("?")[0]
        asked = [routes[pattern].asked(first, dict.fromkeys(names, text)) for text in texts if names]
        for path in [*found, *asked]:
            walked.pages[pattern] += 1
            try:
                wrong = hostile.visit(screen.url + path)
            except BrowserError as error:
                wrong = [f"it does not open: {str(error).splitlines()[0]}"]
            walked.faults += [f"{path[:80]} {each}" for each in wrong]


def _is_page(screen: Screen, path: str) -> bool:
    with screen.client("rita") as client, client.stream("GET", path, headers={"accept": "text/html"}) as answer:
        return answer.headers.get("content-type", "").startswith("text/html")
