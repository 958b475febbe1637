"""Where a project's version rows and its ledger are, and what is locked for them."""

from __future__ import annotations

from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.alembic_private import version_table_of
from pgmigrations.run.ledger_table import LedgerTable
from pgmigrations.run.lock import PLACE, LockKeys


@dataclass(frozen=True)
class Place:
    """The version table of a database.

    Attributes:
        database: The database's name.
        schema: The version table's schema.
        table: The version table.
    """

    database: str
    schema: str
    table: str

    @property
    def keys(self) -> LockKeys:
        """What a run locks."""
        return LockKeys.of(self.database, self.schema, self.table)

    @property
    def ledger(self) -> LedgerTable:
        """The ledger beside it."""
        return LedgerTable(self.schema, self.table)


def place_of(context: MigrationContext, table: str = "") -> Place:
    """Look where a context's version table is; leaves a transaction open.

    Args:
        context: The connected context.
        table: Its name, where the context has another one for now.
    """
    assert context.connection is not None
    found = version_table_of(context)
    name = table or found.name
    given = (found.schema or "", name)
    database, schema = context.connection.exec_driver_sql(PLACE, given).one()
    return Place(str(database), str(schema), name)
