"""What a screen follows and looks for: events in the order in which they were kept, riders, score, zones.

What is here already gets its riders, score and zones from its newest message. One that the database cannot take
apart again leaves them empty: no text of a box may keep a station from its start.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BEGAN = sa.text("coalesce(start_ms + clock_offset_ms, start_ms)")
PLACE: list[str | sa.TextClause] = [BEGAN, "box_id", "event_id"]
IS_ALERT = sa.text("severity = 'alert'")
IS_OPEN = sa.text("phase != 'end'")
HAS_DIRECTION = sa.text("direction IS NOT NULL")
HAS_ZONES = sa.text("zones IS NOT NULL")
HAS_DETAIL = sa.text("detail IS NOT NULL")
ZONES_HEAD = sa.text("substr(zones, 1, 200)")
LATE = "first_received_ms - coalesce(start_ms + clock_offset_ms, start_ms) > 60000 OR replayed"
IS_CROWDED = sa.text("riders >= 3")
INDEXED_WORDS = ("label", "rule_id", "direction")
LONGEST_WORD = 200
"""In characters: PostgreSQL puts no more than 2,704 bytes into an index."""

FILL_SQLITE = """
update event set
    riders = coalesce(json_extract(r.body, '$.object.riders'), 0),
    top_score_permille = cast(round(json_extract(r.body, '$.object.top_score') * 1000) as integer),
    zones = (select ',' || group_concat(value, ',') || ',' from json_each(r.body, '$.object.entered_zones'))
from event_revision as r
where r.box_id = event.box_id and r.event_id = event.event_id and r.revision = event.revision
    and json_valid(r.body) and json_type(r.body, '$.object') = 'object'
"""
SPELT_OUT = """
create function pg_temp.spelt_out(body text, out riders bigint, out permille integer, out zones text)
language plpgsql as $$
declare
    seen json;
begin
    seen := body::json -> 'object';
    if json_typeof(seen) = 'object' then
        riders := coalesce((seen ->> 'riders')::bigint, 0);
        permille := round((seen ->> 'top_score')::numeric * 1000);
        select ',' || string_agg(each.value, ',' order by each.ordinality) || ',' into zones
            from json_array_elements_text(coalesce(seen -> 'entered_zones', '[]')) with ordinality as each;
    end if;
exception when others then
    riders := null;
    permille := null;
    zones := null;
end $$
"""
FILL_POSTGRESQL = """
update event set riders = it.riders, top_score_permille = it.permille, zones = it.zones
from event_revision as r, lateral pg_temp.spelt_out(r.body) as it
where r.box_id = event.box_id and r.event_id = event.event_id and r.revision = event.revision
"""


def upgrade() -> None:
    """Make table and columns, fill these, make the indexes."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite counts up in no other type
    op.create_table(
        "event_feed",
        sa.Column("id", number, nullable=False),
        sa.Column("box_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_event_feed_box_id"),
        sa.PrimaryKeyConstraint("id", name="pk_event_feed"),
        sqlite_autoincrement=True,
    )
    for column in (
        sa.Column("riders", sa.BigInteger(), nullable=True),
        sa.Column("top_score_permille", sa.Integer(), nullable=True),
        sa.Column("zones", sa.Text(), nullable=True),
    ):
        op.add_column("event", column)
    _fill()
    _make_indexes()


def _fill() -> None:
    for word in INDEXED_WORDS:
        column: sa.ColumnClause[str] = sa.column(word)
        cut = sa.update(sa.table("event", column)).where(sa.func.length(column) > LONGEST_WORD)
        op.execute(cut.values({word: sa.func.substr(column, 1, LONGEST_WORD)}))
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(SPELT_OUT)
        op.execute(FILL_POSTGRESQL)
        op.execute("drop function pg_temp.spelt_out(text)")
    else:
        op.get_bind().exec_driver_sql(FILL_SQLITE)


def _make_indexes() -> None:
    op.create_index("ix_event_event_id", "event", ["event_id"])
    op.create_index("ix_event_box_camera_began_ms", "event", ["box_id", "camera", BEGAN, "event_id"])
    op.create_index("ix_event_label_began_ms", "event", ["label", *PLACE])
    op.create_index("ix_event_kind_label_began_ms", "event", ["kind", "label", *PLACE])
    op.create_index("ix_event_rule_began_ms", "event", ["rule_id", *PLACE])
    is_late: dict[str, Any] = {"sqlite_where": sa.text(f"{LATE} = 1"), "postgresql_where": sa.text(LATE)}
    _index_some("ix_event_direction_began_ms", ["direction", *PLACE], HAS_DIRECTION)
    _index_some("ix_event_zones_began_ms", [ZONES_HEAD, *PLACE], HAS_ZONES)
    _index_some("ix_event_detail_began_ms", PLACE, HAS_DETAIL)
    _index_some("ix_event_alert_began_ms", PLACE, IS_ALERT)
    op.create_index("ix_event_late_began_ms", "event", PLACE, **is_late)
    _index_some("ix_event_crowded_began_ms", PLACE, IS_CROWDED)
    _index_some("ix_event_open", ["severity", "phase"], IS_OPEN)
    op.create_index("ix_event_revision_stream_id", "event_revision", ["stream_id", "seq"])
    op.create_index("ix_count_interval_box_id", "count_interval", ["box_id", "camera", "rule", "start_ms"])


def _index_some(name: str, columns: list[str | sa.TextClause], where: sa.TextClause) -> None:
    op.create_index(name, "event", columns, sqlite_where=where, postgresql_where=where)
