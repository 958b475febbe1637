"""Databases for tests: one each, copied from a template, dropped afterwards."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from tests.support.server import ServerAddress


class Databases:
    """Makes and drops databases on a test server, through one connection of its own.

    Example:
        >>> databases = Databases(server.address)
        >>> with databases.fresh() as url:
        ...     create_engine(url)
    """

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self._numbers = itertools.count(1)

    @cached_property
    def connection(self) -> Connection:
        """The connection to the maintenance database, in autocommit."""
        engine = create_engine(self.address.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        return engine.connect()

    @cached_property
    def version(self) -> int:
        """`server_version_num`, such as 180006 or 150020."""
        found = self.connection.exec_driver_sql("SHOW server_version_num").scalar_one()
        return int(found)

    @cached_property
    def extensions(self) -> frozenset[str]:
        """The names of the extensions that this role may create on the server."""
        found = self.connection.exec_driver_sql(
            "SELECT name FROM pg_available_extension_versions"
            " WHERE trusted OR NOT superuser OR current_setting('is_superuser') = 'on'"
        )
        return frozenset(found.scalars())

    def close(self) -> None:
        """Close the connection, if it was ever opened."""
        if "connection" in self.__dict__:
            self.connection.close()
            del self.connection

    @contextmanager
    def fresh(self, template: str = "template0") -> Iterator[str]:
        """Give the URL of a database of its own, and drop it at the end whoever is connected.

        Args:
            template: Name of the database to copy.
        """
        name = f"{self.address.run}_{os.getpid()}_{next(self._numbers)}"
        self._create(name, template)
        try:
            yield self.address.url_of(name)
        finally:
            self._drop(name)

    def template(self, key: str, build: Callable[[str], None]) -> str:
        """Give the name of a template database, built by the first process that asks for it.

        Args:
            key: What the template holds; the same key is the same template.
            build: Fills the empty database behind the URL it is given, and closes its connections.
        """
        digest = hashlib.sha256(key.encode()).digest()
        name = f"{self.address.run}_t_{digest.hex()[:12]}"
        lock = int.from_bytes(digest[:8], "big", signed=True)
        self.connection.exec_driver_sql(f"SELECT pg_advisory_lock({lock})")
        try:
            if self._is_template(name):
                return name
            # What a build that failed has left is no template yet.
            self._drop(name)
            self._create(name, "template0")
            build(self.address.url_of(name))
            self.connection.exec_driver_sql(
                f'ALTER DATABASE "{name}" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false'
            )
        finally:
            self.connection.exec_driver_sql(f"SELECT pg_advisory_unlock({lock})")
        return name

    def drop_all(self) -> None:
        """Drop every database that this test session made, templates too."""
        names = self.connection.exec_driver_sql(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)",
            (f"{self.address.run}_",),
        )
        for name in names.scalars().all():
            if self._is_template(name):
                self.connection.exec_driver_sql(f'ALTER DATABASE "{name}" WITH IS_TEMPLATE false')
            self._drop(name)

    def _is_template(self, name: str) -> bool:
        found = self.connection.exec_driver_sql(
            "SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", (name,)
        )
        return found.first() is not None

    def _create(self, name: str, template: str) -> None:
        # Copying files is the quick way on a RAM disk without fsync; 14 knows no other way.
        strategy = " STRATEGY FILE_COPY" if self.version >= 150000 else ""
        self.connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"{strategy}')

    def _drop(self, name: str) -> None:
        self.connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
