"""What Alembic's context carries for us: one option, with the settings in it."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, text

from pgmigrations.migrate.core.alembic_private import version_table_of
from pgmigrations.migrate.core.snapshot import Scope
from pgmigrations.migrate.core.types import named_types
from pgmigrations.run.ledger import SUFFIX
from pgmigrations.settings import Settings

OPTION = "pgmigrations"
"""The key in `context.configure()`; a context without it is none of our business."""


def settings_of(context: MigrationContext) -> Settings | None:
    """Return the settings of a context, or None where the project does not use this extension."""
    settings = context.opts.get(OPTION)
    assert settings is None or isinstance(settings, Settings)
    return settings


def metadatas_of(context: MigrationContext) -> list[MetaData]:
    """Return the project's metadata, of which there may be several."""
    target = context.opts.get("target_metadata")
    if target is None:
        return []
    return [target] if isinstance(target, MetaData) else list(target)


def declared_schemas(metadatas: list[MetaData]) -> set[str]:
    """Return the schemas that the models name, for a table, a type or a sequence."""
    found: set[str | None] = {type_.schema for type_ in named_types(metadatas)}
    for metadata in metadatas:
        found |= {table.schema for table in metadata.tables.values()}
        found |= {sequence.schema for sequence in metadata._sequences.values()}
    return {schema for schema in found if schema is not None}


def declared_roles(metadatas: list[MetaData]) -> set[str]:
    """Return the roles that the models declare."""
    from pgmigrations.declare import Role, declarations

    return {role.name for metadata in metadatas for role in declarations(metadata, Role)}


def named_grantees(metadatas: list[MetaData]) -> set[str]:
    """Return the roles that a grant of the models names, declared or not."""
    from pgmigrations.declare import DefaultPrivilege, Grant, declarations

    found: set[str] = set()
    for metadata in metadatas:
        found |= {one.to for one in declarations(metadata, Grant)}
        found |= {one.to for one in declarations(metadata, DefaultPrivilege)}
    return found


def granted_schemas(metadatas: list[MetaData]) -> set[str]:
    """Return the schemas that a grant of the models is on, or that it is for."""
    from pgmigrations.declare import DefaultPrivilege, Grant, declarations

    found: set[str] = set()
    for metadata in metadatas:
        for grant in declarations(metadata, Grant):
            found |= set(grant.schemas)
        found |= {one.schema for one in declarations(metadata, DefaultPrivilege) if one.schema}
    return found


def scope_of(context: MigrationContext) -> Scope:
    """Say which part of the connected database the project describes."""
    settings = settings_of(context)
    connection = context.connection
    assert settings is not None
    assert connection is not None
    default_schema = connection.execute(text("SELECT current_schema()")).scalar_one() or "public"
    version_schema = settings.version_table_schema or default_schema
    metadatas = metadatas_of(context)
    roles = declared_roles(metadatas)
    ignored = {relation(name, default_schema) for name in settings.ignore_tables}
    return Scope(
        default_schema=default_schema,
        schemas=frozenset({default_schema} | declared_schemas(metadatas)),
        ignore_extensions=frozenset(settings.ignore_extensions),
        ignore_relations=frozenset(
            {
                (version_schema, settings.version_table),
                (version_schema, settings.version_table + SUFFIX),
                (version_schema, version_table_of(context).name),
                *ignored,
            }
        ),
        roles=frozenset(roles),
        grantees=frozenset(roles | named_grantees(metadatas)),
        granted_schemas=frozenset(granted_schemas(metadatas)),
    )


def relation(name: str, default_schema: str) -> tuple[str, str]:
    """Read `table` or `schema.table` into schema and table."""
    schema, _, table = name.rpartition(".")
    return (schema or default_schema, table)
