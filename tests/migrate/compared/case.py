"""A case: a database made from some models, and other models that autogenerate compares with it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, Text, create_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import SchemaItem

from tests.support.project import Project
from tests.support.script import run_script


@dataclass(frozen=True)
class Case:
    """What is changed, and how the revision says it.

    Attributes:
        after: Builds the models.
        calls: The operations of `upgrade()`, in order.
        before: Builds the models that the database was made from; those after, where only
            somebody has changed the database by hand.
        by_hand: SQL that was run since; rows may be among it.
        rows: SELECT whose rows outlive the upgrade and the downgrade.
        version: Oldest server that has it.
    """

    after: Callable[[], MetaData]
    calls: Sequence[str]
    before: Callable[[], MetaData] | None = None
    by_hand: str = ""
    rows: str = ""
    version: int = 14


def page(*items: SchemaItem, columns: Sequence[Any] = (), **options: Any) -> MetaData:
    """Declare a table with a few columns, constraints and indexes of one's choice."""
    metadata = MetaData()
    Table("book", metadata, Column("id", Integer, primary_key=True))
    Table(
        "page",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("number", Integer, nullable=False),
        Column("book", Integer),
        Column("title", Text),
        Column("status", String(10)),
        *columns,
        *items,
        **options,
    )
    return metadata


def calls(revision: Path, function: str = "upgrade") -> list[str]:
    """Return the operations that a revision's function calls."""
    tree = ast.parse(revision.read_text())
    body = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
    return [
        node.value.func.attr
        for node in body
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
    ]


def take(case: Case, url: str, folder: Path) -> Path:
    """Take a case from its models before to those after, and look that nothing is left.

    Returns:
        The revision.
    """
    before = case.after if case.before is None else case.before
    project = Project(folder, url).models(before())
    if project.autogenerate("before") is not None:
        project.upgrade()
    run_script(url, case.by_hand)
    kept = rows(url, case.rows)
    project.models(case.after())
    assert not project.check()
    revision = project.autogenerate("after")
    assert revision is not None
    assert calls(revision) == [*case.calls], revision.read_text()
    project.upgrade()
    assert project.check()
    assert project.autogenerate("again") is None
    assert rows(url, case.rows) == kept
    project.downgrade()
    assert rows(url, case.rows) == kept
    project.upgrade()
    assert project.check()
    return revision


def rows(url: str, select: str) -> list[tuple[Any, ...]]:
    """Return what a SELECT finds, nothing for none."""
    if not select:
        return []
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(select)]
