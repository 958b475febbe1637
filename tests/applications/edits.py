"""The edits: each changes one thing of some models, whoever's they are.

An edit that needs a thing to drop or to change takes one of the models' own; where they have none,
they are given one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DefaultClause,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.sql.elements import ClauseElement

from pgmigrations.migrate.core.quoting import DIALECT, escape_parameters

Change = Callable[[MetaData], None]
Find = Callable[[MetaData], Any]

LABELS = ("first", "second", "third")
NAME = "pgm_edit"


class NotThere(Exception):
    """The models have nothing of the sort."""


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        name: As the table of results shows it.
        change: Makes it, in place.
        given: Gives the models what they need where they have nothing of the sort; None where
            every model has.
        finds: Whether the models have what they need by themselves.
        rows: Whether the tables hold rows while it is applied.
    """

    name: str
    change: Change
    given: Change | None = None
    finds: Find | None = None
    rows: bool = False

    def prepare(self, metadata: MetaData) -> bool:
        """Give the models what they lack for this edit, and tell whether they lacked it."""
        if self.given is None:
            return False
        if self.finds is not None:
            try:
                self.finds(metadata)
            except NotThere:
                pass
            else:
                return False
        self.given(metadata)
        return True


def _tables(metadata: MetaData) -> Iterator[Table]:
    yield from sorted(metadata.tables.values(), key=lambda table: table.key)


def _keyed(table: Table) -> set[str]:
    """Name the columns that a key or another table's key rests on, generated ones included."""
    found: set[str] = set()
    for constraint in table.constraints:
        if isinstance(constraint, (ForeignKeyConstraint,)):
            found |= {column.name for column in constraint.columns}
    found |= {column.name for column in table.primary_key.columns}
    for other in table.metadata.tables.values():
        for key in other.foreign_keys:
            if key.column.table is table:
                found.add(key.column.name)
    found |= {column.name for column in table.columns if column.computed is not None}
    return found


def _used(table: Table) -> set[str]:
    """Name the columns that something else of the table is about."""
    found = _keyed(table)
    for index in table.indexes:
        text_of = " ".join(
            [*map(str, index.expressions), str(index.dialect_options["postgresql"]["where"])]
        )
        found |= {column.name for column in table.columns if column.name in text_of}
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            found |= {c.name for c in table.columns if c.name in str(constraint.sqltext)}
        elif isinstance(constraint, UniqueConstraint):
            found |= {column.name for column in constraint.columns}
    for column in table.columns:
        if column.computed is not None:
            found |= {c.name for c in table.columns if c.name in str(column.computed.sqltext)}
    return found


def _column(
    metadata: MetaData, fits: Callable[[Column[Any]], bool], *, free: bool = True
) -> Column[Any]:
    for table in _tables(metadata):
        taken = _used(table) if free else _keyed(table)
        for column in table.columns:
            if column.name not in taken and fits(column):
                return column
    raise NotThere


def _is_string(column: Column[Any]) -> bool:
    return type(column.type) is String and column.type.length is not None


def _is_text(column: Column[Any]) -> bool:
    return type(column.type) in (String, Text) or type(column.type).__name__ == "AutoString"


def _text_column(metadata: MetaData) -> Column[Any]:
    """Find a column to index or to check; a table without any is given one."""
    try:
        return _column(metadata, _is_text, free=False)
    except NotThere:
        table = next(_tables(metadata))
        table.append_column(Column(f"{NAME}_text", String(40)))
        return table.c[f"{NAME}_text"]


def _given_column(type_: Callable[[], Any], **keywords: Any) -> Change:
    def give(metadata: MetaData) -> None:
        column: Column[Any] = Column(f"{NAME}_column", type_(), **keywords)
        next(_tables(metadata)).append_column(column)

    return give


def add_column(metadata: MetaData) -> None:
    next(_tables(metadata)).append_column(Column(NAME, String(40)))


def add_required_column(metadata: MetaData) -> None:
    column = Column(NAME, Boolean, nullable=False, server_default=text("true"))
    next(_tables(metadata)).append_column(column)


def add_column_with_key(metadata: MetaData) -> None:
    target = next(table for table in _tables(metadata) if len(table.primary_key.columns) == 1)
    key = target.primary_key.columns[0]
    next(_tables(metadata)).append_column(
        Column(
            NAME, key.type, ForeignKey(key, ondelete="SET NULL", name=f"{NAME}_fkey"), index=True
        )
    )


def _free_column(metadata: MetaData) -> Column[Any]:
    return _column(metadata, lambda column: bool(column.nullable))


