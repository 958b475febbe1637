"""What counts of an operation where a half-done revision is gone on with."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import ops

from pgmigrations.run.said import words_of

OTHER = sa.Table("other.one", sa.MetaData(), sa.Column("id", sa.Integer))
BY_NAME = sa.ForeignKeyConstraint(["c"], ["other.id"])
BY_COLUMN = sa.ForeignKeyConstraint(["c"], [OTHER.c.id])
SELF = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer))
SELF.append_column(sa.Column("up", sa.Integer, sa.ForeignKey(SELF.c.id)))


def columns(*columns: Any) -> ops.CreateTableOp:
    return ops.CreateTableOp("t", [*columns])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (columns(sa.Column("c", sa.Integer)), columns(sa.Column("c", sa.Text))),
        (
            columns(sa.Column("c", sa.Integer, sa.ForeignKey("a.b"))),
            columns(sa.Column("c", sa.Integer, sa.ForeignKey("a.b", ondelete="CASCADE"))),
        ),
        (ops.CreateTableOp("t", [BY_NAME]), ops.CreateTableOp("t", [BY_COLUMN])),
        (
            ops.CreateTableOp("t", [*SELF.columns]),
            columns(sa.Column("id", sa.Integer), sa.Column("up", sa.Integer)),
        ),
        (
            ops.ExecuteSQLOp(sa.text("SELECT :x").bindparams(x=1)),
            ops.ExecuteSQLOp(sa.text("SELECT :x").bindparams(x=2)),
        ),
    ],
    ids=["a type", "a rule", "a name with a dot", "a table of its own", "a parameter"],
)
def test_another_operation_says_something_else(
    one: ops.MigrateOperation, other: ops.MigrateOperation
) -> None:
    assert [*words_of(one)] == [*words_of(one)]
    assert [*words_of(one)] != [*words_of(other)]
    assert " at 0x" not in "".join(words_of(one))
