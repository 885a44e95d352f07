"""station.web.pages.files"""

from __future__ import annotations

from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from station.ingest.inbound import read
from station.store.database import engine_of, url_of
from station.store.store import Store
from station.web.render import STATIC, asset
from tests.station.ingest.test_receipts import BASE
from tests.support.jpegs import jpeg
from tests.support.screens import screen


def test_a_picture_is_given_by_its_hash_to_who_is_logged_in_and_may_be_kept_by_the_browser_alone(
    tmp_path: Path,
) -> None:
    with screen(tmp_path) as console:
        data = jpeg()
        digest = sha256(data).hexdigest()
        assert console.visitor().get(f"/pictures/{digest}").status_code == 404
        topic = f"{BASE}camera/north/image/e-1/thumbnail"
        config = console.console.config
        with closing(Store(engine_of(url_of(config.database, config.state_dir)), config.state_dir)) as store:
            store.commit([read(topic, data, {"sha256": digest})])

        answer = console.visitor().get(f"/pictures/{digest}")
        assert answer.status_code == 200
        assert answer.content == data
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"].startswith("private")
        assert console.browser().get(f"/pictures/{digest}").status_code in (303, 401)


@pytest.mark.parametrize("name", ["0" * 64, "A" * 64, "0" * 63, "..%2F..%2Fstation.db", "%2e%2e", "0" * 65])
def test_nothing_but_a_picture_is_reached_by_it(tmp_path: Path, name: str) -> None:
    with screen(tmp_path) as console:
        assert console.visitor().get(f"/pictures/{name}").status_code == 404


def test_static_files_are_those_of_the_folder_and_no_others(tmp_path: Path) -> None:
    with screen(tmp_path) as console:
        browser = console.browser()
        for path in STATIC.iterdir():
            answer = browser.get(str(asset(path.name)))
            assert answer.content == path.read_bytes()
            assert "immutable" in answer.headers["cache-control"]
        for name in ("../app.py", "..%2Fapp.py", "none.css", "%2e%2e%2fapp.py"):
            answer = browser.get(f"/static/{name}")
            assert answer.status_code == 404, name
