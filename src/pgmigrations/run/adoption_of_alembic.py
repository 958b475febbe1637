"""Taking over the version rows of plain Alembic, and giving them back."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from pgmigrations.migrate.core.quoting import literal, qualified
from pgmigrations.run.adoption import refuse_what_came_since, send
from pgmigrations.run.ledger import Entry
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.session import rows

if TYPE_CHECKING:
    from psycopg2 import extensions as driver

ALEMBIC_TABLE = "alembic_version"
ADOPTED_ROW = "adopted_by_pgmigrations"
"""What the table of plain Alembic holds afterwards: no revision, so that an Alembic that is still
deployed stops before it does anything."""

_THERE = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid = to_regclass(%s) AND attname = 'version_num' AND NOT attisdropped)
"""
_COMMENT = "SELECT obj_description(to_regclass(%s), 'pg_class')"


def alembic_rows(connection: driver.connection, schema: str) -> list[str]:
    """Read the version rows of plain Alembic; none where they are not there, or adopted.

    Args:
        connection: A connection of psycopg2's.
        schema: Where its table would be.
    """
    name = qualified(schema, ALEMBIC_TABLE)
    if not rows(connection, _THERE, (name,))[0][0]:
        return []
    found = sorted(one for (one,) in rows(connection, f"SELECT version_num::text FROM {name}"))
    return [one for one in found if one != ADOPTED_ROW]


def take_over(
    connection: driver.connection,
    ledger: LedgerTable,
    entries: Sequence[Entry],
    heads: Collection[str],
) -> None:
    """Make a version table and a ledger of plain Alembic's version rows.

    Its table stays, with a row that no revision has. Emits `CREATE TABLE`, and takes an ACCESS
    EXCLUSIVE lock on its table until the transaction ends.

    Args:
        connection: In the transaction that does it all.
        ledger: Names the tables to be made.
        entries: What the ledger begins with.
        heads: The revisions that the database is at.
    """
    old, new = (qualified(ledger.schema, one) for one in (ALEMBIC_TABLE, ledger.version_table))
    send(connection, [f"LOCK TABLE {old} IN ACCESS EXCLUSIVE MODE"])
    kept = {ALEMBIC_TABLE: alembic_rows(connection, ledger.schema), "heads": sorted(heads)}
    constraint = qualified(None, f"{ledger.version_table}_pkc")
    send(
        connection,
        [
            ledger.creation,
            f"CREATE TABLE IF NOT EXISTS {new} (version_num varchar(255) NOT NULL, "
            f"CONSTRAINT {constraint} PRIMARY KEY (version_num))",
            *(f"INSERT INTO {new} VALUES ({literal(head)})" for head in sorted(heads)),
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
    said = rows(connection, _COMMENT, (ledger.name,))[0][0]
    try:
        kept = json.loads(said or "")
        old_rows, heads = kept[ALEMBIC_TABLE], kept["heads"]
    except (ValueError, TypeError, KeyError):
        return False
    old, new = (qualified(ledger.schema, one) for one in (ALEMBIC_TABLE, ledger.version_table))
    refuse_what_came_since(connection, ledger, heads, new)
    send(
        connection,
        [
            f"DELETE FROM {old}",
            *(f"INSERT INTO {old} VALUES ({literal(one)})" for one in old_rows),
            f"DROP TABLE {new}, {ledger.name}",
        ],
    )
    return True
