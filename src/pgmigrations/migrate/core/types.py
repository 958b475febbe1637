"""Column types: what PostgreSQL gets, whatever class the application wrapped around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ARRAY, Enum, Interval, MetaData, Sequence
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeDecorator, TypeEngine

from pgmigrations.migrate.core.quoting import DIALECT


def underlying(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Unwrap variants and `TypeDecorator`s, down to the type that PostgreSQL is given."""
    while True:
        variant = type_._variant_mapping.get(DIALECT.name)
        if variant is not None:
            type_ = variant
        # Interval is a TypeDecorator over the timestamps of databases that have no intervals.
        elif isinstance(type_, TypeDecorator) and not isinstance(type_, Interval):
            type_ = type_.load_dialect_impl(DIALECT)
        else:
            return type_


def native_enum(type_: TypeEngine[Any]) -> Enum | None:
    """Return the enum behind a column's type, arrays of it included; None for all else."""
    inner = underlying(type_)
    while isinstance(inner, ARRAY):
        inner = underlying(inner.item_type)
    return inner if isinstance(inner, Enum) and inner.native_enum else None


def metadata_enums(metadata: MetaData) -> list[Enum]:
    """Return the native enums that belong to a metadata, whether a column uses them or not.

    SQLAlchemy 2.1 keeps them; before, only their listeners tell.
    """
    # get_schema_objects() would tell those of one schema at a time, and not which schemas.
    candidates: list[Any] = list(getattr(metadata, "_objects", ()))
    if not candidates:
        listeners = metadata.dispatch.before_create
        candidates = [getattr(listener, "target", None) for listener in listeners]
    enums = [type_ for type_ in candidates if isinstance(type_, Enum) and type_.native_enum]
    hidden = {
        id(column.type)
        for table in metadata.tables.values()
        for column in table.columns
        if native_enum(column.type) is None
    }
    found = [type_ for type_ in enums if id(type_) not in hidden]
    return sorted(found, key=lambda type_: (type_.schema or "", type_.name or ""))


def type_classes(type_: TypeEngine[Any]) -> Iterator[type[TypeEngine[Any]]]:
    """Yield the classes of a column's type, wrappers and array items included."""
    inner = underlying(type_)
    yield type(inner)
    if isinstance(inner, ARRAY):
        yield from type_classes(inner.item_type)


def sql_of(type_: TypeEngine[Any]) -> str:
    """Write a type as a column definition would."""
    return str(type_.compile(dialect=DIALECT))


def enums(metadatas: Iterable[MetaData]) -> Iterator[Enum]:
    """Yield the native enums of the models: of every column, and those that no column uses."""
    for metadata in metadatas:
        for table in metadata.tables.values():
            for column in table.columns:
                type_ = native_enum(column.type)
                if type_ is not None:
                    yield type_
        yield from metadata_enums(metadata)


def named_types(metadatas: Iterable[MetaData]) -> Iterator[Enum | DOMAIN]:
    """Yield what the models create as types of their own: native enums, and domains."""
    yield from enums(metadatas)
    for metadata in metadatas:
        for table in metadata.tables.values():
            for column in table.columns:
                inner = underlying(column.type)
                while isinstance(inner, ARRAY):
                    inner = underlying(inner.item_type)
                if isinstance(inner, DOMAIN):
                    yield inner


def sequences(metadatas: Iterable[MetaData]) -> Iterator[Sequence]:
    """Yield the sequences that the models declare."""
    for metadata in metadatas:
        yield from metadata._sequences.values()
