# Written by scripts/write_operations.py.
"""Alembic's operations and ours, for revisions: `from pgmigrations import op`."""

from collections.abc import Mapping, Sequence
from typing import Any

from alembic.op import *
from sqlalchemy.types import UserDefinedType

def create_role(
    name: str,
    *,
    superuser: bool = False,
    createdb: bool = False,
    createrole: bool = False,
    inherit: bool = True,
    replication: bool = False,
    bypassrls: bool = False,
    connection_limit: int = -1,
    settings: Mapping[str, str] | None = None,
    comment: str = "",
) -> None:
    """Create a role that cannot log in, unless the server has it and it is the same.

    Emits `CREATE ROLE … NOLOGIN`, `ALTER ROLE … SET` and `COMMENT ON ROLE`, which lock no
    table; needs CREATEROLE. A role that is there stays as it is, since another database may
    need it: it only gets the settings and the comment that it has not. Its reverse is
    `op.drop_role`. PostgreSQL 14 or newer (PostgreSQL manual, CREATE ROLE).

    Example:
        op.create_role("readwrite")
        op.create_role("app_rw", settings={"role": "readwrite"})

    Args:
        name: The role, unquoted.
        superuser: Whether no privilege is ever asked of it.
        createdb: Whether it may create databases.
        createrole: Whether it may create roles.
        inherit: Whether it has the privileges of the roles that it is a member of.
        replication: Whether it may start replication.
        bypassrls: Whether no row security policy holds for it.
        connection_limit: How many sessions it may have at once; -1 for any number.
        settings: Run-time settings of its sessions in every database; by default none.
        comment: Its comment; by default none.

    Raises:
        DifferentObject: A role of that name is there, and may do what this one shall not.
    """

def drop_role(
    name: str,
    *,
    unless_used: bool = False,
) -> None:
    """Drop a role that nothing in any database of the server needs, if it is there.

    Emits `DROP ROLE`, which locks no table; needs CREATEROLE, and ADMIN on the role from
    PostgreSQL 16 on. The role is left where it is, and that is said, where somebody is logged
    in by it; where it, or a role that it is a member of, owns something or has a privilege in
    another database; and where it has any left in this one. Its reverse is `op.create_role`.

    Example:
        op.drop_role("reporting")

    Args:
        name: The role, unquoted.
        unless_used: Whether it also stays where it can log in, or has members: somebody else
            may have made it.
    """

def alter_role(
    name: str,
    properties: Mapping[str, Any],
    *,
    existing: Mapping[str, Any] | None = None,
    unless_used: bool = False,
) -> None:
    """Change properties of a role.

    Emits `ALTER ROLE`, `ALTER ROLE … SET`, `… RESET` and `COMMENT ON ROLE`, which lock no
    table; needs CREATEROLE, and ADMIN on the role from PostgreSQL 16 on. Its reverse swaps
    both states.

    Example:
        op.alter_role(
            "app_rw",
            {"settings": {"statement_timeout": "30s"}},
            existing={"settings": {"statement_timeout": None}},
        )

    Args:
        name: The role, unquoted.
        properties: What changes, as `op.create_role` takes it; a setting that is None is
            reset.
        existing: The same properties as they were before; needed for the reverse.
        unless_used: Whether it stays as it is, and that is said, where it, or a role that it is
            a member of, is used in another database of the server.

    Raises:
        DifferentObject: A property is neither as before nor as wanted.
        MissingObject: The role is not there.
    """

def grant_role(
    group: str,
    to: str,
    *,
    inherit: bool = True,
    admin: bool = False,
) -> None:
    """Let a role act as another, unless it may.

    Emits `GRANT … TO …`, from PostgreSQL 16 on `WITH INHERIT …, SET TRUE`, which locks no
    table; needs CREATEROLE, and ADMIN on the group from PostgreSQL 16 on. Its reverse is
    `op.revoke_role`. PostgreSQL 14 or newer (PostgreSQL manual, 22.3 Role Membership).

    Example:
        op.grant_role("readwrite", "app_rw")

    Args:
        group: The role that the member may act as, unquoted.
        to: The member, unquoted.
        inherit: Whether the member has the group's privileges without acting as it; before
            PostgreSQL 16 its own attribute says so.
        admin: Whether the member may let others act as the group.
    """

