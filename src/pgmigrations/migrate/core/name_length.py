"""Names that the server would cut, found in the models before anything is compared or written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Constraint, Enum, Index, MetaData
from sqlalchemy.exc import IdentifierError

from pgmigrations.migrate.core.quoting import DIALECT, NAME_BYTES, NameTooLong
from pgmigrations.migrate.core.types import placed_types


def refuse_long_names(metadatas: Iterable[MetaData]) -> None:
    """Check every name that the models give.

    Raises:
        NameTooLong: A name has more than 63 bytes, which the server would silently cut
            (PostgreSQL manual, 4.1.1 Identifiers and Key Words).
    """
    for metadata in metadatas:
        for name, place in _names(metadata):
            if len(name.encode()) > NAME_BYTES:
                raise NameTooLong(name, place)


def _names(metadata: MetaData) -> Iterator[tuple[str, str]]:
    for table in metadata.tables.values():
        if table.schema:
            yield table.schema, "a schema"
        yield table.name, "a table"
        for column in table.columns:
            yield column.name, f"a column of {table.fullname}"
        all_named: list[Constraint | Index] = [*table.constraints, *table.indexes]
        for named in all_named:
            name = _sent_name(named)
            if name is not None:
                yield name, f"{named.__visit_name__.replace('_', ' ')} on {table.fullname}"
    for type_, place in placed_types([metadata]):
        if isinstance(type_, Enum):
            yield type_.name or "", f"the enum of {place}"
            yield from ((label, f"a label of the enum of {place}") for label in type_.enums)
        else:
            yield type_.name or "", f"the domain of {place}"
            yield str(type_.constraint_name or ""), f"a constraint of the domain of {place}"


def _sent_name(named: Constraint | Index) -> str | None:
    """Return the name as SQLAlchemy sends it, which shortens what a naming convention makes."""
    if not isinstance(named.name, str):
        return None
    preparer = DIALECT.identifier_preparer
    sent: str | None
    try:
        if isinstance(named, Index):
            sent = preparer.format_index(named)
        else:
            sent = preparer.format_constraint(named, _alembic_quote=False)
    except IdentifierError:
        return str(named.name)
    return None if sent is None else str(sent).strip('"').replace('""', '"')
