"""Tables in which other tools keep what they have run, told by their columns."""

from __future__ import annotations

from collections.abc import Collection

_SHAPES = frozenset(
    frozenset(columns.split())
    for columns in (
        "version_num",  # Alembic
        "id name run_on",  # node-pg-migrate
        "id app name applied",  # Django
        "version dirty",  # golang-migrate
        "id version_id is_applied tstamp",  # goose
        "id name batch migration_time",  # Knex
        "installed_rank version description type script checksum installed_by installed_on "
        "execution_time success",  # Flyway
        "id checksum finished_at migration_name logs rolled_back_at started_at "
        "applied_steps_count",  # Prisma
    )
)


def is_ledger(columns: Collection[str]) -> bool:
    """Tell whether a table with exactly these columns is another tool's ledger, by any name."""
    return frozenset(columns) in _SHAPES
