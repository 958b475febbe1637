"""Column types: what PostgreSQL gets, whatever class the application wrapped around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias, TypeGuard

from sqlalchemy import ARRAY, Enum, Interval, MetaData, Sequence
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeDecorator, TypeEngine

from pgmigrations.migrate.core.quoting import DIALECT

NamedType: TypeAlias = Enum | DOMAIN
"""A type that is an object of the database, made before the tables that use it."""


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


def named_type(type_: TypeEngine[Any]) -> NamedType | None:
    """Return the enum or domain behind a column's type, arrays of it included; else None."""
    inner = underlying(type_)
    while isinstance(inner, ARRAY):
        inner = underlying(inner.item_type)
    return inner if _is_named(inner) else None


def native_enum(type_: TypeEngine[Any]) -> Enum | None:
    """Return the enum behind a column's type, arrays of it included; None for all else."""
    found = named_type(type_)
    return found if isinstance(found, Enum) else None


def metadata_types(metadata: MetaData) -> list[NamedType]:
    """Return the enums and domains that belong to a metadata, whether a column uses them or not.

    SQLAlchemy 2.1 keeps them; before, only their listeners tell.
    """
    # get_schema_objects() would tell those of one schema at a time, and not which schemas.
    candidates: list[Any] = list(getattr(metadata, "_objects", ()))
    if not candidates:
        listeners = metadata.dispatch.before_create
        candidates = [getattr(listener, "target", None) for listener in listeners]
    hidden = {
        id(column.type)
        for table in metadata.tables.values()
        for column in table.columns
        if not _is_simple(column.type) and named_type(column.type) is None
    }
    found = [type_ for type_ in candidates if _is_named(type_) and id(type_) not in hidden]
    return sorted(found, key=lambda type_: (type_.schema or "", type_.name or ""))


def placed_types(metadatas: Iterable[MetaData]) -> Iterator[tuple[NamedType, str]]:
    """Yield the enums and domains of the models, each with where it is declared."""
    for metadata in metadatas:
        for table in metadata.tables.values():
            for column in table.columns:
                if _is_simple(column.type):
                    continue
                type_ = named_type(column.type)
                if type_ is not None:
                    yield type_, f"{table.fullname}.{column.name}"
        for type_ in metadata_types(metadata):
            yield type_, "the metadata"


def named_types(metadatas: Iterable[MetaData]) -> Iterator[NamedType]:
    """Yield the enums and domains of the models: of every column, and those that none uses."""
    for type_, _ in placed_types(metadatas):
        yield type_


def column_types(metadatas: Iterable[MetaData]) -> Iterator[TypeEngine[Any]]:
    """Yield the types of all columns; of those that their class tells all about, one of each."""
    seen: set[type[TypeEngine[Any]]] = set()
    for metadata in metadatas:
        for table in metadata.tables.values():
            for column in table.columns:
                class_ = type(column.type)
                if class_ not in seen or not _is_simple(column.type):
                    seen.add(class_)
                    yield column.type


def type_classes(type_: TypeEngine[Any]) -> Iterator[type[TypeEngine[Any]]]:
    """Yield the classes of a column's type: wrappers, array items, and what a domain is over."""
    inner = underlying(type_)
    yield type(inner)
    if isinstance(inner, ARRAY):
        yield from type_classes(inner.item_type)
    elif isinstance(inner, DOMAIN):
        yield from type_classes(inner.data_type)


def sql_of(type_: TypeEngine[Any]) -> str:
    """Write a type as a column definition would."""
    return str(type_.compile(dialect=DIALECT))


def sequences(metadatas: Iterable[MetaData]) -> Iterator[Sequence]:
    """Yield the sequences that the models declare."""
    for metadata in metadatas:
        yield from metadata._sequences.values()


def _is_simple(type_: TypeEngine[Any]) -> bool:
    """Tell of a type that it wraps none, and is no object of the database."""
    class_ = type(type_)
    if class_ not in _WRAPPING:
        _WRAPPING[class_] = issubclass(class_, TypeDecorator | ARRAY | Enum | DOMAIN)
    return not _WRAPPING[class_] and not type_._variant_mapping


_WRAPPING: dict[type[TypeEngine[Any]], bool] = {}


def _is_named(type_: object) -> TypeGuard[NamedType]:
    return isinstance(type_, DOMAIN) or (isinstance(type_, Enum) and type_.native_enum)
