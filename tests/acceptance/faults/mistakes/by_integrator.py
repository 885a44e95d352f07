"""The integrator: mistakes with the guide's subscriber, and at the broker of a box and a station at work."""

from __future__ import annotations

import re
import sys
import time
from functools import partial

from tests.acceptance.faults.mistakes.desk import Desk, as_json
from tests.acceptance.faults.mistakes.mistake import Said, mistake
from tests.acceptance.faults.mistakes.parts import COMMUNE, POLE, publish
from tests.conftest import ROOT

WHO = "integrator"
GUIDE = ROOT / "docs/guide/subscriber.md"


def subscriber(desk: Desk, settings: str) -> Said:
    """The guide's program, which ends after two seconds here."""
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    (desk.folder / "inbox").mkdir()
    desk.file("folder.py", program.replace(".run()", ".run(2)"))
    return desk.run([sys.executable, "folder.py", settings, "inbox"])


@mistake(
    WHO, "the guide's subscriber with a slip in a setting", 1,
    what="no such setting", where="settings:1: commune", todo="did you mean communes?",
)  # fmt: skip
def subscriber_slip(desk: Desk) -> Said:
    return subscriber(desk, as_json(host="127.0.0.1", commune="hai-ninh"))


@mistake(
    WHO, "the guide's subscriber with a port in quotation marks", 1,
    what='"1883" is a text', where="settings:1: port", todo="1..65535",
)  # fmt: skip
def subscriber_port(desk: Desk) -> Said:
    return subscriber(desk, as_json(host="127.0.0.1", port="1883"))


@mistake(
    WHO, "the guide's subscriber without a password where one is wanted", 1,
    what="broker 127.0.0.1:{port}", where="127.0.0.1:{port}", todo="password",
)  # fmt: skip
def subscriber_password(desk: Desk) -> Said:
    return subscriber(desk, as_json(host="127.0.0.1", port=desk.parts.guarded_port))


def at_the_station(desk: Desk, topic: str, payload: str, *, retain: bool = False) -> Said:
    """What the station at work says about a message below a box of this mistake's own."""
    log = desk.parts.station_log()
    box = desk.folder.name.replace("_", "-")
    say = partial(publish, desk.parts.port, f"ngatu/v1/{COMMUNE}/{box}/{topic}", payload, retain=retain)
    return desk.heard(log, log.stat().st_size, [f"/{box}"], say)


@mistake(
    WHO, "an event that is no JSON", 0,
    what="Invalid JSON", where="hai-ninh/event-junk; topic: camera/north/event", todo="docs/reference/wire.md",
)  # fmt: skip
def event_junk(desk: Desk) -> Said:
    return at_the_station(desk, "camera/north/event", "hello")


@mistake(
    WHO, "an event at a topic that boxes do not have", 0,
    what="is none of a box's topics", where="topic: camera/north/events", todo="docs/reference/wire.md",
)  # fmt: skip
def event_topic(desk: Desk) -> Said:
    return at_the_station(desk, "camera/north/events", "{}")


@mistake(
    WHO, "an event without what every message has", 0,
    what="seq: is missing", where="topic: camera/north/event", todo="docs/reference/wire.md",
)  # fmt: skip
def event_bare(desk: Desk) -> Said:
    return at_the_station(desk, "camera/north/event", "{}")


@mistake(
    WHO, "a program under the station's client id", 0,
    what="another client uses the id of this one", where="client_id: ngatu-station.client-id",
    todo="give one of the two another name",
)  # fmt: skip
def client_id(desk: Desk) -> Said:
    file = desk.station(commune="client-id", name="client-id")
    with desk.at_work("station", "-c", file, until_it_says="broker_connected") as log:
        come = partial(publish, desk.parts.port, "nothing", "", client_id="ngatu-station.client-id.client-id")
        return desk.heard(log, log.stat().st_size, ["connection_taken"], come)


@mistake(
    WHO, "a program speaks for the station", 0,
    what="is offline for spoken-for", where="second_station", todo="another station speaks for this commune",
)  # fmt: skip
def spoken_for(desk: Desk) -> Said:
    file = desk.station(commune="spoken-for", name="spoken-for")
    with desk.at_work("station", "-c", file, until_it_says="broker_connected") as log:
        status = partial(
            publish, desk.parts.port, "ngatu/v1/spoken-for/station/status", as_json(state="offline")
        )
        return desk.heard(log, log.stat().st_size, ["warning"], partial(status, retain=True))


def at_the_box(desk: Desk, topic: str, payload: str, mark: str, *, retain: bool = False) -> Said:
    """What the box at work says about a message to it."""
    log = desk.box_at_work()
    say = partial(publish, desk.parts.port, f"ngatu/v1/{COMMUNE}/{POLE}/{topic}", payload, retain=retain)
    return desk.heard(log, log.stat().st_size, [mark], say)


def an_order(**more: object) -> str:
    """One that a box would take."""
    now_s = time.time()
    issued, expires = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s)) for at_s in (now_s, now_s + 600))
    whole = {"id": "order-01", "issued_at": issued, "expires_at": expires, "issuer": "me", "args": {}}
    return as_json(**(whole | more))


@mistake(
    WHO, "an order that is no JSON", 0,
    what="Invalid JSON", where="verb: reload", todo="ngatu station command",
)  # fmt: skip
def order_junk(desk: Desk) -> Said:
    return at_the_box(desk, "command/reload", "please", '"verb": "reload"')


@mistake(
    WHO, "an order is retained", 0,
    what="retained", where="verb: ping", todo="publish commands without retain",
)  # fmt: skip
def order_retained(desk: Desk) -> Said:
    return at_the_box(desk, "command/ping", an_order(), '"verb": "ping"', retain=True)


@mistake(
    WHO, "a receipt of one's own making", 0,
    what="station: is missing", where="receipt_unreadable", todo="only a station gives receipts",
)  # fmt: skip
def own_receipt(desk: Desk) -> Said:
    return at_the_box(desk, "receipt", as_json(committed=[[1, 1000]]), "receipt_unreadable")


@mistake(
    WHO, "a box is asked for at the broker by a name in letters", 2,
    what="'Hải Ninh 01' is not", where="device", todo="of a-z, 0-9 and '-'",
)  # fmt: skip
def look_in_letters(desk: Desk) -> Said:
    return desk.ngatu("box", "look", "hai-ninh", "Hải Ninh 01", "--port", desk.parts.port)
