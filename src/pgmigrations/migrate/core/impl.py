"""Alembic's PostgreSQL implementation: any name and any text comes through as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from alembic.ddl.base import AlterTable
from sqlalchemy import ARRAY, Column, Enum, Executable, String, Table
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter, ClauseElement, TextClause, quoted_name
from sqlalchemy.types import TypeEngine

from pgmigrations.migrate.core.alembic_private import SendingImpl
from pgmigrations.migrate.core.options import OPTION
from pgmigrations.migrate.core.quoting import DIALECT, escape_parameters
from pgmigrations.migrate.core.reflection import correct_column, misread_columns
from pgmigrations.migrate.core.types import native_enum, underlying

VERSION_LENGTH = 255
"""Characters of a revision id: as many as node-pg-migrate's `name` column holds."""


class PgMigrationsImpl(SendingImpl):
    """What differs from Alembic's, only where the context carries our option.

    A subclass replaces Alembic's for the whole process, so a plain project beside ours must get
    what it always got.
    """

    __dialect__ = "postgresql"

    script_guard: str = ""
    """In `--sql` output, what each transaction of the current revision looks at first."""

    is_in_transaction: bool = False
    """In `--sql` output, whether a transaction has begun and not ended."""

    def emit_begin(self) -> None:
        """Write BEGIN, and the guard of a revision that is under way."""
        super().emit_begin()
        self.is_in_transaction = True
        if self.script_guard:
            self.static_output(f"{self.script_guard};")

    def emit_commit(self) -> None:
        """Write COMMIT."""
        super().emit_commit()
        self.is_in_transaction = False

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.as_sql and OPTION in self.context_opts:
            # A dialect that has met no server doubles backslashes; see `quoting.DIALECT`.
            self.dialect._backslash_escapes = False  # type: ignore[attr-defined]

    def sent(self, construct: Executable, options: Mapping[str, Any] | None) -> bool:
        """Send DDL as it stands, past the driver's placeholders; write SQL with its tabs.

        psycopg2 reads `%s` in a name as a placeholder, and SQLAlchemy doubles the percent sign in
        most places, not in all.
        """
        is_ddl = isinstance(construct, ExecutableDDLElement)
        if OPTION not in self.context_opts or not (is_ddl or self.as_sql):
            return False
        if isinstance(construct, AlterTable) and isinstance(construct.schema, str):
            # Alembic takes the dots of any other string apart.
            construct.schema = quoted_name(construct.schema, quote=None)
        assert isinstance(construct, ClauseElement)
        if self.as_sql:
            literal = {} if is_ddl else {"literal_binds": self.literal_binds}
            compiled = construct.compile(dialect=self.dialect, compile_kwargs=literal)
            written = str(compiled).strip()
            # A comment at the end would take the semicolon with it.
            line_break = "\n" if "--" in written.rpartition("\n")[2] else ""
            self.static_output(written + line_break + self.command_terminator)
            return True
        assert self.connection is not None
        if self.connection.get_execution_options().get("schema_translate_map"):
            return False
        self.connection.exec_driver_sql(
            str(construct.compile(dialect=DIALECT)),
            execution_options={**(options or {}), "no_parameters": True},
        )
        return True

    def version_table_impl(
        self,
        *,
        version_table: str,
        version_table_schema: str | None,
        version_table_pk: bool,
        **kw: Any,
    ) -> Table:
        """Widen `version_num`, so that a file's stem fits as the revision id."""
        table = super().version_table_impl(
            version_table=version_table,
            version_table_schema=version_table_schema,
            version_table_pk=version_table_pk,
            **kw,
        )
        if OPTION in self.context_opts:
            table.c.version_num.type = String(VERSION_LENGTH)
        return table

    def autogen_column_reflect(self, inspector: Any, table: Table, column_info: Any) -> None:
        """Correct what reflection does not see; Alembic's own look at SERIAL included."""
        if OPTION not in self.context_opts:
            super().autogen_column_reflect(  # type: ignore[no-untyped-call]
                inspector, table, column_info
            )
            return
        assert self.connection is not None
        if "misread" not in self.memo:
            self.memo["misread"] = misread_columns(self.connection)
        place = (table.schema, table.name, column_info["name"])
        is_misread = place in self.memo["misread"]
        correct_column(self.connection, table, column_info, is_misread=is_misread)

    def compare_type(self, inspector_column: Column[Any], metadata_column: Column[Any]) -> bool:
        """Compare enums by their names; Alembic looks for words in them, and may find none."""
        if OPTION in self.context_opts:
            found, wanted = native_enum(inspector_column.type), native_enum(metadata_column.type)
            if found is not None and wanted is not None:
                return not _is_same_enum(found, wanted) or _is_array(
                    inspector_column.type
                ) is not _is_array(metadata_column.type)
            if wanted is not None:
                return True
        return super().compare_type(inspector_column, metadata_column)

    def render_ddl_sql_expr(
        self,
        expr: ClauseElement,
        is_server_default: bool = False,
        is_index: bool = False,
        **kw: Any,
    ) -> str:
        """Render an expression so that the revision's `text()` reads it back as it was.

        Compiled for psycopg2 every % comes out doubled, and would be doubled again when the
        revision runs; a colon before a word would be read as a parameter.
        """
        if OPTION not in self.context_opts:
            return super().render_ddl_sql_expr(
                expr, is_server_default=is_server_default, is_index=is_index, **kw
            )
        if isinstance(expr, TextClause) and _lacks_values(expr):
            # Reflection reads the server's text by way of text(), which sees parameters in it.
            rendered = expr.text
        else:
            plain = copy.copy(self)
            plain.dialect = DIALECT
            rendered = super(PgMigrationsImpl, plain).render_ddl_sql_expr(
                expr, is_server_default=is_server_default, is_index=is_index, **kw
            )
        # Index expressions go into literal_column(), which knows no parameters.
        return rendered if is_index else escape_parameters(rendered)


def _lacks_values(expression: TextClause) -> bool:
    parameters = [one for one in visitors.iterate(expression) if isinstance(one, BindParameter)]
    return any(parameter.required for parameter in parameters)


def _is_same_enum(one: Enum, other: Enum) -> bool:
    # Reflection leaves the schema out where the search path finds the type.
    schemas = {one.schema, other.schema} - {None}
    return one.name == other.name and len(schemas) < 2


def _is_array(type_: TypeEngine[Any]) -> bool:
    return isinstance(underlying(type_), ARRAY)
