"""Taking over the version rows of plain Alembic, and giving them back."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pgmigrations.errors import PgMigrationsError
from pgmigrations.migrate.core.quoting import literal, qualified
from pgmigrations.run.adoption import (
    NotAdopted,
    comment_of,
    refuse_what_came_since,
    send,
    version_table_statements,
)
from pgmigrations.run.ledger import Entry
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

ALEMBIC_TABLE = "alembic_version"
ADOPTED_ROW = "adopted_by_pgmigrations"
"""What the table of plain Alembic holds afterwards: no revision, so that an Alembic that is still
deployed stops before it does anything."""

_WHERE = """
SELECT n.nspname::text
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'version_num'
WHERE c.oid IN (to_regclass(%s), to_regclass(%s)) AND NOT a.attisdropped
ORDER BY n.nspname <> %s
"""


class RowsMoved(PgMigrationsError):
    """Plain Alembic has run while its rows were looked at."""

    def __init__(self) -> None:
        super().__init__(
            f"{ALEMBIC_TABLE} has changed meanwhile: another run is under way", "Run this again"
        )


@dataclass(frozen=True)
class AlembicRows:
    """The version rows of plain Alembic.

    Attributes:
        schema: Where its table is.
        rows: What it holds, sorted; none where it is adopted.
    """

    schema: str
    rows: tuple[str, ...]


def alembic_rows(connection: driver.connection, schema: str) -> AlembicRows | None:
    """Read the version rows of plain Alembic; None where it has no table.

    Args:
        connection: A connection of psycopg2's.
        schema: Where its table is looked for first, before the search path.
    """
    name = qualified(schema, ALEMBIC_TABLE)
    found = rows(connection, _WHERE, (name, ALEMBIC_TABLE, schema))
    if not found:
        return None
    there: str = found[0][0]
    query = f"SELECT version_num::text FROM {qualified(there, ALEMBIC_TABLE)}"
    held = sorted(one for (one,) in rows(connection, query))
    return AlembicRows(there, tuple(one for one in held if one != ADOPTED_ROW))


def take_over(
    connection: driver.connection,
    ledger: LedgerTable,
    expected: AlembicRows,
    entries: Sequence[Entry],
    heads: Collection[str],
) -> None:
    """Make a version table and a ledger of plain Alembic's version rows.

    Its table stays, with a row that no revision has. Emits `CREATE TABLE`, and takes an ACCESS
    EXCLUSIVE lock on its table until the transaction ends.

    Args:
        connection: In the transaction that does it all.
        ledger: Names the tables to be made.
        expected: The rows as they were read before.
        entries: What the ledger begins with.
        heads: The revisions that the database is at.

    Raises:
        RowsMoved: They are others now.
    """
    old = qualified(expected.schema, ALEMBIC_TABLE)
    send(connection, [f"LOCK TABLE {old} IN ACCESS EXCLUSIVE MODE"])
    if alembic_rows(connection, expected.schema) != expected:
        raise RowsMoved
    kept = {
        ALEMBIC_TABLE: expected.rows,
        "schema": expected.schema,
        "heads": sorted(heads),
    }
    send(
        connection,
        [
            ledger.creation,
            *version_table_statements(ledger.schema, ledger.version_table, sorted(heads)),
            *(ledger.insertion(entry) for entry in entries),
            f"COMMENT ON TABLE {ledger.name} IS {literal(json.dumps(kept))}",
            f"DELETE FROM {old}",
            f"INSERT INTO {old} VALUES ({literal(ADOPTED_ROW)})",
        ],
    )


def give_back(connection: driver.connection, ledger: LedgerTable) -> bool:
    """Give plain Alembic its version rows back, and drop what was made for them.

    Args:
        connection: In the transaction that does it all.
        ledger: Names the tables that were made.

    Returns:
        Whether they were plain Alembic's.

    Raises:
        NotAdopted: The database has moved on since.
    """
    try:
        kept = json.loads(comment_of(connection, ledger.name) or "")
        old_rows, schema, heads = kept[ALEMBIC_TABLE], kept["schema"], kept["heads"]
    except (ValueError, TypeError, KeyError):
        return False
    old = qualified(schema, ALEMBIC_TABLE)
    new = qualified(ledger.schema, ledger.version_table)
    refuse_what_came_since(connection, ledger, heads, new)
    held = [one for (one,) in rows(connection, f"SELECT version_num::text FROM {old}")]
    if held != [ADOPTED_ROW]:
        raise NotAdopted(
            f"{ALEMBIC_TABLE} has changed since the adoption: it holds {', '.join(held) or 'none'}",
            f"Put the one row {ADOPTED_ROW} back to undo it",
        )
    send(
        connection,
        [
            f"DELETE FROM {old}",
            *(f"INSERT INTO {old} VALUES ({literal(one)})" for one in old_rows),
            f"DROP TABLE {new}, {ledger.name}",
        ],
    )
    return True
