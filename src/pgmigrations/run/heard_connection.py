"""A connection of the driver's that is heard when it commits."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2.extensions as driver


class HeardConnection(driver.connection):
    """A connection that tells of each commit, also of one that is asked of the driver itself.

    A revision reaches it by `op.get_bind().connection`, for COPY for example, and SQLAlchemy does
    not hear what is done there.

    Attributes:
        before_commit: Called before each commit.
    """

    before_commit: Callable[[], None] | None = None

    def commit(self) -> None:
        """Commit."""
        if self.before_commit is not None:
            self.before_commit()
        super().commit()
