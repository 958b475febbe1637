"""What a revision's text is made of: calls of operations, and types that import nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import (
    ARRAY,
    DefaultClause,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Interval,
    TextClause,
)
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import CompileError
from sqlalchemy.types import TypeEngine

from pgmigrations.migrate.core import alembic_private
from pgmigrations.migrate.core.operation import Operation
from pgmigrations.migrate.core.quoting import escape_parameters
from pgmigrations.migrate.core.types import sql_of, underlying
from pgmigrations.settings import Settings

LINE_LENGTH = 96

RenderItem: TypeAlias = Callable[[str, Any, AutogenContext], str | Literal[False]]


def render_call(name: str, positional: list[Any], keyword: dict[str, Any]) -> str:
    """Write a call: strings, numbers, booleans and lists only, one line where it fits.

    Example:
        >>> render_call("op.drop_enum", ["mood"], {"schema": "app"})
        "op.drop_enum('mood', schema='app')"
    """
    arguments = [repr(_plain(value)) for value in positional]
    arguments += [f"{key}={_plain(value)!r}" for key, value in keyword.items()]
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= LINE_LENGTH:
        return line
    return f"{name}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"


def render_operation(context: AutogenContext, operation: Operation) -> str:
    """Render one of our operations."""
    prefix = context.opts["alembic_module_prefix"] or ""
    return render_call(f"{prefix}{operation.operation_name}", *operation.call())


def item_renderer(settings: Settings, users: RenderItem | None) -> RenderItem:
    """Make the `render_item` of a project: its own first, then ours for types.

    Args:
        settings: Names the packages whose types may be imported by revisions.
        users: The project's own `render_item`.
    """

    def render_item(type_: str, item: Any, context: AutogenContext) -> str | Literal[False]:
        rendered = users(type_, item, context) if users is not None else False
        if rendered is not False:
            return rendered
        if type_ == "type":
            return _render_type(item, context, settings)
        if type_ == "server_default" and isinstance(item, DefaultClause):
            return _render_default(item)
        if type_ == "foreign_key" and any(map(_has_dots, item.elements)):
            return _render_foreign_key(item, context)
        return False

    return render_item


def _render_default(default: DefaultClause) -> str | Literal[False]:
    """Render what Alembic would lose: quotes at the ends of a text, colons in the server's."""
    if isinstance(default.arg, str):
        return repr(str(default.arg))
    if default.reflected and isinstance(default.arg, TextClause):
        return f"sa.text({escape_parameters(default.arg.text)!r})"
    return False


def _has_dots(key: ForeignKey) -> bool:
    """Tell whether `"table.column"` would be taken apart in the wrong places."""
    return "." in key.column.name or "." in key.column.table.name


def _render_foreign_key(constraint: ForeignKeyConstraint, context: AutogenContext) -> str:
    target = constraint.referred_table
    names = [key.column.name for key in constraint.elements]
    columns = "".join(f", sa.Column({_plain(name)!r})" for name in dict.fromkeys(names))
    schema = f", schema={_plain(target.schema)!r}" if target.schema else ""
    table = f"sa.Table({_plain(target.name)!r}, sa.MetaData(){columns}{schema})"
    local = [key.parent.name for key in constraint.elements]
    options = {
        key: getattr(constraint, key)
        for key in ("onupdate", "ondelete", "deferrable", "initially", "match")
        if getattr(constraint, key) is not None
    }
    keywords = "".join(f", {key}={_plain(value)!r}" for key, value in options.items())
    if constraint.name:
        shown = alembic_private.render_name(constraint.name, context)
        keywords = f", name={shown}{keywords}"
    references = f"[{table}.c[name] for name in {_plain(names)!r}]"
    if len(names) == 1:
        references = f"[{table}.c[{_plain(names[0])!r}]]"
    return f"sa.ForeignKeyConstraint({_plain(local)!r}, {references}{keywords})"


