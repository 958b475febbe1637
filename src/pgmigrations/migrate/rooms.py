# Written by scripts/write_operations.py.
"""The rooms of all kinds, with the operations for which they are imported."""

from pgmigrations.migrate.core.deferral import Room

ROOMS = (
    Room(
        "pgmigrations.migrate.objects.role",
        operations=("create_role", "drop_role", "alter_role"),
    ),
    Room(
        "pgmigrations.migrate.objects.membership",
        operations=("grant_role", "revoke_role"),
    ),
    Room(
        "pgmigrations.migrate.objects.schema",
        operations=("create_schema", "drop_schema"),
    ),
    Room(
        "pgmigrations.migrate.objects.extension",
        operations=("create_extension", "drop_extension", "alter_extension"),
    ),
    Room(
        "pgmigrations.migrate.objects.enum",
        operations=(
            "create_enum",
            "drop_enum",
            "add_enum_value",
            "rename_enum_value",
            "replace_enum",
        ),
    ),
    Room(
        "pgmigrations.migrate.objects.domain",
        operations=("create_domain", "drop_domain", "alter_domain"),
    ),
    Room(
        "pgmigrations.migrate.objects.sequence",
        operations=("create_sequence", "drop_sequence", "alter_sequence", "rename_sequence"),
    ),
    Room(
        "pgmigrations.migrate.objects.table",
        operations=("change_table", "change_partitions", "rename_table_to"),
        implementations=("AddColumnOp", "DropTableOp"),
    ),
    Room(
        "pgmigrations.migrate.objects.column",
        operations=("change_column", "rename_column"),
    ),
    Room(
        "pgmigrations.migrate.objects.constraint",
        operations=(
            "add_constraint",
            "remove_constraint",
            "replace_constraint",
            "validate_constraint",
            "comment_on_constraint",
            "change_constraint_index",
            "rename_constraint",
        ),
        implementations=("AddConstraintOp", "DropConstraintOp"),
    ),
    Room(
        "pgmigrations.migrate.objects.index",
        operations=(
            "create_index_as",
            "replace_index",
            "alter_index",
            "comment_on_index",
            "rename_index",
        ),
        implementations=("CreateIndexOp", "DropIndexOp"),
    ),
    Room(
        "pgmigrations.migrate.objects.grant",
        operations=("grant", "revoke"),
    ),
    Room(
        "pgmigrations.migrate.objects.default_privilege",
        operations=("grant_default_privileges", "revoke_default_privileges"),
    ),
)
