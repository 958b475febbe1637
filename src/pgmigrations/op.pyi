# Written by scripts/write_operations.py.
"""Alembic's operations and ours, for revisions: `from pgmigrations import op`."""

from collections.abc import Mapping, Sequence
from typing import Any

from alembic.op import *
from sqlalchemy.types import UserDefinedType

def create_extension(
    name: str,
    *,
    schema: str | None = None,
    version: str | None = None,
) -> None:
    """Create an extension, unless the database has it.

    Emits `CREATE EXTENSION IF NOT EXISTS`, which locks no table. Its reverse is
    `op.drop_extension`. PostgreSQL 14 or newer; "trusted" extensions need CREATE on the
    database, the others a superuser (PostgreSQL manual, CREATE EXTENSION).

    Example:
        op.create_extension("vector")

    Args:
        name: The extension, unquoted.
        schema: Where its objects go; by default the first schema of the search path.
        version: The version; by default the newest that the server has.

    Raises:
        DifferentObject: It is there, in another schema or version than was asked for.
    """

def drop_extension(
    name: str,
) -> None:
    """Drop an extension, if the database has it and this role may.

    Emits `DROP EXTENSION IF EXISTS … RESTRICT`: refused by the server while a table, an
    index or a default still needs the extension. One that an administrator made is left
    where it is. Its reverse is `op.create_extension`.

    Example:
        op.drop_extension("vector")

    Args:
        name: The extension, unquoted.
    """

def alter_extension(
    name: str,
    *,
    schema: str | None = None,
    version: str | None = None,
    existing_schema: str | None = None,
    existing_version: str | None = None,
) -> None:
    """Move an extension to another schema, or update it to another version.

    Emits `ALTER EXTENSION … SET SCHEMA` and `… UPDATE TO`. An update runs the extension's own
    script, whose locks are its own. Its reverse swaps what is wanted with what existed; few
    extensions have a script that goes back to an older version.

    Example:
        op.alter_extension("vector", version="0.8.0", existing_version="0.7.0")

    Args:
        name: The extension, unquoted.
        schema: The new schema; None leaves it.
        version: The new version; None leaves it.
        existing_schema: The schema before, for the reverse.
        existing_version: The version before, for the reverse.

    Raises:
        MissingObject: The extension is not installed.
    """

def create_enum(
    name: str,
    labels: Sequence[str],
    *,
    schema: str | None = None,
) -> None:
    """Create an enumerated type, unless it is there with the same labels.

    Emits `CREATE TYPE … AS ENUM`, which locks no table. Its reverse is `op.drop_enum`.
    PostgreSQL 14 or newer (PostgreSQL manual, 8.7 Enumerated Types).

    Example:
        op.create_enum("job_status", ["pending", "running", "done"])

    Args:
        name: The type, unquoted.
        labels: Its labels in order, each at most 63 bytes.
        schema: Its schema; by default the first of the search path.

    Raises:
        DifferentObject: A type of that name is there, with other labels or of another sort.
        NameTooLong: The name or a label has more than 63 bytes.
    """

def drop_enum(
    name: str,
    *,
    schema: str | None = None,
) -> None:
    """Drop an enumerated type, if it is there.

    Emits `DROP TYPE IF EXISTS … RESTRICT`: refused by the server while a column, a default or
    a function still uses it. Locks no table. Its reverse is `op.create_enum`.

    Example:
        op.drop_enum("job_status")

    Args:
        name: The type, unquoted.
        schema: Its schema; by default the first of the search path.

    Raises:
        DifferentObject: A type of that name is there, and is no enum.
    """

def add_enum_value(
    name: str,
    value: str,
    *,
    before: str | None = None,
    after: str | None = None,
    schema: str | None = None,
    losing: Sequence[str] | None = None,
) -> None:
    """Add a label to an enumerated type, unless it has it.

    Emits `ALTER TYPE … ADD VALUE IF NOT EXISTS`, which locks no table, in a transaction of its
    own: what the revision did before it is committed, since the label could not be used
    otherwise. The reverse, in a generated revision, is `op.replace_enum` without the label.

    Example:
        op.add_enum_value("job_status", "queued", after="pending")

    Args:
        name: The type, unquoted.
        value: The new label, at most 63 bytes.
        before: The label that it goes before.
        after: The label that it goes after; with neither it is the last.
        schema: The type's schema; by default the first of the search path.
        losing: Labels that a later `op.replace_enum` of the revision takes away. Where rows
            hold one, this refuses already, before anything is committed; leave it out where
            the revision changes those rows in between.

    Raises:
        LabelsInUse: Rows hold a label of `losing`.
        DifferentObject: The label is there, on the wrong side of its neighbour.
        MissingObject: There is no such enum, or no such neighbour.
    """

def rename_enum_value(
    name: str,
    old: str,
    new: str,
    *,
    schema: str | None = None,
) -> None:
    """Rename a label of an enumerated type, unless that is done.

    Emits `ALTER TYPE … RENAME VALUE`, which locks no table and rewrites nothing; rows,
    defaults and indexes follow by themselves. Its reverse renames it back. An application
    that still says the old label fails from then on.

    Example:
        op.rename_enum_value("job_status", "canceled", "cancelled")

    Args:
        name: The type, unquoted.
        old: The label as it is.
        new: The label as it shall be, at most 63 bytes.
        schema: The type's schema; by default the first of the search path.

    Raises:
        DifferentObject: The type has both labels.
        MissingObject: There is no such enum, or it has neither label.
    """

def replace_enum(
    name: str,
    old: Sequence[str],
    new: Sequence[str],
    *,
    replace: Mapping[str, str] | None = None,
    schema: str | None = None,
) -> None:
    """Remove or reorder the labels of an enumerated type, which no ALTER TYPE can.

    Renames the type, creates it anew with its owner, comment and privileges, and changes every
    column of the type or of arrays of it by `ALTER TABLE … ALTER COLUMN … TYPE`. Defaults,
    checks, keys, indexes, statistics and generated columns on them are dropped before and made
    again after, as they were; a generated column is then its table's last. One transaction,
    which locks all those tables in ACCESS EXCLUSIVE mode first and rewrites them; their
    planner statistics are gone until the next ANALYZE. Where a live application cannot wait
    that long, leave the label unused instead.

    Where the type has the labels `new` already, nothing is locked or done. Its reverse goes
    from `new` to `old`; what `replace` has changed stays changed.

    Example:
        op.replace_enum(
            "job_status", ["pending", "failed", "broken"], ["pending", "failed"],
            replace={"broken": "failed"},
        )

    Args:
        name: The type, unquoted.
        old: The labels as they are, in order.
        new: The labels as they shall be, in order.
        replace: For labels of `old`, those that rows, elements of arrays, and defaults that
            are one label get instead, all at the same time: `{"a": "b", "b": "a"}` swaps.
            A label that stays may be named, too.
        schema: The type's schema; by default the first of the search path.

    Raises:
        LabelsInUse: Rows hold a label that goes and `replace` does not name; with counts.
        LabelInDefinition: A check, index, generated column or other default says such a label.
        DependantsInTheWay: A view, function, trigger, policy, domain, composite type or the
            like uses the type, or a table is partitioned by it; with their names.
        NotTheOwner: The role owns not the type and all those tables.
        RowsHidden: Row-level security binds the role, so that it cannot count.
        DifferentObject: The type's labels are neither `old` nor `new`.
        MissingObject: There is no such enum.
    """

def sql_type(
    definition: str,
) -> UserDefinedType[Any]:
    """Write a column's type as SQL, where SQLAlchemy has no class for it.

    Example:
        op.add_column("place", sa.Column("area", op.sql_type("geometry(POLYGON,4326)")))

    Args:
        definition: The type as `CREATE TABLE` takes it, quoted where it must be.
    """
