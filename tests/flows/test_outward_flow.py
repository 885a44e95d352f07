"""What a box tells leaves the real station: a webhook, Frigate's words at its broker, and REST by a token."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from station.access.audit_log import AuditLog
from station.access.roles import Role
from station.outward.signing import key_of, new_secret, signature
from station.store.database import engine_of, url_of
from station.watch.embedded import Address
from station.web.api.tokens import ApiTokens
from tests.station.outward.test_republish import Listener
from tests.support.brokers import until
from tests.support.duty_room import duty_room
from tests.support.fake_box import FakeBox, an_event
from tests.support.hook_receiver import HookReceiver
from tests.support.people import QUAN

pytestmark = pytest.mark.long


@pytest.mark.timeout(300)
def test_an_event_of_a_box_goes_to_every_program_also_after_the_screen_was_killed(
    embedded: Address, tmp_path: Path
) -> None:
    secret = tmp_path / "hook.secret"
    secret.write_text(new_secret())
    with HookReceiver() as there:
        hook = {"name": "dispatch", "url": there.url, "secret": {"file": str(secret)}}
        outward = {"webhooks": [hook], "republish": {"frigate": {"prefix": "flow-frigate"}}}
        listener = Listener(embedded.port, "flow-frigate/#")
        with (
            duty_room(tmp_path / "room", embedded.port, outward=outward) as room,
            FakeBox(embedded, commune=room.commune) as box,
        ):
            until(lambda: listener.at("flow-frigate/available") == [b"online"], 60)
            box.tell(an_event(1, picture=True))
            until(lambda: there.taken, 60)
            until(lambda: listener.at("flow-frigate/events"), 60)
            room.kill_screen()
            box.tell(an_event(2))
            until(lambda: len(set(there.ids)) == 2, 60)
            engine = engine_of(url_of(room.config.database, room.config.state_dir))
            tokens = ApiTokens(engine, AuditLog(engine, room.config.state_dir))
            _, token = tokens.make("dispatch", Role.OFFICER, QUAN)
            engine.dispose()
            until(room.answers, 60)
            answer = httpx.get(f"{room.url}/api/v1/events", headers={"authorization": f"Bearer {token}"})
        listener.leave()

    assert list(dict.fromkeys(there.ids)) == ["north-01.e-1.1", "north-01.e-2.1"]
    (first, *_) = there.taken
    sent_s = int(first.headers["webhook-timestamp"])
    expected = signature(key_of(secret.read_text()), first.id, sent_s, first.body)
    assert first.headers["webhook-signature"] == expected
    assert json.loads(listener.at("flow-frigate/events")[0])["after"]["id"] == "e-1"
    assert {each["id"] for each in answer.json()["events"]} == {"e-1", "e-2"}
