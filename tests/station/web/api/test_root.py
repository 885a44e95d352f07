"""station.web.api.root"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from station.access.roles import Role
from station.watch.embedded import Address
from station.web.api.root import ROOT, described
from tests.station.web.api.conftest import Interface
from tests.support.kept_events import event_now, present_box

MANY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
PATHS = [(method.upper(), path) for path, methods in described()["paths"].items() for method in methods]
FILLED = {
    "box": "north-01", "event_id": "e-1", "sha256": "0" * 64, "request_id": "x",
}  # fmt: skip


def filled(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: FILLED[found[1]], path)


@pytest.mark.long
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer ngatu_wrong"}, {"authorization": "Basic eA=="}]
)
def test_every_path_without_a_token_gives_nothing(interface: Interface, headers: dict[str, str]) -> None:
    nobody = interface.nobody(**headers, accept="text/html")
    for method, path in [*PATHS, ("GET", f"{ROOT}/openapi.json")]:
        for asked in (filled(path), filled(path).replace("north-01", "no-box")):
            answer = nobody.request(method, asked, json={})
            assert (answer.status_code, set(answer.json())) == (401, {"error", "hint"}), asked
    assert interface.acts() == []


def test_the_document_is_for_whoever_may_ask_and_names_a_token(interface: Interface) -> None:
    answer = interface.program().get(f"{ROOT}/openapi.json")

    assert answer.json() == described()
    assert answer.json()["openapi"].startswith("3.1")
    schemes = answer.json()["components"]["securitySchemes"]
    assert [each["scheme"] for each in schemes.values()] == ["bearer"]
    for path, methods in described()["paths"].items():
        for what in methods.values():
            assert what["security"], path
            assert {"401", "403", "429"} <= set(what["responses"]), path
            assert what["summary"] and what["description"], path


def test_whoever_asks_for_what_is_not_there_gets_json(interface: Interface) -> None:
    answer = interface.program().get(f"{ROOT}/nothing", headers={"accept": "text/html"})

    assert (answer.status_code, set(answer.json())) == (404, {"error", "hint"})


@pytest.mark.long
@pytest.mark.timeout(300)
def test_whatever_is_asked_there_is_no_server_error(serve: Callable[..., Interface], embedded: Address) -> None:
    """Schemathesis makes requests of every kind out of the document, also such as break it."""
    interface = serve(broker={"port": embedded.port})
    present_box(interface.store)
    interface.store.commit([event_now(1), event_now(2)])
    client = interface.program(Role.SUPERVISOR)
    authorization = client.headers["authorization"]
    schema = schemathesis.openapi.from_dict(described())
    seen: set[str] = set()

    def tried(case: Any) -> None:
        answer = case.call(base_url=interface.url, headers={"authorization": authorization})
        seen.add(case.operation.label)
        assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.text[:500]}"

    for result in schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            every_case = given(result.ok().as_strategy(generation_mode=mode))
            with suppress(Unsatisfiable):  # of an operation that takes nothing, nothing can be wrong
                MANY(every_case(tried))()

    assert seen == {f"{method} {path}" for method, path in PATHS}
