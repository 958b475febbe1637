"""Models with roles, and questions to a server about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from pgmigrations.declare import (
    EVERY,
    DefaultPrivilege,
    Grant,
    Role,
    application_login,
    declare,
)


def models() -> MetaData:
    metadata = MetaData()
    Table("book", metadata, Column("id", Integer, primary_key=True))
    declare(
        metadata,
        Role("readwrite"),
        Role("tablecreator"),
        *application_login("app_rw", "readwrite"),
        Grant(["SELECT", "INSERT"], to="readwrite", tables=EVERY),
        Grant(["USAGE", "CREATE"], to="tablecreator", schemas=["public"]),
        DefaultPrivilege(
            ["SELECT"], on="tables", for_role="tablecreator", to="readwrite", schema="public"
        ),
    )
    return metadata


def other_database(url: str, name: str, owner: str = "") -> str:
    clause = f" OWNER {owner}" if owner else ""
    with connected(url, autocommit=True) as connection:
        connection.execute(text(f"CREATE DATABASE {name}{clause}"))
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def connected(url: str, *, autocommit: bool = False) -> Iterator[Connection]:
    level = {"isolation_level": "AUTOCOMMIT"} if autocommit else {}
    engine = create_engine(url, poolclass=NullPool, **level)
    with engine.begin() as connection:
        yield connection


def values(url: str, query: str) -> list[object]:
    with connected(url) as connection:
        return list(connection.execute(text(query)).scalars())


def roles(url: str) -> list[object]:
    return values(
        url, "SELECT rolname FROM pg_roles WHERE rolname ~ '^(app|read|table)' ORDER BY 1"
    )


MEMBERS = "SELECT member::regrole::text || ' ' || roleid::regrole FROM pg_auth_members ORDER BY 1"
EVERY_ROLE = ["app_rw", "app_rw_clone", "readwrite", "tablecreator"]


def as_user(url: str, user: str) -> str:
    return make_url(url).set(username=user).render_as_string(hide_password=False)
