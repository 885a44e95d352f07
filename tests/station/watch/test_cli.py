"""station.watch.cli"""

from __future__ import annotations

import json
import signal
import socket
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
from tests.station.test_service import Service
from tests.support.brokers import free_port, until
from tests.support.fake_box import FakeBox, an_event
from tests.support.plain_user import PLAIN

app = typer.Typer()
app.add_typer(commands)  # as `ngatu` does
PROGRAM = "import typer; from station.cli import commands; app = typer.Typer(); app.add_typer(commands); app()"


def options(address: Address, commune: str, *more: str) -> list[str]:
    return ["watch", "--host", address.host, "--port", str(address.port), "--commune", commune, *more]


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


def test_watch_saves_shows_and_says_nothing_to_box_or_broker(
    embedded: Address, commune: str, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    more = ["--json", "--save", str(folder), "--until-events", "1"]
    with FakeBox(embedded, commune=commune) as box:
        with watching(*options(embedded, commune, *more, "--for", "30")) as process:
            for number in range(1, 200):  # an onlooker does not say when it is there
                box.tell(an_event(number, picture=True))
                try:
                    out, err = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    continue
            assert process.returncode == 0, err
        assert (box.receipts, box.station_online) == ([], [])

    first = json.loads(out.splitlines()[0])["id"]
    assert "1 events (1 alerts, 1 still open)" in err
    assert "kept by the station" in err
    if "1 pictures" in err:  # it ends with the event, before its picture perhaps
        (saved,) = folder.glob(f"north-01/north/*_north_line_crossed_thumbnail_{first}.jpg")
        picture = cv2.imdecode(np.frombuffer(saved.read_bytes(), np.uint8), 1)
        assert picture.shape == (48, 64, 3)
    assert not list(folder.rglob("*.part"))


def test_a_folder_that_may_not_be_written_ends_it_at_once_in_one_line(
    embedded: Address, commune: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "pictures"
    with watching(*options(embedded, commune, "--save", str(folder))) as process:
        out, err = process.communicate(timeout=20)

    assert process.returncode == 1
    assert (out, err.splitlines()) == (
        "",
        [
            f"--save {folder}: nothing can be written there: Not a directory",
            "  hint: name a folder that you may write to",
        ],
    )


def test_a_folder_behind_a_closed_one_is_told_in_the_same_words(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    folder = closed / "pictures"
    try:
        done = subprocess.run(
            [*PLAIN, sys.executable, "-c", PROGRAM, "watch", "--save", str(folder)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        closed.chmod(0o700)

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"--save {folder}: nothing can be written there: Permission denied"


@pytest.mark.long
def test_pictures_that_cannot_be_saved_later_are_told_once_and_end_it_with_1(
    embedded: Address, commune: str, tmp_path: Path
) -> None:
    (tmp_path / "north-01").write_text("in the way")
    more = ["--save", str(tmp_path), "--until-events", "4", "--for", "30"]
    with FakeBox(embedded, commune=commune) as box, watching(*options(embedded, commune, *more)) as process:
        for number in range(1, 200):  # an onlooker does not say when it is there
            box.tell(an_event(number, picture=True))
            try:
                out, err = process.communicate(timeout=0.2)
                break
            except subprocess.TimeoutExpired:
                continue

    assert process.returncode == 1
    assert err.count("pictures_not_saved") == 1
    assert "Traceback" not in err
    assert len(out.splitlines()) >= 4
    assert " not saved)" in err


@pytest.mark.long
def test_watch_beside_the_station_takes_nothing_from_it(
    embedded: Address, commune: str, tmp_path: Path
) -> None:
    """Its coming and its going change neither receipts nor what the boxes hear of the station."""
    with FakeBox(embedded, commune=commune) as box, Service(tmp_path, embedded.port, commune).at_work():
        until(lambda: box.station_online == [True])
        with watching(*options(embedded, commune, "--save", str(tmp_path / "pictures"))) as process:
            for number in range(1, 200):
                box.tell(an_event(number, picture=True))
                until(lambda number=number: 2 * number in box.receipted())
                # With the second picture the first event's line is out: it comes after its picture.
                if len(list(tmp_path.glob("pictures/north-01/north/*.jpg"))) >= 2:
                    break
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
            assert process.returncode == 0, err
        box.tell(an_event(200))
        until(lambda: box.seq in box.receipted())
        assert box.station_online == [True]
        assert {receipt.station for receipt in box.receipts} == {"station"}

    assert "north-01/north  line_crossed in  motorcycle  2  stop-line  start  alert" in out


def test_too_few_events_in_time_is_exit_code_4(embedded: Address, commune: str) -> None:
    result = CliRunner().invoke(app, options(embedded, commune, "--until-events", "1", "--for", "0.3"))

    assert result.exit_code == 3, result.output


def test_no_broker_is_exit_code_3_and_says_where(commune: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Address("127.0.0.1", free.getsockname()[1], 0)

    result = CliRunner().invoke(app, options(nobody, commune, "--for", "0.3"))

    assert result.exit_code == 1
    assert f"127.0.0.1:{nobody.port}" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--commune", "Hải Ninh"), ("--port", "70000"), ("--device", "a/b")]
)
def test_a_wrong_option_is_exit_code_2_and_is_named(option: str, value: str) -> None:
    result = CliRunner().invoke(app, ["watch", option, value])

    assert result.exit_code == 2
    assert option.strip("-") in result.stderr


@pytest.mark.parametrize("name", ["book.sqlite", "station.db"])
def test_a_store_is_the_station_s_and_no_file_is_touched(tmp_path: Path, name: str) -> None:
    store = tmp_path / name
    store.write_bytes(b"as it was")

    result = CliRunner().invoke(
        app, ["watch", "--commune", "hai-ninh", "--store", str(store)], env={"COLUMNS": "200"}
    )

    assert result.exit_code == 2
    assert "`ngatu station --commune hai-ninh`" in result.stderr
    assert "Traceback" not in result.output
    assert store.read_bytes() == b"as it was"
    assert list(tmp_path.iterdir()) == [store]


def test_pictures_are_not_saved_into_a_station_s_store(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "station.db").write_bytes(b"")

    for folder in (tmp_path, tmp_path / "blobs", tmp_path / "blobs/mine"):
        result = CliRunner().invoke(app, ["watch", "--save", str(folder)], env={"COLUMNS": "200"})
        assert result.exit_code == 2
        assert "belongs to a station's store" in result.stderr
    nobody = ["--port", str(free_port()), "--for", "0.1"]
    assert CliRunner().invoke(app, ["watch", "--save", str(tmp_path / "mine"), *nobody]).exit_code == 1
