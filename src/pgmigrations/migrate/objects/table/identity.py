"""An identity column that is added to a table from which others inherit.

No identity is inherited, and the server does not add a column that is one thing here and another
there by one statement (PostgreSQL manual, 5.3 Identity Columns; ALTER TABLE). From version 17 on
the partitions of a table share its identity.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import AddColumnOp
from sqlalchemy import DefaultClause, text

from pgmigrations.migrate.core.alembic_private import copy_of
from pgmigrations.migrate.core.counting import identity_sequence
from pgmigrations.migrate.core.execution import execute
from pgmigrations.migrate.core.quoting import DIALECT, do_block, identifier, literal, qualified

_COUNTER = "pg_temp.pgmigrations_identity"


def is_refused(operation: AddColumnOp) -> str:
    """Write the condition that the server would not add an identity column as it stands."""
    table = literal(qualified(operation.schema, operation.table_name))
    return f"""EXISTS (
    SELECT FROM pg_catalog.pg_inherits h
    JOIN pg_catalog.pg_class c ON c.oid = h.inhparent
    WHERE h.inhparent = {table}::regclass
      AND (c.relkind <> 'p' OR current_setting('server_version_num')::int < 170000))"""


def add_apart(
    original: Callable[[Operations, AddColumnOp], Any],
    operations: Operations,
    operation: AddColumnOp,
) -> None:
    """Add the column with numbers for the rows that are there, then make it an identity.

    The rows of the tables that inherit the column are numbered, too: it refuses NULL there.

    Args:
        original: Alembic's implementation.
        operations: Alembic's operations of this run.
        operation: Adds an identity column.
    """
    identity = operation.column.identity
    assert identity is not None
    compiler: Any = DIALECT.ddl_compiler(DIALECT, None)  # type: ignore[arg-type]
    type_ = DIALECT.type_compiler_instance.process(operation.column.type)
    options = compiler.get_identity_options(identity)
    execute(operations, f"CREATE TEMPORARY SEQUENCE {_name()} AS {type_} {options}".rstrip())
    plain = copy.copy(operation)
    plain.column = copy_of(operation.column)
    plain.column.identity = None
    plain.column.server_default = DefaultClause(text(f"nextval('{_COUNTER}')"))
    plain.column.nullable = False
    original(operations, plain)
    execute(operations, do_block(_made(operation, compiler.visit_identity_column(identity))))


def _name() -> str:
    return _COUNTER.removeprefix("pg_temp.")


def _made(operation: AddColumnOp, clause: str) -> str:
    """Write the body of a block that makes an identity of the column, and counts on."""
    table, column = qualified(operation.schema, operation.table_name), operation.column.name
    alter = f"ALTER TABLE {table} ALTER COLUMN {identifier(column)}"
    sequence = identity_sequence(table, column)
    return f"""\
BEGIN
  {alter} DROP DEFAULT;
  {alter} ADD {clause};
  PERFORM setval({sequence}, last_value, is_called) FROM {_COUNTER};
  DROP SEQUENCE {_COUNTER};
END"""