def drop_column(metadata: MetaData) -> None:
    _remove_column(_free_column(metadata))


def _indexed_column(metadata: MetaData) -> Column[Any]:
    for table in _tables(metadata):
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            columns = list(index.columns)
            others = [one for one in table.indexes if one is not index]
            if (
                len(columns) == 1
                and len(list(index.expressions)) == 1
                and columns[0].name not in _keyed(table)
                and not any(columns[0].name in map(str, _names(one)) for one in others)
                and not any(
                    columns[0].name in _constraint_text(constraint)
                    for constraint in table.constraints
                )
            ):
                return columns[0]
    raise NotThere


def _names(index: Index) -> list[str]:
    where = str(index.dialect_options["postgresql"]["where"])
    return [
        column.name
        for column in index.table.columns
        if column.name in " ".join([*map(str, index.expressions), where])
    ]


def _constraint_text(constraint: Any) -> str:
    if isinstance(constraint, CheckConstraint):
        return str(constraint.sqltext)
    return " ".join(column.name for column in constraint.columns)


def drop_indexed_column(metadata: MetaData) -> None:
    column = _indexed_column(metadata)
    table = column.table
    for index in list(table.indexes):
        if column.name in [one.name for one in index.columns]:
            table.indexes.discard(index)
    _remove_column(column)


def _remove_column(column: Column[Any]) -> None:
    table = column.table
    table._columns.remove(column)  # type: ignore[attr-defined]


def lengthen(metadata: MetaData) -> None:
    column: Any = _column(metadata, _is_string)
    column.type = String(column.type.length + 11)


def shorten(metadata: MetaData) -> None:
    column: Any = _column(metadata, _is_string)
    column.type = String(max(column.type.length - 1, 1))


def _integer(metadata: MetaData) -> Column[Any]:
    return _column(metadata, lambda column: type(column.type) is Integer)


def widen_integer(metadata: MetaData) -> None:
    _integer(metadata).type = BigInteger()


def integer_to_text(metadata: MetaData) -> None:
    column = _column(metadata, lambda one: type(one.type) is Integer and one.server_default is None)
    column.type = Text()


def text_to_integer(metadata: MetaData) -> None:
    column = _column(metadata, lambda one: _is_text(one) and one.server_default is None)
    column.type = Integer()


def require(metadata: MetaData) -> None:
    _free_column(metadata).nullable = False


def _required(metadata: MetaData) -> Column[Any]:
    return _column(metadata, lambda column: not column.nullable)


def allow_null(metadata: MetaData) -> None:
    _required(metadata).nullable = True


def _without_default(metadata: MetaData) -> Column[Any]:
    return _column(metadata, lambda one: _is_text(one) and one.server_default is None)


def set_default(metadata: MetaData) -> None:
    _set_default(_without_default(metadata), "x'%")


def _set_default(column: Column[Any], value: str) -> None:
    clause = DefaultClause(value)
    column.server_default = clause
    clause._set_parent(column)  # type: ignore[attr-defined]


def _with_default(metadata: MetaData) -> Column[Any]:
    return _column(
        metadata,
        lambda one: _is_text(one) and one.server_default is not None and one.identity is None,
    )


def change_default(metadata: MetaData) -> None:
    _set_default(_with_default(metadata), "another")


def drop_default(metadata: MetaData) -> None:
    _with_default(metadata).server_default = None


def _enum(metadata: MetaData) -> Enum:
    for table in _tables(metadata):
        for column in table.columns:
            type_ = column.type
            if isinstance(type_, Enum) and type_.native_enum and len(type_.enums) > 2:
                return type_
    raise NotThere


def _relabel(change: Callable[[list[str]], list[str]]) -> Change:
    def relabel(metadata: MetaData) -> None:
        found = _enum(metadata)
        name, schema, labels = found.name, found.schema, change(list(found.enums))
        for table in _tables(metadata):
            for column in table.columns:
                type_: Any = column.type
                # In place: another Enum would leave this one behind in the metadata.
                if isinstance(type_, Enum) and (type_.name, type_.schema) == (name, schema):
                    type_.enum_class, type_.enums = None, list(labels)

    return relabel


def _given_enum(metadata: MetaData) -> None:
    _given_column(lambda: Enum(*LABELS, name=f"{NAME}_type"))(metadata)


def _index_of(sort: str) -> Callable[[MetaData, bool], None]:
    """Make the maker of an index; its second argument asks for another definition."""

    def make(metadata: MetaData, altered: bool) -> None:
        column = _text_column(metadata)
        other = next(iter(column.table.primary_key.columns), column)
        name = f"{NAME}_{sort}"
        if sort == "plain":
            Index(name, column, *([other] if altered else []))
        elif sort == "unique":
            Index(name, column, other, unique=True, postgresql_nulls_not_distinct=altered or None)
        elif sort == "partial":
            where = column.is_(None) if altered else column.is_not(None)
            Index(name, column, postgresql_where=where)
        elif sort == "expression":
            Index(name, (func.upper if altered else func.lower)(column))
        elif sort == "INCLUDE":
            Index(name, other, postgresql_include=[column.name, *([other.name] if altered else [])])
        elif sort == "opclass":
            ops = {column.name: "text_ops" if altered else "text_pattern_ops"}
            Index(name, column, postgresql_ops=ops)

    return make


def _finder_of(sort: str) -> Callable[[MetaData], Index]:
    def fits(index: Index) -> bool:
        options = index.dialect_options["postgresql"]
        is_plain = all(isinstance(one, Column) for one in index.expressions)
        found = {
            "partial": options["where"] is not None,
            "INCLUDE": bool(options["include"]),
            "opclass": bool(options["ops"]),
            "unique": bool(index.unique),
            "expression": not is_plain,
        }
        if sort == "plain":
            return not any(found.values())
        return found[sort]

    def find(metadata: MetaData) -> Index:
        for table in _tables(metadata):
            keyed = [
                {element.column.name for element in key.elements}
                for other in metadata.tables.values()
                for key in other.foreign_key_constraints
                if key.elements[0].column.table is table
            ]
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                columns = {column.name for column in index.columns}
                if fits(index) and not (index.unique and columns in keyed):
                    return index
        raise NotThere

    return find


def _index_edits() -> Iterator[Edit]:
    for sort in ("plain", "unique", "partial", "expression", "INCLUDE", "opclass"):
        make, find = _index_of(sort), _finder_of(sort)

        def give(metadata: MetaData, make: Any = make) -> None:
            make(metadata, False)

        def drop(metadata: MetaData, find: Any = find) -> None:
            index = find(metadata)
            index.table.indexes.discard(index)

        def alter(metadata: MetaData, find: Any = find, make: Any = make, sort: str = sort) -> None:
            index = find(metadata)
            if index.name == f"{NAME}_{sort}":
                index.table.indexes.discard(index)
                make(metadata, True)
            else:
                _alter_own(index, sort)

        yield Edit(f"add a {sort} index", give)
        yield Edit(f"drop a {sort} index", drop, give, find)
        yield Edit(f"alter a {sort} index", alter, give, find)


def _is_said(option: Any) -> bool:
    # A clause has no truth of its own.
    return isinstance(option, ClauseElement) or bool(option)


def _alter_own(index: Index, sort: str) -> None:
    """Change an index of the models' own in the property that its sort is named for."""
    options = index.dialect_options["postgresql"]
    table = index.table
    other = next(
        column for column in table.columns if column.name not in {c.name for c in index.columns}
    )
    expressions: list[Any] = list(index.expressions)
    keywords: dict[str, Any] = {
        f"postgresql_{key}": options[key]
        for key in ("where", "using", "ops", "include", "with", "nulls_not_distinct")
        if _is_said(options[key])
    }
    unique = index.unique
    if sort == "plain":
        expressions.append(other) if not options["using"] else expressions.reverse()
    elif sort == "unique":
        unique = False
    elif sort == "partial":
        keywords["postgresql_where"] = other.is_not(None)
    elif sort == "expression":
        expressions = [*expressions, other]
    elif sort == "INCLUDE":
        keywords["postgresql_include"] = [other.name]
    elif sort == "opclass":
        del keywords["postgresql_ops"]
        keywords.pop("postgresql_using", None)
    name = index.name
    table.indexes.discard(index)
    Index(name, *expressions, unique=unique, **keywords)


def _check(metadata: MetaData) -> CheckConstraint:
    for table in _tables(metadata):
        found = [
            one
            for one in table.constraints
            if isinstance(one, CheckConstraint) and not one._type_bound and one.name
        ]
        if found:
            return min(found, key=lambda one: str(one.name))
    raise NotThere


def add_check(metadata: MetaData) -> None:
    column = _text_column(metadata)
    column.table.append_constraint(
        CheckConstraint(func.length(column) < 30000, name=f"{NAME}_check")
    )


def drop_check(metadata: MetaData) -> None:
    check: Any = _check(metadata)
    check.table.constraints.discard(check)


def reword_check(metadata: MetaData) -> None:
    check: Any = _check(metadata)
    options = {"literal_binds": True, "include_table": False}
    said = str(check.sqltext.compile(dialect=DIALECT, compile_kwargs=options))
    check.sqltext = text(escape_parameters(f"({said}) OR 2 > 1"))


