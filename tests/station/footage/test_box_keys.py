"""station.footage.box_keys"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from agent.evidence.package.manifest import fingerprint
from station.footage.box_keys import MOST, accept_key, known_keys, public_key, record_key
from station.store.alarms import standing
from station.store.id_cache import IdCache
from tests.support.stores import Place

BOX = "hai-ninh", "north-01"


def word(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


ONE, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


@pytest.fixture
def connection(place: Place) -> Iterator[Connection]:
    with closing(place.open()), place.engine.begin() as connection:
        yield connection


def box_id(connection: Connection) -> int:
    return IdCache().box_id(connection, BOX, 1)


def test_the_first_key_counts_and_another_one_is_an_alarm(connection: Connection) -> None:
    box = box_id(connection)
    assert record_key(connection, box, word(ONE), 1000) == []
    assert record_key(connection, box, word(ONE), 2000) == []
    ((name, fields),) = record_key(connection, box, word(OTHER), 3000)

    shas = [fingerprint(key.public_key())[:16] for key in (OTHER, ONE)]
    assert (name, fields["kind"]) == ("alarm_opened", "box_key_changed")
    assert fields["why"] == f"it signs with {shas[0]}, and is known by {shas[1]}"
    assert record_key(connection, box, word(OTHER), 4000) == []  # it stands
    assert [(key.sha256[:16], key.accepted, key.last_ms) for key in known_keys(connection)] == [
        (shas[1], True, 2000),
        (shas[0], False, 4000),
    ]


def test_the_alarm_ends_when_the_box_is_itself_again(connection: Connection) -> None:
    box = box_id(connection)
    record_key(connection, box, word(ONE), 1000)
    record_key(connection, box, word(OTHER), 2000)
    ((name, _),) = record_key(connection, box, word(ONE), 3000)

    assert (name, standing(connection)) == ("alarm_closed", ())


def test_a_key_that_somebody_accepts_counts_from_then_on(connection: Connection) -> None:
    box = box_id(connection)
    record_key(connection, box, word(ONE), 1000)
    record_key(connection, box, word(OTHER), 2000)
    sha256 = fingerprint(OTHER.public_key())
    assert accept_key(connection, BOX[0], "north-01", "0" * 12, 3000) is None
    assert accept_key(connection, BOX[0], "elsewhere", sha256[:12], 3000) is None
    accepted = accept_key(connection, BOX[0], "north-01", sha256[:12], 3000)

    assert accepted is not None
    assert standing(connection) == ()
    assert [key.sha256 for key in known_keys(connection, *BOX) if key.accepted] == [sha256]
    assert record_key(connection, box, word(OTHER), 4000) == []
    assert [name for name, _ in record_key(connection, box, word(ONE), 5000)] == ["alarm_opened"]


@pytest.mark.parametrize(
    "key",
    [None, "", "x", "AAAA", word(ONE)[:-4], word(ONE) + "\n", "é"],
    ids=["none", "empty", "x", "short", "cut off", "with an end of line", "accented"],
)
def test_what_is_no_key_is_not_kept(connection: Connection, key: str | None) -> None:
    assert record_key(connection, box_id(connection), key, 1000) == []
    assert known_keys(connection) == []
    assert public_key(key) is None


def test_a_box_that_tells_ever_new_keys_fills_nothing(connection: Connection) -> None:
    box = box_id(connection)
    for number in range(MOST + 10):
        record_key(connection, box, word(Ed25519PrivateKey.generate()), number)

    assert len(known_keys(connection)) == MOST
    assert len(standing(connection)) == 1


def test_after_many_strange_keys_the_true_new_one_can_be_accepted(connection: Connection) -> None:
    """Whoever told twenty had the box judged by its old key for ever: now the oldest gives way."""
    box = box_id(connection)
    record_key(connection, box, word(ONE), 1)
    for number in range(MOST + 10):
        record_key(connection, box, word(Ed25519PrivateKey.generate()), 10 + number)
    record_key(connection, box, word(OTHER), 100)

    accepted = accept_key(connection, *BOX, fingerprint(OTHER.public_key()), 200)

    assert accepted is not None
    assert len(known_keys(connection)) == MOST
    assert [key.sha256 for key in known_keys(connection) if key.first_ms == 1] == [
        fingerprint(ONE.public_key())
    ]


def test_the_key_that_was_accepted_last_counts_also_where_the_clock_went_back(connection: Connection) -> None:
    box = box_id(connection)
    record_key(connection, box, word(ONE), 5000)
    record_key(connection, box, word(OTHER), 6000)

    accept_key(connection, *BOX, fingerprint(OTHER.public_key()), 400)
    assert [key.key == OTHER.public_key() for key in known_keys(connection) if key.accepted] == [True]
    accept_key(connection, *BOX, fingerprint(ONE.public_key()), 300)
    assert [key.key == ONE.public_key() for key in known_keys(connection) if key.accepted] == [True]


def test_a_box_of_the_same_name_elsewhere_is_another_one(connection: Connection) -> None:
    ids = IdCache()
    here, there = (ids.box_id(connection, (commune, BOX[1]), 1) for commune in (BOX[0], "an-khanh"))
    record_key(connection, there, word(ONE), 1)
    record_key(connection, there, word(OTHER), 2)
    record_key(connection, here, word(ONE), 3)
    record_key(connection, here, word(OTHER), 4)
    sha256 = fingerprint(OTHER.public_key())

    assert accept_key(connection, *BOX, sha256, 10) is not None

    counts = {key.commune: key.sha256 for key in known_keys(connection) if key.accepted}
    assert counts == {BOX[0]: sha256, "an-khanh": fingerprint(ONE.public_key())}
    assert accept_key(connection, *BOX, "", 10) is None
