"""station.web.api.footage"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from station.watch.embedded import Address
from station.web.footage import requests as page
from tests.station.web.api.conftest import Interface
from tests.support.brokers import free_port
from tests.support.kept_events import present_box

REQUESTS = "/api/v1/requests"


def wish(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "box": "north-01", "camera": "north", "since": (now - timedelta(minutes=3)).isoformat(),
        "until": (now - timedelta(minutes=2)).isoformat(), "case_number": "12/2026", "purpose": "va chạm",
        **more,
    }  # fmt: skip


@pytest.mark.long
def test_footage_is_asked_for_in_the_programs_name(
    serve: Callable[..., Interface], embedded: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "ANSWER_S", 0.2)  # there is no box that could answer
    interface = serve(broker={"port": embedded.port})
    present_box(interface.store)
    program = interface.program()
    made = program.post(REQUESTS, json=wish())

    assert made.status_code == 201, made.text
    assert (made.json()["stage"], made.json()["officer"], made.json()["issuer"]) == (
        "asked", "dispatch", "api:dispatch",
    )  # fmt: skip
    assert program.get(f"{REQUESTS}/{made.json()['id']}").json() == made.json()
    assert program.get(REQUESTS).json()["requests"] == [made.json()]
    assert program.get(REQUESTS, params={"stage": "complete"}).json()["requests"] == []
    assert ("api:dispatch", "request_footage", "north-01/north") in interface.acts()


@pytest.mark.parametrize(
    "wrong",
    [{"camera": "south"}, {"box": "south-01"}, {"case_number": ""}, {"purpose": " "}, {"until": "1999-01-01"}],
)
def test_what_cannot_be_asked_for_is_refused_and_nothing_is_sent(
    interface: Interface, wrong: dict[str, str]
) -> None:
    program = interface.program()
    answer = program.post(REQUESTS, json=wish(**wrong))

    assert answer.status_code == 422, answer.text
    assert program.get(REQUESTS).json()["requests"] == []
    assert program.get(f"{REQUESTS}/whatever").status_code == 404


def test_where_the_broker_is_away_it_is_told(serve: Callable[..., Interface]) -> None:
    interface = serve(broker={"port": free_port()})
    present_box(interface.store)
    answer = interface.program().post(REQUESTS, json=wish())

    assert (answer.status_code, set(answer.json())) == (503, {"error", "hint"})
