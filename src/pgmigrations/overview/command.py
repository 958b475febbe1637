"""`pgmigrations overview`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from pgmigrations.overview.contents import Contents, TableContents, read_contents


def overview(config: Config) -> None:
    """Print the project's revisions with their state, and what the database holds.

    Reads only. The connection is made by the project's env.py.

    Example:
        pgmigrations overview

    Args:
        config: Alembic's configuration of the project.
    """
    directory = ScriptDirectory.from_config(config)

    def look(heads: Any, context: MigrationContext) -> Iterable[MigrationStep]:
        assert context.connection is not None
        applied = {
            script.revision
            for script in directory.iterate_revisions(heads, "base", implicit_base=True)
        }
        contents = read_contents(context.connection)
        revisions = list(directory.walk_revisions())[::-1]
        Console().print(_page(revisions, applied, contents))
        return []

    with EnvironmentContext(config, directory, fn=look, dont_mutate=True):
        directory.run_env()


def _page(revisions: list[Script], applied: set[str], contents: Contents) -> Group:
    return Group(
        "",
        _revisions(revisions, applied),
        "",
        _tables(contents),
        "",
        _types(contents),
    )


def _revisions(revisions: list[Script], applied: set[str]) -> Table:
    pending = sum(script.revision not in applied for script in revisions)
    state = f"{pending} pending" if pending else "all applied"
    table = _grid(f"Revisions ({state})")
    table.add_column("")
    table.add_column("revision", style="bold", no_wrap=True)
    table.add_column("what it does")
    for script in revisions:
        mark = "[green]applied[/]" if script.revision in applied else "[yellow]pending[/]"
        table.add_row(mark, escape(script.revision), escape(script.doc or ""))
    return table


def _tables(contents: Contents) -> Table:
    table = _grid(f"Tables of {escape(contents.database)} (PostgreSQL {contents.server})")
    table.add_column("table", style="bold", no_wrap=True)
    for heading in ("columns", "indexes", "foreign keys", "rows"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in contents.tables:
        table.add_row(
            escape(one.name),
            str(one.columns),
            str(one.indexes),
            str(one.foreign_keys or ""),
            _rows(one),
        )
    return table


def _rows(table: TableContents) -> str:
    if table.rows is None:
        return "?"
    return f"~{table.rows:,}" if table.is_estimate else f"{table.rows:,}"


def _types(contents: Contents) -> Table:
    table = _grid("Types and extensions")
    table.add_column("", style="dim")
    table.add_column("name", style="bold", no_wrap=True)
    table.add_column("")
    for name, labels in contents.enums:
        table.add_row("enum", escape(name), escape(", ".join(labels)))
    for name, version in contents.extensions:
        table.add_row("extension", escape(name), escape(version))
    return table


def _grid(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold cyan", box=box.SIMPLE_HEAD)
