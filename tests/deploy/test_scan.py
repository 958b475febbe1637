"""Which tables a revision goes through is read off its operations."""

from __future__ import annotations

import pytest

from pgmigrations.deploy.scan import scanned_tables

REVISION = """\
import sqlalchemy as sa
from pgmigrations import op

def upgrade() -> None:
    {call}

def downgrade() -> None:
    op.create_index("back", "other", ["a"])
"""


@pytest.mark.parametrize(
    ("call", "tables"),
    [
        ("op.create_index('ix', 'page', ['title'])", [("", "page")]),
        ("op.create_index('ix', table_name='page', columns=['a'], schema='s')", [("s", "page")]),
        ("op.create_index_as('ix', 'page', 'CREATE INDEX …')", [("", "page")]),
        ("op.add_constraint('one', 'page', 'CHECK (n > 0)')", [("", "page")]),
        ("op.add_constraint('one', 'page', 'CHECK (n > 0) NOT VALID')", []),
        ("op.validate_constraint('one', 'page')", [("", "page")]),
        ("op.create_foreign_key('one', 'page', 'book', ['a'], ['b'])", [("", "page")]),
        (
            "op.create_foreign_key('one', 'page', 'book', ['a'], ['b'], postgresql_not_valid=True)",
            [],
        ),
        ("op.change_column('page', 'n', {'type': 'int4'}, {'type': 'int8'})", [("", "page")]),
        ("op.change_column('page', 'n', {'comment': ''}, {'comment': 'a'})", []),
        ("op.alter_column('page', 'n', type_=sa.BigInteger())", [("", "page")]),
        ("op.alter_column('page', 'n', nullable=False)", [("", "page")]),
        ("op.alter_column('page', 'n', nullable=True)", []),
        ("op.add_column('page', sa.Column('n', sa.Integer()))", []),
        ("op.execute('UPDATE page SET n = 1')", []),
        ("op.create_index('a', 'p', ['a']); op.create_index('b', 'p', ['b'])", [("", "p")] * 2),
        ("other.create_index('a', 'p', ['a'])", []),
    ],
)
def test_the_tables_are_named_as_often_as_they_are_gone_through(
    call: str, tables: list[tuple[str, str]]
) -> None:
    assert scanned_tables(REVISION.format(call=call)) == tables
