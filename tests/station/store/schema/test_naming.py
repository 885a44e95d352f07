"""station.store.schema.naming"""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, Table, Text, UniqueConstraint

from station.store.schema.naming import metadata, reference


def test_a_constraint_is_called_by_its_kind_its_table_and_its_first_column() -> None:
    """Steps of the database change them by these names."""
    apart = MetaData(naming_convention=metadata.naming_convention)
    key = Column("id", Integer, primary_key=True)
    table = Table(
        "pole", apart, key, reference("box_id", "box"), Column("place", Text), UniqueConstraint("place")
    )

    assert {str(constraint.name) for constraint in table.constraints} == {
        "pk_pole", "fk_pole_box_id", "uq_pole_place",
    }  # fmt: skip


def test_a_reference_is_to_the_id_of_a_row_and_never_to_none() -> None:
    column = reference("account_id", "account")

    assert (column.name, column.nullable) == ("account_id", False)
    assert [key.target_fullname for key in column.foreign_keys] == ["account.id"]
