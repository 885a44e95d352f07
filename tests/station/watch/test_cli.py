"""station.watch.cli"""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from station.cli import commands
from station.watch.embedded import Address
from tests.support.brokers import until
from tests.support.fake_box import FakeBox, an_event

app = typer.Typer()
app.add_typer(commands)  # as `ngatu` does
PROGRAM = "import typer; from station.cli import commands; app = typer.Typer(); app.add_typer(commands); app()"


def options(address: Address, commune: str, *more: str) -> list[str]:
    where = ["--host", address.host, "--port", str(address.port), "--commune", commune, "--station", commune]
    return ["watch", *where, *more]


@contextmanager
def watching(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"COLUMNS": "200", "TZ": "UTC"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_watch_stores_saves_receipts_and_prints_json(embedded: Address, commune: str, tmp_path: Path) -> None:
    store, folder = tmp_path / "book.sqlite", tmp_path / "pictures"
    more = ["--json", "--store", str(store), "--save", str(folder)]
    with FakeBox(embedded, commune=commune) as box, watching(*options(embedded, commune, *more)) as process:
        until(lambda: box.station_online == [True], within_s=20)
        for number in (1, 2):
            box.tell(an_event(number, picture=True))
        until(lambda: box.receipted() == {1, 2, 3, 4})
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0, err
        until(lambda: box.station_online[-1] is False)

    assert [json.loads(line)["id"] for line in out.splitlines()] == ["e-1", "e-2"]
    assert "2 events (2 alerts, 2 still open), 2 pictures, 4 receipts" in err
    picture = cv2.imdecode(
        np.frombuffer((folder / "north-01/north/e-1-thumbnail.jpg").read_bytes(), np.uint8), 1
    )
    assert picture.shape == (48, 64, 3)
    assert not list(folder.rglob("*.part"))
    db = sqlite3.connect(store)
    assert db.execute("select count(*), count(distinct id) from event").fetchone() == (2, 2)
    db.close()


def test_a_restart_doubles_nothing(embedded: Address, commune: str, tmp_path: Path) -> None:
    more = ["--json", "--store", str(tmp_path / "book.sqlite")]
    with FakeBox(embedded, commune=commune) as box:
        with watching(*options(embedded, commune, *more)) as process:
            until(lambda: box.station_online == [True], within_s=20)
            (stored,) = box.tell(an_event(1))
            until(lambda: box.receipted() == {1})
            process.kill()
            process.wait(5)
        box.receipts.clear()
        arguments = options(embedded, commune, *more, "--until-events", "1", "--for", "30")
        with watching(*arguments) as process:
            until(lambda: box.station_online.count(True) == 2, within_s=20)
            box.publish(stored)
            until(lambda: box.receipted() == {1})
            box.tell(an_event(2))
            out, err = process.communicate(timeout=10)
            assert process.returncode == 0, err

    assert [json.loads(line)["id"] for line in out.splitlines()] == ["e-2"]
    assert "1 repeated" in err


def test_without_a_store_it_only_looks_on(embedded: Address, commune: str) -> None:
    with FakeBox(embedded, commune=commune) as box:
        with watching(*options(embedded, commune, "--until-events", "1", "--for", "30")) as process:
            for number in range(1, 200):  # an onlooker does not say when it is there
                box.tell(an_event(number))
                try:
                    out, err = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    continue
            assert process.returncode == 0, err
        assert box.receipts == []

    assert "no receipts are given" in err
    assert "north-01/north  line_crossed in  motorcycle  2  start  alert" in out


def test_too_few_events_in_time_is_exit_code_4(embedded: Address, commune: str) -> None:
    result = CliRunner().invoke(app, options(embedded, commune, "--until-events", "1", "--for", "0.3"))

    assert result.exit_code == 4, result.output


def test_no_broker_is_exit_code_3_and_says_where(commune: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Address("127.0.0.1", free.getsockname()[1], 0)

    result = CliRunner().invoke(app, options(nobody, commune, "--for", "0.3"))

    assert result.exit_code == 3
    assert f"127.0.0.1:{nobody.port}" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--commune", "Hải Ninh"), ("--port", "70000"), ("--station", "a/b")]
)
def test_a_wrong_option_is_exit_code_2_and_is_named(option: str, value: str) -> None:
    result = CliRunner().invoke(app, ["watch", option, value])

    assert result.exit_code == 2
    assert option.strip("-") in result.stderr


def test_a_store_that_cannot_be_opened_is_told_without_a_traceback(tmp_path: Path) -> None:
    store = (
        tmp_path / "a folder [of a long name] that is not there and does not fit into a line" / "book.sqlite"
    )
    result = CliRunner().invoke(app, ["watch", "--store", str(store)])

    assert result.exit_code == 1
    assert str(store) in result.stderr
    assert "Traceback" not in result.output
