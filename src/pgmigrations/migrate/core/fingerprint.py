"""Tells whether models would still be created by the same SQL, without compiling it.

Compiling the DDL of 1,000 tables costs more than all else in a comparison that finds nothing. So
what SQLAlchemy makes DDL of is read from the objects themselves: all of their state that is not
known to be of no account. Where that is not sure to tell (a type of the application's own, an
expression, a listener), the compiled SQL takes its place.
"""

from __future__ import annotations

import enum
import hashlib
import inspect
import marshal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects.postgresql import ExcludeConstraint, named_types
from sqlalchemy.schema import (
    CheckConstraint,
    Column,
    Computed,
    DefaultClause,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
)
from sqlalchemy.schema import (
    Sequence as SqlSequence,
)
from sqlalchemy.sql import ddl
from sqlalchemy.sql.elements import ClauseElement, TextClause, quoted_name
from sqlalchemy.types import SchemaType, TypeEngine

from pgmigrations.migrate.core.quoting import DIALECT

Plan: TypeAlias = tuple[str, Callable[[Mapping[str, object]], Sequence[object]]]


class NotSure(Exception):
    """Something may change the SQL that no state tells."""


@dataclass(frozen=True)
class Fingerprint:
    """What decides how models are created.

    Attributes:
        tables: A digest for each table, by (schema, name); empty where only the whole is sure.
        rest: A digest of all that belongs to no table.
    """

    tables: Mapping[tuple[str, str], str]
    rest: str

    @property
    def digest(self) -> str:
        """A digest of everything."""
        return digest([self.rest, *sorted(map(repr, self.tables.items()))])


def digest(parts: object) -> str:
    """Return a digest of bytes, or of anything whose `repr()` says all of it."""
    if not isinstance(parts, bytes):
        parts = repr(parts).encode(errors="surrogatepass")
    return hashlib.blake2b(parts, digest_size=20).hexdigest()


def fingerprint(
    metadatas: Sequence[MetaData], default_schema: str, compiled: Callable[[], Sequence[str]]
) -> Fingerprint:
    """Take the fingerprint of models.

    Args:
        metadatas: The models.
        default_schema: Where unqualified names live.
        compiled: All statements of the models' creation; asked only where nothing less is sure.
    """
    reader = _Reader()
    try:
        _refuse_hooks()
        rest = [reader.metadata(metadata) for metadata in metadatas]
        tables = {
            (table.schema or default_schema, str(table.name)): reader.table(table)
            for metadata in metadatas
            for table in metadata.tables.values()
        }
        if len(tables) == sum(len(metadata.tables) for metadata in metadatas):
            return Fingerprint(tables, digest(rest))
    # Whatever goes wrong here is not sure; what is wrong with the models, compiling them will tell.
    except Exception:
        pass
    return Fingerprint({}, digest(list(compiled())))


def _refuse_hooks() -> None:
    """Refuse what `sqlalchemy.ext.compiler` has changed of the statements themselves."""
    statements = [
        value
        for module in (ddl, named_types)
        for name, value in vars(module).items()
        # Alembic itself has changed how a constraint is dropped in MySQL.
        if inspect.isclass(value) and not name.startswith("Drop")
    ]
    if any(hasattr(class_, "_compiler_dispatcher") for class_ in [*statements, *_STATE]):
        raise NotSure


_BACK = {
    "table",
    "parent",
    "column",
    "metadata",
    "dispatch",
    "dialect_options",
    "_creation_order",
    "info",
}
_CONSTRAINT = _BACK | {"_columns", "columns", "_pending_colargs", "_column_flag"}
# All other state counts; an attribute that a later SQLAlchemy adds counts by itself.
_STATE: dict[type, set[str]] = {
    Table: _BACK
    | {
        "_columns",
        "c",
        "columns",
        "fullname",
        "primary_key",
        "foreign_keys",
        "indexes",
        "constraints",
        "_sentinel_column",
        "implicit_returning",
    },
    Column: _BACK
    | {
        "type",
        "constraints",
        "default",
        "is_literal",
        "_insert_sentinel",
        "_omit_from_statements",
        "_user_defined_nullable",
        "index",
        "unique",
        "doc",
        "foreign_keys",
        "onupdate",
        "server_onupdate",
    },
    PrimaryKeyConstraint: _CONSTRAINT,
    UniqueConstraint: _CONSTRAINT,
    ExcludeConstraint: _CONSTRAINT,
    CheckConstraint: _CONSTRAINT,
    ForeignKeyConstraint: _CONSTRAINT,
    Index: _CONSTRAINT | {"_table_bound_expressions", "_cols_wo_table"},
    Identity: _BACK,
    Computed: _BACK,
    DefaultClause: _BACK | {"for_update", "reflected"},
    SqlSequence: _BACK,
}
_TYPE = {
    "metadata",
    "dispatch",
    "_object_lookup",
    "_valid_lookup",
    "values_callable",
    "_sort_key_function",
    "validate_strings",
}
# The last one without references, which are not the same in every process.
_FORMAT = 2
_PLAIN = {str, int, bool, float, bytes, type(None)}