def revoke_role(
    group: str,
    member: str,
    *,
    unless_used: bool = False,
) -> None:
    """End a role's membership in another, if it is a member.

    Emits `REVOKE … FROM …`, from PostgreSQL 16 on for each that has granted it, which locks no
    table; sessions of the member that act as the group go on as it. Its reverse is
    `op.grant_role`.

    Example:
        op.revoke_role("readwrite", "app_rw")

    Args:
        group: The role that the member may act as, unquoted.
        member: The member, unquoted.
        unless_used: Whether it is left, and that is said, where the group owns something or has
            privileges in another database of the server.
    """

def create_schema(
    name: str,
) -> None:
    """Create a schema, unless the database has it.

    Emits `CREATE SCHEMA IF NOT EXISTS`, which locks no table and needs CREATE on the
    database. Its reverse is `op.drop_schema`. PostgreSQL 14 or newer (PostgreSQL manual,
    5.10 Schemas).

    Example:
        op.create_schema("billing")

    Args:
        name: The schema, unquoted.
    """

def drop_schema(
    name: str,
) -> None:
    """Drop a schema that holds nothing, if the database has it and this role may.

    Emits `DROP SCHEMA IF EXISTS … RESTRICT`, which locks no table. A schema that holds what no
    revision made, and one of another role, is left where it is. Its reverse is
    `op.create_schema`.

    Example:
        op.drop_schema("billing")

    Args:
        name: The schema, unquoted.
    """

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
    """Drop an enumerated type, if it is there; another sort of type of its name stays.

    Emits `DROP TYPE IF EXISTS … RESTRICT`: refused by the server while a column, a default or
    a function still uses it. Locks no table. Its reverse is `op.create_enum`.

    Example:
        op.drop_enum("job_status")

    Args:
        name: The type, unquoted.
        schema: Its schema; by default the first of the search path.
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

def create_domain(
    name: str,
    data_type: str,
    *,
    collation: str = "",
    default: str = "",
    not_null: bool = False,
    constraints: Mapping[str, str] | None = None,
    comment: str = "",
    schema: str | None = None,
) -> None:
    """Create a domain, unless it is there and the same.

    Emits `CREATE DOMAIN`, which locks no table, and `COMMENT ON DOMAIN`; a constraint that
    is `NOT VALID` is added by `ALTER DOMAIN`. Its reverse is `op.drop_domain`. PostgreSQL 14
    or newer (PostgreSQL manual, CREATE DOMAIN).

    Example:
        op.create_domain("email", "text", constraints={"email_at": "CHECK (VALUE ~ '@')"})

    Args:
        name: The domain, unquoted.
        data_type: What it is over, as SQL says it, such as `character varying(40)`.
        collation: As SQL says it, such as `pg_catalog."C"`; by default the type's own.
        default: An expression of SQL; by default none.
        not_null: Whether NULL is refused.
        constraints: Its checks: the definition of each, as SQL says it, by its name.
        comment: Its comment; by default none.
        schema: Its schema; by default the first of the search path.

    Raises:
        DifferentObject: A type of that name is there, and is another one.
    """

def drop_domain(
    name: str,
    *,
    schema: str | None = None,
) -> None:
    """Drop a domain, if it is there; another sort of type of its name stays.

    Emits `DROP DOMAIN IF EXISTS … RESTRICT`: refused by the server while a column or a
    function still uses it. Locks no table. Its reverse is `op.create_domain`.

    Example:
        op.drop_domain("email")

    Args:
        name: The domain, unquoted.
        schema: Its schema; by default the first of the search path.
    """

def alter_domain(
    name: str,
    properties: Mapping[str, Any],
    *,
    existing: Mapping[str, Any],
    schema: str | None = None,
) -> None:
    """Change properties of a domain.

    Emits `ALTER DOMAIN … SET DEFAULT`, `DROP DEFAULT`, `SET NOT NULL`, `DROP NOT NULL`, `ADD
    CONSTRAINT`, `DROP CONSTRAINT` or `VALIDATE CONSTRAINT`, and `COMMENT ON DOMAIN`. What
    makes the domain narrower reads every table that has a column of it under a SHARE lock, so
    nobody writes to them meanwhile; PostgreSQL refuses it while an array or a composite type
    of the domain is in a column. Its reverse swaps what is wanted with what existed.

    Example:
        op.alter_domain(
            "email",
            {"constraints": {"email_at": "CHECK (VALUE ~ '@')"}},
            existing={"constraints": {"email_at": ""}},
        )

    Args:
        name: The domain, unquoted.
        properties: The properties that change: `default` (an expression; empty for none),
            `not_null` (true or false), `constraints` (the definition of each by its name;
            empty to drop it) and `comment` (empty for none).
        existing: The same properties before, for the reverse.
        schema: Its schema; by default the first of the search path.

    Raises:
        MissingObject: There is no such domain.
        DifferentObject: It is neither as wanted nor as it was.
        UnknownProperty: A domain has no such property that could change.
    """

def create_sequence(
    name: str,
    options: Mapping[str, Any] | None = None,
    *,
    schema: str | None = None,
) -> None:
    """Create a sequence, unless it is there and the same.

    Emits `CREATE SEQUENCE`, which locks no table, and `COMMENT ON SEQUENCE`. One that a column
    of numbers owns counts on from the largest value, if that lies behind its start. Its
    reverse is `op.drop_sequence`. An unlogged one asks for PostgreSQL 15 or newer.

    Example:
        op.create_sequence("invoice_number", {"start": 1000, "cycle": True})

    Args:
        name: The sequence, unquoted.
        options: `type` (`smallint`, `integer`, `bigint`), `start`, `increment`, `minvalue`,
            `maxvalue`, `cache` (numbers), `cycle`, `unlogged` (booleans), `owned_by` (a list
            of schema, table and column) and `comment`; what is left out is as the server
            chooses (PostgreSQL manual, CREATE SEQUENCE). An owner that is not said is not
            looked at.
        schema: Its schema; by default the first of the search path.

    Raises:
        DifferentObject: A sequence of that name is there, with other properties.
        UnknownOption: A sequence has no such property.
    """

def drop_sequence(
    name: str,
    *,
    schema: str | None = None,
) -> None:
    """Drop a sequence, if it is there; that of an identity column is left alone.

    Emits `DROP SEQUENCE IF EXISTS … RESTRICT`: refused by the server while a default still
    uses it. Its reverse is `op.create_sequence`; where it was counting is lost.

    Example:
        op.drop_sequence("invoice_number")

    Args:
        name: The sequence, unquoted.
        schema: Its schema; by default the first of the search path.
    """

def alter_sequence(
    name: str,
    options: Mapping[str, Any],
    *,
    existing: Mapping[str, Any],
    becomes: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """Change properties of a sequence; where it is counting stays.

    A position outside new limits becomes the nearest that they allow: one that has counted
    beyond its new end has no number left, unless it cycles. One that becomes the property of a
    column of numbers whose default takes its numbers counts on from the largest value,
    never backwards; so does one that turns, from those of every column that takes its numbers.

    Emits `ALTER SEQUENCE` (SHARE ROW EXCLUSIVE on the sequence, so nobody draws a number
    meanwhile), `ALTER SEQUENCE … SET LOGGED` or `SET UNLOGGED` (ACCESS EXCLUSIVE, PostgreSQL
    15 or newer) and `COMMENT ON SEQUENCE`. Its reverse swaps what is wanted with what
    existed.

    Example:
        op.alter_sequence("invoice_number", {"increment": 5}, existing={"increment": 1})

    Args:
        name: The sequence, unquoted.
        options: The properties that change, as `op.create_sequence` takes them; an empty
            list as `owned_by` takes the owner away, where the sequence is still there.
        existing: The same properties before, for the reverse.
        becomes: The same properties as they are later in the same revision; where they are
            like that already, nothing is done.
        schema: Its schema; by default the first of the search path.

    Raises:
        MissingObject: There is no such sequence.
        DifferentObject: It is neither as wanted nor as it was.
        UnknownOption: A sequence has no such property.
    """

def rename_sequence(
    old: str,
    new: str,
    *,
    schema: str | None = None,
) -> None:
    """Rename a sequence, unless that is done; where it is counting stays.

    Emits `ALTER SEQUENCE … RENAME TO`, which takes ACCESS EXCLUSIVE on the sequence for a
    moment, so nobody draws a number meanwhile. The defaults that use it follow by themselves.
    Its reverse renames it back.

    Example:
        op.rename_sequence("book_id_seq", "volume_id_seq")

    Args:
        old: The sequence as it is called, unquoted.
        new: The name that it shall have, at most 63 bytes.
        schema: Its schema; by default the first of the search path.

    Raises:
        DifferentObject: There are sequences of both names.
        MissingObject: There is neither.
    """

def change_table(
    table: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    schema: str | None = None,
    becomes: Mapping[str, Any] | None = None,
) -> None:
    """Change a table's settings from one state to another, unless that is done.

    Both states name the same properties, those that differ, as the server prints them:

    `parents` (the tables that it inherits from, each a list of schema and name; with the
    columns that it needs already there), `persistence` (`"p"` logged, `"u"`
    unlogged), `options` (storage parameters such as
    `["fillfactor=70", "toast.autovacuum_enabled=off"]`), `row_security` (`"enabled"`,
    `"forced"`, `"enabled forced"` or empty), `replica_identity` (`"d"` default, `"n"` nothing,
    `"f"` full, or `"i"` and an index: `"i book_pkey"`), `tablespace` (empty for the
    database's own), `access_method` and `comment`.

    Emits `ALTER TABLE`, which takes ACCESS EXCLUSIVE (SHARE UPDATE EXCLUSIVE for most storage
    parameters); another persistence, tablespace or access method rewrites the table. An
    unlogged table is empty after a crash. Its reverse goes from `new` to `old`. PostgreSQL 14
    or newer, 15 for the access method (PostgreSQL manual, ALTER TABLE).

    Example:
        op.change_table("book", {"options": []}, {"options": ["fillfactor=70"]})

    Args:
        table: The table, unquoted.
        old: The properties as they are.
        new: The properties as they shall be.
        schema: The table's schema; by default the first of the search path.
        becomes: The properties as they are later in the same revision; where they are like
            that already, nothing is done.

    Raises:
        DifferentObject: The table is neither in the one state nor in the other.
        MissingObject: There is no such table.
    """

def change_partitions(
    table: str,
    old: Sequence[Sequence[str | None]],
    new: Sequence[Sequence[str | None]],
    *,
    schema: str | None = None,
) -> None:
    """Give a partitioned table other partitions, unless it has them.

    A partition that is in `old` alone is dropped, with its rows. One that is in both and gets
    another bound is detached and attached again, which reads its rows. One that is in `new`
    alone is attached where a table of its name is there, else made. Partitions that are in
    neither are left alone.

    Emits `ALTER TABLE … DETACH PARTITION`, `DROP TABLE` and `CREATE TABLE … PARTITION OF`
    (ACCESS EXCLUSIVE on the table), `ALTER TABLE … ATTACH PARTITION` (SHARE UPDATE EXCLUSIVE
    on it). Its reverse goes from `new` to `old` (PostgreSQL manual, 5.12 Table Partitioning).

    Example:
        op.change_partitions(
            "visit",
            [[None, "visit_2024", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"]],
            [
                [None, "visit_2024", "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')"],
                [None, "visit_rest", "DEFAULT"],
            ],
        )

    Args:
        table: The partitioned table, unquoted.
        old: Its partitions before, each a list: schema (None for the first of the search
            path), name, and `FOR VALUES …` or `DEFAULT`; for one that is partitioned itself
            its key, such as `LIST (kind)`; for a partition of a partition also schema and name
            of that one, which comes before it.
        new: The same after.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: A partition has another bound, key or parent than the two.
        MissingObject: There is no such table.
    """

def rename_table_to(
    old: str,
    new: str,
    *,
    schema: str | None = None,
) -> None:
    """Rename a table, unless that is done; Alembic's `op.rename_table` does not look.

    Emits `ALTER TABLE … RENAME TO`, which takes ACCESS EXCLUSIVE for a moment and rewrites
    nothing: rows, indexes, foreign keys, views and privileges follow by themselves. The NOT
    NULL constraints (PostgreSQL 18) and the sequences of identity columns follow where they
    have the names that the server chose; keys, indexes and SERIAL sequences keep theirs. Its
    reverse renames it back. An application that still says the old name fails from then on.

    Example:
        op.rename_table_to("book", "volume")

    Args:
        old: The table as it is called, unquoted.
        new: The name that it shall have, at most 63 bytes.
        schema: Its schema, which stays; by default the first of the search path.

    Raises:
        DifferentObject: There are tables of both names.
        MissingObject: There is neither.
    """

def change_column(
    table: str,
    column: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *,
    using: str | None = None,
    old_using: str | None = None,
    schema: str | None = None,
    until: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Change a column from one state to another, unless that is done.

    Both states name the same properties, those that differ, as the server prints them:

    `type` (`"numeric(10,2)"`), `collation` (`'pg_catalog."C"'`), `default` (an expression),
    `not_null` (`"NOT NULL"`), `generated` (`"STORED (price * 2)"`), `identity_options`
    (`"ALWAYS START 1 INCREMENT 1"`), `storage` (`"p"` plain, `"e"` external, `"m"` main, `"x"`
    extended), `compression` (`"lz4"`), `statistics` (`"500"`), `options`
    (`["n_distinct=5"]`) and `comment`. Empty means none, or the server's own choice.

    Emits `ALTER TABLE … ALTER COLUMN`, which takes ACCESS EXCLUSIVE on the table (SHARE UPDATE
    EXCLUSIVE for statistics and options alone). Statistics are set on the table alone, not on
    those that inherit from it; compression also on its partitions, which hold the values. A
    change of type rewrites the table and its indexes, but for those that only lengthen; a
    default is taken away before it and set again after it. A generated expression is
    changed in place by PostgreSQL 17; before, and between STORED and VIRTUAL or a plain
    column, the column is made again with its indexes, constraints, statistics and
    privileges, in partitions, too: its values follow from the others. What becomes a
    plain column keeps its values; what becomes a generated one loses its own. An identity
    that is added counts on from the largest value, and so does one that turns, and a
    sequence whose numbers become a column's default; else where one is counting stays, or
    becomes the nearest that new limits allow.

    Its reverse goes from `new` to `old`.

    Example:
        op.change_column(
            "book",
            "year",
            {"type": "text"},
            {"type": "integer"},
            using="year::integer",
        )

    Args:
        table: The table, unquoted.
        column: The column, unquoted.
        old: The properties as they are.
        new: The properties as they shall be.
        using: The expression that makes an old value into a new one, names in it quoted
            where they need be; by default the server converts as INSERT does.
        old_using: The same for the way back.
        schema: The table's schema; by default the first of the search path.
        until: For a generated column that lets go of others while they change: their names,
            each with its definition before and after, empty where it is not there. Once all
            of them are as after, it has nothing to let go of.

    Raises:
        DifferentObject: The column is neither in the one state nor in the other.
        MissingObject: There is no such column.
    """

def rename_column(
    table: str,
    old: str,
    new: str,
    *,
    schema: str | None = None,
) -> None:
    """Rename a column, unless that is done.

    Emits `ALTER TABLE … RENAME COLUMN`, which takes ACCESS EXCLUSIVE for a moment and rewrites
    nothing: rows, indexes, constraints, defaults and views follow by themselves. Its NOT NULL
    constraint (PostgreSQL 18) and the sequence of an identity follow where they have the names
    that the server chose; keys, indexes and a SERIAL's sequence keep theirs. Its reverse
    renames it back. An application that still says the old name fails from then on.

    Example:
        op.rename_column("book", "year", "publication_year")

    Args:
        table: The table, unquoted.
        old: The column as it is called, unquoted.
        new: The name that it shall have, at most 63 bytes.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: The table has columns of both names.
        MissingObject: It has neither, or is not there.
    """

def add_constraint(
    name: str,
    table: str,
    definition: str,
    *,
    schema: str | None = None,
    comment: str | None = None,
) -> None:
    """Add a constraint of any sort, unless it is there and means the same.

    Emits `ALTER TABLE … ADD CONSTRAINT`, which checks every row under ACCESS EXCLUSIVE on the
    table; a foreign key under SHARE ROW EXCLUSIVE on both tables. Its reverse is
    `op.remove_constraint` (PostgreSQL manual, ALTER TABLE).

    Example:
        op.add_constraint("positive", "one", "CHECK (number > 0)")
        op.add_constraint(
            "one_to_two", "one", "FOREIGN KEY (two) REFERENCES public.two(id)"
        )

    Args:
        name: The constraint, unquoted.
        table: Its table, unquoted.
        definition: What follows the name in SQL, as `pg_get_constraintdef()` prints it.
        schema: The table's schema; by default the first of the search path.
        comment: A comment on it; by default none is set.

    Raises:
        DifferentObject: The table has a constraint of that name, and the server prints another
            definition of it.
    """

def remove_constraint(
    name: str,
    table: str,
    definition: str,
    *,
    becomes: str | None = None,
    until: Sequence[Sequence[str]] | None = None,
    schema: str | None = None,
) -> None:
    """Drop a constraint, if it is there and means what the revision says.

    Emits `ALTER TABLE IF EXISTS … DROP CONSTRAINT IF EXISTS`, which takes ACCESS EXCLUSIVE on
    the table, for a foreign key on both tables. Its reverse is `op.add_constraint`
    (PostgreSQL manual, ALTER TABLE).

    Example:
        op.remove_constraint("positive", "one", "CHECK ((number > 0))")

    Args:
        name: The constraint, unquoted.
        table: Its table, unquoted.
        definition: What it is, as `pg_get_constraintdef()` prints it. Where the server cannot
            make it any more, since columns or labels have changed, it is not compared.
        becomes: The definition that it gets later in the same revision, for one whose columns
            change in between; where it is like that already, nothing is done.
        until: What changes in between, for one that makes way for it and is added again after:
            `column`, `constraint` or `index`, schema, table, name and definition of each, the
            definition empty for what is gone; or `table`, schema, table, an empty name, and
            `LOGGED` or `UNLOGGED`. Once all of them are like that and the
            constraint means what it shall, nothing is done.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: The constraint is there, and the server prints another definition.
    """

def replace_constraint(
    name: str,
    table: str,
    old: str,
    new: str,
    *,
    schema: str | None = None,
    comment: str | None = None,
) -> None:
    """Give a constraint another definition, unless it means that already.

    Emits `ALTER TABLE … DROP CONSTRAINT` and `ADD CONSTRAINT`, which checks every row, under
    ACCESS EXCLUSIVE on the table, for a foreign key on both tables. A constraint that is gone,
    with a column for example, is added. Its reverse goes from `new` to `old`
    (PostgreSQL manual, ALTER TABLE).

    Example:
        op.replace_constraint(
            "positive", "one", "CHECK ((number > 0))", "CHECK ((number >= 0))"
        )

    Args:
        name: The constraint, unquoted.
        table: Its table, unquoted.
        old: What it is, as `pg_get_constraintdef()` prints it. Where the server cannot make it
            any more, since columns or labels have changed, it is not compared.
        new: What it shall be.
        schema: The table's schema; by default the first of the search path.
        comment: The comment that it has after; by default none.

    Raises:
        DifferentObject: The constraint is there and means neither `old` nor `new`.
    """

def validate_constraint(
    name: str,
    table: str,
    *,
    schema: str | None = None,
) -> None:
    """Check the rows that were there before a constraint was added NOT VALID.

    Emits `ALTER TABLE … VALIDATE CONSTRAINT`, which reads the whole table under SHARE UPDATE
    EXCLUSIVE, for a foreign key with ROW SHARE on the other table, too; it blocks no reads or
    writes. Its reverse adds the constraint NOT VALID again (PostgreSQL manual, ALTER TABLE).

    Example:
        op.validate_constraint("positive", "one")

    Args:
        name: The constraint, unquoted.
        table: Its table, unquoted.
        schema: The table's schema; by default the first of the search path.

    Raises:
        MissingObject: There is no such constraint.
    """

def comment_on_constraint(
    name: str,
    table: str,
    comment: str | None,
    *,
    existing: str | None = None,
    schema: str | None = None,
) -> None:
    """Set or take away the comment on a constraint.

    Emits `COMMENT ON CONSTRAINT … IS …`, which takes SHARE UPDATE EXCLUSIVE on the table. Its
    reverse sets the comment before again (PostgreSQL manual, COMMENT).

    Example:
        op.comment_on_constraint("positive", "one", "Nobody owes", existing=None)

    Args:
        name: The constraint, unquoted.
        table: Its table, unquoted.
        comment: The comment; None for no comment.
        existing: The comment before; by default none.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: The comment is neither of the two.
        MissingObject: There is no such constraint.
    """

def change_constraint_index(
    name: str,
    table: str,
    old: Sequence[str],
    new: Sequence[str],
    *,
    schema: str | None = None,
) -> None:
    """Change the settings of the index that a constraint has, unless that is done.

    Emits `ALTER INDEX … SET` and `RESET` (SHARE UPDATE EXCLUSIVE on the index; a storage
    parameter counts for pages that are written later), `ALTER INDEX … SET TABLESPACE` (ACCESS
    EXCLUSIVE on the index, which it copies) and `ALTER TABLE … CLUSTER ON` (SHARE UPDATE
    EXCLUSIVE on the table). Its reverse goes from `new` to `old` (PostgreSQL manual, ALTER
    INDEX).

    Example:
        op.change_constraint_index("book_pkey", "book", [], ["clustered", "fillfactor=70"])

    Args:
        name: The constraint, unquoted.
        table: Its table, unquoted.
        old: The settings before: storage parameters such as `fillfactor=70`, `clustered`, and
            `tablespace=` with its name where it is not the database's own.
        new: The settings after.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: The settings are neither of the two.
        MissingObject: There is no such constraint.
    """

def rename_constraint(
    table: str,
    old: str,
    new: str,
    *,
    schema: str | None = None,
) -> None:
    """Rename a constraint, unless that is done; the index of a key is renamed with it.

    Emits `ALTER TABLE … RENAME CONSTRAINT`, which takes ACCESS EXCLUSIVE for a moment and
    checks nothing again. Its reverse renames it back.

    Example:
        op.rename_constraint("volume", "book_pkey", "volume_pkey")

    Args:
        table: The table, unquoted.
        old: The constraint as it is called, unquoted.
        new: The name that it shall have, at most 63 bytes.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: The table has constraints of both names.
        MissingObject: It has neither, or is not there.
    """

def create_index_as(
    name: str,
    table: str,
    definition: str,
    *,
    options: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """Create an index as the server printed it, unless it is there and the same.

    Emits `CREATE INDEX`, which takes a SHARE lock on the table: reading goes on, writing
    waits. One that is INVALID is made anew. Its reverse is `op.drop_index`.

    Example:
        op.create_index_as(
            "ix_title", "page", "CREATE INDEX ix_title ON public.page USING gin (title)"
        )

    Args:
        name: The index, unquoted.
        table: Its table, unquoted.
        definition: As `pg_get_indexdef()` prints it. The name and the schema in it are not
            looked at.
        options: `tablespace`, `statistics` (a list such as `["2=500"]`: column number and
            target), `clustered` and `comment`, where they differ from the default.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: An index of that name is there, and is another one.
        UnreadableDefinition: The definition has another form than the server prints.
    """

def replace_index(
    name: str,
    table: str,
    old: str,
    new: str,
    *,
    old_options: Mapping[str, Any] | None = None,
    new_options: Mapping[str, Any] | None = None,
    step: str | None = None,
    until: Sequence[Sequence[str]] | None = None,
    schema: str | None = None,
) -> None:
    """Drop an index and create it by another definition, unless it has that already.

    Emits `DROP INDEX` (ACCESS EXCLUSIVE on the table) and `CREATE INDEX` (SHARE on the
    table), and says again that the index is the replica identity where it was. An INVALID one
    is made anew, also where both definitions are the same. Its reverse swaps them.

    Example:
        op.replace_index(
            "ix_n",
            "t",
            "CREATE INDEX ix_n ON public.t USING btree (n)",
            "CREATE INDEX ix_n ON public.t USING btree (n DESC)",
        )

    Args:
        name: The index, unquoted.
        table: The table that the new one is on, unquoted.
        old: The definition before, as `pg_get_indexdef()` prints it.
        new: The definition after. Names and schema in both are not looked at.
        old_options: `tablespace`, `statistics`, `clustered` and `comment` before, where they
            differ from the default.
        new_options: The same after.
        step: `"drop"` or `"create"` does only that half, where the type of a column changes
            between the two, or other indexes of a partitioned table; by default both.
        until: For a step, `column`, schema, table, name and type of the columns that change;
            before, an index that is as `new` says is taken for one that is as `old` says.
        schema: The table's schema; by default the first of the search path.

    Raises:
        DifferentObject: The index has neither definition.
        UnreadableDefinition: A definition has another form than the server prints.
    """

def alter_index(
    name: str,
    table: str,
    options: Mapping[str, Any],
    *,
    existing: Mapping[str, Any],
    schema: str | None = None,
) -> None:
    """Move an index, set its statistics targets, or let CLUSTER go by it.

    Emits `ALTER INDEX … SET TABLESPACE` (ACCESS EXCLUSIVE on the index while it is copied),
    `ALTER INDEX … SET STATISTICS` (SHARE UPDATE EXCLUSIVE on the index) and `ALTER TABLE …
    CLUSTER ON` or `SET WITHOUT CLUSTER` (SHARE UPDATE EXCLUSIVE on the table). Its reverse
    swaps what is wanted with what existed.

    Example:
        op.alter_index("ix_n", "t", {"clustered": True}, existing={"clustered": False})

    Args:
        name: The index, unquoted.
        table: Its table, unquoted.
        options: What is wanted: `tablespace` (empty for the database's own), `statistics` (a
            list such as `["2=500"]`: column number and target), `clustered`.
        existing: The same before, for the reverse.
        schema: The table's schema; by default the first of the search path.

    Raises:
        MissingObject: There is no such index.
        DifferentObject: It is neither as wanted nor as it was.
        UnknownOption: An index has no such property.
    """

def comment_on_index(
    name: str,
    comment: str | None,
    *,
    existing: str | None = None,
    schema: str | None = None,
) -> None:
    """Set or take away an index's comment.

    Emits `COMMENT ON INDEX`, which takes a SHARE UPDATE EXCLUSIVE lock on the index. Its
    reverse sets what existed.

    Example:
        op.comment_on_index("ix_title", "For the search page")

    Args:
        name: The index, unquoted.
        comment: The text; None takes it away.
        existing: The comment before, for the reverse.
        schema: The index's schema; by default the first of the search path.

    Raises:
        MissingObject: There is no such index.
    """

def rename_index(
    old: str,
    new: str,
    *,
    schema: str | None = None,
) -> None:
    """Rename an index, unless that is done.

    Emits `ALTER INDEX … RENAME TO`, which takes SHARE UPDATE EXCLUSIVE on the index, so that
    reads and writes go on, and builds nothing. Its reverse renames it back.

    Example:
        op.rename_index("ix_book_year", "ix_book_publication_year")

    Args:
        old: The index as it is called, unquoted.
        new: The name that it shall have, at most 63 bytes.
        schema: Its schema; by default the first of the search path.

    Raises:
        DifferentObject: There are indexes of both names.
        MissingObject: There is neither.
    """

def grant(
    privileges: Sequence[str],
    on: str,
    names: Sequence[str],
    role: str,
    *,
    grantable: bool = False,
    schema: str | None = None,
) -> None:
    """Give a role privileges on objects, unless it has them.

    Emits `GRANT`, which locks no table. Its reverse is `op.revoke`. PostgreSQL 14 or newer
    (PostgreSQL manual, GRANT).

    Example:
        op.grant(["SELECT", "INSERT"], "table", ["users", "faq"], "readwrite")
        op.grant(["CONNECT"], "database", [], "readwrite")

    Args:
        privileges: Their names.
        on: What they are on: `table`, `sequence`, `schema` or `database`, the connected one.
        names: The objects, unquoted; none for the database.
        role: Who shall have them, unquoted; `public` is every role.
        grantable: Whether the role may grant them in its turn.
        schema: The schema of tables and sequences; by default the first of the search path.

    Raises:
        UnknownSort: There are no such objects.
    """

def revoke(
    privileges: Sequence[str],
    on: str,
    names: Sequence[str],
    role: str,
    *,
    option_only: bool = False,
    schema: str | None = None,
) -> None:
    """Take privileges on objects from a role, if it has them.

    Emits `REVOKE`, which locks no table; an object or a role that is not there has none, and an
    owner keeps what is his. Privileges on single columns, which go with those on the table, are
    granted again. Refused by the server where the role has granted them to others. Its reverse
    is `op.grant`.

    Example:
        op.revoke(["DELETE"], "table", ["users"], "readwrite")

    Args:
        privileges: Their names.
        on: What they are on: `table`, `sequence`, `schema` or `database`, the connected one.
        names: The objects, unquoted; none for the database.
        role: Who has them, unquoted; `public` is every role.
        option_only: Whether only the right to grant them goes.
        schema: The schema of tables and sequences; by default the first of the search path.

    Raises:
        UnknownSort: There are no such objects.
    """

def grant_default_privileges(
    privileges: Sequence[str],
    on: str,
    role: str,
    *,
    for_role: str,
    grantable: bool = False,
    schema: str | None = None,
) -> None:
    """Give a role privileges on what another role will make in this database.

    Emits `ALTER DEFAULT PRIVILEGES FOR ROLE … GRANT` in a block, which locks no table. A role
    that made `for_role`, and may therefore act as it, is enough: where it has not its
    privileges yet, it grants them to itself for the statement. Its reverse is
    `op.revoke_default_privileges`. PostgreSQL 14 or newer (PostgreSQL manual, ALTER DEFAULT
    PRIVILEGES).

    Example:
        op.grant_default_privileges(
            ["SELECT"], "tables", "readwrite", for_role="tablecreator", schema="public"
        )

    Args:
        privileges: Their names.
        on: `tables`, `sequences`, `functions` or `types`.
        role: Who shall have them, unquoted; `public` is every role.
        for_role: Who will make them, unquoted.
        grantable: Whether the role may grant them in its turn.
        schema: Where they will be made; by default in every schema.

    Raises:
        UnknownSort: There are no such objects.
    """

def revoke_default_privileges(
    privileges: Sequence[str],
    on: str,
    role: str,
    *,
    for_role: str,
    option_only: bool = False,
    schema: str | None = None,
) -> None:
    """Take privileges on what another role will make from a role, if it has them.

    Emits `ALTER DEFAULT PRIVILEGES FOR ROLE … REVOKE` in a block, which locks no table. What
    has been made already keeps its privileges. Its reverse is `op.grant_default_privileges`.

    Example:
        op.revoke_default_privileges(["DELETE"], "tables", "readwrite", for_role="tablecreator")

    Args:
        privileges: Their names.
        on: `tables`, `sequences`, `functions` or `types`.
        role: Who has them, unquoted; `public` is every role.
        for_role: Who will make them, unquoted.
        option_only: Whether only the right to grant them goes.
        schema: Where they will be made; by default in every schema.

    Raises:
        UnknownSort: There are no such objects.
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
