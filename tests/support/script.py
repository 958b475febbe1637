"""Running SQL text the way psql does: one statement after another, each by itself."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from tests.support.dump import TOKEN


def run_script(url: str, sql: str) -> None:
    """Run a script's statements one by one; `BEGIN` and `COMMIT` in it are the transactions.

    Args:
        url: SQLAlchemy URL of the database.
        sql: Statements, each ended by a semicolon.

    Raises:
        DBAPIError: The first statement that fails; the rest is not run.
    """
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements(sql):
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def statements(sql: str) -> Iterator[str]:
    """Split a script at the semicolons that stand in no quotes; comments are left out."""
    statement = ""
    for match in TOKEN.finditer(sql + ";"):
        token = match.group()
        if match.group("noise"):
            continue
        if token != ";":
            statement += token
        elif statement.strip():
            yield statement.strip()
            statement = ""
        else:
            statement = ""
