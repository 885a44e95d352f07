"""station.web.app"""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from station.store.database import StoreError
from station.web.app import bare_app
from tests.support.screens import screen


def test_what_is_not_there_is_said_in_words_on_a_page_and_as_json(tmp_path: Path) -> None:
    with screen(tmp_path) as console:
        visitor = console.visitor()
        page = visitor.get("/no-such-page")
        assert page.status_code == 404
        assert "không có trang này" in page.text
        answer = visitor.get("/no-such-page", headers={"accept": "application/json"})
        assert set(answer.json()) == {"error", "hint"}


def test_a_store_that_cannot_be_read_is_said_with_what_to_do_and_a_fault_without_its_inside(
    tmp_path: Path,
) -> None:
    with screen(tmp_path) as console:
        app = bare_app(console.console)

        @app.get("/away")
        def away() -> None:
            raise StoreError("the disk is gone", "look at the disk")

        @app.get("/fault")
        def fault() -> None:
            raise RuntimeError("password=secret")

        client = TestClient(app, "http://127.0.0.1", raise_server_exceptions=False)
        gone = client.get("/away", headers={"accept": "text/html"})
        assert gone.status_code == 503
        assert "look at the disk" in gone.text
        broken = client.get("/fault", headers={"accept": "text/html"})
        assert broken.status_code == 500
        assert "secret" not in broken.text


def test_no_page_lists_the_console_for_strangers(tmp_path: Path) -> None:
    with screen(tmp_path) as console:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert console.browser().get(path).status_code in (303, 401, 404)