def _render_type(
    type_: TypeEngine[Any], context: AutogenContext, settings: Settings
) -> str | Literal[False]:
    inner = underlying(type_)
    if inner is not type_:
        return alembic_private.render_type(inner, context)
    package = type(type_).__module__.partition(".")[0]
    if type(type_) is Interval:
        return _render_interval(type_)
    if isinstance(type_, Enum) and type_.native_enum:
        return _render_enum(type_, context)
    if isinstance(type_, ARRAY):
        return _render_array(type_, context)
    if isinstance(type_, DOMAIN):
        # By its name alone: a table that is made must not make its domain once more.
        return render_call("op.sql_type", [sql_of(type_)], {})
    if isinstance(type_, Enum):
        return _render_text_enum(type_)
    if package == "sqlalchemy" and _is_public(type(type_)):
        return False
    if package in settings.type_packages:
        return _render_imported(type_, context)
    return _render_application_type(type_, context)


def _render_enum(type_: Enum, context: AutogenContext) -> str:
    context.imports.add("from sqlalchemy.dialects import postgresql")
    keyword: dict[str, Any] = {"name": type_.name}
    if type_.schema:
        keyword["schema"] = type_.schema
    return render_call("postgresql.ENUM", [], {**keyword, "create_type": False})


def _render_text_enum(type_: Enum) -> str:
    """Render an enum that is a text to PostgreSQL; a check that it brings along is said apart."""
    return f"sa.String(length={type_.length})"


def _render_interval(type_: Interval) -> str:
    """Render what `repr()` of an Interval leaves out."""
    keyword: dict[str, Any] = {} if type_.native else {"native": False}
    for key in ("second_precision", "day_precision"):
        if getattr(type_, key) is not None:
            keyword[key] = getattr(type_, key)
    return render_call("sa.Interval", [], keyword)


def _render_array(type_: ARRAY[Any], context: AutogenContext) -> str:
    context.imports.add("from sqlalchemy.dialects import postgresql")
    item = alembic_private.render_type(type_.item_type, context)
    dimensions = "" if type_.dimensions is None else f", dimensions={type_.dimensions}"
    return f"postgresql.ARRAY({item}{dimensions})"


def _render_imported(type_: TypeEngine[Any], context: AutogenContext) -> str:
    module = type(type_).__module__
    # The package's public module, where it re-exports the class: pgvector.sqlalchemy, not the
    # file inside it that may move with the next release.
    parent = module.rpartition(".")[0]
    if parent.count(".") and _exports(parent, type(type_)):
        module = parent
    context.imports.add(f"import {module}")
    return f"{module}.{type_!r}"


def _is_public(class_: type) -> bool:
    """Tell whether a revision can say a class of SQLAlchemy's, by the name that Alembic writes."""
    package, *rest = class_.__module__.split(".")
    if package != "sqlalchemy":
        return False
    dialect = rest[:1] == ["dialects"]
    return _exports(".".join(["sqlalchemy", *rest[:2]]) if dialect else "sqlalchemy", class_)


def _exports(module: str, class_: type) -> bool:
    import importlib

    return getattr(importlib.import_module(module), class_.__name__, None) is class_


def _render_application_type(type_: TypeEngine[Any], context: AutogenContext) -> str:
    """Render a subclass as the SQLAlchemy type that means the same, else by its SQL."""
    wanted = sql_of(type_)
    for class_ in type(type_).__mro__:
        if _is_public(class_) and hasattr(class_, "__visit_name__"):
            plain = _adapted(type_, class_)
            if plain is not None and sql_of(plain) == wanted:
                return alembic_private.render_type(plain, context)
    return render_call("op.sql_type", [wanted], {})


def _adapted(type_: TypeEngine[Any], class_: type) -> TypeEngine[Any] | None:
    """Copy the type's arguments into another class, where they fit and it can be compiled."""
    if class_ is TypeEngine or not issubclass(class_, TypeEngine):
        return None
    try:
        plain = type_.adapt(class_)
        sql_of(plain)
    except (TypeError, AttributeError, NotImplementedError, CompileError):
        return None
    return plain


def _plain(value: Any) -> Any:
    """Take SQLAlchemy's quoted_name and tuples down to what every Python reads."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value
