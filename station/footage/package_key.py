"""The key by which the package of a request will be judged: the known one, or the one that the box tells."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from agent.wire.payloads import InfoPayload
from station.config import StationConfig
from station.footage.box_keys import known_keys
from station.footage.custody import pem
from station.store.database import engine_of, in_words, url_of
from station.store.schema import box_key


def known_pem(config: StationConfig, device: str) -> bytes | None:
    """The key that this station knows the box by, whatever the box says now; None: it knows none.

    Raises:
        StoreError: the store cannot be read; then nobody may go by the box's word.
    """
    url = url_of(config.database, config.state_dir)
    if config.database.url is None and not Path(url.database or "").exists():
        return None  # there is no store yet
    engine = engine_of(url, writes=False)
    try:
        with engine.connect() as connection:
            there = inspect(connection).has_table(box_key.name)
            known = known_keys(connection, config.commune, device) if there else []
    except SQLAlchemyError as error:
        raise in_words(error, url) from error
    finally:
        engine.dispose()
    return next((pem(each.key) for each in known if each.accepted), None)


def told_pem(info: InfoPayload | None) -> bytes | None:
    """The box's public key for packages, as it has told it."""
    if info is None or info.evidence_key is None:
        return None
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(info.evidence_key, validate=True))
    except ValueError:
        return None
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
