"""SQLAlchemy models of a description.

What SQLAlchemy has no word for is a `DDL` that runs after its table has been created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    DDL,
    INTEGER,
    CheckConstraint,
    Column,
    Computed,
    Enum,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    UniqueConstraint,
    event,
    quoted_name,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.schema import SchemaItem
from sqlalchemy.util import OrderedSet

from pgmigrations.declare import RenamedLabel, declare, renamed_from
from pgmigrations.migrate.core.quoting import escape_parameters, identifier, literal, qualified
from tests.fuzz.column_type import type_of
from tests.fuzz.expression import COLUMN, sql
from tests.fuzz.spec import (
    CheckSpec,
    ColumnSpec,
    EnumSpec,
    ExclusionSpec,
    ForeignKeySpec,
    IdentitySpec,
    IndexSpec,
    KeySpec,
    Place,
    SchemaSpec,
    SequenceSpec,
    TableSpec,
)
from tests.fuzz.valid import sequence_of

ANCHOR = "anchor"


def build(spec: SchemaSpec, schemas: Iterable[str] = ()) -> MetaData:
    """Build the models of a description.

    Args:
        spec: The description.
        schemas: Schemas that the models name, whatever the description has in them: what is in a
            schema that no model names any more is left alone.
    """
    metadata = MetaData()
    for schema in schemas:
        Table(ANCHOR, metadata, Column("id", INTEGER), schema=schema)
    enums = {one.place: _enum(one, metadata) for one in spec.enums}
    for one in spec.enums:
        for old, new in one.renamed:
            declare(metadata, RenamedLabel(one.name, old, new, one.schema or None))
    sequences = {one.place: _sequence(one, metadata) for one in spec.sequences}
    tables: dict[Place, Table] = {}
    for described in spec.tables:
        parent = tables[described.inherits] if described.inherits is not None else None
        tables[described.place] = _table(described, metadata, enums, parent)
    for described in spec.tables:
        table = tables[described.place]
        for key in described.foreign_keys:
            table.append_constraint(_foreign_key(key, table, tables[key.table]))
        if described.inherits is not None:
            table.add_is_dependent_on(tables[described.inherits])
        # create_all() goes through a set, in another order each time, in which the server chooses
        # the names of the indexes of partitions.
        table.indexes = OrderedSet(sorted(table.indexes, key=lambda one: str(one.name)))
    last = MetaDataListener(metadata)
    for described in spec.tables:
        _listen(tables[described.place], described)
        last.add(_constraint_comments(described))
    for sequence in spec.sequences:
        last.add(_sequence_statements(sequence))
    assert sequences.keys() == {one.place for one in spec.sequences}
    return metadata


class MetaDataListener:
    """Runs statements when everything has been created."""

    def __init__(self, metadata: MetaData) -> None:
        self._metadata = metadata

    def add(self, statements: Iterator[str]) -> None:
        """Run statements, too."""
        for statement in statements:
            event.listen(self._metadata, "after_create", _ddl(statement))


def _ddl(statement: str) -> DDL:
    return DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]


def _text(statement: str) -> Any:
    return text(escape_parameters(statement))


def _enum(spec: EnumSpec, metadata: MetaData) -> Enum:
    return Enum(*spec.labels, name=spec.name, schema=spec.schema or None, metadata=metadata)


def _sequence(spec: SequenceSpec, metadata: MetaData) -> Sequence:
    words: dict[str, Any] = {
        "start": spec.start,
        "increment": spec.increment,
        "minvalue": spec.minimum,
        "maxvalue": spec.maximum,
        "cache": spec.cache,
    }
    type_ = type_of(spec.type, "", {})
    said = {key: value for key, value in words.items() if value is not None}
    return Sequence(
        spec.name,
        schema=spec.schema or None,
        metadata=metadata,
        data_type=type_,
        cycle=spec.cycle or None,
        **said,
    )


def _table(
    spec: TableSpec, metadata: MetaData, enums: dict[Place, Enum], parent: Table | None
) -> Table:
    items: list[SchemaItem] = [_column(one, enums) for one in spec.columns]
    keywords: dict[str, Any] = {"comment": spec.comment or None, "schema": spec.schema or None}
    if spec.primary_key is not None:
        items.append(_key(spec.primary_key, PrimaryKeyConstraint))
    items += [_key(one, UniqueConstraint) for one in spec.uniques]
    for check in spec.checks:
        if not (check.not_valid or check.no_inherit):
            items.append(_check(check))
    keywords["info"] = _info(spec.was)
    if spec.options:
        keywords["postgresql_with"] = dict(spec.options)
    if spec.unlogged:
        keywords["prefixes"] = ["UNLOGGED"]
    items += [_index(one) for one in spec.indexes]
    if parent is not None:
        # SQLAlchemy takes a name for one of the default schema.
        name = quoted_name(qualified(parent.schema, parent.name).replace("%", "%%"), quote=False)
        keywords["postgresql_inherits"] = (name if parent.schema else parent.name,)
    if spec.partition is not None:
        columns = ", ".join(map(identifier, spec.partition.columns))
        key = f"{spec.partition.strategy} ({columns})"
        keywords["postgresql_partition_by"] = key.replace("%", "%%")
    table = Table(spec.name, metadata, *items, **keywords)
    for one in spec.exclusions:
        table.append_constraint(_exclusion(one, table))
    return table


def _info(was: str) -> dict[Any, Any]:
    return renamed_from(was) if was else {}


def _check(spec: CheckSpec) -> CheckConstraint:
    return CheckConstraint(
        _text(sql(spec.expression)), name=spec.name or None, info=_info(spec.was)
    )


def _column(spec: ColumnSpec, enums: dict[Place, Enum]) -> Column[Any]:
    items: list[SchemaItem] = []
    if spec.generated is not None:
        items.append(Computed(_text(sql(spec.generated)), persisted=spec.stored))
    if spec.identity is not None:
        items.append(_identity(spec.identity))
    keywords: dict[str, Any] = {}
    if spec.identity is None:
        keywords["autoincrement"] = spec.serial
    place = sequence_of(spec.default)
    if place is not None:
        name = literal(qualified(place[0] or None, place[1]))
        keywords["server_default"] = _text(f"nextval({name})")
    elif spec.default:
        keywords["server_default"] = _text(spec.default)
    return Column(
        spec.name,
        type_of(spec.type, spec.collation, enums),
        *items,
        nullable=spec.nullable,
        comment=spec.comment or None,
        info=_info(spec.was),
        **keywords,
    )


def _identity(spec: IdentitySpec) -> Identity:
    words: dict[str, Any] = {
        "start": spec.start,
        "increment": spec.increment,
        "minvalue": spec.minimum,
        "maxvalue": spec.maximum,
        "cache": spec.cache,
    }
    said = {key: value for key, value in words.items() if value is not None}
    return Identity(always=spec.always, cycle=spec.cycle or None, **said)


def _deferral(words: str) -> dict[str, Any]:
    if not words:
        return {}
    found: dict[str, Any] = {"deferrable": True}
    if words.endswith("DEFERRED"):
        found["initially"] = "DEFERRED"
    return found


def _key(spec: KeySpec, make: Any) -> SchemaItem:
    keywords = _deferral(spec.deferrable)
    if spec.include:
        keywords["postgresql_include"] = list(spec.include)
    if spec.nulls_not_distinct:
        keywords["postgresql_nulls_not_distinct"] = True
    key: SchemaItem = make(*spec.columns, name=spec.name or None, info=_info(spec.was), **keywords)
    return key


def _foreign_key(spec: ForeignKeySpec, table: Table, other: Table) -> ForeignKeyConstraint:
    keywords = _deferral(spec.deferrable)
    if spec.not_valid:
        keywords |= {"postgresql_not_valid": True, "use_alter": True}
    return ForeignKeyConstraint(
        [table.c[name] for name in spec.columns],
        [other.c[name] for name in spec.referred],
        name=spec.name or None,
        ondelete=spec.on_delete or None,
        onupdate=spec.on_update or None,
        match=spec.match or None,
        info=_info(spec.was),
        **keywords,
    )


def _exclusion(spec: ExclusionSpec, table: Table) -> ExcludeConstraint:
    keywords = _deferral(spec.deferrable)
    if spec.where is not None:
        keywords["where"] = _text(sql(spec.where))
    elements: list[Any] = [(table.c[name], operator) for name, operator in spec.elements]
    return ExcludeConstraint(
        *elements, name=spec.name or None, using=spec.using, info=_info(spec.was), **keywords
    )


def _index(spec: IndexSpec) -> Index:
    expressions: list[Any] = []
    for element in spec.elements:
        is_column = element.expression.template == COLUMN
        said = sql(element.expression)
        if element.collation:
            said += f' COLLATE "{element.collation}"'
        if element.opclass:
            said += f" {element.opclass}"
        if element.descending:
            said += " DESC"
        if element.nulls:
            said += f" NULLS {element.nulls}"
        plain = is_column and said == sql(element.expression)
        expressions.append(element.expression.columns[0] if plain else _text(said))
    keywords: dict[str, Any] = {"postgresql_using": spec.method}
    if spec.include:
        keywords["postgresql_include"] = list(spec.include)
    if spec.where is not None:
        keywords["postgresql_where"] = _text(sql(spec.where))
    if spec.options:
        keywords["postgresql_with"] = dict(spec.options)
    if spec.nulls_not_distinct:
        keywords["postgresql_nulls_not_distinct"] = True
    return Index(spec.name, *expressions, unique=spec.unique, info=_info(spec.was), **keywords)


def _listen(table: Table, spec: TableSpec) -> None:
    for statement in _table_statements(spec):
        event.listen(table, "after_create", _ddl(statement))


def _table_statements(spec: TableSpec) -> Iterator[str]:
    place = qualified(spec.schema or None, spec.name)
    for column in spec.columns:
        alter = f"ALTER TABLE {place} ALTER COLUMN {identifier(column.name)}"
        if column.storage:
            yield f"{alter} SET STORAGE {column.storage}"
        if column.compression:
            yield f"{alter} SET COMPRESSION {column.compression}"
        if column.statistics is not None:
            yield f"{alter} SET STATISTICS {column.statistics}"
    for check in spec.checks:
        if check.not_valid or check.no_inherit:
            yield (
                f"ALTER TABLE {place} ADD CONSTRAINT {identifier(check.name)} "
                f"CHECK ({sql(check.expression)})"
                + (" NO INHERIT" if check.no_inherit else "")
                + (" NOT VALID" if check.not_valid else "")
            )
    for word in spec.row_security.split():
        yield f"ALTER TABLE {place} {word} ROW LEVEL SECURITY"
    if spec.partition is not None:
        for name, bound in spec.partition.children:
            child = qualified(spec.schema or None, name)
            values = bound if bound == "DEFAULT" else f"FOR VALUES {bound}"
            yield f"CREATE TABLE {child} PARTITION OF {place} {values}"


def _constraint_comments(spec: TableSpec) -> Iterator[str]:
    """Write what needs the table's constraints and indexes, foreign keys included."""
    place = qualified(spec.schema or None, spec.name)
    keys = (spec.primary_key,) if spec.primary_key is not None else ()
    for one in (*keys, *spec.uniques, *spec.foreign_keys, *spec.checks, *spec.exclusions):
        if one.comment:
            name = identifier(one.name)
            yield f"COMMENT ON CONSTRAINT {name} ON {place} IS {literal(one.comment)}"
    for index in spec.indexes:
        if index.comment:
            name = qualified(spec.schema or None, index.name)
            yield f"COMMENT ON INDEX {name} IS {literal(index.comment)}"
    sort, _, name = spec.replica_identity.partition(":")
    if sort != "DEFAULT":
        wanted = f"USING INDEX {identifier(name)}" if name else sort
        yield f"ALTER TABLE {place} REPLICA IDENTITY {wanted}"


def _sequence_statements(spec: SequenceSpec) -> Iterator[str]:
    place = qualified(spec.schema or None, spec.name)
    if spec.owner:
        schema, table, column = spec.owner
        owner = f"{qualified(schema or None, table)}.{identifier(column)}"
        yield f"ALTER SEQUENCE {place} OWNED BY {owner}"
    if spec.comment:
        yield f"COMMENT ON SEQUENCE {place} IS {literal(spec.comment)}"
