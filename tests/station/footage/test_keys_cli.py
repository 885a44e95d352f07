"""station.footage.keys_cli"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.evidence.package.manifest import fingerprint
from station.cli import commands
from station.config import DatabaseSettings
from station.footage.box_keys import record_key
from station.store.database import engine_of, url_of
from station.store.id_cache import IdCache
from station.store.store import Store
from tests.station.footage.test_box_keys import BOX, ONE, OTHER, word
from verifier.keys import read_key

SHAS = [fingerprint(key.public_key()) for key in (ONE, OTHER)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A station that knows two keys of one box."""
    engine = engine_of(url_of(DatabaseSettings(), tmp_path))
    with closing(Store(engine, tmp_path)), engine.begin() as connection:
        box_id = IdCache().box_id(connection, BOX, 1)
        record_key(connection, box_id, word(ONE), 1000)
        record_key(connection, box_id, word(OTHER), 2000)
    text = f"commune: {BOX[0]}\nbroker: {{host: 127.0.0.1}}\nstate_dir: {tmp_path}\n"
    (tmp_path / "station.yaml").write_text(text)
    return tmp_path / "station.yaml"


def said(config: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["station", "keys", *words, "-c", str(config)], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_each_key_is_shown_with_whether_it_counts(config: Path) -> None:
    code, words = said(config)
    lines = {line.split()[3]: line for line in words.splitlines() if "north-01" in line}

    assert code == 0
    assert "this station" in words
    assert "does not count" not in lines[SHAS[0]]
    assert "does not count" in lines[SHAS[1]]


def test_the_keys_that_count_are_saved_as_the_verifier_reads_them(config: Path, tmp_path: Path) -> None:
    code, words = said(config, "--save", str(tmp_path / "keys"))

    assert code == 0, words
    assert read_key(tmp_path / "keys" / "north-01.pub") == ONE.public_key()
    assert read_key(tmp_path / "keys" / "station.pub")


def test_another_key_is_accepted_by_its_fingerprint(config: Path, tmp_path: Path) -> None:
    shown = " ".join((SHAS[1][:4], SHAS[1][4:8], SHAS[1][8:12]))
    code, words = said(config, "north-01", "--accept", shown, "--save", str(tmp_path / "keys"))

    assert code == 0, words
    assert read_key(tmp_path / "keys" / "north-01.pub") == OTHER.public_key()


def test_a_box_of_another_commune_is_no_box_of_this_station(config: Path, tmp_path: Path) -> None:
    """Of two boxes of one name one file was left, with whichever key came last."""
    engine = engine_of(url_of(DatabaseSettings(), tmp_path))
    with engine.begin() as connection:
        record_key(connection, IdCache().box_id(connection, ("xa-khac", BOX[1]), 1), word(OTHER), 1000)
    engine.dispose()

    code, words = said(config, "--save", str(tmp_path / "keys"))

    assert code == 0, words
    assert read_key(tmp_path / "keys" / "north-01.pub") == ONE.public_key()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--accept", "aa"], "of which box?"),
        (["north-01", "--accept", "0000"], "has told no such key"),
        (["elsewhere"], "elsewhere has told no key yet"),
    ],
)
def test_slips_are_told_in_words(config: Path, words: list[str], why: str) -> None:
    code, text = said(config, *words)

    assert (code, why in text) == (2, True), text
