"""`pgmigrations log`: the ledger, as it was written."""

from __future__ import annotations

import json
from dataclasses import asdict

from alembic.config import Config
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pgmigrations.commands.project import OpenProject, with_project
from pgmigrations.run.ledger import Row


def log(config: Config, *, number: int = 20, as_json: bool = False) -> None:
    """Print the last rows of the ledger, the oldest of them first.

    Args:
        config: Alembic's configuration of the project.
        number: How many rows; 0 for all.
        as_json: Print JSON.
    """
    found = last_rows(config, number)
    if as_json:
        print(json.dumps([asdict(row) for row in found], indent=2, default=str))
        return
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("", "when", "name", "what", "took", "by", ""):
        table.add_column(heading)
    for row in found:
        took = "" if row.duration is None else f"{row.duration:.1f} s"
        when = row.run_on.isoformat(sep=" ", timespec="seconds")
        by = " at ".join(one for one in (row.db_user, row.host) if one)
        cells = (str(row.id), when, row.name, str(row.status), took, by, row.error or "")
        table.add_row(*map(escape, cells))
    Console().print(table)


def last_rows(config: Config, number: int) -> list[Row]:
    """Return the last rows of the ledger, the oldest of them first; 0 for all."""

    def read(project: OpenProject) -> list[Row]:
        there = project.ledger.is_there(project.driver)
        return project.ledger.last(project.driver, number) if there else []

    return with_project(config, read)
