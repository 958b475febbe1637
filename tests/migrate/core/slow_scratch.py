"""A process that works in a scratch database until it is ended: its arguments are two URLs."""

from __future__ import annotations

import sys

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from pgmigrations.migrate.core.scratch import scratch_database


def main(url: str, scratch_url: str) -> None:
    """Say the scratch database's name and its server's data folder, then keep the driver busy."""
    with (
        create_engine(url, poolclass=NullPool).connect() as target,
        scratch_database(target, scratch_url) as scratch,
    ):
        query = text("SELECT current_database(), current_setting('data_directory')")
        print(*scratch.execute(query).one(), sep="\n", flush=True)
        scratch.execute(text("SELECT pg_sleep(600)"))


if __name__ == "__main__":
    main(*sys.argv[1:])
