"""Footage that a province has asked for, and what a station, honest or not, may send of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from station.province.store import ProvinceStore
from station.store.database import engine_of
from station.uplink.envelope import UpItem
from station.uplink.requests.answer import PIECE_BYTES, SentFile, SentPiece, piece_item, pieces_in
from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, up

ABOUT = '{"case_number":"12/2026","camera":"north","from_ms":1795798800000,"to_ms":1795798860000}'
DATA = bytes(range(256)) * 384 * 3 + b"the end"
"""Three pieces and a bit."""
NAME = "ngatu-12-2026-hn-01-north.zip"
FILE = SentFile(NAME, len(DATA), sha256(DATA).hexdigest())


@contextmanager
def asked_province(place: ProvincePlace, *requests: str, most: int = 1 << 22) -> Iterator[ProvinceStore]:
    """A worker's store with two communes, the first of which was asked for a clip by each of these requests."""
    store = place.open(max_footage_bytes=most)
    for commune in ("hai-ninh", "mong-cai"):
        store.commit([up(1, an_alert(1, commune=commune), commune=commune)])
    for request in requests:
        put_request(place, request)
    try:
        yield store
    finally:
        store.close()


def put_request(place: ProvincePlace, request: str) -> None:
    """As the console puts it down."""
    engine = engine_of(place.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into request (id, commune_id, shard, kind, body, sha256, device, about, login, name, "
            "purpose, asked_ms, expires_ms) select %s, id, 's01', 'footage', '', %s, 'hn-01', %s, 'lan', "
            "'Lan', 'why', %s, %s from commune where name = 'hai-ninh'",
            (request, "c" * 64, ABOUT, NOW_MS, NOW_MS + 86_400_000),
        )
    engine.dispose()


def pieces_of(data: bytes = DATA, request: str = "r-1", file: SentFile = FILE) -> list[UpItem]:
    """All parts of it."""
    return [
        part(number, data[number * PIECE_BYTES : (number + 1) * PIECE_BYTES], request, file)
        for number in range(pieces_in(len(data)))
    ]


def part(number: int, data: bytes, request: str = "r-1", file: SentFile = FILE) -> UpItem:
    """One of them."""
    return piece_item(SentPiece(request, file, number, data), "hn-01")


def attended(store: ProvinceStore, turns: int = 1) -> None:
    """Turns of the worker's second loop, in which hashes are taken."""
    for _ in range(turns):
        store.attend()


def stands(place: ProvincePlace, request: str = "r-1") -> tuple[object, ...]:
    """Its state, reason, whether all is here and has the hash, and how many pieces are kept."""
    return place.rows(
        "select state, reason, whole_ms is not null, complete_ms is not null, "
        "(select count(*) from request_piece where request_id = request.id) from request "
        f"where id = '{request}'"
    )[0]
