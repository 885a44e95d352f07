"""models.label.serve"""

from __future__ import annotations

import signal
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from agent.errors import NgatuError
from models.dataset.coco import read_coco
from models.label.serve import serve, server_of
from models.label.workplace import Workplace
from tests.support.label_page import label_program
from tests.support.labelled import NAMES, pictures


def saved(url: str, number: int = 1) -> None:
    origin = url.rsplit("/", 2)[0]
    body = {"state": "done", "boxes": [], "proposals": []}
    answer = httpx.put(
        f"{url}pictures/{number}", json=body, headers={"Origin": origin, "If-Match": '"0"'}, timeout=60
    )
    assert answer.status_code == 200, answer.text


def test_a_signal_ends_it_in_order_with_everything_written(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set")
    with label_program(folder) as program:
        assert program.url.startswith("http://127.0.0.1:"), program.said
        saved(program.url)
        assert program.stop(signal.SIGTERM) == 0
        assert f"what is done is in {folder / 'instances.json'}" in program.said
        assert program.url.split("/")[3] not in program.said.replace(program.url, "")
    assert [image.path.name for image in read_coco(folder).images] == [NAMES[0]]


def test_killed_it_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "set")
    with label_program(folder) as program:
        saved(program.url)
        program.stop(signal.SIGKILL)

    with closing(Workplace(folder)) as workplace:
        assert [image.path.name for image in workplace.dataset().images] == [NAMES[0]]


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken, closing(Workplace(pictures(tmp_path))) as workplace:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(NgatuError, match="nothing can listen there"):
            serve(workplace, None, taken.getsockname()[1], lambda url: None)


def test_the_server_says_nothing_that_would_hold_the_token() -> None:
    async def app(scope: object, receive: object, send: object) -> None:
        """Never asked."""

    config = server_of(app).config

    assert (config.access_log, config.log_config, config.server_header) == (False, None, False)
