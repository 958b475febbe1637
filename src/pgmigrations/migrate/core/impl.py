"""Alembic's PostgreSQL implementation, with a version table that holds long names."""

from __future__ import annotations

import copy
from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import String, Table
from sqlalchemy.sql.elements import ClauseElement

from pgmigrations.migrate.core.options import OPTION
from pgmigrations.migrate.core.quoting import DIALECT

VERSION_LENGTH = 255
"""Characters of a revision id: as many as node-pg-migrate's `name` column holds."""


class PgMigrationsImpl(PostgresqlImpl):
    """What differs from Alembic's, only where the context carries our option.

    A subclass replaces Alembic's for the whole process, so a plain project beside ours must get
    what it always got.
    """

    __dialect__ = "postgresql"

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
        plain = copy.copy(self)
        plain.dialect = DIALECT
        rendered = super(PgMigrationsImpl, plain).render_ddl_sql_expr(
            expr, is_server_default=is_server_default, is_index=is_index, **kw
        )
        # Index expressions go into literal_column(), which knows no parameters.
        return rendered if is_index else escape_parameters(rendered)


def escape_parameters(sql: str) -> str:
    r"""Write `\:` for each colon that SQLAlchemy's `text()` would take for a parameter's.

    Example:
        >>> escape_parameters("a::text = ':x'")
        "a::text = '\\:x'"
    """
    escaped = ""
    for position, character in enumerate(sql):
        before = sql[position - 1] if position else ""
        after = sql[position + 1 : position + 2]
        if character == ":" and before != ":" and (after.isalnum() or after == "_"):
            escaped += "\\"
        escaped += character
    return escaped