def _key(metadata: MetaData) -> ForeignKeyConstraint:
    for table in _tables(metadata):
        keys = [one for one in table.foreign_key_constraints if len(one.elements) == 1]
        for key in sorted(keys, key=lambda one: str(one.column_keys)):
            return key
    raise NotThere


def change_ondelete(metadata: MetaData) -> None:
    key = _key(metadata)
    key.ondelete = "RESTRICT" if (key.ondelete or "").upper() != "RESTRICT" else "CASCADE"
    for element in key.elements:
        element.ondelete = key.ondelete


def _given_key(metadata: MetaData) -> None:
    add_column_with_key(metadata)


def comment_table(metadata: MetaData) -> None:
    next(_tables(metadata)).comment = "It's 100% \\ :new"


def comment_column(metadata: MetaData) -> None:
    column = next(iter(next(_tables(metadata)).columns))
    column.comment = "It's 100% \\ :new"


def add_table(metadata: MetaData) -> None:
    table = next(table for table in _tables(metadata) if len(table.primary_key.columns) == 1)
    key = table.primary_key.columns[0]
    Table(
        NAME,
        metadata,
        Column("id", Integer, primary_key=True),
        Column("of", key.type, ForeignKey(key, name=f"{NAME}_of_fkey"), index=True),
        Column("label", String(20), server_default="it's"),
        CheckConstraint("length(label) > 1", name=f"{NAME}_label_check"),
        UniqueConstraint("label", name=f"{NAME}_label_key"),
        schema=table.schema,
        comment="added",
    )


def drop_table(metadata: MetaData) -> None:
    referred = {key.column.table for table in _tables(metadata) for key in table.foreign_keys}
    unreferred = [table for table in _tables(metadata) if table not in referred]
    metadata.remove(unreferred[0])


def edits() -> list[Edit]:
    """Return every edit of the list."""
    text_column = _given_column(lambda: String(40))
    integer_column = _given_column(Integer)
    return [
        Edit("add a column", add_column, rows=True),
        Edit("add a required column", add_required_column, rows=True),
        Edit("add a column with a key", add_column_with_key, rows=True),
        Edit("drop a column", drop_column, text_column, _free_column, rows=True),
        Edit(
            "drop an indexed column",
            drop_indexed_column,
            _given_column(lambda: String(40), index=True),
            _indexed_column,
        ),
        Edit(
            "lengthen a column",
            lengthen,
            text_column,
            lambda metadata: _column(metadata, _is_string),
            rows=True,
        ),
        Edit(
            "shorten a column", shorten, text_column, lambda metadata: _column(metadata, _is_string)
        ),
        Edit("widen an integer", widen_integer, integer_column, _integer, rows=True),
        Edit(
            "integer to text", integer_to_text, integer_column, _integer_without_default, rows=True
        ),
        Edit("text to integer", text_to_integer, text_column, _without_default),
        Edit("require a value", require, text_column, _free_column),
        Edit(
            "allow NULL",
            allow_null,
            _given_column(lambda: String(40), nullable=False, server_default="x"),
            _required,
            rows=True,
        ),
        Edit("set a default", set_default, text_column, _without_default, rows=True),
        Edit(
            "change a default",
            change_default,
            _given_column(lambda: String(40), server_default="x"),
            _with_default,
            rows=True,
        ),
        Edit(
            "drop a default",
            drop_default,
            _given_column(lambda: String(40), server_default="x"),
            _with_default,
            rows=True,
        ),
        *(
            Edit(name, _relabel(change), _given_enum, _enum, rows=True)
            for name, change in (
                ("add a label at the end", lambda labels: [*labels, "it's new"]),
                ("add a label in the middle", lambda labels: [labels[0], "new", *labels[1:]]),
                ("drop a label", lambda labels: labels[:-1]),
                ("rename a label", lambda labels: [*labels[:-1], f"{labels[-1]}_renamed"]),
            )
        ),
        *_index_edits(),
        Edit("add a CHECK", add_check),
        Edit("drop a CHECK", drop_check, add_check, _check),
        Edit("reword a CHECK", reword_check, add_check, _check),
        Edit("change ON DELETE", change_ondelete, _given_key, _key),
        Edit("change a table's comment", comment_table),
        Edit("change a column's comment", comment_column),
        Edit("add a table", add_table),
        Edit("drop a table", drop_table),
    ]


def _integer_without_default(metadata: MetaData) -> Column[Any]:
    return _column(metadata, lambda one: type(one.type) is Integer and one.server_default is None)
