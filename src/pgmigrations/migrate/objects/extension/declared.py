"""Extensions as the models declare them, and how a difference is phrased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, MetaData, text

from pgmigrations.declare import Extension, declarations
from pgmigrations.migrate.core.kind import Difference
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.snapshot import Change, Scope, Snapshot
from pgmigrations.migrate.core.types import column_types, type_classes
from pgmigrations.migrate.objects.extension.catalog import ExtensionRecord
from pgmigrations.migrate.objects.extension.ops import (
    AlterExtension,
    CreateExtension,
    DropExtension,
)

TYPE_EXTENSIONS = {"pgvector": "vector"}
"""Extensions that a column's type asks for, by the package that the type comes from."""


def declared(
    metadatas: Sequence[MetaData],
    scope: Scope,
    actual: Snapshot[ExtensionRecord],
    made: Snapshot[ExtensionRecord],
) -> Iterator[ExtensionRecord]:
    """Yield what the models ask for, and what they use where it was found to be needed.

    What they leave open is as it is in the database.
    """
    asked = {wanted.name: wanted for wanted in _wanted(metadatas)}
    used = (
        Extension(one.name)
        for one in made.values()
        if one.kind == ExtensionRecord.kind and one.is_used and one.name not in asked
    )
    for wanted in (*asked.values(), *used):
        if wanted.name in scope.ignore_extensions:
            continue
        found = actual.get((ExtensionRecord.kind, "", wanted.name))
        yield ExtensionRecord(
            "",
            wanted.name,
            wanted.schema or (found.installed_in if found else ""),
            wanted.version or (found.version if found else ""),
            is_used=True,
        )


def _wanted(metadatas: Sequence[MetaData]) -> Iterator[Extension]:
    names = set()
    for metadata in metadatas:
        for extension in declarations(metadata, Extension):
            names.add(extension.name)
            yield extension
    for type_ in column_types(metadatas):
        for class_ in type_classes(type_):
            name = TYPE_EXTENSIONS.get(class_.__module__.partition(".")[0])
            if name is not None and name not in names:
                names.add(name)
                yield Extension(name)


def created(metadatas: Sequence[MetaData], scope: Scope) -> list[str]:
    """Return the SQL that makes the wanted extensions, in the scratch database."""
    return [
        statement
        for extension in _wanted(metadatas)
        for statement in CreateExtension(extension.name, schema=extension.schema).statements()
    ]


def offered(scratch: Connection) -> Iterator[list[str]]:
    """Yield what makes the extensions that the server has: those of ordinary roles, then others."""
    rows = scratch.execute(_AVAILABLE).all()
    for trusted in (True, False):
        yield [
            CreateExtension(name).statements()[0]
            for name, is_trusted in rows
            if is_trusted is trusted
        ]


_AVAILABLE = text("""
SELECT e.name, v.trusted
FROM pg_available_extensions e
JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
WHERE e.installed_version IS NULL
  AND (v.trusted OR NOT v.superuser OR current_setting('is_superuser') = 'on')
ORDER BY e.name
""")


def phrase(change: Change[ExtensionRecord], difference: Difference) -> list[Operation]:
    """Express a difference as operations."""
    before, after = change.before, change.after
    if before is None:
        assert after is not None
        return [
            CreateExtension(
                after.name, schema=after.installed_in or None, version=after.version or None
            )
        ]
    if after is None:
        return [DropExtension(before.name, installed_in=before.installed_in)]
    moved = after.installed_in != before.installed_in
    updated = after.version != before.version
    return [
        AlterExtension(
            after.name,
            schema=after.installed_in if moved else None,
            version=after.version if updated else None,
            existing_schema=before.installed_in if moved else None,
            existing_version=before.version if updated else None,
        )
    ]
