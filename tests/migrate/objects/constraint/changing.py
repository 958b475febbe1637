"""What the tests of the operations on constraints share: tables, and running operations."""

from __future__ import annotations

import io

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.options import OPTION
from pgmigrations.migrate.objects.constraint.look import Found, find
from pgmigrations.plugin import ensure_registered
from pgmigrations.settings import Settings
from tests.support.script import run_script

ensure_registered()

HURTING = 'it\'s "a.b" %s :x $pgm$ \\'
QUOTED = '"' + HURTING.replace('"', '""') + '"'
TABLES = f"""
CREATE SCHEMA {QUOTED};
CREATE TABLE one (id integer PRIMARY KEY, other integer, word varchar(9));
CREATE TABLE two (id integer PRIMARY KEY, other integer UNIQUE);
CREATE TABLE {QUOTED}.{QUOTED} ({QUOTED} integer, word varchar(9));
CREATE TABLE {QUOTED}.two (id integer PRIMARY KEY)
"""


def run(connection: Connection, *operations: Operation) -> None:
    """Carry operations out, connected, in one transaction."""
    context = MigrationContext.configure(connection)
    with context.begin_transaction():
        for operation in operations:
            Operations(context).invoke(operation)


def run_sql(url: str, *operations: Operation) -> None:
    """Carry operations out by way of `--sql` output."""
    output = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql",
        opts={"as_sql": True, "output_buffer": output, OPTION: Settings()},
    )
    for operation in operations:
        Operations(context).invoke(operation)
    run_script(url, output.getvalue())


def definition(url: str, name: str, table: str = "one", schema: str | None = None) -> str | None:
    """Return what the server prints of a constraint."""
    found = constraint(url, name, table, schema)
    return found.definition if found is not None else None


def constraint(url: str, name: str, table: str = "one", schema: str | None = None) -> Found | None:
    """Look a constraint up."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return find(connection, schema, table, name)


def rows(url: str) -> list[tuple[object, ...]]:
    """Read which constraints and tables there are, and which transaction wrote them."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT oid, xmin::text FROM pg_constraint WHERE oid >= 16384 "
            "UNION ALL SELECT oid, xmin::text FROM pg_class WHERE oid >= 16384 ORDER BY 1"
        )
        return [tuple(row) for row in found]
