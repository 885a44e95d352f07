"""What leaves the station for other programs: how far webhooks are, and who may ask."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text, UniqueConstraint

from station.store.schema.naming import metadata

webhook = Table(  # how far each of the webhooks of the configuration is
    "webhook",
    metadata,
    Column("name", Text, primary_key=True),
    Column("begun_ms", BigInteger, nullable=False),
    Column("feed_id", BigInteger, nullable=False),  # of event_feed: all up to it was delivered, or given up
    Column("delivered", BigInteger, nullable=False),
    Column("given_up", BigInteger, nullable=False),  # after days, or gone out of the feed before
    Column("delivered_ms", BigInteger),  # the latest
    Column("failing_ms", BigInteger),  # since when the next one has not been taken; null: it goes on
    Column("trouble", Text),  # why, in words
)

api_token = Table(  # programs that may ask the console's interface
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_sha256", Text, nullable=False),
    Column("name", Text, nullable=False),  # of the program
    Column("role", Text, nullable=False),
    Column("made_by", Text, nullable=False),  # login
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),  # the latest, to the minute
    Column("revoked_ms", BigInteger),
    UniqueConstraint("token_sha256"),
    sqlite_autoincrement=True,
)
