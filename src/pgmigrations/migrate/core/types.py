"""Column types: what PostgreSQL gets, whatever class the application wrapped around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

from sqlalchemy import ARRAY, Enum, Interval, MetaData, Sequence
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeDecorator, TypeEngine

from pgmigrations.migrate.core.heap import settled_heap
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


@contextmanager
def unchanging_models() -> Iterator[None]:
    """Look for the types of models once only, while these stay as they are.

    Nor does the garbage collector go through them again: that is a tenth of a comparison.
    """
    token = _KNOWN.set({})
    try:
        with settled_heap():
            yield
    finally:
        _KNOWN.reset(token)


@dataclass(frozen=True)
class _Types:
    """The types of a metadata.

    Attributes:
        placed: The enums and domains, each with where it is declared: those of every column, then
            those that belong to the metadata, whether a column uses them or not.
        columns: Those of all columns; of those that their class tells all about, one of each.
    """

    placed: list[tuple[NamedType, str]]
    columns: list[TypeEngine[Any]]


_KNOWN: ContextVar[dict[int, _Types] | None] = ContextVar("known", default=None)


def placed_types(metadatas: Iterable[MetaData]) -> Iterator[tuple[NamedType, str]]:
    """Yield the enums and domains of the models, each with where it is declared."""
    for metadata in metadatas:
        yield from _types(metadata).placed


def named_types(metadatas: Iterable[MetaData]) -> Iterator[NamedType]:
    """Yield the enums and domains of the models: of every column, and those that none uses."""
    for type_, _ in placed_types(metadatas):
        yield type_


def column_types(metadatas: Iterable[MetaData]) -> Iterator[TypeEngine[Any]]:
    """Yield the types of all columns; of those that their class tells all about, one of each."""
    for metadata in metadatas:
        yield from _types(metadata).columns


def _types(metadata: MetaData) -> _Types:
    known = _KNOWN.get()
    found = None if known is None else known.get(id(metadata))
    if found is None:
        found = _read(metadata)
        if known is not None:
            known[id(metadata)] = found
    return found


def _read(metadata: MetaData) -> _Types:
    found = _Types([], [])
    hidden: set[int] = set()
    seen: set[type[TypeEngine[Any]]] = set()
    for table in metadata.tables.values():
        for column in table.columns:
            type_ = column.type
            class_ = type(type_)
            if class_ in seen and not type_._variant_mapping:
                continue
            found.columns.append(type_)
            if _is_simple(type_):
                seen.add(class_)
                continue
            named = named_type(type_)
            if named is None:
                hidden.add(id(type_))
            elif _is_created(named):
                found.placed.append((named, f"{table.fullname}.{column.name}"))
    own = [
        one
        for one in _kept_by(metadata)
        if _is_named(one) and id(one) not in hidden and _is_created(one)
    ]
    own.sort(key=lambda type_: (type_.schema or "", type_.name or ""))
    found.placed.extend((type_, "the metadata") for type_ in own)
    return found


def _kept_by(metadata: MetaData) -> list[object]:
    """Return the schema objects of a metadata; before SQLAlchemy 2.1, only listeners tell."""
    # get_schema_objects() would tell those of one schema at a time, and not which schemas.
    kept: list[object] = list(getattr(metadata, "_objects", ()))
    if kept:
        return kept
    listeners = metadata.dispatch.before_create
    return [getattr(listener, "target", None) for listener in listeners]


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


def _is_created(type_: NamedType) -> bool:
    """Tell whether the models make a type, not only name one that something else makes."""
    return bool(getattr(type_, "create_type", True))


def _is_simple(type_: TypeEngine[Any]) -> bool:
    """Tell of a type that it wraps none, and is no object of the database."""
    class_ = type(type_)
    if class_ not in _WRAPPING:
        _WRAPPING[class_] = issubclass(class_, TypeDecorator | ARRAY | Enum | DOMAIN)
    return not _WRAPPING[class_] and not type_._variant_mapping


_WRAPPING: dict[type[TypeEngine[Any]], bool] = {}


def _is_named(type_: object) -> TypeGuard[NamedType]:
    return isinstance(type_, DOMAIN) or (isinstance(type_, Enum) and type_.native_enum)
