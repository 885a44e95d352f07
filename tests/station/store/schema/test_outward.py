"""station.store.schema.outward"""

from __future__ import annotations

from station.store.schema import api_token, webhook
from tests.support.declared_tables import is_refused, number_after_a_removal
from tests.support.stores import Place

TOKEN = {"name": "map", "role": "officer", "made_by": "lan", "created_ms": 1}


def test_a_webhook_is_in_one_place_of_the_feed(declared: Place) -> None:
    row = {"begun_ms": 1, "delivered": 0, "given_up": 0}

    assert not is_refused(declared, webhook, **row, name="map", feed_id=1)
    assert is_refused(declared, webhook, **row, name="map", feed_id=2)
    assert not is_refused(declared, webhook, **row, name="siren", feed_id=2)


def test_two_programs_never_have_one_token(declared: Place) -> None:
    assert not is_refused(declared, api_token, **TOKEN, id=1, token_sha256="a")
    assert is_refused(declared, api_token, **TOKEN, id=2, token_sha256="a")
    assert not is_refused(declared, api_token, **TOKEN, id=2, token_sha256="b")


def test_a_program_never_gets_the_number_of_another(declared: Place) -> None:
    first, second = number_after_a_removal(declared, api_token, **TOKEN, token_sha256="a")

    assert second > first
