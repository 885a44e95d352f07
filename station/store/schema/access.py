"""Who may use the duty room's screen, who is logged in, and what each has done there."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint

from station.store.schema.naming import metadata, reference

account = Table(  # who may use the duty room's screen
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False),  # lower case
    Column("name", Text, nullable=False),  # as it stands in logs and reports
    Column("role", Text, nullable=False),  # officer, supervisor, administrator
    Column("password_hash", Text, nullable=False),  # argon2id
    Column("must_change", Boolean, nullable=False),  # the password was given by somebody else
    Column("disabled", Boolean, nullable=False),
    Column("language", Text),  # null: the console's
    Column("failed", Integer, nullable=False),  # wrong passwords in a row
    Column("locked_until_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),  # of the password; sessions of before are over
    Column("login_ms", BigInteger),  # the latest
    Column("communes", Text, nullable=False, server_default=""),  # at the province: whose; names, or *
    UniqueConstraint("login"),
)

web_session = Table(  # who is logged in
    "web_session",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    reference("account_id", "account"),
    Column("csrf", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Index("ix_web_session_account_id", "account_id"),
)

known_browser = (
    Table(  # in which an account was logged in; it gives no right, but a count of wrong passwords of its own
        "known_browser",
        metadata,
        Column("token_sha256", Text, primary_key=True),
        reference("account_id", "account"),
        Column("seen_ms", BigInteger, nullable=False),  # the latest log-in
        Column("failed", Integer, nullable=False),  # wrong passwords in a row
        Column("locked_until_ms", BigInteger),
        Index("ix_known_browser_account_id", "account_id"),
    )
)

audit_entry = Table(  # what was done at the console, by whom: it only grows, each line bound to the one before
    "audit_entry",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("login", Text, nullable=False),  # '' where nobody was logged in
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("verb", Text, nullable=False),  # of station.access.audit_log
    Column("subject", Text, nullable=False),  # box/camera, event id, request id, login, …
    Column("detail", Text, nullable=False),  # JSON
    Column("previous_sha256", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Index("ix_audit_entry_time_ms", "time_ms"),
    Index("ix_audit_entry_login", "login", "time_ms"),
    Index("ix_audit_entry_verb", "verb", "time_ms"),
    sqlite_autoincrement=True,
)
