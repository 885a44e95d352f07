"""station.outward.notice"""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine

from agent.wire import codec
from agent.wire.payloads import EventPayload
from station.outward.feed import OutEvent, after
from station.outward.notice import notice, wants
from station.outward.settings import WebhookSettings
from station.store.store import Store
from tests.support.kept_events import a_thumbnail, event_now
from tests.support.stores import Place


@pytest.fixture
def place(sqlite_place: Place) -> Place:
    """What is said is the same wherever it is kept."""
    return sqlite_place


def hook(**more: object) -> WebhookSettings:
    return WebhookSettings(name="dispatch", url="https://a.example/", secret={"env": "X"}, **more)  # type: ignore[arg-type]


def outs(store: Store, engine: Engine, *messages: object) -> list[OutEvent]:
    store.commit(messages)  # type: ignore[arg-type]
    return list(after(engine, 0).events)


def test_it_says_the_message_as_the_box_did_and_what_the_station_knows(
    store: Store, engines: tuple[Engine, Engine]
) -> None:
    _, image = a_thumbnail()
    (out,) = outs(store, engines[0], event_now(1, image=image, direction="in\x1b[31m"))

    body = notice(out, "https://duty.example/")
    said = json.loads(body)

    assert body.isascii() and b"\x1b" not in body
    assert (said["type"], said["timestamp"]) == ("event.start", said["data"]["time"])
    assert said["data"]["pictures"] == {"thumbnail": f"https://duty.example/api/v1/pictures/{image['sha256']}"}
    assert said["data"]["late"] is False
    assert codec.parse(EventPayload, json.dumps(said["data"]).encode()) == out.payload


def test_who_names_kinds_and_severities_hears_of_no_others(
    store: Store, engines: tuple[Engine, Engine]
) -> None:
    alert, info = outs(store, engines[0], event_now(1), event_now(2, severity="info", kind="crowd"))

    assert wants(hook(), alert) and wants(hook(), info)
    assert [wants(hook(severities=["alert"]), each) for each in (alert, info)] == [True, False]
    assert [wants(hook(kinds=["crowd"]), each) for each in (alert, info)] == [False, True]
    assert not wants(hook(kinds=["crowd"], severities=["alert"]), info)
