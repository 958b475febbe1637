"""Making failures on a real server, and looking at what is said of them."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import quote

import psycopg2
import pytest
import sqlalchemy
from psycopg2 import sql

from pgmigrations.database_url import DatabaseUrl
from pgmigrations.run.failure import DatabaseFailure, explain

PASSWORD = "s3cret@/:é#"


def run(url: DatabaseUrl, *statements: str | sql.Composable) -> None:
    connection = psycopg2.connect(**url.libpq)
    connection.autocommit = True
    with closing(connection):
        for statement in statements:
            connection.cursor().execute(statement)


def run_with_sqlalchemy(url: DatabaseUrl, *statements: str) -> None:
    engine = sqlalchemy.create_engine(url.sqlalchemy, poolclass=sqlalchemy.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def failing(url: DatabaseUrl, *statements: str, doing: str = "") -> DatabaseFailure:
    """What is said of the failure, the same whether it came by the driver or by SQLAlchemy."""
    with pytest.raises(psycopg2.Error) as plain:
        run(url, *statements)
    with pytest.raises(sqlalchemy.exc.DBAPIError) as wrapped:
        run_with_sqlalchemy(url, *statements)
    by_driver, by_sqlalchemy = (
        explain(error, url=url, doing=doing) for error in (plain.value, wrapped.value)
    )
    assert type(by_driver) is type(by_sqlalchemy)
    assert by_driver.sqlstate == by_sqlalchemy.sqlstate
    for told in (by_driver, by_sqlalchemy):
        check_clean(told, url)
    return by_sqlalchemy


def check_clean(told: DatabaseFailure, url: DatabaseUrl) -> None:
    shown = f"{told} {told!r} {told.args}"
    assert "\n" not in str(told)
    assert str(told).isprintable()
    for secret in url.secrets:
        assert secret not in shown
        assert quote(secret, safe="") not in shown


def changed(url: DatabaseUrl, **parameters: str) -> DatabaseUrl:
    return DatabaseUrl(tuple((url.libpq | parameters).items()))