class _Reader:
    """Reads the state of schema objects as nested tuples."""

    def __init__(self) -> None:
        self._ddl: Any = DIALECT.ddl_compiler(DIALECT, None)  # type: ignore[arg-type]
        self._functions: dict[object, str] = {}
        self._shared_types: dict[int, tuple[object, object]] = {}
        self._bare_types: dict[type, object] = {}
        self._known_types: dict[type, bool] = {}
        self._plans: dict[tuple[object, ...], Plan] = {}

    def metadata(self, metadata: MetaData) -> object:
        """Read what belongs to no table."""
        if type(metadata) is not MetaData:
            raise NotSure
        convention = metadata.naming_convention
        if not all(type(value) is str for value in convention.values()):
            raise NotSure
        return (
            metadata.schema,
            sorted((str(key), value) for key, value in convention.items()),
            # That of a column is made with its table.
            sorted(
                repr((self._state(one), one.column is None)) for one in metadata._sequences.values()
            ),
            sorted(map(repr, self._listeners(metadata))),
        )

    def table(self, table: Table) -> str:
        """Return the digest of a table with all that is in it."""
        constraints = sorted(table.constraints, key=lambda one: one._creation_order)
        found: list[Any] = [
            self._state(table),
            [self.column(column) for column in table.columns],
            [self._state(one) for one in constraints],
            sorted(marshal.dumps(self._state(index), _FORMAT) for index in table.indexes),
        ]
        return digest(marshal.dumps(found, _FORMAT))

    def column(self, column: Column[Any]) -> object:
        """Read a column."""
        type_ = column.type
        # Most have no state: one per class is enough.
        known = self._bare_types.get(type(type_)) if not vars(type_) else None
        read = known or self._type(type_, column)
        if known is None and not vars(type_) and self._known_types[type(type_)]:
            self._bare_types[type(type_)] = read
        default: object = column.default
        if default is not None:
            default = self._state(default) if type(default) is SqlSequence else "a default"
        own = [self._state(one) for one in column.constraints] if column.constraints else ()
        return (self._state(column), read, default, own)

    def _state(self, item: Any) -> Any:
        class_ = type(item)
        if class_ not in _STATE:
            raise NotSure
        state = vars(item)
        if class_ in _WITH_EVENTS:
            dispatch = item.dispatch
            if dispatch.before_create or dispatch.after_create:
                raise NotSure
        key = (class_, *state)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(class_, state, _STATE[class_])
        label, values = plan
        found: list[object] = [
            label,
            *[one if type(one) in _PLAIN else self._value(one) for one in values(state)],
        ]
        if "dialect_options" in state and (options := dict(item.dialect_kwargs)):
            found.append(self._value(options))
        if class_ in _WITH_COLUMNS:
            found.append([self._value(column.name) for column in item.columns])
        elif class_ is Table:
            found.append(list(self._listeners(item)))
        return found

    def _plan(self, class_: type, state: Mapping[str, object], left_out: set[str]) -> Plan:
        """Say what stands for the names of the attributes that count, and get their values."""
        names = sorted(
            name for name in state if name not in left_out and not self._is_derived(class_, name)
        )
        # For a single name it would return the value by itself.
        values = itemgetter(*names, *names[:1]) if names else _nothing
        return digest([class_.__module__, class_.__qualname__, names]), values

    def _is_derived(self, class_: type, name: str) -> bool:
        """Tell of an attribute that is only the memory of something worked out from others."""
        if name == "_memoized_keys":
            return True
        descriptor = type(inspect.getattr_static(class_, name, None)).__name__
        return "memoized" in descriptor

    def _listeners(self, item: Any) -> Iterator[object]:
        """Read the types that are created with a table or a metadata; refuse other listeners."""
        for event in (item.dispatch.before_create, item.dispatch.after_create):
            for listener in event or ():
                # What it was told of variants, the column's type says.
                method = getattr(listener, "func", listener)
                target = getattr(method, "__self__", getattr(method, "target", None))
                name = getattr(method, "__name__", getattr(method, "name", ""))
                if not isinstance(target, SchemaType) or name not in _OWN_LISTENERS:
                    raise NotSure
                yield self._type(target, None)  # type: ignore[arg-type]

    def _value(self, value: Any) -> object:
        class_ = type(value)
        if class_ is quoted_name and value.quote is None:
            return str(value)
        if class_ in _PLAIN:
            return value
        if class_ in (list, tuple):
            return [self._value(one) for one in value]
        if class_ is TextClause and not value._bindparams:
            return ("text", value.text)
        if class_ in _STATE:
            return self._object(value)
        if isinstance(value, quoted_name):
            return (class_.__name__, str(value), value.quote)
        if isinstance(value, Mapping):
            return [(self._value(key), self._value(one)) for key, one in value.items()]
        if class_ in (set, frozenset) and not value:
            return ()
        if isinstance(value, type):
            return ("class", value.__module__, value.__qualname__)
        if isinstance(value, enum.Enum) and class_.__module__.startswith("sqlalchemy."):
            return (class_.__name__, value.name)
        return self._object(value)

    def _object(self, value: Any) -> object:
        if isinstance(value, Column):
            return ("column", self._value(value.name), self._value(value.key))
        if isinstance(value, ForeignKey):
            other = value.column
            names = (other.table.schema, other.table.name, other.name)
            return [self._value(name) for name in (value.parent.name, *names)]
        if isinstance(value, TypeEngine):
            return self._type(value, None)
        if isinstance(value, ClauseElement):
            return self._expression(value)
        return self._state(value)

    def _expression(self, value: Any) -> object:
        key = None
        if "clause_expr" in vars(value) and not len(value.clauses):
            name = getattr(value, "name", "")
            key = (
                type(value),
                name,
                getattr(name, "quote", None),
                getattr(value, "packagenames", ()),
            )
            if key in self._functions:
                return self._functions[key]
        compiled = self._ddl.sql_compiler.process(value, include_table=False, literal_binds=True)
        found = f"{type(value).__qualname__} {getattr(value, 'key', None)} {compiled}"
        if key is not None:
            self._functions[key] = found
        return found

    def _type(self, type_: TypeEngine[Any], column: Column[Any] | None) -> object:
        class_ = type(type_)
        known = self._known_types.get(class_)
        if known is None:
            known = class_.__module__.startswith("sqlalchemy.") and not hasattr(
                class_, "_compiler_dispatcher"
            )
            self._known_types[class_] = known
        if known:
            try:
                if id(type_) not in self._shared_types:
                    self._shared_types[id(type_)] = (type_, self._type_state(type_, class_))
                return self._shared_types[id(type_)][1]
            except NotSure:
                pass
        if column is None:
            raise NotSure
        if column.primary_key:
            return ("column", self._ddl.get_column_specification(column))
        return (
            "type",
            DIALECT.type_compiler_instance.process(
                type_, type_expression=column, identifier_preparer=self._ddl.preparer
            ),
        )

    def _type_state(self, type_: TypeEngine[Any], class_: type) -> object:
        state = vars(type_)
        key = (class_, *state)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(class_, state, _TYPE)
        label, values = plan
        return [
            label,
            state.get("metadata") is not None,
            *[one if type(one) in _PLAIN else self._value(one) for one in values(state)],
        ]


def _nothing(_state: object) -> tuple[()]:
    return ()


_WITH_COLUMNS = {PrimaryKeyConstraint, UniqueConstraint}
_WITH_EVENTS = {
    PrimaryKeyConstraint,
    UniqueConstraint,
    ExcludeConstraint,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SqlSequence,
}
_OWN_LISTENERS = {"_on_table_create", "_on_metadata_create"}
