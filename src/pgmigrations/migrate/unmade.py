"""Roles that are on the server, and that no revision makes."""

from __future__ import annotations

import ast
from pathlib import Path

from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from pgmigrations.migrate.core.compare import findings_of
from pgmigrations.migrate.core.execution import log
from pgmigrations.migrate.core.operation import Operation

_CREATE_ROLE = "create_role"


def warn_of_unmade(migration: MigrationContext, script: MigrationScript) -> None:
    """Say which declared roles the server of this database has, and another would lack.

    A revision makes what the connected database lacks. A role is the server's: it may be there
    since another database of it was migrated.

    Args:
        migration: The context of `alembic revision --autogenerate`.
        script: The revision.
    """
    findings = findings_of(migration)
    if findings is None or migration.script is None:
        return
    there = {one.name for one in findings.difference.actual.values() if one.kind == "role"}
    declared = findings.difference.scope.roles
    made = {name for path in _files(migration) for name in _made_in(path)}
    made |= {
        operation.call()[0][0]
        for container in script.upgrade_ops_list
        for operation in container.ops
        if isinstance(operation, Operation) and operation.operation_name == _CREATE_ROLE
    }
    for name in sorted((there & declared) - made):
        log.warning(
            "Role %s is on this server already, and no revision makes it: a server that lacks it "
            "needs op.create_role(%r) before what is granted to it",
            name,
            name,
        )


def _files(migration: MigrationContext) -> list[Path]:
    assert migration.script is not None
    return [Path(one.path) for one in migration.script.walk_revisions()]


def _made_in(path: Path) -> set[str]:
    """Return the names that a revision's file gives to `op.create_role()`."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == _CREATE_ROLE
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }
